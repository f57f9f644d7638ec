"""The photos that an answer to a citizen names: whose they may be, and where a category asks for one. Without an engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from db import read_model, views
from domain.record import Entry, Record
from domain.request import Event, State
from tests.city import a_category, a_city
from tests.integration.test_api_citizens import a_picture, upload
from tests.interface import Interface, Submitted, an_interface, problem

ANSWER = {"outcome": "solved", "reply": "The hole is filled."}


@pytest.fixture(scope="module")
async def interface(shared_database_url: str) -> AsyncIterator[Interface]:
    categories = (a_category("pothole", "housing", photo_required=True), a_category("clinic", "health"))
    async with an_interface(shared_database_url, policy=a_city(categories=categories)) as running:
        await running.employ("handler", "handler", departments=["housing"])
        yield running


async def in_progress(interface: Interface, category: str = "pothole") -> Submitted:
    request = await interface.submit()
    await interface.move(request, "in_progress", department="housing", category=category)
    return request


async def added_by_staff(interface: Interface, request: Submitted) -> str:
    answer = await interface.http.post(
        f"/api/v1/staff/requests/{request.reference}/attachments",
        files=[("images", ("x.jpg", a_picture(), "image/jpeg"))],
        headers=await interface.sign_in("handler"),
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["attachments"][0]["id"])


async def resolve_fields(interface: Interface, request: Submitted) -> list[dict[str, Any]]:
    may = (await interface.as_staff("handler", f"/requests/{request.reference}")).json()["may"]
    (fields,) = [entry["fields"] for entry in may if entry["action"] == "resolve"]
    return list(fields)


async def test_a_category_that_asks_for_a_photo_takes_no_answer_without_one(interface: Interface) -> None:
    request = await in_progress(interface)
    (error,) = problem(await interface.act("handler", request, "resolve", ANSWER), 422, "invalid")["errors"]

    assert error["field"] == "attachments"
    assert "/attachments" in error["mend"]
    fields = {field["name"]: field for field in await resolve_fields(interface, request)}
    assert (fields["attachments"]["type"], fields["attachments"]["required"]) == ("attachments", True)


async def test_a_photo_that_staff_added_lets_the_answer_go_on_to_the_engine(interface: Interface) -> None:
    request = await in_progress(interface)
    photo = await added_by_staff(interface, request)
    answer = await interface.act("handler", request, "resolve", ANSWER | {"attachments": [photo]})

    problem(answer, 503, "engine_unavailable")


async def test_other_categories_need_no_photo(interface: Interface) -> None:
    request = await in_progress(interface, "clinic")

    problem(await interface.act("handler", request, "resolve", ANSWER), 503, "engine_unavailable")
    assert not any(field["required"] for field in await resolve_fields(interface, request) if field["name"] == "attachments")  # fmt: skip


async def test_a_photo_that_is_not_one_of_staff_for_this_request_is_named(interface: Interface) -> None:
    request, other = await in_progress(interface), await in_progress(interface)
    of_citizen = (await upload(interface, request, a_picture())).json()["attachments"][0]["id"]
    wrong = [str(uuid4()), await added_by_staff(interface, other), of_citizen]
    mine = await added_by_staff(interface, request)
    refused = await interface.act("handler", request, "resolve", ANSWER | {"attachments": [mine, *wrong]})

    errors = problem(refused, 422, "invalid")["errors"]
    assert {error["field"] for error in errors} == {"attachments"}
    assert [photo for error in errors for photo in [mine, *wrong] if photo in error["reason"]] == wrong


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        pytest.param("photo", "attachments", id="no list"),
        pytest.param(["photo"], "attachments.0", id="no id"),
        pytest.param([7], "attachments.0", id="a number"),
        pytest.param([str(uuid4())] * 11, "attachments", id="more than a request can have"),
    ],
)
async def test_what_is_no_list_of_ids_is_refused(interface: Interface, sent: Any, field: str) -> None:
    request = await in_progress(interface)
    refused = await interface.act("handler", request, "resolve", ANSWER | {"attachments": sent})

    (error,) = problem(refused, 422, "invalid")["errors"]
    assert error["field"] == field
    assert error["mend"]


async def opened(interface: Interface, request: Submitted, photo: str) -> list[int]:
    """What the interface and the page answer to the citizen of that request who asks for that photo."""
    address = f"/api/v1/requests/{request.reference}/attachments/{photo}"
    page = request.status_url.removeprefix("http://localhost") + f"/photos/{photo}"
    answers = [await interface.http.get(address, headers=request.headers), await interface.http.get(page)]
    return [answer.status_code for answer in answers]


async def test_a_citizen_does_not_see_what_staff_keep_for_themselves(interface: Interface) -> None:
    request = await in_progress(interface)
    kept = await added_by_staff(interface, request)
    (own,) = (await upload(interface, request, a_picture())).json()["attachments"]

    assert (await interface.look_up(request))["attachments"] == [own]
    assert await opened(interface, request, own["id"]) == [200, 200]
    assert await opened(interface, request, kept) == [404, 404]


async def test_a_photo_opens_to_the_citizen_when_the_answer_is_given(interface: Interface) -> None:
    request = await in_progress(interface)
    photo = await added_by_staff(interface, request)
    snapshot = await views.snapshot_by_reference(interface.services.pool, request.reference)
    assert snapshot is not None
    for sequence, action, public in ((9, "resolve", False), (10, "approve", True)):
        assert await opened(interface, request, photo) == [404, 404]
        facts = {"attachment_ids": photo} if action == "resolve" else {}
        event = Event(sequence, interface.clock(), action, "staff", "", None, State.RESOLVED, public, facts=facts)
        moved = replace(snapshot, sequence=sequence, state=State.RESOLVED)
        await read_model.record(interface.services.pool, Record(moved, (Entry(event),)), None, interface.clock())

    assert await opened(interface, request, photo) == [200, 200]


async def test_a_photo_of_one_request_opens_in_no_other(interface: Interface) -> None:
    request, other = await in_progress(interface), await in_progress(interface)
    (own,) = (await upload(interface, request, a_picture())).json()["attachments"]

    assert await opened(interface, other, own["id"]) == [404, 404]
    of_staff = f"/requests/{other.reference}/attachments/{own['id']}"
    assert (await interface.as_staff("handler", of_staff)).status_code == 404
