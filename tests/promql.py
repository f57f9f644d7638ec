"""The rules and the dashboard as files, and which figures they ask for: read by a real parser of PromQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import yaml

PROJECT = Path(__file__).resolve().parents[1]
RULES = PROJECT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = PROJECT / "deploy" / "grafana" / "dashboards" / "huisheng.json"

PROMETHEUS_OWN = {"up", "ALERTS"}
"""What Prometheus itself makes."""
_PARTS = ("lhs", "rhs", "expr", "args", "param", "vector_selector")


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def shown() -> list[str]:
    """The expressions of the dashboard."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def asked_for() -> set[str]:
    """The names of all figures in rules and dashboard. ValueError where one is no PromQL."""
    expressions = [alert["expr"] for alert in alerts()] + shown()
    return {name for each in expressions for name in _names(promql_parser.parse(each))} - PROMETHEUS_OWN


def _names(part: Any) -> Iterator[str]:
    if isinstance(part, promql_parser.VectorSelector):
        yield part.name or ""
    for name in _PARTS:
        found = getattr(part, name, None)
        for each in found if isinstance(found, list) else [found]:
            if each is not None and not isinstance(each, str | int | float):
                yield from _names(each)
