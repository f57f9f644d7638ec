"""docs/privacy.md says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from domain.audit import Kind
from domain.retention import Because
from workflows.schedules import ERASURE_DEMANDS, RETENTION

PROJECT = Path(__file__).parents[2]
DOCUMENT = (PROJECT / "docs" / "privacy.md").read_text()
SCHEMA = (PROJECT / "db" / "schema.sql").read_text()
ERASURE = (PROJECT / "db" / "queries" / "erasure.sql").read_text()

TABLES = dict(re.findall(r"^create table (\w+) \((.*?)^\);", SCHEMA, re.MULTILINE | re.DOTALL))
SEALED = [
    f"{table}.{column}"
    for table, columns in TABLES.items()
    for column in re.findall(r"^ +(\w+_sealed) ", columns, re.MULTILINE)
]
STAYS = {"erasure_demands", "staff", "classifier_activations"}


def cleared(table: str) -> bool:
    return f"delete from {table} " in ERASURE


@pytest.mark.parametrize("column", SEALED)
def test_document_names_every_sealed_column(column: str) -> None:
    assert f"`{column}`" in DOCUMENT


@pytest.mark.parametrize("column", SEALED)
def test_every_sealed_column_is_erased_or_named_as_staying(column: str) -> None:
    table, _, name = column.partition(".")
    assert table in STAYS or cleared(table) or re.search(rf"\b{name} = (null|'')", ERASURE)


@pytest.mark.parametrize("column", re.findall(r"(\w+) = null", ERASURE))
def test_document_names_what_is_erased_of_the_request(column: str) -> None:
    assert f"`requests.{column}`" in DOCUMENT


@pytest.mark.parametrize("word", [*Because, RETENTION, ERASURE_DEMANDS])
def test_document_names_schedules_and_reasons(word: str) -> None:
    assert f"`{word}`" in DOCUMENT


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_readmes_lead_to_the_document(page: str) -> None:
    assert "(docs/privacy.md)" in (PROJECT / page).read_text()


@pytest.mark.parametrize("kind", Kind)
def test_document_names_every_kind_of_look(kind: str) -> None:
    assert f"`{kind}`" in DOCUMENT
