"""Reading forms strictly: a cap on everything, and one sentence for what cannot be taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import Request
from starlette.datastructures import UploadFile

from astrack.access.callers import Caller
from astrack.changing import Ask
from astrack.web.site import BadForm, Site
from domain.school_year import FIRST_DAY, LAST_DAY

FORM_BYTES_MAX = 64 * 1024
FIELDS_MAX = 200
FILES_MAX = 400
FILE_BYTES_MAX = 64 * 1024 * 1024
SHOWN_MAX = 2000
HIDDEN_FIELDS = ("token", "key", "code", "password", "old", "secret")
"""What is never shown again when a form is refused."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a browser sent: texts by name, and files, of which most pages take one."""

    values: Mapping[str, list[str]] = field(default_factory=dict)
    file: bytes | None = None
    file_name: str = ""
    files: Sequence[tuple[str, bytes]] = ()
    seen: int | None = None

    def text(self, name: str, most: int = 200, *, label: str = "", needed: bool = False) -> str:
        """One text of at most ``most`` characters. Raises BadForm."""
        value = self.values.get(name, [""])[-1].replace("\r\n", "\n").strip()
        if len(value) > most:
            raise BadForm(f"{label or name}: {len(value)} characters are too many, {most} fit. Shorten it.", name)
        if needed and not value:
            raise BadForm(f"{label or name}: fill this in.", name)
        return value

    def one_of(self, name: str, allowed: Iterable[str], *, label: str = "") -> str:
        """One of the choices the page offers. Raises BadForm."""
        value = self.text(name, 100)
        if value not in set(allowed):
            raise BadForm(f"{label or name}: choose one of those offered.", name)
        return value

    def many(self, name: str, most: int = 40) -> tuple[str, ...]:
        """All ticked values of a name. Raises BadForm."""
        values = tuple(dict.fromkeys(one for one in self.values.get(name, []) if one))
        if len(values) > most or any(len(one) > 100 for one in values):
            raise BadForm(f"{name}: more was sent than the page offers. Open it again.", name)
        return values

    def day(self, name: str, *, label: str = "") -> date:
        """A day written YYYY-MM-DD, as browsers send it. Raises BadForm."""
        return day_of(self.text(name, 40), name, label or name)

    def number(self, name: str, low: int, high: int, *, label: str = "") -> int:
        """A whole number in a range. Raises BadForm."""
        value = self.text(name, 20)
        if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
            raise BadForm(f"{label or name}: write a whole number from {low} to {high}.", name)
        return int(value)

    def id(self, name: str) -> UUID:
        """An id the page itself put into the form. Raises BadForm."""
        return _id(self.text(name, 40))

    def ids(self, name: str, most: int) -> list[UUID]:
        """The ids chosen among those the page offered, ``most`` at the most. Raises BadForm."""
        return [_id(one) for one in self.many(name, most)]

    @property
    def key(self) -> str:
        """The key that the page made for this one form: sent twice, it counts once. Raises BadForm."""
        return self.text("key", 80, label="This form", needed=True)

    def ask(self, who: Caller) -> Ask:
        """The request of a form that changes what others may change too: decided on what its page showed.

        What others wrote there since is told before anything is written (RecordMoved). Raises BadForm.
        """
        return who.ask(self.key, shown=self.seen)

    def shown(self) -> list[tuple[str, str]]:
        """What was typed, to be shown again; without tokens, keys, codes, and the ids that a page puts there."""
        texts = [(name, " · ".join(values)[:SHOWN_MAX]) for name, values in self.values.items()]
        return [(name, text) for name, text in texts if name not in HIDDEN_FIELDS and text and not _made_by_us(text)]

    def again(self) -> list[tuple[str, str]]:
        """Every field as it was sent, to be sent once more under the same key; the token is made anew."""
        return [(name, value) for name, values in self.values.items() if name != "token" for value in values]


def day_of(text: str, name: str, label: str) -> date:
    """A day written YYYY-MM-DD, of the years that records here can speak of. Raises BadForm."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadForm(f"{label}: write the day as year-month-day, such as 2026-11-24.", name) from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise BadForm(f"{label}: a day lies between {FIRST_DAY.year} and {LAST_DAY.year}.", name)
    return day


def _made_by_us(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadForm("This form is not one that we made: open the page again and send it from there.") from None


async def read_form(request: Request, site: Site) -> Form:
    """An ordinary form: at most 64 KiB and 200 fields, with a token of this session. Raises BadForm."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await read_upload(request, site)
    if kind != "application/x-www-form-urlencoded":
        raise BadForm("What was sent is not a form: open the page again and send it from there.")
    body = await _body(request, FORM_BYTES_MAX)
    try:
        values = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError:
        raise BadForm("The form could not be read: open the page again and send it from there.") from None
    return _checked(request, site, Form(values))


async def read_upload(request: Request, site: Site) -> Form:
    """A form with files, of at most 64 MiB in all. Raises BadForm."""
    _length(request)
    try:
        async with request.form(max_files=FILES_MAX, max_fields=FIELDS_MAX, max_part_size=FORM_BYTES_MAX) as sent:
            texts: dict[str, list[str]] = {}
            files: list[tuple[str, bytes]] = []
            for key, value in sent.multi_items():
                if isinstance(value, UploadFile):
                    files.append(((value.filename or "")[:200], await value.read(FILE_BYTES_MAX + 1)))
                else:
                    texts.setdefault(key, []).append(value)
    except BadForm:
        raise
    except Exception as error:  # the parser raises several kinds for one reason: this is not a proper form
        raise BadForm("The form could not be read: open the page again and send it from there.") from error
    files = [one for one in files if one[1]]
    name, content = files[0] if files else ("", None)
    return _checked(request, site, Form(texts, content, name, files))


def _length(request: Request) -> None:
    length = request.headers.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        raise BadForm("The file came without its length: send it from the page, or use the command line.")
    if int(length[:20]) > FILE_BYTES_MAX:
        raise BadForm(f"The file is over {FILE_BYTES_MAX // 2**20} MiB: use the command line for files of that size.")


async def _body(request: Request, most: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise BadForm(f"The form is over {most // 1024} KiB, so nothing was done: shorten what you wrote.")
        parts.append(part)
    return b"".join(parts)


def _checked(request: Request, site: Site, form: Form) -> Form:
    request.state.form = form
    return replace(form, seen=site.check_token(request, form.text("token", 200)))
