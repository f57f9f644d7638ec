"""The kinds of text fields that bodies are made of: how long, on how many lines, required or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.contact import MAX_EMAIL_CHARACTERS, parse_email, parse_phone
from api.validation import wrong
from domain.errors import Invalid
from domain.free_text import MAX_DESCRIPTION_CHARACTERS, MAX_TITLE_CHARACTERS, clean_line, clean_text

MAX_NAME_CHARACTERS = 100
MAX_ADDRESS_CHARACTERS = 200


class Body(BaseModel):
    """A body as it is sent. A misspelt field would be lost without a word, so it is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """A body as it is answered."""

    model_config = ConfigDict(frozen=True)


def _checked(check: Callable[[str], str], mend: str) -> AfterValidator:
    """Turns a refusal of the domain into a finding about one field; what is blank counts as left out."""

    def validate(text: str | None) -> str | None:
        try:
            return (check(text) or None) if text is not None else None
        except Invalid as error:
            raise wrong(error.message, mend) from None

    return AfterValidator(validate)


def _present(text: str | None) -> str:
    if text is None:
        raise wrong("This must not be empty.", "Write at least one word.")
    return text


def _text(at_most: int) -> AfterValidator:
    mend = f"Write at most {at_most:,} characters. Line breaks, emoji and every script are fine; control characters are not."
    return _checked(lambda text: clean_text(text, at_most=at_most), mend)


def _line(at_most: int) -> AfterValidator:
    mend = f"Write at most {at_most:,} characters, without control characters."
    return _checked(lambda text: clean_line(text, at_most=at_most), mend)


Text = Annotated[
    str,
    _text(MAX_DESCRIPTION_CHARACTERS),
    AfterValidator(_present),
    Field(json_schema_extra={"minLength": 1, "maxLength": MAX_DESCRIPTION_CHARACTERS}),
]
"""A text that must be there, on any number of lines."""

OptionalText = Annotated[
    str | None, _text(MAX_DESCRIPTION_CHARACTERS), Field(json_schema_extra={"maxLength": MAX_DESCRIPTION_CHARACTERS})
]
Title = Annotated[str | None, _line(MAX_TITLE_CHARACTERS), Field(json_schema_extra={"maxLength": MAX_TITLE_CHARACTERS})]
Name = Annotated[str | None, _line(MAX_NAME_CHARACTERS), Field(json_schema_extra={"maxLength": MAX_NAME_CHARACTERS})]
Address = Annotated[
    str | None, _line(MAX_ADDRESS_CHARACTERS), Field(json_schema_extra={"maxLength": MAX_ADDRESS_CHARACTERS})
]
Code = Annotated[str, Field(max_length=MAX_NAME_CHARACTERS)]
"""A code of the policy: of a category, a department, a reason."""

_PHONE = _checked(
    lambda text: parse_phone(text) if text.strip() else "",
    "Write a number like 13800138000, or with its country code, like +86 138 0013 8000.",
)
Phone = Annotated[str | None, Field(max_length=50), _PHONE]
RequiredPhone = Annotated[str, Field(max_length=50), _PHONE, AfterValidator(_present)]
Email = Annotated[
    str | None,
    Field(max_length=MAX_EMAIL_CHARACTERS),
    _checked(lambda text: parse_email(text.strip()) if text.strip() else "", "Write an address like name@example.org."),
]
