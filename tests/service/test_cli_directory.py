"""A directory of keys from the command line: begun, added to, published, followed, checked; and keys revoked."""

from __future__ import annotations

import functools
import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Run, one_sentence


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=tmp_path / "directory" / "public")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def school(run: Run, name: str, urn: str) -> str:
    said = run("school", "add", name, "--urn", urn)[1]
    return re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", said)[0]


def test_a_directory_from_the_command_line(run: Run, address: str, tmp_path: Path) -> None:
    kept = ("--dir", tmp_path / "directory")
    begun = run("directory", "begin", "The directory", *kept, "--origin", "directory.example/keys")
    words = begun[1].strip().split("eight words: ")[1]
    a, b = school(run, "Ash", "100001"), school(run, "Beech", "100002")
    run("keys", "show", "--out", tmp_path, "--school", a)
    code, _, said = run("directory", "add", tmp_path / f"{a}.keys", *kept)
    assert (code, one_sentence(said)) == (6, True)
    heard = run("keys", "words", "--school", a)[1].strip()
    assert "Ash, document 1" in run("directory", "add", tmp_path / f"{a}.keys", *kept, "--words", heard)[1]
    assert "1 documents are published" in run("directory", "publish", *kept)[1]
    assert run("directory", "fetch", address, "--school", b)[0] == 6
    fetched = run("directory", "fetch", address, "--urn", "100001", "--words", words, "--school", b)
    assert json.loads(fetched[1])["taken"] == ["Ash (1)"]
    code, out, _ = run("directory", "check", "--out", tmp_path / "seen", "--school", b)
    assert (code, '"not_ours": []' in out) == (0, True)
    (seen,) = (tmp_path / "seen").glob("*.checkpoint")
    assert "the same 1 documents" in run("directory", "check", "--against", seen, "--school", b)[1]

    assert run("keys", "revoke", "--school", a)[0] == 2
    assert "are revoked" in run("keys", "revoke", "--yes", "--school", a)[1]
    run("keys", "show", "--out", tmp_path, "--school", a)
    assert "Ash, document 2" in run("directory", "add", tmp_path / f"{a}.keys", *kept)[1]
    run("directory", "publish", *kept)
    assert json.loads(run("directory", "fetch", address, "--school", b)[1])["taken"] == ["Ash (2)"]
