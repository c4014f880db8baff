"""Verify what leaves and enters: bytes in, verdict out; no database, no configuration.

python -m transfer.verify PATH... [--identity KEYFILE] [--trust KEYDOC] [--join]
"""

from __future__ import annotations

import argparse
import errno
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from transfer import age, bundle, disclosure, joining, package, recall, receipt, verdict
from transfer.age import Identity
from transfer.errors import BadKey, BadKeyDocument, BadProof, NotForUs, TransferRefused
from transfer.evidence import note
from transfer.keys import document as keydoc
from transfer.keys.trust import Trust, open_documents
from transfer.package import Package
from transfer.verdict import Verdict

SEALED, KEY, AUDIT, RECEIPT, DOCUMENT = ".age", ".agekey", ".tar", receipt.SUFFIX, ".keydoc"
PROOF, RECALL = disclosure.SUFFIX, recall.SUFFIX
MAX_FILES = 10_000
MAX_SMALL = note.MAX_NOTE_BYTES
MAX_DOCUMENT = 16 * MAX_SMALL
KEYS_FOLDER = "keys"
UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
VERIFIED, REFUSED, USAGE = 0, 1, 2
JOINED = "all of them"


@dataclass(slots=True)
class Verifier:
    """One run over some files: the keys to open with, whom to trust, and the checkpoints seen on the way."""

    identities: Sequence[Identity] = ()
    trust: Trust = field(default_factory=Trust)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    seen: dict[str, dict[int, bytes]] = field(default_factory=dict)
    joining: list[Package] | None = None

    def sealed(self, source: BinaryIO, identities: Sequence[Identity] = ()) -> Verdict:
        """A sealed file. Raises TransferRefused."""
        keys = [*self.identities, *identities]
        if not keys:
            raise NotForUs("there is no key to open it with", "sealed file", "Name the key file with --identity.")
        found = package.read(package.open_sealed(source, keys), self.trust)
        for proved in found.proved.values():
            self._saw(proved.unit.origin, proved.size, proved.root)
        if self.joining is not None:
            self.joining.append(found)
        return verdict.of_package(found, self.trust, self.now)

    def joined(self, *, same: bool) -> Verdict:
        """The sealed files of this run as one story; a refusal is a verdict too."""
        try:
            return verdict.of_joined(joining.join(self.joining or (), same=same))
        except TransferRefused as error:
            return Verdict(False, "refused", (str(error),))

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

    def recall(self, source: BinaryIO) -> Verdict:
        """A recall. Raises TransferRefused."""
        return verdict.of_recall(*recall.read(source.read(MAX_SMALL + 1), self.trust))

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
    if path.suffix in (SEALED, KEY, AUDIT, RECEIPT, DOCUMENT, PROOF, RECALL):
        return path.suffix
    with path.open("rb") as source:
        head = source.read(64)
    beginnings = {
        SEALED: age.VERSION_LINE, RECEIPT: receipt.LABEL.encode(), DOCUMENT: keydoc.LABEL.encode(),
        AUDIT: b"manifest.json\0", KEY: b"# public key: age1pq", PROOF: b'{"about":',
        RECALL: recall.LABEL.encode(),
    }  # fmt: skip
    return next((suffix for suffix, text in beginnings.items() if head.startswith(text)), None)


def verify(path: Path, run: Verifier, keys: Sequence[Identity] = ()) -> Verdict:
    """The verdict on one file; a refusal is a verdict too, and so is what stops it from being read."""
    try:
        return _named_right(path, _verify(path, run, keys))
    except TransferRefused as error:
        return Verdict(False, "refused", (str(error),))
    except OSError as error:
        return Verdict(False, "refused", (f"it cannot be read ({error.strerror}): check the file and its permissions",))


def _named_right(path: Path, found: Verdict) -> Verdict:
    """A file that bears another transfer's id has been taken for another, by accident or not."""
    ids = UUIDS.findall(path.name.lower())
    if found.transfer_id is None or not ids or str(found.transfer_id) in ids:
        return found
    why = f"it is of transfer {found.transfer_id}, but its name says {ids[0]}: give it its own name back"
    return Verdict(False, "refused", (why,))


def _verify(path: Path, run: Verifier, keys: Sequence[Identity]) -> Verdict:
    if not path.is_file():
        return Verdict(False, "refused", ("it is no regular file: save what it gives into a file and name that",))
    kind = kind_of(path)
    if kind is None:
        return Verdict(
            False, "a file", ("it is nothing that astrack makes: name a sealed file, bundle, receipt, proof or key",)
        )
    ways: dict[str, Callable[[BinaryIO], Verdict]] = {
        SEALED: lambda source: run.sealed(source, keys), KEY: key, AUDIT: run.audit, RECEIPT: run.receipt,
        DOCUMENT: run.document, PROOF: run.proof, RECALL: run.recall,
    }  # fmt: skip
    with path.open("rb") as source:
        return ways[kind](source)


def files_in(path: Path) -> Iterator[Path]:
    """The file itself, or the files in a folder and its folders."""
    if path.is_dir():
        yield from (one for one in sorted(path.rglob("*")) if not one.is_dir())
    else:
        yield path


def ours(path: Path, given: Iterable[Path]) -> bool:
    """Whether to look at a file: it was named, or it is of a kind of ours, or nobody can see what it is."""
    try:
        return path in given or not path.is_file() or kind_of(path) is not None
    except OSError:
        return True


def read_small(path: Path, most: int = MAX_SMALL) -> bytes:
    """The bytes of a small file, at most one more than ``most``. Raises OSError."""
    if not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    with path.open("rb") as source:
        return source.read(most + 1)


def keys_near(path: Path, given: Iterable[Path]) -> list[Identity]:
    """The identities in key files beside a file, in ``keys`` beside its folder, and in ``keys`` of folders given."""
    folders = [path.parent, path.parent.parent / KEYS_FOLDER, *(one / KEYS_FOLDER for one in given if one.is_dir())]
    found: dict[bytes, Identity] = {}
    for folder in dict.fromkeys(folders):
        for one in sorted(folder.glob("*" + KEY))[:MAX_FILES]:
            try:
                identity = read_key(read_small(one))
            except (TransferRefused, OSError):
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
    parser.add_argument("--join", action="store_true", help="the sealed files are of one pupil: tell them as one story")
    parser.add_argument("--same", action="store_true", help="with --join: I say myself that it is the same pupil")
    parsed = parser.parse_args(given)
    for path in (*parsed.paths, *parsed.identity, *parsed.trust, *parsed.witness):
        if not path.exists():
            parser.error(f"there is no {path}: check the name")
    return parsed


def main(given: Sequence[str] | None = None, out: Callable[[str], object] = print) -> int:
    """Verify what the command line names; 0 all verified, 1 something refused, 2 wrong usage."""
    parsed = arguments(sys.argv[1:] if given is None else given)
    try:
        identities = [read_key(read_small(path)) for path in parsed.identity]
        witnesses = [key for path in parsed.witness for key in witness_keys(read_small(path))]
        trust = Trust.of((read_small(path, MAX_DOCUMENT) for path in parsed.trust), (), witnesses)
    except (TransferRefused, OSError) as error:
        why = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else error
        out(f"REFUSED  --identity, --trust or --witness: {why}")
        return USAGE
    there = sorted({one for path in parsed.paths for one in files_in(path)}, key=order)
    files = [one for one in there if ours(one, parsed.paths)][: MAX_FILES + 1]
    looked_at = set(files)
    for path in (one for one in there[:MAX_FILES] if one not in looked_at):
        out(f"skipped  {path}: not a file of this kind, not looked at")
    if not files or len(files) > MAX_FILES:
        out(f"REFUSED  there is nothing of ours in there, or more than {MAX_FILES} files: name a file or its folder")
        return REFUSED
    run = Verifier(identities, trust, joining=[] if parsed.join else None)
    found = {str(path): verify(path, run, _keys_for(path, identities, parsed)) for path in files}
    bad = sum(not one.ok for one in found.values())
    if parsed.join:
        found[JOINED] = run.joined(same=parsed.same)
    for name, one in found.items():
        out(f"{'verified' if one.ok else 'REFUSED '} {name}: {one.what}")
        for line in one.lines:
            out(f"         {line}")
    if any(verdict.UNWITNESSED in line for one in found.values() for line in one.lines):
        out(verdict.EXPLAINED)
    out(f"{len(files) - bad} of {len(files)} files verified" + (f", {bad} REFUSED" if bad else ""))
    return VERIFIED if all(one.ok for one in found.values()) else REFUSED


def _keys_for(path: Path, identities: Sequence[Identity], parsed: argparse.Namespace) -> list[Identity]:
    return [] if identities or path.suffix != SEALED else keys_near(path, parsed.paths)


def run(given: Sequence[str] | None = None) -> int:
    """As ``main``, ended in a sentence when a folder cannot be read, and quietly when nobody reads what it prints."""
    try:
        code = main(given)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except OSError as error:
        print(f"REFUSED  {error.filename}: it cannot be read ({error.strerror}): check the permissions")
        return REFUSED
    return code


if __name__ == "__main__":
    sys.exit(run())
