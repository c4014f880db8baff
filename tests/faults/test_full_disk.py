"""A disk that is really full: what is refused is said and leaves nothing, what was acknowledged stays, and it recovers."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from astrack.app import App
from astrack.server.site import build
from astrack.settings import Settings
from astrack.store.fsck import check_store
from tests.service.conftest import Clock, World, furnish

SIZE_MIB, WRITES_MAX = 400, 2_000


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of a few hundred MiB that nobody else writes to."""
    folder = Path(tempfile.mkdtemp(prefix="astrack-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=0711", "astrack-test", str(folder)]
    try:
        mounted = subprocess.run(command, check=False, capture_output=True, timeout=30).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        shutil.rmtree(folder)
        pytest.skip(
            "NOT TRIED: this machine lets nobody mount a small disk; only root may. The trigger stands in for it"
        )
    yield folder
    subprocess.run(["umount", str(folder)], check=True, timeout=60)
    folder.rmdir()


@pytest.fixture
def world(small_disk: Path) -> Iterator[World]:
    """A school whose database lies on the small disk."""
    clock = Clock()
    settings = Settings(home=small_disk, database="full", pool_size=4, timeout_s=20, second_factor=False)
    with App.open(settings, clock) as app:
        yield furnish(app, build(app), clock)


def filled_up(folder: Path) -> Path:
    """A file that takes all the room there is."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for piece in (1 << 20, 1 << 12):
            with suppress(OSError):
                while True:
                    file.write(bytes(piece))
    assert shutil.disk_usage(folder).free == 0
    return ballast


def talk(world: World, talk_id: str) -> Any:
    path = f"/api/v1/pupils/{world.pupil}/talks"
    return world.as_("pupil").post(path, json={"talk_id": talk_id}, headers={"Idempotency-Key": talk_id})


def until_refused(world: World) -> tuple[list[str], str, Any]:
    """What was acknowledged while there was room in pages begun before, then what was refused, and the answer."""
    acknowledged: list[str] = []
    for _ in range(WRITES_MAX):
        wanted = str(uuid4())
        answer = talk(world, wanted)
        if answer.status_code != 200:
            return acknowledged, wanted, answer
        acknowledged.append(wanted)
    raise AssertionError("the disk never filled up")


def test_a_full_disk_refuses_in_words_keeps_what_it_took_and_goes_on_once_there_is_room(
    world: World, small_disk: Path
) -> None:
    world.as_("pupil"), world.as_("tutor")
    ballast = filled_up(small_disk)
    acknowledged, wanted, refused = until_refused(world)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2"), refused.text
    assert "disk is full" in refused.json()["detail"]
    assert world.client().get("/health").status_code == 200
    ballast.unlink()
    assert talk(world, wanted).status_code == 200
    assert [str(one) for one in world.records.journey(world.pupil)[0].talks] == [*acknowledged, wanted]
    assert list(check_store(world.records.log)) == []
