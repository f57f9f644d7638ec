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
    "watching", "workflows", "backup",
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


# Who calls an address of the network, and whose choice that address is. None is ever a citizen's, a caller's or an answer's.
CALLS = {
    "activities/providers/kannel.py": "the gateway of the settings",
    "activities/second_opinion.py": "the language model of the settings",
    "supervision/system.py": "the parts that this program has started itself",
    "watching/served.py": "the SDK's own page of figures, on loopback",
    "demonstration/interface.py": "the system that the person at the terminal named",
    "demonstration/play.py": "the same",
    "benchmarks/wire.py": "a system of its own, on loopback",
    "benchmarks/measurement.py": "a system of its own, on loopback",
    "backup/restoring.py": "the database of the settings, or the one that the person at the terminal named",
    "backup/runs.py": "a file of SQLite",
    "benchmarks/histories.py": "a system of its own, on loopback",
    "cli/api.py": "the database of the settings",
    "cli/db.py": "the database of the settings",
    "db/backups.py": "the database of the settings",
    "db/migrations.py": "the database of the settings",
    "supervision/spare_indexes.py": "a file of SQLite",
    "workflows/connection.py": "Temporal, as the settings say",
    "chaos/gateway.py": "a system of its own, on loopback",
    "chaos/people.py": "a system of its own, on loopback",
    "chaos/proxy.py": "a system of its own, on loopback",
    "chaos/trial.py": "a system of its own, on loopback",
}
CALLING_MODULES = {
    "aiohttp",
    "ftplib",
    "http.client",
    "httpx",
    "httpx2",
    "requests",
    "smtplib",
    "urllib.request",
    "urllib3",
    "websockets",
}
CALLING_NAMES = {
    "connect",
    "connect_ex",
    "create_connection",
    "create_datagram_endpoint",
    "create_pool",
    "getaddrinfo",
    "gethostbyname",
    "open_connection",
    "sendto",
    "sock_connect",
    "sock_sendto",
    "urlopen",
    "urlretrieve",
}
OUR_CONNECT = "workflows.connection.connect"
"""To Temporal, as the settings say: whoever uses it chooses no address."""

# Who starts another program, and which. None is ever told an address, or anything else, that came in a request.
STARTS = {
    "activities/learning.py": "this program, to learn apart",
    "backup/dump.py": "the programs of PostgreSQL",
    "benchmarks/measurement.py": "this program",
    "benchmarks/overload.py": "this program",
    "chaos/keeping.py": "what the person at the terminal has measured",
    "chaos/system.py": "this program",
    "supervision/identity.py": "the programs of PostgreSQL",
    "supervision/launch.py": "the parts of the system",
    "supervision/postgres.py": "the programs of PostgreSQL",
    "supervision/processes.py": "the parts of the system",
    "supervision/supervisor.py": "the parts of the system",
    "supervision/temporal.py": "the server of Temporal",
}
STARTING_MODULES = {"multiprocessing", "pexpect", "pty", "subprocess"}
STARTING_NAMES = {
    "create_subprocess_exec", "create_subprocess_shell", "execl", "execv", "execve", "execvp", "execvpe", "os.system", "popen",
    "posix_spawn", "posix_spawnp", "spawnl", "spawnv", "spawnve", "spawnvp", "subprocess_exec", "subprocess_shell",
}  # fmt: skip


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


def used_by(source: str) -> tuple[set[str], set[str]]:
    """The modules that the program text imports, and the names that it uses: its own, imported ones, and those after a dot."""
    modules, names = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported = {f"{node.module}.{alias.name}" for alias in node.names}
            modules |= {node.module, *imported}
            names |= {name for each in imported - {OUR_CONNECT} for name in (each, each.rpartition(".")[2])}
        elif isinstance(node, ast.Attribute):
            names |= {node.attr, ast.unparse(node)}
    return modules, names


def can_call(source: str) -> bool:
    """Whether the program text uses anything that opens a connection to an address of its choice."""
    modules, names = used_by(source)
    return bool(modules & CALLING_MODULES or names & CALLING_NAMES)


def can_start(source: str) -> bool:
    """Whether it uses anything that starts another program, which could call an address."""
    modules, names = used_by(source)
    return bool(modules & STARTING_MODULES or names & STARTING_NAMES)


def test_only_known_modules_call_an_address_and_none_that_a_stranger_chose() -> None:
    assert {name_of(path) for path in SOURCES if can_call(path.read_text())} == set(CALLS)


def test_only_known_modules_start_another_program() -> None:
    assert {name_of(path) for path in SOURCES if can_start(path.read_text())} == set(STARTS)


@pytest.mark.parametrize(
    ("source", "calls"),
    [
        ("import httpx2", True),
        ("from http import client", True),
        ("import urllib.request", True),
        ("async def f(loop):\n    await loop.create_connection(None, 'x', 1)", True),
        ("from asyncio import open_connection\nasync def f(h):\n    await open_connection(h, 80)", True),
        ("from asyncio import open_connection as o\nasync def f(h):\n    await o(h, 80)", True),
        ("import socket\ndef f(h):\n    socket.socket().connect((h, 80))", True),
        ("async def f(loop, s, h):\n    await loop.sock_connect(s, (h, 80))", True),
        ("import asyncpg\nasync def f(u):\n    await asyncpg.connect(u)", True),
        ("from asyncpg import connect\nasync def f(u):\n    await connect(u)", True),
        (
            "from workflows.connection import connect\nasync def f(s, k):\n    await connect(s.temporal_address, k)",
            False,
        ),
        ("from workflows.connection import connect\nfrom asyncpg import connect as c", True),
        ("from urllib.parse import urlsplit\nfrom http import HTTPStatus", False),
    ],
)
def test_way_to_call_an_address_is_seen(source: str, calls: bool) -> None:
    assert can_call(source) is calls


@pytest.mark.parametrize(
    ("source", "starts"),
    [
        ("import subprocess\ndef f(u):\n    subprocess.run(['curl', u])", True),
        ("from subprocess import run", True),
        ("import asyncio\nasync def f(u):\n    await asyncio.create_subprocess_exec('curl', u)", True),
        ("import os\ndef f(u):\n    os.system(u)", True),
        ("from os import system", True),
        ("from chaos import system\ndef f():\n    return system.api", False),
    ],
)
def test_way_to_start_another_program_is_seen(source: str, starts: bool) -> None:
    assert can_start(source) is starts


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
