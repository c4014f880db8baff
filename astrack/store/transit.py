"""A root key that never leaves its key service: the transit engine of OpenBao or HashiCorp Vault, over HTTP.

Two keys of type aes256-gcm96 are made once: ``bao write -f transit/keys/astrack`` and, for what must stay the same when
that one is rotated and its old versions are destroyed, ``bao write -f transit/keys/astrack-database``. The token needs
``update`` on encrypt and decrypt of the first and on hmac of the second, and ``read`` on the first itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from astrack.store.rootkey import DATABASE_LABEL
from astrack.store.types import BadSetting, KeyMissing, StoreUnavailable

ANSWER_MAX = 1 << 16
NEVER_ROTATED = "-database"
WRAPPED = re.compile(r"vault:v([1-9][0-9]{0,8}):[A-Za-z0-9+/=]{1,1000}")
NAME = re.compile(r"[A-Za-z0-9_./-]{1,100}")


class _StaysThere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """None: the token is for this address alone."""


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _StaysThere())


class TransitRootKey:
    """One named key of a transit engine at ``address``, such as https://bao.example:8200."""

    def __init__(self, address: str, key: str, token_file: Path, mount: str = "transit", timeout_s: float = 10) -> None:
        if not address.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise BadSetting("ASTRACK_TRANSIT_URL must begin with https:// (http:// only for this computer itself)")
        if not NAME.fullmatch(key) or not NAME.fullmatch(mount):
            raise BadSetting("the transit key and its mount are names of letters, digits, '-', '_', '.' and '/'")
        self._base, self._mount, self._key = address.rstrip("/") + "/v1/", mount, key
        self._token_file, self._timeout_s = token_file, timeout_s

    def wrap(self, key: bytes, place: bytes) -> bytes:
        """A key encrypted by the service, bound to its place as associated data. Raises StoreUnavailable."""
        data = self._asked(f"encrypt/{self._key}", {"plaintext": _b64(key), "associated_data": _b64(place)})
        return _wrapped(data.get("ciphertext")).encode("ascii")

    def unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        """The key again. Raises KeyMissing where the service refuses it, StoreUnavailable."""
        text = _wrapped(wrapped.decode("ascii", "replace"))
        data = self._asked(f"decrypt/{self._key}", {"ciphertext": text, "associated_data": _b64(place)})
        try:
            return base64.b64decode(str(data.get("plaintext")), validate=True)
        except ValueError as error:
            raise KeyMissing("the key service gave something that is not a key: check ASTRACK_TRANSIT_KEY") from error

    def newest(self, wrapped: bytes, place: bytes) -> bool:
        """Whether this is wrapped under the key's latest version at the service."""
        found = WRAPPED.fullmatch(wrapped.decode("ascii", "replace"))
        return found is not None and int(found[1]) == self._asked(f"keys/{self._key}", None).get("latest_version")

    def secret(self) -> bytes:
        """What the roles' passwords come from: the service's own HMAC under a key that is never rotated.

        An HMAC under the root key's own first version would be refused once old versions are.
        """
        data = self._asked(f"hmac/{self._key}{NEVER_ROTATED}", {"input": _b64(DATABASE_LABEL), "key_version": 1})
        return hashlib.sha256(str(data.get("hmac")).encode()).digest()

    def renew(self) -> None:
        """Make a new version of the key at the service (the token needs ``update`` on keys/NAME/rotate)."""
        self._request(f"keys/{self._key}/rotate", {})

    def retire(self) -> None:
        """Nothing: raise ``min_decryption_version`` at the service, and older versions open nothing any more."""

    def _asked(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        data = self._request(path, body).get("data")
        if not isinstance(data, dict):
            raise StoreUnavailable("the key service's answer is not in the transit protocol: check ASTRACK_TRANSIT_URL")
        return data

    def _request(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310  (the address is checked above)
            f"{self._base}{self._mount}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Vault-Token": self._token(), "Content-Type": "application/json"},
        )
        try:
            with _OPENER.open(request, timeout=self._timeout_s) as answer:
                text = answer.read(ANSWER_MAX)
        except urllib.error.HTTPError as error:
            raise _refusal(error.code, path) from error
        except OSError as error:
            raise StoreUnavailable("the key service does not answer: see that it runs and is unsealed") from error
        try:
            found = json.loads(text or b"{}")
        except ValueError as error:
            raise StoreUnavailable("the key service's answer is not JSON: check ASTRACK_TRANSIT_URL") from error
        return found if isinstance(found, dict) else {}

    def _token(self) -> str:
        try:
            # read each time: an agent renews it
            return self._token_file.read_text("ascii").strip()
        except (OSError, ValueError) as error:
            raise BadSetting(f"the key service's token cannot be read from {self._token_file}") from error


def _refusal(status: int, path: str) -> Exception:
    if status == 400 and path.startswith("hmac/"):
        key = path.removeprefix("hmac/")
        return BadSetting(f"the key service has no key {key}: make it with `bao write -f transit/keys/{key}`")
    if status == 400:
        return KeyMissing("the key service does not open a school's key: check that ASTRACK_TRANSIT_KEY is the one "
                          "this database was written with")  # fmt: skip
    if status in (401, 403):
        return BadSetting(f"the key service refuses our token for {path}: make the key, renew the token or widen its "
                          "policy")  # fmt: skip
    if status == 404:
        return BadSetting(f"the key service has no {path}: make the key or check ASTRACK_TRANSIT_KEY")
    return StoreUnavailable(f"the key service answered {status}: see that it runs and is unsealed")


def _wrapped(text: Any) -> str:
    if not isinstance(text, str) or not WRAPPED.fullmatch(text):
        raise KeyMissing("a school's key was not wrapped by this key service: check that the root key is the one "
                         "this database was written with")  # fmt: skip
    return text


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
