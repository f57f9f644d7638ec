"""`huisheng words`: how well the words of a policy find danger to life, and what is not for this channel."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from cli.sentences import SentencesUnusable, read_sentences
from cli.word_measures import DANGER, Counts, Judged, Measured, by, count, judge, measure
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
@click.option("--misses", is_flag=True, help="Also print the sentences that were judged wrongly.")
def evaluate(file: Path, folder: Path, as_json: bool, misses: bool) -> None:
    """Judge sentences of which the file says what they are: recall and precision."""
    with _plainly():
        policy, sentences = load_folder(folder), read_sentences(file)
        _check_expected(policy, file, {each.expected for each in sentences})
    judged = judge(Classifier.from_policy(policy), sentences)
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
def count_command(file: Path, folder: Path, as_json: bool) -> None:
    """Count what is flagged among messages; shows none of them."""
    with _plainly():
        policy, sentences = load_folder(folder), read_sentences(file)
    found = count(Classifier.from_policy(policy), sentences)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
        return
    for line in _counted(found):
        click.echo(line)


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
