"""The rules and the dashboard as files, and which figures and labels they ask for: read by a real parser of PromQL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
import yaml
from promql_parser import AggModifierType, MatchOp

PROJECT = Path(__file__).resolve().parents[1]
RULES = PROJECT / "deploy" / "prometheus" / "alerts.yml"
RULES_TRIED = RULES.with_name("alerts_test.yml")
DASHBOARD = PROJECT / "deploy" / "grafana" / "dashboards" / "huisheng.json"

PROMETHEUS_OWN = {"up", "ALERTS"}
"""What Prometheus itself makes."""
LABELS_OF_PROMETHEUS = {"job", "instance", "alertname", "alertstate"}
"""What Prometheus itself writes beside the figures."""
_PARTS = ("lhs", "rhs", "expr", "args", "param", "vector_selector")


@dataclass(frozen=True)
class Asked:
    """One figure in one expression: the labels that it must have there, and the values of them that there must be."""

    figure: str
    labels: frozenset[str] = frozenset()
    values: frozenset[tuple[str, str]] = frozenset()
    within: tuple[str, ...] = ()  # the aggregations around it, the innermost last


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def targets() -> list[dict[str, Any]]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target for panel in panels for target in panel["targets"]]


def shown() -> list[str]:
    """The expressions of the dashboard."""
    return [target["expr"] for target in targets()]


def asked() -> list[Asked]:
    """All figures in rules and dashboard, as often as they stand there. ValueError where one is no PromQL."""
    alerting = [_asked(alert["expr"], alert["annotations"]["summary"]) for alert in alerts()]
    drawn = [_asked(target["expr"], target["legendFormat"]) for target in targets()]
    return [each for found in (*alerting, *drawn) for each in found if each.figure not in PROMETHEUS_OWN]


def asked_for() -> set[str]:
    """The names of the figures."""
    return {each.figure for each in asked()}


def _asked(expression: str, told: str) -> list[Asked]:
    """`told` is what is written beside the result: it names labels as well."""
    named = frozenset(re.findall(r"\{\{ ?(?:\$labels\.)?(\w+) ?\}\}", told)) - LABELS_OF_PROMETHEUS
    return list(_figures(promql_parser.parse(expression), Asked("", named)))


def _figures(part: Any, around: Asked) -> Iterator[Asked]:
    if isinstance(part, promql_parser.VectorSelector):
        yield _figure(part, around)
    modifier = getattr(part, "modifier", None)
    if isinstance(part, promql_parser.AggregateExpr):
        grouped = modifier.labels if modifier is not None and modifier.type == AggModifierType.By else []
        within = (*around.within, str(part.op))
    else:
        grouped = getattr(getattr(modifier, "matching", None), "labels", [])
        within = around.within
    around = Asked("", around.labels | (set(grouped) - LABELS_OF_PROMETHEUS), within=within)
    for name in _PARTS:
        found = getattr(part, name, None)
        for each in found if isinstance(found, list) else [found]:
            if each is not None and not isinstance(each, str | int | float):
                yield from _figures(each, around)


def _figure(part: Any, around: Asked) -> Asked:
    matchers = [each for each in part.matchers.matchers if each.name not in LABELS_OF_PROMETHEUS]
    wanted = {
        (each.name, value)
        for each in matchers
        if each.op in (MatchOp.Equal, MatchOp.NotEqual, MatchOp.Re)
        for value in (each.value.split("|") if each.op == MatchOp.Re else [each.value])
    }
    labels = around.labels | {each.name for each in matchers}
    return Asked(part.name or "", frozenset(labels), frozenset(wanted), around.within)
