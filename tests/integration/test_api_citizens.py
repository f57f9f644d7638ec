"""What a citizen can do with a request of theirs: whose it is, in which state what is possible, photos, coming back by phone."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import re
import tempfile
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from PIL import Image

from api.look_up import CODE_LASTS, CODES_OF_ADDRESS, CODES_OF_NUMBER, CODES_OF_REQUEST, CODES_WITHIN
from api.schemas import NewRequestBody
from db import one_time_codes, outbox
from db.sealing import KeyRing
from db.sent_bodies import is_that_body
from domain.lifecycle import Action, rows_of
from domain.request import Role, State
from tests.interface import Interface, Submitted, an_interface, problem

PHONE = "13800000001"
BODIES: dict[str, dict[str, Any]] = {
    "supplement": {"text": "More."},
    "answer": {"text": "Yes."},
    "urge": {},
    "withdraw": {},
    "rate": {"solved": "yes", "satisfied": 5},
    "reopen": {},
}


@pytest.fixture(scope="module")
async def interface(shared_database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(shared_database_url) as running:
        yield running


@pytest.fixture(autouse=True)
async def no_throttle_left_over(interface: Interface) -> None:
    await interface.services.pool.execute("delete from throttles")


# Whose request it is


@pytest.mark.parametrize("token", ["nonsense", "", "é", "x" * 500])
async def test_a_foreign_token_and_an_unknown_reference_get_the_same_answer(interface: Interface, token: str) -> None:
    request, other = await interface.submit(), await interface.submit()
    headers = [(b"authorization", b"Bearer " + token.encode("latin-1"))]
    answers = [
        await interface.http.get(f"/api/v1/requests/{request.reference}", headers=headers),
        await interface.http.get("/api/v1/requests/2611-0000-00010", headers=headers),
        await interface.http.get("/api/v1/requests/nothing-at-all", headers=headers),
        await interface.http.get(f"/api/v1/requests/{request.reference}", headers=other.headers),
        await interface.http.get(f"/api/v1/requests/{request.reference}"),
    ]

    bodies = {answer.text for answer in answers}
    assert len(bodies) == 1
    problem(answers[0], 404, "not_found")


@pytest.mark.parametrize("action", BODIES)
async def test_nothing_can_be_said_with_a_foreign_token(interface: Interface, action: str) -> None:
    request = await interface.submit()
    answer = await interface.http.post(
        f"/api/v1/requests/{request.reference}/{action}", json=BODIES[action], headers={"Authorization": "Bearer no"}
    )

    problem(answer, 404, "not_found")


async def test_a_reference_may_be_written_without_hyphens_or_with_full_width_digits(interface: Interface) -> None:
    request = await interface.submit()
    plain = request.reference.replace("-", "")
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in plain)

    for written in (plain, wide):
        answer = await interface.http.get(f"/api/v1/requests/{written}", headers=request.headers)
        assert answer.json()["reference"] == request.reference


# What is possible in which state


def _citizen_may(action: str, state: State) -> bool:
    rows = [row for row in rows_of(Action(action)) if Role.CITIZEN in row.roles and state in row.sources]
    return bool(rows)


@pytest.mark.parametrize("action", BODIES)
@pytest.mark.parametrize("state", State)
async def test_each_message_is_taken_in_the_states_of_the_table_and_refused_in_all_others(
    interface: Interface, action: str, state: State
) -> None:
    request = await interface.submit()
    await interface.move(request, state, resolved_at=interface.clock(), parent_state="resolved")
    answer = await interface.tell(request, action, **BODIES[action])

    if _citizen_may(action, state):
        assert answer.status_code == 202, answer.text
        assert answer.json() == {"state": state, "accepted_at": "2026-11-23T01:00:00Z"}
    else:
        assert state in problem(answer, 409, "not_allowed")["detail"]


async def test_what_may_be_said_is_told(interface: Interface) -> None:
    request = await interface.submit()
    assert (await interface.look_up(request))["may"] == ["urge", "supplement", "withdraw"]

    await interface.move(request, "resolved")
    assert (await interface.look_up(request))["may"] == ["rate", "reopen"]


async def test_urging_again_within_a_day_is_refused(interface: Interface) -> None:
    request = await interface.submit()
    await interface.move(request, "assigned", urged_at=interface.clock() - timedelta(hours=23))
    problem(await interface.tell(request, "urge"), 409, "not_allowed")

    await interface.move(request, "assigned", urged_at=interface.clock() - timedelta(hours=25))
    assert (await interface.tell(request, "urge")).status_code == 202


async def test_a_clock_that_was_set_back_breaks_nothing(interface: Interface) -> None:
    request = await interface.submit()
    await interface.move(request, "assigned", urged_at=interface.clock())
    interface.clock.pass_(timedelta(days=-3))
    try:
        problem(await interface.tell(request, "urge"), 409, "not_allowed")
        assert (await interface.tell(request, "supplement", text="Still there.")).status_code == 202
        assert (await interface.look_up(request))["state"] == "assigned"
        assert (await interface.submit()).state == "received"
    finally:
        interface.clock.pass_(timedelta(days=3))


async def test_a_danger_to_life_cannot_be_withdrawn(interface: Interface) -> None:
    request = await interface.submit()
    await interface.move(request, "assigned", urgency="danger")

    assert "danger" in problem(await interface.tell(request, "withdraw"), 409, "not_allowed")["detail"]


async def test_a_closed_request_can_be_reopened_for_a_while_only(interface: Interface) -> None:
    request = await interface.submit()
    resolved_at = interface.clock() - timedelta(days=31)
    await interface.move(request, "closed", resolved_at=resolved_at, solved="no", satisfied=1)
    problem(await interface.tell(request, "reopen"), 409, "not_allowed")
    assert (await interface.look_up(request))["may"] == []

    await interface.move(request, "closed", resolved_at=resolved_at + timedelta(days=2))
    assert (await interface.look_up(request))["may"] == ["reopen"]
    assert (await interface.tell(request, "reopen", text="It is dark again.")).status_code == 202


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("supplement", {}, "text"),
        ("supplement", {"text": " "}, "text"),
        ("supplement", {"text": "x" * 4001}, "text"),
        ("urge", {"text": "\u0000"}, "text"),
        ("rate", {"solved": "yes"}, "satisfied"),
        ("rate", {"solved": "maybe", "satisfied": 3}, "solved"),
        ("rate", {"solved": "yes", "satisfied": 6}, "satisfied"),
        ("rate", {"solved": "yes", "satisfied": "5"}, "satisfied"),
        ("rate", {"solved": "yes", "satisfied": 4.5}, "satisfied"),
        ("rate", {"solved": "yes", "satisfied": True}, "satisfied"),
        ("withdraw", {"reason": "x"}, "reason"),
    ],
)
async def test_a_wrong_field_of_a_message_is_named(
    interface: Interface, action: str, body: dict[str, Any], field: str
) -> None:
    request = await interface.submit()
    (error,) = problem(await interface.tell(request, action, **body), 422, "invalid")["errors"]

    assert error["field"] == field


async def test_a_message_that_needs_no_words_needs_no_body(interface: Interface) -> None:
    request = await interface.submit()
    answer = await interface.http.post(f"/api/v1/requests/{request.reference}/urge", headers=request.headers)

    assert answer.status_code == 202


async def test_what_a_citizen_writes_is_kept_encrypted(interface: Interface) -> None:
    request = await interface.submit(description="A secret description.")
    await interface.tell(request, "supplement", text="A secret supplement.")

    rows = await interface.services.pool.fetch("select * from requests")
    texts = await interface.services.pool.fetch("select * from texts")
    messages = await interface.services.pool.fetch("select * from inbox")
    assert "secret" not in str([dict(row) for row in (*rows, *texts, *messages)])


# Photos


def a_picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", size, "orange").save(kept, kind, **options)
    return kept.getvalue()


def a_photo_that_tells_where_it_was_taken() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "my secret garden"
    exif.get_ifd(0x8825)[1] = "N"
    return a_picture(exif=exif)


async def upload(interface: Interface, request: Submitted, *files: bytes, name: str = "images") -> httpx2.Response:
    parts = [(name, (f"{number}.jpg", data, "image/jpeg")) for number, data in enumerate(files)]
    return await interface.http.post(
        f"/api/v1/requests/{request.reference}/attachments", files=parts, headers=request.headers
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
async def test_a_photo_is_kept_and_shown_to_its_citizen(interface: Interface, kind: str) -> None:
    request = await interface.submit()
    answer = await upload(interface, request, a_picture(kind))
    assert answer.status_code == 201, answer.text

    (kept,) = (await interface.look_up(request))["attachments"]
    assert answer.json()["attachments"] == [kept]
    shown = await interface.http.get(kept["url"], headers=request.headers)
    assert shown.headers["content-type"] == kept["content_type"]
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert Image.open(io.BytesIO(shown.content)).size == (64, 48)
    problem(await interface.http.get(kept["url"], headers={"Authorization": "Bearer no"}), 404, "not_found")


async def test_a_large_photo_is_in_no_file_on_the_way(interface: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is the form of a page: here no file could be made."""
    request = await interface.submit()
    noise = io.BytesIO()
    Image.effect_noise((2800, 2100), 100).save(noise, "JPEG", quality=90)
    assert len(noise.getvalue()) > 4 * 1024 * 1024
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(FileNotFoundError):
        tempfile.TemporaryFile()  # noqa: SIM115

    assert (await upload(interface, request, noise.getvalue())).status_code == 201
    files = [("images", ("1.jpg", noise.getvalue(), "image/jpeg"))]
    page = f"/r/{request.reference}/{request.token}/attachments"
    assert (await interface.http.post(page, files=files)).status_code == 303


async def test_a_photo_forgets_where_it_was_taken(interface: Interface) -> None:
    request = await interface.submit()
    (kept,) = (await upload(interface, request, a_photo_that_tells_where_it_was_taken())).json()["attachments"]
    shown = await interface.http.get(kept["url"], headers=request.headers)

    assert b"secret garden" not in shown.content
    assert not Image.open(io.BytesIO(shown.content)).getexif()


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        pytest.param(b"<script>alert(1)</script>", 415, "unsupported_media_type", id="a script"),
        pytest.param(b"GIF89a/*" + b"x" * 50 + b"*/=1;alert(1)", 415, "unsupported_media_type", id="a polyglot"),
        pytest.param(a_picture()[:200], 415, "unsupported_media_type", id="half a photo"),
        pytest.param(b"", 415, "unsupported_media_type", id="an empty file"),
        pytest.param(b"%PDF-1.7 ...", 415, "unsupported_media_type", id="a PDF"),
        pytest.param(a_picture("TIFF"), 415, "unsupported_media_type", id="a format that we do not take"),
        pytest.param(b"x" * (10 * 1024 * 1024 + 1), 413, "too_large", id="above 10 MB"),
        pytest.param(a_picture("PNG", (9000, 9000)), 413, "too_large", id="too many pixels"),
    ],
)
async def test_what_is_no_photo_of_a_usual_size_is_refused(
    interface: Interface, data: bytes, status: int, code: str
) -> None:
    request = await interface.submit()

    problem(await upload(interface, request, data), status, code)
    assert (await interface.look_up(request))["attachments"] == []


async def test_a_request_takes_ten_photos_and_all_of_a_call_or_none(interface: Interface) -> None:
    request = await interface.submit()
    assert (await upload(interface, request, *[a_picture()] * 8)).status_code == 201
    problem(await upload(interface, request, *[a_picture()] * 3), 422, "invalid")
    assert len((await interface.look_up(request))["attachments"]) == 8

    assert (await upload(interface, request, *[a_picture()] * 2)).status_code == 201
    problem(await upload(interface, request, a_picture()), 422, "invalid")


async def test_of_photos_sent_at_once_no_more_than_ten_are_kept(interface: Interface) -> None:
    request = await interface.submit()
    answers = await asyncio.gather(*(upload(interface, request, *[a_picture()] * 4) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 201, 422, 422]


async def test_an_upload_without_photos_is_refused(interface: Interface) -> None:
    request = await interface.submit()
    problem(await upload(interface, request, a_picture(), name="file"), 422, "invalid")
    problem(await interface.tell(request, "attachments", images=[]), 415, "unsupported_media_type")


# Coming back by phone


async def ask(interface: Interface, reference: str, phone: str = PHONE) -> httpx2.Response:
    return await interface.http.post(f"/api/v1/requests/{reference}/code", json={"phone": phone})


async def sent_code(interface: Interface, request: Submitted) -> str | None:
    """The code of the latest SMS, waiting a moment for it."""
    for _ in range(2000):
        lines = await outbox.latest(
            interface.services.pool, interface.services.keys, reference=request.reference, most=1
        )
        if lines:
            return lines[-1].text.rpartition(" ")[2]
        await asyncio.sleep(0.02)
    return None


async def exchange(interface: Interface, reference: str, code: str, phone: str = PHONE) -> httpx2.Response:
    return await interface.http.post(f"/api/v1/requests/{reference}/token", json={"phone": phone, "code": code})


async def a_code(interface: Interface, request: Submitted) -> str:
    assert (await ask(interface, request.reference)).status_code == 202
    assert await sent_code(interface, request)  # it comes after the answer, and would take the place of the one below
    code = "123456"
    request_id = await interface.services.pool.fetchval(
        "select id from requests where reference = $1", request.reference
    )
    expires_at = interface.clock() + CODE_LASTS
    await one_time_codes.keep(interface.services.pool, interface.services.keys, request_id, code, expires_at)
    return code


async def test_asking_for_a_code_says_the_same_whoever_asks(interface: Interface) -> None:
    request = await interface.submit()
    answers = [
        await ask(interface, request.reference),
        await ask(interface, request.reference, "13900000009"),
        await ask(interface, "2611-0000-00010"),
        await ask(interface, "nonsense"),
    ]

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert await sent_code(interface, request) is not None
    assert await interface.services.pool.fetchval("select count(*) from outbox") == 1


async def test_a_code_gives_a_new_token_once_and_the_old_one_stops_working(interface: Interface) -> None:
    request = await interface.submit()
    code = await a_code(interface, request)
    answer = await exchange(interface, request.reference, code)

    assert answer.status_code == 200
    token = answer.json()["token"]
    assert answer.json()["status_url"] == f"http://localhost/r/{request.reference}/{token}"
    address = f"/api/v1/requests/{request.reference}"
    assert (await interface.http.get(address, headers={"Authorization": f"Bearer {token}"})).status_code == 200
    problem(await interface.http.get(address, headers=request.headers), 404, "not_found")
    problem(await exchange(interface, request.reference, code), 404, "not_found")


async def test_a_wrong_code_an_expired_one_and_a_wrong_number_get_the_same_answer(interface: Interface) -> None:
    request = await interface.submit()
    code = await a_code(interface, request)
    answers = [
        await exchange(interface, request.reference, "000000"),
        await exchange(interface, request.reference, code, "13900000009"),
        await exchange(interface, "2611-0000-00010", code),
    ]
    interface.clock.pass_(CODE_LASTS + timedelta(seconds=1))
    answers.append(await exchange(interface, request.reference, code))

    assert len({answer.text for answer in answers}) == 1
    problem(answers[0], 404, "not_found")


async def test_a_code_may_be_tried_five_times(interface: Interface) -> None:
    request = await interface.submit()
    code = await a_code(interface, request)
    for number in range(one_time_codes.TRIES):
        problem(await exchange(interface, request.reference, f"00000{number}"), 404, "not_found")

    problem(await exchange(interface, request.reference, code), 404, "not_found")


async def test_codes_are_limited_by_request_and_by_address(interface: Interface) -> None:
    request = await interface.submit()
    for _ in range(CODES_OF_REQUEST):
        assert (await ask(interface, request.reference)).status_code == 202
    answer = await ask(interface, request.reference)
    problem(answer, 429, "too_many")
    assert 0 < int(answer.headers["retry-after"]) <= CODES_WITHIN.total_seconds()

    for number in range(CODES_OF_ADDRESS):
        await ask(interface, f"nothing-{number}", f"139{number:08}")
    problem(await ask(interface, (await interface.submit()).reference, "13900000099"), 429, "too_many")


async def test_codes_are_limited_by_number_whichever_requests_they_are_for(interface: Interface) -> None:
    written = ("13800000001", "+86 138 0000 0001", "138-0000-0001")
    for number in range(CODES_OF_NUMBER):
        async with interface.from_address(f"192.0.2.{number}") as http:
            reference = (await interface.submit()).reference
            body = {"phone": written[number % len(written)]}
            assert (await http.post(f"/api/v1/requests/{reference}/code", json=body)).status_code == 202

    for reference in ((await interface.submit()).reference, "2611-0000-00010", "nothing"):
        problem(await ask(interface, reference), 429, "too_many")
    assert (await ask(interface, (await interface.submit()).reference, "13900000009")).status_code == 202


async def test_no_counter_can_be_turned_back_into_what_it_counts(interface: Interface) -> None:
    """By trying all numbers, addresses and names."""
    request, address = await interface.submit(), "192.0.2.77"
    async with interface.from_address(address) as http:
        wrong = {"username": "chen", "password": "wrong"}
        code = {"phone": PHONE}
        for path, body in (
            ("/sessions", wrong), (f"/requests/{request.reference}/code", code),
            (f"/requests/{request.reference}/token", code | {"code": "000000"}), ("/similar-answers", {"description": "A lamp."}),
        ):  # fmt: skip
            assert (await http.post(f"/api/v1{path}", json=body)).status_code < 500, path
        await http.get(f"/q/{request.reference}/no-such-link")
    kinds = ("sign-in", "code", "code-try", "similar", "question")
    plain = [f"{kind}:address:{address}" for kind in kinds]
    plain += ["sign-in:name:chen", f"code:number:+86{PHONE}", f"code:request:{request.reference}"]

    rows = await interface.services.pool.fetch("select key from throttles")
    kept = {row["key"] for row in rows}
    assert {interface.services.keys.keyed_hash("throttles.key", each) for each in plain} <= kept
    assert not kept & {hashlib.sha256(each.encode()).digest() for each in plain}


async def test_what_is_kept_of_a_submission_cannot_be_turned_back_into_its_number(interface: Interface) -> None:
    """By whoever knows the text and tries all numbers."""
    body = {"description": "The street light is out.", "contact": {"phone": PHONE}}
    answers = [
        await interface.http.post("/api/v1/requests", json=body, headers={"Idempotency-Key": "a-lamp"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["reference"] == answers[1].json()["reference"]
    (row,) = await interface.services.pool.fetch(
        "select idempotency_body from requests where idempotency_body is not null"
    )
    told = NewRequestBody.model_validate(body).model_dump_json().encode()
    assert is_that_body(interface.services.keys, row["idempotency_body"], told)
    lost = KeyRing.from_text("lost:" + base64.b64encode(bytes(32)).decode())
    assert not is_that_body(lost, row["idempotency_body"], told)


async def test_the_code_is_stored_nowhere_in_the_clear(interface: Interface) -> None:
    request = await interface.submit()
    await ask(interface, request.reference)
    assert await sent_code(interface, request)

    rows = await interface.services.pool.fetch("select facts from notices where kind = 'one_time_code'")
    assert not any(re.search(r"\b\d{6}\b", str(row["facts"].get("code", ""))) for row in rows)
