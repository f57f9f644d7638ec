"""`huisheng words`: how well danger and other channels' matters are found, on our own sentences, and what the command says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from classifier.dangers import classifier_of
from cli.sentences import read_sentences
from cli.word_measures import Judged, Measured, by, judge, measure
from cli.words import words
from domain.classification import Classifier
from domain.danger_examples import sentences_of
from policies.loader import load_folder
from settings import DEFAULT_POLICY_DIRECTORY

SENTENCES = Path(__file__).parents[1] / "sentences"
DANGER, ELSEWHERE = SENTENCES / "danger.csv", SENTENCES / "elsewhere.csv"
SEALED, BLIND = SENTENCES / "danger_sealed.csv", SENTENCES / "danger_blind.csv"
POLICY = load_folder(DEFAULT_POLICY_DIRECTORY)
CLASSIFIER = classifier_of(POLICY)


def judged_of(file: Path, half: str) -> list[Judged]:
    return [each for each in judge(CLASSIFIER, read_sentences(file)) if each.sentence.half == half]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(words, [str(each) for each in arguments])


def test_danger_is_found_in_sentences_held_out() -> None:
    """Recall before precision: a false alarm is better than a miss."""
    found = measure("held out", judged_of(DANGER, "held_out"))
    assert (found.expected, found.others) == (72, 37)
    assert found.recall is not None
    assert found.recall >= 0.95
    assert found.precision is not None
    assert found.precision >= 0.9


@pytest.mark.parametrize(
    ("file", "half", "dangerous", "harmless", "in_vain"),
    [
        (DANGER, "afterwards", 31, 12, 0.0),  # written after the words had been done, and before the examples
        (SEALED, "sealed", 150, 163, 0.12),  # written before the examples
        (BLIND, "blind", 120, 120, 0.2),  # written when all was done, by somebody who had seen nothing of it
    ],
)
def test_danger_is_found_in_words_that_nobody_had_thought_of_and_seldom_where_it_only_sounds_so(
    file: Path, half: str, dangerous: int, harmless: int, in_vain: float
) -> None:
    """What each measure is worth, and how often it was taken, stands in docs/classifier.md."""
    found = measure(half, judged_of(file, half))
    assert (found.expected, found.others) == (dangerous, harmless)
    assert found.recall is not None
    assert found.recall >= 0.95
    assert found.false <= in_vain * found.others


def test_words_alone_find_few_of_the_dangers_that_nobody_had_thought_of() -> None:
    by_words = measure("by words", judge(Classifier.from_policy(POLICY), read_sentences(SEALED)))
    assert by_words.found < 0.3 * by_words.expected


def test_no_sentence_of_the_measures_of_danger_is_among_those_learnt_from() -> None:
    learnt = {each.text for each in sentences_of(POLICY.danger_examples)}
    measured = {each.text for file in (DANGER, SEALED, BLIND) for each in read_sentences(file)}
    assert not learnt & measured


def test_another_channels_matter_is_found_in_sentences_held_out_and_hardly_ever_where_there_is_none() -> None:
    found = measure("held out", judged_of(ELSEWHERE, "held_out"))
    assert (found.expected, found.others) == (57, 32)
    assert found.recall is not None
    assert found.recall >= 0.9
    assert found.false <= 1
    assert found.named >= 0.95 * found.found


@pytest.mark.parametrize(
    ("file", "fewest"),
    [
        pytest.param(DANGER, 150, id="danger"),
        pytest.param(SEALED, 300, id="sealed"),
        pytest.param(ELSEWHERE, 120, id="elsewhere"),
    ],
)
def test_sentences_are_many_in_both_languages_and_none_stands_twice(file: Path, fewest: int) -> None:
    sentences = read_sentences(file)
    assert len(sentences) >= fewest
    assert len({each.text for each in sentences}) == len(sentences)
    assert {each.language for each in sentences} == {"zh", "en"}


def test_figures_are_counted_by_half_and_language() -> None:
    judged = judge(CLASSIFIER, read_sentences(DANGER))
    halves = by(lambda sentence: sentence.half, judged)
    assert [each.name for each in halves] == ["tuning", "held_out", "afterwards"]
    assert sum(each.expected for each in halves) == measure("all", judged).expected


def test_share_of_nothing_is_none() -> None:
    nothing = Measured("none", 0, 0, 0, 0, 0)
    assert (nothing.recall, nothing.precision) == (None, None)


def written(folder: Path, text: str) -> Path:
    file = folder / "sentences.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_command_prints_a_table_or_json_and_the_misses_only_where_asked(tmp_path: Path) -> None:
    file = written(tmp_path, "text,expected\nA gas leak in our house,danger\nA quiet cry for nothing,danger\nA lamp,\n")
    table = run("evaluate", "--on", file)
    assert table.exit_code == 0, table.output
    assert "| all | 2 | 1 | 0.500 | 1 | 1 | 0 | 1.000 |" in table.output
    assert "quiet cry" not in table.output
    assert "wanted danger, found nothing: A quiet cry" in run("evaluate", "--on", file, "--misses").output
    assert json.loads(run("evaluate", "--on", file, "--json").output)[0]["recall"] == 0.5


def test_messages_are_counted_and_not_shown(tmp_path: Path) -> None:
    file = written(
        tmp_path, "title,body\nHelp,The house is on fire\n,My friend borrowed money and will not repay me\n,A lamp\n"
    )
    counted = run("count", "--from", file)
    assert "1 of 3 messages (33.33%): danger" in counted.output
    assert "1 of 3 messages (33.33%): a decline proposed" in counted.output
    assert "house" not in counted.output
    drawn = run("count", "--from", file, "--sample", 5).output
    assert "fire_or_blast by words and examples, most by: the house is on fire] Help" in drawn
    assert "lamp" not in drawn
    assert json.loads(run("count", "--from", file, "--json").output)["by_word"]["fire_or_blast"] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("words,expected\nx,danger\n", "a column is missing for the text", id="no text"),
        pytest.param("text,half\nx,held_out\n", "the column expected is missing", id="nothing expected"),
        pytest.param("text,expected\nx,dangre\n", "knows nothing called dangre", id="an unknown reason"),
        pytest.param("text,expected\nx,danger\ny,court\n", "mixes danger with reasons", id="both kinds"),
        pytest.param("text,expected\n", "holds no text", id="nothing at all"),
    ],
)
def test_file_that_cannot_be_used_is_refused_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    refused = run("evaluate", "--on", written(tmp_path, text))
    assert refused.exit_code == 1
    assert said in refused.output
