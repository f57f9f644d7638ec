"""Whose word on the address of a caller the interface believes: that of the reverse proxies in FORWARDED_ALLOW_IPS.

Limits, the record of looks and demonstration accounts go by that address. Of the addresses in X-Forwarded-For the last
one counts that is none of these proxies; whatever a caller wrote in front of it is not believed. So everybody as a
proxy ("*") would let each caller choose an address, and is refused.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Mapping
from pathlib import Path

from settings import SettingsError

VARIABLE = "FORWARDED_ALLOW_IPS"
GATEWAY = "gateway"
"""Stands for the default gateway. To a container that is the machine it runs on, from where Docker passes on what reaches
a published port; its address is known only once the container runs."""

_ROUTES = Path("/proc/net/route")
_IS_GATEWAY = 0x2


def trusted_proxies(environment: Mapping[str, str], routes: Path = _ROUTES) -> list[str]:
    """The addresses and networks of the proxies; this machine's own unless any are named. Raises SettingsError."""
    words = [word.strip() for word in (environment.get(VARIABLE) or "127.0.0.1").split(",")]
    try:
        return [_default_gateway(routes) if word == GATEWAY else _some_addresses(word) for word in words]
    except ValueError as error:
        raise SettingsError([f"{VARIABLE} is wrong: {error}."]) from error


def _some_addresses(word: str) -> str:
    try:
        network = ipaddress.ip_network(word)
    except ValueError:
        network = None
    if network is None or not network.prefixlen:
        raise ValueError(
            f"it should name the addresses or networks of the reverse proxies, divided by commas, or {GATEWAY} for the machine"
            " that the container runs on; not everybody, for then each caller could choose an address"
        )
    return word


def _default_gateway(routes: Path) -> str:
    """From the kernel's table: interface, destination, gateway, flags and more, addresses as numbers in hexadecimal."""
    try:
        rows = [line.split() for line in routes.read_text().splitlines()[1:]]
    except OSError:
        rows = []
    for _, destination, gateway, flags, *_ in rows:
        if int(destination, 16) == 0 and int(flags, 16) & _IS_GATEWAY:
            return str(ipaddress.ip_address(int(gateway, 16).to_bytes(4, sys.byteorder)))
    raise ValueError(f"this machine has no default gateway, so {GATEWAY} says nothing; name the address of the proxy")
