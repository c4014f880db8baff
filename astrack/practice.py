"""The practice school: invented pupils whose truth is known, to look at and plan for before real data opens.

Nobody in it exists and nothing done in it is kept: each member of staff has a class of their own, made anew from their
id whenever it is asked for, with the same rules as a real record.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from uuid import UUID, uuid5

from astrack.records.sitting import Sitting, judged
from domain import instrument
from domain.base import Actor, Event, Fact, Stamp
from domain.identity import Identity, Person
from domain.instrument import CELLS, Instrument
from domain.journey import decisions, state
from domain.journey.facts import Group
from domain.journey.state import Journey

ROUNDS, GAP = 7, timedelta(days=120)
SETTLED, NOISE = 0.35, 0.7
AT_AGE_MONTHS = 11 * 12 + 6
MADE_MAX = 64
NAMES = ("Ash", "Bryn", "Cleo", "Dara", "Eli", "Fern", "Gray", "Hana")


@dataclass(frozen=True, slots=True)
class Story:
    """What is true of an invented pupil: cells (place of the instrument's eight) shifted from a round on, and in words.

    ``careless``: from that round on the answers are given at random and fast; ``once``: the shift lasts one round.
    """

    says: str
    cells: tuple[int, ...] = ()
    by: float = 0.0
    since: int = 0
    once: bool = False
    careless: bool = False


STORIES = (
    Story("Near the middle all along. Any sign here would be a false alarm.", by=0.0),
    Story("In school this pupil began to keep almost everything private in the fifth round; in general not.",
          (4,), -2.4, 4),
    Story("Far out on trust of others in both contexts from the first round on.", (2, 6), 2.2),
    Story("One odd day in the sixth round; before and after nothing was different.", (1, 5), -2.3, 5, once=True),
    Story("Two factors moved out from the fourth round on: trust of self and seeking change, in general and in school.",
          (1, 5, 3, 7), -2.2, 3),
    Story("Answered the last two rounds fast and at random: they tell nothing.", since=5, careless=True),
    Story("Was far out on self-disclosure for four rounds and has come back since.", (0, 4), 0.0, 4),
    Story("A little out on seeking change, no farther than many: whether a sign shows is luck.", (3,), 1.1),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Invented:
    """One invented pupil: a number in the class, the record as it would stand, and what is true of them."""

    number: int
    journey: Journey
    facts: tuple[Fact, ...]
    identity: Identity
    truth: str

    @property
    def called(self) -> str:
        """The first name."""
        return NAMES[self.number - 1]


@lru_cache(maxsize=MADE_MAX)
def pupils(staff_id: UUID, today: date) -> tuple[Invented, ...]:
    """The practice class of one member of staff as it stands on a day: always the same on the same day."""
    order = list(STORIES)
    random.Random(str(staff_id)).shuffle(order)
    return tuple(_invented(staff_id, number, story, today) for number, story in enumerate(order, 1))


def pupil(staff_id: UUID, today: date, number: int) -> Invented | None:
    """One pupil of the class; None for a number it does not have."""
    found = pupils(staff_id, today)
    return found[number - 1] if 1 <= number <= len(found) else None


def _invented(staff_id: UUID, number: int, story: Story, today: date) -> Invented:
    chance, on = random.Random(f"{staff_id}/{number}"), instrument.newest()
    ids, first = _ids(staff_id, number), today - GAP * (ROUNDS - 1) - timedelta(days=14)
    born = first - timedelta(days=round(AT_AGE_MONTHS * state.DAYS_A_MONTH))
    stamp = _stamp(first, ids)
    group = Group(dimension="tutor group", name="practice")
    told: list[Event] = decisions.enrol(
        Journey(), stamp, school_id=UUID(int=0), on=first, year_group=7, age_months=AT_AGE_MONTHS, groups=(group,)
    )
    home = [chance.gauss(0, SETTLED) for _ in CELLS]
    for at in range(ROUNDS):
        day = first + GAP * at + timedelta(days=7)
        answers, seconds = _answers(on, story, home, at, chance)
        sat = Sitting(UUID(int=number), ids(), answers, seconds)
        told += judged(state.replay(told), _stamp(day, ids), sat, on, None, day)
    person = Person(surname="of the practice school", forename=NAMES[number - 1], date_of_birth=born)
    identity = Identity(person=person)
    facts = tuple(Fact(n, UUID(int=number), UUID(int=number), n, one.recorded_at, one) for n, one in enumerate(told))
    return Invented(number, state.replay(told), facts, identity, story.says)


def _answers(
    on: Instrument, story: Story, home: list[float], at: int, chance: random.Random
) -> tuple[dict[str, int], dict[str, float]]:
    careless = story.careless and at >= story.since
    answers, seconds = {}, {}
    for item in on.items:
        wish = _level(story, home, CELLS.index((item.context, item.factor)), at) + chance.gauss(0, NOISE)
        keyed = wish if item.keyed > 0 else on.scale.least + on.scale.most - wish
        step = chance.randint(round(on.scale.least), round(on.scale.most)) if careless else round(keyed)
        answers[item.id] = int(min(on.scale.most, max(on.scale.least, step)))
        seconds[item.id] = 0.4 if careless else 3 + 4 * chance.random()
    return answers, seconds


def _level(story: Story, home: list[float], cell: int, at: int) -> float:
    level = instrument.newest().scale.middle + home[cell]
    if cell not in story.cells or story.careless:
        return level
    if story.by == 0.0:
        return level + (2.3 if at < story.since else 0.0)
    return level + (story.by if at == story.since or (at > story.since and not story.once) else 0.0)


def _ids(staff_id: UUID, number: int) -> Callable[[], UUID]:
    count = iter(range(10_000))
    return lambda: uuid5(staff_id, f"practice/{number}/{next(count)}")


def _stamp(day: date, ids: Callable[[], UUID]) -> Stamp:
    return Stamp(datetime.combine(day, time(10), UTC), Actor(id=UUID(int=0), role="service"), ids)
