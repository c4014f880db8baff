"""A log asks witnesses to cosign, over HTTP, and a reader counts them; the witness here follows tlog-witness."""

from __future__ import annotations

import base64
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from transfer.errors import BadKey, BadNote, BadProof, BadSignature
from transfer.evidence import merkle, note, witness
from transfer.evidence.checkpoint import Checkpoint
from transfer.evidence.note import Kind, Note, Signer
from transfer.evidence.witness import Cosigned, Policy, Refused, Stale

ORIGIN = "oak.example/log"
LOG = (Signer(ORIGIN, Kind.ED25519, b"\x01" * 32), Signer(ORIGIN, Kind.ML_DSA_44, b"\x02" * 32))
STRANGER = Signer("elm.example/log", Kind.ED25519, b"\x03" * 32)
W1 = (Signer("w1.example", Kind.COSIGNATURE_V1, b"\x04" * 32), Signer("w1.example", Kind.ML_DSA_44, b"\x05" * 32))
W2 = (Signer("w2.example", Kind.COSIGNATURE_V1, b"\x06" * 32),)
AT = 1_790_000_000
LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(20)]
REWRITTEN = [merkle.leaf_hash(b"x"), *LEAVES[1:]]


def checkpoint(size: int, leaves: list[bytes] = LEAVES, signers: tuple[Signer, ...] = LOG) -> Note:
    return note.sign(Checkpoint(signers[0].name, size, merkle.root(leaves[:size])).text, signers, AT)


def proof(old: int, new: int, leaves: list[bytes] = LEAVES) -> list[bytes]:
    return merkle.consistency_proof(merkle.nodes_of(leaves), old, new)


class Witness:
    """Knows one log, remembers the last checkpoint it cosigned, and checks in the order of the specification."""

    def __init__(self, signers: tuple[Signer, ...]) -> None:
        self.signers, self.size, self.root = signers, 0, merkle.EMPTY_ROOT

    def add(self, body: bytes) -> tuple[int, str, bytes]:
        head, _, rest = body.partition(b"\n\n")
        first, *lines = head.decode("ascii").split("\n")
        old, parts = int(first.removeprefix("old ")), [base64.b64decode(line, validate=True) for line in lines]
        signed = note.parse(rest)
        seen = Checkpoint.parse(signed.text)
        if seen.origin != ORIGIN:
            return 404, "text/plain", b""
        if not note.verify(signed, [LOG[0].verifier]):
            return 403, "text/plain", b""
        if old > seen.size:
            return 400, "text/plain", b""
        if old != self.size:
            return 409, "text/x.tlog.size", f"{self.size}\n".encode()
        try:
            if old or parts:
                merkle.verify_consistency(old, self.root, seen.size, seen.root, parts)
        except BadProof:
            return 422, "text/plain", b""
        self.size, self.root = seen.size, seen.root
        return 200, "text/plain", "".join(each.sign(signed.text, AT + 5).line for each in self.signers).encode()


@pytest.fixture
def served() -> Iterator[str]:
    """The address of a witness that has seen nothing yet."""
    state = Witness(W1)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, kind, body = state.add(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def ask(address: str, old: int, parts: list[bytes], asked: Note) -> Cosigned | Stale | Refused:
    post = urllib.request.Request(address + witness.PATH, witness.request(old, parts, asked))
    try:
        with urllib.request.urlopen(post, timeout=10) as reply:
            got = reply.status, reply.headers.get("Content-Type", ""), reply.read()
    except urllib.error.HTTPError as error:
        got = error.code, error.headers.get("Content-Type", ""), error.read()
    return witness.answer(*got, asked, [each.verifier for each in W1])


def test_a_witness_cosigns_a_log_as_it_grows(served: str) -> None:
    for old, new in ((0, 7), (7, 7), (7, 20)):
        got = ask(served, old, proof(old, new), checkpoint(new))
        assert isinstance(got, Cosigned)
        assert set(got.times.values()) == {AT + 5}
        assert len(got.note.signatures) == 4
        assert note.open_checkpoint(bytes(got.note), [each.verifier for each in LOG]).size == new


def test_a_stale_size_is_answered_with_the_one_to_prove_from(served: str) -> None:
    ask(served, 0, [], checkpoint(7))
    got = ask(served, 0, [], checkpoint(20))
    assert got == Stale(7)
    assert isinstance(ask(served, got.size, proof(got.size, 20), checkpoint(20)), Cosigned)


def test_a_rewritten_history_is_refused_and_said_to_be_one(served: str) -> None:
    ask(served, 0, [], checkpoint(7))
    got = ask(served, 7, proof(7, 20, REWRITTEN), checkpoint(20, REWRITTEN))
    assert isinstance(got, Refused)
    assert (got.status, "rewritten" in got.why) == (422, True)


def test_an_unknown_log_and_an_unknown_key_are_refused(served: str) -> None:
    assert ask(served, 0, [], checkpoint(7, signers=(STRANGER,))) == Refused(404, witness.REASONS[404])
    impostor = (Signer(ORIGIN, Kind.ED25519, b"\x09" * 32),)
    assert ask(served, 0, [], checkpoint(7, signers=impostor)) == Refused(403, witness.REASONS[403])


def test_the_request_has_the_form_of_the_specification() -> None:
    parts = proof(7, 20)
    body = witness.request(7, parts, checkpoint(20)).decode()
    head, _, rest = body.partition("\n\n")
    assert head == "\n".join(["old 7", *(base64.b64encode(part).decode() for part in parts)])
    assert note.parse(rest.encode()).text == checkpoint(20).text
    assert witness.request(0, [], checkpoint(20)).startswith(b"old 0\n\noak.example/log\n20\n")


@pytest.mark.parametrize(
    ("old", "parts"),
    [(21, []), (-1, []), (0, [bytes(32)]), (20, [bytes(32)]), (7, [bytes(32)] * 64), (7, [bytes(31)])],
)
def test_a_request_that_no_witness_may_take_is_not_made(old: int, parts: list[bytes]) -> None:
    with pytest.raises(BadProof):
        witness.request(old, parts, checkpoint(20))


def lines(*signers: Signer, of: Note, at: int = AT) -> bytes:
    return "".join(each.sign(of.text, at).line for each in signers).encode()


def taken(body: bytes, status: int = 200, kind: str = "") -> Cosigned | Stale | Refused:
    return witness.answer(status, kind, body, checkpoint(20), [each.verifier for each in W1])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"thank you\n",
        b"more\n\n" + lines(*W1, of=checkpoint(20)),
        lines(*W1, of=checkpoint(20))[:-1],
        lines(W1[0], of=checkpoint(19)),
        lines(W1[0], W1[0], of=checkpoint(20)),
        lines(W1[0], of=checkpoint(20), at=0),
        lines(*W2, of=checkpoint(20)),
        b"a" * (65 << 10),
    ],
    ids=["nothing", "words", "text", "cut", "other checkpoint", "twice", "no time", "a stranger", "too long"],
)
def test_an_answer_that_does_not_cosign_is_refused(body: bytes) -> None:
    with pytest.raises(BadNote):
        taken(body)


def test_cosignatures_of_strangers_are_left_out() -> None:
    got = taken(lines(*W1, *W2, of=checkpoint(20)))
    assert isinstance(got, Cosigned)
    assert {s.name for s in got.note.signatures} == {ORIGIN, "w1.example"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/plain", b"7\n"), ("text/x.tlog.size", b"7"), ("text/x.tlog.size", b"07\n"), ("text/x.tlog.size", b"-7\n"),
     ("text/x.tlog.size", b"\xff\n"), ("text/x.tlog.size", b"9" * 5000 + b"\n")],
)  # fmt: skip
def test_a_conflict_without_a_size_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(BadNote):
        taken(body, 409, kind)


def test_a_status_that_the_protocol_does_not_know_is_a_refusal() -> None:
    assert isinstance(taken(b"gone fishing", 503), Refused)


ALL = tuple(each.verifier for each in (*W1, *W2))


@pytest.mark.parametrize(
    ("cosigners", "needed", "enough"),
    [((), 0, True), ((), 1, False), (W1, 1, True), (W1, 2, False), ((W1[1], *W2), 2, True)],
)
def test_the_policy_counts_witnesses_and_not_their_keys(
    cosigners: tuple[Signer, ...], needed: int, enough: bool
) -> None:
    signed = checkpoint(20).signed_also(each.sign(checkpoint(20).text, AT) for each in cosigners)
    assert Policy(ALL, needed).judge(signed).enough is enough


def test_no_witness_is_said_in_plain_words() -> None:
    assert Policy(ALL, 0).judge(checkpoint(20)).verdict.startswith("unwitnessed")
    signed = checkpoint(20).signed_also(each.sign(checkpoint(20).text, AT) for each in W1)
    assert Policy(ALL, 2).judge(signed).verdict == "witnessed by 1 (w1.example); the policy asks for 2"


def test_a_log_is_no_witness_of_itself() -> None:
    assert Policy((LOG[1].verifier,), 1).judge(checkpoint(20)).times == {}


def test_a_wrong_cosignature_of_a_known_witness_fails_the_whole() -> None:
    signed = checkpoint(20).signed_also([W1[0].sign(checkpoint(19).text, AT)])
    with pytest.raises(BadSignature):
        Policy(ALL, 0).judge(signed)


@pytest.mark.parametrize(("keys", "needed"), [(ALL, 3), (ALL, -1), ((LOG[0].verifier,), 1)])
def test_a_policy_that_cannot_be_met_is_refused(keys: tuple[note.Verifier, ...], needed: int) -> None:
    with pytest.raises(BadKey):
        Policy(keys, needed)
