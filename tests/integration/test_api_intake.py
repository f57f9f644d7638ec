"""Submitting a request over HTTP: what is taken, what is refused and in which words, and what a repetition gets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.references import parse_reference
from tests.interface import Interface, an_interface, problem

REQUESTS = "/api/v1/requests"


@pytest.fixture(scope="module")
async def running(shared_database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(shared_database_url) as interface:
        yield interface


@pytest.fixture
async def interface(running: Interface) -> Interface:
    """Without any request in it."""
    await running.services.pool.execute("truncate requests cascade")
    return running


async def test_a_submission_is_stored_and_answered_while_temporal_is_down(interface: Interface) -> None:
    answer = await interface.http.post(REQUESTS, json={"description": "The street light is out."})

    assert answer.status_code == 201
    receipt = answer.json()
    assert receipt["state"] == "received"
    assert parse_reference(receipt["reference"]) == receipt["reference"]
    assert answer.headers["location"] == f"{REQUESTS}/{receipt['reference']}"
    assert receipt["status_url"] == f"http://localhost/r/{receipt['reference']}/{receipt['token']}"
    waiting = await interface.services.pool.fetch("select kind, payload, delivered_at from inbox")
    assert [(row["kind"], row["delivered_at"]) for row in waiting] == [("submitted", None)]
    assert "street light" not in json.dumps(waiting[0]["payload"])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"description": "💡🚨 坏了 😡"}, id="emoji"),
        pytest.param({"description": "مصباح الشارع مكسور"}, id="right to left"),
        pytest.param({"description": "x" * 4000}, id="4,000 characters"),
        pytest.param({"description": " " + "灯" * 4000 + "\n"}, id="4,000 characters between blanks"),
        pytest.param({"description": "one\r\ntwo\tthree"}, id="line breaks and tabs"),
        pytest.param({"description": "x", "location": {"lat": 89, "long": 0}}, id="a place outside the city"),
        pytest.param({"description": "x", "location": {"lat": 28, "long": 112}}, id="whole numbers as a place"),
        pytest.param({"description": "x", "category": "clinic"}, id="a category"),
        pytest.param({"description": "x", "title": None, "contact": {}, "location": {}}, id="nothing optional"),
        pytest.param({"description": "x", "contact": None, "location": None}, id="null for what is optional"),
        pytest.param({"description": "x", "contact": {"phone": "+1 212 555 0100"}}, id="a phone from abroad"),
    ],
)
async def test_an_unusual_but_sound_request_is_taken(interface: Interface, body: dict[str, Any]) -> None:
    answer = await interface.http.post(REQUESTS, json=body)

    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "description", id="nothing"),
        pytest.param({"description": ""}, "description", id="an empty description"),
        pytest.param({"description": " \n\u3000"}, "description", id="blanks only"),
        pytest.param({"description": "\u200b\u200d\ufeff"}, "description", id="invisible characters only"),
        pytest.param({"description": "x" * 4001}, "description", id="4,001 characters"),
        pytest.param({"description": "before\u0000after"}, "description", id="NUL"),
        pytest.param({"description": "bell \u0007"}, "description", id="a control character"),
        pytest.param({"description": "c1 \u0085 x"}, "description", id="a C1 control character"),
        pytest.param({"description": "half \ud83d pair"}, "description", id="half a surrogate pair"),
        pytest.param({"description": 42}, "description", id="a number for a text"),
        pytest.param({"description": ["x"]}, "description", id="a list for a text"),
        pytest.param({"description": None}, "description", id="null for a text"),
        pytest.param({"description": "x", "title": "t" * 201}, "title", id="a title of 201 characters"),
        pytest.param({"description": "x", "descripton": "y"}, "descripton", id="an unknown field"),
        pytest.param({"description": "x", "category": "no_such"}, "category", id="an unknown category"),
        pytest.param({"description": "x", "category": 7}, "category", id="a number for a category"),
        pytest.param({"description": "x", "location": {"lat": 91, "long": 0}}, "location.lat", id="a latitude of 91"),
        pytest.param(
            {"description": "x", "location": {"lat": 0, "long": -181}}, "location.long", id="a longitude of -181"
        ),
        pytest.param(
            {"description": "x", "location": {"lat": "28", "long": 1}}, "location.lat", id="a text for a latitude"
        ),
        pytest.param(
            {"description": "x", "location": {"lat": True, "long": 1}}, "location.lat", id="true for a latitude"
        ),
        pytest.param({"description": "x", "location": {"lat": 28.1}}, "location", id="half a point"),
        pytest.param({"description": "x", "location": "here"}, "location", id="a text for a location"),
        pytest.param({"description": "x", "contact": {"phone": "110 now"}}, "contact.phone", id="letters in a phone"),
        pytest.param({"description": "x", "contact": {"phone": "138"}}, "contact.phone", id="a phone too short"),
        pytest.param({"description": "x", "contact": {"phone": "1" * 40}}, "contact.phone", id="a phone too long"),
        pytest.param({"description": "x", "contact": {"email": "nobody"}}, "contact.email", id="an e-mail without @"),
        pytest.param({"description": "x", "contact": {"fax": "1"}}, "contact.fax", id="an unknown field within"),
        pytest.param({"description": "x", "language": "fr"}, "language", id="a language the city does not speak"),
        pytest.param({"description": "x", "confidential": "yes"}, "confidential", id="a text for true or false"),
        pytest.param({"description": "x", "channel": "staff"}, "channel", id="a channel of others"),
    ],
)
async def test_a_wrong_field_is_named_with_the_reason_and_how_to_mend_it(
    interface: Interface, body: dict[str, Any], field: str
) -> None:
    answer = await interface.http.post(REQUESTS, content=json.dumps(body), headers={"Content-Type": "application/json"})

    (error,) = problem(answer, 422, "invalid")["errors"]
    assert error["field"] == field
    assert error["reason"].endswith((".", "."))
    assert error["mend"]
    assert await interface.services.pool.fetchval("select count(*) from requests") == 0


async def test_all_wrong_fields_are_named_at_once(interface: Interface) -> None:
    answer = await interface.http.post(REQUESTS, json={"contact": {"phone": "x"}, "language": 3})

    fields = {error["field"] for error in problem(answer, 422, "invalid")["errors"]}
    assert fields == {"description", "contact.phone", "language"}


async def test_a_refusal_never_repeats_what_was_sent(interface: Interface) -> None:
    answer = await interface.http.post(REQUESTS, json={"description": "x", "contact": {"phone": "my secret number"}})

    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "content",
    ["{", "", "nonsense", '{"description": "x"', "[" * 5000, '{"description": ' + "9" * 5000 + "}", b"\xff\xfe{"],
)
async def test_a_body_that_is_no_json_is_malformed(interface: Interface, content: str | bytes) -> None:
    answer = await interface.http.post(REQUESTS, content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422)
    problem(answer, answer.status_code, "invalid")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_a_place_is_an_ordinary_number(interface: Interface, number: str) -> None:
    content = f'{{"description": "x", "location": {{"lat": {number}, "long": 1}}}}'
    answer = await interface.http.post(REQUESTS, content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422)
    problem(answer, answer.status_code, "invalid")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_only_json_is_taken(interface: Interface, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await interface.http.post(REQUESTS, content=b'{"description": "x"}', headers=headers)

    problem(answer, 415, "unsupported_media_type")


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read(interface: Interface) -> None:
    answer = await interface.http.post(REQUESTS, json={"description": "x", "title": "y" * 70_000})

    problem(answer, 413, "too_large")


async def test_a_body_beyond_the_limit_in_pieces_is_refused_too(interface: Interface) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1024

    answer = await interface.http.post(REQUESTS, content=pieces(), headers={"Content-Type": "application/json"})

    problem(answer, 413, "too_large")


async def test_marks_that_turn_the_reading_direction_are_taken_out(interface: Interface) -> None:
    request = await interface.submit(title="\u202elamp\u202c \u2066out\u2069")

    assert (await interface.look_up(request))["title"] == "lamp out"


async def test_the_same_key_and_body_get_the_same_answer_and_one_request(interface: Interface) -> None:
    body, headers = {"description": "The lamp is out."}, {"Idempotency-Key": "one-submission"}
    answers = [await interface.http.post(REQUESTS, json=body, headers=headers) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.text for answer in answers}) == 1
    assert await interface.services.pool.fetchval("select count(*) from requests") == 1
    assert await interface.services.pool.fetchval("select count(*) from inbox") == 1


async def test_the_same_key_at_the_same_moment_makes_one_request(interface: Interface) -> None:
    body, headers = {"description": "The lamp is out."}, {"Idempotency-Key": "at-once"}
    answers = await asyncio.gather(*(interface.http.post(REQUESTS, json=body, headers=headers) for _ in range(8)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert await interface.services.pool.fetchval("select count(*) from requests") == 1


async def test_the_same_key_with_another_body_is_a_conflict(interface: Interface) -> None:
    headers = {"Idempotency-Key": "one-submission"}
    await interface.http.post(REQUESTS, json={"description": "The lamp is out."}, headers=headers)
    answer = await interface.http.post(REQUESTS, json={"description": "The road is broken."}, headers=headers)

    problem(answer, 409, "idempotency_conflict")
    assert await interface.services.pool.fetchval("select count(*) from requests") == 1


@pytest.mark.parametrize("key", ["", "k" * 201, "with blank", "schlüssel"])
async def test_a_key_must_be_plain(interface: Interface, key: str) -> None:
    headers = [(b"idempotency-key", key.encode("latin-1"))]
    answer = await interface.http.post(REQUESTS, json={"description": "x"}, headers=headers)

    (error,) = problem(answer, 422, "invalid")["errors"]
    assert error["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("en", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr, en;q=0.5", "en"),
        ("fr", "zh"),
        ("", "zh"),
        (";;q=x,,", "zh"),
    ],
)
async def test_the_language_is_that_of_the_citizens_program_unless_told(
    interface: Interface, header: str, language: str
) -> None:
    await interface.http.post(REQUESTS, json={"description": "x"}, headers={"Accept-Language": header})

    assert await interface.services.pool.fetchval("select language from requests") == language


async def test_an_unknown_address_and_a_wrong_method_are_problems_too(interface: Interface) -> None:
    problem(await interface.http.get("/api/v1/nothing"), 404, "not_found")
    problem(await interface.http.delete(REQUESTS), 405, "method_not_allowed")


_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from(
    ["description", "title", "category", "location", "contact", "language", "confidential", "channel", "lat", "phone"]
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(_FIELDS, _ANY_JSON, max_size=5) | _ANY_JSON)
async def test_whatever_is_sent_is_taken_or_refused_and_never_a_failure(interface: Interface, body: Any) -> None:
    answer = await interface.http.post(REQUESTS, content=json.dumps(body), headers={"Content-Type": "application/json"})

    assert answer.status_code == 201 or 400 <= answer.status_code < 500, answer.text
