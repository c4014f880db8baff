"""Commands that cannot end well: each says so in one sentence, and leaves nothing made or half-written."""

from __future__ import annotations

import json
import os
import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from astrack import roster as rosters
from astrack.app import App
from astrack.cli.common import asking
from astrack.handover import Handover
from astrack.records import Records
from astrack.settings import NAMES, Settings
from astrack.store import BadSetting, Store, StoreUnavailable
from astrack.store.embedded import Embedded
from domain.identity import SchoolName
from tests.support.command import ONE, PUPIL, TWO, Run, events, one_sentence, roster
from transfer import verify as verifying


class Pair(NamedTuple):
    """Two schools, the key document of the second in a file, and its desk."""

    first: str
    second: str
    keys: Path
    desk: Handover


ODD = "Ruby [/b]"
TURNED = "Ruby \u202egnihton"


@pytest.fixture
def school(here: Run) -> str:
    """The id of a school of this test's own, whose name looks like markup."""
    code, out, _ = here("school", "add", f"{ODD} {uuid4().hex[:6]}", "--lea", "330", "--estab", "2345")
    assert code == 0
    return str(json.loads(out)["school_id"])


@pytest.fixture
def other(here: Run) -> str:
    """A second school."""
    return str(json.loads(here("school", "add", f"Hill {uuid4().hex[:6]}")[1])["school_id"])


@pytest.fixture(scope="module")
def pair(running: App, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Two schools that know each other's keys, with four pupils at the first; the tests of this file share them."""
    desks = [Handover(registered(running)) for _ in range(2)]
    records, folder = desks[0].records, tmp_path_factory.mktemp("pair")
    pupils = [PUPIL.format(upn="", surname=name, forename="Mabli") for name in ("Elm", "Oak", "Ash", "Yew")]
    plan = rosters.plan(records, roster(folder, *pupils).read_bytes(), running.clock().date())
    rosters.apply(records, asking(), plan)
    for one, there in (desks, desks[::-1]):
        one.trust(asking(), there.key_document(), words=there.key_words())
    (folder / "other.keys").write_bytes(desks[1].key_document())
    return Pair(str(records.school_id), str(desks[1].records.school_id), folder / "other.keys", desks[1])


def registered(app: App) -> Records:
    school_id = uuid4()
    records = app.create_school(school_id)
    records.register_school(asking(), SchoolName(school_id=school_id, name=f"Dale {school_id.hex[:6]}"))
    return records


def prepare(run: Run, pair: Pair, out: Path, who: str) -> tuple[int, str, str]:
    return run("transfer", "prepare", who, "--to", pair.keys, "--accepted", "2026-06-01", "--start", "2026-09-01",
               "--school", pair.first, "--out", out)  # fmt: skip


READING = ["verify", "check-store", "school list", "pupil list", "rebuild", "rotate-root-key", "keys show",
           "backup --record {0} --keys {0}", "audit bundle"]  # fmt: skip


@pytest.mark.parametrize("command", READING)
def test_a_database_that_is_not_there_is_not_made_by_looking(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    monkeypatch.setenv("ASTRACK_HOME", str(tmp_path / "fresh"))
    code, out, said = run(*command.format(tmp_path / "kept").split())
    assert code == 7 and not out and one_sentence(said)
    assert str(tmp_path / "fresh") in said and "astrack school add" in said
    assert not (tmp_path / "fresh").exists() and not (tmp_path / "kept").exists()


@pytest.mark.parametrize("name", ['no;such"x', "postgres"])
def test_a_database_of_another_name_is_neither_made_nor_called_sound(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("ASTRACK_DATABASE", name)
    for _ in range(2):
        code, out, said = run("verify")
        assert code == 7 and not out and name in said and one_sentence(said)


def test_a_database_of_ones_own_without_records_is_not_called_sound(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTRACK_DATABASE_URL", Embedded(settings.home).conninfo(database="postgres"))
    code, _, said = run("verify")
    assert code == 7 and "database postgres holds no records" in said and one_sentence(said)


def test_without_a_school_there_is_nothing_to_verify(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = replace(settings, database=f"none_{uuid4().hex[:8]}")
    Store.open(own).close()
    monkeypatch.setenv("ASTRACK_DATABASE", own.database)
    for command in ("verify", "check-store", "pupil list"):
        code, _, said = run(*command.split())
        assert code == 3 and "astrack school add" in said and one_sentence(said), command


@pytest.mark.parametrize("command", ["verify", "school list", "school add New"])
def test_no_root_key_is_drawn_beside_a_database_that_has_one(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    key = tmp_path / "mistyped.key"
    monkeypatch.setenv("ASTRACK_ROOT_KEY_FILE", str(key))
    code, _, said = run(*command.split())
    assert code == 7 and str(key) in said and one_sentence(said)
    assert not key.exists()


def test_a_root_key_is_drawn_for_an_empty_database_alone(settings: Settings, store: Store, tmp_path: Path) -> None:
    own = replace(settings, database=f"first_{uuid4().hex[:8]}", root_key_file=tmp_path / "root.key")
    Store.open(own).close()
    assert (tmp_path / "root.key").exists()
    with pytest.raises(BadSetting, match="put it back"):
        Store.open(replace(own, root_key_file=tmp_path / "another.key"))


def test_a_root_key_that_others_may_read_gets_a_warning(here: Run, settings: Settings, school: str) -> None:
    settings.root_key_path.chmod(0o644)
    try:
        code, _, said = here("school", "list")
    finally:
        settings.root_key_path.chmod(0o600)
    assert code == 0 and said.count("Warning") == 1 and "chmod 600" in said


def test_another_root_key_is_told_once(run: Run, running: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "wrong.key").write_text("00" * 32)
    (tmp_path / "wrong.key").chmod(0o600)
    monkeypatch.setenv("ASTRACK_ROOT_KEY_FILE", str(tmp_path / "wrong.key"))
    code, out, said = run("verify", "--school", registered(running).school_id)
    assert code != 0 and (out + said).count("key does not open") == 1


@pytest.mark.parametrize("command", ["keys show", "audit bundle", "report --since 2026-09-01 --until 2026-10-01"])
def test_a_file_where_a_folder_should_be_is_told_before_anything_is_done(
    here: Run, store: Store, school: str, tmp_path: Path, command: str
) -> None:
    (tmp_path / "f").touch()
    before = events(store, school)
    code, _, said = here(*command.split(), "--out", tmp_path / "f", "--school", school)
    assert code == 2 and str(tmp_path / "f") in said and one_sentence(said)
    assert events(store, school) == before and [one.name for one in tmp_path.iterdir()] == ["f"]


def test_a_backup_into_a_file_is_refused(here: Run, school: str, tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    code, _, said = here("backup", "--record", tmp_path / "f", "--keys", tmp_path / "keys")
    assert code == 7 and str(tmp_path / "f") in said and one_sentence(said)


def test_a_transfer_is_prepared_only_where_its_file_can_be_written_and_is_written_again(
    here: Run, store: Store, pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f").touch()
    before = events(store, pair.first)
    code, _, said = prepare(here, pair, tmp_path / "f", "Elm")
    assert code == 2 and one_sentence(said) and events(store, pair.first) == before

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        code, _, said = prepare(here, pair, tmp_path / "out", "Elm")
    found = re.search(r"astrack transfer file (\S+) --out", said)
    assert code == 2 and found and "No space left" in said and one_sentence(said)
    assert not list((tmp_path / "out").iterdir())
    for place in ("out", "again"):
        assert here("transfer", "file", found[1], "--out", tmp_path / place, "--school", pair.first)[0] == 0
    written = [next(iter((tmp_path / place).iterdir())).read_bytes() for place in ("out", "again")]
    assert written[0] == written[1]
    code, _, said = here("transfer", "file", uuid4(), "--school", pair.first)
    assert code == 3 and one_sentence(said)


def test_a_command_that_may_have_been_done_shows_the_key_to_repeat_it_by(
    here: Run, school: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []

    def lost(_: Records, ask: Any, **__: Any) -> None:
        keys.append(ask.key)
        raise StoreUnavailable("the database does not answer: repeat with the same idempotency key")

    monkeypatch.setattr(Records, "open_round", lost)
    code, _, said = here("round", "open", "Autumn", "--opens", "2026-11-02", "--closes", "2026-11-13", "--years", "4",
                        "--school", school)  # fmt: skip
    assert code == 7 and f"--key {keys[0]}" in said and one_sentence(said)


def test_names_that_look_like_markup_are_shown_as_they_are(here: Run, school: str, tmp_path: Path) -> None:
    odd = PUPIL.format(upn="B801200005001", surname="Hartley [/b]", forename=":smile: [red]")
    assert here("roster", "import", roster(tmp_path, odd), "--school", school)[0] == 0
    assert here("staff", "add", ODD, "--school", school)[0] == 0
    assert here("round", "open", ODD, "--opens", "2026-11-02", "--closes", "2026-11-13", "--years", "4",
               "--school", school)[0] == 0  # fmt: skip
    for command, shown in (("pupil list", ":smile: [red] Hartley [/b]"), ("staff list", ODD), ("round list", ODD),
                           ("school list", ODD)):  # fmt: skip
        code, out, said = here(*command.split(), *(() if command == "school list" else ("--school", school)))
        assert code == 0 and shown in out, said


def test_marks_that_turn_the_writing_are_refused_in_names_and_shown_as_escapes(
    here: Run, school: str, store: Store, tmp_path: Path
) -> None:
    before = events(store, school)
    for command in (("school", "add", TURNED), ("staff", "add", TURNED, "--school", school)):
        code, _, said = here(*command)
        assert code == 2 and "cannot be seen" in said and one_sentence(said)
    path = roster(tmp_path, PUPIL.format(upn="B801200005001", surname="Hartley", forename=TURNED))
    code, out, said = here("roster", "import", path, "--school", school)
    assert code == 3 and "turn the direction" in out and "Ruby \\u202egnihton" in out and "\u202e" not in out + said
    assert events(store, school) == before


NONSENSE = [
    ("ASTRACK_DATABASE_URL", "nonsense:secret"), ("ASTRACK_DATABASE_URL", "mysql://a:secret@b/c"),
    ("ASTRACK_DATABASE_URL", "postgresql://a:secret@127.0.0.1:1/none"), ("ASTRACK_HOME", "/dev/null"),
    ("ASTRACK_HOME", "/proc/x"), ("ASTRACK_ROOT_KEY_FILE", "/tmp"), ("ASTRACK_POOL_SIZE", "many"),
]  # fmt: skip


@pytest.mark.parametrize("command", ["verify", "school add New"])
@pytest.mark.parametrize(("name", "value"), NONSENSE)
def test_settings_that_make_no_sense_get_one_sentence_without_secrets(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, command: str
) -> None:
    monkeypatch.setenv(name, value)
    code, out, said = run(*command.split())
    assert code in (2, 7) and not out and one_sentence(said) and "secret" not in said
    assert name in said or value in said


def test_a_database_that_is_down_is_named_with_what_to_check(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRACK_DATABASE_URL", "postgresql://someone:secret@127.0.0.1:1/records")
    _, _, said = run("verify")
    assert "127.0.0.1, port 1, database records" in said and "nothing listens there" in said
    assert "idempotency" not in said and "someone" not in said


@pytest.mark.parametrize("error", [RuntimeError("Ruby Hartley"), OSError(28, "No space left on device", "/x")])
def test_an_error_of_our_own_gets_one_sentence_and_no_words_of_its_own(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(App, "open", broken)
    code, _, said = run("school", "list")
    assert code == 1 and one_sentence(said) and "Ruby" not in said
    if isinstance(error, OSError):
        assert "/x: No space left" in said
    else:
        kept = (settings.home / "errors.log").read_text()
        assert "RuntimeError" in kept and "Ruby" not in kept and kept.split()[0] in said


def test_ids_are_whole_on_any_screen(here: Run, school: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    code, out, _ = here("school", "list")
    assert code == 0 and re.search(rf"^{school} .*Ruby", out, re.MULTILINE)


@pytest.mark.parametrize("given", [("",), ("  ",), ("x" * 101,), ("A", "--urn", "abc"), ("A", "--urn", "12345"),
                                   ("A", "--lea", "12"), ("A", "--estab", "12345")])  # fmt: skip
def test_a_school_without_a_name_or_with_wrong_numbers_is_not_begun(
    here: Run, store: Store, given: tuple[str, ...]
) -> None:
    before = store.schools()
    code, _, said = here("school", "add", *given)
    assert code == 2 and one_sentence(said)
    assert store.schools() == before


def test_pipes_and_devices_are_not_waited_for(
    here: Run, school: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe.tar")
    (tmp_path / "endless.tar").symlink_to("/dev/zero")
    for name in ("pipe.tar", "endless.tar"):
        code, _, said = here("roster", "import", tmp_path / name, "--school", school)
        assert code == 2 and "no regular file" in said and one_sentence(said)
        assert verifying.main([str(tmp_path / name)]) == verifying.REFUSED
        assert "no regular file" in capsys.readouterr().out
    assert verifying.main([str(tmp_path), "--trust", str(tmp_path / "pipe.tar")]) == verifying.USAGE


def test_a_file_under_another_ones_name_is_refused(
    here: Run, pair: Pair, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    for who in ("Oak", "Ash"):
        assert prepare(here, pair, out, who)[0] == 0
    for path in list(out.glob("*.tar.age")):
        assert here("transfer", "receive", path, "--school", pair.second, "--out", out)[0] == 0
    (out / "summary.json").write_text("{}")
    identity = tmp_path / "own.agekey"
    identity.write_text(pair.desk.identity_file())
    given = [str(out), "--identity", str(identity)]
    assert verifying.main(given) == verifying.VERIFIED
    assert "summary.json: not a file of this kind, not looked at" in capsys.readouterr().out
    for kind in ("*.tar.age", "*.receipt"):
        one, two = out.glob(kind)
        one.rename(out / "aside")
        two.rename(one)
        (out / "aside").rename(two)
        assert verifying.main(given) == verifying.REFUSED
        said = capsys.readouterr().out
        assert said.count("its name says") == (2 if kind == "*.tar.age" else 4)


def test_a_receipt_of_ones_own_is_told_where_it_belongs(here: Run, store: Store, pair: Pair, tmp_path: Path) -> None:
    assert prepare(here, pair, tmp_path, "Yew")[0] == 0
    sealed = next(iter(tmp_path.glob("*.tar.age")))
    assert here("transfer", "receive", sealed, "--school", pair.second, "--out", tmp_path)[0] == 0
    before = events(store, pair.second)
    code, _, said = here("transfer", "acknowledge", next(iter(tmp_path.glob("*.receipt"))), "--school", pair.second)
    assert code == 6 and "the school that the file came from" in said and "Ring" not in said and one_sentence(said)
    assert events(store, pair.second) == before


def test_keys_without_their_words_say_how_to_give_them(here: Run, school: str, other: str, tmp_path: Path) -> None:
    assert here("keys", "show", "--school", other, "--out", tmp_path)[0] == 0
    code, _, said = here("keys", "trust", tmp_path / f"{other}.keys", "--school", school)
    assert code == 6 and "--words" in said and one_sentence(said)


@pytest.mark.parametrize(("arguments", "shown"), [
    ("nonsense", "No such command 'nonsense': see `astrack --help`"),
    ("replay Hartley", "Missing option '--as-of': see `astrack replay --help`"),
    ("serve --port 99999", "'--port'"),
    ("replay Hartley --as-of 2999-01-01", "a day to come"),
    ("roster", ""),
])  # fmt: skip
def test_wrong_usage_is_told_in_one_plain_sentence(here: Run, school: str, arguments: str, shown: str) -> None:
    code, _, said = here(*arguments.split(), *(["--school", school] if "2999" in arguments else []))
    assert code == 2 and (shown in said if shown else said == "") and ".:" not in said


def test_a_port_in_use_is_told_before_the_service_says_it_is_ready(here: Run, school: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, out, said = here("serve", "--port", taken.getsockname()[1])
    assert code == 2 and not out and "already in use" in said and one_sentence(said)


def test_before_a_pupil_was_enrolled_a_replay_says_so(here: Run, school: str, tmp_path: Path) -> None:
    assert here("roster", "import", roster(tmp_path, ONE), "--school", school)[0] == 0
    code, out, _ = here("replay", "Hartley", "--as-of", "2020-01-01", "--school", school)
    assert code == 0 and "Not enrolled then" in out and "None" not in out and "nobody" not in out


def test_a_dry_run_ends_with_the_code_of_the_import(here: Run, school: str, tmp_path: Path) -> None:
    path = roster(tmp_path, ONE.replace("B801200005001", "A801200005001"), TWO)
    codes = [here("roster", "import", path, "--school", school, *dry)[0] for dry in (("--dry-run",), ())]
    assert codes == [3, 3]


def test_verifying_takes_witnesses(here: Run, school: str, tmp_path: Path) -> None:
    assert here("audit", "bundle", "--out", tmp_path, "--school", school)[0] == 0
    bundle = next(iter(tmp_path.glob("*.tar")))
    (tmp_path / "witnesses").write_text("# nobody yet\n")
    code, out, _ = here("verify", bundle, "--witness", tmp_path / "witnesses")
    assert code == 0 and "verified" in out


def test_every_setting_that_is_read_is_described_once() -> None:
    source = Path("astrack/settings.py").read_text().partition("def from_environment")[2]
    page = Path("docs/reference/settings.md").read_text()
    assert set(re.findall(r"ASTRACK_[A-Z_]+", source)) == set(NAMES)
    assert all(page.count(f"`{name}`:") == 1 for name in NAMES)
