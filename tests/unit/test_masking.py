"""What is masked of a text, what is not, how much of it on marked sentences, and that a long hostile text costs no more
steps than it has characters, times a constant."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from cli.masking import masking
from cli.masking_measures import Part, SentencesUnusable, left_whole, measure, read_sentences
from domain import personal_doors, personal_names, personal_numbers
from domain.masking import PLACEHOLDERS, masked, personal_data
from domain.personal import Kind, folded

SENTENCES = Path(__file__).parents[1] / "masking" / "sentences.txt"


# --- what is masked -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "text", "shown"),
    [
        ("a name before a title", "请张先生回电", "请[姓名]先生回电"),
        ("a name with an office", "已请李副局长协调", "已请[姓名]副局长协调"),
        ("a name that is hidden by half", "王某某和李某明，都在场", "[姓名]和[姓名]，都在场"),
        ("a compound surname", "欧阳女士来电", "[姓名]女士来电"),
        ("a name said again", "我叫王小明，王小明的房子漏水", "我叫[姓名]，[姓名]的房子漏水"),
        ("a mobile number in full-width digits", "电话１９９００００００３３", "电话[电话]"),
        ("a mobile number in words", "一九九零零零零零零六六", "[电话]"),
        ("a number with invisible blanks", "199\u00a00000\u00a00001", "[电话]"),
        ("an identity number with a slip in it", "身份证99999919900101001X", "身份证[证件号]"),
        ("a card whose check digit is wrong", "卡号6200000000000000001", "卡号[银行账号]"),
        ("a new-energy plate", "粤BD00001", "[车牌]"),
        ("an account", "微信号abc_00000", "微信号[社交账号]"),
        ("an address to the door", "阳光花园3栋2单元501室", "阳光花园[门牌]"),
        ("a house where somebody lives", "家住建设路88号", "家住建设路[门牌]"),
        ("a building alone", "阳光花园3栋的电梯", "阳光花园3栋的电梯"),
        ("a house in a street where something is", "建设路88号门口的井盖", "建设路88号门口的井盖"),
        ("a title alone", "请主任和各位老师回复", "请主任和各位老师回复"),
        ("a word that ends in a surname", "对方律师和班主任、公安局长都在", "对方律师和班主任、公安局长都在"),
        ("thanks before a name", "感谢杨书记，麻烦李主任", "感谢[姓名]书记，麻烦[姓名]主任"),
        ("an office that somebody holds", "2020年任局长", "2020年任局长"),
        ("hotlines", "打12345、110、95598和400-000-1234", "打12345、110、95598和400-000-1234"),
        ("a reference", "编号2611-4829-13704，即2611482913704", "编号2611-4829-13704，即2611482913704"),
        ("a meter that begins with noughts", "电表号000000000000000000", "电表号000000000000000000"),
        ("an order", "订单号6200000000000000001", "订单号6200000000000000001"),
        ("an amount", "共计19900000001元", "共计19900000001元"),
        ("a line of an office", "咨询电话0731-00001234", "咨询电话0731-00001234"),
        ("nothing at all", "", ""),
    ],
)
def test_text_is_shown_without_what_is_personal(label: str, text: str, shown: str) -> None:
    assert masked(text, "zh") == shown


@pytest.mark.parametrize(
    ("label", "text", "shown"),
    [
        ("a title", "Mr Smith and Mrs. O'Neill know", "Mr [name] and Mrs. [name] know"),
        ("an introduction", "My name is Jane Doe.", "My name is [name]."),
        ("a street named after somebody", "Dr Martin Luther King Boulevard", "Dr Martin Luther King Boulevard"),
        ("a phone", "Call (212) 555-0147 or +44 7700 900456", "Call [phone] or [phone]"),
        ("a house number", "I live at 12 Elm Street, Flat 4B", "I live at [address] Elm Street, [address]"),
        ("a street", "Elm Street and 5th Avenue", "Elm Street and 5th Avenue"),
        ("a card", "card 4111 1111 1111 1111", "card [bank account]"),
        ("an e-mail", "write to j.doe@example.com.", "write to [e-mail]."),
        ("a plate", "licence plate ABC 0000 blocks", "licence plate [plate] blocks"),
    ],
)
def test_english_text_is_shown_without_what_is_personal(label: str, text: str, shown: str) -> None:
    assert masked(text, "en") == shown


def test_what_an_office_wrote_keeps_the_lines_to_call_and_no_mobile_number() -> None:
    text = "请致电0731-00001234，或联系张先生19900000001"
    assert masked(text, "zh", of_office=True) == "请致电0731-00001234，或联系[姓名]先生[电话]"
    assert masked(text, "zh") == "请致电[电话]，或联系[姓名]先生[电话]"


def test_known_names_are_masked_wherever_they_stand() -> None:
    assert (
        masked("王小明您好，小明路的井盖已修复", "zh", known=("王小明", " ", "小")) == "[姓名]您好，小明路的井盖已修复"
    )
    assert masked("Dear A Citizen, thank you.", "en", known=("A Citizen",)) == "Dear [name], thank you."


def test_placeholders_are_in_the_language_of_the_reader_and_english_for_others() -> None:
    assert masked("19900000001", "fr") == masked("19900000001", "en") == "[phone]"
    assert all(set(words) == set(Kind) for words in PLACEHOLDERS.values())


@pytest.mark.parametrize("language", PLACEHOLDERS)
def test_what_is_masked_once_stays_as_it_is(language: str) -> None:
    for sentence in read_sentences(SENTENCES):
        once = masked(sentence.text, language)
        assert masked(once, language) == once


def test_folding_keeps_every_character_in_its_place() -> None:
    text = "".join(map(chr, range(0x2000, 0x3400))) + "ﬃ㍿①１Ａ：（"
    assert len(folded(text)) == len(text)
    assert folded("１Ａ：（－　") == "1A:(- "


# --- how much of it ------------------------------------------------------------------------------------------------


FLOORS = {Part.BUILDING: (0.98, 0.98), Part.HELD_OUT: (0.95, 0.93)}
"""Precision and recall; what docs/masking.md says lies above."""


@pytest.mark.parametrize("part", FLOORS)
def test_marked_sentences_are_masked_no_worse_than_the_floor(part: Part) -> None:
    sentences = read_sentences(SENTENCES, part)
    counted, (precision, recall) = measure(sentences), FLOORS[part]
    assert counted.right >= precision * counted.masked
    assert counted.right >= recall * counted.wanted
    whole, innocent = left_whole(sentences)
    assert whole >= 0.97 * innocent


@pytest.mark.parametrize("kind", Kind)
def test_no_kind_is_left_far_behind(kind: Kind) -> None:
    counted = measure(read_sentences(SENTENCES), [kind])
    assert counted.wanted >= 10
    assert counted.right >= 0.9 * max(counted.masked, counted.wanted)


def test_sentences_are_many_and_many_of_them_have_nothing_to_mask() -> None:
    sentences = read_sentences(SENTENCES)
    assert len(sentences) >= 200
    assert left_whole(sentences)[1] >= 0.4 * len(sentences)
    assert min(sum(each.language == language for each in sentences) for language in ("zh", "en")) >= 80


def test_spans_counted_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "sentences.txt"
    file.write_text("# a comment\nzh [name:张]先生，[phone:19900000001]\nzh 张先生\nzh [name:路边草]\nen Elm Street\n")
    counted = measure(read_sentences(file))
    assert (counted.wanted, counted.masked, counted.right, counted.leaking) == (3, 3, 2, 1)
    assert left_whole(read_sentences(file)) == (1, 2)
    assert [len(read_sentences(file, part)) for part in Part] == [2, 2, 4]


@pytest.mark.parametrize(
    ("label", "content", "words"),
    [("no language", "张先生", "line 1"), ("empty", "# nothing\n", "no sentence")],
)
def test_file_that_is_no_list_of_sentences_is_refused(tmp_path: Path, label: str, content: str, words: str) -> None:
    file = tmp_path / "sentences.txt"
    file.write_text(content)
    with pytest.raises(SentencesUnusable, match=words):
        read_sentences(file)


def test_command_prints_figures_and_shows_nothing_that_is_held_out() -> None:
    said = CliRunner().invoke(masking, ["evaluate", "--on", str(SENTENCES)])
    assert said.exit_code == 0, said.output
    assert "| `phone` | " in said.output
    refused = CliRunner().invoke(masking, ["evaluate", "--on", str(SENTENCES), "--misses"])
    assert refused.exit_code == 2
    assert "Sentences that are held out are not shown" in refused.output
    assert CliRunner().invoke(masking, ["show", "请张先生回电"]).output == "请[姓名]先生回电\n"
    lost = CliRunner().invoke(masking, ["evaluate", "--on", "nowhere.txt"])
    assert (lost.exit_code, "nowhere.txt cannot be read" in lost.output) == (1, True)


# --- what it costs --------------------------------------------------------------------------------------------------

# How often a pattern may read a character, begun at one place of the text: the worst case over all texts, counted from
# the pattern itself. A repetition without a bound, or one within another, makes it explode.
MOST_STEPS_FROM_ONE_PLACE = 40_000
WITHOUT_BOUND = 10**9


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in (personal_numbers, personal_names, personal_doors):
        yield from patterns_in(module)


def patterns_in(module: ModuleType) -> Iterator[tuple[str, re.Pattern[str]]]:
    for name, value in vars(module).items():
        for number, each in enumerate(value if isinstance(value, tuple) else (value,)):
            if isinstance(each, re.Pattern):
                yield f"{module.__name__}.{name}[{number}]", each


def ways_and_steps(parts: Any) -> tuple[int, int]:
    """In how many ways a sequence can match from one place, and how many characters are read to try all of them."""
    ways, steps = 1, 0
    for operation, argument in parts:
        mine, read = ways_and_steps_of(str(operation), argument)
        steps += ways * read
        ways *= mine
    return ways, steps


def ways_and_steps_of(operation: str, argument: Any) -> tuple[int, int]:
    match operation:
        case "BRANCH":
            found = [ways_and_steps(branch) for branch in argument[1]]
            return sum(ways for ways, _ in found), sum(steps for _, steps in found)
        case "SUBPATTERN":
            return ways_and_steps(argument[3])
        case "ATOMIC_GROUP":
            return 1, ways_and_steps(argument)[1]
        case "ASSERT" | "ASSERT_NOT":
            return 1, ways_and_steps(argument[1])[1]
        case "MAX_REPEAT" | "MIN_REPEAT":
            return repeated(*argument)
        case "POSSESSIVE_REPEAT":
            return 1, argument[1] * ways_and_steps(argument[2])[1]
        case "AT":
            return 1, 0
    return 1, 1


def repeated(least: int, most: int, inner: Any) -> tuple[int, int]:
    ways, steps = ways_and_steps(inner)
    if most > 1000:
        return WITHOUT_BOUND, WITHOUT_BOUND
    if ways == 1:
        return most - least + 1, most * steps
    return sum(ways**times for times in range(least, most + 1)), steps * sum(ways**times for times in range(most))


@pytest.mark.parametrize(
    ("name", "pattern"), list(patterns()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_pattern_reads_a_bounded_number_of_characters_from_each_place(name: str, pattern: re.Pattern[str]) -> None:
    parsed = importlib.import_module("re._parser").parse(pattern.pattern, pattern.flags)
    _, steps = ways_and_steps(parsed)
    assert steps <= MOST_STEPS_FROM_ONE_PLACE


@pytest.mark.parametrize(
    ("label", "pattern"), [("no bound", r"\d+x"), ("one within another", r"(?:\d{1,9}){1,9}x"), ("lazy", r"a.*?b")]
)
def test_the_count_finds_patterns_that_explode(label: str, pattern: str) -> None:
    parsed = importlib.import_module("re._parser").parse(pattern)
    assert ways_and_steps(parsed)[1] > MOST_STEPS_FROM_ONE_PLACE


def calls_while(work: Callable[[], object]) -> int:
    """How many functions are called, of Python and of C."""
    count = 0

    def counting(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counting)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


HOSTILE = (
    "1", "1 ", "a", "a@", "a.", "@", "张", "张先生", "我叫", "我叫张", "某", "张某", "3栋", "3-", "住", "微信a", "Mr A", "A ", "12 Elm ",
    "62", "卡", "(", "+1-", "身份证1", "一", "A1", "1栋1单元", "Dr ", "O'", "name is A",
)  # fmt: skip


@pytest.mark.parametrize("bait", HOSTILE)
def test_twice_the_hostile_text_takes_no_more_than_twice_the_calls(bait: str) -> None:
    personal_data(bait * 10)
    short, long = (calls_while(lambda text=bait * times: personal_data(text)) for times in (400, 800))  # type: ignore[misc]
    assert long <= 2.2 * short + 200


@pytest.mark.parametrize("part", FLOORS)
def test_document_has_the_figures_that_the_command_prints(part: Part) -> None:
    said = CliRunner().invoke(masking, ["evaluate", "--on", str(SENTENCES), "--part", part.value]).output
    document = (Path(__file__).parents[2] / "docs" / "masking.md").read_text()
    assert said.strip() in document
