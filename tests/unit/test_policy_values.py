"""The policy as a value: lookups, its version, the way to plain JSON and back, and the shortened one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.coordinates import Datum
from domain.durations import Clock, Unit
from domain.plain import Malformed
from domain.policy import from_plain, in_language, shortened, to_plain, version_of
from policies.loader import load_folder
from settings import DEFAULT_POLICY_DIRECTORY
from tests.city import a_category, a_city

DEMO = load_folder(DEFAULT_POLICY_DIRECTORY)


def test_policy_survives_json_without_loss() -> None:
    content = to_plain(DEMO)
    back = from_plain(json.loads(json.dumps(content)))
    assert back == DEMO
    assert back.version == DEMO.version
    assert to_plain(back) == content


def test_version_is_that_of_the_content_whatever_the_order_of_its_keys() -> None:
    content = to_plain(DEMO)
    assert DEMO.version == version_of(content) == version_of(dict(reversed(content.items())))
    assert len(DEMO.version) == 16


def test_every_change_makes_another_version() -> None:
    one, other = a_city(), a_city(categories=(a_category("street_light", "health"),))
    assert one.version == a_city().version
    assert one != other


def test_policy_read_under_a_name_keeps_it() -> None:
    assert from_plain(to_plain(DEMO), "0123456789abcdef").version == "0123456789abcdef"


def test_policy_kept_before_there_were_neighbours_and_datums_is_read_as_it_was_meant() -> None:
    content = to_plain(DEMO)
    for later in ("neighbours", "places"):
        del content[later]
    for later in ("coordinates", "border_metres"):
        del content["city"][later]
    for category in content["categories"]:
        del category["district_office"]
    old = from_plain(content, "0123456789abcdef")
    assert (old.version, old.neighbours, old.places) == ("0123456789abcdef", (), {})
    assert (old.city.coordinates, old.city.border_metres) == (Datum.WGS84, 50)
    assert {category.district_office for category in old.categories} == {None}


def _without_city(content: dict[str, Any]) -> None:
    del content["city"]


def _with_strange_field(content: dict[str, Any]) -> None:
    content["limits"]["colour"] = "green"


def _with_wrong_type(content: dict[str, Any]) -> None:
    content["departments"][3]["code"] = 7


def _with_bad_duration(content: dict[str, Any]) -> None:
    content["service_levels"][0]["accept"] = "soon"


def _with_bad_date(content: dict[str, Any]) -> None:
    content["calendar"]["holidays"][0]["first_on"] = "2026-13-01"


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        pytest.param(_without_city, "city", id="a field is missing"),
        pytest.param(
            _with_strange_field, "limits has a field this program does not know: colour", id="a strange field"
        ),
        pytest.param(_with_wrong_type, r"departments\[3\].code should be a str", id="a wrong type"),
        pytest.param(_with_bad_duration, r"service_levels\[0\].accept: write a duration", id="a bad duration"),
        pytest.param(_with_bad_date, r"holidays\[0\].first_on", id="a bad date"),
    ],
)
def test_content_that_is_no_policy_is_refused_with_the_place(
    damage: Callable[[dict[str, Any]], None], where: str
) -> None:
    content = to_plain(DEMO)
    damage(content)
    with pytest.raises(Malformed, match=where):
        from_plain(content)


def test_content_that_a_newer_program_has_kept_is_read_without_what_it_added() -> None:
    """Old and new programs work side by side in an upgrade, and both follow the policy in force."""
    content = to_plain(DEMO)
    content["weather"] = {"source": "the office"}
    for part in (content["city"], content["departments"][0], content["limits"]):
        part["colour"] = "green"
    assert to_plain(from_plain(content, "a-newer-version")) == to_plain(DEMO)
    _with_wrong_type(content)
    with pytest.raises(Malformed):
        from_plain(content, "a-newer-version")


def test_tree_of_departments_is_walked_upwards_and_downwards() -> None:
    assert [each.code for each in DEMO.above("bell_tower_grid_1")] == [
        "bell_tower_community", "dawn_street", "morning_bell", "supervision",
    ]  # fmt: skip
    assert DEMO.below("dawn_street") == (
        "dawn_street", "bell_tower_community", "bell_tower_grid_1", "bell_tower_grid_2",
    )  # fmt: skip
    assert set(DEMO.below("supervision")) == {each.code for each in DEMO.departments}


def test_lookup_of_an_unknown_code_is_a_key_error() -> None:
    for look_up in (
        DEMO.department,
        DEMO.category,
        DEMO.service_level,
        DEMO.chain,
        DEMO.decline_reason,
        DEMO.transfer_target,
    ):
        with pytest.raises(KeyError):
            look_up("nowhere")
    assert DEMO.decline_reason("court").code == "court"
    assert DEMO.transfer_target("police").code == "police"


def test_text_falls_back_to_the_first_language_there_is() -> None:
    names = {"zh": "路灯", "en": "Street light"}
    assert in_language(names, "en") == "Street light"
    assert in_language(names, "fr") == "路灯"


def test_shortened_policy_counts_every_duration_in_seconds_of_the_wall_clock() -> None:
    short = shortened(DEMO, 20)
    level = short.service_level("default")
    assert level.clock is Clock.WALL
    assert level.resolve.timedelta == timedelta(seconds=100)
    assert short.service_level("utilities").accept.timedelta == timedelta(seconds=2.5)
    assert [rung.after.timedelta.seconds for rung in short.chain("default").rungs] == [0, 20, 60]
    assert short.feedback.reopen_window.timedelta == timedelta(seconds=600)
    assert short.limits.urge_interval.unit is Unit.SECONDS
    assert (short.quiet_hours, short.limits.retention_days) == ((), DEMO.limits.retention_days)
    assert short.version != DEMO.version
