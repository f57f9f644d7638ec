"""`huisheng chaos`: a system of its own, under load, with its parts killed, stopped and cut off; then the comparison."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from chaos import report
from chaos.clock import NotPossible
from chaos.disk import see_mounts_alone, unmount
from chaos.keeping import NotReady
from chaos.plan import DISKS, Kind
from chaos.system import CommandFailed
from chaos.trial import Order, Outcome, tried
from demonstration.messages import MessagesUnusable, draw, read_messages
from settings import DEFAULT_POLICY_DIRECTORY
from supervision.errors import SupervisionError

SECONDS_PER_FAULT = 3.0
REQUESTS_PER_SECOND = 4.0


@click.command()
@click.option("--requests", type=click.IntRange(1, 20_000), default=2000, show_default=True, help="How many are sent.")
@click.option("--faults", type=click.IntRange(0, 5000), default=200, show_default=True, help="How many are done.")
@click.option("--seed", type=click.IntRange(0), default=None, help="Of plan and load; drawn and shown unless given.")
@click.option(
    "--seconds", type=click.FloatRange(1, 86_400), default=None,
    help="Within which they are spread; three for each fault unless given.",
)  # fmt: skip
@click.option(
    "--seconds-per-working-day", "day", type=click.FloatRange(0.2, 3600), default=3, show_default=True,
    help="How long a working day lasts for all but the first requests.",
)  # fmt: skip
@click.option(
    "--from", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Messages of citizens, as for `huisheng demo`; sentences of our own unless given.",
)  # fmt: skip
@click.option(
    "--var", type=click.Path(file_okay=False, path_type=Path), default="var", envvar="HUISHENG_VAR", show_default=True,
    help="The system goes into a new folder in this one, which stays only where there are differences.",
)  # fmt: skip
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice([kind.value for kind in Kind]), default=[kind.value for kind in Kind], show_default="all",
    help="Only faults of this kind; may be given several times.",
)  # fmt: skip
@click.option("--plan", "only_plan", is_flag=True, help="Only show the plan of faults.")
@click.option("--keep", is_flag=True, help="Keep logs and data in any case.")
def chaos(
    requests: int,
    faults: int,
    seed: int | None,
    seconds: float | None,
    day: float,
    file: Path | None,
    var: Path,
    kinds: tuple[str, ...],
    only_plan: bool,
    keep: bool,
) -> int:
    """Break a system under load, and compare what people were told with what exists.

    The exit status is 1 where there is a difference. The same seed makes the same plan and the same load.
    """
    within = seconds or max(faults * SECONDS_PER_FAULT, requests / REQUESTS_PER_SECOND)
    settled = seed if seed is not None else secrets.randbelow(10**6)
    order = Order(
        settled, requests, faults, within, day, DEFAULT_POLICY_DIRECTORY, _messages(file, requests, settled),
        tuple(Kind(kind) for kind in kinds), file,
    )  # fmt: skip
    click.echo(f"Seed {order.seed}. The same again: {report.again(order)}")
    if only_plan:
        for fault in order.plan:
            click.echo(str(fault))
        return 0
    return _run(order, var, keep)


def _messages(file: Path | None, count: int, seed: int) -> tuple[str, ...]:
    if file is None:
        return ()
    try:
        return tuple(message.body for message in draw(read_messages(file), count, seed))
    except MessagesUnusable as error:
        raise click.ClickException(str(error)) from error


def _run(order: Order, var: Path, keep: bool) -> int:
    with_disks = _own_disks()
    var.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir=var)).resolve()
    folder.chmod(0o755)  # the account that PostgreSQL runs as passes through
    (folder / "plan.txt").write_text("".join(f"{fault}\n" for fault in order.plan))
    is_right = False
    try:
        with (folder / "story.txt").open("w") as story:
            trial = tried(order, folder, with_disks=with_disks, tell=_teller(story.write))
            outcome = asyncio.run(_until_terminated(trial))
        is_right = _show(order, outcome, folder)
    except (NotReady, CommandFailed, NotPossible, SupervisionError) as error:
        raise click.ClickException(f"{error}\nThe same again: {report.again(order)}") from error
    except (asyncio.CancelledError, KeyboardInterrupt):
        is_right = True  # nobody has found anything: there is nothing to look at
        raise click.Abort from None
    finally:
        _leave(folder, stays=keep or not is_right)
    return 0 if is_right else 1


async def _until_terminated(trial: Coroutine[Any, Any, Outcome]) -> Outcome:
    """SIGTERM ends it like Ctrl-C: everything that was started is stopped."""
    task = asyncio.create_task(trial)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def _own_disks() -> bool:
    try:
        see_mounts_alone()
    except (NotPossible, OSError) as error:
        click.echo(f"No disk can be filled here: {error}. Those faults are left out.", err=True)
        return False
    return True


def _teller(write: Callable[[str], object]) -> Callable[[str], None]:
    began = time.monotonic()

    def tell(line: str) -> None:
        said = f"{time.monotonic() - began:7.1f} s  {line}\n"
        write(said)
        sys.stdout.write(said)
        sys.stdout.flush()

    return tell


def _show(order: Order, outcome: Outcome, folder: Path) -> bool:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    for line in report.summary(order, outcome):
        console.print(line)
    console.print(report.table(outcome))
    (folder / "differences.txt").write_text("".join(f"{each}\n" for each in outcome.differences))
    if not outcome.differences:
        console.print(f"[green]✓[/] No difference: {outcome.ledger.promises:,} promises were kept.")
        return True
    for line in report.differences(outcome):
        click.echo(line, err=True)
    click.echo(f"{len(outcome.differences)} differences. The same again: {report.again(order)}", err=True)
    return False


def _leave(folder: Path, *, stays: bool) -> None:
    """What lies on disks of our own goes with us, unless it is copied."""
    if stays:
        kept = folder / "kept"
        for name in DISKS:
            if (folder / name).is_dir():
                shutil.copytree(folder / name, kept / name, symlinks=True, ignore_dangling_symlinks=True)
        click.echo(f"Plan, story, logs and data are in {folder}.", err=True)
        return
    for name in DISKS:
        unmount(folder / name)
    shutil.rmtree(folder, ignore_errors=True)
