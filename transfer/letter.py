"""A letter: a receipt or a card on its way through a mailbox, sealed like a file so that the mailbox learns no more.

Inside the age container: the label and a newline, RFC 8785 JSON on one line, a newline, and zeros up to a bucket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transfer import age, canonical
from transfer.age import Identity, Recipient
from transfer.canonical import Fields
from transfer.errors import BadLetter, TransferRefused
from transfer.evidence.chain import b64, unb64

LABEL = b"astrack/letter/v1\n"
BUCKET_BYTES = 128 << 10
SEALED_MAX = 1 << 20
PART_MAX = 400_000
WHERE = "letter"


@dataclass(frozen=True, slots=True)
class Letter:
    """A card, a receipt, or both; each a signed note, b"" where there is none. Nothing in it is believed yet."""

    card: bytes = b""
    receipt: bytes = b""


def seal(letter: Letter, recipients: Sequence[Recipient]) -> bytes:
    """The letter for these keys, as long as every other short one. Raises BadKey."""
    line = canonical.dump({"card": b64(letter.card), "receipt": b64(letter.receipt)})
    body = LABEL + line + b"\n"
    return age.seal_bytes(body + bytes(-len(body) % BUCKET_BYTES), recipients)


def unseal(data: bytes, identities: Sequence[Identity]) -> Letter | None:
    """The letter in a sealed item; None for anything else, a sealed file say. Raises BadLetter, BadContainer."""
    if len(data) > SEALED_MAX:
        return None
    body = age.unseal_bytes(data, identities)
    if not body.startswith(LABEL):
        return None
    line, _, padding = body.removeprefix(LABEL).partition(b"\n")
    if padding.strip(b"\0"):
        raise BadLetter("there is something behind its end", WHERE)
    try:
        fields = Fields(canonical.load(line, WHERE), WHERE)
        made = Letter(*(unb64(fields.text(name, PART_MAX), WHERE) for name in ("card", "receipt")))
        fields.done()
    except TransferRefused as error:
        raise BadLetter("it is not in the form of one", WHERE) from error
    return made
