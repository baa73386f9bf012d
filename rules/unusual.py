"""When access stands out: far more at once than ever before, a device from nowhere (ASVS 11.1.7)."""

import ipaddress

MANY = 30
"""Readings within an hour below which nothing is unusual, whoever it is: a person at work opens fewer."""
TIMES = 2
"""How far beyond the busiest hour so far."""
REFUSALS = 20
"""Refused accesses within an hour: people come upon one or two, whoever tries numbers upon many."""


def far_more(now: int, busiest: int) -> bool:
    """Whether `now` readings within an hour are far beyond the busiest hour before."""
    return now >= MANY and now > TIMES * busiest


def network(address: str) -> str:
    """Where an address belongs, coarsely: a provider gives people another one every day, but from the same net.

    IPv4 by its first two bytes, IPv6 by its first 32 bits; whatever is no address stands for itself.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    bits = 16 if found.version == 4 else 32
    return str(ipaddress.ip_network((found, bits), strict=False))
