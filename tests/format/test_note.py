"""Signed notes and checkpoints: the published examples verify, one fault each is refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.errors import BadKey, BadNote, BadSignature
from transfer.evidence import note
from transfer.evidence.checkpoint import Checkpoint
from transfer.evidence.note import Kind, Note, Signature, Signer, Verifier

AT = 1_790_000_000
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
HEAD = Checkpoint("school.example/log", 70_000, bytes(range(32)))


def signer(kind: Kind, name: str = "school.example/log", seed: int = 7) -> Signer:
    return Signer(name, kind, bytes([seed]) * 32)


def test_the_published_example_verifies_and_comes_back_byte_for_byte() -> None:
    key = Verifier.parse(EXAMPLE_KEY)
    parsed = note.parse(EXAMPLE_NOTE)
    assert note.require(parsed, [key]) == {key: None}
    assert bytes(parsed) == EXAMPLE_NOTE
    assert key.text == EXAMPLE_KEY


def test_the_example_with_one_letter_changed_is_refused() -> None:
    changed = note.parse(EXAMPLE_NOTE.replace(b"message", b"massage"))
    with pytest.raises(BadSignature):
        note.verify(changed, [Verifier.parse(EXAMPLE_KEY)])


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_signs_a_checkpoint_and_verifies_it(kind: Kind) -> None:
    who = signer(kind)
    made = note.sign(HEAD.text, [who], AT)
    assert note.require(note.parse(bytes(made)), [who.verifier]) == {who.verifier: AT if kind.timed else None}
    assert Verifier.parse(who.verifier.text) == who.verifier


@pytest.mark.parametrize("kind", list(Kind))
def test_any_flipped_byte_of_a_signature_is_refused(kind: Kind) -> None:
    who = signer(kind)
    made = note.sign(HEAD.text, [who], AT).signatures[0]
    for index in (0, 7, 8, len(made.data) // 2, len(made.data) - 1):
        data = bytearray(made.data)
        data[index] ^= 1
        with pytest.raises(BadSignature):
            note.verify(Note(HEAD.text, (Signature(made.name, made.key_id, bytes(data)),)), [who.verifier])


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize(
    "other",
    [
        Checkpoint("other.example/log", HEAD.size, HEAD.root),
        Checkpoint(HEAD.origin, HEAD.size + 1, HEAD.root),
        Checkpoint(HEAD.origin, HEAD.size, bytes(32)),
    ],
    ids=["origin", "size", "root"],
)
def test_a_signature_moved_to_another_checkpoint_is_refused(kind: Kind, other: Checkpoint) -> None:
    who = signer(kind)
    moved = Note(other.text, note.sign(HEAD.text, [who], AT).signatures)
    with pytest.raises(BadSignature):
        note.verify(moved, [who.verifier])


def test_the_ml_dsa_44_cosignature_signs_the_message_of_the_specification() -> None:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    who = signer(Kind.ML_DSA_44)
    signature = note.sign(HEAD.text, [who], AT).signatures[0]
    name = b"school.example/log"
    message = b"subtree/v1\n\x00" + bytes([18]) + name + AT.to_bytes(8, "big") + bytes([18]) + name
    message += bytes(8) + (70_000).to_bytes(8, "big") + HEAD.root
    assert signature.data[:8] == AT.to_bytes(8, "big")
    MLDSA44PublicKey.from_public_bytes(who.verifier.public).verify(signature.data[8:], message)


def test_the_witness_cosignature_signs_the_message_of_the_specification() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    who = signer(Kind.COSIGNATURE_V1, "witness.example/w1")
    signature = note.sign(HEAD.text, [who], AT).signatures[0]
    message = f"cosignature/v1\ntime {AT}\n{HEAD.text}".encode()
    Ed25519PublicKey.from_public_bytes(who.verifier.public).verify(signature.data[8:], message)


def test_unknown_signatures_are_ignored_and_kept() -> None:
    ours, theirs = signer(Kind.ED25519), signer(Kind.ED25519, "stranger.example", 9)
    made = note.sign(HEAD.text, [ours, theirs], AT)
    assert set(note.verify(made, [ours.verifier])) == {ours.verifier}
    assert bytes(note.parse(bytes(made))) == bytes(made)


def test_a_missing_required_signature_is_refused_by_name() -> None:
    one, two = signer(Kind.ED25519), signer(Kind.ML_DSA_44)
    made = note.sign(HEAD.text, [one], AT)
    with pytest.raises(BadSignature, match="ML_DSA_44"):
        note.open_checkpoint(bytes(made), [one.verifier, two.verifier])


def test_requiring_no_key_at_all_is_refused() -> None:
    with pytest.raises(BadSignature):
        note.require(note.sign(HEAD.text, [signer(Kind.ED25519)], AT), [])


def test_one_key_signing_twice_is_refused() -> None:
    who = signer(Kind.COSIGNATURE_V1)
    twice = (who.sign(HEAD.text, AT), who.sign(HEAD.text, AT + 1))
    with pytest.raises(BadSignature, match="twice"):
        note.verify(Note(HEAD.text, twice), [who.verifier])


def test_a_renewed_signature_replaces_the_older_one() -> None:
    who = signer(Kind.COSIGNATURE_V1)
    made = note.sign(HEAD.text, [who], AT).signed_also([who.sign(HEAD.text, AT + 1)])
    assert note.verify(made, [who.verifier]) == {who.verifier: AT + 1}


def test_a_timed_signature_without_a_time_is_refused() -> None:
    who = signer(Kind.ML_DSA_44)
    with pytest.raises(BadSignature):
        note.verify(Note(HEAD.text, (who.sign(HEAD.text, 0),)), [who.verifier])


def test_the_same_seed_has_another_id_for_every_kind_and_name() -> None:
    made = [signer(kind, name).verifier.key_id for kind in Kind for name in ("a.example", "b.example")]
    assert len(set(made)) == len(made)


GOOD = bytes(note.sign("one\n\ntwo\n", [signer(Kind.ED25519)], AT))


def test_a_text_with_empty_lines_is_split_at_the_last() -> None:
    assert note.parse(GOOD).text == "one\n\ntwo\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        GOOD[:-1],
        GOOD + b"\n",
        GOOD + b"x",
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"two", b"t\x00o"),
        GOOD.replace(b"two", b"t\xffo"),
        GOOD.replace("\u2014".encode(), b"-"),
        GOOD.replace(b"example/log ", b"example/log  "),
        GOOD.replace(b"example/log ", b"example/log+ "),
        GOOD[:-3] + bytes([GOOD[-3] + 1]) + b"=\n",
        b"text\n\n\xe2\x80\x94 name AAAA\n",
        b"text\n\n" + GOOD.splitlines(keepends=True)[-1] * 65,
        b"x" * (1 << 20) + GOOD,
    ],
)
def test_a_malformed_note_is_refused(data: bytes) -> None:
    with pytest.raises(BadNote):
        note.parse(data)


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"log\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"log\n01\n{ROOT}\n",
        f"log\n-1\n{ROOT}\n",
        f"log\n+1\n{ROOT}\n",
        f"log\n\u0661\n{ROOT}\n",
        f"log\n{1 << 63}\n{ROOT}\n",
        f"log\n{'9' * 5000}\n{ROOT}\n",
        f"log\n1\n{ROOT[:-4]}\n",
        f"log\n1\n{ROOT} \n",
        f"log\n1\n{ROOT}\nextension\n",
        f"{'l' * 256}\n1\n{ROOT}\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        EXAMPLE_KEY.upper(),
        EXAMPLE_KEY.replace("530d903a", "530d903b"),
        EXAMPLE_KEY + "=",
        EXAMPLE_KEY.replace("example.com/foo", "example.com/fo o"),
        EXAMPLE_KEY.replace("AekyeRrm", "CekyeRrm"),
        "x" * 5000,
    ],
)
def test_a_malformed_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(BadKey):
        Verifier.parse(text)


@given(st.text(st.characters(min_codepoint=32, codec="utf-8"), max_size=50), st.integers(0, (1 << 63) - 1))
def test_a_checkpoint_survives_writing_and_reading(origin: str, size: int) -> None:
    if not 0 < len(origin.encode()) <= 255:
        return
    made = Checkpoint(origin, size, bytes(32))
    assert Checkpoint.parse(made.text) == made


@given(st.binary(max_size=300))
def test_any_bytes_are_a_note_with_one_encoding_or_refused(data: bytes) -> None:
    try:
        parsed = note.parse(data)
    except BadNote:
        return
    assert bytes(parsed) == data
