"""Running commands as a school's office does, and the roster files they take in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

from astrack.store import Store

Run = Callable[..., tuple[int, str, str]]
ROSTER = """<?xml version="1.0" encoding="UTF-8"?>
<CTfile><Header><DocumentName>Common Transfer File</DocumentName><CTFversion>25.0</CTFversion>
<DateTime>2026-09-14T08:30:00</DateTime><DocumentQualifier>full</DocumentQualifier><DataDescriptor>CTF</DataDescriptor>
<SupplierID>TEST</SupplierID><SourceSchool><LEA>330</LEA><Estab>{estab}</Estab><SchoolName>Here</SchoolName>
<AcademicYear>2026</AcademicYear></SourceSchool><DestSchool><LEA>XXX</LEA><Estab>XXXX</Estab></DestSchool></Header>
<CTFpupilData>{pupils}</CTFpupilData></CTfile>"""
PUPIL = """<Pupil><UPN>{upn}</UPN><Surname>{surname}</Surname><Forename>{forename}</Forename><DOB>2017-11-03</DOB>
<Sex>F</Sex><BasicDetails><NCyearActual>4</NCyearActual></BasicDetails></Pupil>"""
ONE = PUPIL.format(upn="B801200005001", surname="Hartley", forename="Mabli")
TWO = PUPIL.format(upn="G204000011001", surname="Bevan", forename="Rhys")


def roster(tmp_path: Path, *pupils: str, estab: str = "2345") -> Path:
    path = tmp_path / f"{uuid4().hex}.xml"
    path.write_text(ROSTER.format(estab=estab, pupils="".join(pupils)))
    return path


def events(store: Store, school: str) -> int:
    return store.log(UUID(school)).size()


def one_sentence(said: str) -> bool:
    return bool(said.strip()) and "Traceback" not in said and len(said.strip().splitlines()) <= 2
