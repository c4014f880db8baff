"""Asking another machine over HTTPS: an address that a person named, no redirects, no proxies, times and caps."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from astrack.witnesses import LOCAL
from domain.base import DomainError

TIMEOUT = httpx.Timeout(30, connect=10)
ANSWER_BYTES_MAX = 1 << 20


class AddressWrong(DomainError):
    """An address is not one of HTTPS, or says more than a host and a port."""


class OtherSideSilent(DomainError):
    """The machine at an address does not answer, or not in a way that can be understood."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, read whole within its cap."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def checked(address: str, *, path: bool = False) -> str:
    """The address without a final slash; ``path``: more than host and port may stand in it. Raises AddressWrong."""
    try:
        place = urlsplit(address.strip())
        fits = place.hostname is not None and (place.port or 1) > 0
    except ValueError:
        place, fits = urlsplit(""), False
    safe = place.scheme == "https" or (place.scheme == "http" and place.hostname in LOCAL)
    more = (
        place.username or place.password or place.query or place.fragment or (not path and place.path not in ("", "/"))
    )
    if not fits or not safe or more:
        raise AddressWrong("an address is https://HOST, with a port where it needs one and nothing more")
    return f"{place.scheme}://{place.netloc.lower()}{place.path}".rstrip("/")


def opened() -> httpx.Client:
    """What asks: the system's own certificate authorities, nothing from the environment, no redirects."""
    return httpx.Client(
        verify=ssl.create_default_context(), trust_env=False, follow_redirects=False, timeout=TIMEOUT,
        headers={"Accept-Encoding": "identity"},
    )  # fmt: skip


@contextmanager
def heard(host: str) -> Iterator[None]:
    """Turns what can go wrong on the wire into one sentence. Raises OtherSideSilent."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
        raise OtherSideSilent(
            f"{host} does not answer as it should ({type(error).__name__}): try again later"
        ) from error


def ask(
    http: httpx.Client,
    method: str,
    address: str,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    most: int = ANSWER_BYTES_MAX,
) -> Answer:
    """One request and its answer of at most ``most`` bytes. Raises OtherSideSilent."""
    with heard(urlsplit(address).netloc), http.stream(method, address, headers=headers, content=content) as reply:
        body = b"".join(capped(reply.iter_raw(), most))
        return Answer(reply.status_code, reply.headers, body)


def capped(blocks: Iterator[bytes], most: int, have: Callable[[int], object] = lambda done: None) -> Iterator[bytes]:
    """The blocks, up to ``most`` bytes; ``have`` hears how many came with each. Raises OtherSideSilent for more."""
    left = most
    for block in blocks:
        left -= len(block)
        if left < 0:
            raise OtherSideSilent(f"more than {most} bytes came: nothing was taken")
        yield block
        have(len(block))
