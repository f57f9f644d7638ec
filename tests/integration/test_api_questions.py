"""A question to the citizen: read and answered with the token of the request, or by the one-time link in the SMS."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import httpx2
import pytest

from activities.providers.port import Message
from activities.wording import Wording
from api.pages.page import WORDS
from api.pages.question import WRONG_LINKS
from db import notices, read_model, texts, views
from db.ids import new_id
from db.questions import answer_token
from domain.acts import take
from domain.commands import AskCitizen
from domain.lifecycle import Action, permit
from domain.pauses import PausePlan
from domain.record import Entry, Record
from tests.builders import a_handler
from tests.integration.test_api_pages import BROWSER, Form, _check_secrecy
from tests.interface import Interface, Submitted, an_interface, problem
from tests.notices import OnePolicy, a_city_saying

QUESTION = "Which of the two <lamps>, 左边还是右边?"


@pytest.fixture
async def interface(database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(database_url) as running:
        yield running


async def a_text(interface: Interface, request: Submitted, body: str) -> UUID:
    services = interface.services
    row = await interface.row("select id from requests where reference = $1", request.reference)
    return await texts.keep(services.pool, services.keys, row["id"], body, interface.clock())


async def asked(interface: Interface, question: str = QUESTION, **sent: object) -> tuple[Submitted, str]:
    """A request whose citizen is asked that, and the address of the one-time link."""
    request = await interface.submit(**{"title": "A secret title", "description": "A secret description"} | sent)
    text_id = await a_text(interface, request, question)
    due_at = interface.clock() + timedelta(days=5)
    await interface.move(
        request, "awaiting_citizen", department="housing", category="street_light", question=text_id,
        paused_at=interface.clock(), answer_due_at=due_at,
    )  # fmt: skip
    return request, f"/q/{request.reference}/{answer_token(interface.services.keys, str(text_id))}"


async def get(interface: Interface, address: str, **headers: str) -> httpx2.Response:
    answer = await interface.http.get(address, headers=BROWSER | headers)
    _check_secrecy(answer)
    return answer


async def post(interface: Interface, address: str, text: str) -> httpx2.Response:
    return await interface.http.post(address, data={"text": text}, headers=BROWSER)


async def answers(interface: Interface) -> int:
    count: int = await interface.services.pool.fetchval("select count(*) from inbox where kind = 'answered'")
    return count


async def test_the_citizen_reads_the_question_and_until_when_to_answer(interface: Interface) -> None:
    request, _ = await asked(interface)
    standing = await interface.look_up(request)

    assert standing["question"] == QUESTION
    assert standing["answer_due_at"] == "2026-11-28T01:00:00Z"
    assert "answer" in standing["may"]


async def test_an_answer_is_stored_for_the_workflow_and_taken_once(interface: Interface) -> None:
    request, _ = await asked(interface)
    assert (await interface.tell(request, "answer", text="The left one.")).status_code == 202
    row = await interface.row("select kind, payload from inbox order by id desc limit 1")
    assert row["kind"] == "answered"
    kept = await texts.read_many(interface.services.pool, interface.services.keys, [UUID(row["payload"]["text"])])
    assert list(kept.values()) == ["The left one."]

    assert "answer" not in (await interface.look_up(request))["may"]
    again = problem(await interface.tell(request, "answer", text="No, the right one."), 409, "not_allowed")
    assert "already" in again["detail"]
    assert await answers(interface) == 1


async def test_the_next_question_is_answered_anew(interface: Interface) -> None:
    request, first = await asked(interface)
    assert (await post(interface, first, "The left one.")).status_code == 303
    text_id = await a_text(interface, request, "And how high is it?")
    await interface.move(request, "awaiting_citizen", question=text_id)

    assert (await get(interface, first)).status_code == 404
    second = f"/q/{request.reference}/{answer_token(interface.services.keys, str(text_id))}"
    assert "And how high is it?" in (await get(interface, second)).text
    assert (await post(interface, second, "Five metres.")).status_code == 303
    assert await answers(interface) == 2


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_link_shows_the_question_and_nothing_else_of_the_request(interface: Interface, language: str) -> None:
    request, address = await asked(interface)
    answer = await get(interface, f"{address}?lang={language}")

    assert answer.status_code == 200
    assert "Which of the two &lt;lamps&gt;, 左边还是右边?" in answer.text
    for hidden in ("secret", "Housing", "street light", request.token):
        assert hidden not in answer.text
    form = Form(answer.text)
    assert form.forms == {f"{address}?lang={language}": {"text": ""}}
    assert set(form.ids) <= form.labels


async def test_the_link_takes_one_answer_and_then_opens_nothing(interface: Interface) -> None:
    _, address = await asked(interface)
    sent = await post(interface, f"{address}?lang=en", "The left one.")
    assert sent.status_code == 303
    assert WORDS["en"]["question"]["said"] in (await get(interface, sent.headers["location"])).text

    again = await get(interface, f"{address}?lang=en")
    assert again.status_code == 404
    assert WORDS["en"]["question"]["closed_text"] in again.text
    assert QUESTION not in again.text
    assert (await post(interface, address, "The right one.")).status_code == 404
    assert await answers(interface) == 1


async def test_a_wrong_link_an_unknown_request_and_a_closed_question_get_the_same_page(interface: Interface) -> None:
    request, address = await asked(interface)
    token = address.rpartition("/")[2]
    over, closed = await asked(interface)
    await interface.move(over, "in_progress", question=None)
    other, _ = await asked(interface)
    addresses = [
        f"/q/{request.reference}/nonsense", f"/q/{request.reference}/é", f"/q/{request.reference}/{request.token}",
        f"/q/{other.reference}/{token}", f"/q/2611-0000-00010/{token}", f"/q/nothing/{token}", closed,
    ]  # fmt: skip
    pages = [await get(interface, f"{each}?lang=en") for each in addresses]
    pages += [await post(interface, f"{each}?lang=en", "x") for each in addresses]

    assert {page.status_code for page in pages} == {404}
    plain = [re.sub(r'href="/q/[^"]+"', "", page.text) for page in pages]
    assert len(set(plain)) == 1
    assert await answers(interface) == 0


async def test_an_empty_answer_comes_back_with_the_reason(interface: Interface) -> None:
    _, address = await asked(interface)
    answer = await post(interface, f"{address}?lang=en", "x" * 4001)

    assert answer.status_code == 422
    assert WORDS["en"]["mend"]["text"] in answer.text
    assert "x" * 4001 in answer.text


async def test_whoever_tries_links_must_wait_and_whoever_has_the_right_one_is_not_counted(interface: Interface) -> None:
    request, address = await asked(interface)
    for _ in range(WRONG_LINKS + 5):
        assert (await get(interface, address)).status_code == 200
    statuses = [(await get(interface, f"/q/{request.reference}/{n}")).status_code for n in range(WRONG_LINKS + 1)]

    assert statuses == [404] * WRONG_LINKS + [429]
    assert (await post(interface, address, "x")).status_code == 429


async def test_after_erasure_the_link_opens_nothing(interface: Interface) -> None:
    request, address = await asked(interface)
    await interface.services.pool.execute(
        "update requests set erased_at = now() where reference = $1", request.reference
    )

    assert (await get(interface, address)).status_code == 404


async def test_the_page_of_the_request_has_the_question_and_its_form(interface: Interface) -> None:
    request, _ = await asked(interface)
    address = f"/r/{request.reference}/{request.token}"
    html = (await get(interface, f"{address}?lang=en")).text
    assert "Which of the two &lt;lamps&gt;" in html
    sent = await post(interface, f"{address}/answer?lang=en", "The left one.")

    assert sent.status_code == 303
    assert await answers(interface) == 1


async def test_the_notice_brings_the_link_that_opens_the_question(interface: Interface) -> None:
    request = await interface.submit(contact={"phone": "13800000001"}, language="en")
    services = interface.services
    await interface.move(request, "in_progress", department="housing", due_at=interface.clock() + timedelta(days=9))
    before = await views.snapshot_by_reference(services.pool, request.reference)
    assert before is not None
    question = str(await a_text(interface, request, QUESTION))
    by, now = a_handler("housing", str(uuid4())), interface.clock()
    row = permit(before, Action.ASK_CITIZEN, by, now)
    turn = take(AskCitizen(by, question), before, row, now, PausePlan(now + timedelta(days=5), ()))
    await read_model.record(services.pool, Record(turn.snapshot, (Entry(turn.event, turn.notices),)), None, now)

    policy = a_city_saying("{reference} {answer_link}", kind="question")
    wording = Wording(services.keys, OnePolicy(policy), "http://localhost")
    (unsent,) = [
        each
        for each in await notices.unsent_of_request(services.pool, UUID(before.request_id), timedelta(seconds=60), None)
        if each.kind == "question"
    ]
    message = await wording.message(unsent, new_id(now))
    assert isinstance(message, Message)
    link = message.text.split()[-1]

    assert link == f"http://localhost/q/{request.reference}/{answer_token(services.keys, question)}"
    assert request.token not in link
    assert "Which of the two" in (await get(interface, link.removeprefix("http://localhost"))).text
