"""Verify what leaves and enters: bytes in, verdict out; no database, no configuration.

python -m transfer.verify PATH... [--identity KEYFILE] [--trust KEYDOC]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from transfer import age, bundle, disclosure, package, receipt, verdict
from transfer.age import Identity
from transfer.errors import BadKey, BadKeyDocument, BadProof, NotForUs, TransferRefused
from transfer.evidence import note
from transfer.keys import document as keydoc
from transfer.keys.trust import Trust, open_documents
from transfer.verdict import Verdict

SEALED, KEY, AUDIT, RECEIPT, DOCUMENT = ".age", ".agekey", ".tar", receipt.SUFFIX, ".keydoc"
PROOF = disclosure.SUFFIX
MAX_FILES = 10_000
MAX_SMALL = note.MAX_NOTE_BYTES
MAX_DOCUMENT = 16 * MAX_SMALL
KEYS_FOLDER = "keys"
VERIFIED, REFUSED, USAGE = 0, 1, 2


@dataclass(slots=True)
class Verifier:
    """One run over some files: the keys to open with, whom to trust, and the checkpoints seen on the way."""

    identities: Sequence[Identity] = ()
    trust: Trust = field(default_factory=Trust)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    seen: dict[str, dict[int, bytes]] = field(default_factory=dict)

    def sealed(self, source: BinaryIO, identities: Sequence[Identity] = ()) -> Verdict:
        """A sealed file. Raises TransferRefused."""
        keys = [*self.identities, *identities]
        if not keys:
            raise NotForUs("there is no key to open it with", "sealed file", "Name the key file with --identity.")
        found = package.read(package.open_sealed(source, keys), self.trust)
        for proved in found.proved.values():
            self._saw(proved.unit.origin, proved.size, proved.root)
        return verdict.of_package(found, self.trust, self.now)

    def audit(self, source: BinaryIO) -> Verdict:
        """An audit bundle, and whether it begins with the checkpoints seen before. Raises TransferRefused."""
        found = bundle.read(source, self.trust, self.seen)
        return verdict.of_bundle(found)

    def receipt(self, source: BinaryIO) -> Verdict:
        """A receipt. Raises TransferRefused."""
        made, standing = receipt.read(source.read(MAX_SMALL + 1), self.trust)
        if made.accepted:
            head = note.open_checkpoint(made.checkpoint, standing.checkpoint_keys)
            self._saw(head.origin, head.size, head.root)
        return verdict.of_receipt(made, standing)

    def document(self, source: BinaryIO) -> Verdict:
        """A key document. Raises TransferRefused."""
        found = open_documents(source.read(MAX_DOCUMENT + 1))
        for signed in found:
            listed = {key for pair in signed.document.signing for key in pair.verifiers}
            if len(note.verify(signed.note, listed)) != len(signed.note.signatures):
                raise BadKeyDocument("somebody signed it whose key is not in it", "key document")
        return verdict.of_document(found[-1], self.trust.judge(found[-1].document.origin, list(map(bytes, found))).how)

    def proof(self, source: BinaryIO) -> Verdict:
        """A proof of chosen facts. Raises TransferRefused."""
        return verdict.of_proof(disclosure.read(source.read(disclosure.MAX_BYTES + 1), self.trust))

    def _saw(self, origin: str, size: int, root: bytes) -> None:
        if self.seen.setdefault(origin, {}).setdefault(size, root) != root:
            raise BadProof("two files show two different logs of one length", f"the log {origin}")


def key(source: BinaryIO) -> Verdict:
    """A key file in exactly our form. Raises BadKey."""
    data = source.read(MAX_SMALL + 1)
    identity = read_key(data)
    if age.write_agekey(identity).encode() != data:
        raise BadKey("it is a key, but not in the two lines that this program writes", "key file")
    return Verdict(True, "a key file", (f"it opens what is sealed for {identity.recipient.fingerprint}",))


def read_key(data: bytes) -> Identity:
    """The identity in a key file. Raises BadKey."""
    try:
        return age.read_agekey(data.decode("ascii"))
    except UnicodeDecodeError as error:
        raise BadKey("it is not plain text", "key file") from error


def order(path: Path) -> tuple[int, str]:
    """Bundles last, so that the checkpoints of the other files can be looked for in them."""
    return (1 if path.suffix == AUDIT else 0, str(path))


def kind_of(path: Path) -> str | None:
    """What a file is, by its name or else its first bytes; None when it is nothing of ours."""
    if path.suffix in (SEALED, KEY, AUDIT, RECEIPT, DOCUMENT, PROOF):
        return path.suffix
    with path.open("rb") as source:
        head = source.read(64)
    beginnings = {
        SEALED: age.VERSION_LINE, RECEIPT: receipt.LABEL.encode(), DOCUMENT: keydoc.LABEL.encode(),
        AUDIT: b"manifest.json\0", KEY: b"# public key: age1pq", PROOF: b'{"about":',
    }  # fmt: skip
    return next((suffix for suffix, text in beginnings.items() if head.startswith(text)), None)


def verify(path: Path, run: Verifier, keys: Sequence[Identity] = ()) -> Verdict:
    """The verdict on one file; a refusal is a verdict too. Raises OSError."""
    kind = kind_of(path)
    if kind is None:
        return Verdict(
            False, "a file", ("it is nothing that astrack makes: name a sealed file, bundle, receipt, proof or key",)
        )
    ways: dict[str, Callable[[BinaryIO], Verdict]] = {
        SEALED: lambda source: run.sealed(source, keys), KEY: key, AUDIT: run.audit, RECEIPT: run.receipt,
        DOCUMENT: run.document, PROOF: run.proof,
    }  # fmt: skip
    try:
        with path.open("rb") as source:
            return ways[kind](source)
    except TransferRefused as error:
        return Verdict(False, "refused", (str(error),))


def files_in(path: Path) -> Iterator[Path]:
    """The file itself, or those of ours in a folder and its folders."""
    if path.is_dir():
        found = (one for one in sorted(path.rglob("*")) if one.is_file() and kind_of(one) is not None)
        yield from found
    else:
        yield path


def keys_near(path: Path, given: Iterable[Path]) -> list[Identity]:
    """The identities in key files beside a file, in ``keys`` beside its folder, and in ``keys`` of folders given."""
    folders = [path.parent, path.parent.parent / KEYS_FOLDER, *(one / KEYS_FOLDER for one in given if one.is_dir())]
    found: dict[bytes, Identity] = {}
    for folder in dict.fromkeys(folders):
        for one in sorted(folder.glob("*" + KEY))[:MAX_FILES]:
            try:
                with one.open("rb") as source:
                    identity = read_key(source.read(MAX_SMALL))
            except TransferRefused:
                continue  # it is refused by name when it is itself to be verified
            found[identity.seed] = identity
    return list(found.values())


def witness_keys(data: bytes) -> list[note.Verifier]:
    """The verifier keys of a file, the last word of each line that does not begin with #. Raises BadKey."""
    lines = data.decode("utf-8", "replace").splitlines()
    return [note.Verifier.parse(line.split()[-1]) for line in lines if line.strip() and not line.startswith("#")]


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """The command line, taken apart; exits with 2 when it is wrong."""
    parser = argparse.ArgumentParser("python -m transfer.verify", description="Verify what astrack makes, offline.")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder of them")
    for option, name, meaning in (
        ("--identity", "KEYFILE", "the key to open sealed files with; else *.agekey beside the file or in keys/"),
        ("--trust", "KEYDOC", "a school's key document that you know to be theirs"),
        ("--witness", "KEYS", "a file of witnesses' verifier keys, the last word of each line"),
    ):
        parser.add_argument(option, action="append", default=[], type=Path, metavar=name, help=meaning)
    parsed = parser.parse_args(given)
    for path in (*parsed.paths, *parsed.identity, *parsed.trust, *parsed.witness):
        if not path.exists():
            parser.error(f"there is no {path}: check the name")
    return parsed


def main(given: Sequence[str] | None = None, out: Callable[[str], object] = print) -> int:
    """Verify what the command line names; 0 all verified, 1 something refused, 2 wrong usage."""
    parsed = arguments(sys.argv[1:] if given is None else given)
    try:
        identities = [read_key(path.read_bytes()[: MAX_SMALL + 1]) for path in parsed.identity]
        witnesses = [key for path in parsed.witness for key in witness_keys(path.read_bytes()[: MAX_SMALL + 1])]
        trust = Trust.of((path.read_bytes() for path in parsed.trust), (), witnesses)
    except (TransferRefused, OSError) as error:
        out(f"REFUSED  --identity, --trust or --witness: {error}")
        return USAGE
    files = sorted({one for path in parsed.paths for one in files_in(path)}, key=order)[: MAX_FILES + 1]
    if not files or len(files) > MAX_FILES:
        out(f"REFUSED  there is nothing of ours in there, or more than {MAX_FILES} files: name a file or its folder")
        return REFUSED
    run = Verifier(identities, trust)
    bad, said = 0, list[str]()
    for path in files:
        keys = [] if identities or kind_of(path) != SEALED else keys_near(path, parsed.paths)
        found = verify(path, run, keys)
        bad += not found.ok
        out(f"{'verified' if found.ok else 'REFUSED '} {path}: {found.what}")
        said += found.lines
        for line in found.lines:
            out(f"         {line}")
    if any(verdict.UNWITNESSED in line for line in said):
        out(verdict.EXPLAINED)
    out(f"{len(files) - bad} of {len(files)} files verified" + (f", {bad} REFUSED" if bad else ""))
    return REFUSED if bad else VERIFIED


if __name__ == "__main__":
    sys.exit(main())
