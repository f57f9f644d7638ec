"""The findings as a page for people: docs/benchmarks.md, with the first targets and what bounds the throughput."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.accounting import PARTS
from benchmarks.jobs import Loop
from benchmarks.machine import Machine
from benchmarks.measurement import Findings, Run

NAMES = {"api": "API", "worker": "worker", "temporal": "Temporal", "postgres": "PostgreSQL"}

LIFECYCLES_PER_SECOND = 20.0
SUBMISSIONS_PER_SECOND = 100.0
SUBMITTED_P99_MS = 250.0
ASSIGNED_MS = 500.0
ASSIGNED_CITIZENS = 16


@dataclass(frozen=True, slots=True)
class Target:
    """What was asked for, what was measured, and whether that is enough."""

    asked: str
    measured: str
    met: bool


def targets(findings: Findings) -> list[Target]:
    """The first targets; the best number of citizens counts where none is named."""
    return [
        _lifecycles(findings.of(Loop.LIFECYCLES)),
        _submissions(findings.of(Loop.SUBMISSIONS)),
        _assigned(findings.of(Loop.ASSIGNMENTS)),
    ]


def _lifecycles(runs: Sequence[Run]) -> Target:
    best = max(runs, key=lambda run: run.per_second)
    return Target(
        f"{LIFECYCLES_PER_SECOND:.0f} lifecycles a second",
        f"{best.per_second:.1f} a second with {_citizens(best)}",
        best.per_second >= LIFECYCLES_PER_SECOND,
    )


def _submissions(runs: Sequence[Run]) -> Target:
    quick = [run for run in runs if run.waited_ms(0.99) < SUBMITTED_P99_MS] or runs
    best = max(quick, key=lambda run: run.per_second)
    return Target(
        f"{SUBMISSIONS_PER_SECOND:.0f} submissions a second, p99 under {SUBMITTED_P99_MS:.0f} ms",
        f"{best.per_second:.0f} a second, p99 {best.waited_ms(0.99):.0f} ms, with {_citizens(best)}",
        best.per_second >= SUBMISSIONS_PER_SECOND and best.waited_ms(0.99) < SUBMITTED_P99_MS,
    )


def _assigned(runs: Sequence[Run]) -> Target:
    run = next(run for run in runs if run.citizens == ASSIGNED_CITIZENS)
    p50, p95, p99 = (run.waited_ms(share) for share in (0.5, 0.95, 0.99))
    return Target(
        f"assigned within {ASSIGNED_MS:.0f} ms (p95) with {ASSIGNED_CITIZENS} citizens",
        f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms",
        p95 <= ASSIGNED_MS,
    )


def _citizens(run: Run) -> str:
    return "1 citizen" if run.citizens == 1 else f"{run.citizens} citizens"


def page(findings: Findings, machine: Machine, command: str) -> str:
    """The whole of docs/benchmarks.md."""
    return (
        "\n".join([*_head(machine, command), *_targets(findings), *_waits(findings), *_costs(findings, machine)]) + "\n"
    )


def _head(machine: Machine, command: str) -> Iterator[str]:
    yield from (
        "# Benchmarks", "",
        f"Written by `{command}`; do not edit. The command starts a fresh system of its own as `make up` does, on this "
        "machine's loopback, and loads it in a closed loop: each citizen begins anew when the last round is over. The load "
        "generator is a process of its own on the same cores; its processor time is told apart. It speaks HTTP over bare "
        "sockets with the C parser of httptools, because a comfortable client (httpx2) takes about as much of the shared "
        "cores as the interface that is measured. Whoever waits looks again and again, with growing pauses: for an assignment "
        "first after 40 ms, so that a wait is seen up to a fifth late; within a lifecycle, "
        "where each look costs the system more than it tells, first after 80 ms, or after four fifths of what this citizen's last such "
        "wait took, and up to half late.", "",
        f"Measured on {machine.measured_on:%Y-%m-%d}:", "",
    )  # fmt: skip
    yield from _table(("what", "value"), _machine_rows(machine))


def _machine_rows(machine: Machine) -> Iterator[tuple[str, str]]:
    yield "processor", f"{machine.processor}, {machine.cores} cores"
    yield "memory", f"{machine.memory_gib:.0f} GiB"
    yield "kernel", machine.kernel
    yield "disk", f"{machine.filesystem}; writing 4 KiB for good takes {machine.sync_ms:.2f} ms"
    yield "Python", machine.python
    yield "versions", ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    yield (
        "settings",
        (
            "those of `make up`: PostgreSQL with fsync and synchronous commits for all that a citizen was told, Temporal on SQLite "
            "with a write-ahead log and synchronous=FULL; quiet hours lifted, so that the hour of the day makes no difference"
        ),
    )


def _targets(findings: Findings) -> Iterator[str]:
    yield from ("", "## First targets", "")
    rows = ((target.asked, target.measured, "met" if target.met else "**missed**") for target in targets(findings))
    yield from _table(("target, on 2 cores", "measured", ""), rows)


_LOOPS = {
    Loop.SUBMISSIONS: (
        "Submissions", "submissions a second",
        "POST /api/v1/requests until the 201. The worker assigns what has come in at the same time, on the same cores.",
    ),
    Loop.ASSIGNMENTS: (
        "From 201 to assigned", "requests a second",
        "Submit, and look until a department has it; the wait includes the submission.",
    ),
    Loop.LIFECYCLES: (
        "Whole lifecycles", "lifecycles a second",
        "Submit, assigned, accept, resolve (a sampled share is reviewed and approved), rate, closed as seen over HTTP.",
    ),
}  # fmt: skip


def _waits(findings: Findings) -> Iterator[str]:
    for loop, (title, rate, sentence) in _LOOPS.items():
        yield from ("", f"## {title}", "", sentence, "")
        rows = (
            (str(run.citizens), f"{run.per_second:.1f}", *_milliseconds(run), str(run.outcome.failures))
            for run in findings.of(loop)
        )
        yield from _table(("citizens", rate, "p50 ms", "p95 ms", "p99 ms", "failures"), rows)


def _milliseconds(run: Run) -> tuple[str, ...]:
    return tuple(f"{run.waited_ms(share):.1f}" for share in (0.5, 0.95, 0.99))


def _costs(findings: Findings, machine: Machine) -> Iterator[str]:
    yield from (
        "", "## Processor time", "",
        "Milliseconds of one core for each round, from the operating system's accounts of each part's processes, ended ones "
        "included, until everything that the rounds began was done.", "",
    )  # fmt: skip
    head = (
        "loop",
        "citizens",
        *(NAMES[part] for part in PARTS),
        "system",
        "load generator",
        "HTTP requests",
        "others, s",
    )
    yield from _table(head, (_cost_row(run) for run in findings.runs))
    yield from ("", "*others*: core seconds that the machine spent on anything else during the run.")
    yield from _history(findings)
    yield from ("", "## What bounds it", "", bound(findings, machine.cores))


def _cost_row(run: Run) -> tuple[str, ...]:
    parts = [run.cpu_ms(part) for part in PARTS]
    own = (*parts, sum(parts), run.client_cpu_ms)
    asked = run.outcome.asked / run.outcome.rounds
    return (run.loop, str(run.citizens), *(f"{ms:.1f}" for ms in own), f"{asked:.1f}", f"{run.others_cpu_seconds:.1f}")


def _history(findings: Findings) -> Iterator[str]:
    cost = findings.history
    yield from (
        "", "## History", "",
        f"Means over {cost.lifecycles} real histories of whole lifecycles, until they were closed: "
        f"**{cost.events:.1f} events, {cost.workflow_tasks:.1f} workflow tasks**, {cost.bytes / 1024:.1f} KiB.", "",
    )  # fmt: skip
    yield from _table(("event", "per lifecycle"), ((kind, f"{number:.2f}") for kind, number in cost.kinds.items()))


def bound(findings: Findings, cores: int) -> str:
    """What keeps lifecycles from being faster, from the busiest run's accounts."""
    run = max(findings.of(Loop.LIFECYCLES), key=lambda each: each.per_second)
    parts = {NAMES[part]: run.cpu_ms(part) for part in PARTS}
    total = sum(parts.values()) + run.client_cpu_ms
    shares = ", ".join(f"{name} {ms / total:.0%}" for name, ms in sorted(parts.items(), key=lambda item: -item[1]))
    busy = run.per_second * total / 1000 / cores
    verdict = (
        "The cores are busy, so processor time is the bound" if busy > 0.8
        else "The cores are not full, so waiting (for the disk, or in a single thread) bounds it"
    )  # fmt: skip
    return (
        f"At its best ({_citizens(run)}, {run.per_second:.1f} lifecycles a second) a lifecycle takes {total:.1f} ms of "
        f"processor time: {shares}, load generator {run.client_cpu_ms / total:.0%}. That keeps {cores} cores {busy:.0%} "
        f"busy. {verdict}; {cores} cores with nothing else to do could carry at most {cores * 1000 / total:.0f} a second "
        f"at this cost."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(cells)} |"

    yield line(head)
    yield line("---" for _ in head)
    yield from (line(row) for row in rows)
