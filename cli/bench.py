"""`huisheng bench`: measures a system of its own on this machine and writes docs/benchmarks.md."""

from __future__ import annotations

import signal
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.jobs import Loop
from benchmarks.machine import this_machine
from benchmarks.measurement import FULL, PROJECT, QUICK, Findings, MeasurementFailed, Run, measure
from benchmarks.report import page, targets
from benchmarks.system import fresh_system
from cli.narration import Narration
from supervision.errors import SupervisionError


@click.command()
@click.option("--quick", is_flag=True, help="A tenth of the time, for a first impression.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), default=PROJECT / "docs" / "benchmarks.md",
    show_default="docs/benchmarks.md", help="The page to write.",
)  # fmt: skip
@click.option(
    "--var", type=click.Path(file_okay=False, path_type=Path), default="var", envvar="HUISHENG_VAR", show_default=True,
    help="The data of the measured system goes into a new folder in this one, and is deleted at the end.",
)  # fmt: skip
@click.option(
    "--only", type=click.Choice([loop.value for loop in Loop]), hidden=True, help="This loop only; writes nothing."
)
def bench(quick: bool, output: Path, var: Path, only: str | None) -> int:
    """Measure throughput, waiting times and cost, on a fresh system of its own."""
    # SIGTERM ends it like Ctrl-C: the parts are stopped and the folder is deleted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(highlight=False)
    loops = (Loop(only),) if only else tuple(Loop)
    try:
        with Narration() as narration, fresh_system(var, narration) as fresh:
            machine = this_machine(fresh.system.ground.root)
            findings = measure(fresh, QUICK if quick else FULL, lambda run: console.print(_line(run)), loops)
    except (MeasurementFailed, SupervisionError) as error:
        raise click.ClickException(str(error)) from error
    if only:
        return _verdict(findings)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page(findings, machine, "huisheng bench --quick" if quick else "make bench"))
    console.print(_targets(findings))
    console.print(f"Written: {output.relative_to(PROJECT) if output.is_relative_to(PROJECT) else output}")
    return _verdict(findings)


def _line(run: Run) -> str:
    p50, p95, p99 = (run.waited_ms(share) for share in (0.5, 0.95, 0.99))
    cost = ", ".join(f"{part} {run.cpu_ms(part):.1f}" for part in run.spent.parts)
    return (
        f"{run.loop:<12} {run.citizens:>3} citizens: {run.per_second:7.1f}/s  p50 {p50:.0f}  p95 {p95:.0f}  p99 {p99:.0f} ms"
        f"  [dim]CPU ms: {cost}, load generator {run.client_cpu_ms:.1f}; drained in {run.drain_seconds:.0f} s, "
        f"others {run.others_cpu_seconds:.0f} s[/]"
    )


def _targets(findings: Findings) -> Table:
    table = Table("Target", "Measured", "")
    for target in targets(findings):
        table.add_row(target.asked, target.measured, "[green]met[/]" if target.met else "[red]missed[/]")
    return table


def _verdict(findings: Findings) -> int:
    if findings.failures:
        click.echo(f"{findings.failures} rounds failed, so the figures tell less than they seem to.", err=True)
        return 1
    return 0
