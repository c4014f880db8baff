"""The demo, played with small classes: what it leaves behind is opened, listed, verified and refused as others would."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from transfer import age
from transfer.age.key import read_agekey
from transfer.errors import NotForUs

ROOT = Path(__file__).parents[2]
PLAY_S = 240


@pytest.fixture(scope="module")
def played() -> Iterator[Path]:
    """The outputs of one whole demo."""
    home = Path(tempfile.mkdtemp(prefix="astrack-demo-"))
    home.chmod(0o711)
    command = [sys.executable, "-c", "from astrack.cli import main; main()", "demo", "--once", "--class-size", "7"]
    done = subprocess.run([*command, "--dir", str(home / "out")], capture_output=True, text=True, timeout=PLAY_S, check=False,
                          env={**os.environ, "ASTRACK_HOME": str(home), "PYTHONPATH": str(ROOT)}, cwd=home)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    yield home / "out"
    shutil.rmtree(home, ignore_errors=True)


def verify(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The verifier in a process of its own: no database, no configuration, no package of ours but one."""
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", "transfer.verify", *arguments], env=bare, capture_output=True, text=True,
                          timeout=120, check=False)  # fmt: skip


def some_of(played: Path) -> list[Path]:
    """One file of each kind that a verifier is given."""
    return [sorted(played.glob(pattern))[0] for pattern in
            ("sealed/*.tar.age", "student/*.tar.age", "keys/*.agekey", "audit/*", "receipts/*")]  # fmt: skip


def test_the_summary_counts_the_story_and_it_verified(played: Path) -> None:
    summary = json.loads((played / "summary.json").read_text())
    assert summary["verified"] is True
    assert summary["pupils"] == 21
    assert summary["assessments"] > 300 and summary["flags"] > 0 and summary["plans"] > 0
    assert summary["transfers"] == 21 + 2 + 1


def test_everything_is_accepted_by_the_verifier_alone(played: Path) -> None:
    done = verify(str(played))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_each_kind_of_file_is_refused_after_one_flipped_byte(played: Path) -> None:
    for path in some_of(played):
        whole = path.read_bytes()
        for place in (0, len(whole) // 3, len(whole) // 2, len(whole) - 1):
            altered = bytearray(whole)
            altered[place] ^= 1
            path.write_bytes(altered)
            done = verify(str(path))
            path.write_bytes(whole)
            assert done.returncode == 1, f"{path.name} was accepted with byte {place} flipped: {done.stdout}"
            assert "Traceback" not in done.stderr


def test_a_sealed_file_is_a_tar_with_the_manifest_first(played: Path) -> None:
    for path in sorted(played.glob("sealed/*.tar.age")):
        for key in played.glob("keys/*.agekey"):
            try:
                inside = age.unseal_bytes(path.read_bytes(), [read_agekey(key.read_text())])
            except NotForUs:
                continue
            names = tarfile.open(fileobj=io.BytesIO(inside)).getnames()  # noqa: SIM115
            assert names[:3] == ["manifest.json", "manifest.note", "events.jsonl"] and names[-1] == "padding"
            break
        else:
            pytest.fail(f"no key in keys/ opens {path.name}")


def test_no_file_is_named_for_anybody(played: Path) -> None:
    names = " ".join(
        path.name for folder in ("sealed", "student", "receipts", "audit") for path in (played / folder).iterdir()
    )
    assert "Hartley" not in names and "Mabli" not in names
