"""What guards the program's own making: the security linter, the bill of materials, and the audit of what it depends on."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
LOCK = PROJECT / "requirements.lock"
WITHOUT_A_NETWORK = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:1") | {"no_proxy": ""}
A_HOLE = {"name": "x", "version": "1.0", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"], "aliases": []}]}
A_GOOD_ONE = {"name": "y", "version": "2.0", "vulns": []}
UNKNOWN = {"name": "z", "skip_reason": "Dependency not found on PyPI"}


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command] if not command[0].endswith(".py") else [sys.executable, *command],
        capture_output=True, text=True, check=False, cwd=PROJECT, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit_script", PROJECT / "deploy" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_security_linter_finds_nothing_that_is_not_explained() -> None:
    found = run("bandit", "--quiet", "--recursive", ".", "--configfile", "pyproject.toml", "--format", "json")
    report = json.loads(found.stdout)

    assert [f"{each['filename']}:{each['line_number']} {each['issue_text']}" for each in report["results"]] == []
    assert report["errors"] == []
    assert report["metrics"]["_totals"]["loc"] > 10_000


def test_each_exception_of_the_security_linter_names_its_check_and_its_reason() -> None:
    sources = [file for folder in PROJECT.iterdir() if folder.is_dir() for file in folder.rglob("*.py")]
    named = [
        (file.name, line.strip())
        for file in (*sources, *PROJECT.glob("*.py"))
        if not {".venv", "tests", "build", "var"} & {*file.relative_to(PROJECT).parts}
        for line in file.read_text().splitlines()
        if "# nosec" in line
    ]

    assert named
    assert [each for each in named if not re.search(r"# nosec B\d{3} - \w+", each[1])] == []


@pytest.mark.slow
def test_the_bill_of_materials_names_every_package_of_the_lock_with_its_hashes(tmp_path: Path) -> None:
    bill = tmp_path / "sbom.json"
    made = run(
        "cyclonedx_py", "requirements", str(LOCK), "--pyproject", "pyproject.toml", "--output-reproducible",
        "--output-format", "JSON", "--output-file", str(bill),
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    told: dict[str, Any] = json.loads(bill.read_text())

    locked = dict(re.findall(r"^([\w.-]+)==([\w.+!]+)", LOCK.read_text(), re.MULTILINE))
    assert told["bomFormat"] == "CycloneDX"
    assert told["metadata"]["component"]["name"] == "huisheng"
    assert {each["name"]: each["version"] for each in told["components"]} == locked
    assert all(reference["hashes"] for each in told["components"] for reference in each["externalReferences"])


@pytest.mark.parametrize(
    ("dependencies", "code", "words"),
    [
        pytest.param([A_GOOD_ONE], 0, "1 packages were looked up; none has", id="all is well"),
        pytest.param([A_GOOD_ONE, A_HOLE], 1, "x 1.0: PYSEC-2026-1 (mended in 1.1)", id="a hole"),
        pytest.param([A_HOLE, UNKNOWN], 1, "PYSEC-2026-1", id="a hole, and one that is not known"),
        pytest.param([A_GOOD_ONE, UNKNOWN], 3, "NOT AUDITED: the vulnerability database told nothing of 1 of 2", id="half"),
        pytest.param([], 3, "NOT AUDITED", id="nothing"),
    ],
)  # fmt: skip
def test_what_was_not_looked_up_is_never_called_safe(
    audit: ModuleType, dependencies: list[dict[str, Any]], code: int, words: str
) -> None:
    found, said = audit.verdict(dependencies)

    assert found == code
    assert words in said


def test_an_audit_without_a_network_says_so(tmp_path: Path) -> None:
    lock = tmp_path / "one.lock"
    lock.write_text("aiosql==15.0\n")
    found = run(
        "deploy/audit.py", str(lock), **WITHOUT_A_NETWORK, **{k.upper(): v for k, v in WITHOUT_A_NETWORK.items()}
    )

    assert found.returncode == 3
    assert found.stdout.startswith("NOT AUDITED: the vulnerability database")
    assert "Traceback" not in found.stdout


@pytest.mark.slow
def test_no_package_of_the_lock_has_a_known_vulnerability(audit: ModuleType) -> None:
    """Where the database cannot be asked, the test says so instead of passing."""
    found = run("deploy/audit.py", "requirements-dev.lock")
    if found.returncode == audit.NOT_ASKED:
        pytest.skip(found.stdout.strip())
    assert found.returncode == 0, found.stdout
