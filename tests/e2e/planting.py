"""The ways in which personal data and secrets come in, right and wrong, and the troubles that could write them somewhere.

A new way in belongs here, with words of its own in planted.py.
"""

from __future__ import annotations

import asyncio
import io
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
from PIL import Image

from tests.e2e.books import calm
from tests.e2e.people import Caller, Receipt
from tests.e2e.planted import PEOPLE, SECRETS, TEXTS
from tests.e2e.system import LiveSystem, until
from tests.smsbox import a_smsbox
from workflows.connection import connect
from workflows.contract import ESCALATE_SIGNAL, workflow_id

CONTACT = {"name": PEOPLE["name"] + " " + PEOPLE["Chinese name"], "phone": PEOPLE["phone"], "email": PEOPLE["e-mail"]}
MATTER: dict[str, Any] = {
    "description": f"{TEXTS['description']} {PEOPLE['identity number']} The street light is out.",
    "title": TEXTS["title"],
    "contact": CONTACT,
    "location": {"address": f"{PEOPLE['address']}, {PEOPLE['Chinese address']}", "place": PEOPLE["place"]},
    "language": "en",
}


async def a_whole_life(caller: Caller, town: LiveSystem) -> Receipt:
    """Every word that a citizen and a department can say about one request."""
    receipt = await caller.submit(**{**MATTER, "confidential": True})
    await calm(town, [receipt.reference])
    photo = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = TEXTS["photo"]
    Image.new("RGB", (64, 48), "orange").save(photo, "JPEG", exif=exif, comment=TEXTS["photo"].encode())
    files = {"images": (f"{TEXTS['photo']}.jpg", photo.getvalue(), "image/jpeg")}
    path = f"/api/v1/requests/{receipt.reference}"
    sent = await caller.http.post(f"{path}/attachments", files=files, headers=receipt.headers)
    assert sent.status_code == 201, sent.text
    assert (await caller.tell(receipt, "supplement", text=TEXTS["supplement"])).status_code == 202
    assert (await caller.tell(receipt, "urge")).status_code in (202, 409)
    for action, body in (
        ("accept", {}),
        ("contact", {"how": "phone", "note": TEXTS["note"]}),
        ("progress", {"note": TEXTS["progress"], "public": True}),
        ("escalate", {"reason": TEXTS["reason"]}),
        ("ask_citizen", {"question": TEXTS["question"]}),
    ):
        done = await caller.get_done("housing", receipt.reference, action, **body)
        assert done.status_code == 200, (action, done.text)
    await calm(town, [receipt.reference])
    assert (await caller.tell(receipt, "answer", text=TEXTS["answer"])).status_code == 202
    await calm(town, [receipt.reference])
    done = await caller.get_done("housing", receipt.reference, "resolve", outcome="solved", reply=TEXTS["reply"])
    assert done.status_code == 200, done.text
    if done.json()["state"] == "in_review":
        done = await caller.get_done("dispatcher", receipt.reference, "approve")
        assert done.status_code == 200, done.text
    await calm(town, [receipt.reference])
    assert (await caller.tell(receipt, "rate", solved="no", satisfied=1, text=TEXTS["rating"])).status_code == 202
    await calm(town, [receipt.reference])
    await looked_up(caller, receipt)
    return receipt


async def looked_up(caller: Caller, receipt: Receipt) -> None:
    """By reference and number, with a one-time code; and by staff, who search by number."""
    asked = await caller.post(f"/requests/{receipt.reference}/code", {"phone": PEOPLE["phone as it is written"]})
    assert asked.status_code == 202, asked.text
    page = {"reference": receipt.reference, "phone": PEOPLE["phone"]}
    assert (await caller.http.post("/find", data=page)).status_code == 200
    for words in (PEOPLE["phone"], PEOPLE["name"], TEXTS["description"]):
        headers = await caller.sign_in("dispatcher")
        found = await caller.http.get("/api/v1/staff/requests", params={"q": words}, headers=headers)
        assert found.status_code in (200, 422), found.text


async def a_life_at_the_desk(caller: Caller) -> Receipt:
    """By the web form; withdrawn, and erased on demand. And one that staff write down for a citizen."""
    form = {
        "description": TEXTS["desk"],
        "name": CONTACT["name"],
        "phone": PEOPLE["phone"],
        "place": PEOPLE["address"],
        "key": uuid4().hex,
    }
    sent = await caller.http.post("/", data=form)
    assert sent.status_code == 303, sent.text
    headers = await caller.sign_in("dispatcher")
    written = await caller.post("/staff/requests", {**MATTER, "description": TEXTS["desk"]}, **headers)
    assert written.status_code == 201, written.text
    receipt = await caller.submit(**{**MATTER, "description": TEXTS["desk"]})
    gone = await caller.submit(**MATTER)
    withdrawn = await caller.tell(gone, "withdraw", text=TEXTS["withdrawal"])
    assert withdrawn.status_code == 202, withdrawn.text
    assert (await caller.tell(gone, "erase")).status_code in (200, 202)
    settled = {
        **MATTER, "channel": "staff", "category": "street_light", "department": "housing", "outcome": "solved",
        "done": TEXTS["quick log"],
    }  # fmt: skip
    logged = await caller.post("/staff/requests/quick-log", settled, **await caller.sign_in("housing"))
    assert logged.status_code == 201, logged.text
    return receipt


async def a_disputed_life(caller: Caller, town: LiveSystem) -> Receipt:
    """Every word that a centre and its departments can say to each other about one request."""
    receipt, child = await caller.submit(**MATTER), await caller.submit(**MATTER)
    await calm(town, [receipt.reference, child.reference])

    async def done(username: str, action: str, of: Receipt = receipt, **body: Any) -> None:
        answer = await caller.get_done(username, of.reference, action, **body)
        assert answer.status_code == 200, (action, answer.text)

    await done("dispatcher", "merge", child, parent=receipt.reference, reason=TEXTS["merger"])
    await done("dispatcher", "unmerge", child, reason=TEXTS["separation"])
    for _ in range(2):
        await done("housing_lead", "return_request", department="health", reason=TEXTS["return"])
        await done("dispatcher", "assign", department="housing", category="street_light")
    await done("housing_lead", "return_request", department="health", reason=TEXTS["return"])
    await done("supervisor", "decide", decision="assign", department="housing", reason=TEXTS["decision"])
    await done("housing", "accept")
    await done("housing_lead", "request_extension", days=3, reason=TEXTS["extension"])
    await done("dispatcher", "grant_extension", note=TEXTS["grant"])
    review_on = (datetime.now().astimezone() + timedelta(days=60)).date().isoformat()
    await done("housing_lead", "request_hold", review_on=review_on, reason=TEXTS["hold"])
    await done("supervisor", "approve_hold", note=TEXTS["approval"])
    await done("supervisor", "resume", reason=TEXTS["resumption"])
    await done("housing", "resolve", outcome="solved", reply=TEXTS["reply"])
    if (await caller.standing(receipt))["state"] == "in_review":
        await done("dispatcher", "approve")
    await done("caller", "record_call", result="no_answer", note=TEXTS["call"])
    return receipt


async def what_is_wrong(caller: Caller, receipt: Receipt) -> None:
    """Whatever people put into the wrong field, or send to the wrong place."""
    wrong, phone = TEXTS["wrong"], PEOPLE["phone"]
    for body in (
        {**MATTER, "language": wrong}, {**MATTER, "contact": {"phone": wrong}}, {**MATTER, "category": wrong},
        {**MATTER, wrong: wrong}, {**MATTER, "description": wrong + "\x00"}, {**MATTER, "description": wrong * 200},
    ):  # fmt: skip
        assert (await caller.post("/requests", body, **{"Idempotency-Key": uuid4().hex})).status_code in (201, 422)
    http = caller.http
    statuses = {
        (await http.post("/api/v1/requests", content=f'{{"description": "{wrong}'.encode())).status_code,
        (await http.post("/api/v1/requests", content=wrong.encode("utf-16"))).status_code,
        (await http.get(f"/r/{receipt.reference}/{SECRETS['token that is none']}")).status_code,
        (await http.get(f"/api/v1/requests/{phone}")).status_code,
        (await http.get(f"/{wrong}", params={"phone": phone})).status_code,
        (await http.get("/gateways/kannel/receipts", params={"attempt": phone, "type": wrong})).status_code,
        (await http.get("/api/v1/staff/requests", params={"state": wrong, "q": phone})).status_code,
        (await http.post("/codec/decode", content=wrong.encode())).status_code,
        (await caller.tell(receipt, "rate", solved=wrong, text=wrong)).status_code,
        (await caller.post("/sessions", {"username": SECRETS["password"], "password": wrong})).status_code,
        (await caller.get("/sessions", Authorization=f"Bearer {SECRETS['token that is none']}")).status_code,
        (await http.get("/staff", headers={"Cookie": f"huisheng_session={SECRETS['token that is none']}"})).status_code,
        (await http.request(phone, "/api/v1/requests")).status_code,
        (await caller.act("housing", receipt.reference, "resolve", outcome=wrong, reply=wrong)).status_code,
        (await caller.act("housing", receipt.reference, wrong, note=wrong)).status_code,
    }
    assert all(400 <= status < 500 or status == 303 for status in statuses), statuses


async def what_an_admin_types(town: LiveSystem, receipt: Receipt) -> None:
    """Into a signal in the Temporal UI; and by commands."""
    client = await connect(town.system.temporal_address, town.keys)
    handle = client.get_workflow_handle(workflow_id(receipt.reference))
    await calm(town, [receipt.reference])
    await handle.signal(ESCALATE_SIGNAL, {"reason": TEXTS["signal"], "by": "chen"})
    for command in (
        ("erase", receipt.reference, "--reason", TEXTS["erasure"], "--yes"),
        ("staff", "add", "zhao", "--role", "caller", "--phone", PEOPLE["phone of the staff"], "--password", SECRETS["password"]),
    ):  # fmt: skip
        code, _, said = await town.run(sys.executable, "-m", "cli.main", *command)
        assert code == 0, said


async def trouble(town: LiveSystem, caller: Caller) -> None:
    """Exceptions with personal data in them, a gateway that repeats what it was told, a policy that is none, a database away."""
    await exceptions(town)
    await a_talkative_gateway(town, caller)
    await a_broken_seal(town, caller)
    await a_wrong_policy(town)
    await without_a_table(town, caller)
    await without_a_database(town, caller)


async def exceptions(town: LiveSystem) -> None:
    """Of an activity and of a run, as a program's mistake would raise them: into Temporal and into the worker's log."""
    log = town.system.ground.logs / "breaking.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.breaking", TEXTS["exception"], PEOPLE["phone"], env=town.environment,
            stdout=output, stderr=output,
        )  # fmt: skip
        assert await asyncio.wait_for(process.wait(), 180) == 0, log.read_text()


async def a_talkative_gateway(town: LiveSystem, caller: Caller) -> None:
    said = f"Malformed: to={PEOPLE['phone as it is kept']} text={TEXTS['description']}".encode()
    async with a_smsbox(400, said) as smsbox:
        changes = {
            "HUISHENG_SMS_PROVIDER": "kannel", "HUISHENG_KANNEL_URL": smsbox.url, "HUISHENG_KANNEL_USER": "town",
            "HUISHENG_KANNEL_PASSWORD": SECRETS["password"], "HUISHENG_KANNEL_FROM": "12345",
            "HUISHENG_KANNEL_DLR_SECRET": SECRETS["secret of the gateway"],
        }  # fmt: skip
        await town.worker.stop()
        worker = town.another("worker", **changes)
        await worker.start()
        try:
            await caller.submit(**MATTER)

            async def was_told() -> bool:
                return bool(smsbox.requests)

            await until(was_told, what="that the gateway is told something")
        finally:
            await worker.stop()
            await town.worker.start()


async def a_broken_seal(town: LiveSystem, caller: Caller) -> None:
    """The activity that reads the text fails, again and again."""
    await town.worker.stop()
    receipt = await caller.submit(**MATTER)
    query = "update requests set description_sealed = $1 where reference = $2"
    await town.look(query, b"\x01\x01xyz", receipt.reference)
    await town.worker.start()

    async def is_said() -> bool:
        return b"SealBroken" in town.worker.log.read_bytes()

    await until(is_said, what="that the worker says it")


async def a_wrong_policy(town: LiveSystem) -> None:
    folder = town.system.ground.root.parent / "wrong"
    folder.mkdir()
    (folder / "city.toml").write_text(f'name = "{TEXTS["wrong"]}" "')
    code, _, _ = await town.run(sys.executable, "-m", "cli.main", "policy", "load", str(folder))
    assert code != 0


async def without_a_table(town: LiveSystem, caller: Caller) -> None:
    await town.look("alter table texts rename to texts_away")
    answer = await caller.post("/requests", MATTER)
    await town.look("alter table texts_away rename to texts")
    assert answer.status_code == 500


async def without_a_database(town: LiveSystem, caller: Caller) -> None:
    town.postgres.kill()
    with suppress(httpx2.TransportError):
        assert (await caller.post("/requests", MATTER)).status_code == 503
    await town.postgres.start()
    await caller.submit(**MATTER)
