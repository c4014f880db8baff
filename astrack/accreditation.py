"""Accreditation of a school: evidence counted from its record, awards on record, the badge and the public register."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from astrack.app import App
from astrack.changing import Answer, Ask, Decided, Target
from astrack.newest import Newest
from astrack.records import Records
from astrack.records.support import Support
from astrack.store import SchoolUnknown
from astrack.store.vault import Vault
from domain import accreditation
from domain.accreditation import Accreditation, AccreditationAwarded, Evidence, NoSuchAward, Practice
from domain.authority import RULES, Action
from domain.base import Event, Stamp, StreamClass
from domain.small import SMALLEST
from domain.staff import FIRST_MODULE
from projections import practice
from transfer import badge

STREAM, KEY = "accreditation", "badge/rsa-1"
YEAR = timedelta(days=365)
REGISTERED_MAX = 1000
STATES = {"stands": "stands", "to come": "begins later", "expired": "has expired", "revoked": "was revoked"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the public register. ``state``: "stands", "to come", "expired" or "revoked"."""

    school_id: UUID
    school: str
    award: AccreditationAwarded
    state: str


class Accrediting:
    """What is decided and shown about the accreditation of one school."""

    def __init__(self, app: App, records: Records) -> None:
        self.app, self.records = app, records

    @property
    def school_id(self) -> UUID:
        """Which school."""
        return self.records.school_id

    @property
    def name(self) -> str:
        """What the school is called."""
        registered = self.records.school_state().registered
        return registered.school.name if registered else "A school without a name yet"

    def state(self) -> Accreditation:
        """The awards as the school's facts state them."""
        return accreditation.replay(fact.event for fact in self.records.log.load(self._target.stream_id).facts)

    def evidence(self, today: date) -> tuple[Evidence, ...]:
        """The claims of the four areas counted over the year up to a day."""
        return accreditation.evidence(self.practice(today))

    def practice(self, today: date) -> Practice:
        """What the record counts over the year up to a day, counted again only where the record has grown."""
        return COUNTED.of(self.school_id, (self.records.log.size(), today), partial(self._counted, today))

    def _counted(self, today: date) -> Practice:
        self.app.views.catch_up(self.school_id)
        with self.app.views.reading(self.school_id) as cur:
            found = practice.counted(cur, self.school_id, since=today - YEAR, until=today)
        made_on = [one.day for one in Support(self.records).reports_made()]
        return Practice(
            sat=found.sat, signs_reviewed=found.signs_reviewed, unmarked_reviewed=found.unmarked_reviewed,
            talks_taken_up=found.talks_taken_up, plans_looked_at=found.plans_looked_at,
            plans_closed=found.plans_closed, staff_trained=self._trained(today),
            rounds_with_impact=practice.reported(found.rounds, made_on, today),
        )  # fmt: skip

    def _trained(self, today: date) -> tuple[int, int]:
        """Of the people whose role opens pupils' records here, how many have shown the first level."""
        states = self.records.staff_states(self.records.staff_ids())
        gated = {role for role, cell in RULES[Action.WRITE_PLANS].cells.items() if cell != "-"}
        seeing = [one for one in states if any(grant.role in gated for grant in one.standing(today))]
        return sum(FIRST_MODULE in one.trained for one in seeing), len(seeing)

    def award(self, ask: Ask, *, award_id: UUID, accreditor: str, interests: str, from_on: date, until: date) -> Answer:
        """Award, on what the record shows now. Raises what ``domain.accreditation.award`` raises."""
        today = self.app.clock().date()
        shown = self.evidence(today)
        roles = frozenset(one.role for one in self.records.staff_state(ask.by.id).standing(today))

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            made = accreditation.award(
                accreditation.replay(loaded[0]), stamp, award_id=award_id, accreditor=accreditor, interests=interests,
                shown=shown, from_on=from_on, until=until, roles=roles,
            )  # fmt: skip
            return Decided([made], {"award_id": str(award_id)})

        request: Answer = {"do": "award", "id": award_id, "by": accreditor, "interests": interests, "from": from_on,
                           "until": until}  # fmt: skip
        return self.records.change(ask, request, [self._target], decide)

    def revoke(self, ask: Ask, *, award_id: UUID, why: str) -> Answer:
        """Take an award back. Raises NoSuchAward."""

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            made = accreditation.revoke(accreditation.replay(loaded[0]), stamp, award_id=award_id, why=why)
            return Decided([made], {"award_id": str(award_id)})

        return self.records.change(ask, {"do": "revoke", "id": award_id, "why": why}, [self._target], decide)

    def registered(self, today: date) -> list[Entry]:
        """This school's lines of the public register, the newest first."""
        state = self.state()
        name = self.name if state.awards else ""
        made = [Entry(self.school_id, name, one, _stands(state, one, today)) for one in state.awards.values()]
        return sorted(made, key=lambda one: one.award.from_on, reverse=True)

    def entry(self, award_id: UUID, today: date) -> Entry:
        """One line of the register. Raises NoSuchAward."""
        found = next((one for one in self.registered(today) if one.award.award_id == award_id), None)
        if found is None:
            raise NoSuchAward("there is no such award on the register: see the list")
        return found

    def badge(self, award_id: UUID, base: str) -> str:
        """The signed badge of an award, revoked or not: what it says is what was awarded. Raises NoSuchAward."""
        one = self.entry(award_id, self.app.clock().date()).award
        body = badge.credential(_said(one, self.school_id, self.name), base)
        return badge.sign(body, self.key(), f"{base}/key")

    def revocations(self, base: str) -> str:
        """The signed list of revocations."""
        body = badge.status_list(sorted(self.state().revoked), self.app.clock(), base)
        return badge.sign(body, self.key(), f"{base}/key")

    def key(self) -> rsa.RSAPrivateKey:
        """The key that signs this school's badges, made at first use and kept under the school's key."""
        vault = Vault(self.records.log)
        kept = vault.kept(KEY)
        if kept is None:
            fresh = badge.new_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            kept = vault.keep(KEY, fresh, self.app.clock())
        key = load_der_private_key(kept, None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key

    @property
    def _target(self) -> Target:
        return Target(uuid5(self.school_id, STREAM), StreamClass.SCHOOL)


COUNTED: Newest[UUID, Practice] = Newest(REGISTERED_MAX)
"""What each school's record counts, with the size of its log and the day it is of."""
LINES: Newest[UUID, list[Entry]] = Newest(REGISTERED_MAX)
"""Each school's public lines, with the size of its log and the day they are of."""


def register(app: App, today: date, limit: int = REGISTERED_MAX) -> list[Entry]:
    """Every award of every school kept here, by school; schools without one are not named.

    A school is read again only when its log has grown, or the day has changed.
    """
    found: list[Entry] = []
    sizes = app.store.sizes()
    for school_id in app.store.schools()[:limit]:
        ours = Accrediting(app, app.school(school_id))
        found += LINES.of(school_id, (sizes[school_id], today), partial(ours.registered, today))
    return sorted(found, key=lambda one: (one.school.casefold(), one.award.until))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the register says of a badge whose signature is right; ``good`` where its award stands today."""

    entry: Entry
    state: str
    good: bool


def verdict_of(app: App, token: str) -> Verdict:
    """What this register says of a badge. Raises BadBadge, NoSuchAward."""
    claims = badge.claimed(token)
    subject = claims.get("credentialSubject")
    ids = (str(claims.get("id")), str(subject.get("id")) if isinstance(subject, dict) else "")
    try:
        award_id, school_id = (UUID(one.removeprefix("urn:uuid:")) for one in ids)
    except ValueError as error:
        raise badge.BadBadge("it is not a badge of this register", "badge") from error
    ours = on_register(app, school_id)
    badge.check(token, ours.key().public_key())
    entry = ours.entry(award_id, app.clock().date())
    return Verdict(entry, STATES[entry.state], entry.state == "stands")


def on_register(app: App, school_id: UUID) -> Accrediting:
    """One school's register; a school without an award is answered like one that does not exist. Raises NoSuchAward."""
    try:
        ours = Accrediting(app, app.school(school_id))
    except SchoolUnknown:
        raise NoSuchAward("there is no such award on the register: see the list") from None
    if not ours.state().awards:
        raise NoSuchAward("there is no such award on the register: see the list")
    return ours


def _stands(state: Accreditation, one: AccreditationAwarded, today: date) -> str:
    if one.award_id in state.revoked:
        return "revoked"
    if today > one.until:
        return "expired"
    return "stands" if one.from_on <= today else "to come"


def counted(one: Evidence) -> str:
    """A claim with its count, as the public may see it: under ten no pupils are counted out loud."""
    if not one.of:
        return f"{one.claim}: nothing to count"
    if one.hidden:
        return f"{one.claim}: {'shown' if one.met else 'not shown'} (fewer than {SMALLEST}, not counted in public)"
    return f"{one.claim}: {one.count} of {one.of} ({one.count / one.of:.0%}; {one.needed:.0%} needed)"


def _said(one: AccreditationAwarded, school_id: UUID, name: str) -> badge.Award:
    first, last = (datetime.combine(day, time(), UTC) for day in (one.from_on, one.until + timedelta(days=1)))
    return badge.Award(one.award_id, school_id, name, one.accreditor, one.interests, first, last,
                       tuple(counted(line) for line in one.evidence))  # fmt: skip
