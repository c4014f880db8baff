"""The copy that answers a request: everything held but what is kept back, readable anywhere, sealed for who asked."""

from __future__ import annotations

import hashlib
import html
import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from astrack.access import about_pupil
from astrack.access.looks import Looks
from astrack.app import App
from astrack.changing import Ask
from astrack.records import Records
from astrack.rights.held import Item, as_json, everything, undecided
from domain.rights import handling
from domain.rights.requests import WITHHELD_BECAUSE, Request, Withheld, WithholdingUnreviewed
from transfer.age import Identity, Recipient, seal_bytes, write_agekey

SUFFIX = ".zip.age"
EPOCH = (2020, 1, 1, 0, 0, 0)
READ_ME = """This is a copy of what the school holds about you (or your child), made on {day}.

record.html   to read, in any browser
record.json   the same for a computer

{given} items are in it. {kept}
If something is wrong or missing, tell the school's data protection officer. You may also complain to the Information
Commissioner's Office (ico.org.uk).
"""
GROUPS = {
    "story": "The story: assessments, early signs, plans",
    "identity": "Who this is, and who speaks for them",
    "safeguarding": "Hand-offs to the designated safeguarding lead",
    "requests": "Requests about this record",
    "looks": "Who looked",
    "transfers": "Hand-overs",
    "sign-in": "Signing in",
    "worked out": "What the service works out from the entries",
}


@dataclass(frozen=True, slots=True)
class Copy:
    """A sealed file and, when its key was made here, that key: shown once, kept nowhere."""

    name: str
    sealed: bytes
    sha256: str
    key: str | None
    given: int
    withheld: int


def propose_by_default(app: App, looks: Looks, records: Records, ask: Ask, request_id: UUID) -> list[str]:
    """Propose to keep back what the school is careful with and nobody has judged; a second person decides each."""
    asked = records.request(request_id)
    pupil_id = _pupil(asked)
    made = []
    for one in undecided(everything(app, looks, records, pupil_id), asked):
        why = "kept back by default: it could tell who is at risk, or from whom"
        records.withhold(ask.part(one.item), request_id, item=one.item, because="serious_harm", why=why)
        made.append(one.item)
    return made


def make_copy(
    app: App, looks: Looks, records: Records, ask: Ask, request_id: UUID, recipient: str | None = None
) -> Copy:
    """Make and seal the copy. ``recipient``: the age key of who asked; without one a key is made here.

    Raises what ``handling.check_copy`` raises; WithholdingUnreviewed where a careful item was not judged; BadKey.
    """
    asked = records.request(request_id)
    pupil_id, today = _pupil(asked), app.clock().date()
    adult = about_pupil(records, pupil_id, today).adult
    handling.check_copy(asked, records.family(pupil_id), today, adult=adult)
    items = everything(app, looks, records, pupil_id)
    if waiting := undecided(items, asked):
        raise WithholdingUnreviewed(f"{len(waiting)} items are given only after a second person has looked: judge them")
    given = [one for one in items if one.item not in asked.kept_back]
    own = None if recipient else Identity(os.urandom(32))
    to = own.recipient if own else Recipient.parse(recipient or "")
    sealed = seal_bytes(_zipped(given, asked.kept_back, app.clock()), [to])
    digest = hashlib.sha256(sealed).hexdigest()
    kept = len(items) - len(given)
    records.copy_made(ask, request_id, sha256=digest, recipient=to.fingerprint, items=len(given), withheld=kept)
    return Copy(f"{request_id}{SUFFIX}", sealed, digest, write_agekey(own) if own else None, len(given), kept)


def _pupil(asked: Request) -> UUID:
    assert asked.received is not None
    return asked.received.pupil_id


def _zipped(items: Sequence[Item], kept: Mapping[str, Withheld], at: datetime) -> bytes:
    words = (
        f"{len(kept)} were kept back; record.html says for which legal reason." if kept else "Nothing was kept back."
    )
    files = {
        "read-me.txt": READ_ME.format(day=f"{at:%d %B %Y}", given=len(items), kept=words).encode(),
        "record.html": _page(items, kept, at).encode(),
        "record.json": as_json(items),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _page(items: Sequence[Item], kept: Mapping[str, Withheld], at: datetime) -> str:
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>A copy of what is held</title>"
        "<style>body{font:1rem/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}"
        "dt{font-weight:bold}dd{margin:0 0 .3rem 1rem}section{margin:1.5rem 0}</style>"
        f"<h1>A copy of what is held</h1><p>Made on {at:%d %B %Y}.</p>"
    ]
    for group, heading in GROUPS.items():
        inside = [one for one in items if one.group == group]
        if inside:
            parts.append(f"<h2>{html.escape(heading)}</h2>")
            parts += [_section(one) for one in inside]
    if kept:
        parts.append("<h2>What was kept back, and why</h2><ul>")
        parts += [f"<li>{html.escape(WITHHELD_BECAUSE[one.because])}</li>" for one in kept.values()]
        parts.append("</ul>")
    return "".join(parts)


def _section(one: Item) -> str:
    when = f" <small>({one.at:%d %B %Y})</small>" if one.at else ""
    return f"<section><h3>{html.escape(one.title)}{when}</h3>{_shown(one.content)}</section>"


def _shown(content: Any) -> str:
    if isinstance(content, Mapping):
        lines = (f"<dt>{html.escape(str(name).replace('_', ' '))}</dt><dd>{_shown(value)}</dd>"
                 for name, value in content.items() if value not in (None, "", [], {}))  # fmt: skip
        return f"<dl>{''.join(lines)}</dl>"
    if isinstance(content, list | tuple):
        return f"<ul>{''.join(f'<li>{_shown(value)}</li>' for value in content)}</ul>"
    return html.escape(content if isinstance(content, str) else json.dumps(content, default=str))
