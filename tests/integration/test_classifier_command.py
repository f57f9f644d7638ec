"""`huisheng classifier` as a city's engineer runs it, and a city that learns: its own decisions become the model that decides."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import db.models
import db.policies
from activities.models import FRESH_SECONDS
from db import audit
from db.models import Because, By, Origin
from db.pool import Pool
from domain.errors import Unknown
from domain.policy import Policy, to_plain
from policies.loader import load_folder
from settings import DEFAULT_POLICY_DIRECTORY
from tests.city import a_category, a_city
from tests.decided import a_decided_request, a_way, ran_through
from tests.messages import a_file, some_messages
from tests.rows import SUNDAY_NOON, a_submitted_request
from tests.skipping import a_skipping_server
from tests.town import KEYS, Town
from tests.town_hall import a_town

PROJECT = Path(__file__).parents[2]
CITY = a_city(
    categories=(
        a_category("street_light", "housing"),
        a_category("garbage", "north_street"),
        a_category("wage_arrears", "health"),
        a_category("taxi", "city"),
        a_category("wild_boar", "housing"),
    )
)


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    """The keys are those of the town."""
    return {**os.environ, "DATABASE_URL": database_url, "HUISHENG_KEYS": "test:" + "A" * 43 + "=", "COLUMNS": "120"}


async def classifier(environment: dict[str, str], *arguments: str | Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "classifier", *map(str, arguments), cwd=PROJECT, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 240)
    return process.returncode or 0, output.decode()


async def with_policy(pool: Pool, policy: Policy = CITY) -> None:
    await db.policies.activate(pool, policy.version, "Small City", to_plain(policy), SUNDAY_NOON)


async def decided_requests(pool: Pool, each: int = 30) -> None:
    """One a second: their order is the same in every run, and so is what is learnt."""
    for number, example in enumerate(some_messages(each)):
        at = SUNDAY_NOON + timedelta(seconds=number)
        await a_decided_request(pool, KEYS, example.title, example.body, example.label, at=at)


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    async with a_skipping_server() as server, a_town(server, database_url, policy=CITY) as ready:
        yield ready


async def decision(town: Town, text: str) -> tuple[str | None, dict[str, str]]:
    """The department that the request was sent to, if any, and what the timeline says of the reason."""
    request = await town.submit(text)
    return (await request.snapshot()).department, dict((await request.latest()).facts)


async def test_city_learns_from_its_own_decisions_and_goes_back_with_one_command(
    town: Town, environment: dict[str, str]
) -> None:
    text = "公司不给加班费，三个月没发工资，工钱一直要不到，请尽快处理"
    await with_policy(town.pool)
    nobody_knows = (None, "nothing in the text says what it is about")
    department, facts = await decision(town, text)
    assert (department, facts["why"]) == nobody_knows

    await decided_requests(town.pool)
    code, said = await classifier(environment, "train", "--precision", "0.9")
    assert code == 0, said
    version = await db.models.active_version(town.pool)
    assert f"Model {version}: 120 messages, 4 labels" in said
    assert [(each.look.kind, each.look.count) for each in await audit.shown(town.pool, most=9)] == [("training", 120)]
    await asyncio.sleep(FRESH_SECONDS)
    department, facts = await decision(town, text)
    assert (department, facts["decided_by"]) == ("health", f"model {version}")
    assert facts["candidates"].startswith("wage_arrears:")
    assert f"category wage_arrears (model {version}, " in facts["why"]

    code, said = await classifier(environment, "back", "--reason", "too many wages")
    assert (code, said.splitlines()[0]) == (0, "The words of the policy decide from now on.")
    await asyncio.sleep(FRESH_SECONDS)
    department, facts = await decision(town, text)
    assert (department, facts["why"]) == nobody_knows


async def test_model_that_was_damaged_in_the_database_leaves_the_words(town: Town) -> None:
    await db.models.keep(town.pool, "spoilt", b"huisheng-classifier format=1 and then nothing", {}, SUNDAY_NOON)
    await db.models.activate(town.pool, "spoilt", SUNDAY_NOON)
    _, facts = await decision(town, "The street light is out.")
    assert facts["decided_by"] == f"keywords {CITY.version}"


NOT_LEARNT = {
    "not accepted": ran_through("taxi")[:1],
    "taken back": (*ran_through("taxi"), *a_way(("return_request", "triage", {"previous_department": "city"}))),
    "closed without a department": a_way(("to_triage", "triage", {}), ("decide", "closed", {"decision": "close"})),
    "merged": (*ran_through("taxi")[:1], *a_way(("merge", "merged", {"parent": "2611-4829-13704"}))),
    "withdrawn": (*ran_through("taxi"), *a_way(("withdraw", "withdrawn", {}))),
}


async def test_only_requests_that_a_department_has_are_learnt_from(pool: Pool, environment: dict[str, str]) -> None:
    await with_policy(pool)
    await decided_requests(pool, 10)
    for text, steps in NOT_LEARNT.items():
        await a_decided_request(pool, KEYS, "", text, "taxi", steps=steps)
    await a_decided_request(pool, KEYS, "", "nobody may read this", "taxi", confidential=True)
    await a_decided_request(pool, KEYS, "", "settled on the spot", "taxi", columns={"quick_logged": True})
    erased = await a_decided_request(pool, KEYS, "", "to be erased", "taxi")
    await pool.execute("update requests set erased_at = now() where id = $1", erased)
    await a_decided_request(pool, KEYS, "", "a category that is no more", "long_gone")
    for number in range(3):
        await a_decided_request(pool, KEYS, "", f"a wild boar in garden {number}", "wild_boar")
    await a_submitted_request(pool, KEYS, description="not decided")
    code, said = await classifier(environment, "train", "--precision", "0.8")
    assert code == 0, said
    assert "40 messages, 4 labels" in said
    assert "Left to the words of the policy, for want of 5 decided requests: wild_boar (3)." in said


async def test_city_without_decisions_is_told_so(pool: Pool, environment: dict[str, str]) -> None:
    await with_policy(pool)
    assert await classifier(environment, "train") == (
        1,
        "Error: Learning needs at least two labels to tell apart; there is none.\n",
    )


async def test_file_is_learnt_from_listed_explained_and_replaced(
    pool: Pool, environment: dict[str, str], tmp_path: Path
) -> None:
    await with_policy(pool)
    file = a_file(tmp_path / "it.csv", some_messages(30))
    assert (await classifier(environment, "list"))[1] == "keywords      the words of the policy  in force\n"
    code, said = await classifier(environment, "explain", "unpaid wages")
    assert code == 0
    assert "Decision: nothing in the text says what it is about" in said
    assert (await classifier(environment, "train", "--from", file))[0] == 0
    first = await db.models.active_version(pool)
    assert (await classifier(environment, "train", "--from", a_file(file, some_messages(31))))[0] == 0
    second = await db.models.active_version(pool)
    code, said = await classifier(
        environment, "explain", "unpaid wages, no salary for three months", "--title", "wages"
    )
    assert code == 0
    assert "Decision: wage_arrears (wage arrears), department health" in said
    assert f"(model {second})" in said
    assert "unpaid" in said
    code, said = await classifier(environment, "list")
    lines = {line.split()[0]: line for line in said.splitlines()}
    assert lines[str(second)].endswith("in force")
    assert not lines[str(first)].endswith("in force")
    assert (await classifier(environment, "activate", str(first)))[1] == f"Model {first} decides from now on.\n"
    assert (await classifier(environment, "activate", "keywords"))[1] == "The words of the policy decide from now on.\n"
    assert (await classifier(environment, "back"))[1].startswith(f"Model {first} decides from now on.\n")
    assert (await classifier(environment, "activate", "nonsense"))[1] == (
        "Error: There is no model nonsense. `huisheng classifier list` shows those there are.\n"
    )


@pytest.mark.parametrize(
    ("text", "fate"),
    [
        ("楼道里一股臭鸡蛋味，从早上到现在头都疼", "danger to life, assigned at once however sure that is."),
        ("路灯坏了三天了", "stands without a person."),
        ("你好", "a person decides (no_category)."),
        ("法院已经判了，对方还是不执行判决", "a person decides (out_of_scope)."),
    ],
)
async def test_explanation_says_what_becomes_of_a_message_as_the_routing_does_it(
    pool: Pool, environment: dict[str, str], text: str, fate: str
) -> None:
    await with_policy(pool, load_folder(DEFAULT_POLICY_DIRECTORY))
    code, said = await classifier(environment, "explain", text)
    assert code == 0, said
    assert [line for line in said.splitlines() if line.startswith("Decision: ") and line.endswith(fate)], said


async def test_model_file_travels(pool: Pool, environment: dict[str, str], tmp_path: Path) -> None:
    await with_policy(pool)
    file, model = a_file(tmp_path / "it.csv", some_messages(20)), tmp_path / "it.model"
    bare = {name: value for name, value in environment.items() if not name.startswith(("HUISHENG_", "DATABASE_"))}
    code, said = await classifier(bare, "train", "--from", file, "--out", model)
    assert (code, said.splitlines()[-1]) == (0, f"Written to {model}.")
    assert (await classifier(bare, "explain", "--model", model, "出租车拒载"))[0] == 0
    assert (await classifier(environment, "load", model))[0] == 0
    assert await db.models.active_version(pool) is not None
    model.write_bytes(model.read_bytes()[:-1])
    code, said = await classifier(environment, "load", model)
    assert code == 1
    assert "is damaged" in said


async def test_labels_that_the_policy_does_not_know_are_named(
    pool: Pool, environment: dict[str, str], tmp_path: Path
) -> None:
    small = a_city()
    await with_policy(pool, small)
    file, told = a_file(tmp_path / "it.csv", some_messages(20)), tmp_path / "labels.toml"
    code, said = await classifier(environment, "train", "--from", file)
    assert code == 1
    assert "no category or department of this code or name: 'garbage', 'taxi', 'wage_arrears'" in said
    told.write_text('garbage = "litter"\ntaxi = "clinic"\nwage_arrears = "health"\n')
    code, said = await classifier(environment, "train", "--from", file, "--labels", told)
    assert code == 0, said


async def test_evaluation_as_json_has_what_is_asked_for(tmp_path: Path) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("HUISHENG_", "DATABASE_"))}
    learnt = a_file(tmp_path / "a.csv", some_messages(12))
    others = a_file(tmp_path / "b.csv", some_messages(5, 7), "label")
    code, said = await classifier(bare, "evaluate", "--train", learnt, "--on", others, "--json", "--learning-curve")
    assert code == 0, said
    found = json.loads(said)
    assert 0.5 < found["macro_f1"] <= 1
    assert list(found["decided_at"]) == ["0.95", "0.97", "0.98", "0.99"]
    assert set(found["decided_at"]["0.97"]) == {"share", "precision"}
    assert {"accuracy", "calibration_error", "classes", "risk_coverage", "learning_curve"} <= set(found)
    assert set(found["milliseconds"]) == {"model", "classifier"}
    assert all(0 < each["median"] <= each["p99"] <= each["max"] for each in found["milliseconds"].values())


@pytest.mark.parametrize(
    ("label", "arguments", "sentence"),
    [
        ("no such file", ("--from", "nowhere.csv"), "does not exist"),
        ("precision beyond reach", ("--precision", "1.5"), "1.5 is not in the range"),
    ],
)
async def test_wrong_arguments_are_refused(label: str, arguments: tuple[str, ...], sentence: str) -> None:
    code, said = await classifier({**os.environ}, "train", *arguments)
    assert code == 2
    assert sentence in said


async def test_mistakes_in_a_file_are_named_by_line(tmp_path: Path) -> None:
    file = tmp_path / "it.csv"
    file.write_text("body,label\nlamp,a\n,b\n")
    code, said = await classifier({**os.environ}, "evaluate", "--train", file, "--on", file)
    assert (code, said) == (1, f"Error: {file}, line 3: the column body is empty.\n")


# The models in the database.


async def test_going_back_goes_further_every_time_and_never_to_what_was_gone_back_from(pool: Pool) -> None:
    now = datetime.now(UTC)
    with pytest.raises(Unknown, match="nothing before them"):
        await db.models.go_back(pool, KEYS, now)
    for version in ("one", "two", "three"):
        await db.models.keep(pool, version, b"", {}, now)
        await db.models.activate(pool, version, now)
        await db.models.activate(pool, version, now + timedelta(seconds=1))
    assert await db.models.go_back(pool, KEYS, now) == "two"
    await db.models.keep(pool, "four", b"", {}, now)
    await db.models.activate(pool, "four", now)
    assert [await db.models.go_back(pool, KEYS, now) for _ in range(3)] == ["two", "one", None]
    assert await db.models.active_version(pool) is None


async def test_activation_tells_whose_hand_it_was_and_why(pool: Pool) -> None:
    now = datetime.now(UTC)
    await db.models.keep(pool, "one", b"", {}, now)
    await db.models.activate(pool, "one", now, Origin(Because.TRAINED, account="mei"))
    await db.models.go_back(pool, KEYS, now + timedelta(seconds=1), account="lin", reason="lamps went to the clinic")
    first, second = await db.models.activations(pool)
    assert (first.version, first.by, first.because, first.account) == ("one", By.COMMAND, Because.TRAINED, "mei")
    assert (second.version, second.because, second.account) == (None, Because.BACK, "lin")
    assert (first.reason(KEYS), second.reason(KEYS)) == (None, "lamps went to the clinic")
    assert b"lamps" not in (second.reason_sealed or b"lamps")


async def test_model_is_kept_once_and_content_stays(pool: Pool) -> None:
    for content in (b"first", b"second"):
        await db.models.keep(pool, "one", content, {"messages": 1}, datetime.now(UTC))
    assert await db.models.content_of(pool, "one") == b"first"
    (kept,) = await db.models.models(pool)
    assert (kept.version, kept.facts, kept.activated_at) == ("one", {"messages": 1}, None)


async def test_unknown_model_is_not_activated(pool: Pool) -> None:
    with pytest.raises(Unknown):
        await db.models.activate(pool, "none", datetime.now(UTC))
    assert await db.models.active_version(pool) is None
