"""`huisheng words`: how well the words of a policy find danger to life, and what is not for this channel."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from classifier.dangers import classifier_of
from cli.sentences import Sentence, SentencesUnusable, read_sentences
from cli.word_measures import DANGER, Counts, Judged, Measured, by, count, flagged_as_danger, judge, measure
from domain.classification import Classifier
from domain.policy import Policy
from policies.loader import load_folder
from policies.mistakes import PolicyMistakes
from settings import DEFAULT_POLICY_DIRECTORY

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_POLICY = click.option(
    "--policy", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=DEFAULT_POLICY_DIRECTORY,
    show_default="policies/demo", help="The folder of the policy whose words are meant.",
)  # fmt: skip
_JSON = click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
_WORDS_ONLY = click.option("--words-only", is_flag=True, help="Without what is learnt from the sentences in dangers/.")


@click.group()
def words() -> None:
    """Measure the words of danger, and of what is not for this channel."""


@words.command()
@click.option(
    "--on", "file", type=_FILE, required=True,
    help="CSV in UTF-8: text, expected (danger, or the code of a reason to decline; empty for neither), perhaps half, language.",
)  # fmt: skip
@_POLICY
@_JSON
@_WORDS_ONLY
@click.option("--misses", is_flag=True, help="Also print the sentences that were judged wrongly.")
def evaluate(file: Path, folder: Path, as_json: bool, words_only: bool, misses: bool) -> None:
    """Judge sentences of which the file says what they are: recall and precision."""
    with _plainly():
        policy, sentences = load_folder(folder), read_sentences(file)
        _check_expected(policy, file, {each.expected for each in sentences})
    judged = judge(_listening(policy, words_only), sentences)
    parts = [measure("all", judged), *by(lambda each: each.half, judged), *by(lambda each: each.language, judged)]
    if as_json:
        click.echo(json.dumps([_plain(each) for each in parts], indent=2))
        return
    for line in (*_table(parts), *(_wrong(judged) if misses else ())):
        click.echo(line)


@words.command("count")
@click.option("--from", "file", type=_FILE, required=True, help="CSV in UTF-8, plain or .gz: body, description or text, perhaps title.")  # fmt: skip
@_POLICY
@_JSON
@_WORDS_ONLY
@click.option(
    "--sample",
    type=click.IntRange(1),
    help="Print so many of the messages flagged as dangers, drawn by --seed: to read them, and to count by hand what is true.",
)
@click.option("--seed", default=1, show_default=True, help="For --sample: the same one draws the same messages.")
def count_command(file: Path, folder: Path, as_json: bool, words_only: bool, sample: int | None, seed: int) -> None:
    """Count what is flagged among messages; shows none of them, unless a sample is asked for."""
    with _plainly():
        policy, sentences = load_folder(folder), read_sentences(file)
    classifier = _listening(policy, words_only)
    if sample is not None:
        for line in _drawn(classifier, sentences, sample, seed):
            click.echo(line)
        return
    found = count(classifier, sentences)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
        return
    for line in _counted(found):
        click.echo(line)


def _listening(policy: Policy, words_only: bool) -> Classifier:
    return Classifier.from_policy(policy) if words_only else classifier_of(policy)


def _drawn(classifier: Classifier, sentences: Sequence[Sentence], how_many: int, seed: int) -> Iterator[str]:
    flagged = flagged_as_danger(classifier, sentences)
    chance = random.Random(seed)  # nosec B311 - drawn for people to read: nothing hangs on whether it can be guessed
    drawn = chance.sample(flagged, min(how_many, len(flagged)))
    for number, (sentence, why) in enumerate(drawn, start=1):
        yield f"[{number} of {len(flagged)}, {why}] {sentence.title} {' '.join(sentence.text.split())}"


def _check_expected(policy: Policy, file: Path, expected: set[str | None]) -> None:
    known = {DANGER, *(reason.code for reason in policy.decline_reasons)}
    wrong = sorted(each for each in expected if each and each not in known)
    if None in expected:
        raise SentencesUnusable(f"{file}, line 1: the column expected is missing.")
    if wrong:
        listed = ", ".join(sorted(known))
        raise SentencesUnusable(f"{file}: the policy knows nothing called {wrong[0]}. Expected is one of: {listed}.")
    if DANGER in expected and len(expected - {""}) > 1:
        raise SentencesUnusable(f"{file} mixes danger with reasons to decline: measure each with a file of its own.")


def _plain(each: Measured) -> dict[str, object]:
    return {**asdict(each), "recall": each.recall, "precision": each.precision}


def _table(parts: Iterable[Measured]) -> Iterator[str]:
    yield "| sentences | expected | found | recall | as expected | others | flagged in vain | precision |"
    yield "|" + " --- |" * 8
    for each in parts:
        cells = (
            each.name, each.expected, each.found, _share(each.recall), each.named, each.others, each.false, _share(each.precision),
        )  # fmt: skip
        yield f"| {' | '.join(map(str, cells))} |"


def _wrong(judged: Iterable[Judged]) -> Iterator[str]:
    for each in judged:
        if each.is_wrong or (each.found and each.found != each.sentence.expected):
            wanted = each.sentence.expected or "nothing"
            yield f"{each.sentence.half} wanted {wanted}, found {each.found or 'nothing'}: {each.sentence.text}"


def _counted(found: Counts) -> Iterator[str]:
    for name, number in (
        ("danger", found.danger),
        ("danger by words, which the examples speak against: to a person, nobody is woken", found.doubted),
        ("sensitive", found.sensitive),
        ("a decline proposed", found.elsewhere),
    ):
        yield f"{number:,} of {found.messages:,} messages ({number / found.messages:.2%}): {name}"
    yield ""
    for code, number in sorted(found.by_word.items(), key=lambda each: (-each[1], each[0])):
        yield f"{number:6,}  {code}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except SentencesUnusable as unusable:
        raise click.ClickException(str(unusable)) from None
    except PolicyMistakes as mistakes:
        raise click.ClickException(mistakes.message) from None
