"""Writing key documents: a school's first, and each that follows, signed with the private keys.

Keys change yearly; what the old pair signed stays valid for 90 days more, so that files under way still open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from transfer.age.key import Recipient
from transfer.evidence import note
from transfer.evidence.note import Signer, Verifier
from transfer.keys.document import (  # fmt: skip
    PROVING,
    KeyDocument,
    Revocation,
    School,
    SealingKey,
    SignedDocument,
    SigningPair,
    check_follows,
    open_document,
)
from transfer.keys.signing import Purpose, SigningKeys

OVERLAP = timedelta(days=90)


def pairs_of(keys: SigningKeys, origin: str, valid_from: datetime, valid_until: datetime) -> tuple[SigningPair, ...]:
    """The public pairs of private keys, one for each purpose."""
    made = []
    for purpose in Purpose:
        first, second = (signer.verifier.text for signer in keys.signers(purpose, origin))
        made.append(
            SigningPair(purpose=purpose, ed25519=first, ml_dsa=second, valid_from=valid_from, valid_until=valid_until)
        )
    return tuple(made)


def sign_document(document: KeyDocument, holders: Iterable[SigningKeys]) -> SignedDocument:
    """Sign with the document's own keys and, from serial 2 on, those of the one before. Raises BadKeyDocument."""
    signers: dict[Verifier, Signer] = {}
    for keys in holders:
        for purpose in PROVING:
            signers |= {each.verifier: each for each in keys.signers(purpose, document.origin)}
    return open_document(bytes(note.sign(document.text, signers.values(), 0)))


def first_document(
    school: School, origin: str, keys: SigningKeys, recipients: Sequence[Recipient], at: datetime, until: datetime
) -> SignedDocument:
    """A school's first key document; every key is valid from ``at`` until ``until``."""
    sealing = tuple(SealingKey(recipient=each.text, valid_from=at, valid_until=until) for each in recipients)
    document = KeyDocument(
        serial=1, previous=None, issued_at=at, origin=origin, school=school, recipients=sealing,
        signing=pairs_of(keys, origin, at, until),
    )  # fmt: skip
    return sign_document(document, [keys])


def next_document(
    before: SignedDocument,
    old: SigningKeys,
    new: SigningKeys,
    recipients: Sequence[Recipient],
    at: datetime,
    until: datetime,
    revoked: Iterable[Revocation] = (),
    school: School | None = None,
) -> SignedDocument:
    """The document after ``before``: with ``new`` keys the old stay valid for 90 days more, with the same unchanged."""
    last = before.document
    # the pairs that sign this document stay in it, so that every signature on it can be checked
    signed = {last.newest(purpose).key_id for purpose in Purpose}
    pairs = tuple(pair for pair in last.signing if pair.valid_until > at or pair.key_id in signed)
    if new != old:
        pairs = tuple(replace(p, valid_until=min(p.valid_until, max(at, p.valid_from) + OVERLAP)) for p in pairs)
        pairs += pairs_of(new, last.origin, at, until)
    known = {each.key: each for each in last.recipients}
    fresh = {each: SealingKey(recipient=each.text, valid_from=at, valid_until=until) for each in recipients}
    document = KeyDocument(
        serial=last.serial + 1, previous=last.digest, issued_at=at, origin=last.origin, school=school or last.school,
        recipients=tuple(known.get(each, made) for each, made in fresh.items()), signing=pairs,
        revoked=(*last.revoked, *revoked),
    )  # fmt: skip
    made = sign_document(document, [old, new])
    check_follows(made, before)
    return made
