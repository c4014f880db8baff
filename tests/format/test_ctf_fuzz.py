"""Whatever bytes a CTF is turned into: read, or refused by name; never a crash, never a hang."""

from __future__ import annotations

import time
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.identity import SchoolName
from tests.support.mutating import QUIET, Edit, edits, mutated
from transfer import errors
from transfer.rosters import ctf

SEEDS = [
    b'<?xml version="1.0" encoding="UTF-8"?>\n<CTfile>\n<Header><CTFversion>25.0</CTFversion><DateTime>2026-09-14T08:30:00'
    b"</DateTime><DocumentQualifier>full</DocumentQualifier><SourceSchool><LEA>330</LEA><Estab>2345</Estab></SourceSchool>"
    b"</Header><CTFpupilData>\n<Pupil><UPN>B801200005001</UPN><Surname>Hartley</Surname><Forename>Mabli</Forename>"
    b"<DOB>2018-03-15</DOB><Sex>F</Sex><BasicDetails><FormerUPN>X823432109876</FormerUPN><PreferredForename>Mab"
    b"</PreferredForename><NCyearActual>4</NCyearActual></BasicDetails><Address><Town>Bangor</Town></Address></Pupil>\n"
    b"<Pupil><UPN>G204000011001</UPN><Surname>Rees</Surname><Forename>Gethin</Forename><DOB>2017-10-02</DOB></Pupil>"
    b"</CTFpupilData></CTfile>",
    b"<CTfile><Header><CTFversion>24</CTFversion><DocumentQualifier>partial</DocumentQualifier></Header><CTFpupilData>"
    b"<Pupil><Surname>\xc5\x81</Surname><Forename>O&apos;R</Forename><DOB>2018-02-28</DOB><Gender>M</Gender></Pupil>"
    b"</CTFpupilData></CTfile>",
]
HEADER = ctf.Header(
    SchoolName(school_id=UUID(int=1), name="Brook", lea="330", estab="2345"), None, datetime(2026, 9, 14)
)
PIECES = [
    b"<", b">", b"/", b"&", b"&amp;", b"&#0;", b"&#x10FFFF;", b"&x;", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?pi ", b"?>",
    b"<!DOCTYPE a [", b"<!ENTITY a 'b'>", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"xmlns='u'", b"xmlns:a='u'",
    b"<a:b>", b"</Pupil>", b"<Pupil>", b"<Pupil/>", b"<UPN/>", b"</CTFpupilData>", b"<Header/>", b"<CTfile>", b"2018-02-30",
    b"9999-12-31", b"0001-01-01", b"encoding='utf-16'", b"\xd9\xa1", b"<BasicDetails>", b"<NCyearActual>99</NCyearActual>", b"<a xmlns='u'/>",
    b"<Pupil xmlns:a='http://a.example/'>", b"<a xmlns:b=''/>", b"<b:a xmlns:b='urn:b' b:c='1'/>",
    b"<a>" * 60, b"x" * 600, b" " * 2000,
]  # fmt: skip

edit = edits(PIECES)


def read_or_refused(data: bytes) -> bool:
    began = time.perf_counter()
    try:
        roster = ctf.read(data)
    except errors.BadRoster:
        assert time.perf_counter() - began < 2
        return False
    for one in roster.pupils:
        ctf.read(ctf.write(HEADER, [(one.person, one.year_group)]))
    assert time.perf_counter() - began < 2
    return True


@settings(max_examples=2_000, **QUIET)
@given(st.sampled_from(SEEDS), st.lists(edit, min_size=1, max_size=6))
def test_two_thousand_mutated_files_are_read_or_refused_by_name(seed: bytes, edits: list[Edit]) -> None:
    read_or_refused(mutated(seed, edits))


@settings(max_examples=500, **QUIET)
@given(st.binary(max_size=400))
def test_any_bytes_at_all_are_refused_by_name(data: bytes) -> None:
    assert not read_or_refused(data)


@pytest.mark.long
@settings(max_examples=60_000, **QUIET)
@given(st.sampled_from(SEEDS), st.lists(edit, min_size=1, max_size=10))
def test_many_more_mutated_files_are_read_or_refused_by_name(seed: bytes, edits: list[Edit]) -> None:
    read_or_refused(mutated(seed, edits))
