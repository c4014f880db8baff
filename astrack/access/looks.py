"""Every look on record: a log of its own beside each school's, with the same chain and the same proofs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from astrack.store import Change, ClockBehind, SchoolLog, Store, looks_log
from astrack.views import Views
from domain.authority import RULES, Action, Reason, Viewer
from domain.base import Actor, Event, Fact, Stamp, StreamClass
from domain.look import FAMILY, GLASS, PURPOSES, LookRefused, LookTaken
from domain.staff import OPERATOR
from projections import looks
from projections.shape import projection

EVERYTHING = "everything"
"""The class of fields of a look that no table narrows."""


class Looks:
    """The look logs of all schools of an installation."""

    def __init__(self, store: Store, clock: Callable[[], datetime], new_id: Callable[[], UUID]) -> None:
        self._store, self._clock, self._new_id = store, clock, new_id
        self._begun: set[UUID] = set()
        self.views = Views(store, (projection(looks),))

    def log(self, school_id: UUID) -> SchoolLog:
        """The look log of a school, begun at its first use."""
        look_id = looks_log(school_id)
        if look_id not in self._begun:
            self._store.create_school(look_id, self._clock())
            self._begun.add(look_id)
        return self._store.log(look_id)

    def taken(self, viewer: Viewer, action: Action, pupils: Sequence[UUID] = ()) -> None:
        """Put a look on record before its answer is given. Raises StoreUnavailable: then nothing is shown."""
        field_class = RULES[action].field_class
        glass = bool(viewer.glass.intersection(pupils)) and RULES[action].cells.get(viewer.role) == "glass"
        purpose = GLASS if glass else PURPOSES.get(viewer.role, "unknown")
        self._append(
            viewer.school_id,
            viewer.actor,
            lambda stamp: LookTaken(
                **stamp.fresh(), action=action, field_class=field_class, purpose=purpose, pupils=tuple(pupils)
            ),
        )

    def by_operator(self, school_id: UUID, actor: Actor, command: str, pupils: Sequence[UUID] = ()) -> None:
        """Put a look by whoever runs the machine on record, by the command; it could show anything of these pupils."""
        self._append(
            school_id, actor,
            lambda stamp: LookTaken(
                **stamp.fresh(), action=command, field_class=EVERYTHING, purpose=PURPOSES[OPERATOR],
                pupils=tuple(pupils),
            ),
        )  # fmt: skip

    def refused(self, viewer: Viewer, action: Action, reason: Reason, pupil_id: UUID | None) -> None:
        """Put a refused look on record."""
        self._append(
            viewer.school_id, viewer.actor,
            lambda stamp: LookRefused(**stamp.fresh(), action=action, reason=reason.name, pupil_id=pupil_id),
        )  # fmt: skip

    def of_pupil(
        self,
        school_id: UUID,
        pupil_id: UUID,
        limit: int,
        *,
        for_pupil: bool,
        not_by: UUID | None = None,
        without: Sequence[str] = (),
        before: int | None = None,
    ) -> list[looks.Row]:
        """The newest looks at one pupil, newest first; ``for_pupil``: only those shown without a review.

        ``not_by`` leaves one person's looks out, ``without`` those of some roles; ``before`` is the position of the
        last one seen.
        """
        log_id = self.log(school_id).school_id
        self.views.catch_up(log_id)
        with self.views.reading(log_id) as cur:
            return looks.of_pupil(
                cur, log_id, pupil_id, shown_only=for_pupil, not_by=not_by, without=without, before=before, limit=limit
            )

    def told(self, viewer: Viewer, pupil_id: UUID, limit: int, *, not_by: UUID | None = None) -> list[looks.Row]:
        """The newest looks at one pupil that a viewer is told of, newest first: families what needs no review."""
        without = FAMILY if viewer.role == "parent" else ()
        family = viewer.role in FAMILY
        return self.of_pupil(viewer.school_id, pupil_id, limit, for_pupil=family, not_by=not_by, without=without)

    def logs(self) -> list[UUID]:
        """The ids of the look logs there are."""
        there = set(self._store.logs())
        return [log_id for school in self._store.schools() if (log_id := looks_log(school)) in there]

    def page(self, school_id: UUID, after: int, limit: int) -> list[Fact]:
        """At most ``limit`` looks and refusals after a position, in order."""
        return self.log(school_id).page(after, limit)

    def _append(self, school_id: UUID, actor: Actor, made: Callable[[Stamp], Event]) -> None:
        log, at = self.log(school_id), self._clock()
        # each look is a stream of its own: nobody waits for anybody, and the log's order is the order of looks
        event, stream_id = made(Stamp(at, actor, self._new_id)), self._new_id()
        while True:
            try:
                log.append([Change(stream_id, StreamClass.SCHOOL, -1, (event,))], idempotency=None)
            except ClockBehind as behind:
                event = event.restamped(max(self._clock(), behind.previous))
            else:
                return
