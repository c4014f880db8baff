"""The client's side of C2SP tlog-witness: what a log sends to be cosigned, what comes back, and how many are enough.

Bytes in, bytes out: whoever calls does the HTTP, with a timeout and a cap of MAX_ANSWER_BYTES.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from transfer.errors import BadKey, BadNote, BadProof, BadSignature
from transfer.evidence import note
from transfer.evidence.chain import b64
from transfer.evidence.checkpoint import MAX_SIZE, Checkpoint
from transfer.evidence.merkle import HASH_BYTES
from transfer.evidence.note import Note, Verifier

PATH = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
MAX_PROOF_LINES = 63
MAX_ANSWER_BYTES = 64 << 10
REASONS: Mapping[int, str] = {
    400: "the request is malformed",
    403: "it does not know the key that signed this checkpoint",
    404: "it does not know this log",
    422: "the log was rewritten: this checkpoint does not extend the one that it cosigned before",
}


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The checkpoint with the witness's cosignatures added, and their times in Unix seconds."""

    note: Note
    times: Mapping[Verifier, int]


@dataclass(frozen=True, slots=True)
class Stale:
    """The witness has cosigned another size: ask again with a proof from this one."""

    size: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The witness did not cosign: its HTTP status and what that means. 422 is evidence of a rewritten log."""

    status: int
    why: str


def request(old: int, proof: Sequence[bytes], checkpoint: Note) -> bytes:
    """The body of add-checkpoint: the size the witness cosigned last (0 at first), a proof from it. Raises BadProof."""
    size = Checkpoint.parse(checkpoint.text).size
    if not 0 <= old <= size or len(proof) > MAX_PROOF_LINES or (proof and old in (0, size)):
        raise BadProof(f"a checkpoint of {size} cannot be shown to follow {old} like this", "witness request")
    if any(len(part) != HASH_BYTES for part in proof):
        raise BadProof("a hash has not 32 bytes", "witness request")
    lines = [f"old {old}", *map(b64, proof), ""]
    return ("\n".join(lines) + "\n").encode("ascii") + bytes(checkpoint)


def answer(
    status: int, content_type: str, body: bytes, checkpoint: Note, witness: Collection[Verifier]
) -> Cosigned | Stale | Refused:
    """What a witness with these keys answered. Raises BadNote or BadSignature for an answer that is none."""
    if len(body) > MAX_ANSWER_BYTES:
        raise BadNote(f"{len(body)} bytes are over the limit of {MAX_ANSWER_BYTES}", "witness answer")
    if status == 409:
        return Stale(_size(content_type, body))
    if status != 200:
        return Refused(status, REASONS.get(status, "it gave no reason that the protocol knows"))
    lines = note.parse(checkpoint.text.encode() + b"\n" + body)
    if lines.text != checkpoint.text:
        raise BadNote("it is not signature lines", "witness answer")
    times = _times(lines, witness)
    if not times:
        raise BadSignature("the witness did not cosign with a key of its own", "witness answer")
    known = {(key.name, key.key_id) for key in times}
    return Cosigned(checkpoint.signed_also(s for s in lines.signatures if (s.name, s.key_id) in known), times)


def _size(content_type: str, body: bytes) -> int:
    """The size in a 409 answer (tlog-witness, add-checkpoint)."""
    text = body.decode("ascii", "replace").removesuffix("\n")
    size = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else -1
    if content_type.partition(";")[0].strip() != SIZE_TYPE or f"{size}\n".encode() != body or size > MAX_SIZE:
        raise BadNote("a conflict without the size that the witness knows", "witness answer")
    return size


def _times(signed: Note, witnesses: Collection[Verifier]) -> dict[Verifier, int]:
    timed = [key for key in witnesses if key.kind.timed]
    return {key: stamp for key, stamp in note.verify(signed, timed).items() if stamp is not None}


@dataclass(frozen=True, slots=True)
class Witnessed:
    """Which witnesses, by name, cosigned a checkpoint and when last (Unix seconds); how many the policy asks for."""

    times: Mapping[str, int]
    needed: int

    @property
    def enough(self) -> bool:
        """Whether the policy is met."""
        return len(self.times) >= self.needed

    @property
    def verdict(self) -> str:
        """One clear sentence for the report."""
        if not self.times:
            return "unwitnessed: the database and the signing key together could rewrite what nobody outside has seen"
        names = ", ".join(sorted(self.times))
        met = "" if self.enough else f"; the policy asks for {self.needed}"
        return f"witnessed by {len(self.times)} ({names}){met}"


@dataclass(frozen=True, slots=True)
class Policy:
    """k of n: at least ``needed`` different names among these keys; one witness may have several keys."""

    witnesses: tuple[Verifier, ...] = ()
    needed: int = 0

    def __post_init__(self) -> None:
        names = {key.name for key in self.witnesses}
        if not 0 <= self.needed <= len(names):
            raise BadKey(f"{self.needed} of {len(names)} witnesses can never be met", "witness policy", "Correct it.")
        if not all(key.kind.timed for key in self.witnesses):
            raise BadKey("a witness key is not of a cosigning kind", "witness policy", "Ask the witness for its vkey.")

    def judge(self, checkpoint: Note) -> Witnessed:
        """Who of the policy's witnesses cosigned; a log never witnesses itself. Raises BadNote or BadSignature."""
        origin = Checkpoint.parse(checkpoint.text).origin
        times: dict[str, int] = {}
        for key, stamp in _times(checkpoint, [key for key in self.witnesses if key.name != origin]).items():
            times[key.name] = max(stamp, times.get(key.name, 0))
        return Witnessed(times, self.needed)
