"""The other end of a webhook: an address of the public network, asked at the very address that was looked up."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import httpx

from astrack.mailbox import guarded
from astrack.mailbox.guarded import AddressWrong, OtherSideSilent
from domain.base import DomainError

Networks = Sequence[IPv4Network | IPv6Network]
Address = IPv4Address | IPv6Address
ADDRESS_MAX, ANSWER_MAX = 300, 65_536
TIMEOUT = httpx.Timeout(10, connect=5)


class ReceiverNotPublic(DomainError):
    """An address to be told lies in a private network."""


def checked(address: str, allowed: Networks) -> str:
    """The address as it is kept. Raises AddressWrong, ReceiverNotPublic, OtherSideSilent."""
    if len(address) > ADDRESS_MAX:
        raise AddressWrong(f"an address is https://HOST/PATH of at most {ADDRESS_MAX} characters")
    found = guarded.checked(address, path=True)
    place_of(found, allowed)
    return found


def place_of(address: str, allowed: Networks) -> Address:
    """Where a message goes: the first address the name leads to, if all of them may be told.

    Raises ReceiverNotPublic, OtherSideSilent.
    """
    place = urlsplit(address)
    try:
        found = socket.getaddrinfo(place.hostname, place.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OtherSideSilent(f"the name {place.hostname} cannot be looked up: correct it, or try later") from error
    places = [ip_address(str(one[4][0])) for one in found]
    if not all(_may(one, allowed) for one in places):
        raise ReceiverNotPublic(
            f"{place.hostname} lies in a private network: name an address of the public one, or let whoever runs the "
            "machine allow its network (ASTRACK_WEBHOOK_NETWORKS)"
        )
    return places[0]


def post(address: str, headers: dict[str, str], body: bytes, allowed: Networks, timeout: httpx.Timeout) -> int:
    """Send one message; the status of its answer. No redirect is followed, no proxy asked.

    The connection goes to the address that was checked, whatever the name says a moment later; the certificate must
    be the name's. Raises ReceiverNotPublic, OtherSideSilent.
    """
    place = urlsplit(address)
    to = place_of(address, allowed)
    port = f":{place.port}" if place.port else ""
    url = f"{place.scheme}://{f'[{to}]' if to.version == 6 else to}{port}{place.path or '/'}"
    with guarded.heard(place.netloc), guarded.opened() as http:
        request = http.build_request(
            "POST", url, headers={**headers, "Host": place.netloc}, content=body, timeout=timeout,
            extensions={"sni_hostname": place.hostname},
        )  # fmt: skip
        answer = http.send(request, stream=True)
        try:
            for _ in guarded.capped(answer.iter_raw(), ANSWER_MAX):
                pass
            return answer.status_code
        finally:
            answer.close()


def _may(one: Address, allowed: Networks) -> bool:
    mapped = getattr(one, "ipv4_mapped", None) or one
    return (mapped.is_global and not mapped.is_multicast) or any(mapped in network for network in allowed)
