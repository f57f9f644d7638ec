"""How the interface starts, tells of itself, documents itself and fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from db import requests, throttles
from db.migrations import SchemaMismatch
from policies.loader import load_folder
from settings import DEFAULT_POLICY_DIRECTORY
from tests.interface import Interface, an_interface, problem


@pytest.fixture
async def interface(database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(database_url) as running:
        yield running


async def test_it_tells_that_it_is_alive_and_ready(interface: Interface) -> None:
    assert (await interface.http.get("/healthz")).json() == {"status": "ok"}
    ready = await interface.http.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["database"] == "up"
    assert ready.json()["engine"] == "down"


NEWER = "insert into schema_migrations (version) values ('99990101000000')"
TOO_NEW = f"{NEWER}; update compatible_from set version = '99990101000000'"


async def test_it_is_not_ready_with_a_database_that_has_left_it_behind(interface: Interface) -> None:
    await interface.services.pool.execute(TOO_NEW)
    ready = await interface.http.get("/readyz")

    assert ready.status_code == 503
    assert ready.json()["database"] == "other_version"


async def test_it_does_not_start_with_a_database_that_has_left_it_behind(
    interface: Interface, database_url: str
) -> None:
    await interface.services.pool.execute(TOO_NEW)
    with pytest.raises(SchemaMismatch, match="newer"):
        async with an_interface(database_url):
            pass


async def test_it_goes_on_and_starts_with_a_database_that_a_newer_program_has_migrated(
    interface: Interface, database_url: str
) -> None:
    await interface.services.pool.execute(NEWER)
    assert (await interface.http.get("/readyz")).status_code == 200
    async with an_interface(database_url) as another:
        assert (await another.http.get("/readyz")).json()["database"] == "up"


async def test_without_the_database_everybody_is_asked_to_come_back(interface: Interface) -> None:
    await interface.services.pool.close()
    answer = await interface.http.post("/api/v1/requests", json={"description": "x"})

    problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert (await interface.http.get("/readyz")).status_code == 503
    assert (await interface.http.get("/healthz")).status_code == 200


async def test_an_unexpected_error_has_a_number_and_no_text(interface: Interface) -> None:
    request = await interface.submit(description="A secret matter.")
    await interface.services.pool.execute("update requests set title_sealed = 'broken secret'::bytea")
    with structlog.testing.capture_logs() as logs:
        answer = await interface.http.get(f"/api/v1/requests/{request.reference}", headers=request.headers)

    told = problem(answer, 500, "internal")
    assert told["incident"] in told["detail"]
    assert any(line.get("incident") == told["incident"] for line in logs)
    assert "secret" not in answer.text + str(logs)
    assert answer.headers["x-content-type-options"] == "nosniff"


class _Broken(Exception):
    """Nobody expects it."""


async def _broken(*_: object, **__: object) -> None:
    raise _Broken("A secret matter.")


async def _away(*_: object, **__: object) -> None:
    raise OSError("A secret matter.")


@pytest.mark.parametrize(
    ("fails", "status", "event"), [(_broken, 500, "unexpected_error"), (_away, 503, "database_unavailable")]
)
@pytest.mark.parametrize("path", ["/api/v1/requests/{}", "/r/{}/a-secret-token", "/q/{}/a-secret-token"])
async def test_what_is_logged_of_a_failure_names_the_request_of_the_address_and_never_its_token(
    interface: Interface, monkeypatch: pytest.MonkeyPatch, fails: Any, status: int, event: str, path: str
) -> None:
    for module, name in ((requests, "find"), (throttles, "wait_of")):
        monkeypatch.setattr(module, name, fails)
    structlog.contextvars.clear_contextvars()
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        answer = await interface.http.get(path.format("2611-4829-13704"))

    assert answer.status_code == status
    assert {(line["event"], line["reference"]) for line in logs} == {
        (event, "2611-4829-13704"), ("request", "2611-4829-13704"),
    }  # fmt: skip
    assert "secret" not in str(logs)


async def test_the_log_names_the_operation_and_never_the_token(interface: Interface) -> None:
    with structlog.testing.capture_logs() as logs:
        request = await interface.submit(description="My secret matter.")
        await interface.look_up(request)
        await interface.http.get(f"/r/{request.reference}/{request.token}?q=secret")

    lines = [line for line in logs if line["event"] == "request"]
    assert [line["operation"] for line in lines][:2] == ["submit_request", "read_request"]
    assert lines[1]["reference"] == request.reference
    assert request.token not in str(logs)
    assert "secret" not in str(logs)


@pytest.mark.parametrize(
    ("method", "reference"),
    [
        ("GET", "13987650123"), ("GET", "8613987650123"), ("GET", "11010519870413042X"), ("GET", "Zebulon"),
        ("13987650123", "2611-4829-13704"),
    ],
)  # fmt: skip
async def test_the_log_holds_nothing_that_somebody_put_in_the_wrong_place(
    interface: Interface, method: str, reference: str
) -> None:
    with structlog.testing.capture_logs() as logs:
        await interface.http.request(method, f"/api/v1/requests/{reference}")
    assert [line["status"] for line in logs] in ([404], [405])
    assert not any(word in str(logs) for word in ("13987650123", "11010519870413042X", "Zebulon"))


async def test_the_swagger_page_needs_nothing_from_outside(interface: Interface) -> None:
    page = await interface.http.get("/docs")

    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    for file in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert (await interface.http.get(f"/docs/files/{file}")).status_code == 200


async def test_the_document_describes_every_operation_with_its_problems(interface: Interface) -> None:
    document = (await interface.http.get("/openapi.json")).json()
    operations = list(_operations(document))

    assert len(operations) > 25
    assert not [name for name, operation in operations if not operation.get("summary")]
    assert not [
        name
        for name, operation in operations
        if "api/v1" in name and "500" not in operation["responses"] and "categor" not in name and "sessions" not in name
    ]
    assert "HTTPValidationError" not in str(document)
    assert set(document["components"]["securitySchemes"]) == {"citizen", "staff", "staff page"}
    assert not list(_dangling(document, document["components"]["schemas"]))


def _operations(document: dict[str, Any]) -> Any:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def _dangling(part: Any, schemas: dict[str, Any]) -> Any:
    if isinstance(part, dict):
        if isinstance(reference := part.get("$ref"), str) and reference.rpartition("/")[2] not in schemas:
            yield reference
        for value in part.values():
            yield from _dangling(value, schemas)
    elif isinstance(part, list):
        for value in part:
            yield from _dangling(value, schemas)


async def test_the_codes_of_the_examples_are_those_of_the_demonstration_city(interface: Interface) -> None:
    policy = load_folder(DEFAULT_POLICY_DIRECTORY)
    known = {
        "department": {department.code for department in policy.departments},
        "category": {category.code for category in policy.categories},
        "district": {district.code for district in policy.districts},
        "reason_code": {reason.code for reason in policy.decline_reasons},
        "target": {target.code for target in policy.transfer_targets},
    }
    document = (await interface.http.get("/openapi.json")).json()
    shown = [pair for example in _examples(document) for pair in _codes(example, frozenset(known))]

    assert {name for name, _ in shown} == set(known)
    assert [(name, code) for name, code in shown if code not in known[name]] == []


def _examples(part: Any) -> Any:
    if isinstance(part, dict):
        examples = part.get("examples", [])
        yield from examples.values() if isinstance(examples, dict) else examples
        for value in part.values():
            yield from _examples(value)
    elif isinstance(part, list):
        for value in part:
            yield from _examples(value)


def _codes(part: Any, names: frozenset[str]) -> Any:
    if isinstance(part, dict):
        yield from ((name, value) for name, value in part.items() if name in names and value is not None)
        for value in part.values():
            yield from _codes(value, names)


async def test_categories_speak_the_readers_language(interface: Interface) -> None:
    english = await interface.http.get("/api/v1/categories", headers={"Accept-Language": "en"})
    codes = [category["code"] for category in english.json()["categories"]]
    assert codes == ["street_light", "clinic", "litter", "mattress", "child_care", "gas_leak"]

    leak = (await interface.http.get("/api/v1/categories/gas_leak", headers={"Accept-Language": "en"})).json()
    assert leak["service_level"]["resolve"] == "2 hours"
    chinese = (await interface.http.get("/api/v1/categories/street_light")).json()
    assert chinese["service_level"]["resolve"] == "5个工作日"
    problem(await interface.http.get("/api/v1/categories/moon"), 404, "not_found")


async def test_times_carry_their_zone(interface: Interface) -> None:
    request = await interface.submit()

    assert datetime.fromisoformat(request.submitted_at).astimezone(UTC) == interface.clock()
