"""The commands about a school's staff: who works there, in which roles, trained in what, and who broke the glass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from astrack.changing import Answer, Ask, Changing, Decided, Target
from astrack.store.keys import CLASSES
from domain import staff
from domain.base import Event, Stamp, StreamClass
from domain.scope import Scope
from domain.staff import Staff, StaffRole

STAFF_MAX = 5000


class StaffRecords(Changing):
    """What is decided about members of staff. Their stream has their own id."""

    def add_staff(
        self, ask: Ask, *, staff_id: UUID, name: str, kind: Literal["person", "service"] = "person"
    ) -> Answer:
        """Add somebody, or a service client such as a roster system."""
        request: Answer = {"name": name, "kind": kind}
        return self._on_staff(
            ask, staff_id, "add_staff", request,
            lambda state, stamp: staff.add(state, stamp, staff_id=staff_id, name=name, kind=kind),
        )  # fmt: skip

    def grant_role(
        self, ask: Ask, staff_id: UUID, *, grant_id: UUID, role: StaffRole, scope: Scope, until: date | None = None
    ) -> Answer:
        """Allow a role. Raises StaffUnknown, StaffAlreadyLeft, OwnRoleGranted, ScopeMissing, GrantRunsOut."""
        dimensions = {name: sorted(names) for name, names in scope.dimensions.items()}
        request: Answer = {
            "grant": grant_id,
            "role": role,
            "everyone": scope.everyone,
            "scope": dimensions,
            "until": until,
        }
        return self._on_staff(
            ask, staff_id, "grant_role", request,
            lambda state, stamp: staff.grant(state, stamp, grant_id=grant_id, role=role, scope=scope, until=until),
        )  # fmt: skip

    def withdraw_role(self, ask: Ask, staff_id: UUID, *, grant_id: UUID, why: str = "") -> Answer:
        """Take a grant back; it holds from the next request on. Raises StaffUnknown, NoSuchGrant."""
        return self._on_staff(
            ask, staff_id, "withdraw_role", {"grant": grant_id, "why": why},
            lambda state, stamp: staff.withdraw(state, stamp, grant_id=grant_id, why=why),
        )  # fmt: skip

    def record_training(self, ask: Ask, staff_id: UUID, *, module: str, on: date, skill: float | None = None) -> Answer:
        """Record a finished training module. Raises StaffUnknown, StaffAlreadyLeft."""
        return self._on_staff(
            ask, staff_id, "record_training", {"module": module, "on": on, "skill": skill},
            lambda state, stamp: staff.record_training(state, stamp, module=module, on=on, skill=skill),
        )  # fmt: skip

    def issue_sign_in(
        self, ask: Ask, staff_id: UUID, *, kind: Literal["code", "key"], good_until: datetime, only: Sequence[str] = ()
    ) -> Answer:
        """Put on record that a code or key is being made for somebody. Raises StaffUnknown, StaffAlreadyLeft."""
        return self._on_staff(
            ask, staff_id, "issue_sign_in", {"kind": kind, **({"only": list(only)} if only else {})},
            lambda state, stamp: staff.issue_sign_in(state, stamp, kind=kind, good_until=good_until, only=only),
        )  # fmt: skip

    def reset_factor(self, ask: Ask, staff_id: UUID) -> Answer:
        """Put on record that a lost second factor is taken away. Raises StaffUnknown, OwnFactorTakenAway."""
        return self._on_staff(ask, staff_id, "reset_factor", {}, staff.take_factor_away)

    def staff_leave(self, ask: Ask, staff_id: UUID, *, on: date) -> Answer:
        """A member of staff leaves; every grant ends. Raises StaffUnknown."""
        return self._on_staff(
            ask, staff_id, "staff_leave", {"on": on}, lambda state, stamp: staff.leave(state, stamp, on=on)
        )

    def break_glass(
        self, ask: Ask, staff_id: UUID, *, glass_id: UUID, pupil_id: UUID, reason: str, minutes: int
    ) -> Answer:
        """Open one pupil's record for a while. Raises StaffUnknown, GlassReasonMissing, NoSuchPupil."""
        self.streams_of(pupil_id)
        request: Answer = {"glass": glass_id, "about": pupil_id, "reason": reason, "minutes": minutes}
        return self._on_staff(
            ask, staff_id, "break_glass", request,
            lambda state, stamp: staff.break_glass(
                state, stamp, glass_id=glass_id, pupil_id=pupil_id, reason=reason, minutes=minutes
            ),
        )  # fmt: skip

    def review_glass(self, ask: Ask, staff_id: UUID, *, glass_id: UUID, in_order: bool, note: str = "") -> Answer:
        """Judge why the glass was broken. Raises StaffUnknown, NoSuchGlass, OwnGlassReviewed."""
        request: Answer = {"glass": glass_id, "in_order": in_order, "note": note}
        return self._on_staff(
            ask, staff_id, "review_glass", request,
            lambda state, stamp: staff.review_glass(state, stamp, glass_id=glass_id, in_order=in_order, note=note),
        )  # fmt: skip

    def staff_state(self, staff_id: UUID) -> Staff:
        """One member of staff as the facts state them; an unknown id is somebody without facts."""
        return staff.replay(fact.event for fact in self.log.load(staff_id).facts)

    def staff_states(self, staff_ids: Sequence[UUID]) -> list[Staff]:
        """Several members of staff in the order asked, read at once."""
        return [staff.replay(fact.event for fact in one.facts) for one in self.log.load_many(staff_ids)]

    def staff_ids(self, limit: int = STAFF_MAX, after: UUID | None = None) -> list[UUID]:
        """The ids of everybody who has a staff stream here, in order, those after ``after``."""
        query = (
            "SELECT DISTINCT stream_id FROM keys.stream_keys WHERE school_id = %s AND class = %s"
            " AND (%s::uuid IS NULL OR stream_id > %s) ORDER BY stream_id LIMIT %s"
        )
        rows = self.log.ask(query, CLASSES[StreamClass.STAFF], after, after, min(limit, STAFF_MAX))
        return [staff_id for (staff_id,) in rows]

    def _on_staff(
        self, ask: Ask, staff_id: UUID, verb: str, arguments: Answer, act: Callable[[Staff, Stamp], list[Event]]
    ) -> Answer:
        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            state = staff.replay(loaded[0])
            if loaded[0] and state.added is None:
                raise staff.StaffUnknown("this id belongs to something else at this school: make a fresh one")
            events = act(state, stamp)
            return Decided([events], {"staff_id": str(staff_id), "events": [str(one.event_id) for one in events]})

        return self.change(
            ask, {**arguments, "do": verb, "of": staff_id}, [Target(staff_id, StreamClass.STAFF)], decide
        )
