"""`huisheng jurisdictions`: what is read of files of points and outlines, what is measured, and New York as a whole."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from cli.jurisdictions import jurisdictions
from cli.point_files import Points, PointsUnusable, read_outlines, read_points
from cli.point_measures import agreement, found_by, look_up
from domain.coordinates import Datum, to_gcj02
from policies.jurisdictions import Jurisdictions
from tests.city import a_city

SQUARES = {"west": (0.0, 0.01), "east": (0.01, 0.02)}


def written(file: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    with gzip.open(file, "wt", newline="") if file.suffix == ".gz" else file.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def outlines(folder: Path, **properties: Any) -> Path:
    """Two squares side by side at the equator, named by `code` unless told otherwise."""
    features = [
        {
            "type": "Feature",
            "properties": properties or {"code": code},
            "geometry": {"type": "Polygon", "coordinates": [[[w, 0.0], [e, 0.0], [e, 0.01], [w, 0.01], [w, 0.0]]]},
        }
        for code, (w, e) in SQUARES.items()
    ]
    file = folder / "squares.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


def a_row(long: float, said: str = "", lat: float | str = 0.005) -> dict[str, object]:
    return {"latitude": lat, "longitude": long, "borough": said}


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(jurisdictions, [*map(str, arguments)])


# --- what is read ---------------------------------------------------------------------------------------------------


def test_points_are_read_and_rows_without_one_are_counted(tmp_path: Path) -> None:
    rows = [a_row(0.001, " WEST "), a_row(0.015), a_row(0, "EAST", lat=""), a_row(181, "EAST"), a_row(float("nan"))]
    points = read_points(written(tmp_path / "points.csv.gz", rows), {}, Datum.WGS84)
    assert (points.longs.tolist(), points.lats.tolist()) == ([0.001, 0.015], [0.005, 0.005])
    assert (points.said, points.column, points.skipped) == (["WEST", ""], "borough", 3)


def test_points_of_a_chinese_map_are_moved_to_where_they_are(tmp_path: Path) -> None:
    lat, long = to_gcj02(31.2, 121.5)
    points = read_points(written(tmp_path / "points.csv", [a_row(long, lat=lat)]), {}, Datum.GCJ02)
    assert (points.lats[0], points.longs[0]) == pytest.approx((31.2, 121.5), abs=1e-7)


@pytest.mark.parametrize(
    ("content", "columns", "reason"),
    [
        pytest.param("a,b\n1,2\n", {}, "no columns for the point", id="no columns for it"),
        pytest.param("lat,long\n1,2\n", {"district": "area"}, "no column area", id="a column that is not there"),
        pytest.param("lat,long\nx,y\n", {}, "no row", id="no point"),
        pytest.param(b"\xff\xfe", {}, "cannot be read", id="not UTF-8"),
    ],
)
def test_file_that_cannot_be_used_is_refused_with_the_reason(
    tmp_path: Path, content: str | bytes, columns: dict[str, str], reason: str
) -> None:
    file = tmp_path / "points.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PointsUnusable, match=reason):
        read_points(file, columns, Datum.WGS84)


@pytest.mark.parametrize(
    ("properties", "code", "names"),
    [
        pytest.param({}, None, ["west", "east"], id="by code"),
        pytest.param({"BoroCD": 101, "area": 5.0}, None, ["101", "101"], id="by what New York calls it"),
        pytest.param({"area": 5.0, "which": "x"}, "which", ["x", "x"], id="by the property that is asked for"),
    ],
)
def test_outlines_are_named_by_a_property(
    tmp_path: Path, properties: dict[str, Any], code: str | None, names: list[str]
) -> None:
    assert [district.code for district in read_outlines(outlines(tmp_path, **properties), code)] == names


@pytest.mark.parametrize(("properties", "code"), [({"area": 5.0}, None), ({}, "number")])
def test_outlines_without_that_name_are_refused(tmp_path: Path, properties: dict[str, Any], code: str | None) -> None:
    with pytest.raises(PointsUnusable):
        read_outlines(outlines(tmp_path, **properties), code)


# --- what is said of it -----------------------------------------------------------------------------------------------


def test_check_counts_where_points_lie_and_what_the_file_says_of_them(tmp_path: Path) -> None:
    rows = [
        *[a_row(0.002, "west")] * 6,
        *[a_row(0.018, "east")] * 6,
        a_row(0.0098, "east"),  # twenty metres across the border
        a_row(0.002, "east"),  # far from it
        a_row(-0.0002, "west"),
        a_row(5.0, "west"),
    ]
    shown = run("check", "--points", written(tmp_path / "points.csv", rows), "--outlines", outlines(tmp_path))
    assert shown.exit_code == 0, shown.output
    for line in (
        "16 points, 0 rows without one left out; 2 districts",
        "| in one district | 14 (87.50%) |",
        "| in no outline, but beside one | 1 (6.25%) |",
        "| outside of everything | 1 (6.25%) |",
        "15 points lie in a district and have something in the column borough",
        "| the district's own code | 13 (86.67%) |",
        "| what most points of the district say | 13 (86.67%) |",
        "| something else, usual just across the border | 1 (6.67%) |",
        "| something else | 1 (6.67%) |",
        "| all at once |",
    ):
        assert line in shown.output


def test_check_takes_the_districts_of_a_policy(tmp_path: Path) -> None:
    rows = [{"lat": 30.05, "long": 110.05}, {"lat": 30.05, "long": 110.3}]
    shown = run("check", "--points", written(tmp_path / "points.csv", rows))
    assert shown.exit_code == 0, shown.output
    assert "4 districts, 1 neighbour, a border 50 m wide" in shown.output
    assert "| in a neighbour | 1 (50.00%) |" in shown.output
    assert "in the column" not in shown.output


def test_check_refuses_in_a_sentence(tmp_path: Path) -> None:
    file = written(tmp_path / "points.csv", [{"a": 1}])
    assert "Error: The file has no columns for the point" in run("check", "--points", file).output
    assert "WHAT=NAME" in run("check", "--points", file, "--column", "borough").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["30.05", "110.05"], "morning_bell (by point)", id="a point"),
        pytest.param(["30.05", "110.3"], "outside the city, in still_water (by point)", id="in a neighbour"),
        pytest.param(["10", "10"], "outside the city (by point)", id="outside of everything"),
        pytest.param(["--place", "听泉路"], "clear_tone (by place)", id="a name"),
        pytest.param(["30.03", "110.1197", "--text", "清音区"],
                     "morning_bell (by point); in doubt (near_border): morning_bell or clear_tone", id="a doubt"),
        pytest.param(["--text", "清音区到晨钟区"], "undecided (by text); in doubt (several_names)", id="several names"),
        pytest.param(["--text", "hello"], "Nothing is known", id="nothing"),
        pytest.param(["30.0476", "110.2430", "--datum", "gcj02"], "clear_tone (by point)", id="a point of a Chinese map"),
    ],
)  # fmt: skip
def test_locate_says_where_a_request_would_be_found(arguments: list[str], said: str) -> None:
    shown = run("locate", *arguments)
    assert shown.exit_code == 0, shown.output
    assert said in shown.output


def test_half_a_point_is_refused() -> None:
    assert run("locate", "30.05").exit_code == 2


# --- New York ---------------------------------------------------------------------------------------------------------

DATA = Path(__file__).parents[3] / "shared" / "data"
REQUESTS, DISTRICTS = DATA / "nyc311_2026.csv.gz", DATA / "geo" / "nyc_community_districts.geojson.gz"
BOROUGHS = {"1": "MANHATTAN", "2": "BRONX", "3": "BROOKLYN", "4": "QUEENS", "5": "STATEN ISLAND"}
MARBLE_HILL = ("208", "MANHATTAN")
"""The one place where a community district reaches into another borough: part of Manhattan, served by Bronx district 8."""

new_york = pytest.mark.skipif(
    not (REQUESTS.exists() and DISTRICTS.exists()),
    reason="the requests and districts of New York are not here (shared/data)",
)


@pytest.fixture(scope="module")
def city() -> tuple[Jurisdictions, Points]:
    districts = read_outlines(DISTRICTS, None)
    built = Jurisdictions(replace(a_city(), districts=districts))
    return built, read_points(REQUESTS, {}, Datum.WGS84)


@new_york
@pytest.mark.slow
def test_new_yorks_requests_lie_in_the_borough_that_they_say(city: tuple[Jurisdictions, Points]) -> None:
    """The file names the borough, which is the first digit of a community district, and not the district itself."""
    built, points = city
    looked = look_up(built, points)
    assert looked.differing == 0
    assert found_by(looked)["outside"] < 0.001 * len(looked.located)
    rows = [
        (located.district, said)
        for located, said in zip(looked.located, points.said, strict=True)
        if located.district and said != "Unspecified"
    ]
    wrong = [row for row in rows if BOROUGHS[row[0][0]] != row[1] and row != MARBLE_HILL]
    assert len(wrong) < 0.0005 * len(rows)
    agreed = agreement(built, points, looked)
    assert agreed.usual > 0.999 * agreed.said


@new_york
@pytest.mark.slow
def test_districts_are_those_that_plain_geometry_finds(city: tuple[Jurisdictions, Points]) -> None:
    """Every fortieth point, by counting crossings of a ray in plain Python; points beside a border are left to the rule."""
    built, points = city
    rings = {
        district.code: [np.asarray(ring)[:, :2] for polygon in _polygons(district.geometry) for ring in polygon]
        for district in read_outlines(DISTRICTS, None)
    }
    compared = 0
    for lat, long in zip(points.lats[::40].tolist(), points.longs[::40].tolist(), strict=True):
        if len(built.near(lat, long)) != 1:
            continue
        found = [code for code, each in rings.items() if sum(_crosses(ring, lat, long) for ring in each) % 2]
        assert found == [built.district_at(lat, long)]
        compared += 1
    assert compared > 1500


def _polygons(geometry: Mapping[str, Any]) -> list[Any]:
    return list(geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]])


def _crosses(ring: NDArray[np.float64], lat: float, long: float) -> int:
    """How often a ray to the east crosses the ring."""
    (x, y), (next_x, next_y) = ring[:-1].T, ring[1:].T
    beside = (y > lat) != (next_y > lat)
    at = x[beside] + (lat - y[beside]) / (next_y[beside] - y[beside]) * (next_x[beside] - x[beside])
    return int((at > long).sum())
