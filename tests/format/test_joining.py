"""Two files of one pupil, from two schools: one story; what both hold proved the same, what contradicts shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from transfer import canonical, errors, joining, package, verdict, verify
from transfer.age import write_agekey

JO = {"forename": "Jo", "surname": "Maple", "date_of_birth": "2015-03-04", "upn": "B801200005001"}


def file_of(paper: SimpleNamespace, school: Any, stream: bytes, person: object = None) -> bytes:
    parts = paper.parts_of(school, stream)
    members = {**parts.members, package.IDENTITY: canonical.dump({"person": person})}
    return bytes(paper.build(school, parts.manifest, paper.members_of(replace(parts, members=members))))


def opened(paper: SimpleNamespace, school: Any, stream: bytes, person: object = None) -> package.Package:
    found: package.Package = paper.opened(file_of(paper, school, stream, person))
    return found


def record(paper: SimpleNamespace, school: Any, stream: bytes, number: int, text: str, at: str) -> None:
    fact = json.loads(paper.fact("journey.noted.v1", {"text": text}))
    fact |= {"event_id": f"00000000-0000-0000-0000-{number:012d}", "recorded_at": at}
    school.write(stream, json.dumps(fact).encode())


@pytest.fixture
def elm(paper: SimpleNamespace) -> Any:
    """A first school with three facts of Jo."""
    school = paper.School("elm")
    for number, text in enumerate(("enrolled", "sat", "released"), 1):
        record(paper, school, b"jo", number, text, f"2020-0{number}-01T08:00:00.000000Z")
    school.publish()
    return school


@pytest.fixture
def fir(paper: SimpleNamespace, elm: Any) -> Any:
    """A second school, which took those in and added one."""
    school = paper.School("fir")
    school.take_in(b"jo there", elm, b"jo")
    record(paper, school, b"jo there", 4, "enrolled", "2021-01-01T08:00:00.000000Z")
    school.publish()
    return school


@pytest.fixture
def gum(paper: SimpleNamespace) -> Any:
    """A third school, which knew nothing of them."""
    school = paper.School("gum")
    record(paper, school, b"jo else", 5, "enrolled", "2020-02-15T08:00:00.000000Z")
    school.publish()
    return school


def test_what_both_files_hold_stands_once_and_is_the_same(paper: SimpleNamespace, elm: Any, fir: Any) -> None:
    found = joining.join([opened(paper, elm, b"jo"), opened(paper, fir, b"jo there")])
    assert [part.files for part in found.parts] == [(0, 1), (0, 1), (0, 1), (1,)]
    assert found.shared == 3 and found.clashes == ()
    assert {part.fact.origin for part in found.parts} == {elm.origin, fir.origin}
    assert verdict.of_joined(found).ok


def test_two_histories_are_told_in_the_order_of_their_time(paper: SimpleNamespace, elm: Any, gum: Any) -> None:
    found = joining.join([opened(paper, elm, b"jo", JO), opened(paper, gum, b"jo else", JO)])
    assert [part.fact.origin for part in found.parts] == [elm.origin, elm.origin, gum.origin, elm.origin]
    assert found.shared == 0 and found.clashes == ()


def test_files_that_nothing_links_are_not_joined_unless_somebody_says_so(
    paper: SimpleNamespace, elm: Any, gum: Any
) -> None:
    twins = [opened(paper, elm, b"jo", JO), opened(paper, gum, b"jo else", {**JO, "forename": "Al"})]
    for files in (twins, [opened(paper, elm, b"jo", JO), opened(paper, gum, b"jo else")]):
        with pytest.raises(errors.Conflict, match="one pupil"):
            joining.join(files)
    assert len(joining.join(twins, same=True).parts) == 4


def test_a_person_stated_in_two_ways_is_shown_with_both(paper: SimpleNamespace, elm: Any, fir: Any) -> None:
    other = {**JO, "surname": "Birch", "upn": "X823432109876", "sex": "F"}
    found = joining.join([opened(paper, elm, b"jo", JO), opened(paper, fir, b"jo there", other)])
    assert [clash.what for clash in found.clashes] == ["who it is about: surname", "who it is about: upn"]
    assert found.clashes[0].sides == ('elm school: "Maple"', 'fir school: "Birch"')
    said = verdict.of_joined(found)
    assert not said.ok and "DOES NOT AGREE  who it is about: surname" in said.lines


def test_a_school_that_signed_two_logs_is_found_out(paper: SimpleNamespace, elm: Any, fir: Any) -> None:
    again = paper.School("elm")
    for number, text in enumerate(("enrolled", "was never here", "released"), 1):
        record(paper, again, b"jo", number, text, f"2020-0{number}-01T08:00:00.000000Z")
    again.publish()
    found = joining.join([opened(paper, again, b"jo"), opened(paper, fir, b"jo there")])
    assert len(found.parts) == 6  # the first, the fourth, and both of the second and third: none is chosen
    texts = [clash.what for clash in found.clashes]
    assert f"the log {elm.origin} was shown with two entries at index 1" in texts
    assert any("two different histories" in text for text in texts)
    assert any("was recorded twice" in text for text in texts)


def test_an_older_file_of_the_same_story_adds_nothing(paper: SimpleNamespace, elm: Any) -> None:
    older = opened(paper, elm, b"jo")
    record(paper, elm, b"jo", 9, "a late fact", "2020-09-01T08:00:00.000000Z")
    elm.publish()
    found = joining.join([opened(paper, elm, b"jo"), older])
    assert len(found.parts) == 4 and found.shared == 3 and not found.clashes


def test_one_file_alone_is_not_joined(paper: SimpleNamespace, elm: Any) -> None:
    with pytest.raises(errors.TooLarge):
        joining.join([opened(paper, elm, b"jo")])


def test_the_verifier_joins_the_files_of_one_pupil(
    paper: SimpleNamespace, elm: Any, fir: Any, gum: Any, tmp_path: Path
) -> None:
    (tmp_path / "our.agekey").write_text(write_agekey(paper.receiver))
    for name, school, stream in (("a.age", elm, b"jo"), ("b.age", fir, b"jo there")):
        (tmp_path / name).write_bytes(paper.sealed(file_of(paper, school, stream)))
    said: list[str] = []
    assert verify.main([str(tmp_path), "--join"], said.append) == verify.VERIFIED
    assert any("one story of 4 facts: 3 stand in more than one file" in line for line in said)
    (tmp_path / "c.age").write_bytes(paper.sealed(file_of(paper, gum, b"jo else")))
    assert verify.main([str(tmp_path), "--join"], said.append) == verify.REFUSED
    assert any("nothing in them says that they are of one pupil" in line for line in said)
    assert verify.main([str(tmp_path), "--join", "--same"], said.append) == verify.VERIFIED
    assert verify.main([str(tmp_path)], said.append) == verify.VERIFIED
