"""Who is let in first, who waits and for how long, and who hears at once that it is too much."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import httpx2
import pytest
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from api.admission import Admission
from api.app import create_app
from api.arrivals import Arrivals
from api.errors import answer, problem_for
from api.gate import LATE_SECONDS, LEAST_SHARE, Gate, GateFigures
from api.lanes import LANES, Lane, lane_of
from settings import Settings
from tests.addresses import addresses
from tests.unit.test_settings import ENOUGH

FIRST = Lane("first", at_once=2, waiting=2, patience=30)
LATER = Lane("later", at_once=2, waiting=2, patience=30, after=("first",))
HASTY = Lane("hasty", at_once=1, waiting=5, patience=0.01)
THE_LANES = (FIRST, LATER, HASTY)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("POST /api/v1/requests", "intake"),
        ("POST /", "intake"),
        ("POST /api/v1/requests/2611-4829-13704/withdraw", "intake"),
        ("POST /r/2611-4829-13704/secret/rate", "intake"),
        ("POST /api/v1/staff/requests", "intake"),
        ("POST /api/v1/staff/requests/quick-log", "intake"),
        ("GET /gateways/kannel/receipts", "intake"),
        ("POST /api/v1/staff/requests/2611-4829-13704/actions/resolve", "actions"),
        ("POST /staff/requests/2611-4829-13704/actions/resolve", "actions"),
        ("POST /api/v1/sessions", "staff"),
        ("GET /", "citizens"),
        ("GET /r/2611-4829-13704/secret", "citizens"),
        ("GET /api/v1/requests/2611-4829-13704", "citizens"),
        ("POST /api/v1/requests/2611-4829-13704/code", "citizens"),
        ("GET /no/such/address", "citizens"),
        ("POST /api/v1/requests/2611-4829-13704/attachments", "photos"),
        ("POST /staff/requests/2611-4829-13704/attachments", "photos"),
        ("GET /api/v1/staff/requests", "lists"),
        ("GET /staff", "lists"),
        ("GET /staff/requests/2611-4829-13704", "lists"),
        ("GET /api/v1/staff/rates", "reports"),
        ("GET /staff/numbers", "reports"),
        ("GET /api/v1/staff/topics", "reports"),
        ("GET /api/v1/staff/requests/2611-4829-13704/precedents", "reports"),
        ("POST /api/v1/similar-answers", "reports"),
        ("POST /codec/decode", "reports"),
        ("GET /healthz", None),
        ("GET /readyz", None),
        ("GET /metrics", None),
    ],
)
def test_each_address_has_its_lane(address: str, name: str | None) -> None:
    method, _, path = address.partition(" ")
    lane = lane_of(method, path)
    assert (lane.name if lane else None) == name


def test_every_address_of_the_interface_has_one_of_the_lanes_but_the_signs_of_life() -> None:
    known = addresses(create_app(Settings.from_environment(ENOUGH)))
    unhindered = {address for address in known if lane_of(*address.split(" ")) is None}
    assert unhindered == {"GET /healthz", "GET /readyz", "GET /metrics"}


def test_lanes_give_way_only_to_those_before_them() -> None:
    names = [lane.name for lane in LANES]
    for number, lane in enumerate(LANES):
        assert set(lane.after) <= set(names[:number]), lane.name
    assert LANES[0].name == "intake"


async def settled(task: asyncio.Task[bool]) -> bool:
    """Whether it is decided already, after everybody has had a turn."""
    for _ in range(5):
        await asyncio.sleep(0)
    return task.done()


async def filled(gate: Gate, lane: Lane) -> None:
    for _ in range(lane.at_once):
        assert await gate.enter(lane)


async def test_as_many_as_a_lane_holds_come_in_and_the_next_waits_for_one_to_leave() -> None:
    gate = Gate(THE_LANES)
    await filled(gate, FIRST)
    third = asyncio.create_task(gate.enter(FIRST))
    assert not await settled(third)

    gate.leave(FIRST)
    assert await third


async def test_those_who_wait_come_in_by_the_order_in_which_they_came() -> None:
    gate = Gate(THE_LANES)
    await filled(gate, FIRST)
    waiting = [asyncio.create_task(gate.enter(FIRST)) for _ in range(2)]
    assert not await settled(waiting[0])

    gate.leave(FIRST)
    assert await settled(waiting[0])
    assert not waiting[1].done()
    gate.leave(FIRST)
    assert await waiting[1]


async def test_who_finds_the_line_full_is_refused_at_once() -> None:
    gate = Gate(THE_LANES)
    await filled(gate, FIRST)
    waiting = [asyncio.create_task(gate.enter(FIRST)) for _ in range(FIRST.waiting)]
    assert not await settled(waiting[-1])
    assert not await gate.enter(FIRST)

    assert gate.lines["first"].refused == 1
    for task in waiting:
        gate.leave(FIRST)
        assert await task


async def test_who_has_waited_too_long_is_refused() -> None:
    gate = Gate(THE_LANES)
    await filled(gate, HASTY)
    assert not await gate.enter(HASTY)

    assert gate.lines["hasty"].refused == 1
    gate.leave(HASTY)
    assert await gate.enter(HASTY)


async def test_a_later_lane_gives_way_but_for_one_while_somebody_of_an_earlier_one_waits() -> None:
    gate = Gate(THE_LANES)
    await filled(gate, FIRST)
    first = asyncio.create_task(gate.enter(FIRST))
    assert not await settled(first)
    assert await gate.enter(LATER)
    later = asyncio.create_task(gate.enter(LATER))
    assert not await settled(later)

    gate.leave(FIRST)
    assert await first
    assert await later


async def test_a_later_lane_goes_on_while_an_earlier_one_is_busy_and_nobody_waits() -> None:
    gate = Gate(THE_LANES)
    await filled(gate, FIRST)
    assert await gate.enter(LATER)


async def test_fewer_come_in_while_the_loop_is_late_and_all_again_when_it_is_in_time() -> None:
    wide = Lane("wide", at_once=8, waiting=8, patience=30)
    gate = Gate([wide])
    for _ in range(20):
        gate.note_lateness(LATE_SECONDS * 2)
    assert gate.share == LEAST_SHARE
    assert [await gate.enter(wide) for _ in range(2)] == [True, True]
    waiting = [asyncio.create_task(gate.enter(wide)) for _ in range(6)]
    assert not await settled(waiting[0])

    for _ in range(60):
        gate.note_lateness(0.0)
    assert gate.share == 1.0
    assert await asyncio.gather(*waiting) == [True] * 6


async def test_the_loop_s_own_lateness_counts_as_waiting() -> None:
    gate = Gate(THE_LANES)
    await filled(gate, FIRST)
    gate.note_lateness(FIRST.patience + 1)
    async with asyncio.timeout(10):
        assert not await gate.enter(FIRST)
    assert gate.lines["first"].refused == 1


async def test_a_turn_that_comes_too_late_is_none() -> None:
    gate = Gate(THE_LANES)
    await filled(gate, FIRST)
    waiting = asyncio.create_task(gate.enter(FIRST))
    assert not await settled(waiting)
    gate.lines["first"].waiting[0].deadline = 0.0

    gate.leave(FIRST)
    assert not await waiting
    assert gate.lines["first"].answering == FIRST.at_once - 1


FOR_OTHERS = Lane("for others", at_once=8, waiting=0, patience=30, slow=0.02, least=1)


async def answered(gate: Gate, lane: Lane, until: asyncio.Event) -> None:
    with gate.timed(lane):
        await until.wait()
    gate.leave(lane)


async def test_fewer_come_in_while_another_on_whom_all_wait_is_slow_and_that_shows_before_anybody_is_answered() -> None:
    gate, quick_again = Gate([FOR_OTHERS]), asyncio.Event()
    line = gate.lines[FOR_OTHERS.name]
    slow = []
    for _ in range(4):
        assert await gate.enter(FOR_OTHERS)
        slow.append(asyncio.create_task(answered(gate, FOR_OTHERS, quick_again)))
    async with asyncio.timeout(10):
        while line.width is None or line.width.now == FOR_OTHERS.at_once:  # noqa: ASYNC110 - it is the clock that is awaited
            await asyncio.sleep(0.01)
    assert line.width.now == 2
    assert not await gate.enter(FOR_OTHERS)

    quick_again.set()
    await asyncio.gather(*slow)
    for _ in range(100):
        assert await gate.enter(FOR_OTHERS)
        await answered(gate, FOR_OTHERS, quick_again)
    assert line.width.now == FOR_OTHERS.at_once


async def test_slowness_leaves_room_for_those_who_find_out_that_it_is_over() -> None:
    gate, never = Gate([FOR_OTHERS]), asyncio.Event()
    for _ in range(3):
        assert await gate.enter(FOR_OTHERS)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answered(gate, FOR_OTHERS, never), FOR_OTHERS.slow and FOR_OTHERS.slow * 3)
        gate.leave(FOR_OTHERS)
    assert await gate.enter(FOR_OTHERS)


@pytest.mark.parametrize("when", ["while waiting", "in the moment of the turn"])
async def test_who_goes_away_leaves_no_gap(when: str) -> None:
    gate = Gate(THE_LANES)
    await filled(gate, FIRST)
    gone = asyncio.create_task(gate.enter(FIRST))
    assert not await settled(gone)
    if when == "while waiting":
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        gate.leave(FIRST)
    else:
        gate.leave(FIRST)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)

    assert gate.lines["first"].answering == FIRST.at_once - 1
    assert not gate.lines["first"].waiting
    assert await asyncio.wait_for(gate.enter(FIRST), 60)


NARROW = tuple(Lane(lane.name, at_once=1, waiting=0, patience=lane.patience, after=lane.after) for lane in LANES)


class Door(NamedTuple):
    """`bodies` are those that came through; `arrived` is set with the first."""

    client: httpx2.AsyncClient
    may_answer: asyncio.Event
    arrived: asyncio.Event
    bodies: list[bytes]


@asynccontextmanager
async def a_door(gate: Gate) -> AsyncIterator[Door]:
    """An interface that answers when the event is set, and keeps the bodies that it was sent."""
    may_answer, arrived, bodies = asyncio.Event(), asyncio.Event(), list[bytes]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        bodies.append(body)
        arrived.set()
        await may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    door = Admission(app, gate, Arrivals(), answer, chance=lambda least, most: most)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(door), base_url="http://city") as client:
        yield Door(client, may_answer, arrived, bodies)


async def test_what_is_too_much_gets_a_plain_sentence_and_when_to_come_back() -> None:
    gate = Gate(NARROW)
    async with a_door(gate) as (client, may_answer, arrived, bodies):
        first = asyncio.create_task(client.post("/api/v1/requests", content=b"one"))
        await arrived.wait()
        with structlog.testing.capture_logs() as logs:
            refused = await client.post("/api/v1/requests", content=b"two")
            await client.post("/api/v1/requests", content=b"three")
        may_answer.set()
        assert (await first).status_code == 200

    assert refused.status_code == 503
    assert refused.json()["code"] == "overloaded"
    assert "Nothing was stored" in refused.json()["detail"]
    assert refused.headers["retry-after"] == "10"
    assert bodies == [b"one"]
    assert [line["event"] for line in logs] == ["overloaded"]  # and not a line for each
    assert gate.lines["intake"].answering == 0


async def test_who_finds_the_line_full_is_refused_before_anything_of_theirs_is_read() -> None:
    gate = Gate(NARROW)
    assert await gate.enter(NARROW[0])
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("A body was read that nobody has room for.")

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("Nobody may come in.")

    scope: Scope = {"type": "http", "method": "POST", "path": "/api/v1/requests", "headers": []}
    await Admission(app, gate, Arrivals(), answer)(scope, receive, send)
    assert sent[0]["status"] == 503
    assert gate.lines["intake"].refused == 1


@pytest.mark.parametrize("path", ["/api/v1/requests", "/api/v1/requests/2611-4829-13704/attachments"])
async def test_who_sends_too_slowly_is_told_so_and_holds_no_place(path: str) -> None:
    gate, sent = Gate(NARROW), list[Message]()

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("It never comes.")

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await receive()
        except HTTPException as error:
            await answer(Request(scope), problem_for(error))(scope, receive, send)

    scope: Scope = {"type": "http", "method": "POST", "path": path, "headers": []}
    async with asyncio.timeout(10):
        await Admission(app, gate, Arrivals(grace=0.05, look_every=0.01), answer)(scope, receive, send)

    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["code"] == "too_slow"
    assert {line.answering for line in gate.lines.values()} == {0}


async def test_an_overload_hides_neither_signs_of_life_nor_figures() -> None:
    gate = Gate(NARROW)
    async with a_door(gate) as (client, may_answer, _, _):
        for lane in NARROW:
            assert await gate.enter(lane)
        may_answer.set()
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await client.get(path)).status_code == 200
        assert (await client.get("/staff")).status_code == 503


EACH = {
    "intake": ("POST", "/api/v1/requests"),
    "staff": ("POST", "/api/v1/sessions"),
    "citizens": ("GET", "/api/v1/requests/2611-4829-13704"),
    "lists": ("GET", "/api/v1/staff/requests"),
    "reports": ("GET", "/api/v1/staff/rates"),
}


async def test_whoever_comes_later_gives_way_to_all_who_wait_before_them() -> None:
    """Not by the clock: everybody is there at once, and places become free from the last lane to the first."""
    gate = Gate([replace(lane, patience=60) for lane in LANES])
    answering: dict[str, list[asyncio.Event]] = {name: [] for name in EACH}
    too_early, statuses = list[str](), list[int]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        name, done = scope["name"], asyncio.Event()
        line = gate.lines[name]
        if line.answering > line.lane.always and any(gate.lines[each].waiting for each in line.lane.after):
            too_early.append(name)
        answering[name].append(done)
        await done.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        if "status" in message:
            statuses.append(message["status"])

    def asked(name: str) -> asyncio.Task[None]:
        method, path = EACH[name]
        scope: Scope = {"type": "http", "method": method, "path": path, "headers": [], "name": name}
        return asyncio.create_task(door(scope, receive, send))

    door = Admission(app, gate, Arrivals(), answer)
    everybody = [asked(name) for name in reversed(EACH) for _ in range(gate.lines[name].lane.at_once)]
    await until(lambda: sum(map(len, answering.values())) == len(everybody))
    everybody += [asked(name) for name in EACH for _ in range(4)]
    await until(lambda: all(len(gate.lines[name].waiting) == 4 for name in EACH))
    while True:
        for _ in range(5):
            await asyncio.sleep(0)
        being_answered = [name for name in EACH if answering[name]]
        if not being_answered:
            break
        answering[being_answered[-1]].pop(0).set()
    await asyncio.gather(*everybody)
    assert statuses == [200] * len(everybody)
    assert not too_early


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - nothing tells who has begun to wait
            await asyncio.sleep(0)


async def test_who_sends_slowly_holds_nobody_up() -> None:
    gate = Gate(NARROW)
    arriving, rest = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"half "
        arriving.set()
        await rest.wait()
        yield b"whole"

    parts = slowly()

    async def receive() -> Message:
        part = await anext(parts, b"")
        return {"type": "http.request", "body": part, "more_body": part != b"whole"}

    got: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        got.extend([(await receive())["body"], (await receive())["body"]])

    async def send(message: Message) -> None:
        """Nobody listens."""

    scope: Scope = {"type": "http", "method": "POST", "path": "/api/v1/requests", "headers": []}
    slow = asyncio.create_task(Admission(app, gate, Arrivals(), answer)(scope, receive, send))
    await arriving.wait()
    assert gate.lines["intake"].answering == 0

    rest.set()
    await slow
    assert got == [b"half ", b"whole"]


async def test_figures_tell_how_the_lanes_stand() -> None:
    gate = Gate(THE_LANES)
    await filled(gate, FIRST)
    waiting = asyncio.create_task(gate.enter(FIRST))
    assert not await settled(waiting)
    await filled(gate, HASTY)
    assert not await gate.enter(HASTY)
    told = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in GateFigures(gate, Arrivals()).collect()
        for sample in metric.samples
    }

    assert told["huisheng_lane_answering", "first"] == 2
    assert told["huisheng_lane_waiting", "first"] == 1
    assert told["huisheng_lane_requests_total", "hasty", "refused"] == 1
    assert told["huisheng_lane_requests_total", "first", "admitted"] == 2
    assert told["huisheng_bodies_arriving",] == told["huisheng_bodies_cut_off_total",] == 0
    waiting.cancel()
