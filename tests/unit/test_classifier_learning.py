"""The learner on messages of our own: both languages, the same model every time, folds that keep copies together."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from rich.console import Console

from classifier.duplicates import groups_of
from classifier.evaluation import evaluate, learning_curve
from classifier.examples import Example, ExamplesUnusable
from classifier.figures import macro_f1, risk_by_coverage
from classifier.files import to_bytes
from classifier.ngrams import Units, numbers_of
from classifier.training import Trained, folds, train
from cli import classifier_report as report
from tests.messages import MATTERS, some_messages

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(some_messages(), TODAY)


@pytest.mark.parametrize(
    ("text", "matter"),
    [
        ("我们村口的路灯坏了，天黑不敢出门", "street_light"),
        ("三月份的工资到现在没发", "wage_arrears"),
        ("Nobody collects the garbage here", "garbage"),
        ("A TAXI driver overcharged my mother", "taxi"),
    ],
)
def test_model_knows_both_languages(trained: Trained, text: str, matter: str) -> None:
    guess = trained.model.guess("", text)
    assert trained.model.labels[int(guess.probabilities.argmax())] == matter


def test_probabilities_add_up_and_are_never_quite_one(trained: Trained) -> None:
    for example in some_messages(5, seed=2):
        probabilities = trained.model.guess(example.title, example.body).probabilities
        assert probabilities.sum() == pytest.approx(1, abs=1e-3)
        assert probabilities.max() < 1


def test_same_examples_give_the_same_file_and_one_example_less_another(trained: Trained) -> None:
    assert to_bytes(train(some_messages(), TODAY).model) == to_bytes(trained.model)
    assert to_bytes(train(some_messages()[:-1], TODAY).model) != to_bytes(trained.model)


def test_facts_say_what_it_was_trained_on(trained: Trained) -> None:
    facts = trained.model.facts
    assert (facts["trained_on"], facts["messages"], facts["precision"]) == ("2026-11-23", 160, 0.97)
    assert sum(facts["per_label"]) == 160


def test_text_unlike_all_others_is_not_familiar(trained: Trained) -> None:
    assert not trained.model.is_familiar(trained.model.guess("", "Ünïcødé þæt nïemand kennt 42"))
    assert not trained.model.is_familiar(trained.model.guess("", ""))
    assert trained.model.is_familiar(trained.model.guess("", "路灯坏了，请尽快处理"))


def test_heavier_example_counts_more() -> None:
    quarrel = [Example("", f"泵房异响 {number}", label) for number in range(6) for label in ("street_light", "garbage")]

    def says(favourite: str) -> str:
        weighed = [replace(example, weight=9.0 if example.label == favourite else 0.2) for example in quarrel]
        model = train([*some_messages(20), *weighed], TODAY).model
        return model.labels[int(model.guess("", "泵房异响").probabilities.argmax())]

    assert (says("street_light"), says("garbage")) == ("street_light", "garbage")


@pytest.mark.parametrize(
    ("label", "examples", "sentence"),
    [
        ("nothing", [], "at least two labels to tell apart; there is none"),
        ("one label", some_messages(8, matters=["taxi"]), "there is only 'taxi'"),
        ("a rare label", [*some_messages(8), Example("", "a wild boar", "boar")], "Too few have: boar \\(1\\)"),
    ],
)
def test_too_little_to_learn_from_is_said_in_a_sentence(label: str, examples: list[Example], sentence: str) -> None:
    with pytest.raises(ExamplesUnusable, match=sentence):
        train(examples, TODAY)


# What a text is made of.


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("路灯", ["路", "灯", "路灯"]),
        ("Ｋ３ lamps", ["k", "3", "lamps", "k3", "3 lamps"]),
        ("", []),
        (" \n", []),
    ],
)
def test_runs_are_characters_in_chinese_and_words_in_english(text: str, runs: list[str]) -> None:
    assert Units.of(text).runs() == runs
    assert len(numbers_of(Units.of(text), "body")) == len(runs)


def test_number_of_a_run_is_the_same_for_ever_and_another_in_the_title() -> None:
    """Numbers stand in model files: a change of these takes a new format."""
    assert numbers_of(Units.of("路灯"), "body").tolist() == NUMBERS["路灯"]
    assert numbers_of(Units.of("street lights"), "title").tolist() == NUMBERS["street lights"]
    assert not set(numbers_of(Units.of("路灯"), "title").tolist()) & set(NUMBERS["路灯"])


def test_first_sentence_stands_for_a_missing_title() -> None:
    model = train(some_messages(20), TODAY).model
    untitled = model.guess("", "路灯不亮。垃圾没人清运，请尽快处理")
    assert (
        untitled.probabilities.tolist()
        == model.guess("路灯不亮", "路灯不亮。垃圾没人清运，请尽快处理").probabilities.tolist()
    )


def test_plural_is_the_same_word() -> None:
    assert (numbers_of(Units.of("street lights"), "body") == numbers_of(Units.of("street light"), "body")).all()


NUMBERS = {
    "路灯": [4810345541126509351, 1623183669450367696, 5894133160464326566],
    "street lights": [17235314179967685041, 11045816070965825494, 16392375524447873442],
}


# Near-duplicates and folds.

COMPLAINT = (
    "我家楼下的烧烤店每天晚上营业到凌晨两点，油烟直接排到楼上，噪音很大，孩子根本没办法睡觉，多次投诉都没有结果。"
)


@pytest.mark.parametrize(
    ("label", "other", "together"),
    [
        ("a copy", COMPLAINT, True),
        ("other spacing", COMPLAINT.replace("，", "， "), True),
        ("a small change", COMPLAINT.replace("烧烤店", "火锅店"), True),
        ("quoted in a longer one", f"再次反映：{COMPLAINT}上次的答复没有解决任何问题。", True),
        (
            "the same matter in other words",
            "楼下烧烤摊深夜还在营业，油烟和吵闹声让老人小孩整夜睡不着，请管一管。",
            False,
        ),
        ("nothing", "", False),
    ],
)
def test_near_duplicates_stand_in_one_group(label: str, other: str, together: bool) -> None:
    first, second = groups_of([COMPLAINT, other])
    assert (first == second) is together


def test_given_groups_are_taken_over() -> None:
    found = groups_of(["路灯", "垃圾", "出租车"], ["a", None, "a"])
    assert found[0] == found[2] != found[1]


def test_folds_keep_groups_whole_and_labels_even() -> None:
    chance = random.Random(3)
    groups = [chance.randrange(60) for _ in range(300)]
    truth = np.array([group % 3 for group in groups], np.intp)
    parts = folds(groups, truth)
    assert sorted(np.concatenate(parts).tolist()) == list(range(300))
    of_group = [{groups[index] for index in part} for part in parts]
    assert all(not one & other for at, one in enumerate(of_group) for other in of_group[at + 1 :])
    spread = np.array([np.bincount(truth[part], minlength=3) for part in parts])
    assert (spread.max(axis=0) - spread.min(axis=0)).max() <= 15


def test_copies_do_not_make_a_model_look_better_than_it_is() -> None:
    """Twelve copies of one message with its own label: judged without them, the model cannot know the label."""
    copies = [Example("", f"{COMPLAINT}{number}", "smoke") for number in range(12)]
    judged = train([*some_messages(20), *copies], TODAY).judged
    smoke = judged.labels.index("smoke")
    assert not (judged.probabilities[judged.truth == smoke].argmax(axis=1) == smoke).any()


# Judging.


def test_evaluation_measures_on_what_was_not_learnt() -> None:
    found = evaluate(some_messages(40), some_messages(20, seed=5))
    assert found.macro_f1 > 0.95
    assert set(found.decided_at) == {0.95, 0.97, 0.98, 0.99}
    shares = [each.share for each in found.decided_at.values()]
    assert shares == sorted(shares, reverse=True)
    assert [each.support for each in found.classes] == [20] * len(MATTERS)


def test_text_that_is_not_familiar_is_not_counted_as_decided() -> None:
    """It is judged rightly by the little that is known of it, and would still be left to the words of the policy."""
    strange = " ".join(f"w{chr(97 + number % 26)}{chr(97 + number // 26)}q" for number in range(60))
    others = [Example("路灯不亮", f"路灯不亮 {strange} {number}", "street_light") for number in range(10)]
    found = evaluate(some_messages(60), others)
    assert found.accuracy == 1
    assert found.decided_at[0.95].share == 0


def test_figures_are_shown_in_tables() -> None:
    examples, others = some_messages(20), some_messages(10, seed=5)
    console = Console(width=100, record=True, file=io.StringIO())
    for table in report.tables(evaluate(examples, others), learning_curve(examples, others)):
        console.print(table)
    shown = console.export_text()
    for words in (
        "macro-F1",
        "calibration error",
        "wage_arrears",
        "wanted precision",
        "Risk and coverage",
        "Learning curve",
    ):
        assert words in shown


def test_label_that_only_the_judged_file_has_counts_as_wrong() -> None:
    strange = [replace(each, label="unheard") for each in some_messages(10, seed=5, matters=["taxi"])]
    found = evaluate(some_messages(20), [*some_messages(10, seed=6), *strange])
    assert 0.7 < found.accuracy <= 0.8
    assert found.classes[-1] == replace(found.classes[-1], label="unheard", recall=0.0, f1=0.0, support=10)


def test_learning_curve_grows_to_the_whole_file() -> None:
    curve = learning_curve(some_messages(100), some_messages(10, seed=5))
    # With 20 messages some of the four labels would have fewer than five.
    assert [step.messages for step in curve] == [40, 100, 200, 400]
    assert curve[-1].macro_f1 >= curve[0].macro_f1


def test_macro_f1_is_the_mean_over_labels_however_rare() -> None:
    truth, said = np.array([0, 0, 0, 1], np.intp), np.array([0, 0, 0, 0], np.intp)
    assert macro_f1(truth, said, 2) == pytest.approx((2 * 3 / 7) / 2)
    assert macro_f1(truth, truth, 2) == 1


def test_risk_grows_with_coverage() -> None:
    confidence, right = np.linspace(0.99, 0.5, 10), np.array([True] * 8 + [False] * 2)
    assert [wrong for _, _, wrong in risk_by_coverage(confidence, right, (0.5, 0.8, 1.0))] == [0.0, 0.0, 0.2]


# What the model keeps of the texts.


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("a mobile number", "13800001111"),
        ("with gaps", "138 0000 1111"),
        ("with dashes", "138-0000-1111"),
        ("full width", "１３８００００１１１１"),
        ("an identity card", "110101199001011234"),
        ("an account", "6222 0202 0000 1234 567"),
    ],
)
def test_number_that_could_be_a_phone_is_the_same_unit_as_any_other(label: str, words: str) -> None:
    of = numbers_of(Units.of(f"call {words} now"), "body")
    assert of.tolist() == numbers_of(Units.of("call 99999999 now"), "body").tolist()
    assert of.tolist() != numbers_of(Units.of("call 9999 now"), "body").tolist()


def test_short_numbers_are_told_apart() -> None:
    assert numbers_of(Units.of("2026"), "body").tolist() != numbers_of(Units.of("2025"), "body").tolist()


def test_name_that_one_sender_or_one_copied_message_repeats_is_not_learnt() -> None:
    def knows(name: str, writers: list[str | None], tails: tuple[str, ...]) -> bool:
        messages = [
            Example("", f"{tail} {name}", "taxi", writer=writer) for writer, tail in zip(writers, tails, strict=True)
        ]
        model = train([*some_messages(20), *messages], TODAY).model
        number = numbers_of(Units.of(name), "body")[0]
        return bool(number in model.lines.vocabulary.numbers)

    different = ("the driver was rude to my aunt", "no meter at the airport", "a detour of ten miles at night")
    assert not knows("Zhuangzhou", ["p"] * 3, different)
    assert not knows("Zhuangzhou", [None] * 3, (different[0],) * 3)
    assert not knows("Zhuangzhou", ["p", "p", "q"], different)
    assert knows("Zhuangzhou", ["p", "q", None], different)


def test_weights_are_beside_each_other_and_not_absolute() -> None:
    heavier = [replace(example, weight=3.0) for example in some_messages(20)]
    assert to_bytes(train(heavier, TODAY).model) == to_bytes(train(some_messages(20), TODAY).model)
