"""`huisheng classifier second`: how often a second department is proposed, and how often that is the right one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from classifier.examples import ExamplesUnusable, read_examples
from classifier.second import Proposed, evaluate_second
from domain.promises import CLOSE_MARGIN

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MARGINS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)


@click.command()
@click.option("--train", "train_file", type=_FILE, required=True, help="What to learn from, as for `evaluate`.")
@click.option("--on", "on_file", type=_FILE, required=True, help="What to count on; the same columns.")
@click.option(
    "--margin", type=click.FloatRange(0, 1), multiple=True, help=f"triage.close_margin; {CLOSE_MARGIN} by default."
)
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
def second(train_file: Path, on_file: Path, margin: tuple[float, ...], as_json: bool) -> None:
    """Learn from one file, and count on another how often a second department is proposed."""
    try:
        found = evaluate_second(read_examples(train_file), read_examples(on_file), margin or _MARGINS)
    except ExamplesUnusable as unusable:
        raise click.ClickException(str(unusable)) from None
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
        return
    for line in _table(found):
        click.echo(line)


def _table(found: Sequence[Proposed]) -> Iterator[str]:
    yield f"{found[0].messages:,} messages; the likeliest label is wrong for {found[0].wrong}.\n"
    yield "| margin | proposals | by a sentence alone | decided without a person | right one proposed second | by a sentence alone |"
    yield "|" + " --- |" * 6
    for each in found:
        cells = (
            f"{each.margin:.2f}",
            f"{each.proposed} ({each.proposed / each.messages:.1%})",
            str(each.by_part),
            str(each.decided),
            f"{each.mended} ({each.mended / max(each.wrong, 1):.0%} of the wrong)",
            str(each.mended_by_part),
        )
        yield f"| {' | '.join(cells)} |"
