"""Fuzz one parser of what enters, guided by coverage (atheris): every input is read or refused by name.

``scripts/fuzz note -max_total_time=60``; what follows the name goes to libFuzzer. An input that crashes is written to a
file and named. Needs atheris, which has wheels for few systems and so is not among the pinned packages.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

try:
    import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]
except ImportError:
    sys.exit("atheris is missing: pip install atheris==3.0.0")

with atheris.instrument_imports(include=["transfer"]):
    from transfer import age, archive, canonical, disclosure, manifest, package, receipt, story
    from transfer.errors import TransferRefused
    from transfer.evidence import chain, note
    from transfer.keys.trust import Trust, open_documents
    from transfer.rosters import ctf, oneroster

IDENTITY = age.Identity(bytes(range(32)))
INPUT_MAX = 1 << 16
ON = date(2026, 9, 1)
PARSERS: dict[str, Callable[[bytes], Any]] = {
    "age": lambda data: package.open_sealed(io.BytesIO(data), [IDENTITY]),
    "archive": lambda data: package.take_apart(archive.read(io.BytesIO(data), padded=True)),
    "canonical": lambda data: canonical.load(data, "fuzz"),
    "manifest": manifest.parse,
    "story": story.parse,
    "entry": chain.parse_entry,
    "envelope": chain.nested,
    "note": note.parse,
    "key-document": open_documents,
    "key-file": lambda data: age.read_agekey(data.decode("latin-1")),
    "receipt": lambda data: receipt.read(data, Trust()),
    "proof": lambda data: disclosure.read(data, Trust()),
    "ctf": ctf.read,
    "oneroster": lambda data: oneroster.read(data, ON),
}


def main() -> None:
    """Run libFuzzer on the parser that is named until it is stopped."""
    options = argparse.ArgumentParser("scripts/fuzz", description=__doc__)
    options.add_argument("parser", choices=sorted(PARSERS))
    options.add_argument("libfuzzer", nargs=argparse.REMAINDER, help="such as -max_total_time=60, or a folder of seeds")
    given = options.parse_args()
    parse = PARSERS[given.parser]

    def one(data: bytes) -> None:
        with suppress(TransferRefused):
            parse(data)

    atheris.Setup([sys.argv[0], f"-max_len={INPUT_MAX}", *given.libfuzzer], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
