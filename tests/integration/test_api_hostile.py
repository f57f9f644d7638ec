"""Hostile input over HTTP, from a seed: whatever the OpenAPI document allows or forbids to be sent, and what no document
tells. Nothing of it is a mistake of ours (5xx), hangs, or is answered otherwise than is documented.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

import httpx2
import psutil
import pytest
import schemathesis
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from tests.addresses import addresses
from tests.conftest import FreshDatabase
from tests.integration.test_api_citizens import a_picture
from tests.interface import an_interface, quick_passwords, settings_for
from tests.seeds import from_seed
from tests.servers import free_port

pytestmark = pytest.mark.slow

CASES = int(os.environ.get("HOSTILE_CASES", "20"))
"""Of each address, once as documented and once not: some thousands in all. With HOSTILE_CASES=800 it is an hour's worth."""
ANSWERS_WITHIN_SECONDS = 15
STAFF = {"handler": ("housing",), "supervisor": (), "dispatcher": (), "admin": ()}
ENDS_ITSELF = "leaver"

APP = create_app(settings_for("postgresql://nobody@nowhere/nothing"))
OPERATIONS: list[Any] = [
    cast(Any, found).ok() for found in schemathesis.openapi.from_dict(APP.openapi()).get_all_operations()
]
FORMS = sorted(address for address in addresses(APP) if address.startswith("POST ") and "/api/" not in address)


@dataclass(frozen=True)
class Target:
    """A started interface without an engine, with a request in it."""

    http: httpx2.Client
    process: psutil.Process
    reference: str
    token: str
    photo: str
    sessions: dict[str, str]

    def values(self) -> dict[str, str]:
        """What leads deep into the interface: without it nearly all that is made up ends at 404."""
        return {
            "reference": self.reference, "attachment_id": self.photo, "photo_id": self.photo, "code": "street_light",
            "token": self.token,
        }  # fmt: skip

    def key_for(self, path: str, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token if path.startswith('/api/v1/requests/') else self.sessions[who]}"}


@pytest.fixture(scope="module")
def target(fresh_database: FreshDatabase) -> Iterator[Target]:
    database, port = fresh_database(), free_port()
    sessions, reference, token, photo = asyncio.run(_prepare(database))
    app = create_app(settings_for(database, HUISHENG_DEMO="1"), passwords=quick_passwords())
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, http="httptools", ws="none", log_config=None, access_log=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=ANSWERS_WITHIN_SECONDS) as http:
        while not server.started:
            assert thread.is_alive()
        yield Target(http, psutil.Process(), reference, token, photo, sessions)
    server.should_exit = True
    thread.join(30)


async def _prepare(database: str) -> tuple[dict[str, str], str, str, str]:
    """A request in progress with a photo, staff who are signed in, and counters that never stop anybody."""
    async with an_interface(database) as interface:
        sessions = {}
        for name, departments in {**STAFF, ENDS_ITSELF: ()}.items():
            await interface.employ(name, *([name] if name in STAFF else []), departments=departments)
            sessions[name] = (await interface.sign_in(name))["Authorization"].removeprefix("Bearer ")
        await interface.services.pool.execute("update sessions set expires_at = now() + interval '1 day'")
        request = await interface.submit()
        await interface.move(request, "in_progress", department="housing", category="street_light")
        files = [("images", ("x.jpg", a_picture(), "image/jpeg"))]
        address = f"/api/v1/requests/{request.reference}/attachments"
        answer = await interface.http.post(address, files=files, headers=request.headers)
        await interface.services.pool.execute(
            "create function never_full() returns trigger language plpgsql as 'begin new.count := 0; return new; end';"
            "create trigger never_full before insert or update on throttles for each row execute function never_full()"
        )
        return sessions, request.reference, request.token, answer.json()["attachments"][0]["id"]


def is_ours(status: int, content: bytes) -> bool:
    """Whether it is a mistake of ours. That the engine is away, as it is here, is none."""
    return status >= 500 and b'"engine_unavailable"' not in content


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_whatever_is_sent_is_answered_as_documented(target: Target, operation: Any, mode: GenerationMode) -> None:
    ends = operation.label.endswith(("/sessions", "/sessions/{session}")) and operation.method == "delete"

    @from_seed(CASES)
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        case: Case[Any] = data.draw(operation.as_strategy(generation_mode=mode))
        known, is_known = target.values(), data.draw(st.booleans())
        if case.path_parameters and is_known:
            case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
        who = ENDS_ITSELF if ends else data.draw(st.sampled_from([*STAFF]))
        headers = target.key_for(operation.path, who) if data.draw(st.integers(0, 9)) else {}
        answer = case.call(str(target.http.base_url), headers=headers, timeout=ANSWERS_WITHIN_SECONDS)
        assert not is_ours(answer.status_code, answer.content), answer.content
        case.validate_response(
            answer, checks=[status_code_conformance, content_type_conformance, response_schema_conformance]
        )

    # With some addresses nothing can be sent that their documentation forbids.
    with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
        ask()


FIELDS = (
    "description", "place", "phone", "name", "category", "confidential", "lang", "key", "reference", "code", "text", "solved",
    "satisfied", "sure", "username", "password", "next", "note", "reason", "department", "urgency", "outcome", "reply", "days",
    "review_on", "attachments", "images", "said", "cursor", "state",
)  # fmt: skip
WORDS = st.one_of(
    st.text(max_size=40), st.sampled_from(["", "0", "-1", "5", "zh", "en", "yes", "2026-13-40", "13800000001", "\0", "\ud800", "٣"])
)  # fmt: skip
BODIES = st.one_of(
    st.dictionaries(st.one_of(st.sampled_from(FIELDS), st.text(max_size=8)), st.one_of(WORDS, st.lists(WORDS, max_size=3)), max_size=6),
    st.binary(max_size=200),
)  # fmt: skip
KINDS = (
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", "application/json", "text/plain",
    "\xff/\xff",
)  # fmt: skip


@pytest.mark.parametrize("address", FORMS)
def test_no_form_of_a_page_is_a_way_in(target: Target, address: str) -> None:
    path = address.partition(" ")[2]

    @from_seed(4 * CASES)
    @given(st.data())
    def send(data: st.DataObject) -> None:
        body, kind = data.draw(BODIES), data.draw(st.sampled_from(KINDS))
        values = target.values() | {"action": data.draw(st.sampled_from(["supplement", "rate", "resolve", "x", "\0"]))}
        who = data.draw(st.sampled_from([*STAFF]))
        headers = {"Origin": str(target.http.base_url), "Cookie": f"huisheng_session={target.sessions[who]}"}
        if path == "/staff/sign-out":
            headers["Cookie"] = f"huisheng_session={target.sessions[ENDS_ITSELF]}"
        content = {"content": body, "headers": headers | {"Content-Type": kind.encode("latin-1")}} if isinstance(body, bytes) else {
            "data": _writable(body), "headers": headers,
        }  # fmt: skip
        answer = target.http.post(quote(path.format(**values), safe="/"), **content)
        assert not is_ours(answer.status_code, answer.content), answer.text

    send()


def _writable(body: Any) -> Any:
    """A half of a character cannot be written as a form; it is sent as its bytes would be."""
    return {
        name.encode("utf-8", "replace").decode(): value if isinstance(value, list) else value.encode("utf-8", "replace")
        for name, value in body.items()
        if not isinstance(value, list) or all(word.isprintable() for word in value)
    }


DEEP = 100_000
CURSOR = st.one_of(
    st.text(max_size=60),
    st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
    st.tuples(
        st.one_of(st.datetimes().map(str), st.sampled_from(["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-11-22", ""])),
        st.one_of(st.uuids().map(str), st.text(max_size=9)),
    ).map(lambda pair: base64.urlsafe_b64encode(json.dumps(pair).encode()).decode().rstrip("=")),
)  # fmt: skip


@pytest.mark.parametrize("path", ["/api/v1/staff/requests", "/api/v1/staff/rates/requests?figure=submitted", "/staff"])
def test_whatever_is_sent_as_a_cursor_is_a_cursor_or_a_mistake_of_the_sender(target: Target, path: str) -> None:
    headers = {"Authorization": f"Bearer {target.sessions['supervisor']}"}

    @from_seed(10 * CASES)
    @given(CURSOR)
    def ask(cursor: str) -> None:
        separator = "&" if "?" in path else "?"
        answer = target.http.get(f"{path}{separator}cursor={quote(cursor.encode('utf-8', 'replace'))}", headers=headers)
        assert answer.status_code in (200, 422), answer.text

    ask()


NESTED = [
    pytest.param(b"[" * DEEP, id="lists in lists"),
    pytest.param(b'{"description":' * DEEP, id="objects in objects"),
    pytest.param(b'{"description":' + b"[" * DEEP + b"]" * DEEP + b"}", id="a field of lists in lists"),
    pytest.param(b'{"description": ' + b"9" * DEEP + b"}", id="a number of a hundred thousand digits"),
    pytest.param(
        b'{"location": {"lat": 1' + b"0" * 400 + b', "long": 1}, "description": "x"}', id="a number without end"
    ),
    pytest.param(b'{"description": "\\ud800"}', id="half of a character"),
    pytest.param(b"\xff\xfe{\x00}\x00", id="another encoding"),
    pytest.param(b'{"description": "x", "description": "y", "__proto__": {}}', id="names twice"),
    pytest.param(b"NaN", id="not a number"),
    pytest.param(b"", id="nothing"),
]


@pytest.mark.parametrize("body", NESTED)
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/requests", "/api/v1/sessions", "/api/v1/requests/{reference}/supplement", "/api/v1/requests/{reference}/code",
        "/api/v1/staff/requests", "/api/v1/staff/requests/{reference}/actions/progress", "/api/v1/staff/requests/{reference}/actions/resolve",
    ],
)  # fmt: skip
def test_bodies_made_to_break_a_parser_are_refused(target: Target, path: str, body: bytes) -> None:
    headers = target.key_for(path, "handler") | {"Content-Type": "application/json"}
    answer = target.http.post(path.format(reference=target.reference), content=body, headers=headers)

    assert answer.status_code in (201, 400, 403, 409, 413, 422), answer.text


def test_a_cursor_made_to_break_a_parser_is_refused(target: Target) -> None:
    cursor = base64.urlsafe_b64encode(b"[" * 30_000).decode()
    headers = {"Authorization": f"Bearer {target.sessions['supervisor']}"}

    assert target.http.get("/api/v1/staff/requests", params={"cursor": cursor}, headers=headers).status_code in (
        414,
        422,
    )


def test_the_memory_of_the_interface_does_not_grow_with_what_is_refused(target: Target) -> None:
    def refuse() -> None:
        for _ in range(300):
            target.http.post(
                "/api/v1/requests",
                content=b'{"description":' + b"[" * 20_000,
                headers={"Content-Type": "application/json"},
            )
            target.http.get("/api/v1/staff/requests", headers={"Authorization": "Bearer " + "x" * 2_000})

    refuse()
    before = target.process.memory_info().rss
    refuse()
    refuse()

    assert target.process.memory_info().rss - before < 20_000_000


BROKEN = ("%00", "a%00b", "%ED%A0%80", "%FF", "%F0%9F%98%80" * 200, "..%2F..%2Fetc", "%27%3B--", "9" * 400)
"""As they stand in an address: no character, half of one, none of this encoding, and what other programs fall for."""
PAGE_QUERIES = {
    "/staff": ("department", "cursor", "state", "task", "late", "done"),
    "/staff/numbers": ("department", "category", "district", "from", "by"),
    "/staff/numbers/requests": ("department", "category", "district", "part", "figure", "cursor"),
    "/staff/sign-in": ("next", "lang"),
    "/": ("lang",),
}


def _words_in_addresses() -> Iterator[tuple[str, str]]:
    """Each place of each address that takes a word: what comes before it, and after it."""
    for operation in OPERATIONS:
        if operation.method != "get":
            continue
        for parameter in operation.query:
            asked = (
                "&figure=submitted" if operation.path.endswith("rates/requests") and parameter.name != "figure" else ""
            )
            yield f"{operation.path}?{parameter.name}=", asked
        if "{" in operation.path:
            yield operation.path.partition("{")[0], operation.path.rpartition("}")[2]
    for page, names in PAGE_QUERIES.items():
        for name in names:
            yield f"{page}?{name}=", "&figure=submitted" if page.endswith("requests") and name != "figure" else ""
    for key in ("/r/", "/q/", "/staff/requests/"):
        yield key, "" if key.startswith("/staff") else "/x"


@pytest.mark.parametrize(("before", "after"), [*_words_in_addresses()], ids=str)
def test_no_word_in_an_address_is_a_mistake_of_ours(target: Target, before: str, after: str) -> None:
    session = target.sessions["supervisor"]
    headers = {"Authorization": f"Bearer {session}", "Cookie": f"huisheng_session={session}"}
    path = before.format(reference=target.reference, attachment_id=target.photo)
    for word in BROKEN:
        for accept in ("application/json", "text/html"):
            answer = target.http.get(path + word + after, headers=headers | {"Accept": accept})
            assert answer.status_code < 500, (word, answer.text)
