"""Which characters a person may write."""

from __future__ import annotations

import pytest

from domain.errors import Invalid
from domain.free_text import clean_line, clean_text


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        pytest.param("  plain \n", "plain", id="blanks at the ends"),
        pytest.param("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour", id="every kind of line break"),
        pytest.param("a\tb", "a\tb", id="a tab"),
        pytest.param("👩\u200d🚒 💡", "👩\u200d🚒 💡", id="emoji with joiners"),
        pytest.param("مصباح \u200fالشارع", "مصباح \u200fالشارع", id="right to left with its gentle mark"),
        pytest.param("pay\u202egnp.exe\u202c \u2066x\u2069", "paygnp.exe x", id="marks that force a direction"),
        pytest.param("\u200b\u200d", "", id="nothing that can be seen"),
        pytest.param("\u3000\n", "", id="blanks only"),
        pytest.param("？！", "？！", id="punctuation can be seen"),
    ],
)
def test_a_text_is_kept_as_a_person_meant_it(written: str, kept: str) -> None:
    assert clean_text(written, at_most=100) == kept


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x7f", "\x85", "\x9f", "\ud800"])
def test_a_control_character_is_refused_and_named(character: str) -> None:
    with pytest.raises(Invalid, match=f"Character 3 .*U\\+{ord(character):04X}"):
        clean_text(f"ab{character}c", at_most=100)


def test_the_length_counts_after_the_blanks_are_gone() -> None:
    assert len(clean_text(" " + "灯" * 10 + " ", at_most=10)) == 10
    with pytest.raises(Invalid, match="10 characters: it has 11"):
        clean_text("灯" * 11, at_most=10)


def test_a_line_has_no_line_breaks() -> None:
    assert clean_line(" 1 Lane\r\n\tHouse  2 ", at_most=100) == "1 Lane House 2"
