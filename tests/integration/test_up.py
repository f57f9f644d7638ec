"""`huisheng up`: what starts, stops, persists, and what a person reads when something is in the way."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from supervision.binaries import temporal_binary
from supervision.identity import identity_for
from tests.integration.systems import System, are_gone, wait_until

BOTH = "postgres,temporal"


@pytest.mark.parametrize("request_to_stop", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_up_stops_everything_when_it_is_asked_to(tmp_path: Path, request_to_stop: signal.Signals) -> None:
    with System(tmp_path / "var", BOTH).up() as up:
        family = up.family()
        assert {process.name() for process in family} >= {"postgres", "temporal"}
        up.signal(request_to_stop)
        status, said = up.ends()
    assert status == 0
    assert said.rstrip().endswith("Stopped.")
    assert are_gone(family)
    assert not (tmp_path / "var" / "up.pid").exists()


def test_up_refuses_a_second_copy_on_the_same_folder(tmp_path: Path) -> None:
    system = System(tmp_path / "var")
    with system.up() as up:
        second = system.run(system.up_command())
        assert second.returncode == 1
        assert f"already running on {system.var} (process {up.process.pid})" in second.stderr
        assert up.children()["postgres"].is_running()


def test_up_names_the_port_that_is_in_use_and_how_to_choose_another(tmp_path: Path) -> None:
    system = System(tmp_path / "var", BOTH)
    with socket.create_server(("127.0.0.1", system.ports["ui"])):
        refused = system.run(system.up_command())
    assert refused.returncode == 1
    assert f"Port {system.ports['ui']}, which Temporal needs, is in use" in refused.stderr
    assert "--ui-port NUMBER or HUISHENG_UI_PORT=NUMBER" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_up_names_the_dead_part_and_its_log_and_stops_the_rest(tmp_path: Path) -> None:
    with System(tmp_path / "var", BOTH).up() as up:
        family = up.family()
        up.children()["temporal"].kill()
        status, said = up.ends()
    assert status == 1
    assert "Temporal has stopped by itself (killed by SIGKILL)." in said
    assert str(tmp_path / "var" / "log" / "temporal.log") in said
    assert are_gone(family)


async def test_up_recovers_what_was_committed_when_postgres_is_killed(tmp_path: Path) -> None:
    system = System(tmp_path / "var")
    with system.up() as up:
        connection = await asyncpg.connect(database_url(system))
        await connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('committed')")
        up.children()["postgres"].kill()
        assert up.ends()[0] == 1
        connection.terminate()
    with system.up():
        assert await words_in(system) == ["committed"]


async def test_up_killed_outright_leaves_no_orphans_and_starts_again_at_once(tmp_path: Path) -> None:
    system = System(tmp_path / "var", BOTH)
    with system.up() as up:
        family = up.family()
        connection = await asyncpg.connect(database_url(system))
        await connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('committed')")
        up.process.kill()
        with system.up():
            assert are_gone(family)
            assert await words_in(system) == ["committed"]
        connection.terminate()


def test_up_killed_outright_and_left_alone_leaves_no_orphans(tmp_path: Path) -> None:
    with System(tmp_path / "var", BOTH).up() as up:
        family = up.family()
        up.process.kill()
        wait_until(lambda: are_gone(family))


async def test_up_goes_on_where_it_was_after_a_stop(tmp_path: Path) -> None:
    system = System(tmp_path / "var", BOTH)
    with system.up():
        connection = await asyncpg.connect(database_url(system))
        await connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('stayed')")
        await connection.close()
        start = ("--type=Waiting", "--task-queue=nobody-listens", "--workflow-id=waits")
        assert temporal(system, "workflow", "start", *start).returncode == 0
    with system.up():
        assert await words_in(system) == ["stayed"]
        assert temporal(system, "workflow", "describe", "--workflow-id=waits").returncode == 0


def test_up_keeps_closed_runs_for_thirty_days_and_knows_our_search_attributes(tmp_path: Path) -> None:
    system = System(tmp_path / "var", "temporal")
    with system.up():
        namespace = temporal(system, "operator", "namespace", "describe", "default", "-o", "json")
        attributes = temporal(system, "operator", "search-attribute", "list").stdout
    assert '"workflowExecutionRetentionTtl": "2592000s"' in namespace.stdout
    for name, kind in (("Reference", "Keyword"), ("EscalationLevel", "Int"), ("DueAt", "Datetime")):
        assert any(line.split() == [name, kind] for line in attributes.splitlines()), attributes


def test_up_sets_aside_what_another_temporal_has_left_and_says_so(tmp_path: Path) -> None:
    system = System(tmp_path / "var", "temporal")
    with system.up():
        pass
    (system.var / "temporal" / "version.txt").write_text("temporal version 1.8.0 (Server 1.31.0, UI 2.50.0)")
    aside = system.var / "temporal.1.8.0"
    with system.up() as up:
        assert f"Another version of Temporal wrote {aside}, and this one cannot read it" in up.said
        assert "The folder is deleted at the first start after 30 days." in up.said
    assert (aside / "temporal.db").exists()


def test_up_mistakes_no_stranger_for_its_own_server(tmp_path: Path) -> None:
    """After a reboot the process number in PostgreSQL's lock file may be anybody's."""
    system = System(tmp_path / "var")
    with system.up() as up:
        up.children()["postgres"].kill()
        up.ends()
    lock = system.var / "postgres" / "data" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with system.up() as up:
        assert up.children()["postgres"].is_running()


def test_up_makes_the_data_folder_anew_when_the_first_start_was_cut_short(tmp_path: Path) -> None:
    half_made = tmp_path / "var" / "postgres" / "data.unfinished"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    with System(tmp_path / "var").up() as up:
        assert up.children()["postgres"].is_running()
    assert not half_made.exists()


@pytest.mark.parametrize("secret", ["keys", "postgres_password"])
def test_up_makes_no_new_secret_for_old_data(tmp_path: Path, secret: str) -> None:
    system = System(tmp_path / "var")
    with system.up():
        pass
    (system.var / "secrets" / secret).unlink()
    refused = system.run(system.up_command())
    assert refused.returncode == 1
    assert f"{system.var / 'secrets' / secret} is missing" in refused.stderr


def test_up_lets_nobody_else_read_secrets_and_logs(tmp_path: Path) -> None:
    system = System(tmp_path / "var")
    with system.up():
        private = [*(system.var / "secrets").iterdir(), *(system.var / "log").iterdir()]
        assert len(private) >= 4
        assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
        assert stat.S_IMODE((system.var / "secrets").stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="All the other tests ran as an ordinary account already.")
def test_up_works_for_an_ordinary_account(tmp_path: Path) -> None:
    ordinary = identity_for(Path(sys.executable), tmp_path)
    ordinary.take(tmp_path)
    with System(tmp_path / "var", BOTH, ordinary.prefix).up() as up:
        assert {process.uids().real for process in up.family()} == {ordinary.uid}


def test_down_stops_the_system_and_waits_until_it_has_stopped(tmp_path: Path) -> None:
    system = System(tmp_path / "var")
    with system.up() as up:
        family = up.family()
        down = system.run(system.command("down"))
        assert down.returncode == 0
        assert "Stopped." in down.stdout
        assert are_gone(family)
    again = system.run(system.command("down"))
    assert again.returncode == 0
    assert "Nothing is running" in again.stdout


def test_reset_stops_the_system_and_deletes_its_data_and_nothing_else(tmp_path: Path) -> None:
    system = System(tmp_path / "var")
    with system.up() as up:
        (system.var / "somebody-elses.txt").write_text("stays")
        reset = system.run(system.command("reset", "--yes"))
        assert reset.returncode == 0
        assert up.ends()[0] == 0
    assert [path.name for path in system.var.iterdir()] == ["somebody-elses.txt"]


def test_reset_asks_and_does_nothing_without_a_yes(tmp_path: Path) -> None:
    system = System(tmp_path / "var")
    (system.var / "postgres").mkdir(parents=True)
    reset = system.run(system.command("reset"))
    assert reset.returncode != 0
    assert (system.var / "postgres").exists()


def database_url(system: System) -> str:
    for line in (system.var / "secrets" / "environment").read_text().splitlines():
        name, _, value = line.partition("=")
        if name == "DATABASE_URL":
            return value.strip("'")
    raise AssertionError("DATABASE_URL is missing")


def temporal(system: System, *arguments: str) -> subprocess.CompletedProcess[str]:
    address = ("--address", f"127.0.0.1:{system.ports['temporal']}")
    return system.run([str(temporal_binary()), *arguments, *address])


async def words_in(system: System) -> list[str]:
    connection = await asyncpg.connect(database_url(system))
    try:
        return [row["word"] for row in await connection.fetch("SELECT word FROM kept")]
    finally:
        await connection.close()
