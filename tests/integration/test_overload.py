"""The interface beyond its capacity, for some seconds: who is refused hears so at once, nothing accepted is lost, nothing piles up."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from api.lanes import LANES
from api.services import system_clock
from benchmarks.flood import Flood
from db import policies, reconciliation, sessions, staff
from db.pool import Pool, open_pool
from db.sealing import KeyRing
from db.staff import NewAccount
from domain.policy import to_plain
from tests.city import a_city
from tests.integration.test_api_command import an_api
from tests.interface import QUICK_HASH

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
CALM_SECONDS, FLOOD_SECONDS, TIMES = 1.5, 8.0, 4.0
GROWTH_MEGABYTES = 100.0


@dataclass
class Flooded:
    """What came of it, what was confirmed, and the interface afterwards."""

    kinds: dict[str, dict[str, Any]]
    confirmed: list[str]
    grown_megabytes: float
    afterwards: int
    figures: str


@pytest.fixture(scope="module")
async def flooded(shared_database_url: str, keys: KeyRing, tmp_path_factory: pytest.TempPathFactory) -> Flooded:
    folder = tmp_path_factory.mktemp("flooded")
    async with open_pool(shared_database_url, size=1) as pool:
        token = await a_session(pool, keys)
        with an_api(shared_database_url, folder / "api.log") as (process, address):
            return await asyncio.to_thread(flood_it, psutil.Process(process.pid), address, token, folder / "receipts")


async def a_session(pool: Pool, keys: KeyRing) -> str:
    """Of somebody who may see lists and reports, in a city of its own."""
    city, now = a_city(), system_clock()
    await policies.activate(pool, city.version, "Small City", to_plain(city), now)
    await staff.save(pool, keys, NewAccount("wu", "Wu", QUICK_HASH, ("supervisor", "dispatcher")), now)
    account = await staff.by_username(pool, "wu")
    assert account is not None
    token = await sessions.open_session(pool, account, now, timedelta(hours=1))
    assert token is not None
    return token


def flood_it(api: psutil.Process, address: str, token: str, receipts: Path) -> Flooded:
    calm = Flood(
        port=int(address.rpartition(":")[2]), seconds=CALM_SECONDS, per_second={"submissions": 0.0}, at_once=8,
        descriptions=["The lamp before our door is out."], dispatcher=token, supervisor=token, working=[],
        receipts=str(receipts),
    )  # fmt: skip
    capacity = generated(calm)["submissions"]["served"]["number"] / CALM_SECONDS
    before = api.memory_info().rss
    beside = {"looks": 40.0, "lists": 40.0, "reports": 20.0}
    kinds: dict[str, dict[str, Any]] = {}
    for times in (TIMES, 4 * TIMES, 16 * TIMES):
        per_second = {"submissions": times * capacity, **beside}
        kinds = generated(replace(calm, seconds=FLOOD_SECONDS, at_once=0, per_second=per_second))
        if kinds["submissions"]["refused"]["number"]:
            break  # on a noisy machine it may have shown too little in its calm, and then a few times as much is no flood
    return Flooded(
        kinds,
        receipts.read_text().split(),
        (api.memory_info().rss - before) / 2**20,
        httpx2.post(f"{address}/api/v1/requests", json={"description": "Is anybody there?"}).status_code,
        httpx2.get(f"{address}/metrics").text,
    )


def generated(flood: Flood) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.flood"]
    done = subprocess.run(command, cwd=PROJECT, input=flood.written(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kinds: dict[str, Any] = json.loads(done.stdout)["kinds"]
    return kinds


async def test_whoever_is_too_much_is_told_when_to_come_back_and_nobody_sees_an_error(flooded: Flooded) -> None:
    submissions = flooded.kinds["submissions"]

    assert submissions["refused"]["number"] > 0
    assert submissions["served"]["number"] > 0
    for kind, met in flooded.kinds.items():
        # A connection that the server had just closed for its long silence is the sender's to open again.
        assert set(met["statuses"]) <= {"200", "201", "503", "ConnectionResetError"}, kind
        assert met["without_retry_after"] == 0, kind


async def test_everything_that_was_confirmed_is_there(flooded: Flooded, shared_database_url: str) -> None:
    async with open_pool(shared_database_url, size=1) as pool:
        assert len(flooded.confirmed) == flooded.kinds["submissions"]["statuses"]["201"]
        assert await reconciliation.missing(pool, flooded.confirmed) == []
        assert await reconciliation.missing(pool, ["2611-0000-00000"]) == ["2611-0000-00000"]


async def test_nothing_piles_up(flooded: Flooded) -> None:
    assert flooded.afterwards == 201
    assert flooded.grown_megabytes < GROWTH_MEGABYTES
    for lane in LANES:
        assert f'huisheng_lane_answering{{lane="{lane.name}"}} 0.0' in flooded.figures
        assert f'huisheng_lane_waiting{{lane="{lane.name}"}} 0.0' in flooded.figures
