"""The sealed file: what is written is read, and each single fault is refused by its name."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transfer import age, archive, canonical, errors, evidence, package, story
from transfer.evidence import chain, merkle, note
from transfer.evidence.chain import b64
from transfer.keys.document import School
from transfer.keys.issue import first_document
from transfer.keys.signing import Purpose, SigningKeys
from transfer.keys.trust import Known, Trust
from transfer.manifest import Recipient

Change = Callable[[dict[str, bytes]], dict[str, bytes]]


def tar(paper: SimpleNamespace, school: Any, stream: bytes = b"jo", change: Change = dict, **how: Any) -> bytes:
    """A file whose sender changed some members before listing and signing them."""
    parts = paper.parts_of(school, stream)
    return paper.build(school, how.pop("made", parts.manifest), change(paper.members_of(parts)), **how)


def unit(school: Any, stream: bytes = b"jo") -> str:
    return f"evidence/{evidence.unit_name(school.origin, stream)}/"


def edited(name: str, edit: Callable[[dict[str, Any]], None]) -> Change:
    """Change a JSON member."""

    def change(members: dict[str, bytes]) -> dict[str, bytes]:
        value = json.loads(members[name])
        edit(value)
        return {**members, name: canonical.dump(value)}

    return change


def test_what_is_written_is_read(paper: SimpleNamespace, ash: Any) -> None:
    parts = paper.parts_of(ash, b"jo")
    sink = io.BytesIO()
    made = package.write(sink, parts, [paper.receiver.recipient], ash.keys.signers(Purpose.MANIFEST, ash.origin), 1)
    found = package.read(package.open_sealed(io.BytesIO(sink.getvalue()), [paper.receiver]), Trust(), paper.at)
    assert found.manifest == made
    assert list(found.lines) == list(parts.lines)
    assert found.members["README.txt"] == b"read me\n"
    assert [line.payload for line in found.lines] == [ash.opened[place][1] for place in ash.streams[b"jo"]]


def test_a_story_that_passed_through_two_schools_verifies_back_to_both(paper: SimpleNamespace, beech: Any) -> None:
    found = paper.opened(tar(paper, beech, b"jo here"))
    assert {proved.unit.origin for proved in found.proved.values()} == {"ash.example/log", "beech.example/log"}
    assert len(found.lines) == 4


def test_a_story_that_passed_through_three_schools_verifies_back_to_each(paper: SimpleNamespace, beech: Any) -> None:
    cedar = paper.School("cedar")
    cedar.take_in(b"jo third", beech, b"jo here")
    cedar.publish()
    found = paper.opened(tar(paper, cedar, b"jo third"))
    assert sorted(len(one.entries) for one in found.proved.values()) == [3, 4, 4]


def test_the_same_parts_give_the_same_archive(paper: SimpleNamespace, ash: Any) -> None:
    parts = paper.parts_of(ash, b"jo")
    first, second = (paper.build(ash, parts.manifest, paper.members_of(parts), sign=lambda _: FIXED) for _ in range(2))
    assert first == second


FIXED = note.Note("fixed\n", (note.Signature("x", b"1234", b"data"),))


def test_plain_tar_lists_it_manifest_first(paper: SimpleNamespace, ash: Any, tmp_path: Path) -> None:
    (tmp_path / "file.tar").write_bytes(tar(paper, ash))
    listed = subprocess.run(["tar", "-tf", tmp_path / "file.tar"], check=True, capture_output=True, timeout=20)
    assert listed.stderr == b""
    names = listed.stdout.decode().split()
    assert names[:3] == ["manifest.json", "manifest.note", "events.jsonl"]
    assert names[-1] == "padding"


def test_the_length_says_little(paper: SimpleNamespace, ash: Any) -> None:
    lengths = {len(tar(paper, ash, change=lambda m, n=n: {**m, "README.txt": bytes(n)})) for n in range(1, 1500, 300)}
    assert len(lengths) == 1


def test_a_member_that_nobody_knows_is_kept(paper: SimpleNamespace, ash: Any) -> None:
    found = paper.opened(tar(paper, ash, change=lambda m: {**m, "novelty.bin": b"later"}))
    assert found.members["novelty.bin"] == b"later"


def test_a_manifest_key_that_nobody_knows_is_kept(paper: SimpleNamespace, ash: Any) -> None:
    made = replace(paper.parts_of(ash, b"jo").manifest, extra={"novelty": [1]})
    assert paper.opened(tar(paper, ash, made=made)).manifest.extra == {"novelty": [1]}


@pytest.mark.parametrize("name", ["novelty", "novelty.bin"])
def test_a_critical_thing_that_is_not_known_is_refused(paper: SimpleNamespace, ash: Any, name: str) -> None:
    made = replace(paper.parts_of(ash, b"jo").manifest, critical=(name,))
    with pytest.raises(errors.UnknownFormat, match="critical"):
        paper.opened(tar(paper, ash, made=made))


def test_a_critical_thing_that_is_known_is_no_hindrance(paper: SimpleNamespace, ash: Any) -> None:
    made = replace(paper.parts_of(ash, b"jo").manifest, critical=("events.jsonl", "evidence/x", "protected"))
    assert paper.opened(tar(paper, ash, made=made)).manifest.critical


def test_an_unknown_format_version_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    with pytest.raises(errors.UnknownFormat, match="astrack/file/v2"):
        paper.opened(tar(paper, ash, raw=lambda data: data.replace(b"astrack/file/v1", b"astrack/file/v2")))


@pytest.mark.parametrize(
    "raw",
    [
        lambda data: data.replace(b'{"', b'{ "', 1),
        lambda data: data.replace(b'"export":0', b'"export":0.0'),
        lambda data: data.replace(b'"export":0', b'"export":-1'),
        lambda data: data.replace(b'"kind":"school"', b'"kind":"gift"'),
        lambda data: data.replace(b'"protected":false', b'"protected":null'),
        lambda data: data.replace(b'"not_after":"2026', b'"not_after":"20a6'),
        lambda data: data.replace(b'"transfer_id":"019', b'"transfer_id":"xxx'),
        lambda data: data.replace(b'"critical":[],', b""),
        lambda data: b"[" * 100_000,
        lambda data: data[:-1],
    ],
)
def test_a_signed_manifest_in_another_form_is_refused(
    paper: SimpleNamespace, ash: Any, raw: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(errors.BadManifest):
        paper.opened(tar(paper, ash, raw=raw))


@pytest.mark.parametrize("line", [0, 1])
def test_without_either_signature_it_is_refused(paper: SimpleNamespace, ash: Any, line: int) -> None:
    def dropped(signed: note.Note) -> note.Note:
        return note.Note(signed.text, tuple(one for at, one in enumerate(signed.signatures) if at != line))

    with pytest.raises(errors.BadSignature):
        paper.opened(tar(paper, ash, sign=dropped))


def test_a_third_signature_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    with pytest.raises(errors.BadSignature, match="no place"):
        paper.opened(tar(paper, ash, sign=lambda signed: signed.signed_also([FIXED.signatures[0]])))


def test_a_signature_of_another_purpose_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    keys = ash.keys.signers(Purpose.RECEIPT, ash.origin)
    with pytest.raises(errors.BadSignature):
        paper.opened(tar(paper, ash, sign=lambda signed: note.sign(signed.text, keys, 1)))


def test_a_signature_of_another_school_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    keys = paper.School("mallory").keys.signers(Purpose.MANIFEST, ash.origin)
    with pytest.raises(errors.BadSignature):
        paper.opened(tar(paper, ash, sign=lambda signed: note.sign(signed.text, keys, 1)))


def test_the_signature_of_another_manifest_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    keys = ash.keys.signers(Purpose.MANIFEST, ash.origin)
    with pytest.raises(errors.BadSignature, match="another manifest"):
        paper.opened(tar(paper, ash, sign=lambda signed: note.sign(package.manifest.note_text(b"x"), keys, 1)))


def test_a_key_document_that_is_not_the_pinned_one_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    count = iter(range(100))
    impostors = SigningKeys.draw(lambda size: package.sha256(b"mallory %d" % next(count)).digest())
    later = paper.at + timedelta(days=400)
    known = first_document(School(name="ash school"), ash.origin, impostors, [], paper.at, later)
    with pytest.raises(errors.BadKeyDocument, match="not the school's key document"):
        paper.opened(tar(paper, ash), trust=Trust.of([bytes(known)]))


def test_a_pinned_sender_is_known(paper: SimpleNamespace, ash: Any) -> None:
    assert paper.opened(tar(paper, ash), trust=Trust.of([bytes(ash.document)])).sender.how is Known.PINNED


def test_eight_words_make_a_sender_known(paper: SimpleNamespace, ash: Any) -> None:
    words = paper.opened(tar(paper, ash)).sender.words
    assert paper.opened(tar(paper, ash), trust=Trust(words=(words.upper(),))).sender.how is Known.CONFIRMED
    assert paper.opened(tar(paper, ash), trust=Trust(words=("sun",))).sender.how is Known.SELF_ASSERTED


def test_a_file_for_somebody_else_is_not_opened(paper: SimpleNamespace, ash: Any) -> None:
    other = age.Identity(b"o" * 32)
    with pytest.raises(errors.NotForUs):
        package.open_sealed(io.BytesIO(paper.sealed(tar(paper, ash))), [other])


def test_a_file_sealed_on_for_a_reader_it_was_not_signed_for_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    other = Recipient(age.Identity(b"o" * 32).recipient.fingerprint, "school")
    made = replace(paper.parts_of(ash, b"jo").manifest, recipients=(other,))
    with pytest.raises(errors.WrongRecipient):
        paper.opened(tar(paper, ash, made=made))


def test_a_time_limit_that_is_past_stops_an_import_and_no_verification(paper: SimpleNamespace, ash: Any) -> None:
    late = paper.at + timedelta(days=31)
    with pytest.raises(errors.OutOfDate, match="time limit was 01 October 2026"):
        paper.opened(tar(paper, ash), now=late)
    assert paper.opened(tar(paper, ash)).manifest.not_after < late


def test_a_file_from_tomorrow_is_refused_and_a_clock_a_little_off_is_not(paper: SimpleNamespace, ash: Any) -> None:
    made = replace(paper.parts_of(ash, b"jo").manifest, created=paper.at + timedelta(days=2))
    with pytest.raises(errors.OutOfDate, match="not come"):
        paper.opened(tar(paper, ash, made=made), now=paper.at)
    made = replace(made, created=paper.at + timedelta(hours=23))
    assert paper.opened(tar(paper, ash, made=made), now=paper.at)


def test_keys_that_are_not_valid_now_are_refused_at_import(paper: SimpleNamespace, ash: Any) -> None:
    limit = paper.at + timedelta(days=900)
    made = replace(paper.parts_of(ash, b"jo").manifest, not_after=limit)
    with pytest.raises(errors.ExpiredKey):
        paper.opened(tar(paper, ash, made=made), now=limit - timedelta(days=1))


@pytest.mark.parametrize(
    ("after", "fault"),
    [
        (lambda m: {**m, "README.txt": b"other me"}, errors.BadFile),
        (lambda m: {**m, "README.txt": b"longer than it was"}, errors.BadFile),
        (lambda m: {**m, "more.txt": b""}, errors.BadFile),
        (lambda m: {name: data for name, data in m.items() if name != "README.txt"}, errors.BadFile),
        (lambda m: {name: data for name, data in m.items() if name != "manifest.note"}, errors.BadManifest),
        (lambda m: {name: data for name, data in m.items() if name != "manifest.json"}, errors.BadManifest),
        (lambda m: {**m, "manifest.json": m["manifest.json"].replace(b"100001", b"100002")}, errors.BadSignature),
    ],
)
def test_what_is_changed_after_signing_is_refused(paper: SimpleNamespace, ash: Any, after: Change, fault: Any) -> None:
    with pytest.raises(fault):
        paper.opened(tar(paper, ash, after=after))


def test_members_listed_in_another_order_are_refused(paper: SimpleNamespace, ash: Any) -> None:
    parts = paper.parts_of(ash, b"jo")
    names = [package._listed(one) for one in package._contents(parts)]
    with pytest.raises(errors.BadFile, match="order"):
        paper.opened(tar(paper, ash, listed=names[::-1]))


def line(at: int, **fields: Any) -> Change:
    """Change fields of one line of the story; None takes a field away."""

    def change(members: dict[str, bytes]) -> dict[str, bytes]:
        rows = members["events.jsonl"].splitlines()
        value = {**json.loads(rows[at]), **fields}
        rows[at] = canonical.dump({name: one for name, one in value.items() if one is not None})
        return {**members, "events.jsonl": b"\n".join(rows) + b"\n"}

    return change


STORY_FAULTS: dict[str, tuple[Change, type[errors.TransferRefused]]] = {
    "another payload": (line(1, payload=b64(b'{"topic":"x"}')), errors.BadStory),
    "another salt": (line(1, salt=b64(bytes(32))), errors.BadStory),
    "a short salt": (line(1, salt=b64(bytes(31))), errors.BadStory),
    "no salt": (line(1, salt=None), errors.BadStory),
    "a payload that is not base64": (line(1, payload="%%%"), errors.BadStory),
    "an entry that is none": (line(1, entry=b64(b"astrack/entry/v2\n")), errors.BadStory),
    "an unknown field": (line(1, more=1), errors.BadStory),
    "withheld without a reason": (line(1, payload=None, salt=None, omitted=""), errors.BadStory),
    "withheld and told": (line(1, omitted="because"), errors.BadStory),
    "spaces": (lambda m: {**m, "events.jsonl": m["events.jsonl"].replace(b'{"', b'{ "', 1)}, errors.BadStory),
    "an empty line": (lambda m: {**m, "events.jsonl": m["events.jsonl"] + b"\n"}, errors.BadStory),
    "no end": (lambda m: {**m, "events.jsonl": m["events.jsonl"][:-1]}, errors.BadStory),
    "a line less": (lambda m: {**m, "events.jsonl": m["events.jsonl"].split(b"\n", 1)[1]}, errors.BadStory),
    "a line twice": (
        lambda m: {**m, "events.jsonl": m["events.jsonl"] + m["events.jsonl"].splitlines()[2] + b"\n"}, errors.BadStory),
    "two lines changed round": (
        lambda m: {**m, "events.jsonl": b"\n".join(m["events.jsonl"].splitlines()[::-1]) + b"\n"}, errors.BadProof),
    "no story": (lambda m: {name: data for name, data in m.items() if name != "events.jsonl"}, errors.BadFile),
    "an empty story": (lambda m: {**m, "events.jsonl": b""}, errors.BadStory),
}  # fmt: skip


@pytest.mark.parametrize("fault", STORY_FAULTS)
def test_a_signed_story_with_one_fault_is_refused(paper: SimpleNamespace, ash: Any, fault: str) -> None:
    change, refusal = STORY_FAULTS[fault]
    with pytest.raises(refusal):
        paper.opened(tar(paper, ash, change=change))


def test_a_withheld_line_is_counted_and_proved(paper: SimpleNamespace, ash: Any) -> None:
    found = paper.opened(tar(paper, ash, change=line(1, payload=None, salt=None, omitted="a third person is in it")))
    assert [one.omitted for one in found.lines] == ["", "a third person is in it", ""]


def test_a_story_without_its_last_fact_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    """The sender re-proves everything but leaves the end of the stream out: the heads tell."""
    whole, lines = ash.unit(b"jo")
    nodes = merkle.nodes_of([chain.leaf(entry) for entry in ash.entries])
    indexes = whole.indexes[:-1]
    proof = tuple(merkle.multi_proof(nodes, (*indexes, whole.heads.index), len(ash.entries)))
    short = replace(whole, indexes=indexes, nodes=proof)
    threads = story.threads_of(ash.origin, indexes, lines[:-1])
    with pytest.raises(errors.BadHeads):
        paper.source(short, threads.found[ash.origin, b"jo"])


def test_heads_taken_before_the_last_fact_prove_nothing(paper: SimpleNamespace, ash: Any) -> None:
    covers = len(ash.entries)
    ash.record(b"jo", "late")
    ash.publish(covers)
    whole, _ = ash.unit(b"jo")
    nodes = merkle.nodes_of([chain.leaf(entry) for entry in ash.entries])
    indexes = tuple(ash.streams[b"jo"])
    proof = tuple(merkle.multi_proof(nodes, (*indexes, whole.heads.index), len(ash.entries)))
    with pytest.raises(errors.BadHeads, match="before the last"):
        paper.source(replace(whole, indexes=indexes, nodes=proof), {one: ash.entries[one] for one in indexes})


def heads_edit(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda value: value["heads"].update(changes)


EVIDENCE_FAULTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "a node changed": lambda value: value["nodes"].__setitem__(0, b64(bytes(32))),
    "a node less": lambda value: value["nodes"].pop(),
    "a node more": lambda value: value["nodes"].append(b64(bytes(32))),
    "an index changed": lambda value: value["indexes"].__setitem__(0, 1),
    "an index outside": lambda value: value["indexes"].__setitem__(2, 99),
    "indexes not ascending": lambda value: value["indexes"].reverse(),
    "a negative index": lambda value: value["indexes"].__setitem__(0, -1),
    "another heads salt": heads_edit(salt=b64(bytes(32))),
    "another heads payload": heads_edit(payload=b64(b"{}")),
    "another place": heads_edit(place=1),
    "heads at another index": heads_edit(index=5),
    "heads without nodes": heads_edit(nodes=[]),
    "an unknown field": lambda value: value.update(more=1),
    "another stream": lambda value: value.update(stream=b64(b"kim")),
    "another origin": lambda value: value.update(origin="oak.example/log"),
}


@pytest.mark.parametrize("fault", EVIDENCE_FAULTS)
def test_a_proof_with_one_fault_is_refused(paper: SimpleNamespace, ash: Any, fault: str) -> None:
    with pytest.raises(errors.TransferRefused) as refused:
        paper.opened(tar(paper, ash, change=edited(unit(ash) + "proof.json", EVIDENCE_FAULTS[fault])))
    assert not isinstance(refused.value, errors.BadManifest)


def without(prefix: str) -> Change:
    return lambda members: {name: data for name, data in members.items() if not name.startswith(prefix)}


@pytest.mark.parametrize("name", ["checkpoint", "proof.json", "keys/"])
def test_evidence_without_one_of_its_parts_is_refused(paper: SimpleNamespace, ash: Any, name: str) -> None:
    with pytest.raises((errors.BadFile, errors.BadKeyDocument)):
        paper.opened(tar(paper, ash, change=without(unit(ash) + name)))


def test_a_checkpoint_of_another_school_is_refused(paper: SimpleNamespace, ash: Any, beech: Any) -> None:
    def swapped(members: dict[str, bytes]) -> dict[str, bytes]:
        return {**members, unit(ash) + "checkpoint": beech.checkpoint()}

    with pytest.raises(errors.BadSignature):
        paper.opened(tar(paper, ash, change=swapped))


def test_a_checkpoint_of_an_earlier_log_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    def stale(members: dict[str, bytes]) -> dict[str, bytes]:
        return {**members, unit(ash) + "checkpoint": ash.checkpoint(6)}

    with pytest.raises(errors.BadProof):
        paper.opened(tar(paper, ash, change=stale))


@pytest.mark.parametrize("kind", [note.Kind.ED25519, note.Kind.ML_DSA_44])
def test_a_checkpoint_needs_both_signatures(paper: SimpleNamespace, ash: Any, kind: note.Kind) -> None:
    def halved(members: dict[str, bytes]) -> dict[str, bytes]:
        signed = note.parse(ash.checkpoint())
        at = [one.kind for one in ash.document.document.newest(Purpose.CHECKPOINT).verifiers].index(kind)
        return {**members, unit(ash) + "checkpoint": bytes(note.Note(signed.text, (signed.signatures[1 - at],)))}

    with pytest.raises(errors.BadSignature, match="missing"):
        paper.opened(tar(paper, ash, change=halved))


def test_the_evidence_for_an_earlier_school_may_not_be_missing(paper: SimpleNamespace, ash: Any, beech: Any) -> None:
    made = paper.parts_of(beech, b"jo here").manifest
    made = replace(made, sources=made.sources[:1])
    with pytest.raises(errors.BadFile, match="exactly one folder"):
        paper.opened(tar(paper, beech, b"jo here", without(unit(ash)), made=made))


def test_evidence_that_nothing_needs_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    other, _ = ash.unit(b"kim")

    def more(members: dict[str, bytes]) -> dict[str, bytes]:
        return {**members, **{f"evidence/{other.name}/{name}": data for name, data in other.members().items()}}

    with pytest.raises(errors.BadFile, match="exactly one folder"):
        paper.opened(tar(paper, ash, change=more))


def test_sources_that_the_evidence_does_not_show_are_refused(paper: SimpleNamespace, ash: Any) -> None:
    made = paper.parts_of(ash, b"jo").manifest
    wrong = replace(made.sources[0], size=made.sources[0].size + 1)
    with pytest.raises(errors.BadManifest, match="sources"):
        paper.opened(tar(paper, ash, made=replace(made, sources=(wrong,))))


def test_an_entry_that_hides_an_import_as_an_event_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    _, lines = ash.unit(b"jo")
    envelope = chain.envelope(ash.origin, 0, lines[0].entry, lines[0].salt, lines[0].payload)
    oak = paper.School("oak")
    oak.write(b"jo", paper.fact(chain.IMPORT_TOPIC, envelope), "event")
    with pytest.raises(errors.BadEnvelope, match="exactly when"):
        story.threads_of(oak.origin, [0], [story.Line(oak.entries[0], oak.opened[0][1], oak.opened[0][0])])


def test_an_envelope_whose_entry_does_not_commit_to_its_payload_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    _, lines = ash.unit(b"jo")
    oak = paper.School("oak")
    envelope = chain.envelope(ash.origin, 0, lines[0].entry, lines[0].salt, lines[1].payload)
    oak.write(b"jo", paper.fact(chain.IMPORT_TOPIC, envelope), "import")
    with pytest.raises(errors.BadEnvelope, match="commit"):
        story.threads_of(oak.origin, [0], [story.Line(oak.entries[0], oak.opened[0][1], oak.opened[0][0])])


def test_a_story_that_returned_keeps_the_proof_of_what_it_left_out(
    paper: SimpleNamespace, ash: Any, beech: Any
) -> None:
    """Ash takes in only what is new of Beech's stream; the other entries go along unopened and fill the proof."""
    unit_, lines = beech.unit(b"jo here")
    others = tuple(story.Line(one.entry, omitted="held here") for one in lines[:3])
    envelope = chain.envelope(beech.origin, unit_.indexes[3], lines[3].entry, lines[3].salt, lines[3].payload)
    ash.write(b"jo", paper.fact(chain.IMPORT_TOPIC, envelope), "import")
    ash.publish()
    ash.others[beech.origin, b"jo here"] = replace(unit_, others=others)
    parts_tar = tar(paper, ash)
    assert {len(one.entries) for one in paper.opened(parts_tar).proved.values()} == {4}
    short = replace(unit_, others=others[:2])
    ash.others[beech.origin, b"jo here"] = short
    with pytest.raises(errors.BadProof):
        tar(paper, ash)


def test_any_flipped_byte_of_a_sealed_file_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    data = paper.sealed(tar(paper, ash))
    trust = Trust()

    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.integers(0, len(data) - 1), st.integers(1, 255))
    def flipped(at: int, mask: int) -> None:
        changed = bytearray(data)
        changed[at] ^= mask
        with pytest.raises(errors.TransferRefused):
            package.read(package.open_sealed(io.BytesIO(bytes(changed)), [paper.receiver]), trust)

    flipped()


def flips(data: bytes, places: range, paper: SimpleNamespace) -> None:
    for at in places:
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        with pytest.raises(errors.TransferRefused):
            paper.opened(bytes(changed))


def test_any_flipped_byte_of_the_archive_is_refused_too(paper: SimpleNamespace, ash: Any) -> None:
    data = tar(paper, ash)
    flips(data, range(0, len(data), 101), paper)


@pytest.mark.long
def test_every_flipped_byte_of_the_archive_is_refused(paper: SimpleNamespace, ash: Any) -> None:
    data = tar(paper, ash)
    flips(data, range(len(data)), paper)


@pytest.mark.parametrize("kept", [0, 1, 21, 1000, -1, -17])
def test_a_file_cut_short_is_refused(paper: SimpleNamespace, ash: Any, kept: int) -> None:
    data = paper.sealed(tar(paper, ash))[:kept]
    with pytest.raises(errors.TransferRefused):
        package.open_sealed(io.BytesIO(data), [paper.receiver])


def test_an_attachment_is_hashed_and_named_by_its_hash(paper: SimpleNamespace, ash: Any) -> None:
    good = "attachments/" + package.manifest.digest(b"a letter")
    assert paper.opened(tar(paper, ash, change=lambda m: {**m, good: b"a letter"}))
    with pytest.raises(errors.BadFile, match="named by its digest"):
        paper.opened(tar(paper, ash, change=lambda m: {**m, "attachments/" + "0" * 64: b"a letter"}))


def test_a_sealed_audit_bundle_is_no_sealed_file(paper: SimpleNamespace, ash: Any) -> None:
    made = replace(paper.parts_of(ash, b"jo").manifest, kind="audit", not_after=None, recipients=())
    files = paper.members_of(paper.parts_of(ash, b"jo"))
    data = paper.build(ash, made, files)
    whole, seen = package.take_apart(archive.read(io.BytesIO(data), padded=False))
    with pytest.raises(errors.BadManifest, match="never sealed"):
        package.read(package.Staged(whole, seen, paper.receiver), Trust())
