"""`huisheng up`, `down` and `reset`: the whole system on one machine, as the person at the terminal sees it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cli.narration import Narration
from settings import DEFAULT_POLICY_DIRECTORY
from supervision.credentials import credentials
from supervision.errors import SupervisionError
from supervision.ground import NO_ROOM, Ground, full_disk_sentence
from supervision.supervisor import StopRequested, Supervisor
from supervision.system import Ports, System

DOWN_WITHIN_SECONDS = 120

var_option = click.option(
    "--var", type=click.Path(file_okay=False, path_type=Path), default="var", envvar="HUISHENG_VAR", show_default=True,
    help="The folder that keeps all data.",
)  # fmt: skip


def _port(name: str, what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        f"--{name}-port", type=click.IntRange(1, 65535), default=getattr(Ports(), name), show_default=True,
        envvar=f"HUISHENG_{name.upper()}_PORT", help=f"Port of {what}.",
    )  # fmt: skip


@click.command()
@var_option
@_port("api", "the HTTP interface")
@_port("temporal", "Temporal")
@_port("ui", "Temporal's Web UI")
@_port("postgres", "PostgreSQL")
@_port("metrics", "the worker's figures for Prometheus")
@click.option(
    "--policy", type=click.Path(file_okay=False, path_type=Path), default=DEFAULT_POLICY_DIRECTORY,
    envvar="HUISHENG_POLICY_DIR", help="The city's policy folder; the demonstration city unless given.",
)  # fmt: skip
@click.option("--only", default="", hidden=True, help="Start these parts only, separated by commas.")
def up(
    var: Path,
    api_port: int,
    temporal_port: int,
    ui_port: int,
    postgres_port: int,
    metrics_port: int,
    policy: Path,
    only: str,
) -> int:
    """Start the whole system on this machine and stay until Ctrl-C."""
    ground = Ground(var.resolve())
    ports = Ports(api_port, temporal_port, ui_port, postgres_port, metrics_port)
    names = [name for name in only.split(",") if name]
    return _plainly(ground, lambda: _run(ground, ports, policy.resolve(), names))


@click.command()
@var_option
def down(var: Path) -> int:
    """Stop the system that `huisheng up` started."""
    ground = Ground(var.resolve())
    return _plainly(ground, lambda: _stop(ground))


@click.command()
@var_option
@click.option("--yes", is_flag=True, envvar="YES", help="Do not ask.")
def reset(var: Path, yes: bool) -> int:
    """Stop the system and delete all its data."""
    ground = Ground(var.resolve())
    if not yes:
        click.confirm(f"This deletes every request and all other data in {ground.root}. Go on?", abort=True)
    return _plainly(ground, lambda: _clear(ground))


def _run(ground: Ground, ports: Ports, policy: Path, only: list[str]) -> int:
    ground.prepare()
    with ground.held(), Narration() as narration:
        system = System(ground, ports, credentials(ground), policy)
        system.write_settings()
        supervisor = Supervisor(ground, system.environment(), narration)
        with supervisor.listening_to_signals():
            try:
                supervisor.bring_up(system.sequence(only))
                narration.is_up(system)
                supervisor.watch()
            except StopRequested:
                return 0
            finally:
                supervisor.stop_all()
                narration.is_down()
    return 0


def _stop(ground: Ground) -> int:
    holder = ground.holder()
    if not ground.is_held() or holder is None:
        click.echo(f"Nothing is running on {ground.root}.")
        return 0
    os.kill(holder, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_WITHIN_SECONDS
    while ground.is_held():
        if time.monotonic() > deadline:
            raise SupervisionError(f"Process {holder} has not stopped within {DOWN_WITHIN_SECONDS} seconds.")
        time.sleep(0.1)
    click.echo("Stopped. The data is kept; `make up` goes on where it was.")
    return 0


def _clear(ground: Ground) -> int:
    if not ground.root.exists():
        click.echo(f"There is nothing in {ground.root}.")
        return 0
    _stop(ground)
    ground.clear()
    click.echo(f"Deleted the data in {ground.root}.")
    return 0


def _plainly(ground: Ground, action: Callable[[], int]) -> int:
    """Runs `action`; a refusal becomes one sentence and exit status 1."""
    try:
        return action()
    except SupervisionError as error:
        click.echo(str(error), err=True)
    except PermissionError as error:
        click.echo(f"{error.filename} cannot be used by this account; it belongs to another one.", err=True)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        click.echo(full_disk_sentence(ground.root), err=True)
    return 1
