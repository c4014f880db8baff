"""From a pupil's stream to a sealed file: what goes in, what is left out, and the manifest that says so."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from astrack.handover import enclosed, own_copy
from astrack.handover.entries import entries_of
from astrack.handover.proving import Proving, Published
from astrack.handover.withholding import POLICY, WHOLE, Choice, says_the_dsls, withhold
from astrack.signing import OwnKeys, origin_of
from astrack.store.vault import Vault
from domain.identity import Identity, SchoolName
from transfer import evidence, manifest, package, story
from transfer.age import Recipient
from transfer.errors import BadRosterOut
from transfer.evidence import Proved, Unit
from transfer.evidence.chain import b64, unb64
from transfer.keys.signing import Purpose
from transfer.manifest import Manifest, Omission, Sender
from transfer.package import Parts
from transfer.rosters import ctf_out
from transfer.story import Line, Threads

EARLIER_NAMES = Omission("earlier statements of identity", "only the present one is needed; earlier UPNs are in it")
OF_THE_RECORD = Omission("who the pupil is", "the file of the record says so, which this one follows")
SAFEGUARDING = Omission("safeguarding", "whatever there may be goes from DSL to DSL, as a file of its own")


@dataclass(frozen=True, slots=True)
class Order:
    """What one file is to be: decided when it was prepared, and the same however often it is sealed."""

    transfer_id: UUID
    pupil_id: UUID
    stream_id: UUID
    kind: str
    recipients: tuple[Recipient, ...]
    audiences: tuple[str, ...]
    to: SchoolName | None
    created: datetime
    not_after: datetime | None
    lawful_basis: str
    consent_by: str = ""
    accepted_on: date | None = None
    start_on: date | None = None
    protected: bool = False
    export: int = 0
    supersedes: UUID | None = None
    year_group: int | None = None
    choice: Choice | None = None
    signing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file ready to go, and its manifest hash."""

    data: bytes
    manifest_sha256: str


def seal(
    order: Order,
    own: SchoolName,
    identity: Identity,
    vault: Vault,
    proving: Proving,
    published: Published,
) -> SealedFile:
    """The sealed file of an order, as its stream stands under the published heads."""
    unit, lines, _ = proving.unit(order.stream_id, published)
    kept = [parse_kept(content) for content in vault.evidence(order.stream_id).values()]
    told = list(story.payloads(lines))
    of_the_dsl = order.kind == "safeguarding"
    if order.choice is not None or (not of_the_dsl and any(map(says_the_dsls, told))):
        lines, unit, kept = withhold(order.choice or WHOLE, lines, unit, kept)
        told = list(story.payloads(lines))
    units = [unit, *sorted(kept, key=lambda one: one.name)]
    sources = _sources(unit, lines, kept)
    members, omissions = enclosed.enclosed(told)
    members[enclosed.README] = enclosed.readme(order.kind)
    if of_the_dsl:
        omissions = [OF_THE_RECORD, *omissions]
    else:
        members[enclosed.IDENTITY] = enclosed.identity_member(identity, own)
        omissions = [EARLIER_NAMES, SAFEGUARDING, *omissions]
    statutory, without = _ctf(order, own, identity)
    if order.kind == "student":
        signer, _ = published.keys.signers(Purpose.MANIFEST)
        named = (own.name, identity.person.full_name if identity.person else "")
        members |= own_copy.members(
            unit.origin, order.recipients, order.signing, lines, order.transfer_id, named, order.created, signer.seed
        )
        without = [*without, *POLICY]
    members |= statutory
    sender = Sender(str(own.school_id), own.urn, own.lea, own.estab, own.name, origin_of(own))
    made = manifest_of(order, sender, sources, (*omissions, *without))
    return sealed(order, Parts(made, lines, units, members), published.keys)


def sealed(order: Order, parts: Parts, keys: OwnKeys) -> SealedFile:
    """Sign and seal the parts of a file."""
    sink = io.BytesIO()
    signers = keys.signers(Purpose.MANIFEST)
    made = package.write(sink, parts, order.recipients, signers, int(order.created.timestamp()))
    return SealedFile(sink.getvalue(), manifest.digest(bytes(made)))


def manifest_of(
    order: Order, sender: Sender, sources: Sequence[manifest.SourceLog], omissions: Sequence[Omission]
) -> Manifest:
    """The manifest of an order, its files not yet listed."""
    return Manifest(
        transfer_id=order.transfer_id, kind=order.kind, created=order.created, not_after=order.not_after, sender=sender,
        recipients=tuple(
            manifest.Recipient(key.fingerprint, audience)
            for key, audience in zip(order.recipients, order.audiences, strict=True)
        ),
        sources=tuple(sources), omissions=tuple(omissions), lawful_basis=order.lawful_basis,
        consent_by=order.consent_by, accepted_on=order.accepted_on, start_on=order.start_on,
        protected=order.protected, export=order.export, supersedes=order.supersedes,
    )  # fmt: skip


def _sources(unit: Unit, lines: Sequence[Line], kept: Sequence[Unit]) -> list[manifest.SourceLog]:
    if not kept:
        # no other log: every entry of the unit is a line, and need not be looked for in envelopes
        entries = tuple(line.entry for line in lines)
        head = evidence.head_of(unit)
        return [package.source_of(Proved(unit, head.size, head.root, entries, evidence.last_leaf(entries), {}))]
    threads = story.threads_of(unit.origin, unit.indexes, lines)
    stated = [package.source_of(shown(one, threads)) for one in sorted(kept, key=lambda one: one.name)]
    return [package.source_of(shown(unit, threads)), *stated]


def shown(unit: Unit, threads: Threads) -> Proved:
    """What a unit shows, taken from what is there: it was verified when it came, or made here."""
    entries = entries_of(unit, threads)
    head = evidence.head_of(unit)
    return Proved(unit, head.size, head.root, entries, evidence.last_leaf(entries), {})


def keep(unit: Unit) -> bytes:
    """A unit as it is kept: exactly the bytes that came."""
    return json.dumps({name: b64(data) for name, data in unit.members().items()}).encode()


def parse_kept(content: bytes) -> Unit:
    """What ``keep`` gave."""
    members = {name: unb64(data, name) for name, data in json.loads(content).items()}
    proof = json.loads(members[evidence.PROOF])
    return evidence.parse(evidence.unit_name(proof["origin"], unb64(proof["stream"], "stream")), members)


def _ctf(order: Order, own: SchoolName, identity: Identity) -> tuple[dict[str, bytes], list[Omission]]:
    """The statutory file for the next school's MIS, where the sender has the numbers for one."""
    if order.kind != "school" or identity.person is None:
        return {}, []
    header = ctf_out.Header(own, order.to, order.created, serial=order.export % ctf_out.SERIAL_MAX + 1)
    try:
        data = ctf_out.write(header, [(identity.person, order.year_group)])
        return {f"ctf/{ctf_out.file_name(header)}": data}, []
    except BadRosterOut as error:
        return {}, [Omission("common transfer file", error.what)]
