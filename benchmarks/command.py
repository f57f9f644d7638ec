"""What `huisheng bench` does: starts a system, measures it, says what it finds, and writes the page."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.jobs import Loop
from benchmarks.machine import this_machine
from benchmarks.measurement import FULL, PROJECT, QUICK, Findings, Run, measure
from benchmarks.report import page, targets
from benchmarks.system import fresh_system
from supervision.supervisor import Narrator

PAGE = PROJECT / "docs" / "benchmarks.md"


def run(narrator: Narrator, *, quick: bool, output: Path, var: Path, only: str | None) -> int:
    """0, or 1 where rounds failed. Raises MeasurementFailed or a SupervisionError."""
    # SIGTERM ends it like Ctrl-C: the parts are stopped and the folder is deleted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(highlight=False)
    loops = (Loop(only),) if only else tuple(Loop)
    with fresh_system(var, narrator) as fresh:
        machine = this_machine(fresh.system.ground.root)
        findings = measure(fresh, QUICK if quick else FULL, lambda each: console.print(_line(each)), loops)
    if not only:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page(findings, machine, "huisheng bench --quick" if quick else "make bench"))
        console.print(_targets(findings))
        console.print(f"Written: {output.relative_to(PROJECT) if output.is_relative_to(PROJECT) else output}")
    if findings.failures:
        print(f"{findings.failures} rounds failed, so the figures tell less than they seem to.", file=sys.stderr)  # noqa: T201
    return 1 if findings.failures else 0


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
