"""A school's own system asked for its roster over OneRoster 1.2 (REST): read in pages, whole or not at all."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from astrack.mailbox import guarded
from domain.base import DomainError
from domain.identity import SchoolName
from transfer.errors import NotARoster, RosterTooLarge
from transfer.rosters import oneroster_rest
from transfer.rosters.oneroster_rest import ANSWER, Item, text
from transfer.rosters.tables import ROWS_MAX

SCOPES = " ".join(
    f"https://purl.imsglobal.org/spec/or/v1p2/scope/{name}.readonly"
    for name in ("roster-core", "roster", "roster-demographics")
)
PAGE, PAGES_MAX = 500, 2_000
PAGE_BYTES_MAX = 16 << 20
TOKEN_CHARS_MAX = 16_384


class RosterServerRefused(DomainError):
    """The roster's server does not give what it is asked for."""


class RosterMoved(DomainError):
    """The roster changed on its server while it was read."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a school's roster is asked for: the service's root (…/ims/oneroster/rostering/v1p2), where its token comes
    from, and what identifies this school there.
    """

    address: str
    token_address: str
    client_id: str
    secret: str = field(repr=False)

    def checked(self) -> Source:
        """The same with both addresses in their one form. Raises AddressWrong."""
        address, token = (guarded.checked(one, path=True) for one in (self.address, self.token_address))
        return Source(address, token, self.client_id, self.secret)


def fetch(source: Source, school: SchoolName | None) -> bytes:
    """The school's roster as a OneRoster zip; of other schools on the same server nothing is kept.

    Raises OtherSideSilent, RosterServerRefused, RosterMoved, the BadRoster tree.
    """
    with guarded.opened() as http:
        asking = _Asking(http, source.address, _token(http, source))
        orgs = asking.whole("orgs", "orgs")
        ours = f"schools/{quote(oneroster_rest.our_school(orgs, school), safe='')}"
        users = asking.whole(f"{ours}/students", "users")
        mine = {text(one, "sourcedId") for one in users}
        return oneroster_rest.zip_of({
            "orgs": orgs, "users": users,
            "demographics": [
                one for one in asking.every("demographics", "demographics") if text(one, "sourcedId") in mine
            ],
            "classes": asking.whole(f"{ours}/classes", "classes"),
            "enrollments": [
                one for one in asking.every(f"{ours}/enrollments", "enrollments") if one.get("role") == "student"
            ],
            "academicSessions": asking.whole("academicSessions", "academicSessions"),
        })  # fmt: skip


def _token(http: httpx.Client, source: Source) -> str:
    """An access token by OAuth 2.0 client credentials (RFC 6749, 4.4; the security framework of OneRoster 1.2)."""
    pair = f"{quote(source.client_id, safe='')}:{quote(source.secret, safe='')}"
    headers = {
        "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
        "Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json",
    }  # fmt: skip
    body = urlencode({"grant_type": "client_credentials", "scope": SCOPES}).encode()
    answer = guarded.ask(http, "POST", source.token_address, headers, body)
    if answer.status != 200:
        raise RosterServerRefused(
            f"it gives no token (status {answer.status}): check the client's id, its secret and what it may read"
        )
    token = _object(answer.body).get("access_token")
    if not isinstance(token, str) or not 0 < len(token) <= TOKEN_CHARS_MAX or not token.isascii():
        raise NotARoster("there is no access token in it", "the answer to the request for a token")
    return token


@dataclass(frozen=True, slots=True)
class _Asking:
    """One reading of a server, with the token for it."""

    http: httpx.Client
    address: str
    token: str

    def whole(self, path: str, name: str) -> list[Item]:
        """Every item of a collection. Raises as ``every``."""
        return list(self.every(path, name))

    def every(self, path: str, name: str) -> Iterator[Item]:
        """Every item of a collection, page by page, each once.

        Raises OtherSideSilent, RosterServerRefused, RosterMoved, NotARoster, RosterTooLarge.
        """
        seen: set[str] = set()
        stated: int | None = None
        for number in range(PAGES_MAX):
            items, total = self._page(path, name, len(seen))
            stated = total if number == 0 else stated
            expected = len(seen) + len(items)
            seen |= {text(one, "sourcedId") for one in items}
            over = stated is not None and (len(seen) > stated or (not items and len(seen) < stated))
            if len(seen) != expected or total != stated or over:
                # who fell between two pages would count as having left
                raise RosterMoved("the roster changed while it was read: read it again later")
            if len(seen) > ROWS_MAX:
                raise RosterTooLarge(f"there are more than {ROWS_MAX} {name}", ANSWER)
            yield from items
            if not items or len(seen) == stated:
                return
        raise RosterTooLarge(f"there are more than {PAGES_MAX} pages of {name}", ANSWER)

    def _page(self, path: str, name: str, offset: int) -> tuple[list[Item], int | None]:
        """One page of a collection from an offset on, and how many items the server says there are, if it does."""
        asked = urlencode({"limit": PAGE, "offset": offset, "sort": "sourcedId", "orderBy": "asc"})
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        answer = guarded.ask(self.http, "GET", f"{self.address}/{path}?{asked}", headers, most=PAGE_BYTES_MAX)
        if answer.status != 200:
            kept = "what the client may read" if answer.status in (401, 403) else "its address, or try again later"
            raise RosterServerRefused(f"it does not give {name} (status {answer.status}): check {kept}")
        items = _object(answer.body).get(name)
        if not isinstance(items, list) or not all(isinstance(one, Mapping) and one.get("sourcedId") for one in items):
            raise NotARoster(f"there is no list of {name} in it", ANSWER)
        total = answer.headers.get("X-Total-Count", "")
        return items, int(total) if total.isascii() and total.isdigit() and len(total) < 10 else None


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, Mapping):
        raise NotARoster("it is no JSON object", ANSWER)
    return found
