"""docs/sms.md says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from activities import sending
from activities.providers import kannel
from activities.providers.port import Accepted
from db.notices import NoticeState
from settings import Settings

PROJECT = Path(__file__).parents[2]
DOCUMENT = (PROJECT / "docs" / "sms.md").read_text()


def test_configuration_in_the_document_is_the_one_that_is_deployed_and_tested() -> None:
    assert (PROJECT / "deploy" / "kannel" / "kannel.conf.example").read_text() in DOCUMENT


def test_table_in_the_document_is_the_one_that_is_deployed_and_tested() -> None:
    table = (PROJECT / "deploy" / "kannel" / "receipts.sql").read_text()
    assert "".join(f"  {line}\n" for line in table.splitlines()) in DOCUMENT


@pytest.mark.parametrize("state", list(NoticeState))
def test_document_explains_the_state(state: NoticeState) -> None:
    assert f"| `{state}` |" in DOCUMENT


def test_document_explains_every_answer_of_kannel() -> None:
    bodies = ("", "Not routable")
    answers = [kannel.meaning(status, body) for status in range(200, 600) for body in bodies]
    reasons = {answer.reason for answer in answers if not isinstance(answer, Accepted)}
    assert len(reasons) == 6
    assert [reason for reason in reasons | {sending.TOO_LATE} if f"`{reason}`" not in DOCUMENT] == []


def test_document_names_the_settings_of_kannel() -> None:
    wanted = {f"HUISHENG_{name.upper()}" for name in Settings.__dataclass_fields__ if name.startswith("kannel_")}
    assert wanted <= set(re.findall(r"HUISHENG_\w+", DOCUMENT))
