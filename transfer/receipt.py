"""The receipt: what the receiving school signs about a sealed file (FORMAT.md, section 8)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from transfer import manifest
from transfer.errors import BadReceipt, TransferRefused
from transfer.evidence import note
from transfer.evidence.chain import b64, unb64
from transfer.evidence.checkpoint import Checkpoint
from transfer.evidence.note import Kind, Signer
from transfer.keys.trust import Standing, Trust
from transfer.package import require_exactly

LABEL = "astrack/receipt/v1"
SUFFIX = ".receipt"
FIELDS = ("transfer", "manifest", "verdict", "reason", "urn", "origin", "position", "at", "checkpoint", "keys")
VERDICTS = ("accepted", "refused")
KINDS = (Kind.ED25519, Kind.ML_DSA_65)
MAX_PART = 200_000
NONE = "-"
WHERE = "receipt"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt states. ``checkpoint`` is the receiver's signed note, empty when refused; no personal data."""

    transfer_id: UUID
    manifest_sha256: str
    accepted: bool
    reason: str
    urn: str
    origin: str
    position: int
    at: datetime
    checkpoint: bytes
    keys: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        values = (
            str(self.transfer_id), self.manifest_sha256, VERDICTS[not self.accepted], self.reason or NONE,
            self.urn or NONE, self.origin, str(self.position), manifest.instant(self.at),
            b64(self.checkpoint) or NONE, b64(self.keys),
        )  # fmt: skip
        return lined(LABEL, FIELDS, values)


def lined(label: str, names: Sequence[str], values: Sequence[str]) -> str:
    """The text of a note that states some values: its label, then a line for each name."""
    return label + "\n" + "".join(f"{name} {value}\n" for name, value in zip(names, values, strict=True))


def values_of(text: str, label: str, names: Sequence[str]) -> tuple[str, ...]:
    """The values in what ``lined`` gave. Raises ValueError."""
    first, *lines = text.split("\n")
    found, values = zip(*(line.split(" ", 1) for line in lines[:-1]), strict=True)
    if first != label or found != names or lines[-1] or any(len(value) > MAX_PART for value in values):
        raise ValueError
    return values


def sign(receipt: Receipt, signers: Sequence[Signer], at: int) -> bytes:
    """The receipt as a signed note. ``at`` is Unix seconds."""
    return bytes(note.sign(receipt.text, signers, at))


def read(data: bytes, trust: Trust, now: datetime | None = None) -> tuple[Receipt, Standing]:
    """The receipt, its signatures and checkpoint verified, and how the receiver's key is known.

    Raises BadReceipt, BadNote, BadSignature and what judging the key document raises.
    """
    signed = note.parse(data)
    made = _parse(signed.text)
    standing = trust.judge(made.origin, [made.keys], now)
    require_exactly(signed, standing.receipt_keys, KINDS, WHERE)
    if bytes(signed) != data:
        raise BadReceipt("it is not in its one form", WHERE)
    if made.accepted:
        _checkpoint(made, standing)
    return made, standing


def _parse(text: str) -> Receipt:
    try:
        return _fields(text)
    except TransferRefused as error:
        raise BadReceipt(f"{error.where}: {error.what}", WHERE) from error
    except ValueError as error:
        raise BadReceipt("it does not have exactly the lines of a receipt", WHERE) from error


def _fields(text: str) -> Receipt:
    values = values_of(text, LABEL, FIELDS)
    transfer, sha256, verdict, reason, urn, origin, position, at, checkpoint, keys = values
    made = Receipt(
        manifest.uuid_of(transfer, WHERE), manifest.digest_of(sha256, WHERE), verdict == VERDICTS[0],
        "" if reason == NONE else reason, "" if urn == NONE else urn, origin, int(position[:19]),
        manifest.instant_of(at, WHERE), b"" if checkpoint == NONE else unb64(checkpoint, WHERE), unb64(keys, WHERE),
    )  # fmt: skip
    if made.text != text or verdict not in VERDICTS or not re.fullmatch(r"[a-z_]{0,40}", made.reason):
        raise ValueError
    if made.accepted != bool(made.checkpoint) or made.accepted == bool(made.reason):
        raise ValueError
    return made


def _checkpoint(made: Receipt, standing: Standing) -> None:
    head: Checkpoint = note.open_checkpoint(made.checkpoint, standing.checkpoint_keys)
    if head.origin != made.origin or not 0 < made.position <= head.size:
        raise BadReceipt("its checkpoint is not of its log and position", WHERE)
