"""A witness that others wrote cosigns our checkpoints, refuses what it should, and is understood.

ASTRACK_STOCK_WITNESS names the program ``aics-witness`` (``pip install aics-witness`` in an environment of Python 3.12).
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from astrack.witnesses import Witness, Witnesses
from transfer.evidence import merkle, note
from transfer.evidence.checkpoint import Checkpoint
from transfer.evidence.note import Kind, Signer, Verifier

PROGRAM = os.environ.get("ASTRACK_STOCK_WITNESS", "")
ORIGIN = "records.example/log"
SIGNERS = [Signer(ORIGIN, Kind.ED25519, b"\x01" * 32), Signer(ORIGIN, Kind.ML_DSA_44, b"\x02" * 32)]
AT = 1_790_000_000

pytestmark = pytest.mark.skipif(
    not PROGRAM, reason="ASTRACK_STOCK_WITNESS names no program: tried against our own reading of the protocol only"
)


@dataclass(frozen=True)
class Log:
    """A log of so many leaves; ``other`` makes one that was written anew."""

    size: int
    other: bool = False

    def leaves(self) -> list[bytes]:
        return [merkle.leaf_hash(b"%d %d" % (n, self.other)) for n in range(self.size)]

    def checkpoint(self) -> bytes:
        return bytes(note.sign(Checkpoint(ORIGIN, self.size, merkle.root(self.leaves())).text, SIGNERS, AT))


@pytest.fixture
def stock(tmp_path: Path) -> Iterator[Witness]:
    """The witness, serving on this computer, told of our log by its Ed25519 key alone."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = str(tmp_path / "witness.json")
    listen = f"127.0.0.1:{port}"
    made = subprocess.run([PROGRAM, "init", "--config", config, "--name", "witness.example/one", "--listen", listen],
                          check=True, capture_output=True, text=True)  # fmt: skip
    key = next(word for word in made.stdout.split() if word.startswith("witness.example/one+"))
    subprocess.run([PROGRAM, "add-log", "--config", config, "--origin", ORIGIN, "--vkey", SIGNERS[0].verifier.text],
                   check=True)  # fmt: skip
    with subprocess.Popen([PROGRAM, "serve", "--config", config]) as process:
        wait_for(port)
        yield Witness(f"http://{listen}", Verifier.parse(key))
        process.terminate()


def wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the witness does not serve")


def asked(stock: Witness, log: Log, witnesses: Witnesses) -> bool:
    nodes = merkle.nodes_of(log.leaves())
    signed = note.parse(witnesses.cosigned(log.checkpoint(), nodes))
    return stock.key in note.verify(signed, [stock.key])


def test_it_cosigns_a_log_as_it_grows_and_after_either_was_restarted(stock: Witness) -> None:
    witnesses = Witnesses([stock])
    assert all(asked(stock, Log(size), witnesses) for size in (1, 2, 300, 300, 70_000))
    # we have forgotten what it cosigned: it answers 409 with its size, and we go on from there
    assert asked(stock, Log(70_001), Witnesses([stock]))


def test_it_does_not_cosign_a_log_that_was_written_anew_or_cut(stock: Witness) -> None:
    witnesses = Witnesses([stock])
    assert asked(stock, Log(300), witnesses)
    assert not asked(stock, Log(301, other=True), witnesses)
    assert not asked(stock, Log(299), Witnesses([stock]))
    assert asked(stock, Log(301), witnesses)
