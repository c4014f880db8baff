"""Taking in a roster: a plan that writes nothing, then the plan carried out, many pupils in each transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

from astrack.changing import Answer, Ask, BadKey, Decided, Target
from astrack.records import Records, admission_targets
from astrack.roster.text import as_dict, render
from astrack.store import PupilStreams
from domain import identity, school
from domain.background import Watchable
from domain.base import Event, Stamp, StreamClass
from domain.identity import SchoolName
from domain.journey import decisions, facts, refusals, state
from domain.roster import Changed, Joiner, Leaver, RollMoved, Roster, RosterImported, RosterPlan, confirm, not_overtaken
from domain.roster.matching import Known
from domain.roster.plan import draw_up
from domain.school_year import age_months
from transfer.rosters import ctf, oneroster

__all__ = ["apply", "as_dict", "digest", "known", "plan", "read", "render"]

PAGE = 500
CHUNK_PUPILS = 200
CHUNK_CHARACTERS = 4_000_000
"""What one transaction takes in at most: a year group of ordinary size, or fewer where much is carried."""
ZIP = b"PK"
STANDING = (
    facts.PupilEnrolled, facts.PupilRegrouped, facts.PupilLeft, facts.TransferPrepared, facts.TransferWithdrawn,
    facts.CustodyReleased, facts.RecordReceived, facts.FactCorrected,
)  # fmt: skip
"""The facts that decide who is on roll and in which groups."""
Step = Joiner | Changed | Leaver
Progress = Callable[[int], None]


def read(data: bytes, on: date, named: SchoolName | None, watched: Sequence[Watchable] = ()) -> Roster:
    """The roster in a CTF (.xml) or OneRoster zip; of pupils' background the ``watched`` fields alone.

    Raises the BadRoster tree of transfer.errors.
    """
    return oneroster.read(data, on, named, watched) if data[:2] == ZIP else ctf.read(data, watched=watched)


def plan(records: Records, data: bytes, on: date) -> RosterPlan:
    """What taking in a file for day ``on`` would change. Writes nothing. Raises the BadRoster tree."""
    own = [fact.event for fact in records.log.load(records.school_id).facts]
    here = school.replay(own)
    named = here.registered.school if here.registered else None
    drawn = draw_up(read(data, on, named, here.watched), known(records), named, on)
    return drawn.model_copy(update={"imports_before": sum(isinstance(one, RosterImported) for one in own)})


def known(records: Records) -> Iterator[Known]:
    """Every pupil with a record at the school whose identity is still readable."""
    after: UUID | None = None
    while page := records.log.pupils(PAGE, after):
        after = page[-1].pupil_id
        streams = records.log.load_many([stream for one in page for stream in (one.identity_id, one.journey_id)])
        for number, one in enumerate(page):
            events = [[fact.event for fact in stream.facts] for stream in streams[2 * number : 2 * number + 2]]
            who = identity.replay(events[0])
            if who.person is not None:
                known = _known(records.school_id, one.pupil_id, who.person, events[1])
                yield replace(known, background=who.background)


def _known(school_id: UUID, pupil_id: UUID, person: identity.Person, events: list[Event]) -> Known:
    journey = state.replay(event for event in events if isinstance(event, STANDING))
    here = journey.enrolled is not None and journey.enrolled.school_id == school_id and journey.left_on is None
    return Known(pupil_id, person, journey.year_group, journey.groups, here, journey.custody)


def digest(plan: RosterPlan) -> str:
    """SHA-256 in hex of a plan: whoever confirms one they were shown can be held to that very plan."""
    return hashlib.sha256(plan.model_dump_json().encode()).hexdigest()


def apply(
    records: Records, ask: Ask, plan: RosterPlan, *, confirm_leavers: bool = False, progress: Progress | None = None
) -> Answer:
    """Carry a plan out, at most CHUNK_PUPILS pupils in one transaction; ``progress(n)`` is told the size of each.

    Repeating it with the same key and plan changes nothing and gives the same answer, also after it broke off half-way;
    then a fresh plan of the same file carries out the rest. A plan without changes writes nothing.
    Raises ManyLeavers, RollMoved, BadKey, and what the store raises.
    """
    if not 1 <= len(ask.key) <= 200:
        raise BadKey("the idempotency key must have 1 to 200 characters: make a fresh random one for each request")
    confirm(plan, confirm_leavers)
    pupil_ids: list[str] = []
    whole = digest(plan)
    for number, chunk in enumerate(_chunks(plan)):
        pupil_ids += _Part(records, ask, plan, whole, number, chunk).take_in()["pupil_ids"]
        if progress:
            progress(len(chunk))
    return {
        "new": len(plan.new), "returning": len(plan.returning), "changed": len(plan.changed),
        "unchanged": len(plan.unchanged), "left": len(plan.leavers), "held_back": len(plan.held_back),
        "pupil_ids": pupil_ids,
    }  # fmt: skip


def _chunks(plan: RosterPlan) -> Iterator[list[Step]]:
    chunk: list[Step] = []
    weight = 0
    steps: list[Step] = [*plan.new, *plan.returning, *plan.changed, *plan.leavers]
    for step in steps:
        size = 0 if isinstance(step, Leaver) else len(step.person.carried)
        if chunk and (len(chunk) >= CHUNK_PUPILS or weight + size > CHUNK_CHARACTERS):
            yield chunk
            chunk, weight = [], 0
        chunk.append(step)
        weight += size
    if chunk:
        yield chunk


class _Part:
    """One transaction of an import. Its key is made of the import's key, the plan and its number."""

    def __init__(
        self, records: Records, ask: Ask, plan: RosterPlan, digest: str, number: int, chunk: list[Step]
    ) -> None:
        self.records, self.plan, self.chunk = records, plan, chunk
        self.request: Answer = {"do": "take_in_roster", "plan": digest, "part": number}
        self.import_id = uuid5(NAMESPACE_URL, f"astrack:roster:{ask.by.id}:{digest}:{ask.key}")
        self.ask = Ask(ask.by, "roster/" + hashlib.sha256(f"{digest}/{number}/{ask.key}".encode()).hexdigest())
        self.joining = {
            id(step): self._streams() for step in chunk if isinstance(step, Joiner) and step.pupil_id is None
        }

    def _streams(self) -> PupilStreams:
        new = self.records.new_id
        return PupilStreams(new(), new(), new(), new())

    def take_in(self) -> Answer:
        """Append everything of this part, or nothing."""
        targets = [self.records.own()]
        for step in self.chunk:
            targets += self._targets(step)
        return self.records.change(self.ask, self.request, targets, self._decide)

    def _targets(self, step: Step) -> list[Target]:
        new = self.joining.get(id(step))
        if new is not None:
            return admission_targets(new)
        assert step.pupil_id is not None
        streams = self.records.streams_of(step.pupil_id)
        return [
            Target(streams.journey_id, StreamClass.JOURNEY, step.pupil_id),
            Target(streams.identity_id, StreamClass.IDENTITY, step.pupil_id),
        ]

    def _decide(self, loaded: list[list[Event]], stamp: Stamp) -> Decided:
        not_overtaken(self.plan, self.import_id, loaded[0])
        watched = school.replay(loaded[0]).watched
        events: list[Sequence[Event]] = [[self._imported(stamp)]]
        try:
            for step, journey, person in zip(self.chunk, loaded[1::2], loaded[2::2], strict=True):
                events += self._step(step, state.replay(journey), identity.replay(person), stamp, watched)
        except (refusals.AlreadyEnrolled, refusals.NotEnrolled, refusals.RecordFrozen) as error:
            raise RollMoved(
                "a pupil of this plan joined, left or was handed over since: look at the changes again"
            ) from error
        ids = [str(streams.pupil_id) for streams in self.joining.values()]
        return Decided(events, {"pupil_ids": ids}, tuple(self.joining.values()))

    def _imported(self, stamp: Stamp) -> Event:
        joined, changed, left = (
            sum(isinstance(step, kind) for step in self.chunk) for kind in (Joiner, Changed, Leaver)
        )
        return RosterImported(
            **stamp.fresh(), import_id=self.import_id, source=self.plan.source, file_sha256=self.plan.file_sha256,
            happened_on=self.plan.on, joined=joined, changed=changed, left=left,
        )  # fmt: skip

    def _step(
        self,
        step: Step,
        journey: state.Journey,
        person: identity.Identity,
        stamp: Stamp,
        watched: Sequence[Watchable],
    ) -> list[Sequence[Event]]:
        """The new facts of one pupil: of the journey, then of the identity."""
        on = self.plan.on
        if isinstance(step, Leaver):
            return [decisions.leave(journey, stamp, on=on), []]
        year, groups = step.year_group, step.groups
        if isinstance(step, Changed):
            moved = decisions.regroup(journey, stamp, on=on, year_group=year, groups=groups)
        else:
            months = age_months(step.person.date_of_birth, on)
            moved = decisions.enrol(
                journey,
                stamp,
                school_id=self.records.school_id,
                on=on,
                year_group=year,
                age_months=months,
                groups=groups,
            )
        # what the school has ceased to watch since the plan was drawn up is not taken in
        background = identity.state_background(person, stamp, step.background.only(watched))
        return [moved, [*identity.record(person, stamp, step.person), *background]]
