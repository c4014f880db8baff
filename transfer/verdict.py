"""What a verified file showed, in sentences for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from transfer.bundle import Audited
from transfer.disclosure import Disclosed
from transfer.evidence import chain
from transfer.joining import Joined
from transfer.keys.document import SignedDocument
from transfer.keys.trust import Known, Standing, Trust
from transfer.package import Package
from transfer.recall import Recall
from transfer.receipt import Receipt

CLASHES_MAX = 50
UNWITNESSED = "unwitnessed"
EXPLAINED = (
    "unwitnessed: a school's database and signing key together could rewrite what nobody outside that school has seen"
)
KINDS = {
    "school": "the record of a pupil, for the next school",
    "student": "a student's own copy of their record",
    "safeguarding": "safeguarding hand-offs, from one safeguarding lead to another",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one file verified, what it is, and what was found; ``lines`` hold the reason when it was refused.

    ``transfer_id`` is the transfer that a sealed file, a bundle or a receipt says it is of.
    """

    ok: bool
    what: str
    lines: tuple[str, ...]
    transfer_id: UUID | None = None


def of_package(found: Package, trust: Trust, now: datetime) -> Verdict:
    """The verdict on a sealed file that was read."""
    return Verdict(True, KINDS[found.manifest.kind], tuple(_package(found, trust, now)), found.manifest.transfer_id)


def _package(found: Package, trust: Trust, now: datetime) -> Iterator[str]:
    made = found.manifest
    yield f"transfer {made.transfer_id}, made {made.created:%d %B %Y}, signed by {_signer(found.sender)}"
    if made.protected:
        yield "provenance withheld by law: what came before is vouched for by that key alone"
    withheld = sum(line.payload is None for line in found.lines)
    yield f"{len(found.lines)} facts" + (f", of which {withheld} are counted but withheld" if withheld else "")
    recorded = Counter(
        chain.innermost(line.payload)[0] or made.sender.origin for line in found.lines if line.payload is not None
    )
    for unit, proved in found.proved.items():
        seen = witnessed(sum(key in proved.signed_at for key in trust.witnesses))
        standing = found.standings[unit]
        yield (
            f"from {standing.name} ({proved.unit.origin}): {recorded[proved.unit.origin]} facts; "
            f"its stream is complete, {len(proved.entries)} entries in a log of {proved.size}; "
            f"{seen}{_asserted(standing)}"
        )
    for one in made.omissions:
        yield f"left out: {one.what} ({one.why})"
    if made.not_after is not None and now > made.not_after:
        yield f"it can no longer be imported: its time limit was {made.not_after:%d %B %Y}"


def witnessed(witnesses: int) -> str:
    """How many witnesses known to the reader cosigned."""
    if witnesses:
        return f"witnessed by {witnesses}"
    return UNWITNESSED


def _signer(standing: Standing) -> str:
    urn = standing.document.school.urn
    name = standing.name + (f" (URN {urn})" if urn else "")
    if standing.how is Known.SELF_ASSERTED:
        return f"{name}, by its own word only; ring them and compare: {standing.words}"
    return f"{name}, whose keys are {standing.how.value}"


def _asserted(standing: Standing) -> str:
    return "" if standing.how is not Known.SELF_ASSERTED else "; its keys are self-asserted"


def of_bundle(found: Audited) -> Verdict:
    """The verdict on an audit bundle that was read."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found.kinds.items()))
    lines = [
        f"the log {found.manifest.sender.origin} of {_signer(found.standing)}",
        f"{found.entries} entries in {found.streams} streams ({kinds}); every chain, leaf and the root are right",
        f"{found.heads} heads recomputed and right; {witnessed(found.witnesses)}",
    ]
    if found.marks:
        lines.append(f"it begins with each of the {found.marks} checkpoints in the other files")
    for stream, count in sorted(found.erased.items()):
        lines.append(f"stream {stream.hex()[:8]}: {count} events, intact, unreadable since entry {count}")
    return Verdict(True, "an audit bundle", tuple(lines), found.manifest.transfer_id)


def of_receipt(made: Receipt, standing: Standing) -> Verdict:
    """The verdict on a receipt that was read."""
    answer = f"accepted at position {made.position}" if made.accepted else f"refused ({made.reason})"
    lines = (
        f"transfer {made.transfer_id} was {answer} on {made.at:%d %B %Y}",
        f"signed by {_signer(standing)}",
        f"for the file with the manifest {made.manifest_sha256}",
    )
    return Verdict(True, "a receipt", lines, made.transfer_id)


def of_recall(made: Recall, standing: Standing) -> Verdict:
    """The verdict on a recall that was read."""
    lines = (
        f"transfer {made.transfer_id} was called back on {made.at:%d %B %Y}: who has not taken it in yet, will not",
        f"signed by {_signer(standing)}",
        f"for the file with the manifest {made.manifest_sha256}",
    )
    return Verdict(True, "a recall", lines, made.transfer_id)


def of_proof(found: Disclosed) -> Verdict:
    """The verdict on a proof of chosen facts."""
    count = sum(len(one.payloads) for one in found.logs)
    whom = f" for {found.whom}" if found.whom else ""
    lines = [f"{count} facts, chosen by the holder of the record{whom} on {found.made:%d %B %Y}; others are not shown"]
    for one in found.logs:
        lines.append(
            f"from {one.standing.name} ({one.origin}): {len(one.payloads)} facts in a log of {one.size}; "
            f"{witnessed(one.witnesses)}{_asserted(one.standing)}"
        )
        lines += [_told(payload) for payload in one.payloads]
    if found.signed_by is not None and found.person is not None:
        name = f"{found.person['forename']} {found.person['surname']}, born {found.person['date_of_birth']}"
        lines.append(f"about {name}, as stated by {_signer(found.signed_by)}")
    else:
        lines.append("it does not say who it is about")
    return Verdict(True, "a proof of chosen facts", tuple(lines))


def of_joined(found: Joined) -> Verdict:
    """The verdict on files that were joined: it stands when nothing in them contradicts."""
    lines = [
        f"one story of {len(found.parts)} facts: {found.shared} stand in more than one file and are the same there"
    ]
    for number, one in enumerate(found.files):
        alone = sum(part.files == (number,) for part in found.parts)
        mine = sum(number in part.files for part in found.parts)
        lines.append(f"file {number + 1}, transfer {one.manifest.transfer_id} of {_signer(one.sender)}: {mine} facts, "
                     f"{alone} of them in no other")  # fmt: skip
    for clash in found.clashes[:CLASHES_MAX]:
        lines += [f"DOES NOT AGREE  {clash.what}", *(f"  {side}" for side in clash.sides)]
    if len(found.clashes) > CLASHES_MAX:
        lines.append(f"and {len(found.clashes) - CLASHES_MAX} more that do not agree")
    return Verdict(not found.clashes, "one story out of several files", tuple(lines))


def _told(payload: bytes) -> str:
    fact = json.loads(payload)
    on = str(fact["data"].get("happened_on") or fact.get("recorded_at", ""))[:10]
    return f"  {on} {fact['topic'][:80]}"


def of_document(signed: SignedDocument, how: Known) -> Verdict:
    """The verdict on a key document."""
    document = signed.document
    standing = Standing(document, how)
    return Verdict(True, "a school's key document", (f"number {document.serial} of {_signer(standing)}",))
