"""Several files of one pupil, as when two schools each hold a part: one story, and what does not agree (FORMAT.md, 15).

What stands in more than one file is proved to be the same entry of the same log. What contradicts is told, with every
side of it: nothing is chosen between them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from transfer import disclosure, evidence
from transfer.disclosure import NAMED_BY
from transfer.errors import BadChain, Conflict, TooLarge
from transfer.evidence.chain import Envelope
from transfer.manifest import digest
from transfer.package import Package

MAX_FILES = 16
WHERE = "joined files"


@dataclass(frozen=True, slots=True)
class Part:
    """A fact as the school that recorded it holds it, and the numbers of the files it stands in, from 0."""

    fact: Envelope
    event_id: str
    recorded_at: str
    files: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Clash:
    """Something that the files do not agree on: what, and what each says of it."""

    what: str
    sides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """The facts of all files in the order of their time, each once, and what does not agree."""

    files: tuple[Package, ...]
    parts: tuple[Part, ...]
    clashes: tuple[Clash, ...]

    @property
    def shared(self) -> int:
        """How many facts stand in more than one file, and are the same there."""
        return sum(len(part.files) > 1 for part in self.parts)


def join(files: Sequence[Package], *, same: bool = False) -> Joined:
    """The story that verified files of one pupil tell together. ``same``: somebody says that they are of one pupil.

    Raises Conflict when neither they nor anybody says so, TooLarge.
    """
    if not 2 <= len(files) <= MAX_FILES:
        raise TooLarge(f"2 to {MAX_FILES} files are joined, not {len(files)}", WHERE, "Join fewer at a time.")
    persons = [disclosure.person_in(found.members) for found in files]
    if not same and not _one_pupil(files, persons):
        raise Conflict(
            "nothing in them says that they are of one pupil", WHERE,
            "Look at who each is about; say yourself that it is the same pupil when it is.",
        )  # fmt: skip
    parts = sorted(_parts(files), key=lambda part: (part.recorded_at, part.fact.origin, part.fact.index))
    clashes = (*_two_logs(parts), *_two_facts(parts), *_two_histories(files), *_two_persons(files, persons))
    return Joined(tuple(files), tuple(parts), clashes)


def _parts(files: Sequence[Package]) -> Iterator[Part]:
    """Every fact once; an index of a log at which two entries stand gives two."""
    seen: dict[tuple[str, int, bytes], tuple[Envelope, list[int]]] = {}
    for number, found in enumerate(files):
        for fact in disclosure.recorded(found):
            # the entry commits to the payload: who has the same entry has the same fact
            seen.setdefault((fact.origin, fact.index, fact.entry), (fact, []))[1].append(number)
    for fact, numbers in seen.values():
        yield Part(fact, *disclosure.head_of(fact.payload), tuple(dict.fromkeys(numbers)))


def _two_logs(parts: Sequence[Part]) -> Iterator[Clash]:
    for (origin, index), some in _grouped(parts, lambda part: (part.fact.origin, part.fact.index)):
        sides = tuple(f"file {part.files[0] + 1}: {_shown(part)}" for part in some)
        yield Clash(f"the log {origin} was shown with two entries at index {index}", sides)


def _two_facts(parts: Sequence[Part]) -> Iterator[Clash]:
    for event_id, some in _grouped(parts, lambda part: part.event_id):
        sides = tuple(f"{part.fact.origin}, index {part.fact.index}: {_shown(part)}" for part in some)
        yield Clash(f"the fact {event_id} was recorded twice", sides)


def _grouped(parts: Sequence[Part], key: Any) -> Iterator[tuple[Any, list[Part]]]:
    groups: dict[Any, list[Part]] = defaultdict(list)
    for part in parts:
        groups[key(part)].append(part)
    return ((name, some) for name, some in groups.items() if len(some) > 1)


def _two_histories(files: Sequence[Package]) -> Iterator[Clash]:
    """Streams of which two files show entries that do not go on from one another."""
    for (one, first), (other, second) in combinations(enumerate(files), 2):
        for name in first.proved.keys() & second.proved.keys():
            a, b = first.proved[name], second.proved[name]
            try:
                evidence.later(a.unit, a.entries, b.unit, b.entries)
            except BadChain as error:
                sides = (f"file {one + 1}: {len(a.entries)} entries", f"file {other + 1}: {len(b.entries)} entries")
                yield Clash(f"{error.where}: {error.what}", sides)


def _two_persons(files: Sequence[Package], persons: Sequence[Mapping[str, Any] | None]) -> Iterator[Clash]:
    stated = [(found, person) for found, person in zip(files, persons, strict=True) if person is not None]
    for name in sorted({name for _, person in stated for name in person}):
        said = {json.dumps(person[name], sort_keys=True): found for found, person in stated if person.get(name)}
        if len(said) > 1:
            sides = tuple(f"{found.sender.name}: {value[:200]}" for value, found in said.items())
            yield Clash(f"who it is about: {name.replace('_', ' ')}", sides)


def _one_pupil(files: Sequence[Package], persons: Sequence[Mapping[str, Any] | None]) -> bool:
    """Whether each file has a stream, or else the name and day of birth, in common with one before it."""
    first, *rest = zip(files, persons, strict=True)
    known = [first]
    for found, person in rest:
        if not any(found.proved.keys() & one.proved.keys() or _same_person(person, who) for one, who in known):
            return False
        known.append((found, person))
    return True


def _same_person(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    return bool(one and other) and all((one or {})[name] == (other or {})[name] for name in NAMED_BY)


def _shown(part: Part) -> str:
    topic = str(json.loads(part.fact.payload).get("topic"))[:80]
    return f"{part.recorded_at[:10]} {topic} ({digest(part.fact.payload)[:12]})"
