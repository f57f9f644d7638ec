"""How bodies arrive: whole, or not in time, or one too many."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from starlette.types import Message, Receive

from api import arrivals
from api.arrivals import Arrivals, TooSlow
from api.body_limit import MAX_BODY_BYTES


class Sender:
    """Sends those parts, and then nothing more where the last is not the end."""

    def __init__(self, parts: Iterable[bytes], *, ends: bool = True) -> None:
        self.parts = list(parts)
        self.ends = ends
        self.arrived = asyncio.Event()

    async def __call__(self) -> Message:
        await asyncio.sleep(0)
        if not self.parts and not self.ends:
            self.arrived.set()
            await asyncio.Event().wait()
        part = self.parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self.parts) or not self.ends}


async def body_of(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    return body


def hasty(most: int = 10) -> Arrivals:
    return Arrivals(most, grace=0.05, look_every=0.01)


async def test_body_in_parts_is_read_to_its_end_and_given_out_again() -> None:
    arriving = Arrivals()
    assert await body_of(await arriving.whole(Sender([b"half ", b"whole"]))) == b"half whole"
    assert len(arriving) == arriving.cut_off == 0


async def test_body_beyond_the_limit_is_left_to_whoever_refuses_it() -> None:
    sender = Sender([b"x" * MAX_BODY_BYTES, b"y", b"z"])
    again = await Arrivals().whole(sender)
    assert sender.parts == [b"z"]
    assert len(await body_of(again)) == MAX_BODY_BYTES + 2


async def test_body_that_does_not_end_is_given_up() -> None:
    arriving = hasty()
    async with asyncio.timeout(10):
        with pytest.raises(TooSlow):
            await arriving.whole(Sender([b"half"], ends=False))
    assert (len(arriving), arriving.cut_off) == (0, 1)


async def test_large_body_that_does_not_end_is_given_up_while_it_is_read() -> None:
    arriving = hasty()
    async with asyncio.timeout(10):
        with pytest.raises(TooSlow):
            await body_of(arriving.paced(Sender([b"half"], ends=False)))
    assert arriving.cut_off == 1


@pytest.mark.parametrize("large", [False, True])
async def test_what_has_come_gains_time(large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # At a byte a second, what is here has earned its sender ten minutes.
    monkeypatch.setattr(arrivals, "LEAST_BYTES_A_SECOND", 1)
    arriving, sender = hasty(), Sender([b"x" * 600], ends=False)
    reading = asyncio.create_task(body_of(arriving.paced(sender)) if large else arriving.whole(sender))
    await sender.arrived.wait()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reading, 0.2)
    assert arriving.cut_off == 0


async def test_one_too_many_takes_the_place_of_whoever_began_first() -> None:
    arriving = Arrivals(most=2)
    senders = [Sender([b"half"], ends=False) for _ in range(3)]
    reading = []
    for sender in senders:
        reading.append(asyncio.create_task(arriving.whole(sender)))
        await sender.arrived.wait()

    async with asyncio.timeout(10):
        with pytest.raises(TooSlow):
            await reading[0]
    assert [task.done() for task in reading] == [True, False, False]
    assert await body_of(await arriving.whole(Sender([b"quick"]))) == b"quick"
    for task in reading:
        task.cancel()
    assert all(isinstance(end, BaseException) for end in await asyncio.gather(*reading, return_exceptions=True))


async def test_reader_that_is_cancelled_by_another_hears_nothing_of_slowness() -> None:
    arriving = Arrivals()
    sender = Sender([b"half"], ends=False)
    reading = asyncio.create_task(arriving.whole(sender))
    await sender.arrived.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert (len(arriving), arriving.cut_off) == (0, 0)
