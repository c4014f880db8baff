"""A file with a large attachment is sealed and opened in little memory, whatever its size."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from transfer import package
from transfer.archive import Content
from transfer.keys.signing import Purpose
from transfer.keys.trust import Trust

MEBI = 1 << 20
ALLOWED = 64 * MEBI
MEASURED = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.format import test_large_attachment as here
here.measure(*sys.argv[2:])
"""


def pieces(mebi: int) -> Iterator[bytes]:
    """Bytes that follow from their place, never all at once."""
    return (number.to_bytes(8, "big") * (MEBI // 8) for number in range(mebi))


def attachment(mebi: int) -> Content:
    digest = hashlib.sha256()
    for piece in pieces(mebi):
        digest.update(piece)
    return Content(f"attachments/{digest.hexdigest()}", mebi * MEBI, lambda: pieces(mebi))


def write(path: Path, mebi: int) -> None:
    from tests.format.conftest import RECEIVER, SECONDS, PaperSchool, parts_of

    school = PaperSchool("ash")
    school.record(b"jo", "released")
    school.publish()
    parts = replace(parts_of(school, b"jo"), attachments=[attachment(mebi)])
    with path.open("wb") as sink:
        package.write(sink, parts, [RECEIVER.recipient], school.keys.signers(Purpose.MANIFEST, school.origin), SECONDS)


def read(path: Path) -> dict[str, tuple[str, int]]:
    """(digest, bytes) of each attachment, once the whole file has been verified."""
    from tests.format.conftest import RECEIVER

    got: dict[str, tuple[str, int]] = {}

    def take(name: str, chunks: Iterator[bytes]) -> None:
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
        got[name] = digest.hexdigest(), size

    with path.open("rb") as source:
        package.read(package.open_sealed(source, [RECEIVER], take), Trust())
    return got


def most() -> int:
    """The most memory this process has had, in bytes; what its parent had is not counted, as getrusage would."""
    (kibi,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    return int(kibi) * 1024


def measure(act: str, path: str, mebi: str) -> None:
    """Do one of the two, after a small one that brings in all it needs; fail when memory grew by more than allowed."""
    small = Path(path + ".small")
    write(small, 1)
    read(small)
    before = most()
    if act == "write":
        write(Path(path), int(mebi))
    else:
        ((name, (digest, size)),) = read(Path(path)).items()
        assert name == f"attachments/{digest}" and size == int(mebi) * MEBI
    grown = most() - before
    assert grown < ALLOWED, f"{act} took {grown / MEBI:.0f} MiB more"


def both_ways(tmp_path: Path, mebi: int, seconds: int) -> None:
    root = str(Path(__file__).parents[2])
    for act in ("write", "read"):
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, root, act, str(tmp_path / "large.tar.age"), str(mebi)],
            capture_output=True, text=True, timeout=seconds,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]


def test_an_attachment_of_a_hundred_mebibytes_goes_both_ways_in_64(tmp_path: Path) -> None:
    both_ways(tmp_path, 100, 300)


@pytest.mark.long
def test_an_attachment_of_a_gibibyte_goes_both_ways_in_64(tmp_path: Path) -> None:
    both_ways(tmp_path, 1024, 3600)


def test_an_attachment_that_came_otherwise_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    parts = replace(paper.parts_of(ash, b"jo"), attachments=[Content.of("attachments/" + "0" * 64, b"not this")])
    sealed = io.BytesIO()
    signers = ash.keys.signers(Purpose.MANIFEST, ash.origin)
    package.write(sealed, parts, [paper.receiver.recipient], signers, 1)
    sealed.seek(0)
    got: list[bytes] = []
    staged = package.open_sealed(sealed, [paper.receiver], lambda _, chunks: got.extend(chunks))
    assert b"".join(got) == b"not this"  # handed over as it came; nothing of it counts before the check
    with pytest.raises(package.BadFile):
        package.read(staged, Trust())
