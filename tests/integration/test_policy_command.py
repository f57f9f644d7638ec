"""`huisheng policy` as a city's engineer runs it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import sys
from functools import partial
from pathlib import Path

import pytest

import db.policies
from db.pool import Pool
from domain.policy import from_plain
from policies.loader import load_folder
from policies.store import PolicyStore
from settings import DEFAULT_POLICY_DIRECTORY

PROJECT = Path(__file__).parents[2]
DEMO = load_folder(DEFAULT_POLICY_DIRECTORY)


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    keys = "test:" + base64.b64encode(bytes(range(32))).decode()
    return {**os.environ, "DATABASE_URL": database_url, "HUISHENG_KEYS": keys, "COLUMNS": "100"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "city"
    shutil.copytree(DEFAULT_POLICY_DIRECTORY, copy)
    return copy


async def policy(environment: dict[str, str], *arguments: str | Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "policy", *map(str, arguments), cwd=PROJECT, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 240)
    return process.returncode or 0, output.decode()


def spoil(folder: Path) -> None:
    (folder / "texts" / "en" / "urged" / "sms.txt").unlink()
    path = folder / "departments.toml"
    path.write_text(path.read_text().replace('parent = "dawn_street"', 'parent = "dusk_street"'))


async def test_check_says_what_a_good_folder_holds(environment: dict[str, str]) -> None:
    code, output = await policy(environment, "check", DEFAULT_POLICY_DIRECTORY)
    assert code == 0
    assert "Echo City" in output
    assert f"{len(DEMO.categories)} categories" in output


async def test_check_needs_neither_database_nor_settings() -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("HUISHENG_", "DATABASE_"))}
    assert (await policy(bare, "check", DEFAULT_POLICY_DIRECTORY))[0] == 0


async def test_check_prints_every_mistake_as_file_key_reason(environment: dict[str, str], folder: Path) -> None:
    spoil(folder)
    code, output = await policy(environment, "check", folder)
    assert code == 1
    assert output.splitlines()[:-1] == [
        "departments.toml: department[bell_tower_community].parent: there is no department 'dusk_street'. "
        "Did you mean 'dawn_street'?",
        "texts/en/urged/sms.txt: this text is missing; add it",
    ]
    assert output.splitlines()[-1] == "2 mistakes."


async def test_loaded_policy_is_active_and_the_same_as_in_the_folder(
    environment: dict[str, str], pool: Pool, folder: Path
) -> None:
    code, output = await policy(environment, "load", folder)
    assert (code, "new decisions follow it" in output) == (0, True)
    store = PolicyStore(partial(db.policies.active_version, pool), partial(db.policies.content_of, pool))
    assert await store.active() == DEMO
    code, output = await policy(environment, "load", folder)
    assert (code, "active already" in output) == (0, True)
    assert len(await db.policies.versions(pool)) == 1


async def test_folder_with_mistakes_leaves_the_last_good_version_active_and_says_so(
    environment: dict[str, str], pool: Pool, folder: Path
) -> None:
    spoil(folder)
    code, output = await policy(environment, "load", folder)
    assert (code, "no policy is active yet" in output) == (1, True)
    await policy(environment, "load", DEFAULT_POLICY_DIRECTORY)
    code, output = await policy(environment, "load", folder)
    assert code == 1
    assert "texts/en/urged/sms.txt" in output
    assert f"Nothing was loaded; version {DEMO.version} stays active" in output
    assert await db.policies.active_version(pool) == DEMO.version


async def test_changed_folder_becomes_a_second_version_and_the_first_stays_known(
    environment: dict[str, str], pool: Pool, folder: Path
) -> None:
    await policy(environment, "load", folder)
    city = folder / "city.toml"
    city.write_text(city.read_text().replace("retention_days = 1095", "retention_days = 30"))
    await policy(environment, "load", folder)
    code, output = await policy(environment, "versions")
    first, second = output.splitlines()
    assert (code, first.endswith("active"), second.startswith(DEMO.version)) == (0, True, True)
    code, output = await policy(environment, "show", "--version", DEMO.version)
    assert (code, DEMO.version in output) == (0, True)
    code, output = await policy(environment, "show", "--json")
    assert from_plain(json.loads(output)).limits.retention_days == 30


async def test_demonstration_may_run_on_a_shortened_calendar(environment: dict[str, str], pool: Pool) -> None:
    code, _ = await policy(environment, "load", DEFAULT_POLICY_DIRECTORY, "--seconds-per-working-day", "5")
    version = await db.policies.active_version(pool)
    assert (code, version == DEMO.version) == (0, False)
    content = await db.policies.content_of(pool, str(version))
    assert content is not None
    short = from_plain(content)
    assert short.version == version
    assert str(short.service_level("default").resolve) == "25 seconds"


async def test_what_cannot_be_shown_is_said_in_a_sentence(environment: dict[str, str]) -> None:
    code, output = await policy(environment, "show")
    assert (code, "No policy is active" in output) == (1, True)
    code, output = await policy(environment, "show", "--version", "beef")
    assert (code, "no such version" in output) == (1, True)
    code, output = await policy({**environment, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "show")
    assert (code, "cannot be used" in output, "Traceback" in output) == (1, True, False)
