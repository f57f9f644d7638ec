"""Hostile input over HTTP, from a seed: whatever the OpenAPI document allows or forbids to be sent, and what no document
tells. Nothing of it is a mistake of ours (5xx), hangs, or is answered otherwise than is documented.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any, TypeVar, cast
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.actions import STAFF_ACTIONS, FieldSpec
from api.app import create_app
from domain.lifecycle import Action
from supervision.temporal import TemporalServer
from tests.addresses import addresses
from tests.conftest import FreshDatabase
from tests.hostile_target import ANSWERS_WITHIN_SECONDS, ENDS_ITSELF, EVERY_ROLE, STAFF, Aim, Target, a_target
from tests.hostile_words import (
    BODIES,
    BROKEN,
    CURSOR,
    ENDLESS,
    FIELDS,
    HEADER_VALUES,
    HEADERS,
    KINDS,
    NESTED,
    NO_VALUES,
    PARTS,
    UNWANTED,
)
from tests.interface import settings_for
from tests.seeds import SEED, TIMES, from_seed

pytestmark = pytest.mark.slow

CASES = 20
"""Of each address, once as documented and once not: some thousands in all."""

APP = create_app(settings_for("postgresql://nobody@nowhere/nothing"))
OPERATIONS: list[Any] = [
    cast(Any, found).ok() for found in schemathesis.openapi.from_dict(APP.openapi()).get_all_operations()
]
FORMS = sorted(address for address in addresses(APP) if address.startswith("POST ") and "/api/" not in address)


CHANGING = ("/supplement", "/answer", "/urge", "/withdraw", "/rate", "/reopen", "/erase", "/{action}")
ACTED_ON = ("acted on 1", "acted on 2", "acted on 3")
"""Not operations: requests for the test of staff actions alone."""


@pytest.fixture(scope="module")
def target(
    fresh_database: FreshDatabase, temporal_server: TemporalServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    changing = [label for label in (*(operation.label for operation in OPERATIONS), *FORMS) if label.endswith(CHANGING)]
    logs = tmp_path_factory.mktemp("target")
    with a_target(fresh_database(), temporal_server, logs, [*changing, *ACTED_ON]) as started:
        yield started


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_whatever_is_sent_is_answered_as_documented(target: Target, operation: Any, mode: GenerationMode) -> None:
    @from_seed(CASES)
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        case, headers = _case(target, data, operation, mode)
        answer = case.call(str(target.http.base_url), headers=headers, timeout=ANSWERS_WITHIN_SECONDS)
        assert answer.status_code < 500, answer.content
        case.validate_response(
            answer, checks=[status_code_conformance, content_type_conformance, response_schema_conformance]
        )

    if mode is GenerationMode.NEGATIVE and operation.label in NOTHING_FORBIDDEN:
        with pytest.raises(Unsatisfiable):
            ask()
    else:
        ask()


NOTHING_FORBIDDEN = {"GET /api/v1/categories", "GET /api/v1/categories/{code}", "GET /healthz", "GET /readyz", "GET /metrics"}  # fmt: skip
"""With these nothing can be sent that their documentation forbids."""


OF_THE_WIRE = ("Content-Length", "Transfer-Encoding")
"""Headers that may be made up like any other name, and make of a request one that is none: the server itself answers that."""


def _case(target: Target, data: st.DataObject, operation: Any, mode: GenerationMode) -> tuple[Case[Any], Headers]:
    """One in two is about a request that there is, and nine in ten come with a key."""
    case: Case[Any] = data.draw(operation.as_strategy(generation_mode=mode))
    for name in OF_THE_WIRE:
        case.headers.pop(name, None)
    aim, is_known = data.draw(st.sampled_from(target.family(operation.label))), data.draw(st.booleans())
    known = aim.values()
    if case.path_parameters and is_known:
        case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
    ends = operation.label.endswith(("/sessions", "/sessions/{session}")) and operation.method == "delete"
    who = ENDS_ITSELF if ends else data.draw(st.sampled_from([*STAFF]))
    return case, target.key_for(operation.path, who, aim) if data.draw(st.integers(0, 9)) else {}


Headers = dict[str, Any]
Made = TypeVar("Made")


@pytest.mark.parametrize("address", FORMS)
def test_no_form_of_a_page_is_a_way_in(target: Target, address: str) -> None:
    @from_seed(4 * CASES)
    @given(st.data())
    def send(data: st.DataObject) -> None:
        path, headers, content = _form(target, data, address)
        answer = target.http.post(path, headers=headers, **content)
        assert answer.status_code < 500, answer.text

    send()


@pytest.mark.parametrize("address", FORMS)
def test_no_field_of_a_form_breaks_at_a_number_without_end_or_at_a_file(target: Target, address: str) -> None:
    headers = {"Origin": str(target.http.base_url), "Cookie": f"huisheng_session={target.sessions[EVERY_ROLE]}"}
    if address == "POST /staff/sign-out":
        headers["Cookie"] = f"huisheng_session={target.sessions[ENDS_ITSELF]}"
    for action in Action if "{action}" in address else ("",):
        path = address.partition(" ")[2].format(**target.family(address)[0].values(), action=action)
        for some in (FIELDS[:10], FIELDS[10:20], FIELDS[20:]):
            endless: dict[str, Any] = {"data": {**dict.fromkeys(some, ENDLESS), "key": "x"}}
            files: dict[str, Any] = {"data": {"key": "x"}, "files": [(name, ("x.jpg", b"x")) for name in some]}
            for content in (endless, files):
                answer = target.http.post(path, headers=headers, **content)
                assert answer.status_code < 500, (path, answer.text)


def _form(target: Target, data: st.DataObject, address: str) -> tuple[str, Headers, dict[str, Any]]:
    """Where it is sent, with what headers, and what httpx2 is to make of it."""
    path, body = address.partition(" ")[2], data.draw(st.one_of(BODIES, PARTS))
    aim = data.draw(st.sampled_from(target.family(address)))
    values = aim.values() | {
        "action": data.draw(st.sampled_from(["supplement", "rate", "resolve", "progress", "decline", "x", "\0"]))
    }
    who = ENDS_ITSELF if path == "/staff/sign-out" else data.draw(st.sampled_from([*STAFF]))
    headers = {"Origin": str(target.http.base_url), "Cookie": f"huisheng_session={target.sessions[who]}"}
    path = quote(path.format(**values), safe="/")
    if isinstance(body, bytes):
        return path, headers | {"Content-Type": data.draw(st.sampled_from(KINDS)).encode("latin-1")}, {"content": body}
    if isinstance(body, tuple):
        return (
            path,
            headers,
            {
                "data": _writable(body[0]),
                "files": [(name, (_plain(file), content)) for name, (file, content) in body[1]],
            },
        )
    return path, headers, {"data": _writable(body)}


def _writable(body: Any) -> Any:
    """A half of a character cannot be written as a form; it is sent as its bytes would be."""
    return {
        _plain(name): value if isinstance(value, list) else value.encode("utf-8", "replace")
        for name, value in body.items()
        if not isinstance(value, list) or all(word.isprintable() for word in value)
    }


def _plain(word: str) -> str:
    return word.encode("utf-8", "replace").decode()


CODES = {
    "department": ("housing", "health", "city"), "co_department": ("health",), "category": ("street_light", "clinic"),
    "reason_code": ("court",), "target": ("next_city",),
}  # fmt: skip


def _value(spec: FieldSpec, chance: random.Random, aim: Aim, parent: Aim) -> Any:
    """Mostly what the field takes."""
    known: dict[str, Sequence[Any]] = {
        "text": ["The lamp is ordered.", "x"], "boolean": [True, False], "number": [1, 2, 5], "date": ["2027-03-01", "2026-12-01"],
        "attachments": [[], [aim.photo]], "line": [parent.reference],
    }  # fmt: skip
    wanted = known.get(spec.type) or spec.choices or CODES.get(spec.name, ("street_light",))
    return chance.choice(wanted if chance.random() < 0.9 else UNWANTED)


def test_no_action_of_staff_is_a_mistake_of_ours(target: Target) -> None:
    """Mostly one that is possible now, so that a worker carries it out: what is refused before tells nothing of that."""
    chance, done = random.Random(SEED), set[Action]()
    aims = [aim for name in ACTED_ON for aim in target.family(name)]
    for _ in range(8 * CASES * TIMES):
        aim = chance.choice(aims)
        address = f"/api/v1/staff/requests/{aim.reference}"
        may = target.http.get(address, headers=target.key_for("", EVERY_ROLE, aim)).json()["may"]
        possible = [Action(entry["action"]) for entry in may]
        wanted = STAFF_ACTIONS[chance.choice(possible if possible and chance.random() < 0.8 else [*STAFF_ACTIONS])]
        given = [spec for spec in wanted.fields if spec.required or chance.random() < 0.5]
        body = {spec.name: _value(spec, chance, aim, target.aim) for spec in given}
        headers = target.key_for("", chance.choice([*[EVERY_ROLE] * 4, *STAFF]), aim) | {
            "Content-Type": "application/json"
        }
        key = {"Idempotency-Key": chance.choice(["x", "y"])} if chance.random() < 0.5 else {}
        answer = target.http.post(f"{address}/actions/{wanted.action}", content=json.dumps(body), headers=headers | key)
        assert answer.status_code < 500, (wanted.action, body, answer.text)
        if answer.status_code == 200:
            done.add(wanted.action)

    assert len(done) >= 8, done


WITH_HEADERS = (
    "GET /", "POST /", "POST /find", "GET /staff", "POST /staff/sign-in", "POST /staff/sign-out", "POST /staff/requests/x/actions/accept",
    "GET /r/{reference}/{token}", "POST /r/{reference}/{token}/urge", "POST /r/{reference}/{token}/attachments", "GET /nowhere",
    "DELETE /api/v1/sessions", "POST /api/v1/sessions", "POST /api/v1/requests", "GET /api/v1/requests/{reference}", "GET /api/v1/staff/requests",
    "POST /api/v1/staff/requests/{reference}/actions/progress", "POST /codec/decode", "OPTIONS /codec/decode", "GET /metrics",
)  # fmt: skip


@pytest.mark.parametrize("address", WITH_HEADERS)
def test_no_header_is_a_mistake_of_ours(target: Target, address: str) -> None:
    method, _, path = address.partition(" ")

    @from_seed(CASES)
    @given(st.dictionaries(st.sampled_from(HEADERS), HEADER_VALUES, min_size=1, max_size=5), st.booleans())
    def send(headers: dict[str, str], is_page: bool) -> None:
        usual = {"Accept": "text/html" if is_page else "application/json", "Cookie": f"huisheng_session={ENDED}"}
        sent: Headers = {name: value.encode("latin-1") for name, value in (usual | headers).items()}
        answer = target.http.request(method, path.format(**target.aim.values()), headers=sent, content=b"text=x")
        assert answer.status_code < 500, answer.text

    send()


ENDED = "a-session-that-there-is-not"


@pytest.mark.parametrize("address", WITH_HEADERS)
def test_no_header_that_is_none_is_a_mistake_of_ours(target: Target, address: str) -> None:
    """Each of them alone, for one could hide another."""
    method, _, path = address.partition(" ")
    for name, values in NO_VALUES.items():
        for value in values:
            sent: Headers = {
                "Cookie": f"huisheng_session={ENDED}",
                "Accept": "text/html",
                name: value.encode("latin-1"),
            }
            answer = target.http.request(method, path.format(**target.aim.values()), headers=sent, content=b"text=x")
            assert answer.status_code < 500, (name, value, answer.text)


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


@pytest.mark.parametrize("body", NESTED)
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/requests", "/api/v1/sessions", "/api/v1/requests/{reference}/supplement", "/api/v1/requests/{reference}/code",
        "/api/v1/staff/requests", "/api/v1/staff/requests/{reference}/actions/progress", "/api/v1/staff/requests/{reference}/actions/resolve",
    ],
)  # fmt: skip
def test_bodies_made_to_break_a_parser_are_refused(target: Target, path: str, body: bytes) -> None:
    headers = {**target.key_for(path, "handler", target.aim), "Content-Type": "application/json"}
    answer = target.http.post(path.format(**target.aim.values()), content=body, headers=headers)

    assert answer.status_code in (201, 400, 403, 409, 413, 422), answer.text


def test_a_cursor_made_to_break_a_parser_is_refused(target: Target) -> None:
    cursor = base64.urlsafe_b64encode(b"[" * 30_000).decode()
    headers = {"Authorization": f"Bearer {target.sessions['supervisor']}"}

    assert target.http.get("/api/v1/staff/requests", params={"cursor": cursor}, headers=headers).status_code in (
        414,
        422,
    )


WARM, MEASURED = 3, 4
"""Rounds: what is kept for good is kept after the first ones."""
GROWS_LESS_THAN = 2_500_000
"""Bytes, over nearly a thousand calls: less than three kilobytes a call."""


def test_the_memory_of_the_interface_does_not_grow(target: Target) -> None:
    """Of every operation and every form a few cases, sent again and again."""
    calls = [*_calls_of_operations(target), *_calls_of_forms(target)]
    after: list[int] = []
    for _ in range(WARM + MEASURED):
        for call in calls:
            call()
        after.append(target.process.memory_info().rss)

    assert after[-1] - after[WARM - 1] < GROWS_LESS_THAN * TIMES, after


def _calls_of_operations(target: Target) -> Iterator[Callable[[], object]]:
    for operation, mode in product(OPERATIONS, GenerationMode):
        if mode is GenerationMode.POSITIVE or operation.label not in NOTHING_FORBIDDEN:
            for case, headers in _made_up(2, lambda data, *asked: _case(target, data, *asked), operation, mode):
                yield partial(case.call, str(target.http.base_url), headers=headers, timeout=ANSWERS_WITHIN_SECONDS)


def _calls_of_forms(target: Target) -> Iterator[Callable[[], object]]:
    for address in FORMS:
        for path, headers, content in _made_up(4, lambda data, form: _form(target, data, form), address):
            yield partial(target.http.post, path, headers=headers, **content)


def _made_up(cases: int, make: Callable[..., Made], *arguments: Any) -> list[Made]:
    found: list[Made] = []

    @from_seed(cases)
    @given(st.data())
    def keep(data: st.DataObject) -> None:
        found.append(make(data, *arguments))

    keep()
    return found


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
    path = before.format(**target.aim.values())
    for word in BROKEN:
        for accept in ("application/json", "text/html"):
            answer = target.http.get(path + word + after, headers=headers | {"Accept": accept})
            assert answer.status_code < 500, (word, answer.text)
