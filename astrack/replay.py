"""What a school knew on a day, and what had happened by then but was not known yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from astrack.records import Records
from domain import risk, scoring
from domain.base import Fact
from domain.instrument import NoSuchInstrument
from domain.journey import facts, state
from domain.journey.rederive import Derived, Difference, differences
from domain.journey.state import Journey


@dataclass(frozen=True, slots=True)
class AsOf:
    """One pupil's record as of the end of a day (UTC).

    ``known``: the facts this school's log held by then, and ``journey`` what they add up to.
    ``late``: facts that had happened by then but were recorded here later, corrections among them.
    ``position``: how many entries the whole log had. ``levels``: eight numbers with their errors, as the model
    reckoned them then; None before the first sitting.
    """

    day: date
    position: int
    known: list[Fact]
    late: list[Fact]
    journey: Journey
    levels: tuple[tuple[float, ...], tuple[float, ...]] | None

    @property
    def before(self) -> list[Fact]:
        """Known facts whose author recorded them on an earlier log: they came with a sealed file."""
        return [fact for fact in self.known if fact.origin]


@dataclass(frozen=True, slots=True)
class Again:
    """What comes out otherwise than recorded; ``earlier``: the algorithms, not this version's own, that flags on record
    were reckoned by, and how near this one comes to each; ``unknown``: instruments that sittings name and that are not
    installed here, so that those could not be scored again.
    """

    differences: list[Difference]
    earlier: dict[int, float]
    unknown: frozenset[str]


def again(records: Records, pupil_id: UUID) -> Again:
    """Score a pupil's sittings again, each with the instrument and rules it names, and derive the flags again, each
    with the model it was raised with. Raises NoSuchPupil, NoSuchModel, NoSuchRules, WrongInstrumentVersion.
    """
    earlier: dict[int, float] = {}

    def derive(digest: str | None, journey: Journey, on: date) -> Derived:
        model = risk.by_digest(digest) if digest else risk.load_model()
        if model.artefact.algorithm != risk.ALGORITHM:
            earlier[model.artefact.algorithm] = model.near
        found = risk.findings(model, journey.sittings, journey.standing_subjects(), on)
        return Derived(found, model.near)

    _, story = records.journey(pupil_id)
    events = [fact.event for fact in story]
    sittings = [one for one in events if isinstance(one, facts.AssessmentSat)]
    scored, unknown = _scored_again(sittings)
    return Again([*scored, *differences(events, derive)], earlier, unknown)


def _scored_again(sittings: Sequence[facts.AssessmentSat]) -> tuple[list[Difference], frozenset[str]]:
    found, unknown = [], set()
    for sat in sittings:
        try:
            other = scoring.differing(sat)
        except NoSuchInstrument:
            unknown.add(f"{sat.instrument} {sat.instrument_version}")
            continue
        if other:
            found.append(Difference(sat.event_id, sat.happened_on, f"scored again, otherwise: {', '.join(other)}"))
    return found, frozenset(unknown)


def end_of(day: date) -> datetime:
    """The last instant of a day in UTC."""
    return datetime.combine(day + timedelta(days=1), time(), UTC) - timedelta(microseconds=1)


def as_of(records: Records, pupil_id: UUID, day: date) -> AsOf:
    """Replay one pupil's journey as of the end of a day. Raises NoSuchPupil."""
    position = records.log.position_at(end_of(day))
    _, story = records.journey(pupil_id)
    known = [fact for fact in story if fact.position < position]
    late = [fact for fact in story if fact.position >= position and _happened(fact, story) <= day]
    journey = state.replay(fact.event for fact in known)
    return AsOf(day, position, known, late, journey, _levels(journey, day))


def _happened(fact: Fact, story: Sequence[Fact]) -> date:
    # a correction speaks of the day of what it corrects
    event = fact.event
    if isinstance(event, facts.FactCorrected):
        for other in story:
            if other.event.event_id == event.corrects:
                return other.event.day
    return event.day


def _levels(journey: Journey, day: date) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    if not journey.sittings:
        return None
    track = risk.track(risk.load_model(), journey.sittings, day)
    if not len(track.days):
        return None
    return tuple(float(x) for x in track.level[-1]), tuple(float(x) for x in track.sd[-1])
