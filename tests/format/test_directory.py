"""A directory of key documents: countersigned, in a log of its own, and refused when it shows less or something else."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from transfer import errors
from transfer.errors import BadKeyDocument, BadProof, BadSignature, DirectoryForked, DirectoryRolledBack, OutOfDate
from transfer.evidence import note
from transfer.keys import published
from transfer.keys.document import School, SignedDocument, open_document
from transfer.keys.issue import first_document, next_document
from transfer.keys.published import Seen, countersigned, follow
from transfer.keys.signing import Purpose, SigningKeys

AT = datetime(2026, 9, 1, 8, tzinfo=UTC)
YEAR = timedelta(days=400)
ORIGIN = "directory.example/keys"


def keys(seed: int) -> SigningKeys:
    count = iter(range(100))
    return SigningKeys.draw(lambda size: hashlib.shake_256(bytes([seed, next(count)])).digest(size))


def school(number: int) -> SignedDocument:
    name = School(name=f"School {number}", urn=str(100_000 + number))
    return first_document(name, f"s{number}.example/log", keys(number), [], AT, AT + YEAR)


OWN = first_document(School(name="The directory"), ORIGIN, keys(200), [], AT, AT + YEAR)
MANIFEST, CHECKPOINT = (keys(200).signers(purpose, ORIGIN) for purpose in (Purpose.MANIFEST, Purpose.CHECKPOINT))
ENTRIES = [countersigned(school(number), MANIFEST) for number in range(1, 6)]


def head(entries: list[bytes], at: datetime = AT) -> bytes:
    return published.checkpoint(ORIGIN, published.leaves_of(entries), CHECKPOINT, at)


def shown(seen: Seen, entries: list[bytes], begin: int = 0, at: datetime = AT, now: datetime = AT) -> Seen:
    return follow(seen, [OWN.document], head(entries, at), entries[begin:], begin, now)[0]


def test_a_reader_goes_on_from_what_it_has_seen() -> None:
    seen = shown(Seen(), ENTRIES[:2])
    assert seen.size == 2
    assert shown(seen, ENTRIES, begin=2).leaves == shown(Seen(), ENTRIES).leaves
    again, found = follow(seen, [OWN.document], head(ENTRIES), ENTRIES, 0, AT)
    assert (again.size, [one.document.school.name for one in found][:2]) == (5, ["School 1", "School 2"])
    assert found[0].vouchers == OWN.document.newest(Purpose.MANIFEST).verifiers


def test_an_empty_directory_can_be_followed() -> None:
    assert shown(shown(Seen(), []), ENTRIES).size == 5


def test_a_directory_that_shows_less_than_before_is_refused() -> None:
    with pytest.raises(DirectoryRolledBack, match="shows 3 entries and has shown 5"):
        shown(shown(Seen(), ENTRIES), ENTRIES[:3])


@pytest.mark.parametrize("begin", [0, 2])
def test_a_directory_that_shows_something_else_than_before_is_refused(begin: int) -> None:
    other = [*ENTRIES[:1], ENTRIES[4], *ENTRIES[2:4]]
    with pytest.raises(DirectoryForked):
        shown(shown(Seen(), ENTRIES[:2]), other, begin=begin)
    with pytest.raises(DirectoryForked):
        shown(shown(Seen(), ENTRIES[:2]), [ENTRIES[1], ENTRIES[0]])


def test_two_readers_find_out_by_their_checkpoints_that_they_were_shown_different_things() -> None:
    seen = shown(Seen(), ENTRIES)
    assert published.check_against(seen, head(ENTRIES[:3]), OWN.document) == 3
    with pytest.raises(DirectoryForked, match="shows somebody else"):
        published.check_against(seen, head([*ENTRIES[:2], ENTRIES[4]]), OWN.document)
    with pytest.raises(BadProof, match="only 5 were seen"):
        published.check_against(seen, head([*ENTRIES, *ENTRIES]), OWN.document)


def test_entries_that_are_missing_or_altered_are_refused() -> None:
    with pytest.raises(BadProof, match="do not make the 5"):
        follow(Seen(), [OWN.document], head(ENTRIES), ENTRIES[:4], 0, AT)
    with pytest.raises(BadProof, match="do not make the 5"):
        follow(Seen(), [OWN.document], head(ENTRIES), ENTRIES, 2, AT)
    with pytest.raises(DirectoryForked, match="other entries than came"):
        follow(Seen(), [OWN.document], head(ENTRIES), [*ENTRIES[:4], ENTRIES[0]], 0, AT)


def test_a_document_that_the_directory_did_not_countersign_is_refused() -> None:
    bare = bytes(school(1))
    half = bytes(open_document(bare).note.signed_also([MANIFEST[0].sign(open_document(bare).note.text, 0)]))
    for entry in (bare, half):
        with pytest.raises(BadKeyDocument, match="did not countersign"):
            shown(Seen(), [entry])


def test_a_checkpoint_is_of_this_directory_by_its_present_keys_and_fresh() -> None:
    late = AT + timedelta(days=41)
    with pytest.raises(OutOfDate, match="01 September"):
        shown(Seen(), ENTRIES, now=late)
    with pytest.raises(OutOfDate):
        shown(Seen(), ENTRIES, at=late)
    other = published.checkpoint("other.example", published.leaves_of(ENTRIES), CHECKPOINT, AT)
    for wrong in (other, published.checkpoint(ORIGIN, b"", keys(9).signers(Purpose.CHECKPOINT, ORIGIN), AT)):
        with pytest.raises((BadProof, BadSignature)):
            follow(Seen(), [OWN.document], wrong, ENTRIES, 0, AT)
    half = note.Note(note.parse(head(ENTRIES)).text, note.parse(head(ENTRIES)).signatures[:1])
    with pytest.raises(BadSignature):
        follow(Seen(), [OWN.document], bytes(half), ENTRIES, 0, AT)
    with pytest.raises(errors.ExpiredKey):
        shown(Seen(), ENTRIES, at=AT + YEAR, now=AT + YEAR)


def test_entries_of_a_directory_whose_keys_were_renewed_still_count() -> None:
    renewed = next_document(OWN, keys(200), keys(201), [], AT, AT + YEAR)
    signers = keys(201).signers(Purpose.CHECKPOINT, ORIGIN)
    signed = published.checkpoint(ORIGIN, published.leaves_of(ENTRIES), signers, AT)
    seen, _ = follow(shown(Seen(), ENTRIES[:2]), [OWN.document, renewed.document], signed, ENTRIES[2:], 2, AT)
    assert seen.size == 5
    with pytest.raises(BadSignature):
        follow(Seen(), [OWN.document], signed, ENTRIES, 0, AT)


def test_any_byte_of_an_entry_changes_its_leaf() -> None:
    data = bytearray(ENTRIES[0])
    for at in range(0, len(data), 997):
        changed = bytearray(data)
        changed[at] ^= 1
        assert published.leaves_of([bytes(changed)]) != published.leaves_of([ENTRIES[0]])
    assert replace(Seen(), leaves=bytes(64)).size == 2
