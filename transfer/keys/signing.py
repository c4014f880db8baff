"""A school's private signing keys, one pair for each purpose, so that a stolen one cannot do the work of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from transfer.errors import BadKey
from transfer.evidence.note import SEED_BYTES, Kind, Signer

LABEL = b"astrack/signing-keys/v1\0"


class Purpose(StrEnum):
    """What a pair of signing keys is for."""

    MANIFEST = "manifest"
    CHECKPOINT = "checkpoint"
    RECEIPT = "receipt"

    @property
    def kinds(self) -> tuple[Kind, Kind]:
        """Ed25519 and the post-quantum kind: ML-DSA-44 with a time for checkpoints, ML-DSA-65 for the rest."""
        return Kind.ED25519, Kind.ML_DSA_44 if self is Purpose.CHECKPOINT else Kind.ML_DSA_65

    def key_name(self, origin: str) -> str:
        """The key name: a checkpoint's is the log's origin (tlog-checkpoint, Signatures)."""
        return origin if self is Purpose.CHECKPOINT else f"{origin}/{self.value}"


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """Six seeds of 32 bytes: for each purpose in order, Ed25519 and then ML-DSA."""

    seeds: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        whole = [len(seed) == SEED_BYTES for seed in self.seeds]
        if len(whole) != 2 * len(Purpose) or not all(whole) or len(set(self.seeds)) != len(whole):
            raise BadKey(
                "they are not six different seeds of 32 bytes", "signing keys", "Restore them from their backup."
            )

    @classmethod
    def draw(cls, random: Callable[[int], bytes]) -> SigningKeys:
        """Fresh keys; ``random`` gives that many secret bytes."""
        return cls(tuple(random(SEED_BYTES) for _ in range(2 * len(Purpose))))

    def __bytes__(self) -> bytes:
        return LABEL + b"".join(self.seeds)

    @classmethod
    def parse(cls, data: bytes) -> SigningKeys:
        """The keys in ``bytes(keys)``. Raises BadKey."""
        if not data.startswith(LABEL):
            raise BadKey("they do not begin with their label", "signing keys", "Restore them from their backup.")
        body = data[len(LABEL) :]
        return cls(tuple(body[at : at + SEED_BYTES] for at in range(0, len(body), SEED_BYTES)))

    def signers(self, purpose: Purpose, origin: str) -> tuple[Signer, Signer]:
        """The two signers of a purpose under a log's origin; both must sign."""
        at = 2 * list(Purpose).index(purpose)
        first, second = purpose.kinds
        name = purpose.key_name(origin)
        return Signer(name, first, self.seeds[at]), Signer(name, second, self.seeds[at + 1])
