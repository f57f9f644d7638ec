"""The parts of an SMS: our count against the standard's limits, and against another implementation."""

from __future__ import annotations

import pytest
import smsutil  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from domain.sms import count_parts, fits_gsm

PARTS = [
    ("an empty text is still one SMS", "", 1),
    ("160 letters fill one", "x" * 160, 1),
    ("161 letters need the joining header", "x" * 161, 2),
    ("two joined parts hold 306", "x" * 306, 2),
    ("307 make the third", "x" * 307, 3),
    ("80 brackets are 160 septets", "[" * 80, 1),
    ("81 brackets are two parts", "[" * 81, 2),
    ("the euro sign stands in the extension table", "€" + "x" * 158, 1),
    ("and takes two septets", "€" + "x" * 159, 2),
    ("an escape is never parted from its character", "x" * 152 + "[" + "x" * 152, 3),
    ("accents of the basic table cost nothing more", "é" * 160, 1),
    ("70 Chinese characters fill one", "诉" * 70, 1),
    ("71 need two", "诉" * 71, 2),
    ("two joined parts hold 134", "诉" * 134, 2),
    ("135 make the third", "诉" * 135, 3),
    ("one Chinese character turns 71 letters into UCS-2", "诉" + "x" * 70, 2),
    ("an emoji is two units", "😀" * 35, 1),
    ("36 emoji are two parts", "😀" * 36, 2),
    ("a surrogate is never parted from its twin", "诉" * 66 + "😀" + "诉" * 66, 3),
]


@pytest.mark.parametrize(("text", "parts"), [row[1:] for row in PARTS], ids=[row[0] for row in PARTS])
def test_parts_of_a_text(text: str, parts: int) -> None:
    assert count_parts(text) == parts


@pytest.mark.parametrize("text", ["plain", "^{}\\[~]|€\f", "ÄÖÑÜ§¿äöñüà", "ΔΦΓΛΩΠΨΣΘΞ\r\n"])
def test_gsm_alphabet_writes_it(text: str) -> None:
    assert fits_gsm(text)


@pytest.mark.parametrize("text", ["诉求", "ç", "“quoted”", "tab\there", "`", "😀"])
def test_gsm_alphabet_cannot_write_it(text: str) -> None:
    assert not fits_gsm(text)


@given(st.text(alphabet="x[€é诉😀", max_size=500))
def test_parts_agree_with_another_implementation(text: str) -> None:
    assert count_parts(text) == max(1, len(smsutil.split(text).parts))
