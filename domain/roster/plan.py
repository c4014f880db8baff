"""Drawing up the plan of a roster: what it says, beside what is on record, becomes joiners, changes and leavers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from domain.background import NOTHING, WATCHABLE, Background
from domain.identity import Person, SchoolName
from domain.journey.facts import Group
from domain.journey.state import Custody
from domain.roster import Changed, FieldChange, HeldBack, Joiner, Leaver, Listed, Roster, RosterPlan, describe
from domain.roster.matching import Index, Known, Match, name_key, permanent
from domain.school_year import NotYetBorn, academic_year, age_years, year_group_warning, year_name

HANDED_OVER = (Custody.FROZEN, Custody.RELEASED)
AGE_MIN, AGE_MAX = 2, 25
"""Years of age at which a pupil can be on roll, nursery classes and special schools included."""
FIELD_NAMES = {
    "surname": "surname",
    "forename": "first name",
    "preferred_forename": "preferred first name",
    "middle_names": "middle names",
    "upn": "UPN",
    "former_upns": "former UPNs",
    "date_of_birth": "date of birth",
    "sex": "sex",
    "carried": "other details, kept to be handed on",
}


@dataclass(slots=True)
class _Draft:
    """The plan being drawn up."""

    roster: Roster
    on: date
    new: list[Joiner] = field(default_factory=list)
    returning: list[Joiner] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    unchanged: list[UUID] = field(default_factory=list)
    leaving: set[UUID] = field(default_factory=set)
    seen: set[UUID] = field(default_factory=set)
    held_back: list[HeldBack] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def hold(self, listed: Listed, why: str) -> None:
        person = listed.person
        self.held_back.append(
            HeldBack(place=listed.place, why=why, surname=person.surname, forename=person.forename,
                     born=person.date_of_birth, upn=person.upn)
        )  # fmt: skip

    def warn(self, place: str, text: str) -> None:
        self.warnings.append(f"{place}: {text}" if place else text)


def draw_up(roster: Roster, known: Iterable[Known], school: SchoolName | None, on: date) -> RosterPlan:
    """What taking in ``roster`` for day ``on`` would change among the pupils ``known`` here. Decides nothing in doubt.

    UPN first, then a former UPN, then the same name and date of birth with a warning. Only a full roster of this very
    school makes leavers, of those on roll whom it does not list in any way.
    """
    pupils = list(known)
    index = Index.of(pupils)
    draft = _Draft(roster, on, held_back=list(roster.held_back), warnings=list(roster.warnings))
    _check_date(draft)
    for held in roster.held_back:
        draft.seen |= index.touched(held.surname, held.forename, held.born, held.upn)
    for listed, match in _matched(draft, index):
        _place(draft, listed, match)
    leavers = _leavers(draft, pupils, _whole_roll(draft, school))
    return RosterPlan(
        source=roster.source, version=roster.version, file_sha256=roster.file_sha256, full=roster.full,
        from_name=roster.from_school.name if roster.from_school else "", on=on,
        listed=len(roster.pupils) + len(roster.held_back), on_roll=sum(one.on_roll for one in pupils),
        new=tuple(draft.new), returning=tuple(draft.returning), changed=tuple(draft.changed),
        unchanged=tuple(draft.unchanged), leavers=leavers,
        held_back=tuple(draft.held_back), warnings=tuple(draft.warnings),
    )  # fmt: skip


def _check_date(draft: _Draft) -> None:
    stated = draft.roster.stated_on
    if stated is not None and academic_year(stated) != academic_year(draft.on):
        draft.warn("", f"the file is of {academic_year(stated)} and {draft.on} is in {academic_year(draft.on)}: "
                       "its year groups may be out of date")  # fmt: skip


def _matched(draft: _Draft, index: Index) -> list[tuple[Listed, Match]]:
    """Each listed pupil that may be taken in, with who it means; the doubtful are held back."""
    names = Counter(_key(listed.person) for listed in draft.roster.pupils)
    pairs = [(listed, index.match(listed.person)) for listed in draft.roster.pupils]
    claims = Counter(match.pupil.pupil_id for _, match in pairs if match.pupil)
    fit = []
    for listed, match in pairs:
        draft.seen |= match.touches
        why = match.problem or _doubt(listed, match, names, claims, draft.on)
        if why:
            draft.hold(listed, why)
        else:
            fit.append((listed, match))
    return fit


def _doubt(listed: Listed, match: Match, names: Counter[str], claims: Counter[UUID], on: date) -> str:
    person = listed.person
    if not _age_possible(person.date_of_birth, on):
        return f"born on {person.date_of_birth}, which no pupil on {on} can be: correct the date of birth in the MIS"
    if person.upn is None and names[_key(person)] > 1:
        return "the file lists this name and date of birth twice, here without a UPN: put the UPN in, or take it out"
    if match.pupil and match.note and claims[match.pupil.pupil_id] > 1:
        return "two pupils of the file mean the same pupil here: correct one of them in the MIS"
    return ""


def _age_possible(born: date, on: date) -> bool:
    try:
        return AGE_MIN <= age_years(born, on) <= AGE_MAX
    except NotYetBorn:
        return False


def _place(draft: _Draft, listed: Listed, match: Match) -> None:
    if match.note:
        draft.warn(listed.place, match.note)
    warning = year_group_warning(listed.person.date_of_birth, listed.year_group, draft.roster.stated_on or draft.on)
    if warning and not listed.leaving:
        draft.warn(listed.place, warning)
    if match.pupil is None:
        _join(draft, listed)
    elif listed.leaving:
        draft.leaving.add(match.pupil.pupil_id)
    elif match.pupil.on_roll:
        _compare(draft, listed, match.pupil)
    else:
        _come_back(draft, listed, match.pupil)


def _join(draft: _Draft, listed: Listed) -> None:
    if not listed.leaving:
        draft.new.append(
            Joiner(place=listed.place, person=listed.person, year_group=listed.year_group, groups=listed.groups,
                   background=_background(draft.roster, listed, NOTHING))
        )  # fmt: skip


def _come_back(draft: _Draft, listed: Listed, known: Known) -> None:
    if known.custody in HANDED_OVER:
        draft.hold(listed, "their record was handed to another school: receive it back as a sealed file first")
        return
    person, groups = _merged(draft.roster, listed, known)
    draft.returning.append(
        Joiner(place=listed.place, person=person, year_group=_year(listed, known), groups=groups,
               background=_background(draft.roster, listed, known.background), pupil_id=known.pupil_id)
    )  # fmt: skip


def _compare(draft: _Draft, listed: Listed, known: Known) -> None:
    person, groups = _merged(draft.roster, listed, known)
    background = _background(draft.roster, listed, known.background)
    fields = (*_differences(known, person, _year(listed, known), groups), *_backgrounds(known.background, background))
    if not fields:
        draft.unchanged.append(known.pupil_id)
    elif known.custody in HANDED_OVER:
        draft.hold(listed, "their record is being handed to another school, and is as it was when that began")
    else:
        draft.changed.append(
            Changed(place=listed.place, pupil_id=known.pupil_id, person=person, year_group=_year(listed, known),
                    groups=groups, background=background, fields=fields)
        )  # fmt: skip


def _background(roster: Roster, listed: Listed, here: Background) -> Background:
    """What is watched: of the fields the file speaks of as it says, of others as on record; the rest is let go."""
    spoken = roster.spoken
    return Background(**{
        name: getattr(listed.background if name in spoken else here, name) for name in roster.watched
    })  # fmt: skip


def _backgrounds(before: Background, after: Background) -> list[FieldChange]:
    return [
        FieldChange(field=f"{called} (for fairness alone)", before=before.said(name), after=after.said(name))
        for name, called in WATCHABLE.items()
        if before.said(name) != after.said(name)
    ]


def _year(listed: Listed, known: Known) -> int | None:
    return known.year_group if listed.year_group is None else listed.year_group


def _merged(roster: Roster, listed: Listed, known: Known) -> tuple[Person, tuple[Group, ...]]:
    """What is on record with what the file says over it; what the file does not speak of stays."""
    stated = {
        name: value for name in Person.model_fields if (value := getattr(listed.person, name)) or name in roster.empties
    }
    stated["upn"] = _upn(known.person, listed.person)
    stated["former_upns"] = _former(known.person, listed.person, stated["upn"])
    kept = tuple(group for group in known.groups if group.dimension not in roster.dimensions)
    groups = (*kept, *listed.groups) if roster.dimensions else known.groups
    same = frozenset(groups) == frozenset(known.groups)
    return known.person.model_copy(update=stated), known.groups if same else groups


def _upn(here: Person, listed: Person) -> str | None:
    """The newer of the two: an import never takes a number away, nor goes back to a former or a temporary one."""
    older = listed.upn in here.former_upns or (permanent(here.upn) and not permanent(listed.upn))
    return here.upn if older or listed.upn is None else listed.upn


def _former(here: Person, listed: Person, now: str | None) -> tuple[str, ...]:
    given_up = [here.upn] if here.upn and here.upn != now else []
    return tuple(dict.fromkeys(upn for upn in (*here.former_upns, *listed.former_upns, *given_up) if upn != now))


def _differences(known: Known, person: Person, year: int | None, groups: tuple[Group, ...]) -> tuple[FieldChange, ...]:
    changes = [
        _change(label, getattr(known.person, name), getattr(person, name), hidden=name == "carried")
        for name, label in FIELD_NAMES.items()
        if getattr(known.person, name) != getattr(person, name)
    ]
    if year != known.year_group:
        changes.append(FieldChange(field="year group", before=year_name(known.year_group), after=year_name(year)))
    if groups != known.groups:
        changes.append(FieldChange(field="groups", before=describe(known.groups), after=describe(groups)))
    return tuple(changes)


def _change(label: str, before: object, after: object, *, hidden: bool) -> FieldChange:
    return FieldChange(field=label) if hidden else FieldChange(field=label, before=_text(before), after=_text(after))


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value or "")


def _whole_roll(draft: _Draft, school: SchoolName | None) -> bool:
    roster = draft.roster
    if not roster.full:
        return False
    stated = roster.from_school
    if school is None or stated is None or not _numbered(school) or not stated.numbered or stated.mean(school):
        return True
    draft.warn("", "the file comes from another school: its pupils are taken in, and nobody here counts as having left")
    if roster.to_school and roster.to_school.lea.isdigit() and not roster.to_school.mean(school):
        draft.warn("", "the file is addressed to a third school: check that it was meant for this one")
    return False


def _numbered(school: SchoolName) -> bool:
    return bool(school.urn or (school.lea and school.estab))


def _leavers(draft: _Draft, pupils: list[Known], whole: bool) -> tuple[Leaver, ...]:
    return tuple(
        Leaver(pupil_id=one.pupil_id, name=one.person.full_name, handed_over=one.custody in HANDED_OVER)
        for one in pupils
        if one.on_roll and (one.pupil_id in draft.leaving or (whole and one.pupil_id not in draft.seen))
    )


def _key(person: Person) -> str:
    return name_key(person.surname, person.forename, person.date_of_birth)
