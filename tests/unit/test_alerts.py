"""The alert rules and the dashboard as files: that they can be read, and that each alert says what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.promql import DASHBOARD, PROJECT, RULES, alerts, asked_for, shown
from tests.unit.test_documentation import anchors, prose

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


def test_promtool_finds_no_fault_in_the_rules(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed here (Debian's package prometheus brings it)")
    done = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
