"""What npm makes of the reader's sources: the same page and module again, types that fit; and a stock verifier."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from domain.base import Opaque
from projections import timeline
from transfer import credential, reader
from transfer.credential import Kept

TRANSFER = Path(__file__).parents[2] / "transfer"
READER, BUILT = TRANSFER / "reader", TRANSFER / "reader" / "dist"
SUPPORT = Path(__file__).parents[1] / "support"
PAGE_BYTES_MAX = 1 << 20


@pytest.fixture(scope="module")
def npm_folder() -> Path:
    """The sources beside what npm fetched for them, once for each lock file; skips aloud without npm or a registry."""
    lock = (READER / "package-lock.json").read_bytes() + (READER / "package.json").read_bytes()
    folder = Path(tempfile.gettempdir()) / f"astrack-reader-{hashlib.sha256(lock).hexdigest()[:16]}"
    inner, npm = folder / "reader", shutil.which("npm")
    if npm is None:
        pytest.skip("no npm to build the reader with: install nodejs and npm")
    if not (folder / "ready").exists():
        inner.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(READER / name, inner)
        asked = [npm, "ci", "--no-audit", "--no-fund", "--prefix", str(inner)]
        if subprocess.run(asked, capture_output=True, timeout=180, check=False).returncode:
            pytest.skip("npm could not fetch what the reader is built with: check that the registry can be reached")
        (folder / "ready").touch()
    for name in ("src", "build.js", "tsconfig.json"):
        source, target = READER / name, inner / name
        shutil.copytree(source, target, dirs_exist_ok=True) if source.is_dir() else shutil.copy(source, target)
    shutil.copy(TRANSFER / "words.txt", folder)
    return inner


def run(folder: Path, *asked: str) -> str:
    done = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=False, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_building_again_gives_the_same_bytes(npm_folder: Path, tmp_path: Path) -> None:
    run(npm_folder, "node", "build.js", str(tmp_path))
    for name in ("reader.html", "index.js"):
        assert (tmp_path / name).read_bytes() == (BUILT / name).read_bytes(), f"{name}: npm run build, then commit it"


@pytest.mark.long
def test_the_types_of_the_sources_fit(npm_folder: Path) -> None:
    run(npm_folder, "node", "node_modules/typescript/bin/tsc", "-p", ".")


def test_the_page_is_small_whole_and_has_no_way_to_send_anything() -> None:
    page = reader.page()
    assert len(page) < PAGE_BYTES_MAX
    assert b"default-src 'none'; connect-src 'none'" in page
    for way_out in (b"<link", b" src=", b"@import", b"url("):
        assert way_out not in page.split(b"<script>")[0], way_out


def test_the_reader_has_words_for_every_fact_that_a_story_can_hold() -> None:
    source = (READER / "src" / "journey.js").read_text("utf-8")
    told = set(re.findall(r"'(journey\.[a-z0-9.-]+)': \(\) =>", source))
    held = {kind.TOPIC for kind in timeline.TAKES if kind is not Opaque}
    assert sorted(one for one in held if not {one, re.sub(r"\.v\d+$", "", one)} & told) == []


def test_no_lock_names_an_address() -> None:
    locked = json.loads((READER / "package-lock.json").read_text())
    assert "://" not in json.dumps(locked)
    named = json.loads((READER / "package.json").read_text())
    for name, version in {**named["dependencies"], **named["devDependencies"]}.items():
        assert locked["packages"][f"node_modules/{name}"]["version"] == version, name
        assert locked["packages"][f"node_modules/{name}"]["integrity"].startswith("sha512-"), name


def test_a_stock_verifier_accepts_our_credential_and_refuses_it_altered(npm_folder: Path, tmp_path: Path) -> None:
    made = datetime(2025, 7, 1, tzinfo=UTC)  # the stock verifier refuses what is not valid yet
    kept = Kept(UUID(int=5), "Mabli Hartley", "Westcliff", made, "2024-10-04", "2031-10-04", 2, 2, "a" * 64)
    (tmp_path / "credential.json").write_bytes(credential.of_record(kept, b"school".ljust(32, b".")))
    shutil.copy(SUPPORT / "stock_verifier.mjs", npm_folder)
    given = [str(tmp_path / "credential.json"), str(TRANSFER / "contexts")]
    assert json.loads(run(npm_folder, "node", "stock_verifier.mjs", *given)) == [True, True, False]
