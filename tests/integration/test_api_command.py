"""`huisheng api` and `huisheng staff` as a person starts them: processes of their own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx2
import pytest

from db import policies
from db.pool import open_pool
from domain.policy import to_plain
from tests.city import a_city
from tests.interface import KEYS
from tests.rows import SUNDAY_NOON
from tests.servers import free_port

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
async def city_url(shared_database_url: str) -> str:
    """A database with the small city's policy."""
    city = a_city()
    async with open_pool(shared_database_url, size=1) as pool:
        await policies.activate(pool, city.version, "Small City", to_plain(city), SUNDAY_NOON)
    return shared_database_url


def environment(database_url: str, **changes: str) -> dict[str, str]:
    told = {
        "DATABASE_URL": database_url,
        "HUISHENG_KEYS": KEYS,
        "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
        "PYTHONPATH": str(PROJECT),
    }
    return {**os.environ, **told, **changes}


def huisheng(database_url: str, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(
        command, env=environment(database_url, **changes), capture_output=True, text=True, timeout=180, check=False
    )


@contextmanager
def an_api(database_url: str, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "api", "--port", str(port)], env=environment(database_url), stderr=output
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, process, log)
        yield process, address
    finally:
        process.kill()
        process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            httpx2.get(f"{address}/healthz", timeout=2)
            return
        except httpx2.TransportError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


def test_the_interface_serves_logs_and_ends_cleanly(city_url: str, tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    with an_api(city_url, log) as (process, address):
        receipt = httpx2.post(f"{address}/api/v1/requests", json={"description": "A secret matter."}).json()
        page = httpx2.get(f"{address}/r/{receipt['reference']}/{receipt['token']}")
        assert page.status_code == 200
        assert "server" not in page.headers
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["operation"] for line in lines if line["event"] == "request"] == ["submit_request", "show_status"]
    assert receipt["token"] not in log.read_text()
    assert "secret" not in log.read_text()


async def test_of_the_addresses_before_the_proxys_the_last_is_the_callers(city_url: str, tmp_path: Path) -> None:
    password = {"username": "otto", "password": "a long sentence"}
    added = ("staff", "add", "otto", "--role", "dispatcher")
    assert huisheng(city_url, *added, HUISHENG_PASSWORD=password["password"]).returncode == 0
    with an_api(city_url, tmp_path / "api.log") as (_, address), httpx2.Client(base_url=f"{address}/api/v1") as http:
        assert http.post("/requests", json={"description": "The lamp is out."}).status_code == 201
        token = http.post("/sessions", json=password).json()["token"]
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "192.0.2.1, 198.51.100.9"}
        assert http.get("/staff/requests", headers=headers).status_code == 200

    connection = await asyncpg.connect(city_url)
    try:
        assert await connection.fetchval("select address from looks order by looked_at desc") == "198.51.100.9"
    finally:
        await connection.close()


def test_everybody_as_a_proxy_is_refused_in_one_plain_sentence(city_url: str) -> None:
    refused = huisheng(city_url, "api", FORWARDED_ALLOW_IPS="*")

    assert refused.returncode != 0
    assert "FORWARDED_ALLOW_IPS is wrong" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_port_in_use_is_one_plain_sentence(city_url: str, tmp_path: Path) -> None:
    with an_api(city_url, tmp_path / "api.log") as (_, address):
        port = address.rpartition(":")[2]
        second = huisheng(city_url, "api", "--port", port)

    assert second.returncode == 1
    assert port in second.stderr
    assert second.stderr.count("\n") == 1


def test_a_database_that_is_away_or_of_another_version_is_one_plain_sentence(postgres_url: str) -> None:
    away = huisheng("postgresql://nobody:nothing@127.0.0.1:1/none", "api")
    empty = huisheng(postgres_url, "api")

    for refused in (away, empty):
        assert refused.returncode == 1
        assert refused.stderr.count("\n") == 1
    assert "huisheng db migrate" in empty.stderr


async def test_a_database_that_breaks_off_while_the_interface_starts_is_one_plain_sentence(city_url: str) -> None:
    city = urlsplit(city_url)
    calls = 0

    async def let_the_first_through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            writer.transport.abort()
            return
        theirs, ours = await asyncio.open_connection(city.hostname, city.port)
        await asyncio.gather(_pass_on(reader, ours), _pass_on(theirs, writer))

    async with await asyncio.start_server(let_the_first_through, "127.0.0.1", 0) as gate:
        port = gate.sockets[0].getsockname()[1]
        through_the_gate = city_url.replace(f"{city.hostname}:{city.port}", f"127.0.0.1:{port}")
        refused = await asyncio.to_thread(huisheng, through_the_gate, "api", "--port", str(free_port()))

    assert calls > 1
    assert (refused.returncode, refused.stderr.count("\n"), "Traceback" in refused.stderr) == (1, 1, False)
    assert "Is PostgreSQL running" in refused.stderr


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


def test_an_account_is_added_listed_closed_and_opened(city_url: str) -> None:
    password = {"HUISHENG_PASSWORD": "a long sentence"}
    roles = ("--role", "handler", "--department", "housing", "--lead", "north_street", "--phone", "13800000001")
    assert huisheng(city_url, "staff", "add", "Anna", "--name", "Anna Li", *roles, **password).returncode == 0
    assert "already" in huisheng(city_url, "staff", "add", "anna", *roles, **password).stderr
    assert huisheng(city_url, "staff", "deactivate", "anna").returncode == 0

    listed = json.loads(huisheng(city_url, "staff", "list", "--json").stdout)
    (anna,) = [each for each in listed if each["username"] == "anna"]
    assert anna["departments"] == ["housing", "north_street"]
    assert anna["leads"] == ["north_street"]
    assert anna["active"] is False
    assert huisheng(city_url, "staff", "activate", "anna").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "ben", "--role", "handler", "--department", "moon"), "housing"),
        (("add", "ben", "--role", "handler"), "needs a department"),
        (("add", "ben", "--role", "dispatcher", "--department", "housing"), "Only handlers"),
        (("add", "ben", "--role", "dispatcher", "--phone", "call me"), "phone number"),
        (("add", "ben", "--role", "king"), "king"),
        (("set-password", "nobody"), "no account"),
        (("deactivate", "nobody"), "no account"),
    ],
)
def test_what_is_wrong_with_an_account_is_said(city_url: str, arguments: tuple[str, ...], words: str) -> None:
    refused = huisheng(city_url, "staff", *arguments, HUISHENG_PASSWORD="a long sentence")

    assert refused.returncode != 0
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


def test_demonstration_accounts_are_told_as_json_and_can_be_made_again(city_url: str) -> None:
    made = [
        huisheng(city_url, "staff", "demo", "--json", HUISHENG_DEMO_PASSWORD="a password for all") for _ in range(2)
    ]
    accounts = json.loads(made[0].stdout)

    assert made[0].stdout == made[1].stdout
    by_name = {account["username"]: account for account in accounts}
    assert by_name["housing"] == {
        "username": "housing",
        "password": "a password for all",
        "roles": ["handler"],
        "departments": ["housing"],
        "lead": False,
    }
    assert by_name["housing_lead"]["lead"] is True
    assert {role for account in accounts for role in account["roles"]} == {
        "dispatcher", "supervisor", "caller", "admin", "handler",
    }  # fmt: skip


async def test_demonstration_accounts_are_marked_as_such(city_url: str) -> None:
    connection = await asyncpg.connect(city_url)
    try:
        names = await connection.fetch("select username from staff where not demo")
    finally:
        await connection.close()

    assert {row["username"] for row in names} <= {"anna", "otto"}
