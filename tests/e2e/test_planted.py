"""Personal data and secrets come in by every way and trouble happens: afterwards no file, log or figure holds any of them."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from db import outbox
from domain.policy import Policy
from supervision.binaries import postgres_binaries
from tests.city import a_city
from tests.e2e.people import PASSWORD, a_caller, hire
from tests.e2e.planted import files_under, planted, rows_of, traces_in, writings
from tests.e2e.planting import (
    a_disputed_life,
    a_life_at_the_desk,
    a_whole_life,
    trouble,
    what_an_admin_types,
    what_is_wrong,
)
from tests.e2e.system import LiveSystem, a_live_system
from tests.otlp import Receiver, a_receiver

pytestmark = pytest.mark.e2e


def a_city_that_says_the_code() -> Policy:
    """The texts of the small city name the reference only."""
    city = a_city()
    said = {"one_time_code": {"sms": "The code of the small city is {code}"}}
    texts = {language: replace(texts, notices={**texts.notices, **said}) for language, texts in city.texts.items()}
    return replace(city, texts=texts)


def began(town: LiveSystem) -> Path:
    """A file as old as the first of what is planted: older ones cannot hold any of it."""
    return town.system.ground.root / "began"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Of the traces, all of them."""
    with a_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> AsyncIterator[LiveSystem]:
    """A system of its own, so that all that is found was written here."""
    folder = tmp_path_factory.mktemp("planted") / "var"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.address)
        environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        async with a_live_system(folder, a_city_that_says_the_code()) as live:
            await live.look("checkpoint")
            began(live).touch()
            await hire(live)
            yield live


@pytest.fixture(scope="module")
async def secrets(town: LiveSystem) -> dict[str, str]:
    """All that must not be found, with the secrets that are made on the way."""
    caller, found = a_caller(town), planted()
    async with caller.http:
        receipts = [await a_whole_life(caller, town), await a_life_at_the_desk(caller)]
        receipts.append(await a_disputed_life(caller, town))
        await what_is_wrong(caller, receipts[0])
        await what_an_admin_types(town, receipts[1])
        await trouble(town, caller)
        found |= {f"token {number}": receipt.token for number, receipt in enumerate(receipts)}
        found |= {f"session of {name}": token for name, token in caller.tokens.items()}
    key = town.system.credentials.keys.partition(":")[2]
    return {
        **found, "key": key.rstrip("="), "password of the database": town.system.credentials.postgres_password,
        "password of the staff": PASSWORD,
    }  # fmt: skip


async def backed_up(town: LiveSystem, folder: Path) -> dict[str, bytes]:
    """What `huisheng backup` writes, part by part, and the database in it as the statements that would bring it back."""
    file = folder / "town.backup"
    code, _, said = await town.run(sys.executable, "-m", "cli.main", "backup", str(file))
    assert code == 0, said
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        parts = {f"backup/{name}": archive.read(name) for name in archive.namelist()}
    (dump,) = (content for content in parts.values() if content.startswith(b"PGDMP"))
    return {**parts, "backup/statements": statements_of(dump)}


def statements_of(dump: bytes) -> bytes:
    restore = [str(postgres_binaries() / "pg_restore"), "--format=custom", "--file=-"]
    return subprocess.run(restore, input=dump, capture_output=True, check=True).stdout


async def everything(town: LiveSystem, receiver: Receiver, folder: Path) -> dict[str, bytes]:
    """All that was written down since the system was made, but for the folder of secrets."""
    rows = await rows_of(town.pool)
    await town.look("checkpoint")
    ground = town.system.ground
    async with httpx2.AsyncClient(trust_env=False) as http:
        worker = f"http://127.0.0.1:{town.system.ports.metrics}/metrics"
        figures = {
            "figures of the API": (await http.get(f"{town.system.api}/metrics")).content,
            "figures of the worker": (await http.get(worker)).content,
        }
    return {
        **rows,
        **await backed_up(town, folder),
        **figures,
        "traces": bytes(receiver.raw),
        **files_under(ground.root, ground.secrets, since=began(town).stat().st_mtime),
    }


@pytest.fixture(scope="module")
async def written(
    town: LiveSystem, receiver: Receiver, secrets: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    return await everything(town, receiver, tmp_path_factory.mktemp("backup"))


async def test_nothing_that_was_planted_is_written_anywhere(written: dict[str, bytes], secrets: dict[str, str]) -> None:
    assert traces_in(written, secrets) == []


async def test_the_search_reaches_every_place(town: LiveSystem, written: dict[str, bytes]) -> None:
    """What is public in each of them is found there: references in the database, its files, Temporal's and the logs."""
    (reference,) = [row["reference"] for row in await town.look("select reference from requests order by id limit 1")]
    found = traces_in(written, {"reference": reference})
    for place in (
        "table requests",
        "postgres/data/base",
        "postgres/data/pg_wal",
        "temporal/temporal.db",
        "log/api",
        "traces",
        "backup/statements",
    ):
        assert any(f"in {place}" in trace for trace in found), place
    for figures in ("figures of the API", "figures of the worker"):
        assert b"huisheng" in written[figures], figures


async def test_codes_are_written_nowhere(town: LiveSystem, written: dict[str, bytes]) -> None:
    """Six digits stand in files by chance; in their message, or as a value of their own, they do not."""
    said = [line.text for line in await outbox.latest(town.pool, town.keys, most=100) if line.kind == "one_time_code"]
    assert said
    for text in said:
        (code,) = re.findall(r"\b\d{6}\b", text)
        assert traces_in(written, {"the message": text, "the code": f'"{code}"'}) == []


@pytest.mark.parametrize(
    "encoded",
    [
        "13987650123", "1\x003\x009\x008\x007\x006\x005\x000\x001\x002\x003\x00", "3133393837363530313233",
        "x=MTM5ODc2NTAxMjM=", "AxMzk4NzY1MDEyM3", "ABMTM5ODc2NTAxMjM=",
    ],
)  # fmt: skip
def test_search_knows_a_number_however_it_is_written(encoded: str) -> None:
    assert traces_in({"a file": b"before " + encoded.encode() + b" after"}, {"phone": "13987650123"}) != []


@pytest.mark.parametrize("encoded", ["%E6%AC%A7%E9%98%B3", "\\u6b27\\u9633", "\\xe6\\xac\\xa7\\xe9\\x98\\xb3"])
def test_search_knows_a_name_however_it_is_written(encoded: str) -> None:
    assert encoded.encode() in writings("欧阳")
