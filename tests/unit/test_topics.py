"""Hot topics on invented messages: what is one matter, who counts, how it is called, and when it is a spike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from classifier.linkage import joined
from classifier.topics import FEWEST_AUTHORS, WINDOW, Message, Period, Topic, topics_of
from domain.spikes import FEWEST_LATELY, Counts, growths
from domain.topics import is_to_warn, same_as

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PERIOD = Period(NOW - WINDOW, NOW)

PLANT = [
    ("青石路搅拌站噪音扰民", "青石路口的混凝土搅拌站昼夜开工，粉尘很大，噪音吵得老人孩子睡不着觉，请环保部门查处。"),
    ("投诉青石路搅拌站粉尘污染", "家住青石路旁，搅拌站的粉尘飘进屋里，夜里机器轰鸣噪音不断，希望关停搬走。"),
    ("青石路附近的搅拌站严重污染环境", "搅拌站没有任何降尘措施，粉尘满天，噪音扰民，居民多次投诉没有人管。"),
    ("请关停青石路搅拌站", "混凝土搅拌站离居民楼只有五十米，凌晨还在开工，噪音和粉尘让人无法生活。"),
    ("青石路搅拌站何时搬走", "每天夜里被搅拌站吵醒，窗台上都是粉尘，环保部门什么时候来查处？"),
    ("反映青石路搅拌站夜间施工噪音", "青石路搅拌站夜间施工，噪音扰民，粉尘污染严重，请有关部门管一管。"),
]  # fmt: skip
SCHOOL = [
    ("Lessons at Mill Lane school in unheated rooms", "The heating of Mill Lane school has been broken for two weeks, children sit in coats in cold classrooms."),
    ("Heating of Mill Lane school is broken", "Our children freeze in cold classrooms at Mill Lane school because the heating is broken again."),
    ("Cold classrooms at Mill Lane school", "No heating since the holidays. The classrooms of Mill Lane school are cold and children wear coats."),
    ("Please repair the heating of Mill Lane school", "The broken heating leaves the classrooms cold, children fall ill at Mill Lane school."),
    ("Mill Lane school heating", "The heating in Mill Lane school is still broken, cold classrooms, children in coats all day."),
]  # fmt: skip
OTHERS = [
    ("路灯不亮", "滨江公园北门的路灯坏了三盏。"), ("公交改线", "希望七路公交车延长到高铁站。"), ("医保报销", "异地住院的费用怎么报销？"),
    ("Stray dogs", "A pack of dogs roams behind the bakery."), ("Bins", "Nobody empties the bins in Harbour Square."),
    ("落户", "请问研究生毕业后怎样办理落户手续？"), ("漏水", "六楼屋顶一下雨就漏水，物业不修。"), ("Taxi", "The driver refused to use the meter."),
    ("停车收费", "小区地面停车费突然涨价，没有公示。"), ("Library", "Could the library open on Sundays?"),
]  # fmt: skip


def messages(told: Sequence[tuple[str, str]], name: str, *, days_ago: float = 20, **changes: Any) -> list[Message]:
    """Each of another author, an hour apart."""
    told_by = [
        Message(f"{name}-{number}", NOW - days_ago * DAY + timedelta(hours=number), title, text, f"{name} {number}")
        for number, (title, text) in enumerate(told)
    ]
    return [replace(each, **changes) for each in told_by]


def background() -> list[Message]:
    """One of the others every day, each of another author."""
    told = [OTHERS[number % len(OTHERS)] for number in range(34)]
    return [
        Message(f"other-{number}", NOW - number * DAY, title, f"{text} {number}", f"other {number}")
        for number, (title, text) in enumerate(told, 1)
    ]


def topics(*parts: Sequence[Message]) -> list[Topic]:
    return topics_of([each for part in (background(), *parts) for each in part], PERIOD)


def test_two_matters_are_two_topics_in_either_language() -> None:
    plant, school = topics(messages(PLANT, "plant"), messages(SCHOOL, "school"))
    assert set(plant.messages) == {f"plant-{number}" for number in range(6)}
    assert set(school.messages) == {f"school-{number}" for number in range(5)}
    assert (plant.size, school.size) == (6, 5)


def test_name_is_a_phrase_that_stands_in_a_message_with_place_and_matter() -> None:
    plant, school = topics(messages(PLANT, "plant"), messages(SCHOOL, "school"))
    assert any(plant.name in f"{title}\n{text}" for title, text in PLANT)
    assert any(school.name in f"{title}\n{text}" for title, text in SCHOOL)
    assert "青石路" in plant.name
    assert "搅拌站" in plant.name
    assert "Mill Lane school" in school.name
    assert plant.named_after.startswith("plant-")


def test_places_are_those_that_several_authors_name() -> None:
    (plant,) = topics(messages(PLANT, "plant"))
    assert plant.places[0] == "青石路"
    (given,) = topics(messages(PLANT, "plant", place="北区"))
    assert "北区" in given.places


def test_one_author_who_writes_again_and_again_makes_no_topic() -> None:
    assert topics(messages(PLANT, "plant", author="the same")) == []
    again = [(title, f"{text}{number}") for number in range(20) for title, text in PLANT[:1]]
    assert topics(messages(again, "again", author="the same")) == []


def test_equal_words_of_nobody_in_particular_are_one_person() -> None:
    again = PLANT[:1] * 20
    assert topics(messages(again, "again", author=None)) == []
    assert len(topics(messages(PLANT, "plant", author=None))) == 1


def test_author_who_repeats_it_counts_once_among_others_and_all_messages_are_behind_it() -> None:
    again = messages(PLANT[:1] * 4, "again", author="plant 0")
    (plant,) = topics(messages(PLANT, "plant"), again)
    assert plant.size == 6
    assert len(plant.messages) == 10


def test_too_few_people_are_no_topic() -> None:
    assert topics(messages(PLANT[: FEWEST_AUTHORS - 1], "plant")) == []


def test_one_place_with_a_trouble_each_is_no_topic() -> None:
    place = "翠竹花园小区"
    troubles = [
        ("电梯停运", "三号楼的电梯坏了半个月。"), ("麻将馆", "楼下通宵打牌，吵闹不休。"), ("学位", "孩子不能就近入学。"),
        ("绿化", "草坪枯死，树木无人修剪。"), ("水压", "早上水压太低，热水器点不着。"), ("快递柜", "通道被快递柜堵住。"),
    ]  # fmt: skip
    told = [(f"{place}{title}", f"{place}{text}") for title, text in troubles]
    assert topics(messages(told, "place")) == []


def test_what_lies_outside_the_period_does_not_count() -> None:
    assert topics(messages(PLANT, "plant", days_ago=40)) == []


def test_same_messages_in_any_order_give_the_same_topics() -> None:
    every = [*background(), *messages(PLANT, "plant"), *messages(SCHOOL, "school")]
    assert topics_of(every[::-1], PERIOD) == topics_of(every, PERIOD)


def test_nothing_gives_nothing() -> None:
    assert topics_of([], PERIOD) == []
    assert topics_of(messages([("", ""), ("?", "!")], "empty"), PERIOD) == []


@pytest.mark.parametrize(
    ("label", "days_ago", "counts", "spike"),
    [("all in the last week", 3, Counts(6, 0), True), ("all before", 20, Counts(0, 6), False)],
)
def test_growth_compares_the_last_fifth_with_before(label: str, days_ago: float, counts: Counts, spike: bool) -> None:
    (plant,) = topics(messages(PLANT, "plant", days_ago=days_ago))
    assert (plant.authors, plant.growth.is_spike) == (counts, spike), label


# --- the rule of a spike --------------------------------------------------------------------------------------------

CITY = Counts(100, 400)


@pytest.mark.parametrize(
    ("label", "topic", "everybody", "spike"),
    [
        ("new, and many at once", Counts(8, 0), CITY, True),
        ("as always", Counts(5, 20), CITY, False),
        ("grown a little", Counts(40, 110), CITY, False),
        ("grown fourfold", Counts(20, 20), CITY, True),
        ("too few people", Counts(FEWEST_LATELY - 1, 0), CITY, False),
        ("everything has grown as much", Counts(8, 8), Counts(400, 400), False),
        ("everything has fallen and it has not", Counts(5, 20), Counts(20, 400), False),
        ("a city that begins", Counts(8, 0), Counts(100, 0), False),
    ],
)
def test_spike(label: str, topic: Counts, everybody: Counts, spike: bool) -> None:
    (growth,) = growths([topic], everybody, 0.2)
    assert growth.is_spike is spike, label


def test_probability_is_that_of_the_binomial() -> None:
    # Three of three lately, where one of five is expected: 0.2 ** 3; the others are one more of each, 21 of 105.
    (growth,) = growths([Counts(3, 0)], Counts(23, 83), 0.2)
    assert growth.probability == pytest.approx(0.2**3)
    assert growth.times is None


def test_more_topics_ask_for_more_certainty() -> None:
    alone = growths([Counts(7, 4)], CITY, 0.2)
    among = growths([Counts(7, 4), *[Counts(1, 4)] * 30], CITY, 0.2)
    assert (alone[0].is_spike, among[0].is_spike) == (True, False)


# --- the same topic again -------------------------------------------------------------------------------------------


def test_topic_goes_on_as_the_one_it_shares_most_with() -> None:
    known = {"old": {1, 2, 3, 4}, "other": {7, 8}, "gone": {20}}
    assert same_as([{3, 4, 5, 6}, {9, 10}, {7, 8, 9}], known) == ["old", None, "other"]
    assert same_as([{1, 2}, {3, 4}], {"old": {1, 2, 3, 4}}) == ["old", None]
    assert same_as([{1, *range(30, 40)}], {"old": {*range(1, 10)}}) == [None]


WEEK = 7 * DAY


@pytest.mark.parametrize(
    ("label", "is_spike", "was_spike", "warned_at", "warns"),
    [
        ("no spike", False, False, None, False),
        ("a new one", True, False, None, True),
        ("it goes on", True, True, NOW - 30 * DAY, False),
        ("it paused for a look", True, False, NOW - DAY, False),
        ("it comes back", True, False, NOW - WEEK, True),
    ],
)
def test_spike_is_warned_of_once(
    label: str, is_spike: bool, was_spike: bool, warned_at: datetime | None, warns: bool
) -> None:
    assert is_to_warn(is_spike, was_spike, warned_at, NOW, WEEK) is warns, label


# --- joining --------------------------------------------------------------------------------------------------------


def test_groups_are_joined_by_the_mean_of_their_pairs_and_not_along_a_chain() -> None:
    chain = [(0, 1, 0.5), (1, 2, 0.3), (2, 3, 0.3)]
    assert joined(4, chain, 0.2, 9.0) == [[0, 1], [2, 3]]


def test_groups_as_like_each_other_as_within_become_one() -> None:
    pairs = [(0, 1, 0.3), (2, 3, 0.3), (0, 2, 0.15), (1, 3, 0.15), (0, 3, 0.15), (1, 2, 0.15)]
    assert joined(4, pairs, 0.2, 0.6) == [[0, 1], [2, 3]]
    assert joined(4, pairs, 0.2, 0.5) == [[0, 1, 2, 3]]
