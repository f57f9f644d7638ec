"""The rule that every query has a name, a purpose and a caller, and that PostgreSQL takes every one of them."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from db.pool import Pool
from db.statements import FOLDER, load

SUBJECTS = sorted(file.stem for file in FOLDER.glob("*.sql"))
SOURCES = {path: path.read_text() for path in FOLDER.parent.glob("*.py")}


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_query_has_a_purpose_and_postgresql_takes_it(pool: Pool, subject: str) -> None:
    async with pool.acquire() as connection:
        for statement in load(subject).values():
            assert statement.purpose.strip().endswith("."), (
                f"{subject}.{statement.name} says in a sentence what it is for"
            )
            await connection.prepare(statement.sql)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_query_is_called_by_a_function_of_the_module_that_loads_it(subject: str) -> None:
    loading = [text for text in SOURCES.values() if f'load("{subject}")' in text]
    assert loading, f"no module loads db/queries/{subject}.sql"
    for name in load(subject):
        assert any(f'"{name}"' in text for text in loading), f"nobody calls {subject}.{name}"


def test_sql_stands_in_db_only() -> None:
    root = Path(__file__).parents[2]
    statement = re.compile(r"\b(select\s.+\sfrom|insert\s+into|update\s\w+\sset|delete\s+from)\s", re.IGNORECASE)
    for package in ("activities", "api", "cli", "domain", "policies", "supervision", "workflows"):
        for path in (root / package).rglob("*.py"):
            literals = re.findall(r'"""[\s\S]*?"""|"[^"\n]*"', path.read_text())
            suspects = [literal for literal in literals if statement.search(literal) and not literal.startswith('"""')]
            assert suspects == [], f"{path} holds SQL"


def test_call_with_a_missing_or_unknown_value_is_a_mistake_that_shows() -> None:
    statement = load("texts")["read_many"]
    with pytest.raises(KeyError, match="takes id"):
        statement._in_order({})
    with pytest.raises(KeyError):
        statement._in_order({"ident": 1})


def test_modules_of_db_are_imported_without_a_database() -> None:
    for path in SOURCES:
        importlib.import_module(f"db.{path.stem}" if path.stem != "__init__" else "db")
