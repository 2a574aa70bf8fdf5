"""Read the address of a receiver, and check that it leads to the public internet.

A host name is resolved once for each attempt, and the connection is made to the IP address that was
checked: a name that resolves to another address afterwards (DNS rebinding) leads nowhere.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pipeline.webhooks.errors import AddressNotPublic, ReceiverUnavailable

IpAddress = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

_LONGEST: Final = 2048  # characters
_PRINTABLE: Final = re.compile(r"[!-~]+")
_HOST: Final = re.compile(r"[a-z0-9._-]{1,253}")
_BRACKETED: Final = re.compile(r"[0-9a-f:.]+:[0-9a-f:.]*")  # IPv6
_LOOPBACK: Final = "127.0.0.1"
# Elsewhere, IPv6 has addresses that stand for IPv4 ones (mapped, NAT64) and special ones.
_UNICAST: Final = IPv6Network("2000::/3")
# Some or all versions of Python count these as global. 6to4 (2002::/16 and its relays) leads to any
# IPv4 address; the others are for protocols and documentation.
_SPECIAL: Final[tuple[IPv4Network | IPv6Network, ...]] = (
    *map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")),
    *map(IPv6Network, ("2001::/23", "2002::/16", "3fff::/20")),
)


@dataclass(frozen=True)
class Address:
    """A receiver's address. `target` is the path and query of a request to it."""

    host: str
    port: int
    target: str
    tls: bool = True

    @property
    def authority(self) -> str:
        """Return the value of the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _default_port(tls=self.tls) else f"{host}:{self.port}"


def read_address(url: str, *, local_receivers: bool = False) -> Address:
    """Parse the address of a receiver. Raises AddressNotPublic if it is no https address.

    With `local_receivers`, which only the local cloud sets, `http://127.0.0.1:PORT` is one too.
    """
    if len(url) > _LONGEST or not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise AddressNotPublic(
            f"an address has at most {_LONGEST} characters, all of them plain ASCII without spaces"
        )
    parts, port = _split(url)
    local = local_receivers and parts.scheme == "http" and parts.hostname == _LOOPBACK
    if parts.scheme != "https" and not local:
        raise AddressNotPublic(f"the address of a receiver begins with https://, unlike {url!r}")
    if "@" in parts.netloc or "#" in url:
        raise AddressNotPublic("the address of a receiver has no user, password or fragment")
    written = _BRACKETED if "[" in parts.netloc else _HOST
    if not written.fullmatch(parts.hostname or ""):
        raise AddressNotPublic(f"{parts.netloc!r} is no host name; international ones begin xn--")
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    default = _default_port(tls=not local)
    return Address(str(parts.hostname), default if port is None else port, target, tls=not local)


def public_addresses(address: Address, resolve: Resolve | None = None) -> list[str]:
    """Return the IP addresses of a receiver, IPv4 first, each of them public.

    Raises AddressNotPublic if one of them is not, ReceiverUnavailable if there are none.
    """
    if not address.tls:
        return [_LOOPBACK]
    found = (resolve or resolve_host)(address.host, address.port)
    for each in found:
        if not is_public(each):
            raise AddressNotPublic(f"{address.host} has the IP address {each}, which is not public")
    if not found:
        raise ReceiverUnavailable(f"{address.host} has no IP address")
    return sorted(dict.fromkeys(found), key=lambda each: ":" in each)


def is_public(text: str) -> bool:
    """Return True if an IP address belongs to one computer of the public internet."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and (address.scope_id or address not in _UNICAST):
        return False
    special = (
        address.is_multicast or address.is_reserved or any(address in each for each in _SPECIAL)
    )
    return address.is_global and not special


def resolve_host(host: str, port: int) -> list[str]:
    """Return every IP address of a host. Raises ReceiverUnavailable if it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ReceiverUnavailable(f"{host} cannot be resolved: {error}") from error
    return [str(place[0]) for *_, place in found]


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressNotPublic(f"{url!r} is no address: {error}") from error
    if port == 0:
        raise AddressNotPublic("a receiver's port is between 1 and 65535")
    return parts, port


def _default_port(*, tls: bool) -> int:
    return 443 if tls else 80
