"""Receipts and audit bundles: every byte counts."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from transfer import bundle, errors, evidence, package, receipt
from transfer.bundle import HeadsOpened, LogParts
from transfer.evidence import merkle, note
from transfer.keys.signing import Purpose
from transfer.keys.trust import Trust
from transfer.manifest import Manifest, Sender
from transfer.receipt import Receipt


@pytest.fixture
def accepted(paper: SimpleNamespace, ash: Any) -> Receipt:
    return Receipt(
        paper.transfer_id, "a" * 64, True, "", "100001", ash.origin, 4, paper.at, ash.checkpoint(), bytes(ash.document)
    )


def signed(school: Any, made: Receipt, purpose: Purpose = Purpose.RECEIPT) -> bytes:
    return receipt.sign(made, school.keys.signers(purpose, school.origin), 1)


def test_a_receipt_comes_back_as_it_was(ash: Any, accepted: Receipt) -> None:
    made, standing = receipt.read(signed(ash, accepted), Trust())
    assert made == accepted
    assert standing.name == "ash school"


def test_a_refusal_has_no_checkpoint_and_one_word(ash: Any, accepted: Receipt) -> None:
    refused = replace(accepted, accepted=False, reason="out_of_date", position=0, checkpoint=b"")
    assert receipt.read(signed(ash, refused), Trust())[0] == refused


def test_any_flipped_byte_of_a_receipt_is_refused(ash: Any, accepted: Receipt) -> None:
    data = signed(ash, accepted)
    for at in range(0, len(data), 211):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(errors.TransferRefused):
            receipt.read(bytes(changed), Trust())


@pytest.mark.long
def test_every_flipped_byte_of_a_receipt_is_refused(ash: Any, accepted: Receipt) -> None:
    data = signed(ash, accepted)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(errors.TransferRefused):
            receipt.read(bytes(changed), Trust())


@pytest.mark.parametrize("line", [0, 1])
def test_a_receipt_needs_both_signatures(ash: Any, accepted: Receipt, line: int) -> None:
    whole = note.parse(signed(ash, accepted))
    with pytest.raises(errors.BadSignature):
        receipt.read(bytes(note.Note(whole.text, (whole.signatures[line],))), Trust())


def test_a_receipt_signed_with_the_keys_of_manifests_is_refused(ash: Any, accepted: Receipt) -> None:
    with pytest.raises(errors.BadSignature):
        receipt.read(signed(ash, accepted, Purpose.MANIFEST), Trust())


def test_a_receipt_with_the_keys_of_another_school_is_refused(ash: Any, beech: Any, accepted: Receipt) -> None:
    with pytest.raises(errors.BadKeyDocument, match="another log"):
        receipt.read(signed(ash, replace(accepted, keys=bytes(beech.document))), Trust())


@pytest.mark.parametrize(
    "changes",
    [
        {"position": 99},
        {"accepted": False},
        {"reason": "late"},
        {"checkpoint": b""},
        {"reason": "Two words", "accepted": False, "checkpoint": b""},
        {"manifest_sha256": "A" * 64},
    ],
)
def test_a_signed_receipt_that_contradicts_itself_is_refused(
    ash: Any, accepted: Receipt, changes: dict[str, Any]
) -> None:
    with pytest.raises(errors.BadReceipt):
        receipt.read(signed(ash, replace(accepted, **changes)), Trust())


def test_a_receipt_with_a_checkpoint_of_another_log_is_refused(ash: Any, beech: Any, accepted: Receipt) -> None:
    with pytest.raises(errors.BadSignature):
        receipt.read(signed(ash, replace(accepted, checkpoint=beech.checkpoint())), Trust())


def log_parts(paper: SimpleNamespace, school: Any, entries: list[bytes] | None = None) -> LogParts:
    kept = list(school.entries if entries is None else entries)
    root = merkle.root([evidence.chain.leaf(entry) for entry in school.entries])
    folder = f"evidence/{bundle.unit_of(school.origin)}/"
    made = Manifest(
        transfer_id=paper.transfer_id, kind="audit", created=paper.at, not_after=None,
        sender=Sender("", "", "", "", "ash school", school.origin), recipients=(),
        sources=(bundle.source_of(school.origin, len(school.entries), root),),
    )  # fmt: skip
    opened = [HeadsOpened(at, b"own", school.opened[at][1], school.opened[at][0]) for at in school.streams[b"own"]]
    small = {folder + "checkpoint": school.checkpoint(), folder + "keys/000001": bytes(school.document)}
    return LogParts(made, lambda: iter(kept), opened, small)


def bundled(school: Any, parts: LogParts) -> bytes:
    _, pieces = bundle.write(parts, school.keys.signers(Purpose.MANIFEST, school.origin), 1)
    return b"".join(pieces)


def audited(data: bytes, **how: Any) -> bundle.Audited:
    return bundle.read(io.BytesIO(data), Trust(), **how)


def test_a_bundle_shows_the_whole_log(paper: SimpleNamespace, beech: Any) -> None:
    found = audited(bundled(beech, log_parts(paper, beech)))
    assert (found.entries, found.streams, found.heads) == (6, 3, 1)
    assert found.kinds == {"event": 2, "import": 3, "heads": 1}


def test_a_bundle_recomputes_each_heads_entry(paper: SimpleNamespace, ash: Any) -> None:
    ash.record(b"jo", "more")
    ash.record(b"new", "first")
    ash.publish()
    ash.publish()
    assert audited(bundled(ash, log_parts(paper, ash))).heads == 3


def test_an_erased_stream_is_counted_and_ends(paper: SimpleNamespace, ash: Any) -> None:
    ash.write(b"kim", b"{}", "erasure")
    ash.publish()
    assert audited(bundled(ash, log_parts(paper, ash))).erased == {b"kim": 3}
    ash.record(b"kim", "after all")
    with pytest.raises(errors.BadChain):
        audited(bundled(ash, log_parts(paper, ash)))


def test_every_flipped_byte_of_a_bundle_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    data = bundled(ash, log_parts(paper, ash))
    for at in range(0, len(data), 61):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(errors.TransferRefused):
            audited(bytes(changed))


@pytest.mark.parametrize(
    "change",
    [
        lambda entries: entries[1:],
        lambda entries: entries[:-1],
        lambda entries: [entries[1], entries[0], *entries[2:]],
        lambda entries: [*entries, entries[0]],
    ],
)
def test_a_log_with_an_entry_too_few_or_out_of_place_is_refused(
    paper: SimpleNamespace, ash: Any, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    with pytest.raises(errors.BadProof):
        audited(bundled(ash, log_parts(paper, ash, change(ash.entries))))


def test_heads_that_hide_a_stream_are_refused(paper: SimpleNamespace, ash: Any) -> None:
    covers = len(ash.entries)
    hidden = evidence.chain
    heads = bundle.Heads([bundle.Head(b"jo", 2, hidden.leaf(ash.entries[ash.streams[b"jo"][-1]]))])
    stated = {"covers": covers, "streams": 1, "root": heads.root.hex()}
    ash.write(b"own", paper.fact("school.heads-published.v1", stated), "heads")
    with pytest.raises(errors.BadHeads, match="not that of the streams"):
        audited(bundled(ash, log_parts(paper, ash)))


def test_a_heads_entry_that_is_not_disclosed_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    parts = log_parts(paper, ash)
    with pytest.raises(errors.BadHeads, match="not disclosed"):
        audited(bundled(ash, replace(parts, heads=[])))


def test_heads_disclosed_that_are_not_in_the_log_are_refused(paper: SimpleNamespace, ash: Any) -> None:
    parts = log_parts(paper, ash)
    with pytest.raises(errors.BadHeads, match="not in the log"):
        audited(bundled(ash, replace(parts, heads=[*parts.heads, replace(parts.heads[0], index=99)])))


def test_a_bundle_must_begin_with_what_another_file_showed(paper: SimpleNamespace, ash: Any) -> None:
    data = bundled(ash, log_parts(paper, ash))
    root = merkle.root([evidence.chain.leaf(entry) for entry in ash.entries[:4]])
    assert audited(data, seen={ash.origin: {4: root}}).marks == 1
    with pytest.raises(errors.BadProof, match="does not begin with the 4"):
        audited(data, seen={ash.origin: {4: bytes(32)}})


def test_nothing_in_a_bundle_tells_what_was_recorded(paper: SimpleNamespace, ash: Any) -> None:
    data = bundled(ash, log_parts(paper, ash))
    assert b"enrolled" not in data
    names = json.loads(data[512 : data.index(b"\0", 512)])["files"]
    assert [one["name"] for one in names if not one["name"].startswith("evidence/")] == ["heads.jsonl", "entries.txt"]
    assert package.MANIFEST.encode() in data
