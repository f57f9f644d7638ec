"""What the workflow takes at all, whoever sends it: one row for each kind of nonsense."""

from __future__ import annotations

import pytest

from domain import commands as c
from domain.errors import Invalid
from domain.forms import LONGEST_CODE, check_form
from domain.request import CITIZEN, Actor, Solved
from tests.builders import a_dispatcher, a_handler, a_lead, a_supervisor

TEXT = "0f0e0d0c-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("label", "command"),
    [
        ("nothing but who acts", c.Accept(a_handler())),
        ("a system without an id", c.Escalate(Actor("system"))),
        ("an admin with a name", c.Escalate(Actor("admin", "Operator 7"), TEXT)),
        ("no text where none is needed", c.Urge(CITIZEN)),
        ("the highest rating", c.Rate(CITIZEN, Solved.YES, 5, TEXT)),
        ("the lowest rating", c.Rate(CITIZEN, Solved.NO, 1)),
        ("a decision to close needs no more", c.Decide(a_supervisor(), c.Decision.CLOSE, TEXT)),
    ],
)
def test_form_that_can_be_written_down_is_taken(label: str, command: c.Command) -> None:
    check_form(command)


@pytest.mark.parametrize(
    ("field", "command"),
    [
        ("note", c.Progress(a_handler(), "The words themselves instead of their id.")),
        ("note", c.Progress(a_handler(), "")),
        ("text", c.Supplement(CITIZEN, "{" + TEXT + "}")),
        ("reason", c.Escalate(a_lead(), "urn:uuid:" + TEXT)),
        ("department", c.Assign(a_dispatcher(), "", "clinic")),
        ("category", c.Assign(a_dispatcher(), "health", "cli\x00nic")),
        ("category", c.Reclassify(a_dispatcher(), "x" * (LONGEST_CODE + 1), TEXT)),
        ("reason_code", c.Decline(a_dispatcher(), "two\nlines")),
        ("target", c.Transfer(a_dispatcher(), "\ud800")),
        ("satisfied", c.Rate(CITIZEN, Solved.YES, 0)),
        ("satisfied", c.Rate(CITIZEN, Solved.YES, 6)),
        ("department", c.Decide(a_supervisor(), c.Decision.ASSIGN, TEXT)),
        ("reason_code", c.Decide(a_supervisor(), c.Decision.DECLINE, TEXT)),
        ("by", c.Accept(Actor("staff", "\x00"))),
        ("by", c.Accept(Actor(""))),
    ],
)
def test_form_that_cannot_be_written_down_is_refused_with_its_field(field: str, command: c.Command) -> None:
    with pytest.raises(Invalid) as raised:
        check_form(command)
    assert raised.value.facts == {"field": field}
