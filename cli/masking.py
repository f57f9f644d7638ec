"""`huisheng masking`: shows what is masked of a text, and measures it on marked sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from cli.masking_measures import Measure, Part, Sentence, SentencesUnusable, left_whole, measure, read_sentences
from domain.masking import masked
from domain.personal import Kind


@click.group()
def masking() -> None:
    """Show and measure what is masked of texts."""


@masking.command()
@click.argument("text")
@click.option(
    "--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Of the placeholders."
)
def show(text: str, language: str) -> None:
    """Print TEXT as others than its author read it."""
    click.echo(masked(text, language))


@masking.command()
@click.option(
    "--on", "file", required=True, type=click.Path(dir_okay=False, path_type=Path),
    help="Marked sentences in UTF-8: the language, a blank, the text with [name:...] and the like.",
)  # fmt: skip
@click.option(
    "--part", type=click.Choice([each.value for each in Part]), default=Part.HELD_OUT.value, show_default=True,
    help="Odd sentences are for building, even ones are held out.",
)  # fmt: skip
@click.option("--misses", is_flag=True, help="Also show the sentences that come out wrong. Not for those held out.")
def evaluate(file: Path, part: str, misses: bool) -> None:
    """Print precision and recall for each kind of personal data."""
    if misses and part != Part.BUILDING:
        raise click.UsageError("Sentences that are held out are not shown: add --part building.")
    try:
        sentences = read_sentences(file, Part(part))
    except SentencesUnusable as unusable:
        raise click.ClickException(str(unusable)) from unusable
    for line in _report(sentences):
        click.echo(line)
    for line in _misses(sentences) if misses else ():
        click.echo(line)


def _report(sentences: Sequence[Sentence]) -> Iterator[str]:
    whole, innocent = left_whole(sentences)
    yield f"{len(sentences)} sentences, {innocent} with nothing to mask; {whole} of these are left as they are.\n"
    yield "| | wanted | precision | recall | not wholly masked |"
    yield "| --- | --- | --- | --- | --- |"
    for kind in Kind:
        yield _row(f"`{kind}`", measure(sentences, [kind]))
    for language in sorted({sentence.language for sentence in sentences}):
        yield _row(f"all of `{language}`", measure(s for s in sentences if s.language == language))
    yield _row("all", measure(sentences))


def _row(name: str, counted: Measure) -> str:
    precision, recall = _share(counted.right, counted.masked), _share(counted.right, counted.wanted)
    return f"| {name} | {counted.wanted} | {precision} | {recall} | {counted.leaking} |"


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else "none"


def _misses(sentences: Sequence[Sentence]) -> Iterator[str]:
    for sentence in sentences:
        found = sentence.masked
        if set(found) != set(sentence.wanted):
            yield f"\n{sentence.text}"
            for mark, spans in (
                ("missed", set(sentence.wanted) - set(found)),
                ("too much", set(found) - set(sentence.wanted)),
            ):
                yield from (f"  {mark}: {span.kind} {sentence.text[span.start : span.end]}" for span in sorted(spans))
