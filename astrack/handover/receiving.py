"""Receiving: a sealed file is opened, verified and taken in exactly once, in one transaction."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from astrack.changing import Answer, Ask, Decided, Target
from astrack.handover import incoming, outgoing
from astrack.handover.closing import Ending, TransferEnded
from astrack.handover.incoming import Arrival, RecordHeldHere
from astrack.store import KeyOf, PupilStreams, Statement
from astrack.store.vault import Transfer
from domain import identity as identities
from domain.base import Event, Stamp, StreamClass
from domain.journey.refusals import RecordNotHere
from transfer import manifest, package, receipt, story
from transfer.age import Identity
from transfer.errors import BadManifest, Conflict, Recalled, TransferRefused
from transfer.evidence import Unit
from transfer.keys.directory import KeyDirectory
from transfer.keys.trust import Trust, require_known
from transfer.manifest import digest
from transfer.package import Package

NO_END = 1 << 62


class _TakenMeanwhile(Exception):
    """Another importer was first with the same file."""


class Receiving(Ending):
    """From a file that came to the facts on record."""

    def receive(
        self,
        ask: Ask,
        data: bytes,
        *,
        words: str | None = None,
        identity: Identity | None = None,
        pupil_id: UUID | None = None,
    ) -> Answer:
        """Take in a sealed file, exactly once; the answer tells the pupil and the receipt is kept.

        ``words``: the eight words heard from a sender whose keys are not known here yet. ``pupil_id`` names a pupil
        who is here already (from the roster, say) and whose record this is. The same file again gives the first
        answer. ``differs`` in it names what the file and this school state differently of the pupil: the file's word is
        the newest statement then, ours stays on record.
        Raises the transfer.errors tree, RecordHeldHere, TransferUnanswered.
        """
        taken = self.take(ask, data, words=words, identity=identity, pupil_id=pupil_id)
        return self.received([taken])[0]

    def take(
        self,
        ask: Ask,
        data: bytes,
        *,
        words: str | None = None,
        identity: Identity | None = None,
        pupil_id: UUID | None = None,
    ) -> UUID:
        """What ``receive`` does but for the answer and the receipt, which ``received`` gives; the transfer's id."""
        staged = self._staged(data, identity)
        if (held := self._held(staged.files.get(package.MANIFEST, b""))) is not None:
            return held
        found = self._checked(staged, words)
        if found.manifest.kind not in ("school", "safeguarding"):
            raise BadManifest(
                f"it is of the kind {found.manifest.kind}, which a school does not take in",
                package.MANIFEST,
                "A student's own copy stays theirs: ask the school that held the record last.",
            )
        self._check_recalled(found)
        self._once(ask, incoming.arrival(found), pupil_id)
        return found.manifest.transfer_id

    def refuse(self, data: bytes, reason: str, *, words: str | None = None) -> Answer:
        """Send a sealed file back unread: the receipt that says so, after which it is not taken in here any more.

        ``reason`` is one word in lower case. Raises the transfer.errors tree, and TransferEnded where it was taken in.
        """
        staged = self._staged(data, None)
        if (held := self._held(staged.files.get(package.MANIFEST, b""))) is not None:
            raise TransferEnded(f"the file of transfer {held} was taken in here: it cannot be refused any more")
        found = self._checked(staged, words)
        made = found.manifest
        name = self.vault.recall_of(made.sender.origin, made.transfer_id)
        said = self.refusal(made.transfer_id, found.manifest_sha256, reason)
        said = self.vault.keep(name, said, self.clock())
        return {"transfer_id": str(made.transfer_id), "from": made.sender.name,
                "receipt_name": f"{made.transfer_id}{receipt.SUFFIX}", "receipt": said.decode()}  # fmt: skip

    def _staged(self, data: bytes, identity: Identity | None) -> package.Staged:
        package.refuse_empty(data)
        keys = [identity] if identity is not None else self.signing.identities(self.clock())
        return package.open_sealed(io.BytesIO(data), keys)

    def _checked(self, staged: package.Staged, words: str | None) -> Package:
        """A file in which everything is right, from a school that is known here."""
        spoken = (words,) if words is not None else ()
        found = package.read(staged, Trust(KeyDirectory.load(self.vault.pinned()), spoken), self.clock())
        require_known(found.sender)
        return found

    def _check_recalled(self, found: Package) -> None:
        """Refuse a file that its own sender called back, or that was refused here before. Raises Recalled."""
        made = found.manifest
        said = self.vault.kept(self.vault.recall_of(made.sender.origin, made.transfer_id))
        if said is not None:
            ours = said.startswith(receipt.LABEL.encode())
            what = "it was refused here, and its sender told so" if ours else "its sender has called it back"
            raise Recalled(what, f"transfer {made.transfer_id}")

    def _once(self, ask: Ask, arrived: Arrival, pupil_id: UUID | None) -> None:
        """Take a file in, unless another importer was first with it: then all is well too."""
        take_in = self._take_in if arrived.follows is None else self._take_in_of_the_dsl
        try:
            take_in(ask, arrived, pupil_id)
        except (_TakenMeanwhile, RecordHeldHere):
            if not self._taken(arrived.found):
                raise

    def _held(self, manifest_bytes: bytes) -> UUID | None:
        """The transfer that this very manifest was taken in as."""
        try:
            made = manifest.parse(manifest_bytes)
        except TransferRefused:
            return None
        row = self.vault.transfer("in", made.transfer_id)
        if row is not None and row.details.get("manifest_sha256") == digest(manifest_bytes):
            return made.transfer_id
        return None

    def _taken(self, found: Package) -> bool:
        """Whether this very file has been taken in. Raises Conflict when another one of its transfer has."""
        row = self.vault.transfer("in", found.manifest.transfer_id)
        if row is not None and row.details.get("manifest_sha256") != found.manifest_sha256:
            raise Conflict("another file of the same transfer was taken in before", f"transfer {row.transfer_id}")
        return row is not None

    def _take_in(self, ask: Ask, arrived: Arrival, pupil_id: UUID | None) -> None:
        made = arrived.found.manifest
        pupil, new = self._pupil(arrived, pupil_id)
        targets = [
            Target(pupil.journey_id, StreamClass.JOURNEY, pupil.pupil_id),
            Target(pupil.identity_id, StreamClass.IDENTITY, pupil.pupil_id),
        ]
        at = self.clock()

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            if self._taken(arrived.found):
                raise _TakenMeanwhile
            here, who = loaded
            if here and arrived.supplements is None:
                incoming.check_custody(here, joining=pupil_id is not None)
            new_facts = incoming.fresh(arrived, here)
            events = incoming.imports(arrived, here, new_facts, stamp)
            known = identities.replay(who)
            facts_of_identity = incoming.identity_facts(arrived, known, stamp)
            differs = incoming.differing(known.person, arrived.person) if arrived.supplements is None else []
            answer = {"transfer_id": str(made.transfer_id)}

            def also(key: KeyOf) -> list[Statement]:
                how = {"new": len(events) - 1, "differs": differs}
                return self._rows(key, arrived, targets[0], new_facts, how, at)

            return Decided([events, facts_of_identity], answer, (pupil,) if new else (), also)

        request = {"do": "receive", "transfer": made.transfer_id, "manifest": arrived.found.manifest_sha256}
        self.records.change(ask, request, targets, decide)
        self.remember(arrived.person, pupil.pupil_id)

    def _take_in_of_the_dsl(self, ask: Ask, arrived: Arrival, pupil_id: UUID | None) -> None:
        """Take in a safeguarding file, to the pupil whose record it follows, or whom the DSL names."""
        made = arrived.found.manifest
        target = self.records.safeguarding_of(self._followed_here(arrived, pupil_id))

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            if self._taken(arrived.found):
                raise _TakenMeanwhile
            new = incoming.fresh(arrived, loaded[0])
            events = incoming.of_the_dsl(arrived, new, stamp)

            def also(key: KeyOf) -> list[Statement]:
                return self._rows(key, arrived, target, new, {"new": len(new), "differs": []}, stamp.at)

            return Decided([events], {"transfer_id": str(made.transfer_id)}, also=also)

        request = {"do": "receive", "transfer": made.transfer_id, "manifest": arrived.found.manifest_sha256}
        self.records.change(ask, request, [target], decide)

    def _followed_here(self, arrived: Arrival, named: UUID | None) -> UUID:
        """The pupil a safeguarding file is about. Raises RecordNotHere, Conflict."""
        assert arrived.follows is not None
        row = self.vault.transfer("in", arrived.follows)
        found = UUID(row.details["pupil_id"]) if row is not None and row.details.get("pupil_id") else None
        if row is not None and row.details.get("from_origin") != arrived.found.manifest.sender.origin:
            raise Conflict("it follows a record that came from another school", f"transfer {arrived.follows}")
        if found and named and found != named:
            raise Conflict("it follows the record of another pupil than the one named", f"transfer {arrived.follows}")
        if (pupil_id := found or named) is None:
            raise RecordNotHere(
                "the record that this safeguarding file follows is not here: take that in first, or name the pupil"
            )
        return pupil_id

    def _rows(
        self, key: KeyOf, arrived: Arrival, to: Target, new: Sequence[incoming.Told], how: Answer, at: datetime
    ) -> list[Statement]:
        """The statements that keep the evidence and the transfer, in the transaction of the facts."""
        made, stream = arrived.found.manifest, to.stream_id
        before, after = self._envelopes(arrived, stream, new)
        kept = [outgoing.parse_kept(content) for content in self.vault.evidence(stream).values()]
        own = (self.origin(), stream.bytes)
        units = incoming.units_after(arrived, kept, before, after, own)
        statements = [
            self.vault.keep_evidence(key, stream, self.mark_of(unit.origin, unit.stream), outgoing.keep(unit))
            for unit in units
        ]
        details = {
            "pupil_id": str(to.pupil_id), "manifest_sha256": arrived.found.manifest_sha256, "kind": made.kind,
            "facts": len(arrived.told), **how, "from": made.sender.name, "from_urn": made.sender.urn,
            "from_origin": made.sender.origin, "protected": made.protected, "how": arrived.found.sender.how.value,
            "supplements": str(arrived.supplements) if arrived.supplements else None,
        }  # fmt: skip
        row = Transfer("in", made.transfer_id, stream, "received", at, details)
        return [*statements, self.vault.new_transfer(key, row)]

    def _envelopes(
        self, arrived: Arrival, stream: UUID, new: Sequence[incoming.Told]
    ) -> tuple[story.Threads, story.Threads]:
        """Every entry in an envelope of the stream here, without and with the new facts."""
        here = [row.payload for row in self.vault.stream(stream, NO_END) if row.payload is not None]
        origin = arrived.found.manifest.sender.origin
        if not here and len(new) == len(arrived.found.lines):
            return story.Threads(), arrived.found.threads
        return incoming.envelopes(here, (), origin), incoming.envelopes(here, new, origin)

    def received(self, transfer_ids: Sequence[UUID]) -> list[Answer]:
        """The answers to files that were taken in; their receipts are signed at the first call."""
        names = ("pupil_id", "facts", "new", "from", "from_urn", "manifest_sha256", "differs")
        return [
            {"transfer_id": str(row.transfer_id), **{name: row.details.get(name) for name in names},
             "receipt_name": f"{row.transfer_id}{receipt.SUFFIX}", "receipt": (row.receipt or b"").decode()}
            for row in (self._receipted(transfer_ids) if transfer_ids else ())
        ]  # fmt: skip

    def _pupil(self, arrived: Arrival, named: UUID | None) -> tuple[PupilStreams, bool]:
        """(the pupil whose story this is, whether they are new here). Raises Conflict, RecordHeldHere, NoSuchPupil."""
        found = {pupil for unit in arrived.found.proved.values() if (pupil := self._holding(unit.unit)) is not None}
        if len(found | ({named} if named else set())) > 1:
            raise Conflict("its facts are in the records of two different pupils here", "events.jsonl")
        known = (None if arrived.supplements else named) or next(iter(found), None)
        if known is not None:
            return self.records.streams_of(known), False
        if arrived.supplements is not None:
            raise RecordNotHere("the record that this supplements is not here: take its own file in first")
        if self.holder_of(arrived.person) is not None:
            raise RecordHeldHere(
                "a pupil with the same UPN is here already: if it is the same child, say so by naming that pupil"
            )
        new = self.records.new_id
        return PupilStreams(new(), new(), new(), new()), True

    def _holding(self, unit: Unit) -> UUID | None:
        """The pupil whose stream here holds, or is, this stream."""
        if unit.origin == self.origin():
            stream: UUID | None = UUID(bytes=unit.stream) if len(unit.stream) == 16 else None
        else:
            stream = self.vault.holder(self.mark_of(unit.origin, unit.stream))
        return self.vault.pupil_of(stream) if stream is not None else None
