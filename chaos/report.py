"""What a trial ends with: what was done, what was compared, and every difference, with the way to see it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from rich.table import Table

from chaos.plan import Kind
from chaos.trial import Order, Outcome

_SHOWN = 10
"""Differences of one check that are shown; the file has all of them."""


def table(outcome: Outcome) -> Table:
    found = Table(
        "What must hold",
        "Compared",
        "Differences",
        title="What people were told, and what exists",
        title_justify="left",
    )
    for check in outcome.checks:
        number = len(check.differences)
        found.add_row(check.rule, f"{check.compared:,}", f"[red]{number}[/]" if number else "[green]0[/]")
    return found


def summary(order: Order, outcome: Outcome) -> Iterator[str]:
    """What was done, in sentences."""
    ledger, struck = outcome.ledger, outcome.struck
    kinds = ", ".join(f"{kind} {number}" for kind, number in sorted(struck.done.items()))
    yield f"{len(ledger.sent):,} requests, {struck.done.total()} faults ({kinds}) in {outcome.seconds:.0f} seconds; seed {order.seed}."
    answers = ", ".join(f"{status} {number:,}" for status, number in sorted(ledger.statuses.items()))
    yield f"{ledger.promises:,} promises; answers: {answers}; {ledger.broken:,} calls without an answer."
    yield "Starts: " + ", ".join(f"{name} {number}" for name, number in outcome.restarts.items()) + "."
    if outcome.by_itself:
        yield "Ended by themselves: " + "; ".join(f"{name} {how}" for name, how in outcome.by_itself.items()) + "."
    if ledger.refused:
        refused = ", ".join(f"{what} {number}" for what, number in sorted(ledger.refused.items()))
        yield f"Refused, because somebody or a clock was quicker: {refused}."
    yield f"{struck.done.total()} of {order.faults} faults were seen to be done."
    for fault, reason in struck.not_done:
        yield f"Not done: {fault}: {reason}."
    for check in outcome.checks:
        for excused in check.excused:
            yield f"As the rule for attempts of unclear outcome allows: {excused}."


def differences(outcome: Outcome) -> Iterator[str]:
    """The first ones of each check."""
    for check in outcome.checks:
        if check.differences:
            yield f"{check.rule}:"
            yield from (f"  {difference}" for difference in check.differences[:_SHOWN])
            if len(check.differences) > _SHOWN:
                yield f"  and {len(check.differences) - _SHOWN} more"


def again(order: Order) -> str:
    """How the same trial is run once more."""
    return (
        f"huisheng chaos --seed {order.seed} --requests {order.requests} --faults {order.faults} "
        f"--seconds {order.within_seconds:g} --seconds-per-working-day {order.day_seconds:g}"
        + (f" --from {shlex.quote(str(order.file))}" if order.file else "")
        + "".join(f" --kind {kind}" for kind in order.kinds if order.kinds != tuple(Kind))
    )
