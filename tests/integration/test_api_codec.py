"""The codec endpoint as the Temporal UI's browser and Temporal's command line ask it: an admin reads, everybody else nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from temporalio.api.common.v1 import Payload, Payloads

from api.body_limit import MAX_PAYLOADS_BYTES
from api.codec import MOST_PAYLOADS
from tests.histories import KEYS_OF_NOBODY
from tests.interface import Interface, an_interface, problem
from workflows.sealed_payloads import SealedPayloads, is_sealed

UI = "http://127.0.0.1:8233"
SECRET = "the lamp before Zebedee's door"
CLEAR = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(SECRET).encode())


@pytest.fixture(scope="module")
async def interface(shared_database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(shared_database_url) as running:
        for role in ("admin", "handler", "supervisor"):
            await running.employ(role, role)
        yield running


def sealed(interface: Interface) -> Payload:
    return SealedPayloads(interface.services.keys).sealed(CLEAR)


async def asked(
    interface: Interface, *payloads: Payload, who: str | None = "admin", what: str = "decode", origin: str | None = UI,
    **headers: str,
) -> httpx2.Response:  # fmt: skip
    """As the browser asks for a person whose session stands in its cookie."""
    sent = {"Content-Type": "application/json", "X-Namespace": "default", **headers}
    if origin is not None:
        sent["Origin"] = origin
    if who is not None:
        await interface.sign_in(who)
        sent["Cookie"] = f"huisheng_session={interface.tokens[who]}"
    body = MessageToDict(Payloads(payloads=payloads))
    return await interface.http.post(f"/codec/{what}?preserveStorageRefs=true", json=body, headers=sent)


def told(answer: httpx2.Response) -> list[Payload]:
    assert answer.status_code == 200, answer.text
    return list(ParseDict(answer.json(), Payloads()).payloads)


async def looks(interface: Interface) -> list[tuple[Any, ...]]:
    rows = await interface.services.pool.fetch(
        "select kind, reference, count, username from looks join staff on who = 'staff:' || staff.id order by looks.id"
    )
    return [tuple(row) for row in rows]


async def test_an_admin_reads_what_is_sealed_and_the_look_is_on_record(interface: Interface) -> None:
    before = len(await looks(interface))
    answer = await asked(interface, sealed(interface), CLEAR, sealed(interface))
    assert told(answer) == [CLEAR, CLEAR, CLEAR]
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["cache-control"] == "no-store"
    assert (await looks(interface))[before:] == [("payloads", None, 2, "admin")]


@pytest.mark.parametrize(
    ("label", "asking", "status", "code"),
    [
        ("a handler", {"who": "handler"}, 403, "forbidden"),
        ("a supervisor", {"who": "supervisor"}, 403, "forbidden"),
        ("nobody", {"who": None}, 401, "unauthorized"),
        ("another site", {"origin": "https://elsewhere.example"}, 403, "forbidden"),
        ("the UI by another name", {"origin": "http://localhost:8233"}, 403, "forbidden"),
        ("no page at all", {"origin": None}, 401, "unauthorized"),
        ("a wrong token", {"Authorization": "Bearer " + "x" * 22}, 401, "unauthorized"),
    ],
)
@pytest.mark.parametrize("what", ["decode", "encode"])
async def test_everybody_else_gets_nothing(
    interface: Interface, label: str, asking: dict[str, Any], status: int, code: str, what: str
) -> None:
    before = await looks(interface)
    answer = await asked(interface, sealed(interface), what=what, **asking)
    problem(answer, status, code)
    assert SECRET not in answer.text
    # The Temporal UI may read why not; another site may not even that.
    is_ui = asking.get("origin", UI) == UI
    assert answer.headers.get("access-control-allow-origin") == (UI if is_ui else None)
    assert await looks(interface) == before


async def test_nothing_is_shown_where_the_look_cannot_be_recorded(interface: Interface) -> None:
    await interface.services.pool.execute("alter table looks rename to looks_away")
    try:
        answer = await asked(interface, sealed(interface))
    finally:
        await interface.services.pool.execute("alter table looks_away rename to looks")
    assert answer.status_code == 500
    assert SECRET not in answer.text


async def test_the_command_line_of_temporal_brings_the_token_itself(interface: Interface) -> None:
    token = await interface.sign_in("admin")
    assert told(await asked(interface, sealed(interface), who=None, origin=None, **token)) == [CLEAR]
    token = await interface.sign_in("handler")
    problem(await asked(interface, sealed(interface), who=None, origin=None, **token), 403, "forbidden")


async def test_what_an_admin_types_is_sealed_once(interface: Interface) -> None:
    (once,) = told(await asked(interface, CLEAR, what="encode"))
    assert is_sealed(once)
    assert SECRET.encode() not in once.SerializeToString()
    assert told(await asked(interface, once, what="encode")) == [once]
    assert told(await asked(interface, once)) == [CLEAR]


async def test_what_no_key_of_ours_opens_comes_back_as_it_was_beside_the_others(interface: Interface) -> None:
    foreign = SealedPayloads(KEYS_OF_NOBODY).sealed(CLEAR)
    damaged = Payload(metadata=foreign.metadata, data=b"\x01\x04test" + b"x" * 40)
    assert told(await asked(interface, foreign, sealed(interface), damaged)) == [foreign, CLEAR, damaged]


@pytest.mark.parametrize(
    ("label", "body", "kind", "status", "code"),
    [
        ("no JSON", b"{", "application/json", 400, "invalid"),
        ("not UTF-8", b"\xff\xfe", "application/json", 400, "invalid"),
        ("payloads that are none", b'{"payloads": [1]}', "application/json", 400, "invalid"),
        ("deep", b'{"payloads": ' + b"[" * 5000, "application/json", 400, "invalid"),
        ("a form", b"payloads=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        ("too many", json.dumps({"payloads": [{}] * (MOST_PAYLOADS + 1)}).encode(), "application/json", 413, "too_large"),
        ("too long", b" " * (MAX_PAYLOADS_BYTES + 1), "application/json", 413, "too_large"),
    ],
)  # fmt: skip
async def test_what_are_no_payloads_is_refused_in_words(
    interface: Interface, label: str, body: bytes, kind: str, status: int, code: str
) -> None:
    headers = {"Content-Type": kind, "Origin": UI, **await interface.sign_in("admin")}
    problem(await interface.http.post("/codec/decode", content=body, headers=headers), status, code)


async def test_nothing_sent_is_nothing_told(interface: Interface) -> None:
    before = await looks(interface)
    assert told(await asked(interface)) == []
    assert await looks(interface) == before


@pytest.mark.parametrize(
    ("origin", "status"), [(UI, 204), ("https://elsewhere.example", 403), ("null", 403), (None, 403)]
)
async def test_browser_lets_only_pages_of_the_temporal_ui_ask(
    interface: Interface, origin: str | None, status: int
) -> None:
    headers = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-namespace"}
    answer = await interface.http.options("/codec/decode", headers=headers | ({"Origin": origin} if origin else {}))
    assert answer.status_code == status
    assert answer.headers.get("access-control-allow-origin") == (UI if status == 204 else None)
    assert answer.headers["vary"] == "Origin"
    if status == 204:
        allowed = {name.strip() for name in answer.headers["access-control-allow-headers"].split(",")}
        assert {"content-type", "x-namespace", "authorization", "authorization-extras"} <= allowed
        assert answer.headers["access-control-allow-methods"] == "POST"


def test_payloads_travel_as_base64_in_the_ui(interface: Interface) -> None:
    """So that the tests above are known to speak as it does."""
    body = MessageToDict(Payloads(payloads=[CLEAR]))
    assert base64.b64decode(body["payloads"][0]["metadata"]["encoding"]) == b"json/plain"
