"""How alike two requests are: texts in Chinese and English, places, days, and the score of it all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.similarity import (
    MOST_SHOWN,
    NEARBY_METRES,
    SHOWN_FROM,
    WINDOW,
    Matter,
    alike,
    compare,
    exact_point,
    grams_of,
    metres_between,
    plain_name,
    rank,
    text_evidence,
)
from tests.builders import MONDAY_NINE

CROSSING = (28.2001, 112.9001)
LONG_TEXT = "建设路与人民路交叉口的路灯已经坏了三天，晚上漆黑一片，老人孩子出行很不安全，希望尽快派人维修。"


def a_matter(text: str = "", **changes: Any) -> Matter:
    """About a street light, on Monday at nine, unless told otherwise."""
    values: dict[str, Any] = {"submitted_at": MONDAY_NINE, "categories": ("street_light",), "grams": grams_of(text)}
    return Matter(**(values | changes))


def north_of(point: tuple[float, float], metres: float) -> tuple[float, float]:
    return point[0] + metres / 111_195, point[1]


# --- texts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "one", "other"),
    [
        ("width", "建设路１２号路灯坏了", "建设路12号路灯坏了"),
        ("punctuation", "路灯坏了，三天了！请维修。", "路灯坏了 三天了 请维修"),
        ("case", "The STREET light is out", "the street Light is OUT"),
        ("punctuation between words", "The street-light, here: out!", "The street light here out"),
        ("line breaks", "The street light\nis out", "The street light is out"),
        ("leading zeros", "Lamp 007", "Lamp 7"),
        ("accents in two ways of writing", "Café noise", "Cafe\u0301 noise"),
    ],
)
def test_texts_that_differ_in_looks_only_are_the_same(label: str, one: str, other: str) -> None:
    assert alike(grams_of(one), grams_of(other)) == 1.0


@pytest.mark.parametrize(
    ("label", "asked", "nearer", "farther"),
    [
        ("zh same matter", "小区门口的路灯坏了三天，请尽快维修", "小区门口路灯三天不亮了，请尽快修一修", "楼上邻居半夜装修，噪音太大睡不着"),
        ("en same matter", "The street light at our door is out", "Street light out at our door since Sunday", "Loud music from the bar"),
        ("en word order", "loud music from the bar at night", "at night the bar plays loud music", "the pothole near the bar"),
        ("zh and en do not mix", "路灯坏了三天", "路灯三天不亮", "The street light is out"),
        ("an order of one", "Wasser läuft auf die Straße", "Auf die Strasse läuft Wasser", "Die Laterne ist aus"),
        ("another script", "Сломан фонарь у подъезда", "У подъезда сломан фонарь", "Громкая музыка ночью"),
    ],
)  # fmt: skip
def test_what_says_the_same_is_more_alike(label: str, asked: str, nearer: str, farther: str) -> None:
    text = grams_of(asked)
    one, other = alike(text, grams_of(nearer)), alike(text, grams_of(farther))
    assert one is not None
    assert other is not None
    assert one > other


@pytest.mark.parametrize("text", ["", "   ", "！？。", "😀😀", None])
def test_text_that_says_nothing_is_like_no_other(text: str | None) -> None:
    assert alike(grams_of(text), grams_of("路灯坏了")) is None
    assert text_evidence(grams_of(text), grams_of("路灯坏了"), None) == 0.0


def test_number_is_one_piece_however_long() -> None:
    assert grams_of("13800138000").pieces == {"#13800138000"}


def test_text_beyond_what_is_compared_changes_nothing() -> None:
    start = "路灯坏了，" * 300
    assert grams_of(start + "一") == grams_of(start + "二")


@pytest.mark.parametrize(
    ("label", "text", "share"),
    [
        ("a word of the category says little", "Pothole", (0.0, 0.15)),
        ("so do two", "Street light", (0.1, 0.3)),
        ("so do four characters", "路灯坏了", (0.0, 0.15)),
        ("a street and a house say more", "建设路12号门口路灯坏了", (0.2, 0.5)),
        ("thirty characters say enough", LONG_TEXT, (1.0, 1.0)),
    ],
)
def test_equal_short_texts_say_less_than_equal_long_ones(label: str, text: str, share: tuple[float, float]) -> None:
    evidence = text_evidence(grams_of(text), grams_of(text), 1.0)
    assert share[0] <= evidence <= share[1]


# --- places ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "lat", "long", "exact"),
    [
        ("a point", 28.2001, 112.9001, True),
        ("round in one direction only", 28.2, 112.9001, True),
        ("whole degrees, as a geocoder says that it does not know", 39.0, -77.0, False),
        ("two decimals are a kilometre", 28.21, 112.93, False),
        ("no point", None, None, False),
        ("half a point", 28.2001, None, False),
    ],
)
def test_point_counts_only_where_it_says_a_place(
    label: str, lat: float | None, long: float | None, exact: bool
) -> None:
    assert (exact_point(lat, long) is not None) is exact


@pytest.mark.parametrize(
    ("label", "one", "other", "metres"),
    [
        ("nowhere", CROSSING, CROSSING, 0),
        ("a thousandth of a degree north", (28.0, 112.0), (28.001, 112.0), 111),
        ("a thousandth of a degree east at the equator", (0.0, 10.0), (0.0, 10.001), 111),
        ("a thousandth of a degree east at sixty degrees", (60.0, 10.0), (60.0, 10.001), 56),
        ("over the date line", (0.0, 179.9995), (0.0, -179.9995), 111),
    ],
)
def test_distance_is_along_the_ground(
    label: str, one: tuple[float, float], other: tuple[float, float], metres: float
) -> None:
    assert metres_between(one, other) == pytest.approx(metres, abs=1)


def test_names_are_compared_without_their_looks() -> None:
    assert plain_name(" Willow-Road,  No. ５ ") == plain_name("willow road no 5")
    assert plain_name(" — ") is None
    assert plain_name(None) is None


# --- the score ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "one", "other", "shown"),
    [
        ("one spot, other words", {"text": "路灯坏了", "point": CROSSING}, {"text": "晚上很黑", "point": CROSSING}, True),
        ("one spot, no words", {"point": CROSSING}, {"point": north_of(CROSSING, 30)}, True),
        ("a street further, no words", {"point": CROSSING}, {"point": north_of(CROSSING, 150)}, False),
        ("one address", {"address": "建设路12号"}, {"address": "建设路12号"}, True),
        ("one place", {"place": "人民广场"}, {"place": "人民广场"}, True),
        ("one text, no place", {"text": LONG_TEXT}, {"text": LONG_TEXT}, True),
        ("one text, far apart", {"text": LONG_TEXT, "point": CROSSING}, {"text": LONG_TEXT, "point": north_of(CROSSING, 5000)}, False),
        ("nothing known but the category", {}, {}, False),
        ("one sender, nothing else", {"sender": b"x"}, {"sender": b"x"}, True),
        ("one sender, another kind of thing", {"sender": b"x"}, {"sender": b"x", "categories": ("noise",)}, False),
        ("one spot, another kind of thing", {"point": CROSSING}, {"point": CROSSING, "categories": ("noise",)}, True),
        ("one place a month ago", {"place": "人民广场"}, {"place": "人民广场", "submitted_at": MONDAY_NINE - WINDOW}, False),
    ],
)  # fmt: skip
def test_who_is_shown(label: str, one: dict[str, Any], other: dict[str, Any], shown: bool) -> None:
    assert (compare(a_matter(**one), a_matter(**other)).score >= SHOWN_FROM) is shown


FARTHER: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("distance", {"point": north_of(CROSSING, 10)}, {"point": north_of(CROSSING, 40)}),
    ("days", {"submitted_at": MONDAY_NINE - timedelta(days=1)}, {"submitted_at": MONDAY_NINE - timedelta(days=9)}),
    ("words", {"text": LONG_TEXT[:30]}, {"text": LONG_TEXT[:15]}),
    ("sender", {"sender": b"x"}, {"sender": b"y"}),
    ("category by a guess", {}, {"categories": ("noise", "street_light")}),
    ("another category", {"categories": ("noise", "street_light")}, {"categories": ("noise",)}),
]


@pytest.mark.parametrize(("label", "nearer", "farther"), FARTHER)
def test_score_falls_with_what_separates(label: str, nearer: dict[str, Any], farther: dict[str, Any]) -> None:
    subject = a_matter(LONG_TEXT, point=CROSSING, sender=b"x")
    usual: dict[str, Any] = {"text": LONG_TEXT, "point": CROSSING, "sender": b"z"}
    assert compare(subject, a_matter(**(usual | nearer))).score > compare(subject, a_matter(**(usual | farther))).score


def test_points_decide_where_a_name_says_otherwise() -> None:
    here = a_matter(place="willowroad", point=CROSSING)
    there = a_matter(place="willowroad", point=north_of(CROSSING, 2000))
    assert compare(here, there).score < compare(a_matter(place="willowroad"), there).score


def test_reasons_say_what_is_known_and_what_is_not() -> None:
    one = a_matter(LONG_TEXT, point=CROSSING, place="a", sender=b"x")
    other = a_matter(LONG_TEXT, point=north_of(CROSSING, 18), place="a", submitted_at=MONDAY_NINE - timedelta(hours=36))
    found = compare(one, other)
    assert found.text == 1.0
    assert found.metres == pytest.approx(18, abs=0.1)
    assert (found.same_place, found.same_address, found.same_sender, found.same_category) == (True, False, False, True)
    assert found.days == 1.5
    nothing = compare(a_matter(), a_matter(categories=()))
    assert (nothing.text, nothing.metres, nothing.same_category) == (None, None, False)


MATTERS = st.builds(
    a_matter,
    text=st.one_of(st.text(max_size=80), st.sampled_from(["", LONG_TEXT, LONG_TEXT[:20], "The street light is out"])),
    point=st.none() | st.tuples(st.floats(-89, 89), st.floats(-180, 180)) | st.just(CROSSING),
    place=st.sampled_from([None, "a", "b"]),
    address=st.sampled_from([None, "a", "b"]),
    sender=st.sampled_from([None, b"a", b"b"]),
    categories=st.sampled_from([(), ("noise",), ("noise", "litter"), ("litter", "noise")]),
    submitted_at=st.timedeltas(timedelta(0), timedelta(days=400)).map(lambda age: MONDAY_NINE - age),
)


@given(MATTERS, MATTERS)
def test_score_is_the_same_both_ways_and_between_nothing_and_certain(one: Matter, other: Matter) -> None:
    assert compare(one, other) == compare(other, one)
    assert 0 <= compare(one, other).score <= 1


@given(MATTERS, MATTERS)
def test_nothing_is_more_like_a_request_than_itself(one: Matter, other: Matter) -> None:
    itself = compare(one, one)
    assert itself.score >= compare(one, other).score or not one.categories


# --- the list -------------------------------------------------------------------------------------------------------


def test_list_has_the_likeliest_first_and_of_equals_the_one_sent_first() -> None:
    subject = a_matter(point=CROSSING)
    ages = {"late": 1, "early": 2}
    far = [(name, a_matter(point=north_of(CROSSING, 40), submitted_at=MONDAY_NINE)) for name in ages]
    equal = [(name, a_matter(point=CROSSING, submitted_at=MONDAY_NINE + timedelta(days=sign))) for name, sign in (("after", 1), ("before", -1))]  # fmt: skip
    names = [name for name, _ in rank(subject, [*far, *equal])]
    assert names == ["before", "after", "late", "early"]


def test_list_is_cut_at_its_length_and_at_its_least_score() -> None:
    subject = a_matter(point=CROSSING)
    others = [(number, a_matter(point=north_of(CROSSING, number))) for number in range(0, int(NEARBY_METRES), 3)]
    assert [number for number, _ in rank(subject, others)] == [3 * number for number in range(MOST_SHOWN)]
    assert len(rank(subject, others, most=1000)) == 20  # nearer than 60 metres
    assert rank(subject, others, least=1.0) == []
    assert rank(subject, []) == []
