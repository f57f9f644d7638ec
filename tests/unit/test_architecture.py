"""The rules of the house that a machine can keep: who imports whom, where SQL lives, which names and traces stay out."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGES = (
    "activities", "api", "benchmarks", "chaos", "classifier", "cli", "db", "demonstration", "domain", "policies", "supervision",
    "workflows",
)  # fmt: skip
SOURCES = sorted(
    [path for package in PACKAGES for path in (PROJECT / package).rglob("*.py")]
    + [PROJECT / "settings.py", PROJECT / "worker.py"]
)
DOMAIN = [path for path in SOURCES if path.is_relative_to(PROJECT / "domain")]
# Pure parts of the standard library. A new one is a decision: it must do no I/O, keep no clock and throw no dice.
PURE = {
    "__future__", "abc", "base64", "bisect", "calendar", "collections", "contextlib", "dataclasses", "datetime", "decimal",
    "difflib", "enum", "fractions", "functools", "hashlib", "hmac", "heapq", "itertools", "json", "math", "operator", "re",
    "statistics", "string", "struct", "textwrap", "types", "typing", "unicodedata", "uuid", "zoneinfo",
}  # fmt: skip
SQL = re.compile(r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE)\b", re.DOTALL)
EMPTY_WORDS = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"}


def name_of(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def imported_by(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_imports_point_inwards() -> None:
    program = Path(sysconfig.get_path("scripts")) / "lint-imports"
    command = [sys.executable, str(program), "--no-logo", "--no-cache"]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", DOMAIN, ids=name_of)
def test_domain_imports_only_itself_and_what_is_pure(path: Path) -> None:
    assert set(imported_by(path)) - {"domain"} <= PURE


@pytest.mark.parametrize("path", [path for path in SOURCES if "db" not in path.parts], ids=name_of)
def test_sql_lives_in_db_only(path: Path) -> None:
    texts = [
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [text for text in texts if SQL.search(text)] == []


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_module_says_what_it_decides(path: Path) -> None:
    text = path.read_text()
    # An empty __init__.py decides nothing.
    assert not text.strip() or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_names_carry_meaning(path: Path) -> None:
    assert path.stem not in EMPTY_WORDS
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            words = set(re.findall(r"[a-z]+", re.sub(r"([A-Z])", r"_\1", node.name).lower()))
            assert not words & EMPTY_WORDS, node.name
            assert not node.name.lstrip("_").startswith(("handle_", "process_")), node.name


def test_nothing_kept_names_a_machine_or_a_registry() -> None:
    # Joined here, so that this file does not accuse itself.
    traces = ["".join(parts) for parts in (("/wo", "rk/"), ("/ro", "ot/"), ("pypi", ".org"), ("pythonho", "sted.org"))]
    kept = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=PROJECT, capture_output=True, text=True,
        check=False,
    ).stdout.splitlines()  # fmt: skip
    if not kept:
        pytest.skip("This is no clone of the repository: what is kept cannot be told from what is not.")
    accused = {}
    for name in kept:
        text = (PROJECT / name).read_text(errors="ignore") if (PROJECT / name).is_file() else ""
        if found := [trace for trace in traces if trace in text]:
            accused[name] = found
    assert accused == {}
