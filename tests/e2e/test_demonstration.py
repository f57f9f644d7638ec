"""`huisheng demo` against a whole system: everything comes to an end, the books balance, and the policy is as before."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.integration.systems import PROJECT, System, an_environment

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

MATTERS = (
    "路灯不亮，晚上很黑",
    "公司拖欠工资三个月",
    "学校门口乱收费",
    "工厂排放废气，气味刺鼻",
    "公交车很久不来",
    "不知道找谁",
)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A demonstration city that runs."""
    system = System(tmp_path_factory.mktemp("demonstration") / "var", only="")
    with system.up():
        yield system


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Invented ones, some with a label that means a department."""
    file = tmp_path_factory.mktemp("messages") / "messages.csv"
    rows = [
        f"第{number}件,{MATTERS[number % 6]}，请处理。,{'交通运输' if number % 6 == 4 else ''}\n"
        for number in range(24)
    ]
    file.write_text("title,body,label\n" + "".join(rows))
    return file


def start(city: System, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        city.command("demo")[:-2] + list(arguments),
        cwd=PROJECT,
        env=an_environment() | {"HUISHENG_VAR": str(city.var)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def active_policy(city: System) -> str:
    lines = (city.var / "secrets" / "environment").read_text().splitlines()
    url = dict(line.split("=", 1) for line in lines)["DATABASE_URL"].strip("'")

    async def look() -> str:
        connection = await asyncpg.connect(url)
        try:
            return str(await connection.fetchval("select version from policies where active"))
        finally:
            await connection.close()

    return asyncio.run(look())


def test_demonstration_ends_with_books_that_balance_and_the_policy_as_before(city: System, messages: Path) -> None:
    before = active_policy(city)
    demo = start(city, "--from", str(messages), "--count", "24", "--rate", "8", "--seconds-per-working-day", "1")
    said, _ = demo.communicate(timeout=570)
    assert demo.returncode == 0, said
    assert "Nothing stuck, nothing lost" in said
    assert not any(matter in said for matter in MATTERS), "no text of a message is shown"
    assert active_policy(city) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demonstration_that_is_stopped_leaves_the_policy_as_it_was(
    city: System, messages: Path, number: signal.Signals
) -> None:
    before = active_policy(city)
    demo = start(city, "--from", str(messages), "--rate", "1")
    deadline = time.monotonic() + 120
    while active_policy(city) == before:
        assert demo.poll() is None
        assert time.monotonic() < deadline
    time.sleep(1)
    os.kill(demo.pid, number)
    said, _ = demo.communicate(timeout=180)
    assert demo.returncode == 130, said
    assert said.strip().endswith("Stopped.")
    assert active_policy(city) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            ("--from", "messages.csv", "--api", "http://127.0.0.1:1"), "Nothing answers at", id="nobody there"
        ),
        pytest.param(("--from", "other.csv"), "has no column", id="no messages"),
        pytest.param(
            ("--from", "messages.csv", "--accounts", "other.csv"), "not what `huisheng up` writes", id="no accounts"
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    city: System, messages: Path, arguments: tuple[str, ...], said: str
) -> None:
    (messages.parent / "other.csv").write_text("a,b\n1,2\n")
    placed = [str(messages.parent / word) if word.endswith(".csv") else word for word in arguments]
    demo = start(city, *placed)
    words, _ = demo.communicate(timeout=180)
    assert demo.returncode == 1
    assert said in " ".join(words.split())
    assert "Traceback" not in words
