"""The recall: what a sender signs when a file it has let go is called back (FORMAT.md, section 8).

It deletes nothing: whoever opened the file before has read it. Whoever has not taken it in yet, will not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from transfer import manifest
from transfer.errors import BadReceipt, TransferRefused
from transfer.evidence import note
from transfer.evidence.chain import b64, unb64
from transfer.evidence.note import Signer
from transfer.keys.trust import Standing, Trust
from transfer.package import NOTE_KINDS, require_exactly
from transfer.receipt import lined, values_of

LABEL = "astrack/recall/v1"
SUFFIX = ".recall"
FIELDS = ("transfer", "manifest", "origin", "at", "keys")
WHERE = "recall"


@dataclass(frozen=True, slots=True)
class Recall:
    """What a recall states: which file of which sender is called back, and when; no personal data."""

    transfer_id: UUID
    manifest_sha256: str
    origin: str
    at: datetime
    keys: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        values = (str(self.transfer_id), self.manifest_sha256, self.origin, manifest.instant(self.at), b64(self.keys))
        return lined(LABEL, FIELDS, values)


def sign(recall: Recall, signers: Sequence[Signer], at: int) -> bytes:
    """The recall as a signed note, by the pair that signs manifests. ``at`` is Unix seconds."""
    return bytes(note.sign(recall.text, signers, at))


def read(data: bytes, trust: Trust, now: datetime | None = None) -> tuple[Recall, Standing]:
    """The recall, its signatures verified, and how the sender's key is known.

    Raises BadReceipt, BadNote, BadSignature and what judging the key document raises.
    """
    signed = note.parse(data)
    made = _parse(signed.text)
    standing = trust.judge(made.origin, [made.keys], now)
    require_exactly(signed, standing.manifest_keys, NOTE_KINDS, WHERE)
    if bytes(signed) != data:
        raise BadReceipt("it is not in its one form", WHERE)
    return made, standing


def _parse(text: str) -> Recall:
    try:
        transfer, sha256, origin, at, keys = values_of(text, LABEL, FIELDS)
        made = Recall(
            manifest.uuid_of(transfer, WHERE), manifest.digest_of(sha256, WHERE), origin,
            manifest.instant_of(at, WHERE), unb64(keys, WHERE),
        )  # fmt: skip
    except TransferRefused as error:
        raise BadReceipt(f"{error.where}: {error.what}", WHERE) from error
    except ValueError as error:
        raise BadReceipt("it does not have exactly the lines of a recall", WHERE) from error
    if made.text != text:
        raise BadReceipt("it is not in its one form", WHERE)
    return made
