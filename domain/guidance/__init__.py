"""Guidance for plans as versioned data: causes, risks and signposts for each place, that is for each factor, end and
context and for each pattern with guidance of its own, by age band.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import product
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args

from pydantic import Field, ValidationError

from domain import instrument
from domain.base import DomainError, Value

Kind = Literal["cause", "risk", "signpost"]
Pole = Literal["low", "high"]
Context = Literal["general", "school"]
AgeBand = Literal["8-11", "11-14", "14-18"]
Review = Literal["makers", "outside"]
REVIEWS: dict[Review, str] = {
    "makers": "Written by the makers of astrack, not yet reviewed outside.",
    "outside": "Written by the makers of astrack and reviewed outside.",
}
POLES: tuple[Pole, ...] = get_args(Pole)
CONTEXTS: tuple[Context, ...] = get_args(Context)
AGES: tuple[AgeBand, ...] = get_args(AgeBand)
FACTORS = instrument.FACTORS
COMPOSITES = tuple(f"composite_{one.name}" for one in instrument.newest().composites)
WHOLE = ("unsettled", "flat", "response_quality")
"""Patterns that have neither an end nor a context."""
LEAST_A_CELL = 3
CELLS_MOST = 2
"""In how many places (by age band) one text may stand: what fits everywhere says nothing."""
_FIRST_MONTH_OF: tuple[tuple[int, AgeBand], ...] = ((14 * 12, "14-18"), (11 * 12, "11-14"))


class Place(NamedTuple):
    """Where guidance is found: what it is about (a factor or a kind of sign), its end and context if it has them."""

    about: str
    pole: Pole | None = None
    context: Context | None = None

    @property
    def code(self) -> str:
        """Its name in an address: "self_disclosure.low.school", "composite_full_sail.general", "unsettled"."""
        return ".".join(part for part in self if part)


PLACES: tuple[Place, ...] = (
    *(Place(*one) for one in product(FACTORS, POLES, CONTEXTS)),
    *(Place(one, None, context) for one, context in product(COMPOSITES, CONTEXTS)),
    *(Place("context_gap", pole) for pole in POLES),
    *(Place(one) for one in WHOLE),
)
"""Every place; with the age bands, what the library must serve. The pole of ``context_gap`` is where school lies."""
ABOUT = tuple(dict.fromkeys(one.about for one in PLACES))
"""What there is a file about."""
_BY_CODE = {one.code: one for one in PLACES}


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


class Part(Value):
    """One file: what it is about, who has read it, and what each of its ends has; ``whole`` where there are no ends.

    ``review``: "makers" (written by the makers, not yet reviewed outside) or "outside" (somebody else has reviewed it).
    """

    about: str
    version: int
    review: Review
    low: End | None = None
    high: End | None = None
    whole: End | None = None

    def ends(self) -> dict[Pole | None, End]:
        """Its ends by pole, None for the whole."""
        found: dict[Pole | None, End | None] = {"low": self.low, "high": self.high, None: self.whole}
        return {pole: end for pole, end in found.items() if end is not None}


E_ = TypeVar("E_", bound=Entry)


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What fits one pupil's place: each list in the library's order; ``review``: who has read the library's texts."""

    causes: tuple[Entry, ...]
    risks: tuple[Entry, ...]
    signposts: tuple[Signpost, ...]
    review: Review

    @property
    def reviewed(self) -> str:
        """The same in words, as it is told to whoever reads them."""
        return REVIEWS[self.review]


@dataclass(frozen=True, slots=True)
class Guidance:
    """The whole library. ``digest`` is the SHA-256 of its files in the order of ``ABOUT``, as hex."""

    parts: dict[str, Part]
    digest: str
    by_id: dict[str, Entry]

    def suggest(self, about: str, pole: str | None, context: str | None, age_band: str) -> Suggestions:
        """What fits one place and age band. Raises GuidanceWrong for a name the library does not know."""
        if (about, pole, context) not in PLACES or age_band not in AGES:
            named = ", ".join(part for part in (about, pole, context, age_band) if part)
            raise GuidanceWrong(f"there is no guidance for {named}: choose from the list")
        end = next(end for at, end in self.parts[about].ends().items() if at == pole)

        def fit(entries: tuple[E_, ...]) -> tuple[E_, ...]:
            return tuple(one for one in entries if context in (None, *one.contexts) and age_band in one.ages)

        return Suggestions(fit(end.cause), fit(end.risk), fit(end.signpost), self.parts[about].review)

    def fit(self, places: Iterable[Place], age_band: str) -> Suggestions:
        """What fits any of these places, one place after the other, each entry once. Raises GuidanceWrong."""
        found = [self.suggest(*place, age_band) for place in places]

        def once(lists: Iterator[tuple[E_, ...]]) -> tuple[E_, ...]:
            return tuple({one.id: one for some in lists for one in some}.values())

        return Suggestions(
            once(one.causes for one in found), once(one.risks for one in found), once(one.signposts for one in found),
            "outside" if all(one.review == "outside" for one in found) else "makers",
        )  # fmt: skip

    def entry(self, code: str) -> Entry | None:
        """The entry with an id; None where the library has none (an older one had it, or a school's own)."""
        return self.by_id.get(code)


def place(code: str) -> Place | None:
    """The place with a code; None for anything else."""
    return _BY_CODE.get(code)


def age_band(age_months: int) -> AgeBand:
    """The age band of an age in months; younger than 8 counts as the first, older than 18 as the last."""
    return next((band for first, band in _FIRST_MONTH_OF if age_months >= first), "8-11")


def stands_in(about: str, one: Entry) -> int:
    """In how many places, by age band, an entry about something stands."""
    contexts = {at.context for at in PLACES if at.about == about}
    return len(contexts & {None, *one.contexts}) * len(one.ages)


def parse(files: dict[str, bytes]) -> Guidance:
    """A library from its files, by what they are about. Raises GuidanceWrong: what is wrong, and where."""
    missing = [about for about in ABOUT if about not in files]
    if missing:
        raise GuidanceWrong(f"guidance for {', '.join(missing)} is missing: add a file of that name")
    parts = {about: _parse_one(about, files[about]) for about in ABOUT}
    digest = hashlib.sha256(b"".join(files[about] for about in ABOUT)).hexdigest()
    library = Guidance(parts, digest, {one.id: one for _, one in _entries(parts.values())})
    _check_ids(library)
    _check_texts(library)
    _check_cells(library)
    return library


def _parse_one(about: str, content: bytes) -> Part:
    try:
        raw: dict[str, Any] = tomllib.loads(content.decode())
        one = Part.model_validate(raw)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise GuidanceWrong(f"guidance/{about}.toml cannot be read: {error}") from error
    if one.about != about:
        raise GuidanceWrong(f"guidance/{about}.toml says it is about {one.about}: give it that name")
    if set(one.ends()) != {at.pole for at in PLACES if at.about == about}:
        raise GuidanceWrong(f"guidance/{about}.toml has other ends than its places: give it those")
    return one


def _check_ids(library: Guidance) -> None:
    ids = [one.id for _, one in _entries(library.parts.values())]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise GuidanceWrong(f"the guidance id {twice[0]} is used twice: give each entry its own")


def _check_texts(library: Guidance) -> None:
    seen: dict[str, str] = {}
    for about, one in _entries(library.parts.values()):
        if stands_in(about, one) > CELLS_MOST:
            raise GuidanceWrong(f"{one.id} stands in more than {CELLS_MOST} places: name its contexts and ages")
        for text in texts(one):
            if seen.setdefault(text.casefold(), one.id) != one.id:
                raise GuidanceWrong(f"{one.id} says the same as {seen[text.casefold()]}: write it for its own place")


def texts(one: Entry) -> tuple[str, ...]:
    """The sentences of an entry, each of which stands in this entry alone."""
    return (one.say, one.first, one.stop, one.not_when) if isinstance(one, Signpost) else (one.say,)


def _check_cells(library: Guidance) -> None:
    for at, age in thin_places(library):
        named = ", ".join(part for part in (*at, age) if part)
        raise GuidanceWrong(f"{named} has fewer than {LEAST_A_CELL} causes, risks or signposts: add some")


def thin_places(library: Guidance) -> list[tuple[Place, AgeBand]]:
    """Every place and age band with fewer than three causes, risks or signposts."""
    found = ((at, age, library.suggest(*at, age)) for at, age in product(PLACES, AGES))
    return [
        (at, age) for at, age, fit in found if min(len(fit.causes), len(fit.risks), len(fit.signposts)) < LEAST_A_CELL
    ]


def _entries(parts: Iterable[Part]) -> list[tuple[str, Entry]]:
    ends = [(part.about, end) for part in parts for end in part.ends().values()]
    return [(about, one) for about, end in ends for some in (end.cause, end.risk, end.signpost) for one in some]


@cache
def load() -> Guidance:
    """The library this version carries. Raises GuidanceWrong."""
    folder = resources.files("domain") / "guidance"
    return parse({about: (folder / f"{about}.toml").read_bytes() for about in ABOUT})
