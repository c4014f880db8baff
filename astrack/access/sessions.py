"""Signing in, being signed in, signing out: sessions that end, that can be ended at once, and that hold no secret."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from astrack.access import Choice, Factor, Signed, SignInNeeded, SignInRefused, TooManyAttempts, clients
from astrack.access.credentials import KEY_PREFIX, Credentials, Found, read_token, token
from astrack.access.factors import FactorRefused, Factors
from astrack.access.throttle import Allowance, Tries
from astrack.records import Records
from astrack.store import SchoolUnknown
from domain import staff
from domain.authority import RULES, Action, Viewer
from domain.scope import Scope

if TYPE_CHECKING:
    from astrack.app import App

LOG = logging.getLogger(__name__)
"""Who signs in and who is refused, by school and kind; of staff the account's id too, of a family nothing more."""

NOT_OLD = "that is not the password you have now: type it again, or ask your administrator for a new code"
LASTS = {"staff": timedelta(hours=8), "pupil": timedelta(hours=2), "parent": timedelta(hours=1)}
KINDS = {"code": "staff", "card": "pupil", "letter": "parent"}
LETTER_ONLY = frozenset({Action.OPT_OUT, Action.ASK_RIGHT, Action.SEE_RIGHTS, Action.SEE_SCHOOL, Action.SEE_NAME})
"""What the code of a letter opens that was not written to a verified relation: saying no needs none."""
NOBODY = "none"
"""The role of somebody who works here and was granted nothing: no line of the table of authority names it."""
WRONG = "that card or code is not one we know, or its time is up: check it letter by letter, or ask for a new one"
NEEDED = "nobody is signed in, or the session has ended: sign in first"

IDLE = {"staff": timedelta(minutes=60), "pupil": timedelta(minutes=30), "parent": timedelta(minutes=15)}
"""How long a session may lie unused; a tablet that was put down in a lesson is signed out before the next."""
SEEN_EVERY = timedelta(minutes=1)
NEEDS_FACTOR = frozenset(
    role
    for role in staff.ROLES
    if RULES[Action.SEE_STORY].cells[role] != "-" or RULES[Action.MANAGE_STAFF].cells[role] != "-"
)
"""Roles that see pupils' scores, or that make accounts."""

OPEN = (
    "INSERT INTO record.sessions (school_id, session_id, account_id, about, kind, verifier, made_at, expires_at,"
    " seen_at, proved_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
FIND = "EXECUTE find_session (%s, %s)"
TOUCH = (
    "WITH asked AS (SELECT %s::uuid AS school, %s::uuid AS id, %s::timestamptz AS at)"
    " UPDATE record.sessions s SET seen_at = asked.at FROM asked"
    " WHERE s.school_id = asked.school AND s.session_id = asked.id"
)
PROVE = TOUCH.replace("SET seen_at = asked.at", "SET proved_at = asked.at")
END = "DELETE FROM record.sessions WHERE school_id = %s AND session_id = %s"
CHOOSE = (
    "WITH asked AS (SELECT %s::uuid AS school, %s::uuid AS id, %s::uuid AS grant_id)"
    " UPDATE record.sessions s SET grant_id = asked.grant_id FROM asked"
    " WHERE s.school_id = asked.school AND s.session_id = asked.id RETURNING 1"
)
# (burst, a minute): a class of thirty that mistypes twice each passes at once
HERE, EVERYWHERE, NAMED = Allowance(60, 30), Allowance(300, 60), Allowance(10, 2)
FACTOR = Allowance(5, 1)
"""Six digits are guessed in a million tries: one a minute is nobody's way in."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A fresh session: ``cookie`` is shown to the browser once and kept nowhere."""

    cookie: str
    device: str
    signed: Signed


class Sessions:
    """The sessions of all schools of an installation. Safe to share between threads."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._credentials: dict[UUID, Credentials] = {}

    def credentials(self, school_id: UUID) -> Credentials:
        """The credentials of a school. Raises SchoolUnknown."""
        if school_id not in self._credentials:
            self._credentials[school_id] = Credentials(self._app.school(school_id).log, self._now)
        return self._credentials[school_id]

    def factors(self, school_id: UUID) -> Factors:
        """The second factors of a school's staff. Raises SchoolUnknown."""
        return Factors(self._app.school(school_id).log, self._now)

    def tries(self, school_id: UUID) -> Tries:
        """How often wrong sign-ins may be tried at a school. Raises SchoolUnknown."""
        return Tries(self._app.school(school_id).log, self._now, self.credentials(school_id).hashed)

    def sign_in(self, school_id: UUID, typed: str, *, address: str, device: str | None = None) -> Opened:
        """Exchange a card, a code or a letter for a session. Raises SignInRefused, TooManyAttempts, SchoolUnknown."""
        credentials = self.credentials(school_id)

        def found() -> Found | None:
            one = credentials.find_typed(typed)
            return one if one and one.kind in KINDS and credentials.use(one) else None

        return self._try(school_id, found, address, device)

    def sign_in_named(
        self, school_id: UUID, name: str, password: str, *, address: str, device: str | None = None
    ) -> Opened:
        """Exchange a name and a password for a session. Raises SignInRefused, TooManyAttempts, SchoolUnknown."""
        credentials = self.credentials(school_id)
        return self._try(school_id, lambda: credentials.find_password(name, password), address, device, name)

    def sign_in_linked(self, school_id: UUID, issuer: str, subject: str, *, device: str | None, proved: bool) -> Opened:
        """A session for whom a provider signed in, ``proved`` where with a second factor. Raises SignInRefused."""
        found = self.credentials(school_id).find_link(issuer, subject)
        if found is None:
            LOG.warning("sign-in refused: school %s, provider", school_id)
            raise SignInRefused("this account is not linked to anybody here: sign in with your code once, and link it")
        known = self._device(school_id, device)
        return self._open(school_id, found, known or secrets.token_urlsafe(16), proved=proved)

    def prove(self, signed: Signed, check: Callable[[Factors], None]) -> None:
        """Pass with a second factor. ``check`` raises FactorRefused, which costs a try. Raises TooManyAttempts."""
        self._tried(signed, lambda: check(self.factors(signed.viewer.school_id)))
        self.mark_proved(signed)

    def set_password(self, signed: Signed, name: str, password: str, old: str) -> None:
        """A name and a password for whoever is signed in; every other session of theirs ends. Who has one already says
        it (``old``). Raises FactorRefused, TooManyAttempts, PasswordUnfit, NameTaken.
        """
        school, account = signed.viewer.school_id, signed.viewer.id
        credentials = self.credentials(school)

        def check() -> None:
            if not credentials.is_password(account, old):
                raise FactorRefused(NOT_OLD)

        if credentials.has_password(account):
            self._tried(signed, check)
        credentials.set_password(account, name, password)
        self.end_all(school, account, but=signed.session_id)

    def _tried(self, signed: Signed, check: Callable[[], None]) -> None:
        """``check`` raises FactorRefused, which costs one of the few tries an account has."""
        school, account = signed.viewer.school_id, signed.viewer.id
        tries, name = self.tries(school), f"factor/{account}"
        if wait := tries.wait(FACTOR, name):
            LOG.warning("second factor slowed: school %s, account %s", school, account)
            raise TooManyAttempts(wait)
        try:
            check()
        except FactorRefused:
            LOG.warning("second factor refused: school %s, account %s", school, account)
            tries.spend(FACTOR, name)
            raise

    def mark_proved(self, signed: Signed) -> None:
        """This session has shown a second factor."""
        if signed.session_id is not None:
            LOG.info("second factor given: school %s, account %s", signed.viewer.school_id, signed.viewer.id)
            self._app.school(signed.viewer.school_id).log.ask(PROVE, signed.session_id, self._now())

    def _try(
        self,
        school_id: UUID,
        find: Callable[[], Found | None],
        address: str,
        device: str | None,
        name: str = "",
    ) -> Opened:
        tries, known = self.tries(school_id), self._device(school_id, device)
        names = self._allowances(tries, address, known, name)
        wait = max((tries.wait(allowance, one) for allowance, one in names), default=timedelta(0))
        if wait:
            LOG.warning("sign-in slowed: school %s", school_id)
            raise TooManyAttempts(wait)
        found = find()
        if found is None:
            LOG.warning("sign-in refused: school %s, %s", school_id, "password" if name else "code")
            for allowance, one in names:
                tries.spend(allowance, one)
            raise SignInRefused(WRONG)
        tries.remember(address)
        return self._open(school_id, found, known or secrets.token_urlsafe(16))

    def signed(self, cookie: str | None, bearer: str | None = None) -> Signed:
        """Who a cookie or a bearer token stands for, as of now. Raises SignInNeeded."""
        if bearer is not None:
            return self._by_key(bearer)
        parts = read_token(cookie or "")
        records = self._school(parts[0]) if parts else None
        if parts is None or records is None:
            raise SignInNeeded(NEEDED)
        _, session_id, secret = parts
        rows = records.log.ask(FIND, session_id)
        kept = rows[0][4] if rows else bytes(32)
        fits = hmac.compare_digest(kept, hashlib.sha256(secret).digest())
        if not rows or not fits:
            raise SignInNeeded(NEEDED)
        self._stay(records, session_id, rows[0])
        return replace(self._as(records, session_id, rows[0][:8]), shown=rows[0][8])

    def _stay(self, records: Records, session_id: UUID, row: tuple[Any, ...]) -> None:
        """End a session that is over or lay unused too long; else note that it is used. Raises SignInNeeded."""
        now, seen_at = self._now(), row[7]
        if row[5] <= now or now - seen_at > IDLE[row[2]]:
            records.log.ask(END, session_id)
            raise SignInNeeded(NEEDED)
        if now - seen_at > SEEN_EVERY:
            records.log.ask(TOUCH, session_id, now)

    def choose(self, signed: Signed, grant_id: UUID) -> None:
        """Act in another of one's roles from the next request on. Raises NoSuchGrant."""
        if signed.session_id is None or grant_id not in {one.grant_id for one in signed.choices}:
            raise staff.NoSuchGrant("this is not a role of yours here: choose one from your list")
        self._app.school(signed.viewer.school_id).log.ask(CHOOSE, signed.session_id, grant_id)

    def sign_out(self, signed: Signed) -> None:
        """End one session at once."""
        if signed.session_id is not None:
            LOG.info("signed out: school %s, %s", signed.viewer.school_id, _whose(signed.viewer.role, signed.viewer.id))
            self._app.school(signed.viewer.school_id).log.ask(END, signed.session_id)

    def revoke(self, school_id: UUID, account_id: UUID) -> None:
        """End every session of an account and destroy everything it could sign in with, at once."""
        self.credentials(school_id).drop(account_id)
        self.drop_factor(school_id, account_id)

    def drop_factor(self, school_id: UUID, account_id: UUID) -> None:
        """Destroy an account's second factors, and end every session of it, at once."""
        self.factors(school_id).drop(account_id)
        self.end_all(school_id, account_id)

    def end_all(self, school_id: UUID, account_id: UUID, but: UUID | None = None) -> None:
        """End every session of an account at once, ``but`` one; what it signs in with stays."""
        LOG.info("sessions ended: school %s", school_id)
        query = (
            "DELETE FROM record.sessions WHERE school_id = %s AND account_id = %s AND session_id IS DISTINCT FROM %s"
        )
        self._app.school(school_id).log.ask(query, account_id, but)

    def _open(self, school_id: UUID, found: Found, device: str, *, proved: bool = False) -> Opened:
        records = self._app.school(school_id)
        kind, at = KINDS.get(found.kind, "staff"), self._now()
        session_id, secret = UUID(bytes=secrets.token_bytes(16)), secrets.token_bytes(32)
        until = at + LASTS[kind]
        verifier = hashlib.sha256(secret).digest()
        records.log.ask("DELETE FROM record.sessions WHERE school_id = %s AND expires_at < %s", at)
        proved_at = at if proved else None
        if found.kind == "code":
            # a new code is what the office gives to whoever has forgotten their password
            self.credentials(school_id).drop(found.account_id, "password")
        records.log.ask(OPEN, session_id, found.account_id, found.about, kind, verifier, at, until, at, proved_at)
        LOG.info("signed in: school %s, %s by %s", school_id, _whose(kind, found.account_id), found.kind)
        row = (found.account_id, found.about, kind, None, verifier, until, proved_at, at)
        cookie = token(school_id, session_id, secret)
        return Opened(cookie, self._sealed_device(school_id, device), self._as(records, session_id, row))

    def _as(self, records: Records, session_id: UUID | None, row: tuple[Any, ...]) -> Signed:
        account_id, about, kind, grant_id, _, until, proved_at, _ = row
        school = records.school_id
        if kind == "pupil":
            return Signed(Viewer(account_id, "pupil", school), session_id, until)
        if kind == "parent":
            return Signed(self._parent(records, account_id, about), session_id, until)
        return self._staff(records, account_id, grant_id, session_id, until, proved=proved_at is not None)

    def _parent(self, records: Records, account_id: UUID, child: UUID) -> Viewer:
        """A letter to a verified parent opens what parents see while that stands; any letter lets a parent object."""
        known, today = records.family(child), self._now().date()
        if account_id in known.relations and known.limited(account_id, today):
            raise SignInNeeded(NEEDED)
        stands = known.stands(account_id, today)
        return Viewer(account_id, "parent", records.school_id, child=child, only=None if stands else LETTER_ONLY)

    def _staff(
        self,
        records: Records,
        staff_id: UUID,
        grant_id: UUID | None,
        session_id: UUID | None,
        until: datetime,
        *,
        proved: bool,
    ) -> Signed:
        state, now = records.staff_state(staff_id), self._now()
        if state.added is None or state.left_on is not None:
            raise SignInNeeded(NEEDED)
        standing = {grant.grant_id: grant for grant in state.standing(now.date())}
        acting = standing.get(grant_id) if grant_id else None
        acting = acting or next(iter(standing.values()), None)
        viewer = Viewer(
            id=staff_id,
            role=acting.role if acting else NOBODY,
            school_id=records.school_id,
            scope=acting.scope if acting else Scope(),
            trained=staff.FIRST_MODULE in state.trained or state.added.kind == "service",
            glass=state.open_glass(now),
        )
        choices = tuple(Choice(key, grant.role) for key, grant in standing.items())
        person = state.added.kind == "person"
        factor = self._factor(records, staff_id, {one.role for one in choices}, proved) if person else "none"
        return Signed(viewer, session_id, until, choices, factor)

    def _factor(self, records: Records, staff_id: UUID, roles: set[str], proved: bool) -> Factor:
        if proved:
            return "proved"
        if not self._app.settings.second_factor:
            return "none"
        enrolled = bool(Factors(records.log, self._now).kinds(staff_id))
        if enrolled:
            return "needed"
        return "to_enrol" if roles & NEEDS_FACTOR else "none"

    def _by_key(self, bearer: str) -> Signed:
        try:
            return self._service(bearer)
        except SignInNeeded:
            LOG.warning("a service's key was refused")
            raise

    def _service(self, bearer: str) -> Signed:
        if bearer.count(".") == 2:
            return self._client(bearer)
        parts = read_token(bearer.removeprefix(KEY_PREFIX)) if bearer.startswith(KEY_PREFIX) else None
        records = self._school(parts[0]) if parts else None
        found = self.credentials(parts[0]).find_key(parts[1], parts[2]) if parts and records else None
        if records is None or found is None:
            raise SignInNeeded("this key is not one we know, or its time is up: make a new one")
        return self._keyed(records, found)

    def _keyed(self, records: Records, found: Found) -> Signed:
        """A service by its key: what it was granted, as far as the key goes."""
        signed = self._staff(records, found.account_id, None, None, found.expires_at, proved=True)
        return replace(signed, viewer=replace(signed.viewer, only=found.only))

    def _client(self, assertion: str) -> Signed:
        """A service client that signs each request's assertion with its private key (RFC 7523)."""
        named = clients.named(assertion)
        records = self._school(named[0]) if named else None
        found = self.credentials(named[0]).find_client(named[1]) if named and records else None
        if named is None or records is None or found is None:
            raise SignInNeeded(clients.UNKNOWN)
        claims = clients.checked(assertion, found[1], named, self._now())
        if not self.tries(named[0]).once(f"assertion/{named[1]}/{claims.id}", claims.until):
            raise SignInNeeded("this assertion was used before: sign a fresh one for each request")
        return self._keyed(records, found[0])

    def _school(self, school_id: UUID) -> Records | None:
        try:
            return self._app.school(school_id)
        except SchoolUnknown:
            return None

    def _now(self) -> datetime:
        # looked up at each call, so that a test can set the clock
        return self._app.clock()

    def _allowances(self, tries: Tries, address: str, device: str | None, name: str) -> list[tuple[Allowance, str]]:
        if device is not None:
            return [(HERE, f"device/{device}")]
        named = [(NAMED, f"name/{name.strip().casefold()}")] if name else []
        here = [*named, (HERE, f"address/{address}")]
        return here if tries.known(address) else [*here, (EVERYWHERE, "everywhere")]

    def _device(self, school_id: UUID, sealed: str | None) -> str | None:
        name = (sealed or "").partition(".")[0]
        fits = hmac.compare_digest((sealed or "").encode(), self._sealed_device(school_id, name).encode())
        return name if fits and name else None

    def _sealed_device(self, school_id: UUID, name: str) -> str:
        return f"{name}.{self.credentials(school_id).stamp(name)}"


def _whose(kind: str, account_id: UUID) -> str:
    """Whose session a log line is about: a family's by kind alone."""
    return kind if kind in ("pupil", "parent") else f"staff {account_id}"
