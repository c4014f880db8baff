"""The commands about rights over a record: who speaks for a pupil, requests with their clock, holds, and erasing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from astrack.changing import Answer, Ask, Changing, Decided, Target
from astrack.store import ClockBehind
from astrack.store.erasing import hold, release
from domain.base import Event, Stamp, StreamClass
from domain.journey import restricting, state
from domain.rights import family, handling, releases, requests, retention
from domain.rights.family import Family
from domain.rights.releases import Releases
from domain.rights.requests import NOT_HERE, NoSuchRequest, Request
from domain.rights.retention import Retention
from domain.school import StreamErased

STREAMS = "SELECT stream_id FROM record.streams WHERE school_id = %s AND pupil_id = %s ORDER BY stream_id"
Act = Callable[..., list[Event]]


class RightsRecords(Changing):
    """What is decided about the record itself. A request's stream has the request's own id."""

    def record_relation(self, ask: Ask, pupil_id: UUID, **stated: Any) -> Answer:
        """State who is a parent or cares for a pupil; fields as ``family.record_relation``. Raises FamilyDatesWrong."""
        return self._on_family(ask, pupil_id, "record_relation", stated, family.record_relation)

    def end_relation(self, ask: Ask, pupil_id: UUID, **stated: Any) -> Answer:
        """A relation ends with a day. Raises RelationUnknown."""
        return self._on_family(ask, pupil_id, "end_relation", stated, family.end_relation)

    def record_order(self, ask: Ask, pupil_id: UUID, **stated: Any) -> Answer:
        """State a court order; fields as ``family.record_order``. Raises FamilyDatesWrong, RelationUnknown."""
        return self._on_family(ask, pupil_id, "record_order", stated, family.record_order)

    def end_order(self, ask: Ask, pupil_id: UUID, **stated: Any) -> Answer:
        """A court order ends with a day. Raises OrderUnknown."""
        return self._on_family(ask, pupil_id, "end_order", stated, family.end_order)

    def decide_competence(self, ask: Ask, pupil_id: UUID, *, competent: bool, on: date, why: str) -> Answer:
        """Judge whether a pupil understands their rights over the record. Raises ReasonTooThin, FamilyDatesWrong."""
        return self._on_family(
            ask, pupil_id, "decide_competence", {"competent": competent, "on": on, "why": why},
            lambda known, stamp, **given: family.decide_competence(stamp, **given),
        )  # fmt: skip

    def family(self, pupil_id: UUID) -> Family:
        """Who speaks for a pupil. Raises NoSuchPupil."""
        return family.replay(self._identity_events(pupil_id))

    def release_account(self, ask: Ask, pupil_id: UUID, **stated: Any) -> Answer:
        """Show a pupil's account to their parents; fields as ``releases.release``.

        Raises NobodyToShow, PupilNotAsked.
        """
        return self._on_family(ask, pupil_id, "release_account", stated, releases.release)

    def withdraw_release(self, ask: Ask, pupil_id: UUID, *, release_id: UUID, why: str = "") -> Answer:
        """Show what was released no longer. Raises ReleaseUnknown."""
        known = self.releases(pupil_id)
        return self._on_family(
            ask, pupil_id, "withdraw_release", {"release_id": release_id, "why": why},
            lambda _, stamp, **given: releases.withdraw(known, stamp, **given),
        )  # fmt: skip

    def releases(self, pupil_id: UUID) -> Releases:
        """What this school has released to a pupil's parents. Raises NoSuchPupil."""
        return releases.replay(self.log.load(self.streams_of(pupil_id).identity_id).facts)

    def receive_request(self, ask: Ask, pupil_id: UUID, *, request_id: UUID, **stated: Any) -> Answer:
        """Take in a request about a pupil's record; fields as ``handling.receive``.

        Raises AskerMayNot, RequestDatesWrong, NoSuchPupil.
        """

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            known = _request(loaded[0]) if loaded[0] else Request()
            made = handling.receive(
                known, stamp, family.replay(loaded[1]), request_id=request_id, pupil_id=pupil_id, **stated
            )
            return Decided([made, []], _done(made, request_id=request_id))

        targets = [Target(request_id, StreamClass.IDENTITY, pupil_id), self.identity_of(pupil_id)]
        arguments = {**stated, "do": "receive_request", "of": pupil_id, "request": request_id}
        return self.change(ask, arguments, targets, decide)

    def stop_clock(self, ask: Ask, request_id: UUID, **stated: Any) -> Answer:
        """Wait for proof of identity, or for clarification. Raises RequestEnded, ClockStandsAlready."""
        return self._on_request(ask, request_id, "stop_clock", stated, handling.stop_clock)

    def start_clock(self, ask: Ask, request_id: UUID, **stated: Any) -> Answer:
        """What was waited for has come. Raises RequestEnded, ClockStandsAlready."""
        return self._on_request(ask, request_id, "start_clock", stated, handling.start_clock)

    def extend_request(self, ask: Ask, request_id: UUID, **stated: Any) -> Answer:
        """Take up to two months more. Raises RequestEnded, ExtensionTooLate, ReasonTooThin."""
        return self._on_request(ask, request_id, "extend_request", stated, handling.extend)

    def withhold(self, ask: Ask, request_id: UUID, **stated: Any) -> Answer:
        """Propose to keep one item back. Raises RequestEnded, ReasonTooThin."""
        return self._on_request(ask, request_id, "withhold", stated, handling.withhold)

    def review_withholding(self, ask: Ask, request_id: UUID, **stated: Any) -> Answer:
        """Judge whether an item is kept back. Raises NoSuchItem, OwnWithholdingReviewed."""
        return self._on_request(ask, request_id, "review_withholding", stated, handling.review_withholding)

    def answer_request(self, ask: Ask, request_id: UUID, **stated: Any) -> Answer:
        """Answer a request. Raises RequestEnded, WithholdingUnreviewed, FileNotMade, ReasonTooThin."""
        return self._on_request(ask, request_id, "answer_request", stated, handling.answer)

    def withdraw_request(self, ask: Ask, request_id: UUID, **stated: Any) -> Answer:
        """Whoever asked no longer does. Raises RequestEnded."""
        return self._on_request(ask, request_id, "withdraw_request", stated, handling.withdraw)

    def copy_made(self, ask: Ask, request_id: UUID, **stated: Any) -> Answer:
        """Record that the sealed file of a request was made."""
        return self._on_request(
            ask, request_id, "copy_made", stated, lambda known, stamp, **given: handling.made_copy(stamp, **given)
        )

    def request(self, request_id: UUID) -> Request:
        """One request as its facts state it. Raises NoSuchRequest."""
        return _request([fact.event for fact in self.log.load(request_id).facts])

    def restrict(self, ask: Ask, pupil_id: UUID, *, ground: Any, on: date) -> Answer:
        """Keep a record and do not use it. Raises NotEnrolled."""
        return self._restricting(ask, pupil_id, "restrict", {"ground": ground, "on": on}, restricting.restrict)

    def lift_restriction(self, ask: Ask, pupil_id: UUID, *, on: date, told_on: date) -> Answer:
        """Let a record be used again. Raises NotEnrolled, NotToldFirst."""
        given = {"on": on, "told_on": told_on}
        return self._restricting(ask, pupil_id, "lift_restriction", given, restricting.lift_restriction)

    def set_retention_class(self, ask: Ask, pupil_id: UUID, **stated: Any) -> Answer:
        """Say how long a record is kept, by its class."""
        return self._on_retention(ask, pupil_id, "set_retention_class", stated, retention.set_class)

    def place_hold(self, ask: Ask, pupil_id: UUID, *, hold_id: UUID, why: str) -> Answer:
        """Forbid erasing anything of a pupil, in the database too. Raises ReasonTooThin."""

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            made = retention.place_hold(retention.replay(loaded[0]), stamp, hold_id=hold_id, why=why)
            return Decided([made], _done(made), also=hold(self.school_id, pupil_id, stamp.at))

        request = {"do": "place_hold", "of": pupil_id, "hold": hold_id, "why": why}
        return self.change(ask, request, [self.identity_of(pupil_id)], decide)

    def release_hold(self, ask: Ask, pupil_id: UUID, *, hold_id: UUID, why: str) -> Answer:
        """Release one hold; erasing is possible again once none stands. Raises NoSuchHold, ReasonTooThin."""

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            known = retention.replay(loaded[0])
            made = retention.release_hold(known, stamp, hold_id=hold_id, why=why)
            last = len(known.holds) == 1
            return Decided([made], _done(made), also=release(self.school_id, pupil_id) if last else None)

        request = {"do": "release_hold", "of": pupil_id, "hold": hold_id, "why": why}
        return self.change(ask, request, [self.identity_of(pupil_id)], decide)

    def review_retention(self, ask: Ask, pupil_id: UUID, **stated: Any) -> Answer:
        """Decide whether a record is kept on or erased. Raises KeptUntilWrong, ReasonTooThin."""
        return self._on_retention(
            ask, pupil_id, "review_retention", stated,
            lambda known, stamp, **given: retention.review(stamp, **given),
        )  # fmt: skip

    def retention(self, pupil_id: UUID) -> Retention:
        """How long a pupil's record is kept. Raises NoSuchPupil."""
        return retention.replay(self._identity_events(pupil_id))

    def streams_about(self, pupil_id: UUID) -> list[UUID]:
        """Every stream of a pupil, requests among them, in the order they are erased in: the journey last."""
        own = self.streams_of(pupil_id)
        found = [stream for (stream,) in self.log.ask(STREAMS, pupil_id)]
        return [*(one for one in found if one != own.journey_id), own.journey_id]

    def erase_pupil(self, ask: Ask, pupil_id: UUID, *, request_id: UUID | None = None) -> Answer:
        """Erase everything of a pupil that has been decided on. Repeating it finishes what was broken off.

        Raises RecordOnHold, NotReviewed, OwnErasure, NoSuchPupil, NoSuchRequest.
        """
        request: Answer = {"do": "erase_pupil", "of": pupil_id, "request": request_id}
        answer = self.answered(ask, request) or self._decide_erasure(ask, request, pupil_id, request_id)
        reason = "erased on request" if answer["on_request"] else "erased after its retention was reviewed"
        for stream in map(UUID, answer["streams"]):
            if not self._erased(stream):
                self._erase(ask, stream, reason)
        self.forget(pupil_id)
        return {"pupil_id": str(pupil_id), "streams": len(answer["streams"]), "left": self._left(answer["streams"])}

    def _decide_erasure(self, ask: Ask, request: Answer, pupil_id: UUID, request_id: UUID | None) -> Answer:
        streams = self.streams_about(pupil_id)
        targets = [self.own(), self.identity_of(pupil_id)]
        if request_id is not None:
            targets.append(Target(request_id, StreamClass.IDENTITY, pupil_id))

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            asked = _request(loaded[2]) if request_id is not None else None
            if asked is not None and asked.asked.pupil_id != pupil_id:
                raise NoSuchRequest(NOT_HERE)
            decided_by = retention.check_erasing(retention.replay(loaded[1]), stamp.by.id, asked)
            on_request = asked is not None and decided_by == (asked.answered.by.id if asked.answered else None)
            made = retention.PupilErased(
                **stamp.fresh(), pupil_id=pupil_id, decided_by=decided_by, on_request=on_request, streams=len(streams)
            )
            answer = {"streams": [str(one) for one in streams], "on_request": on_request}
            return Decided([[made], *[[]] * (len(targets) - 1)], answer)

        return self.change(ask, request, targets, decide)

    def _erase(self, ask: Ask, stream: UUID, reason: str) -> None:
        at = self.clock()
        while True:
            fact = StreamErased(event_id=self.new_id(), recorded_at=at, by=ask.by, why=reason)
            try:
                self.log.erase_stream(stream, fact)
            except ClockBehind as behind:
                at = max(self.clock(), behind.previous)
            else:
                return

    def _erased(self, stream: UUID) -> bool:
        return self.log.erasure_report(stream).position >= 0

    def _left(self, streams: Sequence[str]) -> dict[str, int]:
        left: dict[str, int] = {}
        for stream in streams:
            for table, count in self.log.erasure_report(UUID(stream)).left.items():
                left[table] = left.get(table, 0) + count
        return left

    def _identity_events(self, pupil_id: UUID) -> list[Event]:
        stream = self.log.load(self.streams_of(pupil_id).identity_id)
        return [fact.event for fact in self.facts_of(pupil_id, stream)]

    def _on_family(self, ask: Ask, pupil_id: UUID, verb: str, stated: Answer, act: Act) -> Answer:
        return self._on(ask, self.identity_of(pupil_id), verb, pupil_id, stated, family.replay, act)

    def _on_retention(self, ask: Ask, pupil_id: UUID, verb: str, stated: Answer, act: Act) -> Answer:
        return self._on(ask, self.identity_of(pupil_id), verb, pupil_id, stated, retention.replay, act)

    def _restricting(self, ask: Ask, pupil_id: UUID, verb: str, stated: Answer, act: Act) -> Answer:
        target = self.journey_of(pupil_id)
        return self._on(ask, target, verb, pupil_id, stated, state.replay, act, pupil_id=pupil_id)

    def _on_request(self, ask: Ask, request_id: UUID, verb: str, stated: Answer, act: Act) -> Answer:
        target = Target(request_id, StreamClass.IDENTITY, self.request(request_id).asked.pupil_id)
        return self._on(ask, target, verb, request_id, stated, _request, act, request_id=request_id)

    def _on(
        self, ask: Ask, target: Target, verb: str, of: UUID, stated: Answer, replay: Callable[[list[Event]], Any],
        act: Act, **told: Any,
    ) -> Answer:  # fmt: skip
        """Decide on one stream; ``told`` goes into the answer beside the events."""

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            made = act(replay(loaded[0]), stamp, **stated)
            return Decided([made], _done(made, **told))

        return self.change(ask, {**stated, "do": verb, "of": of}, [target], decide)


def _request(events: list[Event]) -> Request:
    found = requests.replay(events)
    assert found.asked
    return found


def _done(made: Sequence[Event], **more: Any) -> Answer:
    return {**{name: str(value) for name, value in more.items()}, "events": [str(one.event_id) for one in made]}
