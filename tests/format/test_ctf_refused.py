"""Each fault of a Common Transfer File, and the refusal it meets."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from transfer import errors
from transfer.rosters import ctf

HEAD = b"<Header><CTFversion>25.0</CTFversion><DocumentQualifier>full</DocumentQualifier></Header>"
PUPIL = (
    b"<Pupil><UPN>B801200005001</UPN><Surname>Hartley</Surname><Forename>Mabli</Forename><DOB>2018-03-15</DOB></Pupil>"
)
GOOD = b"<CTfile>\n" + HEAD + b"\n<CTFpupilData>\n" + PUPIL + b"\n</CTFpupilData>\n</CTfile>"
BOMB = b'<?xml version="1.0"?>\n<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">%s]>\n' % b"".join(
    b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10 if n else b"&a;") for n in range(12)
)
OUTSIDE = b'<!DOCTYPE CTfile [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n'


def changed(old: bytes, new: bytes) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new)


FAULTS: list[tuple[str, bytes, type[errors.TransferRefused]]] = [
    ("an empty file", b"", errors.EmptyRoster),
    ("white space only", b" \r\n\t", errors.EmptyRoster),
    ("no pupil", changed(PUPIL, b""), errors.EmptyRoster),
    ("not XML", b"Surname,Forename\nHartley,Mabli\n", errors.BrokenRoster),
    ("cut short", GOOD[:-20], errors.BrokenRoster),
    ("cut in a tag", GOOD[:150], errors.BrokenRoster),
    ("tags that do not match", changed(b"</Surname>", b"</Forename>"), errors.BrokenRoster),
    ("data after the end", GOOD + b"<CTfile/>", errors.BrokenRoster),
    ("an undefined entity", changed(b"Mabli", b"Mabli&eacute;"), errors.BrokenRoster),
    ("bytes that are not UTF-8", changed(b"Mabli", b"Mabli\xe9"), errors.BrokenRoster),
    ("a character XML forbids", changed(b"Mabli", b"Mabli&#1;"), errors.BrokenRoster),
    ("an entity bomb", BOMB + changed(b"Mabli", b"&a11;"), errors.ForbiddenMarkup),
    ("an outside entity", OUTSIDE + changed(b"Mabli", b"&x;"), errors.ForbiddenMarkup),
    ("a document type alone", b"<!DOCTYPE CTfile>" + GOOD, errors.ForbiddenMarkup),
    ("another root", b"<html></html>", errors.NotARoster),
    ("a namespaced root", changed(b"<CTfile>", b'<CTfile xmlns="urn:x">'), errors.NotARoster),
    ("no header", changed(HEAD, b""), errors.NotARoster),
    ("UTF-16", GOOD.decode().encode("utf-16"), errors.NotARoster),
    ("UTF-7", b'<?xml version="1.0" encoding="UTF-7"?>' + GOOD, errors.NotARoster),
    ("UTF-7 declared far away", b'<?xml version="1.0"' + b" " * 500 + b'encoding="UTF-7"?>' + GOOD, errors.NotARoster),
    ("version 23", changed(b"25.0", b"23.0"), errors.UnknownRosterVersion),
    ("no version", changed(b"<CTFversion>25.0</CTFversion>", b""), errors.UnknownRosterVersion),
    ("two pupils with one UPN", changed(PUPIL, PUPIL + PUPIL.replace(b"Mabli", b"Carys")), errors.TwoPupilsOneNumber),
    ("too deep", changed(PUPIL, b"<Pupil>" + b"<a>" * 40 + b"</a>" * 40 + b"</Pupil>"), errors.RosterTooLarge),
    ("too many elements in a pupil", changed(b"</Pupil>", b"<a/>" * 20_001 + b"</Pupil>"), errors.RosterTooLarge),
    ("too many elements beside the pupils", changed(HEAD, HEAD + b"<a/>" * 2_001), errors.RosterTooLarge),
    (
        "too many attributes",
        changed(b"<Pupil>", b"<Pupil %s>" % b" ".join(b'a%d="1"' % n for n in range(101))),
        errors.RosterTooLarge,
    ),
    (
        "a tag of very many attributes",
        changed(b"<Pupil>", b"<Pupil %s>" % b" ".join(b'a%d="1"' % n for n in range(3000))),
        errors.RosterTooLarge,
    ),
    ("a namespace that is no address", changed(b"<DOB>", b'<a xmlns="b"/><DOB>'), errors.BrokenRoster),
    ("too long a text", changed(b"Mabli", b"M" * 20_001), errors.RosterTooLarge),
]


@pytest.mark.parametrize(("fault", "data", "refusal"), FAULTS, ids=[name for name, _, _ in FAULTS])
def test_a_fault_meets_its_refusal(fault: str, data: bytes, refusal: type[errors.TransferRefused]) -> None:
    with pytest.raises(refusal) as refused:
        ctf.read(data)
    assert isinstance(refused.value, errors.BadRoster)
    text = str(refused.value)
    assert "Mabli" not in text
    assert "B801200005001" not in text
    assert text.endswith(".")
    assert refused.value.where


def test_the_good_file_the_faults_are_made_from_is_read() -> None:
    assert len(ctf.read(GOOD).pupils) == 1


def test_a_refusal_names_the_line() -> None:
    with pytest.raises(errors.TwoPupilsOneNumber, match=r"pupil 2 \(line 5\).*pupil 1 \(line 4\)"):
        ctf.read(changed(PUPIL, PUPIL + b"\n" + PUPIL))


def test_a_file_over_the_size_limit_is_refused_before_it_is_parsed() -> None:
    began = time.perf_counter()
    with pytest.raises(errors.RosterTooLarge):
        ctf.read(GOOD + b" " * ctf.BYTES_MAX)
    assert time.perf_counter() - began < 1


def test_an_entity_bomb_is_refused_at_once() -> None:
    began = time.perf_counter()
    with pytest.raises(errors.ForbiddenMarkup):
        ctf.read(BOMB + GOOD)
    assert time.perf_counter() - began < 0.5


def test_no_file_of_this_machine_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do-not-read")
    data = b'<!DOCTYPE CTfile SYSTEM "%s">' % str(secret).encode() + GOOD
    with pytest.raises(errors.ForbiddenMarkup) as refused:
        ctf.read(data)
    assert "do-not-read" not in str(refused.value)


HELD = [
    ("a wrong check letter", changed(b"B801200005001", b"A801200005001"), "check letter"),
    ("no UPN form", changed(b"B801200005001", b"12345"), "eleven digits"),
    ("no surname", changed(b"<Surname>Hartley</Surname>", b""), "no surname"),
    ("no first name", changed(b"Mabli", b"  "), "no first name"),
    ("30 February", changed(b"2018-03-15", b"2018-02-30"), "date of birth"),
    ("no date of birth", changed(b"<DOB>2018-03-15</DOB>", b""), "date of birth"),
    ("a week date", changed(b"2018-03-15", b"2018-W10-1"), "date of birth"),
    ("a very long name", changed(b"Mabli", b"M" * 101), "100 characters"),
]


@pytest.mark.parametrize(("fault", "data", "why"), HELD, ids=[name for name, _, _ in HELD])
def test_a_fault_of_one_pupil_holds_back_that_pupil_alone(fault: str, data: bytes, why: str) -> None:
    other = b"<Pupil><UPN>X823432109876</UPN><Surname>Rees</Surname><Forename>Gethin</Forename><DOB>2017-10-02</DOB></Pupil>"
    roster = ctf.read(data.replace(b"</CTFpupilData>", other + b"</CTFpupilData>"))
    assert [one.person.surname for one in roster.pupils] == ["Rees"]
    assert [one.place for one in roster.held_back] == ["pupil 1 (line 4)"]
    assert why in roster.held_back[0].why


def test_a_qualifier_nobody_knows_is_partial_with_a_warning() -> None:
    roster = ctf.read(changed(b">full<", b">everything<"))
    assert not roster.full
    assert any("partial" in warning for warning in roster.warnings)


def test_a_wrong_former_upn_is_carried_and_warned_about() -> None:
    roster = ctf.read(
        changed(b"</Pupil>", b"<BasicDetails><FormerUPN>A801200005001</FormerUPN></BasicDetails></Pupil>")
    )
    assert roster.pupils[0].person.former_upns == ()
    assert "A801200005001" in roster.pupils[0].person.carried
    assert any("former UPN" in warning for warning in roster.warnings)
