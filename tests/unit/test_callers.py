"""From where a caller comes: which proxies are believed, and whom limits count an address with."""

from __future__ import annotations

import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import yaml
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.callers import counted
from cli.proxies import trusted_proxies
from settings import SettingsError

COMPOSE_FILE = Path(__file__).parents[2] / "docker-compose.yml"
HOST, CITIZEN, FORGED, ELSEWHERE = "172.18.0.1", "198.51.100.9", "192.0.2.66", "172.18.0.7"


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    """The kernel's table in a container whose host is HOST."""
    gateway = f"{int.from_bytes(ip_address(HOST).packed, sys.byteorder):08X}"
    file = tmp_path / "route"
    file.write_text(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
        f"eth0\t00000000\t{gateway}\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    )
    return file


def in_compose() -> str:
    """What docker-compose.yml says where .env says nothing."""
    said: str = yaml.safe_load(COMPOSE_FILE.read_text())["services"]["api"]["environment"]["FORWARDED_ALLOW_IPS"]
    return said.removeprefix("${FORWARDED_ALLOW_IPS:-").removesuffix("}")


async def address_seen(proxies: list[str], caller: str, forwarded: str) -> str:
    seen: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["client"][0])

    scope: Any = {"type": "http", "client": (caller, 40000), "headers": [(b"x-forwarded-for", forwarded.encode())]}
    await ProxyHeadersMiddleware(application, proxies)(scope, None, None)  # type: ignore[arg-type]
    return seen[0]


@pytest.mark.parametrize(
    ("caller", "forwarded", "seen"),
    [
        pytest.param(HOST, CITIZEN, CITIZEN, id="a proxy that says the caller's address"),
        pytest.param(HOST, f"{FORGED}, {CITIZEN}", CITIZEN, id="a proxy that adds it to what the caller wrote"),
        pytest.param(
            HOST, f"{FORGED}, {HOST}, {CITIZEN}", CITIZEN, id="a caller that writes the proxy's address as well"
        ),
        pytest.param(HOST, f"127.0.0.1, {CITIZEN}", CITIZEN, id="a caller that says it is this machine"),
        pytest.param(ELSEWHERE, FORGED, ELSEWHERE, id="another container of the same network"),
    ],
)
async def test_deployment_believes_no_address_that_a_caller_wrote(
    routes: Path, caller: str, forwarded: str, seen: str
) -> None:
    proxies = trusted_proxies({"FORWARDED_ALLOW_IPS": in_compose()}, routes)
    assert await address_seen(proxies, caller, forwarded) == seen


@pytest.mark.parametrize(
    ("value", "proxies"),
    [
        pytest.param("", ["127.0.0.1"], id="nothing said"),
        pytest.param("10.0.0.5", ["10.0.0.5"], id="an address"),
        pytest.param("10.0.0.5, 10.1.0.0/24,fd00::5", ["10.0.0.5", "10.1.0.0/24", "fd00::5"], id="several"),
        pytest.param("gateway,10.0.0.5", [HOST, "10.0.0.5"], id="the machine of the container and another one"),
    ],
)
def test_proxies_are_those_that_the_environment_names(routes: Path, value: str, proxies: list[str]) -> None:
    assert trusted_proxies({"FORWARDED_ALLOW_IPS": value}, routes) == proxies


@pytest.mark.parametrize(
    "value", ["*", "10.0.0.5,*", "0.0.0.0/0", "::/0", "proxy.city.example", "10.0.0.5,", "10.0.0.5/8"]
)
def test_everybody_and_what_is_no_address_are_refused_as_proxies(routes: Path, value: str) -> None:
    with pytest.raises(SettingsError, match="FORWARDED_ALLOW_IPS is wrong: it should name"):
        trusted_proxies({"FORWARDED_ALLOW_IPS": value}, routes)


@pytest.mark.parametrize("table", [None, "Iface\tDestination\tGateway\tFlags\n"], ids=["no table", "no default"])
def test_a_machine_without_a_gateway_says_so(tmp_path: Path, table: str | None) -> None:
    if table is not None:
        (tmp_path / "route").write_text(table)
    with pytest.raises(SettingsError, match="no default gateway"):
        trusted_proxies({"FORWARDED_ALLOW_IPS": "gateway"}, tmp_path / "route")


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("198.51.100.9", "198.51.100.9"),
        ("::ffff:198.51.100.9", "198.51.100.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::6", "2001:db8:1:3::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_limits_count_an_address_of_ipv6_with_its_network(address: str, counted_as: str) -> None:
    assert counted(address) == counted_as
