"""Signing in, being signed in, signing out: sessions that end, that can be ended at once, and that hold no secret."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from astrack.access import Choice, Signed, SignInNeeded, SignInRefused, TooManyAttempts
from astrack.access.credentials import KEY_PREFIX, Credentials, Found, read_token, token
from astrack.access.throttle import Allowance
from astrack.records import Records
from astrack.store import SchoolUnknown
from domain import staff
from domain.authority import Viewer
from domain.scope import Scope

if TYPE_CHECKING:
    from astrack.app import App

LASTS = {"staff": timedelta(hours=8), "pupil": timedelta(hours=2), "parent": timedelta(hours=1)}
KINDS = {"code": "staff", "card": "pupil", "letter": "parent"}
NOBODY = "none"
"""The role of somebody who works here and was granted nothing: no line of the table of authority names it."""
WRONG = "that card or code is not one we know, or its time is up: check it letter by letter, or ask for a new one"
NEEDED = "nobody is signed in, or the session has ended: sign in first"

OPEN = "INSERT INTO record.sessions VALUES (%s, %s, %s, %s, %s, NULL, %s, %s, %s)"
FIND = (
    "SELECT account_id, about, kind, grant_id, verifier, expires_at FROM record.sessions"
    " WHERE school_id = %s AND session_id = %s"
)
CHOOSE = (
    "WITH asked AS (SELECT %s::uuid AS school, %s::uuid AS id, %s::uuid AS grant_id)"
    " UPDATE record.sessions s SET grant_id = asked.grant_id FROM asked"
    " WHERE s.school_id = asked.school AND s.session_id = asked.id RETURNING 1"
)
# (burst, a minute): a class of thirty that mistypes twice each passes at once
HERE, EVERYWHERE = (60, 30.0), (300, 60.0)


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
        self._here = Allowance(self._now, *HERE)
        self._everywhere = Allowance(self._now, *EVERYWHERE)
        self._known_addresses: dict[tuple[UUID, str], None] = {}

    def credentials(self, school_id: UUID) -> Credentials:
        """The credentials of a school. Raises SchoolUnknown."""
        if school_id not in self._credentials:
            self._credentials[school_id] = Credentials(self._app.school(school_id).log, self._now)
        return self._credentials[school_id]

    def sign_in(self, school_id: UUID, typed: str, *, address: str, device: str | None = None) -> Opened:
        """Exchange a card, a code or a letter for a session. Raises SignInRefused, TooManyAttempts, SchoolUnknown."""
        credentials = self.credentials(school_id)
        known = self._device(school_id, device)
        names = self._allowances(school_id, address, known)
        wait = max((bucket.wait(name) for bucket, name in names), default=timedelta(0))
        if wait:
            raise TooManyAttempts(wait)
        found = credentials.find_typed(typed)
        if found is None or found.kind not in KINDS or not credentials.use(found):
            for bucket, name in names:
                bucket.spend(name)
            raise SignInRefused(WRONG)
        self._remember(school_id, address)
        return self._open(school_id, found, known or secrets.token_urlsafe(16))

    def signed(self, cookie: str | None, bearer: str | None = None) -> Signed:
        """Who a cookie or a bearer token stands for, as of now. Raises SignInNeeded."""
        if bearer is not None:
            return self._service(bearer)
        parts = read_token(cookie or "")
        records = self._school(parts[0]) if parts else None
        if parts is None or records is None:
            raise SignInNeeded(NEEDED)
        _, session_id, secret = parts
        rows = records.log.ask(FIND, session_id)
        kept = rows[0][4] if rows else bytes(32)
        fits = hmac.compare_digest(kept, hashlib.sha256(secret).digest())
        if not rows or not fits or rows[0][5] <= self._now():
            raise SignInNeeded(NEEDED)
        return self._as(records, session_id, rows[0])

    def choose(self, signed: Signed, grant_id: UUID) -> None:
        """Act in another of one's roles from the next request on. Raises NoSuchGrant."""
        if signed.session_id is None or grant_id not in {one.grant_id for one in signed.choices}:
            raise staff.NoSuchGrant("this is not a role of yours here: choose one from your list")
        self._app.school(signed.viewer.school_id).log.ask(CHOOSE, signed.session_id, grant_id)

    def sign_out(self, signed: Signed) -> None:
        """End one session at once."""
        if signed.session_id is not None:
            query = "DELETE FROM record.sessions WHERE school_id = %s AND session_id = %s"
            self._app.school(signed.viewer.school_id).log.ask(query, signed.session_id)

    def revoke(self, school_id: UUID, account_id: UUID) -> None:
        """End every session of an account and destroy everything it could sign in with, at once."""
        self.credentials(school_id).drop(account_id)
        query = "DELETE FROM record.sessions WHERE school_id = %s AND account_id = %s"
        self._app.school(school_id).log.ask(query, account_id)

    def _open(self, school_id: UUID, found: Found, device: str) -> Opened:
        records = self._app.school(school_id)
        kind, at = KINDS[found.kind], self._now()
        session_id, secret = UUID(bytes=secrets.token_bytes(16)), secrets.token_bytes(32)
        until = at + LASTS[kind]
        verifier = hashlib.sha256(secret).digest()
        records.log.ask("DELETE FROM record.sessions WHERE school_id = %s AND expires_at < %s", at)
        records.log.ask(OPEN, session_id, found.account_id, found.about, kind, verifier, at, until)
        row = (found.account_id, found.about, kind, None, verifier, until)
        cookie = token(school_id, session_id, secret)
        return Opened(cookie, self._sealed_device(school_id, device), self._as(records, session_id, row))

    def _as(self, records: Records, session_id: UUID | None, row: tuple[Any, ...]) -> Signed:
        account_id, about, kind, grant_id, _, until = row
        school = records.school_id
        if kind == "pupil":
            return Signed(Viewer(account_id, "pupil", school), session_id, until)
        if kind == "parent":
            return Signed(Viewer(account_id, "parent", school, child=about), session_id, until)
        return self._staff(records, account_id, grant_id, session_id, until)

    def _staff(
        self, records: Records, staff_id: UUID, grant_id: UUID | None, session_id: UUID | None, until: datetime
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
        return Signed(viewer, session_id, until, tuple(Choice(key, grant.role) for key, grant in standing.items()))

    def _service(self, bearer: str) -> Signed:
        parts = read_token(bearer.removeprefix(KEY_PREFIX)) if bearer.startswith(KEY_PREFIX) else None
        records = self._school(parts[0]) if parts else None
        found = self.credentials(parts[0]).find_key(parts[1], parts[2]) if parts and records else None
        if records is None or found is None:
            raise SignInNeeded("this key is not one we know, or its time is up: make a new one")
        return self._staff(records, found.account_id, None, None, found.expires_at)

    def _school(self, school_id: UUID) -> Records | None:
        try:
            return self._app.school(school_id)
        except SchoolUnknown:
            return None

    def _now(self) -> datetime:
        # looked up at each call, so that a test can set the clock
        return self._app.clock()

    def _allowances(self, school_id: UUID, address: str, device: str | None) -> list[tuple[Allowance, str]]:
        if device is not None:
            return [(self._here, f"{school_id}/device/{device}")]
        here = [(self._here, f"{school_id}/{address}")]
        known = (school_id, address) in self._known_addresses
        return here if known else [*here, (self._everywhere, str(school_id))]

    def _remember(self, school_id: UUID, address: str) -> None:
        self._known_addresses[(school_id, address)] = None
        while len(self._known_addresses) > 10_000:
            self._known_addresses.pop(next(iter(self._known_addresses)))

    def _device(self, school_id: UUID, sealed: str | None) -> str | None:
        name = (sealed or "").partition(".")[0]
        fits = hmac.compare_digest((sealed or "").encode(), self._sealed_device(school_id, name).encode())
        return name if fits and name else None

    def _sealed_device(self, school_id: UUID, name: str) -> str:
        return f"{name}.{self.credentials(school_id).stamp(name)}"
