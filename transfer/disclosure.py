"""Selective disclosure: chosen facts alone, each with its way to the log that recorded it (FORMAT.md, 11).

A proof shows that the facts in it were recorded, and by whom; never that there are no others.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from transfer import canonical, manifest, package
from transfer.canonical import Fields
from transfer.errors import BadFile, BadManifest, BadProof, BadSignature, BadStory, TooLarge
from transfer.evidence import Proved, chain, merkle, note, unit_name
from transfer.evidence.chain import Envelope, b64, unb64
from transfer.evidence.part import part_proof
from transfer.keys.trust import Standing, Trust
from transfer.manifest import digest, instant, instant_of
from transfer.package import Package

FORMAT = "astrack/proof/v1"
SUFFIX = ".proof"
MAX_BYTES = 16 << 20
MAX_LOGS, MAX_FACTS, MAX_KEYS, MAX_NODES = 256, 10_000, 100, 1_000_000
MAX_FOR = 500
NAMED_BY = ("forename", "surname", "date_of_birth")
WHERE = "proof"


@dataclass(frozen=True, slots=True)
class Shown:
    """Facts of one stream, in the log of one school: their payloads as recorded, in the order of the log."""

    origin: str
    stream: bytes
    size: int
    standing: Standing
    witnesses: int
    payloads: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A proof that was checked. ``person`` is who it is about as ``signed_by`` stated it, None where it is not said."""

    whom: str
    made: datetime
    logs: tuple[Shown, ...]
    person: dict[str, Any] | None = None
    signed_by: Standing | None = None


def make(found: Package, chosen: Collection[str], *, whom: str, made: datetime, about: bool = False) -> bytes:
    """A proof of the facts with these event ids, as lower-case text. Raises BadStory when there is none of them."""
    by_unit: dict[str, dict[int, Envelope]] = {}
    for one in recorded(found):
        if head_of(one.payload)[0] in chosen:
            by_unit.setdefault(unit_name(one.origin, chain.parse_entry(one.entry).stream), {})[one.index] = one
    if not by_unit:
        raise BadStory("none of the events chosen is in it", WHERE, "Choose at least one event of this record.")
    logs = [_log(proved, by_unit[unit]) for unit, proved in sorted(found.proved.items()) if unit in by_unit]
    who = _about(found) if about else None
    return canonical.dump({"format": FORMAT, "for": whom, "made": instant(made), "logs": logs, "about": who})


def head_of(payload: bytes) -> tuple[str, str]:
    """(event id, when it was recorded) of a fact's payload. Raises BadStory."""
    try:
        fact = json.loads(payload)
        found = fact["event_id"], fact["recorded_at"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadStory("it is no fact", "payload") from error
    if not all(isinstance(text, str) for text in found):
        raise BadStory("it is no fact", "payload")
    return found


def recorded(found: Package) -> Iterator[Envelope]:
    """Every fact that is not withheld, as the school that recorded it holds it."""
    own = found.proved[found.manifest.sources[0].unit].unit
    for index, line in zip(own.indexes, found.lines, strict=True):
        if line.payload is not None and line.salt is not None:
            outer = Envelope(own.origin, index, line.entry, line.salt, line.payload)
            yield (chain.nested(line.payload) or [outer])[-1]


def _log(proved: Proved, facts: dict[int, Envelope]) -> dict[str, Any]:
    unit = proved.unit
    leaves = dict(zip(unit.indexes, map(chain.leaf, proved.entries), strict=True))
    leaves[unit.heads.index] = chain.leaf(unit.heads.entry)
    return {
        "origin": unit.origin, "stream": b64(unit.stream), "checkpoint": unit.checkpoint.decode(),
        "keys": [unit.keys[-1][1].decode()],
        "facts": [{"index": index, "entry": b64(one.entry), "salt": b64(one.salt), "payload": b64(one.payload)}
                  for index, one in sorted(facts.items())],
        "nodes": [b64(node) for node in part_proof(proved.size, leaves, unit.nodes, facts)],
    }  # fmt: skip


def _about(found: Package) -> dict[str, Any]:
    """Who it is about: the sender's signed manifest, and the statement of identity that it lists."""
    if package.IDENTITY not in found.members:
        raise BadStory("the file does not say who it is about", WHERE, "Make the proof without it.")
    own = found.proved[found.manifest.sources[0].unit].unit
    members = {"manifest": package.MANIFEST, "note": package.NOTE, "identity": package.IDENTITY}
    texts = {name: found.members[member].decode() for name, member in members.items()}
    return {**texts, "keys": [own.keys[-1][1].decode()]}


def read(data: bytes, trust: Trust) -> Disclosed:
    """Check a proof against the keys of the schools in it. Raises BadProof, BadFile, BadSignature and below."""
    if len(data) > MAX_BYTES:
        raise TooLarge(f"it is over {MAX_BYTES} bytes", WHERE)
    fields = Fields(canonical.load(data, WHERE), WHERE)
    if (version := fields.text("format")) != FORMAT:
        raise BadFile(f"its format is {version!r}, not {FORMAT!r}", WHERE)
    whom, made = fields.text("for", MAX_FOR), instant_of(fields.text("made"), WHERE)
    logs = tuple(_shown(Fields(one, WHERE), trust) for one in fields.items("logs", MAX_LOGS))
    units = {unit_name(one.origin, one.stream) for one in logs}
    if not logs or len(units) != len(logs):
        raise BadProof("a log is missing, or there twice", WHERE)
    about = fields.maybe_fields("about")
    fields.done()
    person, signed_by = _checked(about, units, trust) if about else (None, None)
    return Disclosed(whom, made, logs, person, signed_by)


def _shown(fields: Fields, trust: Trust) -> Shown:
    origin = fields.text("origin")
    where = f"the log {origin}"
    stream = unb64(fields.text("stream"), where)
    standing = trust.judge(origin, _texts(fields, "keys"))
    signed = fields.text("checkpoint", note.MAX_NOTE_BYTES).encode()
    head = note.open_checkpoint(signed, standing.checkpoint_keys)
    if head.origin != origin:
        raise BadProof(f"its checkpoint is of another log, {head.origin!r}", where)
    facts = [_fact(Fields(one, where), stream) for one in fields.items("facts", MAX_FACTS)]
    leaves = {index: leaf for index, leaf, _ in facts}
    if not facts or len(leaves) != len(facts):
        raise BadProof("a fact is missing, or there twice", where)
    nodes = [unb64(one, where, merkle.HASH_BYTES) for one in fields.items("nodes", MAX_NODES)]
    fields.done()
    merkle.verify_multi(head.root, head.size, leaves, nodes)
    witnesses = len(note.verify(note.parse(signed), trust.witnesses))
    return Shown(origin, stream, head.size, standing, witnesses, tuple(payload for _, _, payload in facts))


def _texts(fields: Fields, name: str) -> list[bytes]:
    return [one.encode() for one in fields.texts(name, MAX_KEYS, note.MAX_NOTE_BYTES)]


def _fact(fields: Fields, stream: bytes) -> tuple[int, bytes, bytes]:
    """(index, leaf, payload) of a fact that its entry commits to. Raises BadProof, BadEntry, BadStory."""
    index = fields.number("index")
    entry = unb64(fields.text("entry", 1000), "entry", limit=chain.MAX_ENTRY_BYTES)
    salt, payload = (
        unb64(fields.text("salt"), "salt", chain.SALT_BYTES),
        unb64(fields.text("payload", MAX_BYTES), "payload"),
    )
    fields.done()
    parsed = chain.parse_entry(entry)
    if parsed.kind != "event" or parsed.stream != stream:
        raise BadProof("it is not a fact of this stream", f"entry {index}")
    if chain.commitment(salt, payload) != parsed.commitment:
        raise BadStory("it does not commit to this payload", f"entry {index}")
    _told(payload, index)
    return index, chain.leaf(entry), payload


def _told(payload: bytes, index: int) -> None:
    try:
        fact = json.loads(payload)
        told = isinstance(fact["topic"], str) and isinstance(fact["data"], dict)
    except (ValueError, KeyError, TypeError, RecursionError):
        told = False
    if not told:
        raise BadStory("it is no fact", f"entry {index}")


def _checked(about: Fields, units: set[str], trust: Trust) -> tuple[dict[str, Any] | None, Standing]:
    """Who it is about, and who says so: the signed manifest lists the identity and these very streams."""
    stated, signed, identity = (
        about.text(name, most).encode()
        for name, most in (("manifest", 4 << 20), ("note", 1 << 16), ("identity", 8 << 20))
    )
    keys = _texts(about, "keys")
    about.done()
    made = manifest.parse(stated)
    standing = trust.judge(made.sender.origin, keys)
    parsed = note.parse(signed)
    if parsed.text != manifest.note_text(stated):
        raise BadSignature("it is signed for another manifest", package.NOTE)
    package.require_exactly(parsed, standing.manifest_keys, package.NOTE_KINDS, package.NOTE)
    if digest(identity) not in {one.sha256 for one in made.files if one.name == package.IDENTITY}:
        raise BadManifest("it lists another identity", package.MANIFEST)
    if not units <= {one.unit for one in made.sources}:
        raise BadProof("a fact is not of this person's record", "proof, about")
    return person_in({package.IDENTITY: identity}), standing


def person_in(members: Mapping[str, bytes]) -> dict[str, Any] | None:
    """The person whom the statement of identity names; None where it names nobody, or is left out. Raises BadFile."""
    identity = members.get(package.IDENTITY)
    if identity is None:
        return None
    stated = Fields(canonical.load(identity, package.IDENTITY), package.IDENTITY).maybe_fields("person")
    if stated is None:
        return None
    return {**{name: stated.text(name) for name in NAMED_BY}, **stated.rest()}
