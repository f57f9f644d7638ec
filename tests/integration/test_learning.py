"""What becomes of a retraining, on a real database, with the training in its own process."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.learning import UNDER_WAY, example_of
from classifier.examples import Example
from classifier.retraining import SEEN_UNTIL
from db import audit, comparisons, decided, models
from db.comparisons import Outcome
from db.decided import DecidedRequest
from db.models import Because, By
from db.pool import Pool
from db.requests import Contact
from db.sealing import KeyRing
from domain.lessons import WEIGHTS, How, Lesson, Step
from tests.decided import MINUTE, a_decided_request, a_way, ran_through, triaged
from tests.learning import CITY, HOUR, PUMP, History, answer, retrained
from tests.messages import MATTERS
from tests.rows import SUNDAY_NOON


@pytest.fixture
def history(pool: Pool, keys: KeyRing) -> History:
    return History(pool, keys)


# What becomes of it.


async def test_corrected_category_changes_the_next_models_answer(pool: Pool, keys: KeyRing, history: History) -> None:
    for _ in range(6):
        await history.decide(PUMP, "street_light")
    await history.goes_on(140)
    first = await retrained(pool, keys, history.now)
    assert (first.outcome, first.active) == (Outcome.ACTIVATED, None)
    assert await answer(pool, history.said(PUMP)) == ("street_light", f"model {first.candidate}")

    def moved(category: str, department: str, at: datetime) -> tuple[Step, ...]:
        """Sent to housing as before, returned, and assigned with another category."""
        chosen = {"department": department, "category": category, "previous_category": "street_light"}
        rest = a_way(
            ("return_request", "triage", {"previous_department": "housing"}),
            ("assign", "assigned", chosen),
            ("accept", "in_progress", {}),
            at=at + 2 * MINUTE,
        )
        return (*ran_through("street_light", at=at), *rest)

    for _ in range(14):
        await history.decide(PUMP, "garbage", moved)
    await history.goes_on(60)
    second = await retrained(pool, keys, history.now)
    assert (second.outcome, second.active) == (Outcome.ACTIVATED, first.candidate)
    assert await answer(pool, history.said(PUMP)) == ("garbage", f"model {second.candidate}")
    *_, activation = await models.activations(pool)
    assert (activation.by, activation.because, activation.comparison) == (
        By.RETRAINING, Because.NO_WORSE, second.comparison,
    )  # fmt: skip
    latest, _ = await comparisons.latest(pool, 2)
    assert latest.figures["taught"]["moved"] == 14
    assert {each["label"] for each in latest.figures["classes"]} <= {*MATTERS, "all smaller classes"}


async def test_worse_candidate_stays_out_of_force(pool: Pool, keys: KeyRing, history: History) -> None:
    await history.goes_on(140)
    first = await retrained(pool, keys, history.now)
    confused = random.Random(1)
    await history.goes_on(160, lambda matter: confused.choice(list(MATTERS)), triaged)
    await history.goes_on(100)
    second = await retrained(pool, keys, history.now)
    assert (second.outcome, second.active) == (Outcome.REFUSED, first.candidate)
    assert "fewer_right" in second.reasons
    assert await models.active_version(pool) == first.candidate
    latest, _ = await comparisons.latest(pool, 2)
    assert latest.candidate == second.candidate
    assert latest.figures["candidate_right"] < latest.figures["active_right"]
    # It is kept for a while, so that a person may overrule the comparison.
    assert second.candidate is not None
    await models.activate(pool, second.candidate, history.now)
    assert await models.active_version(pool) == second.candidate


@pytest.mark.parametrize(
    ("label", "decided", "found"), [("none", 0, (0, 0)), ("a few", 20, (0, 20)), ("not enough to learn", 50, (25, 25))]
)
async def test_too_few_decisions_change_nothing_and_it_says_so(
    pool: Pool, keys: KeyRing, history: History, label: str, decided: int, found: tuple[int, int]
) -> None:
    await history.goes_on(decided)
    learnt = await retrained(pool, keys, history.now)
    assert (learnt.outcome, learnt.candidate, learnt.learnt, learnt.held_out) == (Outcome.TOO_FEW, None, *found)
    assert (await models.models(pool), await models.active_version(pool)) == ([], None)
    assert len(await comparisons.latest(pool, 9)) == 1


async def test_what_the_model_in_force_has_seen_is_not_held_out(pool: Pool, keys: KeyRing, history: History) -> None:
    await history.goes_on(140)
    first = await retrained(pool, keys, history.now)
    kept = next(each for each in await models.models(pool) if each.version == first.candidate)
    first_held_out_at = history.now - (first.held_out - 1) * HOUR + MINUTE
    assert datetime.fromisoformat(kept.facts[SEEN_UNTIL]) == first_held_out_at - timedelta(microseconds=1)
    # What was held out then is new to the model: it may be held out again, and after ten more the newest are.
    await history.goes_on(10)
    second = await retrained(pool, keys, history.now)
    assert (second.learnt + second.held_out, second.held_out) == (150, 38)


async def test_what_it_has_seen_under_another_category_is_not_held_out(
    pool: Pool, keys: KeyRing, history: History
) -> None:
    await history.goes_on(140)
    first = await retrained(pool, keys, history.now)
    corrected = await pool.fetch("select request_id from snapshots order by submitted_at limit 30")
    for row in corrected:
        facts = {"category": "taxi", "previous_category": "garbage"}
        await pool.execute(
            "insert into events (request_id, sequence, at, action, actor_kind, actor_id, state, public, facts)"
            " values ($1, 3, $2, 'reclassify', 'staff', '', 'in_progress', false, $3)",
            row["request_id"], history.now + HOUR, facts,
        )  # fmt: skip
    second = await retrained(pool, keys, history.now + 2 * HOUR)
    seen_until = {each.version: each.facts[SEEN_UNTIL] for each in await models.models(pool)}
    # The newest that the first model has not seen are those that were held out before.
    assert seen_until[str(second.candidate)] == seen_until[str(first.candidate)]


async def test_after_going_back_only_decisions_made_since_count(pool: Pool, keys: KeyRing, history: History) -> None:
    await history.goes_on(140)
    first = await retrained(pool, keys, history.now)
    await history.goes_on(60)
    second = await retrained(pool, keys, history.now)
    assert second.outcome == Outcome.ACTIVATED
    history.now += HOUR
    assert await models.go_back(pool, keys, history.now, reason="lamps") == first.candidate
    again = await retrained(pool, keys, history.now)
    assert (again.outcome, again.active, again.held_out) == (Outcome.TOO_FEW, first.candidate, 0)
    assert await models.active_version(pool) == first.candidate

    await history.goes_on(30)
    third = await retrained(pool, keys, history.now)
    assert (third.outcome, third.active, third.held_out) == (Outcome.ACTIVATED, first.candidate, 30)
    assert third.candidate != second.candidate


# Once, and by one.


async def test_retraining_that_was_kept_is_found_and_not_done_again(
    pool: Pool, keys: KeyRing, history: History
) -> None:
    await history.goes_on(140)
    found = [await retrained(pool, keys, history.now, "the same run") for _ in range(2)]
    assert found[0] == found[1]
    assert len(await comparisons.latest(pool, 9)) == 1
    assert len(await models.activations(pool)) == 1


async def test_only_one_trains_at_a_time(pool: Pool, keys: KeyRing, history: History) -> None:
    async with comparisons.only_one(pool) as alone:
        assert alone
        with pytest.raises(ApplicationError) as raised:
            await retrained(pool, keys, history.now)
    assert raised.value.type == UNDER_WAY
    assert (await retrained(pool, keys, history.now)).outcome == Outcome.TOO_FEW


async def test_model_that_was_overtaken_stays_out_of_force(pool: Pool) -> None:
    now = datetime.now(UTC)
    for version in ("one", "two"):
        await models.keep(pool, version, b"", {}, now)
    await models.activate(pool, "one", now)
    (compared_with,) = await models.activations(pool)
    await models.activate(pool, "two", now)
    candidate = comparisons.Candidate("three", b"", {})
    figures = {"learnt": 1, "held_out": 1}
    stored = await comparisons.store(pool, "run", candidate, compared_with, Outcome.ACTIVATED, figures, now)
    assert stored.outcome is Outcome.OVERTAKEN
    assert await models.active_version(pool) == "two"


async def test_models_that_never_decided_are_thrown_away_after_a_while(pool: Pool) -> None:
    now = datetime.now(UTC)
    for version, stored_at in (("old", now - timedelta(weeks=9)), ("decided", now - timedelta(weeks=9)), ("new", now)):
        await models.keep(pool, version, b"", {}, stored_at)
    await models.activate(pool, "decided", now)
    await models.activate(pool, None, now)
    await comparisons.store(pool, "run", None, None, Outcome.TOO_FEW, {"learnt": 0, "held_out": 0}, now)
    assert {each.version for each in await models.models(pool)} == {"decided", "new"}


# Nothing personal leaves the database.


async def test_reading_the_texts_is_on_record(pool: Pool, keys: KeyRing, history: History) -> None:
    await history.goes_on(12)
    await retrained(pool, keys, history.now)
    (look,) = await audit.shown(pool, most=9)
    assert (look.look.who, look.look.kind, look.look.count) == ("machine:retraining", "training", 12)


async def test_writer_is_the_same_for_requests_from_one_phone_number(pool: Pool, keys: KeyRing) -> None:
    for number, phone in enumerate(("+8613800000001", "+8613800000001", "+8613800000002", None)):
        at = SUNDAY_NOON + number * HOUR
        await a_decided_request(pool, keys, "", "a taxi", "taxi", at=at, contact=Contact(phone=phone))
    none, second, *first = [each.writer async for each in decided.decided_requests(pool, keys)]
    assert none is None
    assert len({second, *first}) == 2
    assert first[0] == first[1]


@pytest.mark.parametrize("how", [*How])
def test_example_weighs_as_much_as_the_way_it_came_about(how: How) -> None:
    lesson = Lesson(how, SUNDAY_NOON, "housing", names_category=True)
    found = example_of(CITY, DecidedRequest("lamp", "dark", "street_light", lesson, "w", ()))
    assert found == Example("lamp", "dark", "street_light", weight=WEIGHTS[how].value, writer="w")
