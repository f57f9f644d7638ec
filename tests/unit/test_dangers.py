"""Danger that is learnt from the sentences of a policy: what is found, what is not, and who wins where words and examples
differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.danger_texts import MOST_CLAUSES, Told, known_places, sieve_of, sifted_places
from classifier.dangers import Dangers, classifier_of, dangers_of
from classifier.logistic import line_between
from domain.danger_examples import DangerExamples, Sentence, is_well_formed, sentences_in, sentences_of
from domain.policy import Policy, Watch
from domain.text_forms import Forms
from policies.loader import load_folder
from settings import DEFAULT_POLICY_DIRECTORY
from tests.city import a_city, both

DEMO = load_folder(DEFAULT_POLICY_DIRECTORY)
ORDINARY = "物业的路灯坏了请派人来修。停车位太少也没有人管。学校门口的垃圾没有清运。希望尽快答复。"


def a_policy(**watches: str) -> Policy:
    """Two dangers, learnt from a few sentences each; `watches` are the words that a watch listens for."""
    heard = tuple(
        Watch(code, both(code), {"zh": (watches.get(code, "没有这个词"),)}, danger=True, category="street_light")
        for code in ("water", "smoke")
    )
    examples = (
        DangerExamples("water", {"zh": tuple(f"{who}掉进水塘{how}" for who in "甲乙丙丁戊" for how in ("沉下去", "快淹死了"))}),
        DangerExamples("smoke", {"zh": tuple(f"{who}家厨房冒浓烟{how}" for who in "甲乙丙丁戊" for how in ("救命", "出不来"))}),
        DangerExamples(None, {}, {"zh": tuple(f"{who}反映{what}" for who in "甲乙丙丁戊" for what in ("水塘太脏", "厨房漏雨", "路灯不亮", "水塘边的树", "车位"))}),
    )  # fmt: skip
    return replace(a_city(), watches=heard, danger_examples=examples)


POLICY = a_policy()


def learnt() -> Dangers:
    found = dangers_of(POLICY)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("label", "text", "kind"),
    [
        ("one danger", "己掉进水塘快淹死了", "water"),
        ("the other", "庚家厨房冒浓烟", "smoke"),
        ("the same words in peace", "己反映水塘太脏", None),
        ("nothing that is known", "Xyz", None),
        ("nothing at all", "", None),
        ("only signs", "……！！", None),
    ],
)
def test_danger_is_told_from_peace_and_its_kind_is_named(label: str, text: str, kind: str | None) -> None:
    found = classifier_of(POLICY).classify(text)
    assert found.danger is (kind is not None)
    if kind is not None:
        assert found.decided_by == f"danger examples {learnt().version} {kind}"


def test_city_without_enough_examples_hears_danger_by_its_words_alone() -> None:
    few = replace(a_policy(water="水塘"), danger_examples=a_policy().danger_examples[:1])
    assert dangers_of(few) is None
    assert classifier_of(few).classify("水塘太脏").danger
    assert not classifier_of(few).classify("己掉进池里快淹死了").danger


def test_words_that_examples_speak_against_go_to_a_person_and_wake_nobody() -> None:
    policy = a_policy(water="车位")
    letter = f"{ORDINARY * 8}己反映车位。{ORDINARY * 8}"
    heard = classifier_of(policy).heard(letter)
    assert (heard.by_words, heard.danger, heard.doubted) == (True, None, True)
    classified = classifier_of(policy).classify(letter)
    assert (classified.danger, classified.sensitive) == (False, True)


def test_words_need_less_of_the_examples() -> None:
    text = Forms.of("己掉进坑里")
    margins = {}
    for by_words in (True, False):
        alarm = learnt().alarm(text, by_words=by_words)
        margins[by_words] = alarm.margin if alarm else float("-inf")
    assert margins[True] > margins[False]


def test_long_letter_must_sound_more_like_danger_than_a_short_one() -> None:
    short = learnt().alarm(Forms.of("己掉进水塘快淹死了"), by_words=False)
    long = learnt().alarm(Forms.of(f"{ORDINARY * 3}己掉进水塘快淹死了。{ORDINARY * 3}"), by_words=False)
    assert short is not None
    assert long is not None
    assert long.margin < short.margin
    assert long.part == "己掉进水塘快淹死了"


def test_part_that_sounded_most_like_danger_can_be_explained() -> None:
    weighed = {each.text: each.weight for each in learnt().weighed(Forms.of("己掉进水塘快淹死了").one)}
    assert weighed["掉进水"] > 0 or weighed["掉进"] > 0
    assert all(weight == weighed[text] for text, weight in weighed.items())


def test_same_policy_hears_the_same() -> None:
    again = a_policy()
    assert dangers_of(again) is dangers_of(POLICY)
    lamps = DangerExamples(None, {}, {"zh": tuple(f"路灯{number}" for number in range(30))})
    other = replace(POLICY, danger_examples=(*POLICY.danger_examples[:-1], lamps))
    found = dangers_of(other)
    assert found is not None
    assert found.version != learnt().version


@pytest.mark.parametrize("text", ["他说。不想活了", "他说，不想活了", "他说\n不想活了", "  不想活了  ", "…不想活了…"])
def test_windows_hold_the_clauses_of_one_sentence(text: str) -> None:
    told = Told.of(Forms.of(text).one)
    assert any("不想活了" in told.window(number) for number in range(len(told.begins)))
    assert all(
        "\n" not in told.window(number) and "。" not in told.window(number) for number in range(len(told.begins))
    )


def test_window_has_three_clauses_at_most_and_none_is_left_out() -> None:
    told = Told.of("一一,二二,三三,四四,五五")
    assert [told.window(number) for number in range(len(told.begins))] == [
        "一一,二二,三三", "二二,三三,四四", "三三,四四,五五",
    ]  # fmt: skip
    assert MOST_CLAUSES == 3


def test_sums_of_windows_are_those_of_the_runs_inside() -> None:
    told = Told.of("甲乙丙,丁戊。己庚辛壬")
    for size, runs in enumerate(told.runs, start=1):
        everywhere = np.ones(len(runs), np.bool_)
        sums = told.window_sums(size, everywhere, np.ones(len(runs), np.float32))
        assert sums.tolist() == [
            max(end - begin - size + 1, 0) for begin, end in zip(told.begins, told.ends, strict=True)
        ]


def test_sieve_loses_no_known_run() -> None:
    chance = np.random.default_rng(3)
    vocabulary = np.unique(chance.integers(0, 2**63, 500, dtype=np.uint64))
    runs = np.concatenate([vocabulary[::3], chance.integers(0, 2**63, 500, dtype=np.uint64)])
    places, is_known = sifted_places(vocabulary, sieve_of(vocabulary), runs)
    expected, known = known_places(vocabulary, runs)
    assert (is_known == known).all()
    assert (places == expected).all()
    assert known.sum() == len(vocabulary[::3])


def test_line_is_the_one_that_the_library_draws() -> None:
    from scipy.sparse import csr_array
    from sklearn.linear_model import LogisticRegression

    chance = np.random.default_rng(5)
    dense = chance.random((120, 15)) * (chance.random((120, 15)) < 0.3)
    truth = dense @ chance.normal(size=15) + chance.normal(size=120) / 4 > 0
    counts = chance.random(120) * 6 + 0.5
    rows, places = np.nonzero(dense)
    line, start = line_between(rows, places, dense[rows, places], truth, counts, 15)
    library = LogisticRegression(C=1.0, tol=1e-8, max_iter=500).fit(csr_array(dense), truth, sample_weight=counts)
    assert np.abs(line - library.coef_[0]).max() < 0.02
    assert abs(start - library.intercept_[0]) < 0.02


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        ("没有花括号", ["没有花括号"]),
        ("{甲/乙}来了", ["甲来了", "乙来了"]),
        ("{甲/乙}{笑/哭}", ["甲哭", "乙笑", "甲笑", "乙哭"]),
    ],
)
def test_line_stands_for_all_its_alternatives(line: str, sentences: list[str]) -> None:
    assert sorted(sentences_in(line)) == sorted(sentences)


@pytest.mark.parametrize("line", ["{甲/乙", "甲}乙", "{甲}", "{甲/{乙/丙}}"])
def test_braces_that_do_not_fit_are_seen(line: str) -> None:
    assert not is_well_formed(line)


def _all_lines() -> Iterator[tuple[str, tuple[str, ...]]]:
    for file in DEMO.danger_examples:
        for lines in (*file.dangerous.values(), *file.harmless.values()):
            yield from ((line, tuple(sentences_in(line))) for line in lines)


def test_every_alternative_of_the_demonstration_city_comes() -> None:
    """Of up to ten; and a line never makes more than ten sentences."""
    for line, said in _all_lines():
        assert len(said) <= 10
        slots = [part.split("}")[0].split("/") for part in line.split("{")[1:]]
        assert all(any(each in sentence for sentence in said) for slot in slots if len(slot) <= 10 for each in slot)


def test_demonstration_city_learns_from_thousands_of_sentences_of_every_danger() -> None:
    sentences: list[Sentence] = sentences_of(DEMO.danger_examples)
    dangers = {watch.code for watch in DEMO.watches if watch.danger}
    assert {each.watch for each in sentences} == dangers | {None}
    assert sum(each.watch is not None for each in sentences) > 2000
    assert sum(each.watch is None for each in sentences) > 3000


def test_dangers_are_read_from_the_folder() -> None:
    files = sorted(Path(DEFAULT_POLICY_DIRECTORY, "dangers").glob("*.toml"))
    assert len(files) == len(DEMO.danger_examples)
