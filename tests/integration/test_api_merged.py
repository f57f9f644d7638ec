"""What the citizen of a merged request sees of the other one: what the city did, and nothing of the other citizen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.pages.page import WORDS
from db import attachments, read_model, texts, views
from db.attachments import Picture
from domain.record import Entry, Record
from domain.request import Event, State
from tests.integration.test_api_pages import a_page, address_of
from tests.interface import Interface, Submitted, an_interface, problem

SECRET = "My neighbour Wang and I, room 502"


@pytest.fixture
async def interface(database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(database_url) as running:
        yield running


class Life:
    """Events of one request, written into the read model as its engine would."""

    def __init__(self, interface: Interface, request: Submitted) -> None:
        self.interface, self.request, self.events = interface, request, list[Entry]()

    async def has(
        self, action: str, words: str | None = None, *, by: str = "staff", public: bool = True, **facts: str
    ) -> None:
        services, number = self.interface.services, len(self.events) + 1
        at = self.interface.clock() + timedelta(hours=number)
        row = await self.interface.row("select id from requests where reference = $1", self.request.reference)
        text = await texts.keep(services.pool, services.keys, row["id"], words, at) if words else None
        event = Event(number, at, action, by, "", None, State.IN_PROGRESS, public, str(text) if text else None, facts)
        self.events.append(Entry(event))

    async def stands(self, state: State, **changes: Any) -> None:
        pool = self.interface.services.pool
        found = await views.snapshot_by_reference(pool, self.request.reference)
        assert found is not None
        sequence = found.sequence + 10
        snapshot = replace(
            found, state=state, sequence=sequence, department="housing", category="street_light", **changes
        )
        await read_model.record(pool, Record(snapshot, tuple(self.events)), None, self.interface.clock())


async def merged(
    interface: Interface, state: State = State.IN_PROGRESS, **changes: Any
) -> tuple[Submitted, Submitted, Life]:
    """A request with a life of its own, and another that was merged into it."""
    contact = {"name": "A Citizen", "phone": "13800000001"}
    parent = await interface.submit(description=SECRET, contact=contact)
    child = await interface.submit(title="The lamp, again")
    life, own = Life(interface, parent), Life(interface, child)
    await life.has("submit", by="citizen")
    await life.has("auto_assign", by="system", department="housing")
    await life.has("supplement", SECRET, by="citizen")
    await life.has("contact", f"Spoke with {SECRET}", how="phone")
    await life.has("ask_citizen", f"Is it at {SECRET}?")
    await life.has("answer", f"Yes, {SECRET}", by="citizen")
    await life.has("progress", "Between colleagues", public=False)
    await life.has("progress", "The part is ordered.")
    await life.stands(state, **changes)
    await own.has("submit", by="citizen")
    await own.has("merge", parent=parent.reference)
    await own.stands(State.MERGED, parent=parent.reference, parent_state=state)
    return parent, child, life


async def test_the_citizen_reads_what_the_city_did_and_nothing_of_the_other_citizen(interface: Interface) -> None:
    parent, child, _ = await merged(interface)
    answer = await interface.http.get(f"/api/v1/requests/{child.reference}", headers=child.headers)
    standing = answer.json()

    assert [entry["kind"] for entry in standing["timeline"]] == ["submit", "merge", "auto_assign", "progress"]
    assert "The part is ordered." in [entry["said"] for entry in standing["timeline"]]
    for hidden in ("Wang", "502", "colleagues", parent.token, parent.reference):
        assert hidden not in answer.text
    assert (standing["state"], standing["parent_state"], standing["may"]) == ("merged", "in_progress", [])
    html = await a_page(interface, f"{address_of(child)}?lang=en")
    assert WORDS["en"]["state"]["in_progress"] in html
    assert "Wang" not in html


async def test_what_was_written_to_the_other_citizen_is_read_without_what_is_personal_in_it(
    interface: Interface,
) -> None:
    parent, child, life = await merged(interface)
    said = "Dear A Citizen, Mr Nemo in Flat 4B, 19900000001, let us in. Questions: 0731-00001234."
    await life.has("resolve", said)
    reply = life.events[-1].event.text
    await life.stands(State.RESOLVED, reply=reply, resolved_at=interface.clock())
    theirs, own = await interface.look_up(child, **{"Accept-Language": "en"}), await interface.look_up(parent)

    assert theirs["reply"] == "Dear [name], Mr [name] in [address], [phone], let us in. Questions: 0731-00001234."
    assert theirs["reply"] in [entry["said"] for entry in theirs["timeline"]]
    assert own["reply"] == said
    html = await a_page(interface, f"{address_of(child)}?lang=zh")
    assert "Mr [姓名] in [门牌], [电话], let us in." in html


async def test_a_question_to_the_other_citizen_is_work_in_progress(interface: Interface) -> None:
    _, child, _ = await merged(interface, State.AWAITING_CITIZEN)
    standing = await interface.look_up(child)

    assert standing["parent_state"] == "in_progress"
    assert standing["question"] is None


async def test_the_citizen_gets_the_answer_with_its_photos_and_judges_for_themselves(interface: Interface) -> None:
    parent, child, life = await merged(interface)
    services = interface.services
    row = await interface.row("select id from requests where reference = $1", parent.reference)
    theirs, ours = [
        (await attachments.keep(services.pool, services.keys, row["id"], by, [Picture("image/jpeg", b"x")], interface.clock(), at_most=9) or [])[0]
        for by in ("citizen", "staff:1")
    ]  # fmt: skip
    await life.has("resolve", "Repaired.", attachment_ids=str(ours.id))
    reply = life.events[-1].event.text
    await life.stands(State.RESOLVED, reply=reply, resolved_at=interface.clock())
    await interface.move(child, "merged", parent_state="resolved", sequence=90)
    standing = await interface.look_up(child)

    assert standing["reply"] == "Repaired."
    assert standing["may"] == ["rate"]
    assert [picture["id"] for picture in standing["attachments"]] == [str(ours.id)]
    assert (await interface.http.get(standing["attachments"][0]["url"], headers=child.headers)).content == b"x"
    other = standing["attachments"][0]["url"].replace(str(ours.id), str(theirs.id))
    assert (await interface.http.get(other, headers=child.headers)).status_code == 404
    assert (await interface.tell(child, "rate", solved="yes", satisfied=5)).status_code == 202


async def test_before_the_answer_it_cannot_be_rated_and_its_reply_is_not_shown(interface: Interface) -> None:
    _, child, life = await merged(interface)
    await life.has("resolve", "Not checked yet.", public=False)
    await life.stands(State.IN_REVIEW, reply=life.events[-1].event.text)

    assert (await interface.look_up(child))["reply"] is None
    problem(await interface.tell(child, "rate", solved="yes", satisfied=5), 409, "not_allowed")


@pytest.mark.parametrize(("days", "may"), [(29, ["rate"]), (31, [])])
async def test_it_can_be_rated_as_long_as_the_other_one_could_be_reopened(
    interface: Interface, days: int, may: list[str]
) -> None:
    parent, child, _ = await merged(interface, State.CLOSED)
    await interface.move(parent, "closed", resolved_at=interface.clock() - timedelta(days=days), sequence=90)
    await interface.move(child, "merged", parent_state="closed", sequence=90)

    assert (await interface.look_up(child))["may"] == may
    assert (await interface.tell(child, "rate", solved="yes", satisfied=5)).status_code == (202 if may else 409)


async def test_once_separate_again_nothing_of_the_other_one_is_shown(interface: Interface) -> None:
    _, child, _ = await merged(interface)
    await interface.move(child, "triage", parent=None, parent_state=None, sequence=90)

    assert [entry["kind"] for entry in (await interface.look_up(child))["timeline"]] == ["submit", "merge"]


async def test_of_an_erased_request_nothing_of_the_other_one_is_shown(interface: Interface) -> None:
    _, child, _ = await merged(interface)
    await interface.services.pool.execute("update requests set erased_at = now() where reference = $1", child.reference)

    assert [entry["kind"] for entry in (await interface.look_up(child))["timeline"]] == ["submit", "merge"]
