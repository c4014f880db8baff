"""From the raw texts of one pupil in a roster file to a pupil listed or held back; the same for every format."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from domain.background import NOTHING, Background
from domain.identity import Person
from domain.journey.facts import Group
from domain.naming import steers
from domain.pupil_number import BadPupilNumber, PupilNumber
from domain.roster import HeldBack, Listed
from transfer.errors import RosterTooLarge, TwoPupilsOneNumber

NAME_LENGTH_MAX = 100
CARRIED_BYTES_MAX = 500_000
FORMER_UPNS_MAX = 20
GROUPS_MAX = 100
PUPILS_MAX = 20_000
WARNINGS_MAX = 5_000
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
TAKE_OUT = "correct it in the MIS, then import the file again"


@dataclass(slots=True)
class Raw:
    """One pupil as the file has them: texts, not yet judged."""

    place: str
    texts: dict[str, str]
    former_upns: Sequence[str] = ()
    year_group: int | None = None
    groups: tuple[Group, ...] = ()
    background: Background = NOTHING
    leaving: bool = False
    carried: str = ""


@dataclass(slots=True)
class Listing:
    """The pupils of a file so far. Raises RosterTooLarge, TwoPupilsOneNumber while it grows."""

    pupils: list[Listed] = field(default_factory=list)
    held_back: list[HeldBack] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _places: dict[str, str] = field(default_factory=dict)

    def add(self, raw: Raw) -> None:
        """Judge one more pupil: one fault holds this pupil back and lets the others in."""
        if len(self.pupils) + len(self.held_back) >= PUPILS_MAX:
            raise RosterTooLarge(f"there are more than {PUPILS_MAX} pupils", raw.place)
        upn = raw.texts.get("upn", "").upper()
        self._claim(upn, raw.place)
        born = _date(raw.texts.get("date_of_birth", ""))
        why = _fault(raw, upn, born)
        if why or born is None:
            self.held_back.append(_held(raw, why, upn, born))
            return
        self.pupils.append(self._listed(raw, upn, born))

    def warn(self, place: str, text: str) -> None:
        """Something to show that stops nobody."""
        if len(self.warnings) < WARNINGS_MAX:
            self.warnings.append(f"{place}: {text}" if place else text)

    def _claim(self, upn: str, place: str) -> None:
        if upn in self._places:
            raise TwoPupilsOneNumber(f"the UPN is the same as that of {self._places[upn]}", place)
        if upn:
            self._places[upn] = place

    def _listed(self, raw: Raw, upn: str, born: date) -> Listed:
        texts = raw.texts
        person = Person(
            surname=texts["surname"], forename=texts["forename"], upn=upn or None, date_of_birth=born,
            preferred_forename=texts.get("preferred_forename", ""), middle_names=texts.get("middle_names", ""),
            former_upns=self._former(raw, upn), sex=self._sex(raw), carried=raw.carried,
        )  # fmt: skip
        return Listed(
            place=raw.place, person=person, year_group=raw.year_group, groups=raw.groups, background=raw.background,
            leaving=raw.leaving,
        )  # fmt: skip

    def _former(self, raw: Raw, upn: str) -> tuple[str, ...]:
        good = []
        for text in raw.former_upns[:FORMER_UPNS_MAX]:
            try:
                good.append(PupilNumber.parse(text).text)
            except BadPupilNumber:
                self.warn(raw.place, "a former UPN is not a valid one: it is not used to find the pupil")
        return tuple(dict.fromkeys(one for one in good if one != upn))

    def _sex(self, raw: Raw) -> str:
        sex = raw.texts.get("sex", "").upper()
        if len(sex) <= 1 and (not sex or sex in "FMUWX"):
            return sex
        self.warn(raw.place, "the code for sex is not one of F, M, U, W, X: left out")
        return ""


def _fault(raw: Raw, upn: str, born: date | None) -> str:
    """Why a pupil cannot be taken in, "" when nothing is wrong."""
    for name, label in (("surname", "surname"), ("forename", "first name")):
        if not raw.texts.get(name):
            return f"there is no {label}: {TAKE_OUT}"
    if born is None:
        return f"the date of birth is missing or is no date (YYYY-MM-DD): {TAKE_OUT}"
    for text in raw.texts.values():
        if len(text) > NAME_LENGTH_MAX or any(map(steers, text)):
            return (f"a name is over {NAME_LENGTH_MAX} characters, or holds control characters or marks that turn the "
                    f"direction of writing: {TAKE_OUT}")  # fmt: skip
    if len(raw.carried.encode()) > CARRIED_BYTES_MAX:
        return f"the pupil's other details are over {CARRIED_BYTES_MAX} bytes: {TAKE_OUT}"
    return _number_fault(upn) or _group_fault(raw)


def _number_fault(upn: str) -> str:
    try:
        PupilNumber.parse(upn or "B801200005001")
    except BadPupilNumber as error:
        return f"{error}, or take it out of the file, then import the file again"
    return ""


def _group_fault(raw: Raw) -> str:
    return f"the pupil is in more than {GROUPS_MAX} groups: {TAKE_OUT}" if len(raw.groups) > GROUPS_MAX else ""


def _held(raw: Raw, why: str, upn: str, born: date | None) -> HeldBack:
    texts: dict[str, Any] = {name: raw.texts.get(name, "")[:NAME_LENGTH_MAX] for name in ("surname", "forename")}
    return HeldBack(place=raw.place, why=why, born=born, upn=upn[:13] or None, **texts)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if DATE.fullmatch(text) else None
    except ValueError:
        return None
