"""How `huisheng classifier` says what it found: sentences and tables for people, plain values for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.table import Table

from classifier.calibration import calibration_error
from classifier.dangers import classifier_of, dangers_of
from classifier.evaluation import Evaluation, Step
from classifier.examples import FEWEST_PER_LABEL
from classifier.explanation import explain
from classifier.figures import Decided
from classifier.model import Model
from classifier.thresholds import NEVER
from classifier.training import Trained
from db.decided import Spoken
from db.models import Kept
from domain.classified import Classified, Located
from domain.policy import Policy, in_language
from domain.request import Urgency
from domain.routing import Route, TriageNeeded, TriageReason, route

WORDS_DECIDE = "No model is in force: the words of the policy decide. `huisheng classifier train` makes a model."

_LABELS_SHOWN = 20
_TIMED = {
    "model": "a prediction by the model alone",
    "classifier": "a prediction with all else that is asked of a text",
}


def trained(made: Trained, model: Model) -> str:
    """What a new model learnt from and what can be expected of it."""
    facts, judged = model.facts, made.judged
    said = judged.probabilities.argmax(axis=1)
    confidence, right = judged.probabilities.max(axis=1), said == judged.truth
    sure = confidence >= np.array(model.thresholds)[said]
    lines = [
        f"Model {model.version}: {facts['messages']} messages, {len(model.labels)} labels, {len(model.lines.vocabulary)} runs of text.",
        f"On messages it had not seen: macro-F1 {facts['macro_f1']:.3f}, right {right.mean():.1%}, "
        f"calibration error {calibration_error(confidence, right):.3f}.",
        f"For a precision of {facts['precision']:.2f} it would have decided {sure.mean():.0%} without a person.",
    ]
    unsure = [label for label, needed in zip(model.labels, model.thresholds, strict=True) if needed >= NEVER]
    if unsure:
        more = f" and {len(unsure) - _LABELS_SHOWN} more" if len(unsure) > _LABELS_SHOWN else ""
        lines.append(
            f"It never decides alone on: {', '.join(unsure[:_LABELS_SHOWN])}{more}. More messages may change that."
        )
    return "\n".join(lines)


def too_rare(rare: Mapping[str, int]) -> str:
    """Which categories were left out."""
    named = ", ".join(f"{category} ({count})" for category, count in list(rare.items())[:_LABELS_SHOWN])
    more = f" and {len(rare) - _LABELS_SHOWN} more" if len(rare) > _LABELS_SHOWN else ""
    return f"Left to the words of the policy, for want of {FEWEST_PER_LABEL} decided requests: {named}{more}."


def tables(found: Evaluation, curve: Sequence[Step]) -> Iterator[Table]:
    """The figures as tables."""
    yield _summary(found)
    yield _classes(found)
    yield _decisions(found)
    yield _risk(found)
    if curve:
        yield _curve(curve)


def as_plain(found: Evaluation, curve: Sequence[Step]) -> dict[str, Any]:
    """The figures as JSON values; shares and precisions from 0 to 1."""
    plain = {
        **asdict(found),
        "decided_at": {f"{precision:.2f}": asdict(each) for precision, each in found.decided_at.items()},
        "risk_coverage": [
            {"share": share, "confidence": confidence, "wrong": wrong}
            for share, confidence, wrong in found.risk_coverage
        ],
    }
    return plain | ({"learning_curve": [asdict(step) for step in curve]} if curve else {})


def explained(model: Model, title: str, text: str) -> str:
    """The likeliest labels, what it takes to decide, and the parts of the text that weighed most."""
    guess = model.guess(title, text)
    order = np.argsort(-guess.probabilities, kind="stable")
    label = model.labels[order[0]]
    needed = model.thresholds[order[0]]
    lines = [
        f"Model {model.version} knows {guess.known:.0%} of this text"
        + ("." if model.is_familiar(guess) else f", less than the {model.familiar:.0%} below which it says nothing."),
        "Likeliest: " + ", ".join(f"{model.labels[each]} {guess.probabilities[each]:.3f}" for each in order[:3]),
        f"To decide on {label} without a person it wants {needed:.3f}."
        if needed < NEVER
        else f"It never decides on {label} without a person.",
        f"What weighed most for {label} (+) or against it (-):",
    ]
    parts = explain(model, title, text, label)
    lines += [f"  {part.weight:+.3f}  {part.text}  ({part.field})" for part in parts] or ["  nothing that it knows"]
    return "\n".join(lines)


def classified(found: Classified, policy: Policy) -> str:
    """The decision as the system would take it of a message without a place."""
    if found.category is None:
        return f"Decision: nothing in the text says what it is about; {_fate(found, policy)}."
    needed = policy.triage.threshold if found.needed is None else found.needed
    category = policy.category(found.category)
    name = in_language(category.name, "en")
    return (
        f"Decision: {found.category} ({name}), department {category.department or 'by district'}, "
        f"{found.confidence:.3f} sure, {needed:.3f} needed ({found.decided_by}): {_fate(found, policy)}."
    )


def _fate(found: Classified, policy: Policy) -> str:
    match route(policy, found, Located()):
        case Route(urgency=Urgency.DANGER):
            return "danger to life, assigned at once however sure that is"
        case Route():
            return "stands without a person"
        case TriageNeeded(reason=TriageReason.NO_ROUTE):
            return "stands without a person where a place is given that has a department"
        case TriageNeeded(reason=reason):
            return f"a person decides ({reason})"


def danger_explained(policy: Policy, text: str, title: str) -> Iterator[str]:
    """Why a message was flagged as a danger, or was not although its words speak of one; nothing where nothing speaks of it."""
    heard, learnt = classifier_of(policy).heard(text, title), dangers_of(policy)
    words = ", ".join(watch.code for watch in heard.watches if watch.danger) if heard.by_words else ""
    if words:
        yield f"Danger by the words of the policy: {words}" + (
            ", which the examples speak against." if heard.doubted else "."
        )
    if heard.alarm is None or learnt is None:
        return
    yield f"Danger by the examples: most like {heard.alarm.watch}, {heard.alarm.margin:.2f} beyond need, in: {heard.alarm.part}"
    yield from (f"  {each.weight:+.3f}  {each.text}" for each in learnt.weighed(heard.alarm.part))


def listed(kept: Sequence[Kept], active: str | None, spoken: Sequence[Spoken]) -> Iterator[str]:
    """A line for each model with what it did lately; the policy's words last, for they are always there."""
    for each in kept:
        facts = each.facts
        mark = "  in force" if each.version == active else ""
        yield (
            f"{each.version}  kept {each.stored_at:%Y-%m-%d %H:%M} UTC  {facts['messages']} messages, "
            f"{len(facts['labels'])} labels, macro-F1 {facts['macro_f1']:.3f}, wanted precision {facts['precision']:.2f}{mark}"
        )
        yield from _did(spoken, f"model {each.version}")
    yield "keywords      the words of the policy" + ("  in force" if active is None else "")
    yield from _did(spoken, "keywords ")


def decides(version: str | None) -> str:
    """Who decides now."""
    return f"Model {version} decides from now on." if version else "The words of the policy decide from now on."


def _did(spoken: Sequence[Spoken], name: str) -> Iterator[str]:
    """What a classifier did with the requests of the last 30 days; the words of all versions of the policy are one."""
    theirs = [
        each for each in spoken if each.decided_by == name or (name.endswith(" ") and each.decided_by.startswith(name))
    ]
    decided, corrected, left = (sum(getattr(each, what) for each in theirs) for what in Spoken._fields[1:])
    if decided or left:
        share = f", {corrected} of them corrected ({corrected / decided:.1%})" if decided else ""
        yield f"              last 30 days: decided {decided} alone{share}, left {left} to a person"


def _summary(found: Evaluation) -> Table:
    table = _table(f"Learnt from {found.trained_on} messages, judged on {found.judged_on} others", "", "")
    table.add_row("macro-F1", f"{found.macro_f1:.4f}")
    table.add_row("accuracy", f"{found.accuracy:.4f}")
    table.add_row("calibration error", f"{found.calibration_error:.4f}")
    table.add_row("training", f"{found.training_seconds:.1f} s")
    for what, taken in found.milliseconds.items():
        table.add_row(_TIMED[what], f"{taken.median:.1f} ms; 99 %: {taken.p99:.1f}; longest: {taken.max:.1f}")
    return table


def _classes(found: Evaluation) -> Table:
    table = _table("Per class", "label", "precision", "recall", "F1", "messages")
    for each in found.classes:
        table.add_row(each.label, f"{each.precision:.3f}", f"{each.recall:.3f}", f"{each.f1:.3f}", str(each.support))
    return table


def _decisions(found: Evaluation) -> Table:
    table = _table("Decided without a person", "wanted precision", "share decided", "precision realised")
    for precision, each in found.decided_at.items():
        table.add_row(f"{precision:.2f}", f"{each.share:.1%}", _precision(each))
    return table


def _risk(found: Evaluation) -> Table:
    table = _table("Risk and coverage, the surest first", "share", "confidence", "wrong")
    for share, confidence, wrong in found.risk_coverage:
        table.add_row(f"{share:.0%}", f"{confidence:.3f}", f"{wrong:.1%}")
    return table


def _curve(curve: Sequence[Step]) -> Table:
    table = _table("Learning curve", "messages", "macro-F1", "accuracy", "decided at 0.97", "precision realised")
    for step in curve:
        table.add_row(
            str(step.messages), f"{step.macro_f1:.3f}", f"{step.accuracy:.3f}", f"{step.decided.share:.1%}",
            _precision(step.decided),
        )  # fmt: skip
    return table


def _precision(found: Decided) -> str:
    return "-" if found.precision is None else f"{found.precision:.3f}"


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(first, title=title, title_justify="left", show_header=any((first, *others)))
    for name in others:
        table.add_column(name, justify="right")
    return table
