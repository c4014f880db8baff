"""The manifest: what a file is, for whom, and the digest of everything else (FORMAT.md, section 4)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from transfer import archive, canonical
from transfer.canonical import Fields
from transfer.errors import BadFile, BadManifest, UnknownFormat

FORMAT = "astrack/file/v1"
NOTE_LABEL = "astrack/manifest/v1"
Kind = Literal["school", "student", "safeguarding", "audit"]
KINDS: tuple[str, ...] = get_args(Kind)
BASES = ("legal_obligation", "public_task", "vital_interests", "consent")
AUDIENCES = ("school", "student", "recovery")
MAX_RECIPIENTS = 16
MAX_SOURCES = 256
MAX_OMISSIONS = 1000
KNOWN_MEMBERS = frozenset(archive.ORDER) | {archive.PADDING}
INSTANT = "%Y-%m-%dT%H:%M:%S.%fZ"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_UNIT = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who made the file; all but ``origin`` empty in a protected move."""

    school_id: str
    urn: str
    lea: str
    estab: str
    name: str
    origin: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """A key that may open the file: the digest of its public key, and whose it is."""

    fingerprint: str
    audience: str


@dataclass(frozen=True, slots=True)
class SourceLog:
    """One stream of one log as the file shows it; ``stream`` and ``head`` are b64, empty in an audit bundle."""

    origin: str
    unit: str
    stream: str
    size: int
    root: str
    first: int
    last: int
    head: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One member: its name, its size in bytes, its digest."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Omission:
    """Something left out on purpose, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is signed. ``extra`` are keys of a later minor version, kept as they are."""

    transfer_id: UUID
    kind: str
    created: datetime
    not_after: datetime | None
    sender: Sender
    recipients: tuple[Recipient, ...]
    sources: tuple[SourceLog, ...]
    files: tuple[Listed, ...] = ()
    omissions: tuple[Omission, ...] = ()
    lawful_basis: str = "public_task"
    consent_by: str = ""
    accepted_on: date | None = None
    start_on: date | None = None
    protected: bool = False
    export: int = 0
    supersedes: UUID | None = None
    critical: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __bytes__(self) -> bytes:
        return canonical.dump({
            **self.extra,
            "format": FORMAT,
            "transfer_id": str(self.transfer_id),
            "kind": self.kind,
            "created": instant(self.created),
            "not_after": instant(self.not_after) if self.not_after else None,
            "sender": _values(self.sender),
            "recipients": [{"fingerprint": one.fingerprint, "for": one.audience} for one in self.recipients],
            "lawful_basis": self.lawful_basis,
            "consent_by": self.consent_by,
            "place": {"accepted_on": _day(self.accepted_on), "start_on": _day(self.start_on)},
            "protected": self.protected,
            "export": self.export,
            "supersedes": str(self.supersedes) if self.supersedes else None,
            "sources": [_values(one) for one in self.sources],
            "files": [_values(one) for one in self.files],
            "omissions": [_values(one) for one in self.omissions],
            "critical": list(self.critical),
        })  # fmt: skip


def digest(data: bytes) -> str:
    """SHA-256 as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def instant(value: datetime) -> str:
    """An instant as the format writes it."""
    return value.astimezone(UTC).strftime(INSTANT)


def note_text(manifest: bytes) -> str:
    """What ``manifest.note`` signs."""
    return f"{NOTE_LABEL}\n{base64.b64encode(hashlib.sha256(manifest).digest()).decode('ascii')}\n"


def parse(data: bytes) -> Manifest:
    """The manifest in these exact bytes. Raises BadManifest, UnknownFormat."""
    try:
        return _parse(data)
    except BadFile as error:
        raise BadManifest(error.what, error.where) from error


def _parse(data: bytes) -> Manifest:
    fields = Fields(canonical.load(data, "manifest.json"), "manifest.json")
    if (version := fields.text("format")) != FORMAT:
        raise UnknownFormat(f"its format is {version!r}, not {FORMAT!r}", "manifest.json")
    place = fields.fields("place")
    made = Manifest(
        transfer_id=uuid_of(fields.text("transfer_id"), "manifest.json"),
        kind=_one_of(fields, "kind", KINDS),
        created=instant_of(fields.text("created"), "manifest.json"),
        not_after=_maybe(fields.maybe_text("not_after"), instant_of),
        sender=_sender(fields.fields("sender")),
        recipients=tuple(_recipient(one) for one in fields.items("recipients", MAX_RECIPIENTS)),
        lawful_basis=_one_of(fields, "lawful_basis", BASES),
        consent_by=fields.text("consent_by"),
        accepted_on=_maybe(place.maybe_text("accepted_on"), _day_of),
        start_on=_maybe(place.maybe_text("start_on"), _day_of),
        protected=fields.truth("protected"),
        export=fields.number("export"),
        supersedes=_maybe(fields.maybe_text("supersedes"), uuid_of),
        sources=tuple(_source(one) for one in fields.items("sources", MAX_SOURCES)),
        files=tuple(_listed(one) for one in fields.items("files", archive.MAX_MEMBERS)),
        omissions=tuple(_omission(one) for one in fields.items("omissions", MAX_OMISSIONS)),
        critical=tuple(fields.texts("critical", 100)),
        extra=fields.rest(),
    )
    place.done()
    _check(made, data)
    return made


def _check(made: Manifest, data: bytes) -> None:
    known = {str(name) for name in _KEYS}
    for name in made.critical:
        folder = name.partition("/")[0] + "/"
        if name not in known and name not in KNOWN_MEMBERS and folder not in KNOWN_MEMBERS:
            raise UnknownFormat(
                f"it is marked critical and this version does not know it: {name[:80]!r}", "manifest.json"
            )
    if bytes(made) != data:
        raise BadFile("a value is not in its one form", "manifest.json")
    if not made.sources or bool(made.recipients) == (made.kind == "audit"):
        raise BadFile("its recipients or sources do not fit its kind", "manifest.json")
    if (made.not_after is None) != (made.kind in ("student", "audit")):
        raise BadFile("it must have a time limit exactly when it goes to a school", "manifest.json")
    if made.sources[0].origin != made.sender.origin:
        raise BadFile("its first source is not the sender's log", "manifest.json")


_KEYS = ("format", "transfer_id", "kind", "created", "not_after", "sender", "recipients", "lawful_basis", "consent_by",
         "place", "protected", "export", "supersedes", "sources", "files", "omissions", "critical")  # fmt: skip


def _values(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def _sender(fields: Fields) -> Sender:
    made = Sender(*(fields.text(name) for name in ("school_id", "urn", "lea", "estab", "name", "origin")))
    fields.done()
    return made


def _recipient(value: Any) -> Recipient:
    fields = Fields(value, "manifest.json, recipients")
    made = Recipient(digest_of(fields.text("fingerprint"), fields.where), _one_of(fields, "for", AUDIENCES))
    fields.done()
    return made


def _source(value: Any) -> SourceLog:
    fields = Fields(value, "manifest.json, sources")
    made = SourceLog(
        fields.text("origin"), fields.text("unit"), fields.text("stream"), fields.number("size"),
        digest_of(fields.text("root"), fields.where), fields.number("first"), fields.number("last"),
        fields.text("head"),
    )  # fmt: skip
    fields.done()
    if not _UNIT.fullmatch(made.unit):
        raise BadFile("a unit is not 32 hexadecimal digits", fields.where)
    return made


def _listed(value: Any) -> Listed:
    fields = Fields(value, "manifest.json, files")
    made = Listed(
        archive.check_name(fields.text("name")), fields.number("size"), digest_of(fields.text("sha256"), "files")
    )
    fields.done()
    return made


def _omission(value: Any) -> Omission:
    fields = Fields(value, "manifest.json, omissions")
    made = Omission(fields.text("what"), fields.text("why", 1000))
    fields.done()
    return made


def _one_of(fields: Fields, name: str, allowed: tuple[str, ...]) -> str:
    value = fields.text(name)
    if value not in allowed:
        raise BadFile(f"its field {name!r} is none of {', '.join(allowed)}", fields.where)
    return value


def _maybe(text: str | None, read: Any) -> Any:
    return None if text is None else read(text, "manifest.json")


def digest_of(text: str, where: str) -> str:
    """The digest if it is one. Raises BadFile."""
    if not _DIGEST.fullmatch(text):
        raise BadFile("a digest is not 64 lower-case hexadecimal digits", where)
    return text


def uuid_of(text: str, where: str) -> UUID:
    """The UUID in its one form. Raises BadFile."""
    try:
        made = UUID(text)
    except ValueError as error:
        raise BadFile("an id is not a UUID", where) from error
    if str(made) != text:
        raise BadFile("an id is not a UUID in lower case", where)
    return made


def instant_of(text: str, where: str) -> datetime:
    """The instant in its one form. Raises BadFile."""
    try:
        made = datetime.strptime(text, INSTANT).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadFile("a time is not of the form YYYY-MM-DDThh:mm:ss.ffffffZ", where) from error
    if instant(made) != text:
        raise BadFile("a time is not in its one form", where)
    return made


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _day_of(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadFile("a date is not of the form YYYY-MM-DD", where) from error
