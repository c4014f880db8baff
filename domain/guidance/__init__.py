"""Guidance for plans as versioned data: causes, risks and signposts for each factor, end, context and age band."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import product
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import Field, ValidationError

from domain.base import DomainError, Value

Kind = Literal["cause", "risk", "signpost"]
Pole = Literal["low", "high"]
Context = Literal["general", "school"]
AgeBand = Literal["8-11", "11-14", "14-18"]
FACTORS = ("self_disclosure", "trust_of_self", "trust_of_others", "seeking_change")
LEAST_A_CELL = 3
CELLS_MOST = 2
"""In how many places (context and age band) one text may stand: what fits everywhere says nothing."""
_FIRST_MONTH_OF: tuple[tuple[int, AgeBand], ...] = ((14 * 12, "14-18"), (11 * 12, "11-14"))


class GuidanceWrong(DomainError):
    """A guidance file does not say what it must."""


class Entry(Value):
    """One suggestion in our own words.

    ``evidence`` says what it rests on: "related" (studies of similar support) or "practice" (schools' experience);
    nothing here has been tested with this service. ``tier`` 2 is targeted, 3 specialist.
    """

    id: Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z0-9-]+)+$", max_length=80)]
    say: Annotated[str, Field(min_length=10, max_length=160)]
    contexts: frozenset[Context] = frozenset(get_args(Context))
    ages: frozenset[AgeBand] = frozenset(get_args(AgeBand))
    evidence: Literal["related", "practice"] = "practice"
    tier: Annotated[int, Field(ge=1, le=3)] = 2


class Signpost(Entry):
    """Something low-level that school can do: by whom, where, the first sentence to say, for how many weeks, when it
    has done its work and when not to begin.
    """

    who: Annotated[str, Field(min_length=3, max_length=60)]
    where: Annotated[str, Field(min_length=3, max_length=60)]
    first: Annotated[str, Field(min_length=10, max_length=160)]
    weeks: Annotated[int, Field(ge=1, le=12)]
    stop: Annotated[str, Field(min_length=10, max_length=120)]
    not_when: Annotated[str, Field(min_length=10, max_length=120)]


class End(Value):
    """What one end of a factor has."""

    cause: tuple[Entry, ...]
    risk: tuple[Entry, ...]
    signpost: tuple[Signpost, ...]


class FactorGuidance(Value):
    """One file: a factor and its two ends."""

    factor: str
    version: int
    low: End
    high: End


E_ = TypeVar("E_", bound=Entry)


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What fits one pupil's place: each list in the library's order."""

    causes: tuple[Entry, ...]
    risks: tuple[Entry, ...]
    signposts: tuple[Signpost, ...]


@dataclass(frozen=True, slots=True)
class Guidance:
    """The whole library. ``digest`` is the SHA-256 of its files in the order of the factors, as hex."""

    factors: dict[str, FactorGuidance]
    digest: str
    by_id: dict[str, Entry]

    def suggest(self, factor: str, pole: str, context: str, age_band: str) -> Suggestions:
        """What fits a factor, end, context and age band. Raises GuidanceWrong for a name the library does not know."""
        known = factor in self.factors and pole in get_args(Pole)
        if not known or context not in get_args(Context) or age_band not in get_args(AgeBand):
            raise GuidanceWrong(
                f"there is no guidance for {factor}, {pole}, {context}, {age_band}: choose from the list"
            )
        end: End = getattr(self.factors[factor], pole)

        def fit(entries: tuple[E_, ...]) -> tuple[E_, ...]:
            return tuple(one for one in entries if context in one.contexts and age_band in one.ages)

        return Suggestions(fit(end.cause), fit(end.risk), fit(end.signpost))

    def entry(self, code: str) -> Entry | None:
        """The entry with an id; None where the library has none (an older one had it, or a school's own)."""
        return self.by_id.get(code)


def age_band(age_months: int) -> AgeBand:
    """The age band of an age in months; younger than 8 counts as the first, older than 18 as the last."""
    return next((band for first, band in _FIRST_MONTH_OF if age_months >= first), "8-11")


def parse(files: dict[str, bytes]) -> Guidance:
    """A library from its files, by factor. Raises GuidanceWrong: what is wrong, and where."""
    missing = [factor for factor in FACTORS if factor not in files]
    if missing:
        raise GuidanceWrong(f"guidance for {', '.join(missing)} is missing: add a file of that name")
    factors = {factor: _parse_one(factor, files[factor]) for factor in FACTORS}
    digest = hashlib.sha256(b"".join(files[factor] for factor in FACTORS)).hexdigest()
    library = Guidance(factors, digest, {one.id: one for one in _entries(factors.values())})
    _check_ids(library)
    _check_texts(library)
    _check_cells(library)
    return library


def _parse_one(factor: str, content: bytes) -> FactorGuidance:
    try:
        raw: dict[str, Any] = tomllib.loads(content.decode())
        one = FactorGuidance.model_validate(raw)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise GuidanceWrong(f"guidance/{factor}.toml cannot be read: {error}") from error
    if one.factor != factor:
        raise GuidanceWrong(f"guidance/{factor}.toml says it is about {one.factor}: give it that name")
    return one


def _check_ids(library: Guidance) -> None:
    ids = [one.id for one in _entries(library.factors.values())]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise GuidanceWrong(f"the guidance id {twice[0]} is used twice: give each entry its own")


def _check_texts(library: Guidance) -> None:
    seen: dict[str, str] = {}
    for one in _entries(library.factors.values()):
        if len(one.contexts) * len(one.ages) > CELLS_MOST:
            raise GuidanceWrong(f"{one.id} stands in more than {CELLS_MOST} places: name its contexts and ages")
        for text in texts(one):
            if seen.setdefault(text.casefold(), one.id) != one.id:
                raise GuidanceWrong(f"{one.id} says the same as {seen[text.casefold()]}: write it for its own place")


def texts(one: Entry) -> tuple[str, ...]:
    """The sentences of an entry, each of which stands in this entry alone."""
    return (one.say, one.first, one.stop, one.not_when) if isinstance(one, Signpost) else (one.say,)


def _check_cells(library: Guidance) -> None:
    cells = product(FACTORS, get_args(Pole), get_args(Context), get_args(AgeBand))
    for cell in cells:
        found = library.suggest(*cell)
        if min(len(found.causes), len(found.risks), len(found.signposts)) < LEAST_A_CELL:
            raise GuidanceWrong(f"{', '.join(cell)} has fewer than {LEAST_A_CELL} causes, risks or signposts: add some")


def _kinds(end: End) -> tuple[tuple[Entry, ...], ...]:
    return (end.cause, end.risk, end.signpost)


def _entries(factors: Iterable[FactorGuidance]) -> list[Entry]:
    return [one for factor in factors for end in (factor.low, factor.high) for kind in _kinds(end) for one in kind]


@cache
def load() -> Guidance:
    """The library this version carries. Raises GuidanceWrong."""
    folder = resources.files("domain") / "guidance"
    return parse({factor: (folder / f"{factor}.toml").read_bytes() for factor in FACTORS})
