"""Finding words however they are written, and words that mean something only together."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.characters import one_form, one_width
from domain.phrases import Listener, groups_of
from domain.policy import Watch
from domain.text_forms import Forms
from tests.city import both


def a_watch(code: str = "gas", **changes: dict[str, tuple[str, ...]]) -> Watch:
    return Watch(code, both(code), **({"words": {}} | changes))  # type: ignore[arg-type]


def heard(text: str, *watches: Watch) -> list[str]:
    return [watch.code for watch in Listener(watches).hear(Forms.of(text))]


@example("Ａ市１０％")
@example("①⑳ ㎡ ℃ ﹝ｶﾞ﹞ e\u0301")
@given(
    st.text(st.characters(min_codepoint=0x20) | st.sampled_from("，。！①⑳㎡℃﹝％Ａ１ﾞｶㄱᄀ\u0301\u0345é"), max_size=12)
)
def test_width_is_that_of_the_normal_form_however_it_is_found(text: str) -> None:
    assert one_width(text) == unicodedata.normalize("NFKC", text)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("as it is", "我不想活了"),
        ("gaps between the characters", "我 不 想 活 了"),
        ("a gap of full width", "我不　想　活　了"),
        ("a line break", "我不想\n活了"),
        ("stars inside", "我不*想*活了"),
        ("stops inside", "我不.想.活.了"),
        ("an ellipsis after each character", "不……想……活……了"),
        ("marks repeated", "不！！想！！活！！了"),
        ("characters that nobody sees", "我不\u200b想\ufeff活了"),
    ],
)
def test_word_is_found_however_it_is_spelled_out(label: str, text: str) -> None:
    assert heard(text, a_watch(words={"zh": ("不想活",)})) == ["gas"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("煤氣洩漏，樓裡聞得到", "煤气泄漏,楼里闻得到"),
        ("孩子沒回來，後面的牆塌了", "孩子没回来,后面的墙塌了"),
        ("ＧＡＳ　ＬＥＡＫ", "gas leak"),
        ("他說要殺我", "他说要杀我"),
        ("停水、停电", "停水、停电"),
        ("Gas - leak", "gas - leak"),
    ],
)
def test_text_has_one_form(written: str, read: str) -> None:
    assert one_form(written) == read


def test_punctuation_between_words_still_parts_them() -> None:
    assert heard("天黑了。路上没有灯", a_watch(words={"zh": ("了路",)})) == []


TOGETHER = a_watch(together={"zh": ("煤气/燃气 味/漏",), "en": ("gas/propane smell/burst_pipe",)})


@pytest.mark.parametrize(
    ("label", "text", "found"),
    [
        ("zh, words between", "燃气有一股很重的味道", True),
        ("zh, the other way round", "闻到味道像煤气", True),
        ("zh, one word only", "请问燃气怎么报装", False),
        ("zh, in the next clause", "刚换的燃气管，一直在漏", True),
        ("zh, in the clause after that", "燃气通了，大家高兴，味道好的饭店在哪", False),
        ("zh, in the next sentence", "燃气通了。味道好的饭店在哪", False),
        ("zh, traditional", "廚房的煤氣在漏", True),
        ("en, words between", "A strong smell, perhaps of gas", True),
        ("en, a word of two words", "The propane tank has a burst pipe", True),
        ("en, one word only", "My gas bill", False),
        ("en, in two sentences", "The gas is on. The smell of bread is good.", False),
        ("en, part of a word", "Gasoline smells", False),
    ],
)
def test_words_that_mean_it_only_together_stand_in_one_clause(label: str, text: str, found: bool) -> None:
    assert heard(text, TOGETHER) == (["gas"] if found else [])


def test_longer_word_that_means_nothing_of_the_kind_takes_its_part_away_from_both() -> None:
    watch = a_watch(
        words={"zh": ("跳楼",)}, together={"zh": ("煤气 漏",), "en": ("gas leak",)},
        unless={"zh": ("跳楼价", "煤气费"), "en": ("gas bill",)},
    )  # fmt: skip
    assert heard("跳楼价", watch) == []
    assert heard("煤气费漏算了", watch) == []
    assert heard("煤气费照交，煤气却在漏", watch) == ["gas"]
    assert heard("The gas bill shows a leak", watch) == []


def test_each_is_heard_once_whatever_says_it() -> None:
    watch = a_watch(words={"zh": ("煤气泄漏",)}, together={"zh": ("煤气 漏",)})
    assert heard("煤气泄漏，煤气在漏，煤气泄漏", watch, a_watch("other", words={"zh": ("没有",)})) == ["gas"]


def test_line_of_the_policy_is_groups_of_words() -> None:
    assert groups_of("gas/burst_pipe  smells", "en") == (frozenset({" gas ", " burst pipe "}), frozenset({" smell "}))


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_listened_to(text: str) -> None:
    assert heard(text, TOGETHER) in ([], ["gas"])
