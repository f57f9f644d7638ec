"""How a phone number and an e-mail address must look to be of use, whichever way a person writes them."""

from __future__ import annotations

import re

import phonenumbers

from domain.errors import Invalid

DEFAULT_REGION = "CN"
"""Where a number without a country code is at home."""

# Only what makes a message undeliverable is refused: one @, something before it, a dotted host after it, no blanks.
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)+")
MAX_EMAIL_CHARACTERS = 254


def parse_phone(text: str, region: str = DEFAULT_REGION) -> str:
    """The number in E.164 form. Raises Invalid for what no phone can be called by."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or number.extension or not phonenumbers.is_valid_number(number):
        raise Invalid("This is not a phone number that can be called.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def parse_email(text: str) -> str:
    """The address as written. Raises Invalid."""
    if len(text) > MAX_EMAIL_CHARACTERS or not _EMAIL.fullmatch(text):
        raise Invalid("This is not an e-mail address.")
    return text
