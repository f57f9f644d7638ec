"""A model at work for a policy, and the store that keeps it at hand: what it decides, and what stays with words and people."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from activities.models import FRESH_SECONDS, ModelStore
from classifier.examples import Example
from classifier.explanation import explain
from classifier.files import from_bytes, to_bytes, version_of
from classifier.labels import destination_in
from classifier.model import Model
from classifier.thresholds import NEVER
from classifier.trained import TrainedClassifier
from classifier.training import train
from domain.classification import Classifier
from domain.classified import Located
from domain.policy import Policy, Watch
from domain.request import Urgency
from domain.routing import Route, TriageNeeded, route
from tests.city import a_category, a_city, both
from tests.messages import some_messages

PROJECT = Path(__file__).parents[2]
WATCHES = (
    Watch("fire", both("fire"), {"en": ("fire",)}, danger=True, category="alarm"),
    Watch("child", both("child"), {"en": ("child",)}, sensitive=True),
)
CATEGORIES = (
    a_category("street_light", "housing"),
    a_category("garbage", "north_street"),
    a_category("wage_arrears", "health"),
    a_category("taxi", "city"),
    a_category("alarm", "city", urgency=Urgency.DANGER, service_level="danger"),
    a_category("wild_boar", "housing"),
)
CITY = a_city(categories=CATEGORIES, watches=WATCHES)
NOWHERE = Located()


def a_model(policy: Policy = CITY, examples: list[Example] | None = None, precision: float = 0.9) -> Model:
    trained = train(
        examples or some_messages(40), date(2026, 11, 23), precision, lambda label: destination_in(policy, label)
    )
    return from_bytes(to_bytes(trained.model), "the model")


MODEL = a_model()
TRAINED = TrainedClassifier(MODEL, CITY)


def test_model_decides_what_no_word_of_the_policy_says() -> None:
    text = "三个月没发工资，公司不给加班费"
    assert Classifier.from_policy(CITY).classify(text).category is None
    found = TRAINED.classify(text)
    assert (found.category, found.decided_by) == ("wage_arrears", f"model {MODEL.version}")
    assert found.needed is not None
    assert found.confidence >= found.needed
    routed = route(CITY, found, NOWHERE)
    assert isinstance(routed, Route)
    assert routed.department == "health"


def test_below_its_threshold_a_person_decides_with_the_three_likeliest() -> None:
    found = TRAINED.classify("出租车司机把垃圾倒在路灯下，希望有人来看看")
    unsure = replace(found, needed=found.confidence + 0.0001)
    triage = route(CITY, unsure, NOWHERE)
    assert isinstance(triage, TriageNeeded)
    assert len(found.candidates) == 3
    assert [confidence for _, confidence in found.candidates] == sorted(
        (confidence for _, confidence in found.candidates), reverse=True
    )
    assert found.category == found.candidates[0][0]


@pytest.mark.parametrize(("needed", "is_routed"), [(0.8, True), (0.9, True), (0.91, False), (NEVER, False)])
def test_model_says_itself_how_sure_it_must_be(needed: float, is_routed: bool) -> None:
    """The policy's threshold is for its words: it is lower than what is wanted here, and higher, and does not count."""
    found = replace(TRAINED.classify("unpaid wages"), category="wage_arrears", confidence=0.9, needed=needed)
    strict = replace(CITY, triage=replace(CITY.triage, threshold=0.95))
    for policy in (CITY, strict):
        assert isinstance(route(policy, found, NOWHERE), Route) is is_routed


def test_category_that_the_citizen_chose_still_counts() -> None:
    found = TRAINED.classify("unpaid wages, no salary for three months", given="taxi")
    assert (found.category, found.confidence, found.decided_by, found.needed) == ("taxi", 1.0, "citizen", None)
    assert found.candidates[0][0] == "wage_arrears"


def test_words_of_danger_still_decide_and_sensitive_ones_still_ask_a_person() -> None:
    found = TRAINED.classify("垃圾没人清运 and now there is a fire in the bins")
    assert (found.category, found.danger, found.decided_by) == ("alarm", True, "watch words fire")
    sensitive = TRAINED.classify("my employer owes me wages, no salary for three months, and my child is hungry")
    assert (sensitive.category, sensitive.sensitive) == ("wage_arrears", True)
    assert isinstance(route(CITY, sensitive, NOWHERE), TriageNeeded)


def test_category_of_danger_that_the_words_found_is_not_talked_away() -> None:
    """`danger` comes from a watch word, the category from another word of the policy."""
    watches = (Watch("smell", both("smell"), {"en": ("smell",)}, danger=True, category="alarm"),)
    policy = a_city(categories=CATEGORIES, watches=watches)
    found = TrainedClassifier(MODEL, policy).classify(
        "alarm, alarm, alarm: a smell, the bins overflow, garbage, garbage, 垃圾桶满了"
    )
    assert (found.category, found.danger) == ("alarm", True)
    assert found.confidence < policy.triage.threshold


@pytest.mark.parametrize("text", ["", "Ünïcødé þæt nïemand kennt", "Дайте воды"])
def test_text_unlike_all_others_is_left_to_the_words(text: str) -> None:
    assert TRAINED.classify(text) == Classifier.from_policy(CITY).classify(text)


def test_category_that_the_model_never_met_is_left_to_the_words() -> None:
    found = TRAINED.classify("a wild boar near my house, please look into it")
    assert (found.category, found.decided_by) == ("wild_boar", f"keywords {CITY.version}")


def test_categories_of_one_department_are_no_reason_to_ask() -> None:
    one_office = a_city(categories=tuple(replace(each, department="housing") for each in CATEGORIES))
    model = a_model(one_office)
    found = TrainedClassifier(model, one_office).classify(
        "the bins overflow, two lamps are broken, please look into it"
    )
    assert found.confidence > 0.99
    assert len(found.candidates) == 1


def test_label_that_the_policy_has_dropped_is_never_proposed_and_leaves_nothing_sure() -> None:
    without_taxi = a_city(categories=tuple(each for each in CATEGORIES if each.code != "taxi"))
    found = TrainedClassifier(MODEL, without_taxi).classify("the taxi driver refused me, the taxi had no meter")
    assert "taxi" not in [code for code, _ in found.candidates]
    assert found.needed == NEVER
    assert isinstance(route(without_taxi, found, NOWHERE), TriageNeeded)


def by_department(examples: list[Example]) -> list[Example]:
    return [replace(each, label=destination_in(CITY, each.label)) for each in examples]


def test_model_of_departments_takes_the_category_that_the_words_name() -> None:
    classifier = TrainedClassifier(a_model(examples=by_department(some_messages(40))), CITY)
    named = classifier.classify("老板拖欠工资，wage arrears for months, unpaid wages")
    assert (named.category, named.needed == NEVER) == ("wage_arrears", False)
    unnamed = classifier.classify("老板拖欠工资，三个月没发工资")
    assert (unnamed.category, unnamed.needed) == ("wage_arrears", NEVER)


def test_explanation_names_the_parts_that_weighed_most() -> None:
    parts = explain(MODEL, "", "my employer owes me wages near my house", "wage_arrears", most=5)
    assert "wages" in " ".join(part.text for part in parts[:3])
    assert parts[0].weight > 0
    assert [abs(part.weight) for part in parts] == sorted((abs(part.weight) for part in parts), reverse=True)
    assert {part.field for part in explain(MODEL, "taxi", "taxi", "taxi")} == {"title", "body"}
    assert explain(MODEL, "", "þæt", "taxi") == []


def test_worker_starts_without_what_only_training_needs() -> None:
    """They would cost it a second and a hundred megabytes."""
    program = "import sys, worker; print({'sklearn', 'scipy', 'threadpoolctl'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n"


def test_parts_and_start_add_up_to_the_score() -> None:
    text = "出租车拒载，请尽快处理"
    parts = explain(MODEL, "", text, "taxi", most=1000)
    start = float(MODEL.lines.starts[MODEL.labels.index("taxi")])
    others = [
        sum(part.weight for part in explain(MODEL, "", text, label, most=1000)) + float(MODEL.lines.starts[number])
        for number, label in enumerate(MODEL.labels)
    ]
    assert max(others) == pytest.approx(start + sum(part.weight for part in parts))


# The store.


class Shelf:
    """Where models are kept, with a clock and a switch to be away."""

    def __init__(self, **contents: bytes) -> None:
        self.contents = contents
        self.active: str | None = next(iter(contents), None)
        self.now = 1000.0
        self.away = False
        self.asked: list[str] = []

    async def active_version(self) -> str | None:
        self.asked.append("active")
        await asyncio.sleep(0)
        if self.away:
            raise OSError("away")
        return self.active

    async def content_of(self, version: str) -> bytes | None:
        self.asked.append(version)
        return self.contents.get(version)

    def store(self) -> ModelStore:
        return ModelStore(self.active_version, self.content_of, lambda: self.now)


STORED = to_bytes(MODEL)


async def decides(store: ModelStore) -> str:
    return (await store.classifier_of(CITY)).classify("the taxi driver refused me, please look into it").decided_by


BY_MODEL, BY_WORDS = f"model {version_of(STORED, 'it')}", f"keywords {CITY.version}"


async def test_without_a_model_the_words_decide() -> None:
    assert await decides(Shelf().store()) == BY_WORDS


async def test_active_model_is_fetched_once_for_many() -> None:
    shelf = Shelf(one=STORED)
    store = shelf.store()
    assert set(await asyncio.gather(*(decides(store) for _ in range(20)))) == {BY_MODEL}
    assert shelf.asked == ["active", "one"]


async def test_going_back_is_noticed_when_the_model_is_not_fresh_any_more() -> None:
    shelf = Shelf(one=STORED)
    store = shelf.store()
    assert await decides(store) == BY_MODEL
    shelf.active = None
    shelf.now += FRESH_SECONDS - 0.1
    assert await decides(store) == BY_MODEL
    shelf.now += 0.1
    assert await decides(store) == BY_WORDS


async def test_last_model_is_kept_while_the_database_is_away() -> None:
    shelf = Shelf(one=STORED)
    store = shelf.store()
    await decides(store)
    shelf.away = True
    shelf.now += 3600
    assert await decides(store) == BY_MODEL


async def test_database_that_was_never_there_leaves_the_words() -> None:
    shelf = Shelf(one=STORED)
    shelf.away = True
    assert await decides(shelf.store()) == BY_WORDS


@pytest.mark.parametrize(
    ("label", "content"),
    [("damaged", STORED[:-1]), ("foreign", b"PK"), ("newer", STORED.replace(b"format=1", b"format=9", 1))],
)
async def test_unusable_model_leaves_the_words_and_is_looked_at_once(label: str, content: bytes) -> None:
    shelf = Shelf(one=content)
    store = shelf.store()
    for _ in range(3):
        assert await decides(store) == BY_WORDS
        shelf.now += FRESH_SECONDS
    assert shelf.asked.count("one") == 1


async def test_new_policy_is_served_by_the_same_model() -> None:
    shelf = Shelf(one=STORED)
    store = shelf.store()
    first: Any = await store.classifier_of(CITY)
    other: Any = await store.classifier_of(a_city(categories=CATEGORIES[:4]))
    assert first is not other
    assert await store.classifier_of(CITY) is not other
    assert shelf.asked == ["active", "one"]
