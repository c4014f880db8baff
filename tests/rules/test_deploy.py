"""The deployment files say what the service understands: settings by their names, a command as it is, time to stop in."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from astrack.cli import program
from astrack.server import listening
from astrack.settings import NAMES

FOLDER = Path(__file__).parents[2] / "docs" / "deploy"
FILES = sorted(FOLDER.iterdir())
OF_THE_PROXY = {"ASTRACK_HOST", "ASTRACK_MAILBOX_HOST"}


def commands() -> list[list[str]]:
    """Every command line of ours in the files, without the program's name."""
    found = []
    for path in FILES:
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("ExecStart="):
                found.append(shlex.split(line.partition("=")[2])[1:])
            elif line.startswith('CMD ["astrack"'):
                found.append(json.loads(line.removeprefix("CMD "))[1:])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_names_only_settings_that_are_read(path: Path) -> None:
    assert set(re.findall(r"ASTRACK_[A-Z_]+", path.read_text("utf-8"))) - OF_THE_PROXY <= set(NAMES)


def test_every_command_is_one_of_ours_with_options_it_has() -> None:
    asked = commands()
    assert len(asked) >= 3
    for words in asked:
        command: Any = typer.main.get_command(program())
        while words and words[0] in getattr(command, "commands", {}):
            command, words = command.commands[words[0]], words[1:]
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, words


def test_whoever_stops_it_waits_for_the_requests_under_way() -> None:
    unit, compose = ((FOLDER / name).read_text("utf-8") for name in ("astrack.service", "compose.yaml"))
    stated = [int(re.findall(r"TimeoutStopSec=(\d+)", unit)[0])]
    stated.append(int(re.findall(r"stop_grace_period: (\d+)s", compose)[0]))
    assert all(one > listening.STOP_S for one in stated)


def test_the_service_runs_with_as_little_as_it_needs() -> None:
    unit = (FOLDER / "astrack.service").read_text("utf-8").splitlines()
    assert {"NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict", "User=astrack"} <= set(unit)
    compose = (FOLDER / "compose.yaml").read_text("utf-8")
    service = compose.partition("\n  astrack:\n")[2].partition("\n  proxy:\n")[0]
    assert "    read_only: true\n" in service and "    cap_drop: [ALL]\n" in service
    assert "ports:" not in service, "the proxy alone reaches it"
    assert re.search(r"^USER \d+$", (FOLDER / "Containerfile").read_text("utf-8"), re.MULTILINE)
