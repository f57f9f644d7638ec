"""What the latest release needs of those that come after it, kept in `release.json`: `python -m tests.previous.record` writes it
anew, as the last step of a release (docs/upgrades.md), for the program of the commit that is checked out, or of another that is named.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import asyncpg

from db.migrations import known_versions, migrate
from db.pool import Connection
from db.statements import FOLDER, load
from tests.previous.program import PROJECT, environment_of, release_of, unpacked
from tests.previous.words import Field, Words, words_of_this_program
from tests.servers import a_postgres_server
from workflows.contract import KNOWN_PROCEDURES, PROCEDURE

FILE = Path(__file__).with_name("release.json")
HISTORIES = PROJECT / "tests" / "replay" / "histories"

_COLUMNS = """
    select relname || '.' || attname, format_type(atttypid, atttypmod),
        attnotnull and not atthasdef and attidentity = '' as is_to_be_given,
        attnotnull
    from pg_attribute join pg_class on pg_class.oid = attrelid
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and attnum > 0 and not attisdropped
    order by 1
"""
_RULES = """
    select conrelid::regclass::text as of, pg_get_constraintdef(oid) as rule
    from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
    union
    select indrelid::regclass::text, 'unique index ' || pg_get_indexdef(indexrelid)
    from pg_index join pg_class on pg_class.oid = indexrelid
    where indisunique and relnamespace = 'public'::regnamespace
        and not exists (select from pg_constraint where conindid = indexrelid)
    union
    select tgrelid::regclass::text, pg_get_triggerdef(pg_trigger.oid)
    from pg_trigger where not tgisinternal
    order by 1, 2
"""
_FUNCTIONS = """
    select oid::regprocedure::text as signature, pg_get_function_result(oid) as result
    from pg_proc where pronamespace = 'public'::regnamespace
    order by 1
"""


@dataclass(frozen=True)
class Column:
    kind: str
    is_to_be_given: bool  # not null, and without a default
    not_null: bool


@dataclass(frozen=True)
class Structure:
    """What a program relies on in the database. Columns by table.column, rules by table, functions by signature."""

    columns: dict[str, Column]
    rules: dict[str, list[str]]
    functions: dict[str, str]

    @property
    def tables(self) -> set[str]:
        return {name.partition(".")[0] for name in self.columns}


@dataclass(frozen=True)
class Release:
    """`begins_with` is the procedure that its runs begin with, and `knows` are those that it can carry on. `histories` are the
    checksums of the lives that were recorded of them.
    """

    program: str
    commit: str
    newest_migration: str
    begins_with: int
    knows: list[int]
    words: Words
    histories: dict[str, str]
    structure: Structure
    statements: dict[str, str]


async def structure_of(connection: Connection) -> Structure:
    rules: dict[str, list[str]] = {}
    for table, rule in await connection.fetch(_RULES):
        rules.setdefault(table, []).append(rule)
    columns = {name: Column(*told) for name, *told in await connection.fetch(_COLUMNS)}
    functions = {row["signature"]: row["result"] for row in await connection.fetch(_FUNCTIONS)}
    return Structure(columns, rules, functions)


def recorded() -> Release:
    told: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    given = told.pop("structure")
    columns = {name: Column(**column) for name, column in given["columns"].items()}
    structure = Structure(columns, given["rules"], given["functions"])
    said = told.pop("words")
    fields = {kind: {name: Field(**each) for name, each in its.items()} for kind, its in said.pop("fields").items()}
    return Release(**told, words=Words(**said, fields=fields), structure=structure)


def all_statements() -> dict[str, str]:
    subjects = sorted(file.stem for file in FOLDER.glob("*.sql"))
    return {f"{subject}.{each.name}": each.sql for subject in subjects for each in load(subject).values()}


def checksums() -> dict[str, str]:
    """Of the recorded lives, by their place."""
    files = {str(file.relative_to(HISTORIES)): file.read_bytes() for file in HISTORIES.glob("**/*.json")}
    return {place: hashlib.sha256(content).hexdigest() for place, content in sorted(files.items())}


async def this_release(commit: str, database_url: str) -> Release:
    connection = await asyncpg.connect(database_url)
    structure = await structure_of(connection)
    await connection.close()
    return Release(
        program=release_of(PROJECT),
        commit=commit,
        newest_migration=known_versions()[-1],
        begins_with=PROCEDURE,
        knows=list(KNOWN_PROCEDURES),
        words=words_of_this_program(),
        histories=checksums(),
        structure=structure,
        statements=all_statements(),
    )


def record(commit: str) -> None:
    """Of the program that this file stands in."""
    with tempfile.TemporaryDirectory() as home, a_postgres_server(Path(home)) as server:
        server.make_database("release")
        migrate(server.url("release"))
        release = asyncio.run(this_release(commit, server.url("release")))
    FILE.write_text(json.dumps(asdict(release), indent=1) + "\n", "utf-8")
    print(f"{FILE.name}: {release.program}, {len(release.statements)} statements")  # noqa: T201


def record_in_its_own_place(commit: str) -> None:
    """By what is recorded today, whatever that program recorded itself."""
    with tempfile.TemporaryDirectory() as folder:
        there = unpacked(commit, Path(folder))
        of_it = there / FILE.parent.relative_to(PROJECT)
        shutil.copytree(FILE.parent, of_it, dirs_exist_ok=True)
        command = [sys.executable, "-m", "tests.previous.record", "--here", commit]
        subprocess.run(command, cwd=there, env={**os.environ, **environment_of(there)}, check=True)
        shutil.copy(of_it / FILE.name, FILE)


def main() -> None:
    match sys.argv[1:]:
        case ["--here", commit]:
            record(commit)
        case given:
            (named,) = given or ["HEAD"]
            found = subprocess.run(
                ["git", "rev-parse", f"{named}^{{commit}}"], cwd=PROJECT, capture_output=True, check=True
            )
            record_in_its_own_place(found.stdout.decode().strip())


if __name__ == "__main__":
    main()
