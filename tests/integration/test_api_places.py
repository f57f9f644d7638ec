"""The place of a request, from the body of the citizen to the hand of the dispatcher: its datum, a border, a neighbour."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

from activities.jurisdictions import JurisdictionActivities
from db.sealing import KeyRing
from db.sent_bodies import is_that_body
from domain.classified import FoundBy, Located
from domain.coordinates import Datum, to_gcj02
from domain.policy import City
from policies.loader import load_folder
from settings import DEFAULT_POLICY_DIRECTORY
from supervision.temporal import TemporalServer
from tests.city import a_city, both
from tests.conftest import FreshDatabase
from tests.integration.test_api_actions import a_worker, done, eventually, in_state
from tests.interface import Interface, Submitted, an_interface, problem

DEMO = load_folder(DEFAULT_POLICY_DIRECTORY)
SHANGHAI = (31.1774276, 121.5272106)
SHANGHAI_ON_A_MAP = to_gcj02(*SHANGHAI)


# --- the datum of a point ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def intake(shared_database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(shared_database_url) as interface:
        yield interface


@pytest.fixture(scope="module")
async def chinese_intake(fresh_database: FreshDatabase) -> AsyncIterator[Interface]:
    """Of a city whose telephones say GCJ-02."""
    city = City(both("Small City"), ("zh", "en"), coordinates=Datum.GCJ02)
    async with an_interface(fresh_database(), policy=a_city(city=city)) as interface:
        yield interface


async def stored(interface: Interface, location: dict[str, Any]) -> tuple[Any, ...]:
    request = await interface.submit(location=location)
    row = await interface.row("select lat, long, datum from requests where reference = $1", request.reference)
    return tuple(row)


def a_point(lat: float, long: float, **more: Any) -> dict[str, Any]:
    return {"lat": lat, "long": long, **more}


async def test_point_of_a_chinese_map_is_kept_in_wgs84_with_what_it_was_given_in(intake: Interface) -> None:
    lat, long, datum = await stored(intake, a_point(*SHANGHAI_ON_A_MAP, datum="gcj02"))
    assert (lat, long) == pytest.approx(SHANGHAI, abs=1e-6)
    assert datum == "gcj02"


@pytest.mark.parametrize("datum", [{}, {"datum": "wgs84"}, {"datum": None}])
async def test_point_in_wgs84_is_kept_as_it_is(intake: Interface, datum: dict[str, Any]) -> None:
    assert await stored(intake, a_point(*SHANGHAI, **datum)) == (*SHANGHAI, "wgs84")


async def test_city_says_what_points_without_a_datum_are_given_in(chinese_intake: Interface) -> None:
    lat, long, datum = await stored(chinese_intake, a_point(*SHANGHAI_ON_A_MAP))
    assert (lat, long) == pytest.approx(SHANGHAI, abs=1e-6)
    assert datum == "gcj02"
    assert await stored(chinese_intake, a_point(*SHANGHAI, datum="wgs84")) == (*SHANGHAI, "wgs84")


async def test_point_too_round_to_be_exact_does_not_become_exact(intake: Interface) -> None:
    lat, long, _ = await stored(intake, a_point(31.18, 121.53, datum="gcj02"))
    assert (lat, long) == (round(lat, 2), round(long, 2))


async def test_place_without_a_point_has_no_datum(chinese_intake: Interface) -> None:
    assert await stored(chinese_intake, {"address": "1 North Street"}) == (None, None, None)


async def test_unknown_datum_is_refused_with_those_there_are(intake: Interface) -> None:
    body = {"description": "x", "location": a_point(31.0, 121.0, datum="bd09")}
    found = problem(await intake.http.post("/api/v1/requests", json=body), 422, "invalid")
    assert [error["field"] for error in found["errors"]] == ["location.datum"]


async def test_key_given_before_there_were_datums_stays_good(intake: Interface) -> None:
    """The body is compared as it was then, when nothing was said of a datum."""
    body = {"description": "x", "location": a_point(*SHANGHAI)}
    first = await intake.http.post("/api/v1/requests", json=body, headers={"Idempotency-Key": "old"})
    before = (
        '{"description":"x","title":null,"category":null,"location":{"lat":31.1774276,"long":121.5272106,"address":null,'
        '"place":null},"contact":null,"language":null,"confidential":false,"channel":"api"}'
    )
    kept = await intake.row("select idempotency_body from requests where reference = $1", first.json()["reference"])
    assert is_that_body(intake.services.keys, kept["idempotency_body"], before.encode())
    body["location"] = a_point(*SHANGHAI, datum="gcj02")
    problem(
        await intake.http.post("/api/v1/requests", json=body, headers={"Idempotency-Key": "old"}),
        409,
        "idempotency_conflict",
    )


async def test_text_that_nobody_can_read_leaves_the_point_and_the_place(intake: Interface) -> None:
    lost = KeyRing.from_text("test:" + base64.b64encode(bytes(32)).decode())
    activities = JurisdictionActivities(intake.services.pool, lost, intake.services.policies)
    request = await intake.submit(location=a_point(28.5, 112.5, address="1 North Street"))
    stored = await intake.row("select id from requests where reference = $1", request.reference)
    assert await activities.locate_request(str(stored["id"])) == Located("middle", found_by=FoundBy.POINT)


# --- with the engine --------------------------------------------------------------------------------------------------

IN_THE_NEIGHBOUR = a_point(30.05, 110.3)
BESIDE_THE_BORDER = a_point(30.03, 110.1197)
"""In Morning Bell District, 29 metres from Clear Tone District."""


@pytest.fixture(scope="module")
async def interface(fresh_database: FreshDatabase, temporal_server: TemporalServer) -> AsyncIterator[Interface]:
    """The demonstration city at work."""
    url, address = fresh_database(), temporal_server.address
    async with an_interface(url, address, policy=DEMO, real_time=True) as running, a_worker(url, address):
        await running.employ("dispatcher", "dispatcher")
        yield running


async def seen(interface: Interface, request: Submitted, *states: str) -> dict[str, Any]:
    """The request as a dispatcher sees it when it has arrived, with the facts of its last event."""
    await eventually(lambda: in_state(interface, request, *states))
    full: dict[str, Any] = (await interface.as_staff("dispatcher", f"/requests/{request.reference}")).json()
    return full | {"facts": full["timeline"][-1]["facts"]}


async def told(interface: Interface, request: Submitted, language: str) -> str:
    """What the citizen reads of the end."""
    return str((await interface.look_up(request, **{"Accept-Language": language}))["timeline"][-1]["text"])


async def test_request_in_a_neighbour_waits_for_a_dispatcher_with_the_neighbour_and_its_way_named(
    interface: Interface,
) -> None:
    request = await interface.submit(category="stairwell", location=IN_THE_NEIGHBOUR)
    full = await seen(interface, request, "triage")
    assert (full["triage_reason"], full["district"]) == ("outside_city", None)
    assert full["location"]["datum"] == "wgs84"
    assert full["facts"]["neighbour"] == "still_water"
    assert (full["facts"]["proposal"], full["facts"]["proposal_target"]) == ("transfer", "still_water")

    await done(interface, "dispatcher", request, "transfer", target="still_water")
    assert "静水县政务服务热线" in await told(interface, request, "zh")
    assert "Still Water County" in await told(interface, request, "en")


async def test_declined_citizen_reads_which_neighbour_it_is_and_whom_to_call(interface: Interface) -> None:
    request = await interface.submit(category="stairwell", location={"address": "静水县人民路3号"})
    assert (await seen(interface, request, "triage"))["facts"]["neighbour"] == "still_water"
    await done(interface, "dispatcher", request, "decline", reason_code="still_water")
    for language, county in (("zh", "静水县"), ("en", "Still Water County")):
        words = await told(interface, request, language)
        assert county in words
        assert "0001-12345" in words


async def test_place_outside_of_everything_has_no_proposal(interface: Interface) -> None:
    full = await seen(interface, await interface.submit(category="stairwell", location=a_point(10.0, 10.0)), "triage")
    assert full["triage_reason"] == "outside_city"
    assert not {"neighbour", "proposal"} & full["facts"].keys()


async def test_point_beside_a_border_and_an_address_behind_it_are_for_a_person(interface: Interface) -> None:
    location = BESIDE_THE_BORDER | {"address": "清音区柳音小区2栋"}
    full = await seen(interface, await interface.submit(category="stairwell", location=location), "triage")
    assert (full["triage_reason"], full["district"]) == ("place_in_doubt", "morning_bell")
    assert (full["facts"]["place_doubt"], full["facts"]["place_between"]) == ("near_border", "morning_bell clear_tone")
    where = full["whereabouts"]
    assert (where["area"]["code"], where["found_by"], where["doubt"]) == ("morning_bell", "point", "near_border")
    assert [area["name"] for area in where["between"]] == ["晨钟区", "清音区"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("晨钟区 · 根据定位点", "定位点靠近交界，而文字写的是另一侧: 晨钟区 / 清音区")),
        (
            "en",
            (
                "Morning Bell District · by the point",
                "close to a border",
                "Morning Bell District / Clear Tone District",
            ),
        ),
    ],
)
async def test_page_of_the_staff_says_what_is_in_doubt(
    interface: Interface, language: str, words: tuple[str, ...]
) -> None:
    location = BESIDE_THE_BORDER | {"address": "清音区柳音小区2栋"}
    request = await interface.submit(category="stairwell", location=location)
    await seen(interface, request, "triage")
    headers = await interface.sign_in("dispatcher")
    page = await interface.http.get(f"/staff/requests/{request.reference}?lang={language}", headers=headers)
    assert page.status_code == 200
    for each in words:
        assert each in page.text


async def test_page_of_the_staff_proposes_the_neighbour(interface: Interface) -> None:
    request = await interface.submit(category="stairwell", location=IN_THE_NEIGHBOUR)
    full = await seen(interface, request, "triage")
    assert full["whereabouts"]["area"] == {"code": "still_water", "name": "静水县", "neighbour": True}
    headers = await interface.sign_in("dispatcher")
    page = await interface.http.get(f"/staff/requests/{request.reference}?lang=en", headers=headers)
    assert "Still Water County (outside the city)" in page.text
    assert "Still Water County&#39;s service hotline" in page.text


async def test_doubt_about_the_place_delays_nothing_where_one_department_has_both(interface: Interface) -> None:
    location = BESIDE_THE_BORDER | {"address": "清音区柳音小区2栋"}
    full = await seen(interface, await interface.submit(category="street_light", location=location), "assigned")
    (assigned,) = [event for event in full["timeline"] if event["action"] == "auto_assign"]
    assert assigned["facts"]["place_doubt"] == "near_border"


@pytest.mark.parametrize(
    ("location", "description", "department", "found_by"),
    [
        pytest.param(BESIDE_THE_BORDER, "楼道堆物严重。", "bell_tower_grid_1", "point", id="a point"),
        pytest.param(
            {"address": "听泉路3号"}, "楼道堆物严重。", "willow_grid_1", "place", id="a street in the address"
        ),
        pytest.param(None, "清音区，楼道堆物严重。", "willow_grid_1", "text", id="a district in the description"),
    ],
)
async def test_request_goes_to_the_office_of_the_district(
    interface: Interface, location: dict[str, Any] | None, description: str, department: str, found_by: str
) -> None:
    request = await interface.submit(category="stairwell", location=location, description=description)
    full = await seen(interface, request, "assigned")
    assert full["department"] == department
    (assigned,) = [event for event in full["timeline"] if event["action"] == "auto_assign"]
    assert assigned["facts"]["place_by"] == found_by


async def test_description_that_names_another_district_than_the_point_is_for_a_person(interface: Interface) -> None:
    request = await interface.submit(
        category="stairwell", location=BESIDE_THE_BORDER, description="清音区，楼道堆物严重。"
    )
    assert (await seen(interface, request, "triage"))["triage_reason"] == "place_in_doubt"
