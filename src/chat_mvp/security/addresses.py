"""Whose limits count for an address: one IPv4 address, or one IPv6 network of 64 bits, which is one customer's."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

IPV6_PREFIX_BITS = 64


@lru_cache(maxsize=10_000)
def limited_address(host: str) -> str:
    """Return the name under which limits count the client with this address; what is no IP address stands for itself.

    An IPv6 client owns 2**64 addresses, so its network counts. An IPv4 address written as IPv6 is the IPv4 address.
    """
    try:
        address: IPv4Address | IPv6Address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(ip_network((address, IPV6_PREFIX_BITS), strict=False))
        address = address.ipv4_mapped
    return str(address)
