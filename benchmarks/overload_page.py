"""The findings of an overload as a page for people: docs/overload.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from activities.narrowing import LESS
from activities.relay import Pace
from api.lanes import LANES
from benchmarks.machine import Machine
from benchmarks.overload import BESIDE, CAPACITY_SECONDS, Found, Memory
from benchmarks.report import NAMES

KINDS = {
    "submissions": ("a citizen sends a request", "intake"),
    "looks": ("a citizen looks where it stands", "citizens"),
    "actions": ("staff record progress", "staff"),
    "lists": ("staff read a list of fifty", "lists"),
    "reports": ("the rates by department", "reports"),
}
INTAKE_P99_MS = 1000.0
_POINTS = 8


def summary(found: Found) -> str:
    """A few lines for the terminal."""
    lines = [f"capacity {found.capacity:.0f}/s, offered {found.offered:.0f}/s for {found.seconds:.0f} s"]
    for kind, met in found.kinds.items():
        served, refused = met["served"], met["refused"]
        lines.append(
            f"{kind:<12} came {met['came']:>7}  answered {served['number']:>7}  p50 {_ms(served, 'p50')}  p99 {_ms(served, 'p99')} ms"
            f"  refused {refused['number']:>7}  p99 {_ms(refused, 'p99')} ms  {met['statuses']}"
        )
    lines += [
        f"{memory.part:<9} {memory.megabytes[0]:.0f} .. {max(memory.megabytes):.0f} MB"
        for memory in found.memory
        if memory.megabytes
    ]
    lines.append(
        f"confirmed {found.confirmed}, lost {len(found.lost)}, waiting {found.waiting}, drained {found.drained_per_second:.0f}/s"
    )
    return "\n".join(lines)


def page(found: Found, machine: Machine) -> str:
    """The whole of docs/overload.md."""
    return "\n".join([*_head(found, machine), *_kinds(found), *_memory(found), *_kept(found), *_lanes()]) + "\n"


def _head(found: Found, machine: Machine) -> Iterator[str]:
    beside = ", ".join(f"{number:.0f} {kind}" for kind, number in BESIDE.items())
    yield from (
        "# Overload", "",
        "Written by `huisheng overload`; do not edit. The command starts a fresh system of its own as `make up` does, finds out "
        f"for {CAPACITY_SECONDS:.0f} seconds how many submissions a second it takes in from senders who wait for their receipts, "
        "and then sends a multiple of that in an open loop: requests come when they come, whether or not the earlier ones are "
        f"answered. Beside them come {beside} a second. A wait counts from the moment in which the request was due, in the load "
        "generator's own queue too. Generator and system share the cores.", "",
        f"Measured on {machine.measured_on}: {machine.processor}, {machine.cores} cores, {machine.kernel}, {machine.python}; "
        f"**{found.seconds:.0f} seconds at {found.offered:.0f} submissions a second, {found.offered / found.capacity:.1f} times the "
        f"{found.capacity:.0f} that the machine had just taken in.**", "",
    )  # fmt: skip


def _kinds(found: Found) -> Iterator[str]:
    yield from (
        "## Who was answered", "",
        "| what | lane | came | answered | p50 ms | p95 ms | p99 ms | put off (503) | told so within, p99 ms | anything else |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    )  # fmt: skip
    for kind, met in found.kinds.items():
        told, lane = KINDS[kind]
        served, refused = met["served"], met["refused"]
        yield (
            f"| {told} | {lane} | {met['came']} | {served['number']} ({_share(served['number'], met['came'])}) | {_ms(served, 'p50')} "
            f"| {_ms(served, 'p95')} | {_ms(served, 'p99')} | {refused['number']} ({_share(refused['number'], met['came'])}) "
            f"| {_ms(refused, 'p99')} | {_else(met)} |"
        )
    p99 = found.kinds["submissions"]["served"].get("p99", float("nan"))
    verdict = "met" if p99 < INTAKE_P99_MS else "**missed**"
    yield from ("", f"Intake under a second at p99: {p99:.0f} ms, {verdict}. Every 503 carried `Retry-After`.", "")


def _else(met: dict[str, Any]) -> str:
    usual = {"200", "201", "202", "429", "503"}
    others = [f"{number} {status}" for status, number in sorted(met["statuses"].items()) if status not in usual]
    if met["unsent"]:
        others.append(f"{met['unsent']} not sent: no connection free")
    return ", ".join(others) or "none"


def _memory(found: Found) -> Iterator[str]:
    yield from (
        "## Memory", "",
        "Megabytes of each part at equal distances over that time.", "",
        "| part | over time | most |", "| --- | --- | --- |",
    )  # fmt: skip
    for memory in found.memory:
        if memory.megabytes:
            course = " ".join(f"{megabytes:.0f}" for megabytes in _points(memory))
            yield f"| {NAMES[memory.part]} | {course} | {max(memory.megabytes):.0f} |"
    yield ""


def _points(memory: Memory) -> list[float]:
    last = len(memory.megabytes) - 1
    return [memory.megabytes[round(last * number / (_POINTS - 1))] for number in range(_POINTS)]


def _kept(found: Found) -> Iterator[str]:
    lost = (
        "every one of them is in the database, with its message to the run" if not found.lost else "**some are lost**"
    )
    hours = found.waiting / found.drained_per_second / 3600 if found.drained_per_second > 0 else float("nan")
    yield from (
        "## Nothing accepted is lost", "",
        f"{found.confirmed} receipts were given out; {len(found.lost)} of them lead nowhere: {lost}.", "",
        "Citizens are not refused because Temporal is slower than they are: what they sent waits in the inbox, on disk, the oldest "
        f"first, and a relay has at most {Pace().width} messages in hand, so that the backlog costs no memory. Staff and citizens are "
        f"answered meanwhile. When the flood was over, {found.waiting} messages waited, and {found.drained_per_second:.0f} a second were "
        f"delivered: {hours:.1f} hours of work.", "",
        "## Room for those who act", "",
        "Whoever starts runs as fast as Temporal takes them fills it, and the worker, with work of the next minutes, and an action of the "
        "staff stands behind all of it. So a submission counts as in hand until the first turn of its run is recorded, and a relay "
        "goes by how long that takes: each one that was quick makes room for a little more, up to one more a round; after one that took more "
        f"than {Pace().slow:g} s it has only {LESS:.0%} as many in hand as before, down to {Pace().least_width} and no further, so that the inbox is never "
        "left alone. What is not given out waits in the inbox (`activities/narrowing.py`, `activities/first_turns.py`). "
        "`huisheng_relay_width` says how many it has in hand at most.", "",
    )  # fmt: skip


def _lanes() -> Iterator[str]:
    yield from (
        "## The lanes", "",
        "Each request belongs to a lane (`api/lanes.py`). A lane answers so many at once, lets so many wait for so long, and lets "
        "hardly anybody begin while somebody waits in a lane before it. Whoever finds the line full, or has waited long enough, gets 503 with a "
        "`Retry-After` of 2 to 10 seconds. Signs of life and figures pass always.", "",
        "| lane | at once | may wait | for at most | gives way to those who wait in | and then answers at once |",
        "| --- | --- | --- | --- | --- | --- |",
    )  # fmt: skip
    for lane in LANES:
        yield f"| {lane.name} | {lane.at_once} | {lane.waiting} | {lane.patience:g} s | {', '.join(lane.after) or '-'} | {lane.always if lane.after else '-'} |"


def _share(number: float, whole: float) -> str:
    return f"{100 * number / whole:.0f}%" if whole else "-"


def _ms(waits: dict[str, float], share: str) -> str:
    return f"{waits[share]:.0f}" if share in waits else "-"
