"""A mailbox from the command line: an invitation, a box, a card, a file sent and its receipt back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import ONE, Run, one_sentence, roster
from tests.support.mailboxes import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("served") / "mailbox").start()
    yield made
    made.kill()


@pytest.fixture
def two(here: Run, tmp_path: Path) -> tuple[str, str]:
    """Two schools that know each other's keys; the first has a pupil."""
    made = [here("school", "add", name, "--urn", urn, "--lea", "330", "--estab", "2345")[1] for name, urn in (
        ("Ash", "100001"), ("Beech", "100002"))]  # fmt: skip
    a, b = (re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", said)[0] for said in made)
    assert here("roster", "import", roster(tmp_path, ONE), "--school", a)[0] == 0
    for one, other in ((a, b), (b, a)):
        here("keys", "show", "--out", tmp_path, "--school", other)
        words = here("keys", "words", "--school", other)[1].strip()
        assert here("keys", "trust", tmp_path / f"{other}.keys", "--words", words, "--school", one)[0] == 0
    return a, b


def test_a_file_goes_by_mailbox_from_the_command_line(
    here: Run, served: Served, two: tuple[str, str], tmp_path: Path
) -> None:
    a, b = two
    for school in two:
        code = here("mailbox", "invite", "--dir", served.folder)[1].strip()
        assert here("mailbox", "join", served.address, "--invite", code, "--school", school)[0] == 0
    assert here("mailbox", "card", "--out", tmp_path, "--school", b)[0] == 0
    assert f"is in {served.address}" in here("mailbox", "know", tmp_path / f"{b}.card", "--school", a)[1]
    prepared = here(
        "transfer", "prepare", "Hartley", "--to", tmp_path / f"{b}.keys", "--accepted", "2026-09-01", "--start", "2026-09-02",
        "--out", tmp_path, "--school", a,
    )[1]  # fmt: skip
    transfer = json.loads(prepared)["transfers"][0]["transfer_id"]
    by = ("--by", "mailbox", served.address, "--school", a)
    assert here("transfer", "send", transfer, *by)[:2] == (0, f"{transfer} is in the box.\n")
    assert "a record of" in here("transfer", "collect", "--school", b)[1]
    assert "is with its receiver already" in here("transfer", "send", transfer, *by)[1]
    assert "acknowledged" in here("transfer", "collect", "--school", a)[1]
    assert "Nothing waits" in here("transfer", "collect", "--school", a)[1]


def test_a_file_goes_into_a_folder_and_is_sent(here: Run, two: tuple[str, str], tmp_path: Path) -> None:
    a, b = two
    prepared = here(
        "transfer", "prepare", "Hartley", "--to", tmp_path / f"{b}.keys", "--accepted", "2026-09-01", "--start", "2026-09-02",
        "--out", tmp_path, "--school", a,
    )[1]  # fmt: skip
    transfer = json.loads(prepared)["transfers"][0]["transfer_id"]
    assert here("transfer", "send", transfer, "--by", "folder", tmp_path / "stick", "--school", a)[0] == 0
    assert (tmp_path / "stick" / f"{transfer}.tar.age").exists()
    assert "sent" in here("transfer", "list", "--school", a)[1]


def test_what_cannot_be_sent_or_collected_is_one_sentence(here: Run, two: tuple[str, str]) -> None:
    a, _ = two
    nobody = "00000000-0000-7000-8000-000000000000"
    for command in (
        ("transfer", "collect", "--school", a),
        ("transfer", "send", nobody, "--by", "pigeon", "x", "--school", a),
        ("transfer", "send", nobody, "--by", "mailbox", "https://x", "--school", a),
        ("mailbox", "join", "http://mailbox.example", "--invite", "x", "--school", a),
        ("mailbox", "card", "--school", a),
    ):
        code, _, said = here(*command)
        assert code != 0
        assert one_sentence(said)
