"""The rules that migrations keep to: nobody waits for long, and the program of before goes on working.

squawk knows what locks which statement takes; what it has no opinion on is not allowed unless it stands here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from db.migrating import Migration, all_migrations
from db.statements import FOLDER as QUERIES

SQUAWK = Path(sysconfig.get_path("scripts")) / "squawk"
PROJECT = Path(__file__).parents[2]
CONFIGURATION = PROJECT / "db" / "squawk.toml"

ALLOWED = re.compile(
    r"(create( unique)? (table|index)|alter table|create( or replace)? (function|trigger)|drop|comment on)\b"
    r"|insert into \w+ (\([\w, ]+\) )?values\b"
    r"|update compatible_from set version = '\d{14}'$"
)
"""How a statement begins. Rows of tables that grow are changed by the program, in batches, while everybody works."""

HEAVY = re.compile(r"\b(set (un)?logged|tablespace|attach|detach|cluster|inherit|replica identity)\b")
"""What squawk lets pass in `alter table`, and what rewrites the table or takes it away for long."""

ALONE = re.compile(r"create( unique)? index concurrently if not exists \w+ |drop index concurrently if exists \w+$")
"""Outside a transaction. Such a statement may be carried out again: what was cut off has been removed before."""

TAKES_AWAY = frozenset({
    "ban-drop-column", "ban-drop-table", "ban-drop-function", "ban-drop-default", "renaming-column", "renaming-table",
    "changing-column-type",
})  # fmt: skip
"""The program of before may need it: the migration has to say from which program on nobody does."""

BEFORE_THE_FIRST_RELEASE = "no city had a row in these tables when this was applied"
EXCEPTIONS = {
    ("20261122000002", "require-concurrent-index-creation"): BEFORE_THE_FIRST_RELEASE,
    ("20261122000003", "require-concurrent-index-creation"): BEFORE_THE_FIRST_RELEASE,
    ("20261122000004", "require-concurrent-index-creation"): BEFORE_THE_FIRST_RELEASE,
    ("20261122000010", "require-concurrent-index-creation"): BEFORE_THE_FIRST_RELEASE,
    ("20261122000011", "adding-foreign-key-constraint"): "classifier_activations has a row for each change of model",
}
"""Findings that stand, by version and rule, each with its reason."""


def squawk(migration: Migration) -> set[str]:
    """The rules of squawk that it breaks."""
    told = subprocess.run(
        [str(SQUAWK), f"--config={CONFIGURATION}", "--reporter=json", "--stdin-filepath=migration.sql",
         *(["--assume-in-transaction"] if migration.in_transaction else [])],
        input=migration.sql, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return {finding["rule_name"] for finding in json.loads(told.stdout)}


def statements(sql: str) -> list[str]:
    """In lower case, without comments and the bodies of functions, each on one line."""
    bare = re.sub(r"\$\$.*?\$\$|--[^\n]*", "", sql, flags=re.DOTALL)
    return [" ".join(each.split()).lower() for each in bare.split(";") if each.strip()]


def findings(migration: Migration) -> set[str]:
    found = squawk(migration)
    given = statements(migration.sql)
    found |= {f"not allowed: {each[:40]}" for each in given if not ALLOWED.match(each)}
    found |= {f"heavy: {each[:40]}" for each in given if each.startswith("alter table") and HEAVY.search(each)}
    if not migration.in_transaction and not (len(given) == 1 and ALONE.match(given[0])):
        found.add("alone: one index that is made or dropped `concurrently if [not] exists`")
    if found & TAKES_AWAY and not any(each.startswith("update compatible_from") for each in given):
        found.add("takes something away: say in compatible_from from which program on nobody needs it")
    return found


@pytest.mark.parametrize("migration", all_migrations(), ids=lambda migration: migration.name)
def test_migration_is_in_nobodys_way_and_takes_nothing_away(migration: Migration) -> None:
    assert {rule for rule in findings(migration) if (migration.version, rule) not in EXCEPTIONS} == set()


def test_exceptions_are_those_that_are_needed() -> None:
    found = {(each.version, rule) for each in all_migrations() for rule in findings(each)}
    assert EXCEPTIONS.keys() - found == set()


CARELESS = {
    "index that stops writing": "create index i on requests (place)",
    "index without a name to go on from": "-- alone\ncreate index concurrently i on requests (place)",
    "two statements without a transaction": "-- alone\ncreate index concurrently if not exists i on events (at); select 1",
    "default that is another for each row": "alter table requests add column x uuid default gen_random_uuid()",
    "column that is computed for each row": "alter table requests add x text generated always as (lower(place)) stored",
    "column that old programs do not fill": "alter table requests add column x text not null",
    "not null without a validated check": "alter table requests alter column place set not null",
    "type that rewrites the table": "alter table requests alter column place type varchar(9)",
    "check that reads the whole table": "alter table requests add constraint c check (lat > 0)",
    "key that reads the whole table": "alter table requests add constraint c foreign key (place) references places (name)",
    "unique that reads the whole table": "alter table requests add constraint c unique (place)",
    "column renamed under the old program": "alter table requests rename column place to spot",
    "table renamed under the old program": "alter table requests rename to matters",
    "column taken from the old program": "alter table requests drop column place",
    "table taken from the old program": "drop table topics",
    "function taken from the old program": "drop function judged_requests",
    "default taken from the old program": "alter table requests alter column confidential drop default",
    "index dropped while all wait": "drop index requests_by_place",
    "all rows changed at once": "update requests set place = lower(place)",
    "all rows changed by a block": "do $$ begin update requests set place = ''; end $$",
    "rows deleted": "delete from looks",
    "rows copied": "insert into matters select * from requests",
    "table emptied": "truncate looks",
    "table locked": "lock table requests",
    "table made of another": "create materialized view v as select * from requests",
    "table rewritten": "alter table requests set unlogged",
    "table sorted": "cluster requests",
}

CAREFUL = {
    "column": "alter table requests add column x text",
    "column with a constant": "alter table requests add column x int not null default 0",
    "check for what comes from now on": "alter table requests add constraint c check (lat > 0) not valid",
    "check of what is there": "alter table requests validate constraint c",
    "table with an index": "create table matters (id uuid primary key, at timestamptz); create index m on matters (at)",
    "index while everybody works": "-- alone\ncreate index concurrently if not exists i on requests (place)",
    "index dropped while everybody works": "-- alone\ndrop index concurrently if exists requests_by_place",
    "function": "create function f() returns int language sql as $$ select 1; select 2 $$",
}


def a_migration(sql: str) -> Migration:
    return Migration("20990101000000", "for_a_test", sql, in_transaction=not sql.startswith("-- alone"))


@pytest.mark.parametrize("label", CARELESS)
def test_careless_statement_is_found(label: str) -> None:
    assert findings(a_migration(CARELESS[label]))


@pytest.mark.parametrize("label", CAREFUL)
def test_careful_statement_is_let_pass(label: str) -> None:
    assert findings(a_migration(CAREFUL[label])) == set()


def test_what_is_taken_away_is_let_pass_only_with_a_reason_and_the_oldest_program() -> None:
    removal = "alter table requests drop column place; update compatible_from set version = '20261122000021'"
    assert findings(a_migration(removal)) == {"ban-drop-column"}


def test_statements_name_their_columns() -> None:
    """Programs that run while a column is added go on with the statements that they have prepared."""
    for file in QUERIES.glob("*.sql"):
        starred = re.findall(r"(?:select|returning|,)\s+(?:\w+\.)?\*(?! from unnest)", file.read_text())
        assert starred == [], file.name


@pytest.mark.parametrize(
    "said",
    [
        "needs a table to itself for a moment, and did not get it",
        "could not be applied; everything works as before",
        "with which programs older than",
    ],
)
def test_upgrade_page_explains_what_the_program_says(said: str) -> None:
    assert said in (PROJECT / "docs" / "upgrades.md").read_text()
    assert any(said in (PROJECT / "db" / name).read_text() for name in ("migrating.py", "migrations.py"))
