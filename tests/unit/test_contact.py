"""Phone numbers and e-mail addresses, written as people write them."""

from __future__ import annotations

import pytest

from api.contact import parse_email, parse_phone
from domain.errors import Invalid


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("13800138000", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("010-12345678", "+861012345678"),
        ("+1 212 555 0100", "+12125550100"),
    ],
)
def test_a_number_is_kept_in_one_form(written: str, number: str) -> None:
    assert parse_phone(written) == number


@pytest.mark.parametrize("written", ["", "110 now", "138", "1" * 40, "13800138000 ext 5", "+86", "00000000000", "💡"])
def test_what_cannot_be_called_is_refused(written: str) -> None:
    with pytest.raises(Invalid):
        parse_phone(written)


@pytest.mark.parametrize("written", ["ann@example.org", "王@例子.公司", "a.b+c@d-e.example"])
def test_an_address_is_kept_as_written(written: str) -> None:
    assert parse_email(written) == written


@pytest.mark.parametrize(
    "written", ["", "ann", "ann@", "@example.org", "ann@example", "a b@example.org", "a@b@c.org", "x" * 250 + "@e.org"]
)
def test_what_cannot_be_delivered_is_refused(written: str) -> None:
    with pytest.raises(Invalid):
        parse_email(written)
