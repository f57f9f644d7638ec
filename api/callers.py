"""From where a caller comes: the address in the network, and whom it is counted with by what is limited for an address."""

from __future__ import annotations

import ipaddress

from fastapi import Request

_ONE_HOUSEHOLD = 64
"""Bits of an IPv6 address. Whoever has a connection has all addresses behind them."""


def client_address(request: Request) -> str:
    """Where the request came from, as uvicorn established it behind a trusted proxy (cli/proxies.py)."""
    return request.client.host if request.client else ""


def counted_address(request: Request) -> str:
    """What limits count by: an IPv4 address, also where it is written as one of IPv6, or the /64 of an IPv6 address."""
    return counted(client_address(request))


def counted(address: str) -> str:
    """The same for an address in writing. What is none stays as it is."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.IPv6Network((int(found), _ONE_HOUSEHOLD), strict=False))


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
