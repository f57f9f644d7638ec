"""The scripts of the deployment, run against real servers: each may run again at every start."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import asyncpg

from supervision.binaries import postgres_binaries, temporal_binary
from supervision.temporal import SEARCH_ATTRIBUTES, TemporalServer
from tests.servers import a_postgres_server

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_namespace_script_makes_the_namespace_and_may_run_again(temporal_server: TemporalServer) -> None:
    told = {"TEMPORAL_ADDRESS": temporal_server.address, "TEMPORAL_NAMESPACE": "deployed", "RETENTION": "720h"}
    for _ in range(2):
        run("temporal/namespace.sh", temporal_binary().parent, told)
    namespace = ask(temporal_server, "operator", "namespace", "describe", "deployed", "-o", "json")
    assert '"workflowExecutionRetentionTtl": "2592000s"' in namespace
    listed = ask(temporal_server, "operator", "search-attribute", "list", "--namespace", "deployed")
    assert {(name, kind) for name, kind in SEARCH_ATTRIBUTES.items()} <= {
        tuple(line.split()) for line in listed.splitlines()
    }


async def test_database_script_makes_each_database_with_an_account_of_its_own(tmp_path: Path) -> None:
    with a_postgres_server(tmp_path, user="postgres") as server:
        told = {
            "HUISHENG_DATABASE_PASSWORD": "one's",
            "TEMPORAL_DATABASE_PASSWORD": "two",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "PGPASSWORD": server.password,
        }
        run("postgres/10-databases.sh", postgres_binaries(), told)
        for user, password, database in (
            ("huisheng", "one's", "huisheng"),
            ("temporal", "two", "temporal"),
            ("temporal", "two", "temporal_visibility"),
        ):
            connection = await asyncpg.connect(
                host="127.0.0.1", port=server.port, user=user, password=password, database=database
            )
            await connection.execute("CREATE TABLE mine ()")
            await connection.close()


def run(script: str, programs: Path, told: dict[str, str]) -> None:
    path = f"{programs}:{os.environ['PATH']}"
    result = subprocess.run(
        ["sh", str(DEPLOY / script)], env={"PATH": path, "HOME": "/nonexistent", **told}, capture_output=True, text=True,
        timeout=180, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


def ask(server: TemporalServer, *arguments: str) -> str:
    command = [str(temporal_binary()), *arguments, "--address", server.address]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
