"""Addresses of clients: which one a request came from, and which of them count as one for limits. Pure."""

import ipaddress
from collections.abc import Iterable, MutableMapping
from functools import lru_cache
from typing import Any

_NETWORK_PREFIX = 64
"""A site with IPv6 usually has a /64 or more, so one client can use all of its addresses."""
_SCHEMES = frozenset({"http", "https", "ws", "wss"})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def believe_proxies(scope: MutableMapping[str, Any], trusted_proxies: int) -> None:
    """Replace ``client`` and ``scheme`` of an ASGI scope by what the trusted proxies wrote into its headers.

    Each proxy appends the address that it saw to ``X-Forwarded-For``. With one trusted proxy only the last entry can be
    believed; everything to the left of it may have been written by the client. With fewer entries than trusted proxies
    the first one counts. Without an entry, or with one that is no address, the scope keeps the address of the
    connection.
    """
    if trusted_proxies <= 0:
        return
    address = parse_address(_from_the_right(scope["headers"], b"x-forwarded-for", trusted_proxies))
    if address is not None:
        scope["client"] = (str(address), 0)
    scheme = _from_the_right(scope["headers"], b"x-forwarded-proto", trusted_proxies).lower()
    if scheme in _SCHEMES:
        is_secure = scheme in {"https", "wss"}
        plain = "ws" if scope["type"] == "websocket" else "http"
        scope["scheme"] = plain + "s" if is_secure else plain


@lru_cache(maxsize=10_000)
def address_group(host: str) -> str:
    """Return the key under which limits count a client: the address, or the /64 network for IPv6.

    An IPv4 address inside IPv6 (``::ffff:192.0.2.1``) counts as the IPv4 address. A text that is no address is its own
    group.
    """
    address = parse_address(host)
    if address is None:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _NETWORK_PREFIX), strict=False))
    return str(address)


def is_loopback(host: str) -> bool:
    """Return whether the client runs on this machine."""
    address = parse_address(host)
    return address is not None and address.is_loopback


def parse_address(text: str) -> Address | None:
    """Return the address in a text such as ``192.0.2.1``, ``192.0.2.1:5000`` or ``[2001:db8::1]:443``, or ``None``."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _from_the_right(headers: Iterable[tuple[bytes, bytes]], name: bytes, position: int) -> str:
    """Return an entry of a list in headers, the last one being 1; the first entry where there are fewer."""
    entries = b",".join(value for key, value in headers if key == name).decode("latin-1").split(",")
    return entries[max(0, len(entries) - position)].strip()
