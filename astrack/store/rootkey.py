"""The root key: what wraps each school's key. It is a file's or the environment's own, or a key service's.

Its text is one key a line, the newest first, each of 64 hexadecimal digits. The first wraps; all unwrap, so that a new
one can be added while the service runs. A line ``database: <64 digits>`` keeps what the roles' passwords come from:
worked out from the first key there was, it does not give that key away once it has been destroyed.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from stat import S_ISREG
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from astrack.store.keys import KEY_BYTES, seal, unseal
from astrack.store.types import BadSetting, KeyMissing

DATABASE = "database:"
DATABASE_LABEL = b"astrack/database/v1"
KEYS_MAX = 20
NOT_OPENED = "a school's key does not open"
FILE_BYTES_MAX = 1 << 16
FORM = f"one key a line, each of {2 * KEY_BYTES} hexadecimal digits, the newest first"


class RootKey(Protocol):
    """Wraps and unwraps the keys of schools; ``place`` binds a wrapped key to where it belongs."""

    def wrap(self, key: bytes, place: bytes) -> bytes:
        """A key sealed under the newest root key. Raises StoreUnavailable."""

    def unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        """The key again. Raises KeyMissing where no root key opens it for this place, StoreUnavailable."""

    def newest(self, wrapped: bytes, place: bytes) -> bool:
        """Whether this is wrapped under the newest root key."""

    def renew(self) -> None:
        """Make a new root key that wraps from now on; older ones still unwrap."""

    def retire(self) -> None:
        """Destroy all but the newest root key: what is wrapped under an older one, in backups too, is lost."""

    def secret(self) -> bytes:
        """32 bytes that stay the same when the root key is rotated: the roles' passwords come from them."""


class HeldRootKey:
    """Root keys that this process holds itself, as text."""

    def __init__(self, text: str, where: str) -> None:
        self._where = where
        self._take(text)

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process of the same installation may be handed it."""
        lines = [*(key.hex() for key in self._keys), f"{DATABASE} {self._secret.hex()}"]
        return (HeldRootKey, ("\n".join(lines), self._where))

    def wrap(self, key: bytes, place: bytes) -> bytes:
        """A key sealed under the newest root key."""
        return seal(self._ciphers[0], key, place)

    def unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        """The key again. Raises KeyMissing."""
        for cipher in self._ciphers:
            try:
                return unseal(cipher, wrapped, place)
            except InvalidTag:
                continue
        raise KeyMissing(f"{NOT_OPENED}: check that the root key is the one "
                         "this database was written with")  # fmt: skip

    def newest(self, wrapped: bytes, place: bytes) -> bool:
        """Whether the first of the keys opens it."""
        try:
            unseal(self._ciphers[0], wrapped, place)
        except InvalidTag:
            return False
        return True

    def renew(self) -> None:
        """Nothing: whoever sets the text puts the new key in front of the old one."""

    def retire(self) -> None:
        """Nothing: whoever sets the text takes the old keys out."""

    def secret(self) -> bytes:
        """What the roles' passwords come from: the line that says so, else worked out from the oldest key."""
        return self._secret

    def _take(self, text: str) -> None:
        lines = [line.strip() for line in text.replace(",", "\n").split("\n") if line.strip()]
        held = [_key(line, self._where) for line in lines if not line.startswith(DATABASE)]
        kept = [_key(line.removeprefix(DATABASE).strip(), self._where) for line in lines if line.startswith(DATABASE)]
        if not 1 <= len(held) <= KEYS_MAX or len(kept) > 1:
            raise KeyMissing(f"{self._where} does not hold a root key: it must have {FORM}")
        self._keys = held
        self._secret = kept[0] if kept else hmac.digest(held[-1], DATABASE_LABEL, "sha256")
        self._ciphers = [AESGCM(key) for key in held]


class FileRootKey(HeldRootKey):
    """Root keys in a file of their own (0600), made at first use where ``create``; read again when it has changed."""

    def __init__(self, path: Path, create: bool = True) -> None:
        self.path = path
        if create and not path.exists():
            _draw(path)
        self._seen = _stamp(path)
        super().__init__(_text(path), str(path))

    def wrap(self, key: bytes, place: bytes) -> bytes:
        """A key sealed under the newest root key of the file as it is now."""
        self._look_again()
        return super().wrap(key, place)

    def unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        """The key again. Raises KeyMissing."""
        self._look_again()
        return super().unwrap(wrapped, place)

    def newest(self, wrapped: bytes, place: bytes) -> bool:
        """Whether the first key of the file opens it."""
        self._look_again()
        return super().newest(wrapped, place)

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process reads the file itself."""
        return (FileRootKey, (self.path,))

    def renew(self) -> None:
        """Put a new root key in front of the others; what they have wrapped stays readable."""
        self._look_again()
        self._put([secrets.token_bytes(KEY_BYTES), *self._keys])

    def retire(self) -> None:
        """Keep only the newest root key. What older ones wrapped, in backups too, is lost with them."""
        self._look_again()
        self._put(self._keys[:1])

    def _put(self, held: list[bytes]) -> None:
        lines = [key.hex() for key in held] + [f"{DATABASE} {self._secret.hex()}"]
        try:
            _write(self.path, "\n".join(lines) + "\n")
        except OSError as error:
            raise BadSetting(
                f"the root key file {self.path} cannot be written ({error.strerror}): put a new key in front of the "
                "old one by hand, and rotate with the file's text in ASTRACK_ROOT_KEY"
            ) from error
        self._look_again()

    def _look_again(self) -> None:
        stamp = _stamp(self.path)
        if stamp != self._seen:
            self._take(_text(self.path))
            self._seen = stamp


def _key(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyMissing(f"{where} does not hold a root key: it must have {FORM}")
    return key


def readable_by_others(path: Path) -> bool:
    """Whether more accounts than its owner's may read a root key file."""
    try:
        seen = path.stat()
    except OSError:
        return False
    return S_ISREG(seen.st_mode) and bool(seen.st_mode & 0o077)


def _draw(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
        _write(path, secrets.token_bytes(KEY_BYTES).hex() + "\n", first=True)
    except OSError as error:
        raise BadSetting(
            f"the root key file {path} cannot be made ({error.strerror}): set ASTRACK_ROOT_KEY_FILE to a place that can"
            " be written"
        ) from error


def _text(path: Path) -> str:
    try:
        with path.open("rb") as source:
            return source.read(FILE_BYTES_MAX).decode("ascii", "replace")
    except OSError as error:
        raise BadSetting(
            f"the root key file {path} cannot be read ({error.strerror}): put it back or set ASTRACK_ROOT_KEY_FILE"
        ) from error


def _stamp(path: Path) -> tuple[int, int]:
    try:
        seen = path.stat()
    except OSError as error:
        raise BadSetting(
            f"the root key file {path} cannot be read ({error.strerror}): put it back or set ASTRACK_ROOT_KEY_FILE"
        ) from error
    if not S_ISREG(seen.st_mode):
        raise BadSetting(f"the root key file {path} is no file: set ASTRACK_ROOT_KEY_FILE to the file that holds it")
    return (seen.st_mtime_ns, seen.st_ino)


def _write(path: Path, text: str, first: bool = False) -> None:
    fresh = path.with_name(f"{path.name}.{hashlib.sha256(os.urandom(16)).hexdigest()[:8]}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    try:
        # a link does not replace what another process has made meanwhile
        os.link(fresh, path) if first else fresh.replace(path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink(missing_ok=True)
