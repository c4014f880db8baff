"""Which pupil of this school a roster means: by UPN, by a former UPN, else by the same name and date of birth."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from domain.background import NOTHING, Background
from domain.identity import Person
from domain.journey.facts import Group
from domain.journey.state import Custody

BY_FORMER_UPN = "matched by a former UPN: check that it is the same pupil"
BY_NAME = "matched by name and date of birth, not by UPN: check that it is the same pupil"


@dataclass(frozen=True, slots=True)
class Known:
    """A pupil this school has a record of. ``on_roll``: enrolled here and not left."""

    pupil_id: UUID
    person: Person
    year_group: int | None
    groups: tuple[Group, ...]
    on_roll: bool
    custody: Custody
    background: Background = NOTHING


@dataclass(frozen=True, slots=True)
class Match:
    """``pupil``: who is meant, None for nobody known; ``note``: a doubt to show; ``problem``: why not to decide it."""

    pupil: Known | None = None
    note: str = ""
    problem: str = ""
    touches: frozenset[UUID] = frozenset()


Pupils = dict[UUID, Known]


def _listing() -> defaultdict[str, Pupils]:
    return defaultdict(dict)


@dataclass(slots=True)
class Index:
    """The pupils known, findable by what a roster says of them."""

    upns: defaultdict[str, Pupils] = field(default_factory=_listing)
    former: defaultdict[str, Pupils] = field(default_factory=_listing)
    names: defaultdict[str, Pupils] = field(default_factory=_listing)

    @classmethod
    def of(cls, known: Iterable[Known]) -> Index:
        """Index every pupil."""
        index = cls()
        for one in known:
            person = one.person
            index.names[name_key(person.surname, person.forename, person.date_of_birth)][one.pupil_id] = one
            if person.upn:
                index.upns[person.upn][one.pupil_id] = one
            for upn in person.former_upns:
                index.former[upn][one.pupil_id] = one
        return index

    def match(self, person: Person) -> Match:
        """Who is meant by a person of a roster. Twins and namesakes are never merged: doubt is a problem."""
        numbered = self._by_numbers(person)
        if len(numbered) > 1:
            return _problem(
                "the UPNs point to two pupils of this school: settle on their pages which is whose", numbered
            )
        if numbered:
            one = next(iter(numbered.values()))
            return self._numbered(one, person)
        return self._named(person)

    def touched(self, surname: str, forename: str, born: date | None, upn: str | None) -> frozenset[UUID]:
        """Everyone a listed pupil could be who was held back: none of them has left."""
        numbered = [*self.upns.get(upn or "", {}), *self.former.get(upn or "", {})]
        return frozenset([*numbered, *self.names.get(name_key(surname, forename, born), {})])

    def _by_numbers(self, person: Person) -> Pupils:
        found: Pupils = {}
        if person.upn:
            found |= self.upns.get(person.upn, {}) | self.former.get(person.upn, {})
        for upn in person.former_upns:
            found |= self.upns.get(upn, {}) | self.former.get(upn, {})
        return found

    def _numbered(self, one: Known, person: Person) -> Match:
        if _strangers(one.person, person):
            here = {one.pupil_id: one}
            return _problem(
                "the UPN belongs here to a pupil of another name and date of birth: one of the two is wrong", here
            )
        same = person.upn is not None and one.person.upn == person.upn
        return Match(one, "" if same else BY_FORMER_UPN, touches=frozenset([one.pupil_id]))

    def _named(self, person: Person) -> Match:
        found = self.names.get(name_key(person.surname, person.forename, person.date_of_birth), {})
        if not found:
            return Match()
        if len(found) > 1:
            return _problem("several pupils here have this name and date of birth: put the UPN in the file", found)
        one = next(iter(found.values()))
        if permanent(one.person.upn) and permanent(person.upn):
            return _problem("a pupil here has this name and date of birth but another UPN: amend the UPN on their page "
                            "if it is the same pupil, or admit this one by hand", found)  # fmt: skip
        note = BY_NAME if person.upn or one.person.upn else BY_NAME.replace(", not by UPN", " (no UPN)")
        return Match(one, note, touches=frozenset(found))


def name_key(surname: str, forename: str, born: date | None) -> str:
    """One text for one name and date of birth, however it is capitalised, spaced or composed."""
    return f"{folded(surname)}\n{folded(forename)}\n{born}"


def _problem(why: str, pupils: Pupils) -> Match:
    return Match(problem=why, touches=frozenset(pupils))


def _strangers(here: Person, listed: Person) -> bool:
    names_differ = folded(here.surname) != folded(listed.surname) and folded(here.forename) != folded(listed.forename)
    return here.date_of_birth != listed.date_of_birth and names_differ


def folded(name: str) -> str:
    """A name as it is compared: capitals, runs of spaces and the way accents are composed do not count."""
    return unicodedata.normalize("NFC", " ".join(name.split())).casefold()


def permanent(upn: str | None) -> bool:
    """Whether there is a UPN and it is not a temporary one (which ends in a letter)."""
    return bool(upn) and not f"{upn}"[-1].isalpha()
