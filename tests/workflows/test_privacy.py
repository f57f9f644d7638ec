"""What a run's history holds: no name, no number, no address, no word that a citizen wrote."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any

from db import texts
from db.requests import Contact
from domain import commands as c
from domain.request import Result, Solved
from tests.histories import opened
from tests.rows import SUNDAY_NOON
from tests.town import KEYS, Request, Town

PLANTED = {
    "name": "Zebedee Quillfeather",
    "phone": "+8613712345678",
    "email": "zebedee@quillfeather.example",
    "address": "77 Marmalade Lane",
    "description": "The street light before my window hums a tune.",
    "supplement": "It hums in the key of B flat.",
    "reply": "We have tuned the lamp to C.",
}
TRACES = (
    "Zebedee", "Quillfeather", "13712345678", "12345678", "Marmalade", "77 M", "hums", "my window", "B flat", "tuned",
)  # fmt: skip


def strings_in(value: Any) -> Iterator[str]:
    """Every string of a JSON document, and what it says where it is base64."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from strings_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings_in(each)
    elif isinstance(value, str):
        yield value
        try:
            yield base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return


async def everything_in_the_history_of(request: Request) -> str:
    history = await request.handle.fetch_history()
    return "\n".join(strings_in(json.loads(opened(history, KEYS).to_json())))


async def a_life_with_planted_data(town: Town) -> Request:
    contact = Contact(PLANTED["name"], PLANTED["phone"], PLANTED["email"])
    request = await town.submit(
        PLANTED["description"], contact=contact, address=PLANTED["address"], title=PLANTED["description"][:30]
    )
    kept = {
        what: str(await texts.keep(town.pool, KEYS, request.id, PLANTED[what], SUNDAY_NOON))
        for what in ("supplement", "reply")
    }
    await request.hear("supplemented", text=kept["supplement"])
    await request.accepted()
    await request.act(c.Escalate(town.actor("handler"), kept["reply"]))
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, kept["reply"]))
    await request.act(c.Approve(town.actor("dispatcher")))
    await request.hear("rated", solved=Solved.NO, satisfied=1, text=kept["supplement"])
    return request


async def test_history_holds_nothing_that_a_citizen_told(town: Town) -> None:
    request = await a_life_with_planted_data(town)
    told = await everything_in_the_history_of(request)
    assert request.reference in told  # so that the search below is known to read the payloads
    assert '"street_light"' in told
    assert [trace for trace in TRACES if trace.lower() in told.lower()] == []


async def test_what_the_temporal_ui_shows_holds_nothing_that_a_citizen_told(town: Town) -> None:
    request = await a_life_with_planted_data(town)
    shown = await request.details() + str((await request.handle.describe()).raw_description)
    assert request.reference in shown
    assert [trace for trace in TRACES if trace.lower() in shown.lower()] == []
