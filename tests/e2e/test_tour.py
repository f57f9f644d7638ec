"""The tour of the README, walked as it is written: every command of it up to the closed request, in both languages."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from tests.e2e.books import UNFINISHED
from tests.e2e.system import until
from tests.integration.systems import PROJECT, System, an_environment
from tests.integration.test_up import database_url

pytestmark = pytest.mark.e2e

BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r'"(\w+)":')
TOUR = slice(3, 8)
"""The chapters "Send a request" to "Rate it", counted from the title of the page."""
PLACES = {"REFERENCE": "reference", "TOKEN": "token"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The demonstration city, but for the share of answers that chance would send to a review."""
    folder = tmp_path_factory.mktemp("tour")
    policy = shutil.copytree(PROJECT / "policies" / "demo", folder / "policy")
    city = policy / "city.toml"
    city.write_text(re.sub(r"review_share = \S+", "review_share = 0", city.read_text()))
    system = System(folder / "var", only="", prefix=("env", f"HUISHENG_POLICY_DIR={policy}"))
    with system.up():
        yield system


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_tour_leads_from_the_request_to_its_end(system: System, page: str) -> None:
    chapters = re.split(r"^##+ ", (PROJECT / page).read_text(), flags=re.MULTILINE)
    blocks = [block for chapter in chapters[TOUR] for block in BLOCK.findall(chapter)]
    walk = Walk(system)
    for kind, block in blocks:
        if kind == "sh":
            walk.take(block)
    receipt, begun, session, listed, accepted, resolved, rated, ended = walk.answers
    assert begun["reference"] == receipt["reference"]
    assert [row["reference"] for row in listed["requests"]] == [receipt["reference"]]
    assert session["staff"]["username"] == "housing"
    states = [answer["state"] for answer in (receipt, begun, accepted, resolved, rated, ended)]
    assert states == ["received", "assigned", "in_progress", "resolved", "resolved", "closed"]
    assert ended["satisfied"] == 5
    assert "new_task" in walk.said
    shown = {field for kind, block in blocks if kind == "json" for field in FIELD.findall(block)}
    assert shown <= set(FIELD.findall(walk.said))


async def _until_calm(system: System, reference: str) -> None:
    connection = await asyncpg.connect(database_url(system))

    async def is_calm() -> bool:
        return bool(await connection.fetchval(UNFINISHED, [reference]) == 0)

    try:
        await until(is_calm, what=f"that nothing of {reference} waits any more")
    finally:
        await connection.close()


class Walk:
    """One person at one terminal, who copies what the page says and puts in their own reference, token and password."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._password = json.loads((system.var / "demo.json").read_text())["accounts"][0]["password"]
        self._mine: dict[str, str] = {}
        self._before = ""
        self.said = ""
        self.answers: list[dict[str, Any]] = []

    def take(self, block: str) -> None:
        """Where the page says that a second is enough, it is as long as it takes."""
        for script in self._own(block).split("sleep 1\n"):
            self._run(script)
            if "REFERENCE" in self._mine:
                asyncio.run(_until_calm(self._system, self._mine["REFERENCE"]))

    def _run(self, script: str) -> None:
        command = ["bash", "-euc", f"{self._before}\n{script}"]
        environment = an_environment() | {"HUISHENG_VAR": str(self._system.var)}
        result = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=180, check=False
        )
        assert result.returncode == 0, result.stderr
        # Each block gets a shell of its own, so that it is given what the earlier ones set.
        self._before += "".join(f"{line}\n" for line in script.splitlines() if re.match(r"[A-Z]+=", line))
        self.said += result.stdout
        for line in result.stdout.splitlines():
            if line.startswith("{"):
                self._hear(json.loads(line))

    def _own(self, block: str) -> str:
        block = block.replace(":8000/", f":{self._system.ports['api']}/")
        block = block.replace(".venv/bin/huisheng", f"{sys.executable} -m cli.main")
        block = block.replace("var/demo.json", str(self._system.var / "demo.json"))
        block = re.sub(r'"password": "\w+"', f'"password": "{self._password}"', block)
        return re.sub(r"^([A-Z]+)=(?!http)\S+", lambda found: f"{found[1]}={self._mine[found[1]]}", block, flags=re.M)

    def _hear(self, answer: dict[str, Any]) -> None:
        self.answers.append(answer)
        if "status_url" in answer:
            self._mine |= {name: answer[field] for name, field in PLACES.items()}
        if "staff" in answer:
            self._mine["STAFF"] = answer["token"]
