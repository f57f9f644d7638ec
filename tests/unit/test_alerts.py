"""The alert rules and the dashboard as files: that they can be read, and that each alert says what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from api.access_log import INTERFACE
from api.lanes import LANES
from db.figures import Standing
from db.inbox import Backlog
from domain.lifecycle import MAX_ESCALATION_LEVEL
from tests.promql import DASHBOARD, PROJECT, RULES, RULES_TRIED, alerts, asked, asked_for, shown
from tests.unit.test_documentation import anchors, prose
from watching.stored import _of_queues, _of_requests

RUNBOOK = PROJECT / "docs" / "runbook.md"


def name_of(alert: dict[str, Any]) -> str:
    return str(alert["alert"])


def test_rules_and_dashboard_are_promql() -> None:
    assert len(alerts()) >= 15
    assert len(shown()) >= 20
    assert {name for name in asked_for() if not name.startswith(("huisheng_", "temporal_", "process_"))} == set()


def test_alerts_have_names_of_their_own() -> None:
    names = [name_of(alert) for alert in alerts()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"Huisheng[A-Za-z]+", name) for name in names)


@pytest.mark.parametrize("alert", alerts(), ids=name_of)
def test_alert_says_how_urgent_it_is_and_leads_to_its_section_of_the_runbook(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"]["summary"].endswith(".")
    path, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert PROJECT / path == RUNBOOK
    assert anchor == name_of(alert).lower()
    assert anchor in anchors(RUNBOOK)


def test_runbook_explains_no_alert_that_there_is_not() -> None:
    explained = set(re.findall(r"^### (Huisheng\w+)$", prose(RUNBOOK.read_text()), re.MULTILINE))
    assert explained == {name_of(alert) for alert in alerts()}


def test_dashboard_takes_the_source_that_is_provisioned() -> None:
    sources = (PROJECT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text()
    uids = {panel["datasource"]["uid"] for panel in json.loads(DASHBOARD.read_text())["panels"]}
    assert len(uids) == 1
    assert f"uid: {uids.pop()}\n" in sources


def stored_figures() -> set[str]:
    """What each API tells of the whole city."""
    at = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    found = Standing(at, {}, {}, Backlog(0, None), {}, None, 0, None, None, None)
    return {metric.name for metric in (*_of_requests(found, at), *_of_queues(found))}


def test_what_each_interface_tells_of_the_whole_city_is_not_summed() -> None:
    stored = [each for each in asked() if each.figure in stored_figures()]
    assert len(stored) >= 10
    assert [each for each in stored if each.within[-1:] not in {("max",), ("min",)}] == []


def test_rules_and_dashboard_ask_for_lanes_levels_and_places_that_there_are() -> None:
    wanted = defaultdict(set)
    for label, value in {pair for each in asked() for pair in each.values}:
        wanted[label].add(value)

    assert wanted["lane"] <= {lane.name for lane in LANES}
    assert wanted["level"] == {str(MAX_ESCALATION_LEVEL)}
    assert wanted["by"] <= {"system", "staff"}
    assert wanted["route"] == {f"{INTERFACE}/requests", "/"}


def test_each_alert_is_tried_both_ways() -> None:
    """That it comes, and that it goes again."""
    tried: dict[str, set[bool]] = defaultdict(set)
    for trial in yaml.safe_load(RULES_TRIED.read_text())["tests"]:
        for expected in trial["alert_rule_test"]:
            tried[expected["alertname"]].add(bool(expected["exp_alerts"]))
    assert tried == {name_of(alert): {True, False} for alert in alerts()}


@pytest.mark.parametrize(
    "command",
    [["check", "rules", str(RULES)], ["test", "rules", str(RULES_TRIED)]],
    ids=["they are well", "each tried"],
)
def test_promtool_finds_no_fault_in_the_rules(command: list[str]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed here (Debian's package prometheus brings it)")
    done = subprocess.run([promtool, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
