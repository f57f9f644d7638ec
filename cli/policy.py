"""`huisheng policy`: check a city's folder, make it the policy that new decisions follow, and say which one that is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

import db.policies
from cli import policy_requests
from cli.database import on_database
from db.pool import Pool
from domain.policy import Policy, from_plain, in_language, shortened, to_plain
from policies.loader import load_with_warnings
from policies.mistakes import Mistake, PolicyMistakes

FOLDER = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@click.group()
def policy() -> None:
    """Check and load a city's policy."""


for _command in (policy_requests.requests, policy_requests.move, policy_requests.holidays):
    policy.add_command(_command)


@policy.command()
@FOLDER
def check(folder: Path) -> int:
    """Name every mistake in the policy folder DIR; without one, say what it holds."""
    try:
        found, warnings = load_with_warnings(folder)
    except PolicyMistakes as wrong:
        _show_mistakes(wrong)
        return 1
    _show_warnings(warnings)
    click.echo(_summary(found))
    return 0


@policy.command()
@FOLDER
@click.option(
    "--seconds-per-working-day",
    type=click.FloatRange(min=0.1, max=86_400),
    help="For a demonstration: let every duration run on the wall clock, a working day lasting that long.",
)
def load(folder: Path, seconds_per_working_day: float | None) -> int:
    """Make the policy folder DIR the policy that new decisions follow. Requests in flight keep theirs."""
    try:
        found, warnings = load_with_warnings(folder)
    except PolicyMistakes as wrong:
        _show_mistakes(wrong)
        active = on_database("policy", db.policies.active_version)
        kept = f"version {active} stays active" if active else "no policy is active yet"
        click.echo(f"Nothing was loaded; {kept}. Mend the folder and load it again.", err=True)
        return 1
    _show_warnings(warnings)
    if seconds_per_working_day is not None:
        found = shortened(found, seconds_per_working_day)
    before = on_database("policy", lambda pool: _activate(pool, found))
    click.echo(_summary(found))
    click.echo("It was active already." if before == found.version else "It is active: new decisions follow it.")
    return 0


@policy.command()
@click.option("--version", help="Another version than the active one.")
@click.option("--json", "as_json", is_flag=True, help="The whole content instead of a summary.")
def show(version: str | None, as_json: bool) -> None:
    """Say what the active policy holds."""
    found = on_database("policy", lambda pool: _kept(pool, version))
    click.echo(json.dumps(to_plain(found), ensure_ascii=False, indent=2) if as_json else _summary(found))


@policy.command()
def versions() -> None:
    """List all versions that were loaded, the latest first."""
    for each in on_database("policy", db.policies.versions):
        active = "  active" if each.active else ""
        click.echo(f"{each.version}  loaded {each.loaded_at:%Y-%m-%d %H:%M} UTC  {each.city}{active}")


async def _activate(pool: Pool, found: Policy) -> str | None:
    """Gives the version that was active before."""
    before = await db.policies.active_version(pool)
    city = in_language(found.city.name, found.city.languages[0])
    await db.policies.activate(pool, found.version, city, to_plain(found), datetime.now(UTC))
    return before


async def _kept(pool: Pool, version: str | None) -> Policy:
    wanted = version or await db.policies.active_version(pool)
    content = await db.policies.content_of(pool, wanted) if wanted else None
    if content is None:
        known = "There is no such version; `huisheng policy versions` lists them."
        raise click.ClickException(known if version else "No policy is active. Load one: huisheng policy load DIR")
    return from_plain(content, wanted)


def _show_mistakes(wrong: PolicyMistakes) -> None:
    for mistake in wrong.mistakes:
        click.echo(str(mistake))
    number = len(wrong.mistakes)
    click.echo(f"{number} {'mistake' if number == 1 else 'mistakes'}.", err=True)


def _show_warnings(warnings: Iterable[Mistake]) -> None:
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)


def _summary(found: Policy) -> str:
    name = " / ".join(found.city.name[language] for language in found.city.languages)
    years = ", ".join(map(str, found.calendar.published_years)) or "none"
    texts = sum(len(each.notices) for each in found.texts.values())
    return (
        f"{name}, policy version {found.version}: {len(found.departments)} departments, {len(found.categories)} categories, "
        f"{len(found.service_levels)} service levels, {len(found.chains)} escalation chains, {len(found.districts)} districts, "
        f"{_neighbours(found)}, {texts} texts, holidays published for {years}."
    )


def _neighbours(found: Policy) -> str:
    number = len(found.neighbours)
    return f"{number} {'neighbour' if number == 1 else 'neighbours'}"
