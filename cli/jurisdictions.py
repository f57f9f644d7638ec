"""`huisheng jurisdictions`: says where a place lies by a policy, and checks and measures that on the points of a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from shapely.geometry import shape

from cli.point_files import COLUMNS, Points, PointsUnusable, read_outlines, read_points
from cli.point_measures import Agreement, Looked, agreement, found_by, look_up
from domain.classified import Located
from domain.coordinates import Datum, to_wgs84
from domain.policy import Policy
from policies.jurisdictions import Jurisdictions
from policies.loader import load_folder
from policies.mistakes import PolicyMistakes
from settings import DEFAULT_POLICY_DIRECTORY

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DATUM = click.Choice([datum.value for datum in Datum])
_POLICY = click.option(
    "--policy", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=DEFAULT_POLICY_DIRECTORY,
    show_default="policies/demo", help="The folder of the policy whose districts are meant.",
)  # fmt: skip
_HOW = {
    "point": "in one district",
    "border": "on a border or in an overlap, the first named taken",
    "nearest": "in no outline, but beside one",
    "neighbour": "in a neighbour",
    "outside": "outside of everything",
}


@click.group()
def jurisdictions() -> None:
    """Check the districts of a policy, or other outlines, on points."""


@jurisdictions.command()
@click.option("--points", "points_file", type=_FILE, required=True, help="CSV in UTF-8, plain or .gz.")
@click.option("--outlines", type=_FILE, help="GeoJSON, plain or .gz, instead of a policy's districts.")
@click.option("--code", metavar="PROPERTY", help="Of the outlines: which property names each.")
@click.option(
    "--column", "columns", multiple=True, metavar="WHAT=NAME",
    help=f"Which column says what, where its name is not known: {', '.join(COLUMNS)}.",
)  # fmt: skip
@click.option(
    "--datum", type=_DATUM, default=Datum.WGS84.value, show_default=True, help="What the points are given in."
)
@_POLICY
def check(
    points_file: Path, outlines: Path | None, code: str | None, columns: tuple[str, ...], datum: str, folder: Path
) -> int:
    """Look up every point of a file: where they lie, whether the file says the same, and how fast it goes."""
    with _plainly():
        points = read_points(points_file, dict(_named(column) for column in columns), Datum(datum))
        policy = load_folder(folder)
        if outlines is not None:
            policy = replace(policy, districts=read_outlines(outlines, code), neighbours=(), places={})
    built = Jurisdictions(policy)
    looked = look_up(built, points)
    for line in _report(policy, points, looked, agreement(built, points, looked) if points.column else None):
        click.echo(line)
    return 1 if looked.differing else 0


@jurisdictions.command()
@click.argument("lat", type=float, required=False)
@click.argument("long", type=float, required=False)
@click.option("--place", default="", help="The place or the address that was given.")
@click.option("--text", default="", help="Title and description.")
@click.option("--datum", type=_DATUM, help="What the point is given in; by default what the policy says.")
@_POLICY
def locate(lat: float | None, long: float | None, place: str, text: str, datum: str | None, folder: Path) -> None:
    """Say where a request would be found to lie: by the point LAT LONG in degrees, by names, or by both."""
    if (lat is None) != (long is None):
        raise click.UsageError("Give both LAT and LONG, or neither.")
    if not (abs(lat or 0) <= 90 and abs(long or 0) <= 180):
        raise click.UsageError("LAT is from -90 to 90 degrees, LONG from -180 to 180.")
    with _plainly():
        policy = load_folder(folder)
    if lat is not None and long is not None:
        lat, long = to_wgs84(lat, long, Datum(datum) if datum else policy.city.coordinates)
    click.echo(_said(Jurisdictions(policy).locate(lat, long, place=place, text=text)))


def _said(located: Located) -> str:
    if located == Located():
        return "Nothing is known of where it is."
    where = located.district or (f"outside the city, in {located.neighbour}" if located.neighbour else None)
    where = where or ("outside the city" if located.outside else "undecided")
    doubt = f"; in doubt ({located.doubt}): {' or '.join(located.between)}" if located.doubt else ""
    return f"{where} (by {located.found_by}){doubt}"


def _named(column: str) -> tuple[str, str]:
    role, _, name = column.partition("=")
    if role not in COLUMNS or not name:
        raise click.BadParameter(
            f"Write it as WHAT=NAME, where WHAT is one of {', '.join(COLUMNS)}.", param_hint="--column"
        )
    return role, name


def _report(policy: Policy, points: Points, looked: Looked, agreed: Agreement | None) -> Iterator[str]:
    number = len(looked.located)
    broken = sum(not shape(dict(district.geometry)).is_valid for district in policy.districts)
    beside = len(policy.neighbours)
    yield (
        f"{number:,} points, {points.skipped:,} rows without one left out; {len(policy.districts):,} districts, "
        f"{beside:,} {'neighbour' if beside == 1 else 'neighbours'}, a border {policy.city.border_metres} m wide."
        f"{f' {broken:,} of the outlines cross themselves.' if broken else ''}\n"
    )
    yield from _table(
        ("where", "points"), [(_HOW[how], _share(each, number)) for how, each in found_by(looked).most_common()]
    )
    yield from _speeds(looked)
    if agreed is not None:
        yield from _agreement(str(points.column), agreed)


def _speeds(looked: Looked) -> Iterator[str]:
    speed = looked.speed
    ways = (
        ("one by one, the whole rule", speed.whole),
        ("one by one, the district alone", speed.single),
        ("all at once", speed.bulk),
    )
    yield ""
    yield from _table(
        ("way", "points a second on one core"),
        [(way, f"{speed.points / seconds:,.0f}" if seconds else "too few points to tell") for way, seconds in ways],
    )
    if looked.differing:
        yield f"\nOne by one and all at once disagree on {looked.differing:,} points: this is a fault of the program."


def _agreement(column: str, agreed: Agreement) -> Iterator[str]:
    yield f"\n{agreed.said:,} points lie in a district and have something in the column {column}:\n"
    rows = [("what most points of the district say", _share(agreed.usual, agreed.said))]
    if agreed.named:
        rows.insert(0, ("the district's own code", _share(agreed.named, agreed.said)))
    rows.append(("something else, usual just across the border", _share(agreed.beside, agreed.said)))
    rows.append(("something else", _share(agreed.said - agreed.usual - agreed.beside, agreed.said)))
    yield from _table(("the column says", "points"), rows)


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({part / whole:.2%})" if whole else "none"


def _table(names: tuple[str, ...], rows: list[tuple[str, str]]) -> Iterator[str]:
    """In Markdown, for the page that shows it."""
    yield f"| {' | '.join(names)} |"
    yield "|" + " --- |" * len(names)
    for row in rows:
        yield f"| {' | '.join(row)} |"


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except PointsUnusable as unusable:
        raise click.ClickException(str(unusable)) from None
    except PolicyMistakes as mistakes:
        raise click.ClickException(mistakes.message) from None
