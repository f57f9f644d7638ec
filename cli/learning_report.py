"""How the learning of the classifier is told to a person: what came of a retraining, the comparisons, who activated what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from activities.learning import Learnt
from classifier.comparison import Reason
from classifier.held_out import Terms
from db.comparisons import Comparison, Outcome
from db.models import Activation, Because
from db.sealing import KeyRing

_REASONS = {
    Reason.FEWER_RIGHT: "it had fewer right in total",
    Reason.CLASS_WORSE: "it was worse in a class",
    Reason.NOT_PRECISE: "of what it decides alone too little was right",
    Reason.DECIDES_LESS: "at the wanted precision it leaves more to people",
}
_BECAUSE = {
    Because.TRAINED: "trained by command",
    Because.LOADED: "read from a file",
    Because.CHOSEN: "chosen",
    Because.BACK: "gone back to",
    Because.NO_WORSE: "no worse in comparison",
}


def outcome(learnt: Learnt) -> str:
    """What came of a retraining, in a sentence or two."""
    reasons = _why(learnt.reasons)
    found = Outcome(learnt.outcome)
    compared = f"compared with {_name(learnt.active)} on {learnt.held_out} recent decisions that neither had seen"
    if found is Outcome.TOO_FEW:
        return _too_few(learnt.learnt, learnt.held_out)
    if found is Outcome.ACTIVATED:
        return f"Model {learnt.candidate}, from {learnt.learnt} decisions, decides from now on: {compared}, it was no worse."
    if found is Outcome.OVERTAKEN:
        return f"Model {learnt.candidate} stays out of force: somebody put another one into force while it was trained."
    return (
        f"Model {learnt.candidate}, from {learnt.learnt} decisions, stays out of force: {compared}, {reasons}. "
        f"`huisheng classifier comparisons --classes` has the figures."
    )


def compared(found: Sequence[Comparison], *, with_classes: bool) -> Iterator[str]:
    """A block for each comparison, the latest first."""
    if not found:
        yield "Nothing has been compared yet."
    for each in found:
        yield f"{each.id}  {each.compared_at:%Y-%m-%d %H:%M} UTC  {_headline(each)}"
        if "messages" in each.figures:
            yield from _figures(each.figures)
            yield from _classes(each.figures) if with_classes else ()


def activated(found: Sequence[Activation], keys: KeyRing) -> Iterator[str]:
    """A line for each activation, the latest first. Raises SealBroken."""
    if found:
        yield "In force:"
    for each in reversed(found):
        reason = each.reason(keys)
        said = f", by {each.account}" if each.account else ""
        in_comparison = f" {each.comparison}" if each.comparison else ""
        quoted = f": {reason}" if reason else ""
        yield (
            f"  from {each.activated_at:%Y-%m-%d %H:%M} UTC  {_name(each.version)}, "
            f"{_BECAUSE[each.because]}{in_comparison}{said}{quoted}"
        )


def _headline(each: Comparison) -> str:
    if each.outcome is Outcome.TOO_FEW:
        return f"nothing done: {_too_few(each.figures['learnt'], each.figures['held_out'])}"
    both = f"model {each.candidate} beside {_name(each.active)}"
    if each.outcome is Outcome.REFUSED:
        return f"{both}: refused, {_why(each.figures['reasons'])}"
    return f"{both}: {'took over' if each.outcome is Outcome.ACTIVATED else 'another was put into force meanwhile'}"


def _figures(figures: Mapping[str, Any]) -> Iterator[str]:
    messages = figures["messages"]
    taught = ", ".join(f"{count} {how}" for how, count in figures.get("taught", {}).items())
    yield f"    learnt from {figures['learnt']} decisions ({taught}), compared on {messages} others"
    for who in ("candidate", "active"):
        precision = figures[f"{who}_precision"]
        realised = f" at a precision of {precision:.3f}" if precision is not None else ""
        yield (
            f"    {who:9}  right {figures[f'{who}_right'] / messages:6.1%}   decided alone {figures[f'{who}_decided']:6.1%}"
            f"{realised}; at {figures['wanted_precision']:.2f}: {figures[f'{who}_rightly']:.1%}"
        )


def _classes(figures: Mapping[str, Any]) -> Iterator[str]:
    for each in figures["classes"]:
        mark = "  worse" if each["worse"] else ""
        yield (
            f"      {each['label']:28} {each['messages']:5} messages, right {each['candidate']:5} and before {each['active']:5}: "
            f"{each['won']} won, {each['lost']} lost{mark}"
        )


def _too_few(learnt: int, held_out: int) -> str:
    terms = Terms()
    return (
        f"There are {learnt} decisions to learn from and {held_out} new ones to compare on; "
        f"it takes {terms.least_learnt} and {terms.least_held_out}. What decides now goes on deciding."
    )


def _why(reasons: Sequence[str]) -> str:
    return " and ".join(_REASONS[Reason(reason)] for reason in reasons)


def _name(version: str | None) -> str:
    return f"model {version}" if version else "the words of the policy"
