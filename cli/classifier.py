"""`huisheng classifier`: train it, judge it, ask it why, and choose which model decides."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console

import db.models
from activities.learning import example_of
from classifier import evaluation, labels
from classifier.dangers import classifier_of
from classifier.examples import Example, read_examples, without_rare
from classifier.files import from_bytes, read_model, to_bytes
from classifier.model import Model
from classifier.retraining import SEEN_UNTIL
from classifier.trained import TrainedClassifier
from classifier.training import PRECISION, Trained, train
from cli import classifier_report as report
from cli import learning
from cli.looks import account, looked
from cli.model_database import active_policy, plainly, run
from cli.second import second
from db.audit import Seen
from db.decided import Spoken, decided_requests, number_decided, spoken
from db.models import Because, Origin
from db.pool import Pool
from db.sealing import KeyRing
from domain.audit import Kind
from domain.policy import Policy
from policies.loader import load_folder
from policies.mistakes import PolicyMistakes
from settings import DEFAULT_POLICY_DIRECTORY, Settings

KEYWORDS = "keywords"
LATELY = timedelta(days=30)

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_COLUMNS = "CSV in UTF-8, plain or .gz: a column body, description or text, one category, department or label, perhaps title and group."


@click.group()
def classifier() -> None:
    """Train, judge and choose the classifier."""


classifier.add_command(second)


@classifier.command("train")
@click.option("--from", "file", type=_FILE, help=f"{_COLUMNS} Unless given: the city's own decided requests.")
@click.option(
    "--precision", type=click.FloatRange(0.5, 0.999), default=PRECISION, show_default=True,
    help="Of what is decided without a person, so much shall be right.",
)  # fmt: skip
@click.option("--labels", "labels_file", type=_FILE, help='TOML: "label" = "code of a category or a department".')
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path),
    help="Write the model to this file. Unless given: keep it in the database, where it decides from now on.",
)  # fmt: skip
def train_command(file: Path | None, precision: float, labels_file: Path | None, out: Path | None) -> None:
    """Train a model and put it into force."""
    with plainly():
        now = datetime.now(UTC)
        found = read_examples(file) if file else _own_examples()
        facts = {} if file else {SEEN_UNTIL: now.isoformat()}
        if labels_file:
            found = labels.renamed(found, labels.read_labels(labels_file))
        if file and out:
            trained = train(found, now.date(), precision)
        else:
            policy = run(active_policy)
            destination = partial(labels.destination_in, policy)
            trained = train(labels.in_codes(found, policy), now.date(), precision, destination, facts)
        model = _written(trained, out) if out else run(partial(_kept, trained))
    click.echo(report.trained(trained, model))
    click.echo(
        f"Written to {out}." if out else "It is in force: it decides from now on, within seconds in every worker."
    )


@classifier.command()
@click.option("--train", "train_file", type=_FILE, required=True, help=f"What to learn from. {_COLUMNS}")
@click.option("--on", "on_file", type=_FILE, required=True, help="What to judge it on; the same columns.")
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
@click.option("--learning-curve", "with_curve", is_flag=True, help="Also with a part of the messages to learn from.")
@click.option(
    "--policy", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=DEFAULT_POLICY_DIRECTORY,
    show_default="policies/demo", help="The folder of the policy with whose words the time of a prediction is taken.",
)  # fmt: skip
def evaluate(train_file: Path, on_file: Path, as_json: bool, with_curve: bool, folder: Path) -> None:
    """Learn from one file and judge on another; keeps nothing and needs no database."""
    with plainly():
        learnt, others = read_examples(train_file), read_examples(on_file)
        found = evaluation.evaluate(learnt, others, _policy_in(folder))
        curve = evaluation.learning_curve(learnt, others) if with_curve else []
    if as_json:
        click.echo(json.dumps(report.as_plain(found, curve), ensure_ascii=False, indent=2))
    else:
        console = Console(highlight=False)
        for table in report.tables(found, curve):
            console.print(table)


@classifier.command()
@click.argument("text")
@click.option("--title", default="", help="The title of the message.")
@click.option(
    "--model", "file", type=_FILE, help="A model file. Unless given: the model in force, under the active policy."
)
def explain(text: str, title: str, file: Path | None) -> None:
    """Say what TEXT is about, how sure that is, and which parts of it weighed most."""
    with plainly():
        if file:
            click.echo(report.explained(read_model(file), title, text))
        else:
            policy, model = run(_in_force)
            decider = TrainedClassifier(model, policy) if model else classifier_of(policy)
            click.echo(report.classified(decider.classify(text, title), policy))
            for line in report.danger_explained(policy, text, title):
                click.echo(line)
            click.echo(report.explained(model, title, text) if model else report.WORDS_DECIDE)


@classifier.command("list")
def list_models() -> None:
    """List all models, the latest first: which is in force, and how often each was right in the last 30 days."""
    with plainly():
        found = run(_models)
    for line in report.listed(found.kept, found.active, found.spoken):
        click.echo(line)


@classifier.command()
@click.argument("version")
def activate(version: str) -> None:
    """Let model VERSION decide, or with `keywords` the words of the policy."""
    with plainly():
        now_active = run(partial(_activate, version))
    click.echo(report.decides(now_active))


@classifier.command()
@click.argument("file", metavar="FILE", type=_FILE)
def load(file: Path) -> None:
    """Put the model in FILE, which `train --out` wrote, into force."""
    with plainly():
        model = read_model(file)
        run(partial(_loaded, model, file.read_bytes()))
    click.echo(f"Model {model.version} decides from now on.")


def _policy_in(folder: Path) -> Policy:
    try:
        return load_folder(folder)
    except PolicyMistakes as mistakes:
        raise click.ClickException(mistakes.message) from None


def _own_examples() -> list[Example]:
    """The city's decided requests, without the categories that have too few to learn from."""
    found, rare = without_rare(run(_decided))
    if rare:
        click.echo(report.too_rare(rare), err=True)
    return found


async def _decided(pool: Pool) -> list[Example]:
    """In the order in which they were submitted."""
    keys = KeyRing.from_text(Settings.from_environment().keys)
    policy = await active_policy(pool)
    await looked(pool, Seen(Kind.TRAINING, count=await number_decided(pool)))
    found = [example_of(policy, each) async for each in decided_requests(pool, keys)]
    return [each for each in reversed(found) if each is not None]


def _written(trained: Trained, out: Path) -> Model:
    content = to_bytes(trained.model)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written ({type(error).__name__}).") from None
    return from_bytes(content, str(out))


async def _kept(trained: Trained, pool: Pool) -> Model:
    content = to_bytes(trained.model)
    model = from_bytes(content, "The new model")
    await _put_in_force(pool, model, content, Because.TRAINED)
    return model


async def _loaded(model: Model, content: bytes, pool: Pool) -> None:
    labels.check_known(model.labels, await active_policy(pool))
    await _put_in_force(pool, model, content, Because.LOADED)


async def _put_in_force(pool: Pool, model: Model, content: bytes, because: Because) -> None:
    now = datetime.now(UTC)
    await db.models.keep(pool, model.version, content, {"labels": model.labels, **model.facts}, now)
    await db.models.activate(pool, model.version, now, Origin(because, account=account()))


async def _activate(version: str, pool: Pool) -> str | None:
    wanted = None if version == KEYWORDS else version
    await db.models.activate(pool, wanted, datetime.now(UTC), Origin(account=account()))
    return wanted


class _Models(NamedTuple):
    kept: list[db.models.Kept]
    active: str | None
    spoken: list[Spoken]


async def _models(pool: Pool) -> _Models:
    since = datetime.now(UTC) - LATELY
    return _Models(await db.models.models(pool), await db.models.active_version(pool), await spoken(pool, since))


async def _in_force(pool: Pool) -> tuple[Policy, Model | None]:
    policy, version = await active_policy(pool), await db.models.active_version(pool)
    stored = await db.models.content_of(pool, version) if version else None
    return policy, from_bytes(stored, f"Model {version}") if stored else None


for command in (learning.retrain, learning.comparisons, learning.back):
    classifier.add_command(command)
