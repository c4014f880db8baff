"""A roster that comes by itself: read once a day from the school's own system, taken in by the rules of any roster.

Nobody looks at the plan before it is carried out, so one that takes many off the roll waits whole for a person.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from astrack import roster
from astrack.changing import Answer, Ask, Decided
from astrack.records import Records
from astrack.roster import asking
from astrack.roster.asking import Source
from astrack.store.vault import Vault
from domain.base import DomainError
from domain.identity import SchoolName
from transfer.errors import TransferRefused

SOURCE, LAST = "roster source", "roster last"
AGAIN_AFTER = timedelta(hours=1)
Came = Literal["taken_in", "nothing_new", "waits", "failed"]
Fetch = Callable[[Source, SchoolName | None], bytes]


class NoRosterSource(DomainError):
    """The school has no system here that its roster is read from."""


@dataclass(frozen=True, slots=True)
class Pull:
    """One reading: when, what came of it, and one sentence for people, which names nobody."""

    at: datetime
    came: Came
    said: str


class RosterSource:
    """The system that one school's roster is read from."""

    def __init__(self, records: Records, fetch: Fetch = asking.fetch) -> None:
        self._records, self._vault, self._fetch = records, Vault(records.log), fetch

    def set(self, ask: Ask, source: Source) -> Answer:
        """Read the roster from there from now on; another one was set before, or none. Raises AddressWrong."""
        return self._set(ask, source.checked())

    def end(self, ask: Ask) -> Answer:
        """Read it from nowhere any more."""
        return self._set(ask, None)

    def _set(self, ask: Ask, source: Source | None) -> Answer:
        content = json.dumps(asdict(source) if source else None).encode()
        # a request is kept by its digest alone, which must not lead back to the secret
        digest = hashlib.sha256(self._records.log.secret() + content).hexdigest()
        kept = self._vault.stand(SOURCE, self._records.clock(), [content])
        request = {"do": "set_roster_source", "source": digest}
        return self._records.change(ask, request, [], lambda *_: Decided([], also=lambda _: [kept]))

    def get(self) -> Source | None:
        """Where it is read from; None when nothing was set, or it was ended."""
        found = self._vault.standing(SOURCE)
        said = json.loads(found[0]) if found else None
        return Source(**said) if said else None

    def last(self) -> Pull | None:
        """The last reading."""
        found = self._vault.standing(LAST)
        if not found:
            return None
        said = json.loads(found[0])
        return Pull(datetime.fromisoformat(said["at"]), said["came"], said["said"])

    def due(self) -> bool:
        """Whether it is to be read now: once a day, and hourly while it fails."""
        last, now = self.last(), self._records.clock()
        if self.get() is None:
            return False
        return last is None or last.at.date() < now.date() or (last.came == "failed" and now - last.at >= AGAIN_AFTER)

    def file(self) -> bytes:
        """The roster as it is there now, as a OneRoster zip. Raises NoRosterSource and as ``asking.fetch``."""
        source = self.get()
        if source is None:
            raise NoRosterSource("no system is named here that the roster is read from: set one first")
        registered = self._records.school_state().registered
        return self._fetch(source, registered.school if registered else None)

    def pull(self, ask: Ask) -> Pull:
        """Read the roster and take it in; what stops that is told and kept, nothing else. Raises NoRosterSource."""
        try:
            plan = roster.plan(self._records, self.file(), self._records.clock().date())
            if plan.many_leavers:
                missing = f"{plan.missing} of {plan.on_roll} pupils on roll are not in it"
                return self._kept("waits", f"{missing}: somebody must look, and say it is right")
            if plan.size:
                roster.apply(self._records, ask.part(roster.digest(plan)), plan)
        except NoRosterSource:
            raise
        except (DomainError, TransferRefused) as refused:
            return self._kept("failed", str(refused))
        told = (("new", plan.new), ("back", plan.returning), ("changed", plan.changed), ("left", plan.leavers),
                ("held back", plan.held_back))  # fmt: skip
        counts = ", ".join(f"{len(some)} {name}" for name, some in told if some)
        return self._kept("taken_in" if plan.size else "nothing_new", counts or "the roll is as it was")

    def _kept(self, came: Came, said: str) -> Pull:
        made = Pull(self._records.clock(), came, said)
        content = json.dumps({"at": made.at.isoformat(), "came": came, "said": said}).encode()
        self._vault.log.tell([self._vault.stand(LAST, made.at, [content])])
        return made
