"""The findings of an overload as a page for people: docs/overload.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from activities.narrowing import LESS
from activities.relay import Pace
from api.arrivals import GRACE_SECONDS, LEAST_BYTES_A_SECOND, MOST_ARRIVING
from api.connections import MOST_CONNECTIONS as ALL_CONNECTIONS
from api.lanes import ACTIONS, LANES
from benchmarks.flood import MOST_CONNECTIONS
from benchmarks.machine import Machine
from benchmarks.overload import BESIDE, CAPACITY_SECONDS, Found
from benchmarks.overload_demands import (
    INTAKE_P99_MS,
    LEVEL_AFTER_SECONDS,
    MOST_GROWTH,
    MOST_MEGABYTES,
    MOST_UNANSWERED,
    MOST_UNSENT,
    REFUSED_P99_MS,
    Memory,
)
from benchmarks.report import NAMES

KINDS = {
    "submissions": ("a citizen sends a request", "intake"),
    "looks": ("a citizen looks where it stands", "citizens"),
    "actions": ("staff record progress", "actions"),
    "lists": ("staff read a list of fifty", "lists"),
    "reports": ("the rates by department", "reports"),
}
REFUSAL_MS = 0.05
"""Of the API's processor time, from the socket to the socket; measured apart: docs/decisions/0035-bounded-before-the-line.md."""
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
        f"receipts {found.goodput:.0f}/s; cores {_told_cores(found.cores_calm)}; in the flood {_told_cores(found.cores)}"
    )
    lines.append(
        f"confirmed {found.confirmed}, lost {len(found.lost)}, waiting {found.waiting}, drained {found.drained_per_second:.0f}/s"
    )
    return "\n".join([*lines, *found.broken])


def _told_cores(cores: dict[str, float]) -> str:
    return ", ".join(f"{part} {number:.2f}" for part, number in cores.items())


def page(found: Found, machine: Machine) -> str:
    """The whole of docs/overload.md."""
    parts = (
        _head(found, machine),
        _verdict(found),
        _kinds(found),
        _first(found),
        _cores(found),
        _memory(found),
        _kept(found),
        _lanes(),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


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


def _verdict(found: Found) -> Iterator[str]:
    if found.broken:
        yield from ("**This is not as it should be:**", "", *(f"- {sentence}" for sentence in found.broken), "")
    else:
        yield from ("**All that an overload has to leave whole held.**", "")
    yield from (
        f"The command fails where intake takes {INTAKE_P99_MS:.0f} ms at p99 or refusals other than the engine's {REFUSED_P99_MS:.0f}; where a "
        "refusal does not say when to come back, an answer is neither a success nor 429 or 503, or a receipt leads nowhere; where more "
        f"than one in {1 / MOST_UNANSWERED:,.0f} connections breaks, or the generator itself cannot send {MOST_UNSENT:.0%}; and where a part "
        "takes more memory than the table below allows.", "",
    )  # fmt: skip


def _kinds(found: Found) -> Iterator[str]:
    yield from (
        "## Who was answered", "",
        "| what | lane | came | answered | p50 ms | p95 ms | p99 ms | put off (503) | told so, p50 / p99 ms | anything else |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    )  # fmt: skip
    for kind, met in found.kinds.items():
        told, lane = KINDS[kind]
        served, refused = met["served"], met["refused"]
        yield (
            f"| {told} | {lane} | {met['came']} | {served['number']} ({_share(served['number'], met['came'])}) | {_ms(served, 'p50')} "
            f"| {_ms(served, 'p95')} | {_ms(served, 'p99')} | {refused['number']} ({_share(refused['number'], met['came'])}) "
            f"| {_ms(refused, 'p50')} / {_ms(refused, 'p99')} | {_else(met)} |"
        )
    p99 = found.kinds["submissions"]["served"].get("p99", float("nan"))
    verdict = "met" if p99 < INTAKE_P99_MS else "**missed**"
    yield from ("", f"Intake under a second at p99: {p99:.0f} ms, {verdict}. {_told_when(found)}", "")
    if any(met["unsent"] for met in found.kinds.values()):
        yield from (
            f"*Not sent*: the generator opens at most {MOST_CONNECTIONS} connections for each kind, and all of them waited for an "
            "answer. It is its own limit, and not a refusal of the interface.", "",
        )  # fmt: skip


def _told_when(found: Found) -> str:
    refused = sum(met["refused"]["number"] for met in found.kinds.values())
    untold = sum(met["without_retry_after"] for met in found.kinds.values())
    if not refused:
        return "Nobody was refused."
    if untold:
        return f"**{untold} of {refused} refusals came without `Retry-After`.**"
    return f"Each of the {refused} refusals said with `Retry-After` when to come back."


def _first(found: Found) -> Iterator[str]:
    waits = ", ".join(f"{KINDS[kind][1]} {_ms(met['served'], 'p99')} ms" for kind, met in found.kinds.items())
    yield from (
        "## What going first means", "",
        "Sooner, and with more room: while somebody of an earlier lane waits, hardly anybody of a later one begins, and the earlier lanes have "
        f"more places. At p99 those who were answered waited: {waits}. It does not mean a larger share of answers: submissions come at a "
        "multiple of what there is room for, so that most of them have to be put off, while the few who fetch a report find the one place "
        "that is always theirs.", "",
    )  # fmt: skip


def _cores(found: Found) -> Iterator[str]:
    yield from (
        "## What is left of the capacity", "",
        f"In the flood {found.goodput:.0f} receipts a second were given out, {found.goodput / found.capacity:.0%} of the {found.capacity:.0f} that "
        f"were taken in while the capacity was found out. How many cores each part had, then and in the flood:", "",
        "| | then | in the flood |", "| --- | --- | --- |",
    )  # fmt: skip
    for part, cores in found.cores.items():
        yield f"| {NAMES.get(part, 'load generator')} | {found.cores_calm[part]:.2f} | {cores:.2f} |"
    beside = ", ".join(
        f"{met['served']['number'] / found.seconds:.0f} {kind}"
        for kind, met in found.kinds.items()
        if kind != "submissions"
    )
    refused = sum(met["refused"]["number"] for met in found.kinds.values()) / found.seconds
    yield from (
        "",
        f"The API is one process. In the flood it also answered {beside} a second, which nobody asked for before, and refused {refused:.0f}, at "
        f"{REFUSAL_MS:g} ms each: {refused * REFUSAL_MS / 1000:.2f} cores.", "",
    )  # fmt: skip


def _else(met: dict[str, Any]) -> str:
    usual = {"200", "201", "202", "429", "503"}
    others = [f"{number} {status}" for status, number in sorted(met["statuses"].items()) if status not in usual]
    if met["unsent"]:
        others.append(f"{met['unsent']} not sent: no connection free")
    return ", ".join(others) or "none"


def _memory(found: Found) -> Iterator[str]:
    yield from (
        "## Memory", "",
        f"Megabytes of each part at equal distances over that time. In a run of {LEVEL_AFTER_SECONDS / 60:.0f} minutes or more, the last quarter "
        f"may be above the one before by {MOST_GROWTH:.0%} at most.", "",
        "| part | over time | most | allowed | last quarter |", "| --- | --- | --- | --- | --- |",
    )  # fmt: skip
    for memory in found.memory:
        if memory.megabytes:
            course = " ".join(f"{megabytes:.0f}" for megabytes in _points(memory))
            yield (
                f"| {NAMES[memory.part]} | {course} | {max(memory.megabytes):.0f} | {MOST_MEGABYTES[memory.part]:.0f} "
                f"| {memory.growth:+.0%} |"
            )
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
        f"An action of the staff waits for Temporal and holds nothing meanwhile, so {ACTIONS.at_once} at once are no burden. But Temporal and its worker "
        f"share the machine with the flood. As soon as one action has waited for {ACTIONS.slow:g} s, only {LESS:.0%} as many as are waiting are let in, down to "
        f"{ACTIONS.least}, and the others hear within {ACTIONS.patience:g} s that it is too much; each one that is quick again makes room for a little more. The few "
        "who are let in find out when it is over, for up to ten seconds each: their refusals are the late ones in the table above.", "",
        f"Nobody stands in line before their body is here. It has {GRACE_SECONDS:.0f} s, and a second more for every {LEAST_BYTES_A_SECOND // 1024} kB that have "
        f"come; then 408. At most {MOST_ARRIVING} are on their way at once; where more come, the one that has been at it longest makes room "
        f"(`api/arrivals.py`). Of {ALL_CONNECTIONS} connections, the one that has been silent longest does (`api/connections.py`).", "",
        "| lane | at once | may wait | for at most | gives way to those who wait in | and then answers at once |",
        "| --- | --- | --- | --- | --- | --- |",
    )  # fmt: skip
    for lane in LANES:
        yield f"| {lane.name} | {lane.at_once} | {lane.waiting} | {lane.patience:g} s | {', '.join(lane.after) or '-'} | {lane.always if lane.after else '-'} |"


def _share(number: float, whole: float) -> str:
    return f"{100 * number / whole:.0f}%" if whole else "-"


def _ms(waits: dict[str, float], share: str) -> str:
    return f"{waits[share]:.0f}" if share in waits else "-"
