"""A school's key document, its eight words, and the directory of pinned documents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from transfer.age.key import Identity
from transfer.errors import BadKey, BadKeyDocument, ExpiredKey, UnknownSigner
from transfer.evidence import note
from transfer.evidence.note import Checkpoint, Kind, Signer
from transfer.keys import words
from transfer.keys.directory import KeyDirectory
from transfer.keys.document import (
    KeyDocument,
    Revocation,
    School,
    SignedDocument,
    check_follows,
    fingerprint_words,
    open_document,
)
from transfer.keys.issue import first_document, next_document, sign_document
from transfer.keys.signing import Purpose, SigningKeys
from transfer.keys.trust import Known, Trust

ORIGIN = "oak.example/log"
OAK = School(name="Oak Lodge School", urn="101234", lea="330", estab="4205")
AT = datetime(2026, 9, 1, 8, tzinfo=UTC)
YEAR = timedelta(days=365)


def keys(seed: int) -> SigningKeys:
    count = iter(range(100))
    return SigningKeys.draw(lambda size: hashlib.shake_256(bytes([seed, next(count)])).digest(size))


def recipient(seed: int = 1) -> Identity:
    return Identity(bytes([seed]) * 32)


FIRST = first_document(OAK, ORIGIN, keys(1), [recipient().recipient], AT, AT + YEAR)
LATER = AT + timedelta(days=300)
SECOND = next_document(FIRST, keys(1), keys(2), [recipient().recipient, recipient(2).recipient], LATER, LATER + YEAR)


def said(signed: SignedDocument) -> str:
    return " ".join(fingerprint_words(signed.document))


def altered(signed: SignedDocument, **changes: object) -> KeyDocument:
    return replace(signed.document, **changes)  # type: ignore[arg-type]


def test_a_key_document_comes_back_byte_for_byte() -> None:
    assert open_document(bytes(FIRST)) == FIRST
    assert bytes(open_document(bytes(SECOND))) == bytes(SECOND)


def test_a_key_document_bears_both_signatures_of_two_purposes() -> None:
    assert len(FIRST.note.signatures) == 4
    assert len(SECOND.note.signatures) == 8


@pytest.mark.parametrize("line", range(4))
def test_a_document_without_one_of_its_signatures_is_refused(line: int) -> None:
    kept = tuple(s for n, s in enumerate(FIRST.note.signatures) if n != line)
    with pytest.raises(BadKeyDocument, match="not signed"):
        open_document(bytes(note.Note(FIRST.note.text, kept)))


def test_any_flipped_byte_of_the_text_is_refused() -> None:
    data = bytes(FIRST)
    for index in range(0, data.index(b"\n\n"), 37):
        changed = bytearray(data)
        changed[index] ^= 1
        with pytest.raises(BadKeyDocument):
            open_document(bytes(changed))


def resigned(text: str) -> bytes:
    signers = [signer for purpose in (Purpose.MANIFEST, Purpose.RECEIPT) for signer in keys(1).signers(purpose, ORIGIN)]
    return bytes(note.sign(text, signers, 0))


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("astrack/keys/v1\n", "astrack/keys/v2\n"),
        lambda t: t.replace('{"format"', '{ "format"'),
        lambda t: t.replace('"serial":1', '"serial":1.0'),
        lambda t: t.replace('"serial":1', '"serial":"1"'),
        lambda t: t.replace('"serial":1', '"extra":0,"serial":1'),
        lambda t: t.replace('"serial":1', '"serial":1,"serial":1'),
        lambda t: t.replace("08:00:00.000000Z", "08:00:00Z"),
        lambda t: t.replace("08:00:00.000000Z", "10:00:00.000000+02:00"),
        lambda t: t + "more\n",
    ],
)
def test_a_signed_document_in_any_other_form_is_refused(change: Callable[[str], str]) -> None:
    assert change(FIRST.document.text) != FIRST.document.text
    with pytest.raises(BadKeyDocument):
        open_document(resigned(change(FIRST.document.text)))


@pytest.mark.parametrize(
    "changes",
    [
        {"serial": 2},
        {"previous": "0" * 64},
        {"origin": "other.example/log"},
        {"origin": "with space"},
        {"signing": ()},
        {"signing": FIRST.document.signing[:2]},
        {"signing": FIRST.document.signing * 2},
        {"recipients": FIRST.document.recipients * 2},
        {"revoked": (Revocation(key_id=FIRST.document.newest(Purpose.RECEIPT).key_id, at=AT),)},
    ],
)
def test_a_document_that_contradicts_itself_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        altered(FIRST, **changes)


@pytest.mark.parametrize("wrong", [{"name": "two\nlines"}, {"name": "x", "urn": "12x"}, {"name": "x", "lea": "1"}])
def test_a_school_whose_numbers_are_none_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="has not the form"):
        School(**wrong)


def test_the_keys_of_different_purposes_are_different() -> None:
    publics = {key.public for pair in FIRST.document.signing for key in pair.verifiers}
    assert len(publics) == 6


def test_a_checkpoint_verifies_with_the_pair_of_the_document_and_of_the_access_log() -> None:
    for origin in (ORIGIN, f"{ORIGIN}/access"):
        head = Checkpoint(origin, 5, bytes(32))
        made = note.sign(head.text, keys(1).signers(Purpose.CHECKPOINT, origin), 1_790_000_000)
        pair = FIRST.document.newest(Purpose.CHECKPOINT)
        assert note.open_checkpoint(bytes(made), pair.for_log(origin)) == head
    assert pair.for_log(ORIGIN) == pair.verifiers


def test_the_next_document_follows_and_keeps_the_old_keys_for_90_days() -> None:
    check_follows(SECOND, FIRST)
    old = FIRST.document.newest(Purpose.MANIFEST).key_id
    assert SECOND.document.signer(Purpose.MANIFEST, old, LATER + timedelta(days=64)).key_id == old
    with pytest.raises(ExpiredKey):
        SECOND.document.signer(Purpose.MANIFEST, old, LATER + timedelta(days=91))


def test_a_document_not_signed_by_the_one_before_does_not_follow() -> None:
    forged = sign_document(SECOND.document, [keys(2)])
    with pytest.raises(BadKeyDocument, match="did not sign"):
        check_follows(forged, FIRST)


def test_a_document_that_skips_a_serial_does_not_follow() -> None:
    with pytest.raises(BadKeyDocument):
        check_follows(sign_document(altered(SECOND, serial=3), [keys(1), keys(2)]), FIRST)


REVOKED = next_document(
    SECOND, keys(2), keys(3), [recipient(2).recipient], LATER, LATER + YEAR,
    [Revocation(key_id=SECOND.document.newest(Purpose.MANIFEST).key_id, at=LATER + timedelta(days=1)),
     Revocation(key_id=recipient(2).recipient.fingerprint, at=LATER + timedelta(days=1))],
)  # fmt: skip


def test_a_revoked_key_counts_until_its_instant_only() -> None:
    key_id = SECOND.document.newest(Purpose.MANIFEST).key_id
    assert REVOKED.document.signer(Purpose.MANIFEST, key_id, LATER)
    with pytest.raises(ExpiredKey, match="revoked"):
        REVOKED.document.signer(Purpose.MANIFEST, key_id, LATER + timedelta(days=1))


def test_nothing_is_sealed_for_a_revoked_or_expired_recipient() -> None:
    ours = recipient(2).recipient
    assert REVOKED.document.recipients_at(LATER) == (ours,)
    assert REVOKED.document.recipients_at(LATER + timedelta(days=1)) == ()
    assert SECOND.document.recipients_at(AT + YEAR) == (ours,)


def test_a_revocation_cannot_be_forgotten() -> None:
    fourth = altered(REVOKED, serial=4, previous=REVOKED.document.digest, revoked=())
    with pytest.raises(BadKeyDocument, match="forgets"):
        check_follows(sign_document(fourth, [keys(3)]), REVOKED)


def test_a_key_of_another_purpose_is_an_unknown_signer() -> None:
    with pytest.raises(UnknownSigner):
        FIRST.document.signer(Purpose.RECEIPT, FIRST.document.newest(Purpose.MANIFEST).key_id, AT)


def test_a_key_is_not_valid_before_its_first_instant() -> None:
    with pytest.raises(ExpiredKey):
        FIRST.document.signer(Purpose.RECEIPT, FIRST.document.newest(Purpose.RECEIPT).key_id, AT - timedelta(seconds=1))


def test_a_document_can_name_nobody() -> None:
    anonymous = first_document(School(name=""), "withheld.invalid/x", keys(9), [], AT, AT + YEAR)
    assert open_document(bytes(anonymous)).document.school.urn is None


def test_the_word_list_has_256_plain_words_that_cannot_be_confused_by_case() -> None:
    found = words.word_list()
    assert len(set(found)) == 256
    assert list(found) == sorted(found)
    assert all(
        (word.isascii() and word.isalpha() and word.islower() and 3 < len(word) < 11) or word == "fox" for word in found
    )


def test_eight_words_are_the_same_for_ever() -> None:
    assert words.eight_words(bytes(32)) == words.eight_words(bytes(32))
    assert " ".join(words.eight_words(bytes(32))) == FROZEN
    assert words.eight_words(bytes(31) + b"\x01") != words.eight_words(bytes(32))


FROZEN = "ticket heron ivory seagull feather bamboo swan eagle"


def directory() -> KeyDirectory:
    return KeyDirectory().pin(bytes(FIRST), said(FIRST))


def test_an_unknown_document_is_not_pinned_unconfirmed() -> None:
    with pytest.raises(BadKeyDocument, match="telephone"):
        KeyDirectory().pin(bytes(FIRST))


def test_wrong_words_do_not_pin() -> None:
    with pytest.raises(BadKeyDocument, match="not those"):
        KeyDirectory().pin(bytes(FIRST), said(SECOND))


def test_words_are_compared_whatever_their_case_and_spaces() -> None:
    assert KeyDirectory().pin(bytes(FIRST), f"  {said(FIRST).upper()} ").latest(ORIGIN) == FIRST.document


def test_a_pinned_document_is_found_by_origin_and_urn_and_survives_storage() -> None:
    grown = directory().pin(bytes(SECOND))
    for found in (grown, KeyDirectory.load(grown.notes())):
        assert found.latest(ORIGIN) == found.by_urn("101234") == SECOND.document
    assert grown.latest("other.example") is None
    assert grown.by_urn("000000") is None


def test_pinning_the_same_document_again_changes_nothing() -> None:
    assert directory().pin(bytes(FIRST)).notes() == directory().notes()


def test_an_older_document_is_refused_even_with_its_words() -> None:
    grown = directory().pin(bytes(SECOND))
    with pytest.raises(BadKeyDocument, match="pinned already"):
        grown.pin(bytes(FIRST), said(FIRST))


def test_another_document_of_the_same_serial_is_refused() -> None:
    fork = first_document(OAK, ORIGIN, keys(7), [], AT, AT + YEAR)
    with pytest.raises(BadKeyDocument, match="pinned already"):
        directory().pin(bytes(fork), said(fork))


def test_a_document_signed_by_strangers_is_refused() -> None:
    with pytest.raises(BadKeyDocument, match="did not sign"):
        directory().pin(bytes(sign_document(SECOND.document, [keys(2)])))


def test_a_school_that_lost_its_keys_is_pinned_anew_by_words() -> None:
    lost = sign_document(altered(SECOND, serial=5, previous="1" * 64), [keys(2)])
    assert directory().pin(bytes(lost), said(lost)).latest(ORIGIN) == lost.document


def test_words_cannot_forget_a_revocation() -> None:
    known = directory().pin(bytes(SECOND)).pin(bytes(REVOKED))
    lost = sign_document(altered(SECOND, serial=5), [keys(2)])
    with pytest.raises(BadKeyDocument, match="forgets"):
        known.pin(bytes(lost), said(lost))


def test_no_school_takes_the_urn_of_another() -> None:
    thief = first_document(OAK, "thief.example/log", keys(8), [], AT, AT + YEAR)
    with pytest.raises(BadKeyDocument, match="Oak Lodge"):
        directory().pin(bytes(thief), said(thief))


def test_a_document_that_the_directory_countersigned_is_pinned() -> None:
    both = [
        Signer("directory.example", kind, bytes([40 + n]) * 32) for n, kind in enumerate((Kind.ED25519, Kind.ML_DSA_65))
    ]
    trusting = KeyDirectory(vouchers=tuple(each.verifier for each in both))
    signed = FIRST.note.signed_also(each.sign(FIRST.note.text, 0) for each in both)
    assert trusting.pin(bytes(signed)).latest(ORIGIN) == FIRST.document
    with pytest.raises(BadKeyDocument):
        trusting.pin(bytes(FIRST.note.signed_also([both[0].sign(FIRST.note.text, 0)])))


def test_the_directory_knows_who_may_sign_what_and_when() -> None:
    grown = directory().pin(bytes(SECOND))
    old = FIRST.document.newest(Purpose.MANIFEST).key_id
    trusted = grown.signer_for(Purpose.MANIFEST, old, LATER)
    assert (trusted.document, trusted.pair.key_id) == (SECOND.document, old)
    with pytest.raises(UnknownSigner):
        grown.signer_for(Purpose.MANIFEST, "0" * 64, LATER)


def test_a_revocation_reaches_keys_that_only_older_documents_list() -> None:
    far = LATER + timedelta(days=300)
    old = FIRST.document.newest(Purpose.RECEIPT).key_id
    third = next_document(SECOND, keys(2), keys(3), [], far, far + YEAR, [Revocation(key_id=old, at=AT)])
    assert all(pair.key_id != old for pair in third.document.signing)
    known = directory().pin(bytes(SECOND))
    assert known.signer_for(Purpose.RECEIPT, old, AT + timedelta(days=1))
    with pytest.raises(ExpiredKey, match="revoked"):
        known.pin(bytes(third)).signer_for(Purpose.RECEIPT, old, AT + timedelta(days=1))


def test_stored_documents_out_of_order_are_refused() -> None:
    with pytest.raises(BadKeyDocument, match="order"):
        KeyDirectory.load([bytes(SECOND), bytes(FIRST)])


def test_private_keys_survive_storage_and_do_not_show() -> None:
    assert SigningKeys.parse(bytes(keys(1))) == keys(1)
    assert keys(1).seeds[0].hex()[:8] not in repr(keys(1))
    assert "b'" not in repr(keys(1)) + repr(keys(1).signers(Purpose.RECEIPT, ORIGIN))


@pytest.mark.parametrize(
    "data", [b"", bytes(keys(1))[:-1], bytes(keys(1)) + b"x", b"x" + bytes(keys(1)), bytes(keys(1))[:24] + bytes(192)]
)
def test_damaged_private_keys_are_refused(data: bytes) -> None:
    with pytest.raises(BadKey):
        SigningKeys.parse(data)


def test_who_has_old_keys_cannot_go_on_from_them_on_a_way_of_their_own() -> None:
    known = Trust(directory().pin(bytes(SECOND)))
    fork = next_document(FIRST, keys(1), keys(7), [recipient(7).recipient], LATER, LATER + YEAR)
    further = next_document(fork, keys(7), keys(8), [recipient(7).recipient], LATER, LATER + YEAR)
    for run in ((FIRST, fork), (fork,), (FIRST, fork, further)):
        with pytest.raises(BadKeyDocument, match="document 2 that is known here"):
            known.judge(ORIGIN, [bytes(one) for one in run], LATER)
    assert known.judge(ORIGIN, [bytes(FIRST), bytes(SECOND)], LATER).how is Known.PINNED
