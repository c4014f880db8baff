"""Asking witnesses to cosign a school's checkpoints (C2SP tlog-witness): with them, nobody can rewrite unseen."""

from __future__ import annotations

import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from astrack.store.types import BadSetting
from transfer.errors import TransferRefused
from transfer.evidence import merkle, note, witness
from transfer.evidence.checkpoint import Checkpoint
from transfer.evidence.note import Note, Verifier

TIMEOUT_S = 5.0
WITNESSES_MAX = 20
LINE_BYTES_MAX = 64 << 10
LOCAL = ("127.0.0.1", "localhost", "::1")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Witness:
    """One witness: where it answers, and the key it cosigns with."""

    address: str
    key: Verifier


class _StaysThere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """None: a witness answers at its own address or not at all."""


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _StaysThere())


def read(path: Path) -> tuple[Witness, ...]:
    """The witnesses of a file, a line each: the address and the verifier key. Raises BadSetting."""
    try:
        lines = path.read_bytes()[:LINE_BYTES_MAX].decode("utf-8").splitlines()
        found = tuple(_line(line) for line in lines if line.strip() and not line.startswith("#"))
    except (OSError, UnicodeDecodeError, ValueError, TransferRefused) as error:
        raise BadSetting(f"ASTRACK_WITNESSES names {path}, which cannot be used ({error}): write an address and a "
                         "verifier key on each line") from error  # fmt: skip
    if len(found) > WITNESSES_MAX:
        raise BadSetting(f"{path} names {len(found)} witnesses: {WITNESSES_MAX} are the most")
    return found


def _line(line: str) -> Witness:
    address, key = line.split()
    place = urlsplit(address)
    if place.scheme != "https" and not (place.scheme == "http" and place.hostname in LOCAL):
        raise ValueError("an address begins with https://")
    return Witness(address.rstrip("/"), Verifier.parse(key))


class Witnesses:
    """The witnesses of one installation; remembers which size of each log each of them cosigned last."""

    def __init__(self, known: Sequence[Witness], timeout_s: float = TIMEOUT_S) -> None:
        self._known, self._timeout_s = tuple(known), timeout_s
        self._sizes: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def cosigned(self, checkpoint: bytes, nodes: merkle.Nodes) -> bytes:
        """The checkpoint with the cosignatures of every witness that answered; one that did not is logged.

        ``nodes``: the tree's nodes, up to the checkpoint's size.
        """
        signed = asked = note.parse(checkpoint)
        head = Checkpoint.parse(asked.text)
        for one in self._known:
            try:
                answer = self._ask(one, asked, head, nodes)
            except (OSError, TransferRefused) as error:
                log.warning("the witness %s did not cosign: %s", one.key.name, type(error).__name__)
                continue
            if isinstance(answer, witness.Cosigned):
                signed = signed.signed_also(s for s in answer.note.signatures if s not in asked.signatures)
            else:
                log.warning(
                    "the witness %s did not cosign: %s", one.key.name, getattr(answer, "why", "it is elsewhere")
                )
        return bytes(signed)

    def _ask(
        self, one: Witness, asked: Note, head: Checkpoint, nodes: merkle.Nodes
    ) -> witness.Cosigned | witness.Stale | witness.Refused:
        place = (one.address, head.origin)
        answer: witness.Cosigned | witness.Stale | witness.Refused = witness.Stale(self._sizes.get(place, 0))
        for _ in range(2):
            if not isinstance(answer, witness.Stale) or answer.size > head.size:
                break
            proof = merkle.consistency_proof(nodes, answer.size, head.size)
            answer = self._post(one, witness.request(answer.size, proof, asked), asked)
        if isinstance(answer, witness.Cosigned):
            with self._lock:
                self._sizes[place] = max(head.size, self._sizes.get(place, 0))
        return answer

    def _post(self, one: Witness, body: bytes, asked: Note) -> witness.Cosigned | witness.Stale | witness.Refused:
        request = urllib.request.Request(one.address + witness.PATH, body, {"Content-Type": "text/plain"})  # noqa: S310
        try:
            with _OPENER.open(request, timeout=self._timeout_s) as reply:
                status, kind, got = reply.status, reply.headers.get("Content-Type", ""), _capped(reply)
        except urllib.error.HTTPError as error:
            status, kind, got = error.code, error.headers.get("Content-Type", ""), _capped(error)
        return witness.answer(status, kind, got, asked, [one.key])


def _capped(reply: Any) -> bytes:
    data: bytes = reply.read(witness.MAX_ANSWER_BYTES + 1)
    return data
