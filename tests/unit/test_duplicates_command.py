"""`huisheng duplicates evaluate`: what is read of a file, what is counted, and that nothing of it is shown."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.duplicate_measures import (
    RATED_WITHIN,
    Register,
    against_flags,
    against_partners,
    have_one_title,
    load,
    named_as_parent,
    partners_of,
    ranks,
    share_half_of_their_sentences,
    suggestions,
)
from cli.duplicate_reports import FileUnusable, Report, read_reports
from cli.duplicates import duplicates
from domain.similarity import WINDOW, Matter, grams_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HERE = (28.2001, 112.9001)
NEAR = (28.2002, 112.9001)
NEXT_CELL = (28.2032, 112.9001)
FAR = (28.2601, 112.9001)
TEXT = "建设路与人民路交叉口的路灯已经坏了三天，晚上漆黑一片，老人孩子出行很不安全，希望尽快派人维修。"
COPY = TEXT.replace("三天", "四天")
OTHER_TEXT = "小区楼下的餐馆每天深夜排放油烟，居民不敢开窗，已经多次向社区反映，希望上门检查。"


def a_report(id: str, days: float = 0, text: str = "", category: str = "light", **changes: object) -> Report:
    """Came in so many days after noon."""
    point = changes.pop("point", None)
    assert point is None or isinstance(point, tuple)
    matter = Matter(NOON + days * DAY, grams_of(text), (category,), point)
    values: dict[str, object] = {
        "closed_at": None, "sentences": frozenset(), "title": "", "is_duplicate": False, "parent": None,
    }  # fmt: skip
    return Report(id, matter, **(values | changes))  # type: ignore[arg-type]


def written(folder: Path, rows: Sequence[Mapping[str, str]], name: str = "requests.csv") -> Path:
    file = folder / name
    lines = io.StringIO()
    writer = csv.DictWriter(lines, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    content = lines.getvalue().encode()
    file.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return file


# --- what is compared -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "earlier", "is_found"),
    [
        ("near", a_report("a", point=NEAR), True),
        ("near, over the edge of a cell", a_report("a", point=NEXT_CELL), True),
        ("far", a_report("a", point=FAR), False),
        ("nobody knows where", a_report("a"), True),
        ("another category", a_report("a", category="noise", point=NEAR), False),
        ("before the window", a_report("a", days=-29, point=NEAR), False),
        ("closed long ago", a_report("a", point=NEAR, closed_at=NOON + 2 * DAY - RATED_WITHIN), False),
        ("answered lately", a_report("a", point=NEAR, closed_at=NOON + 2 * DAY - RATED_WITHIN + DAY / 24), True),
    ],
)
def test_register_finds_what_the_search_would(label: str, earlier: Report, is_found: bool) -> None:
    register = Register(WINDOW, 200)
    register.add(earlier)
    assert bool(register.preselected(a_report("b", days=2, point=HERE))) is is_found


def test_register_keeps_to_the_latest() -> None:
    register = Register(WINDOW, 2)
    for number in range(4):
        register.add(a_report(str(number), days=number))
    assert [each.id for each in register.preselected(a_report("now", days=5))] == ["3", "2"]


def test_request_is_likened_to_earlier_ones_only() -> None:
    first, second = suggestions([a_report("a", text=TEXT), a_report("b", 1, COPY)], WINDOW, 200)
    assert first.others == []
    assert [other.id for _, other in second.others] == ["a"]


# --- what is counted ------------------------------------------------------------------------------------------------


def test_partners_are_earlier_and_within_the_window() -> None:
    rows = [a_report("a", title="x"), a_report("b", 1, title="x"), a_report("c", 32, title="x"), a_report("d", 33)]
    assert partners_of(rows, have_one_title, WINDOW) == {"b": {"a"}}
    assert partners_of(rows, have_one_title, 40 * DAY) == {"b": {"a"}, "c": {"a", "b"}}


@pytest.mark.parametrize(
    ("label", "one", "other", "same"),
    [
        ("all", {"a", "b"}, {"a", "b"}, True),
        ("half of the shorter", {"a", "b"}, {"a", "c", "d", "e"}, True),
        ("less than half", {"a", "b", "c"}, {"a", "d", "e"}, False),
        ("nothing to compare", set(), set(), False),
    ],
)
def test_sentences_in_common(label: str, one: set[str], other: set[str], same: bool) -> None:
    reports = [a_report(name, sentences=frozenset(each)) for name, each in (("a", one), ("b", other))]
    assert share_half_of_their_sentences(*reports) is same


def test_counts_are_those_that_one_counts_by_hand() -> None:
    # b and d repeat a and c; e is like nothing; f names a parent that it is not like.
    rows = [
        a_report("a", 0, TEXT), a_report("b", 1, COPY, parent="a"), a_report("c", 2, OTHER_TEXT),
        a_report("d", 3, OTHER_TEXT, parent="c"), a_report("e", 4, "", category="noise"),
        a_report("f", 5, "完全不同的事情", parent="a"), a_report("g", 6, TEXT),
    ]  # fmt: skip
    suggested = list(suggestions(rows, WINDOW, 200))
    partners = partners_of(rows, named_as_parent, WINDOW)
    (low,) = against_partners(suggested, partners, [0.3])
    assert (low.shown, low.right, low.found, low.duplicates) == (4, 2, 2, 3)
    assert (low.disturbed, low.others) == (1, 4)
    where = ranks(suggested, partners)
    assert (where.first, where.in_three, where.in_ten, where.missing, where.median) == (2, 2, 2, 1, 1)
    (every,) = load(suggested, [0.3])
    assert (every.with_some, every.rows) == (3, 4)
    (none,) = load(suggested, [0.99])
    assert (none.with_some, none.rows) == (0, 0)


def test_flagged_duplicates_are_told_from_the_others() -> None:
    rows = [
        a_report("a", 0, point=HERE), a_report("b", 1, point=NEAR, is_duplicate=True),
        a_report("c", 2, point=FAR, is_duplicate=True), a_report("d", 3, point=NEAR),
    ]  # fmt: skip
    (found,) = against_flags(list(suggestions(rows, WINDOW, 200)), [0.3])
    assert (found.duplicates_shown, found.duplicates, found.others_shown, found.others) == (1, 2, 1, 2)


# --- what is read ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["requests.csv", "requests.csv.gz"])
def test_columns_are_known_by_several_names_and_rows_are_put_in_order(tmp_path: Path, name: str) -> None:
    rows = [
        {"SRRecordID": "2", "CreatedDate": "11/22/2026 01:00:00 PM", "SRType": "light", "Latitude": "28.2001", "Longitude": "112.9001", "SRStatus": "Closed (Duplicate)", "CloseDate": ""},
        {"SRRecordID": "1", "CreatedDate": "11/22/2026 12:00:00 AM", "SRType": "light", "Latitude": "39", "Longitude": "-77", "SRStatus": "Open", "CloseDate": "11/23/2026 12:00:00 PM"},
        {"SRRecordID": "3", "CreatedDate": "", "SRType": "light", "Latitude": "", "Longitude": "", "SRStatus": "", "CloseDate": ""},
    ]  # fmt: skip
    read = read_reports(written(tmp_path, rows, name), {})
    first, second = read.rows
    assert (first.id, second.id, read.skipped) == ("1", "2", 1)
    assert first.matter.submitted_at == datetime(2026, 11, 22, 0, tzinfo=UTC)
    assert first.closed_at == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert (first.matter.point, second.matter.point) == (None, HERE)
    assert (first.is_duplicate, second.is_duplicate) == (False, True)
    assert second.matter.categories == ("light",)


def test_columns_of_other_names_can_be_named(tmp_path: Path) -> None:
    file = written(tmp_path, [{"when": "2026-11-22T12:00:00+08:00", "kind": "light", "what": TEXT, "body": OTHER_TEXT}])
    (row,) = read_reports(file, {"time": "when", "category": "kind", "text": "what"}).rows
    assert row.matter == Matter(datetime(2026, 11, 22, 4, tzinfo=UTC), grams_of(TEXT), ("light",))
    assert len(row.sentences) == 3  # "晚上漆黑一片" is short enough to be anybody's


@pytest.mark.parametrize(
    ("label", "rows", "named", "words"),
    [
        ("no time", [{"body": "x"}], {}, "no column for the time"),
        ("nothing to compare", [{"created_at": "2026-11-22", "title": "x"}], {}, "nothing to compare"),
        ("a name that is not there", [{"created_at": "2026-11-22", "body": "x"}], {"text": "words"}, "no column words"),
        ("no row with a time", [{"created_at": "yesterday", "body": "x"}], {}, "no request with a time"),
    ],
)
def test_file_that_can_not_be_used_is_refused_with_the_reason(
    tmp_path: Path, label: str, rows: list[dict[str, str]], named: dict[str, str], words: str
) -> None:
    with pytest.raises(FileUnusable, match=words):
        read_reports(written(tmp_path, rows), named)


# --- the command ----------------------------------------------------------------------------------------------------


def run(*arguments: str) -> Result:
    return CliRunner().invoke(duplicates, ["evaluate", *arguments])


def test_command_prints_figures_and_nothing_of_what_people_wrote(tmp_path: Path) -> None:
    rows = [
        {"message_id": str(number), "created_at": f"2026-11-2{number}T12:00:00", "title": "路灯坏了", "body": text}
        for number, text in enumerate((TEXT, OTHER_TEXT, TEXT))
    ]
    said = run("--from", str(written(tmp_path, rows)))
    assert said.exit_code == 0, said.output
    assert "3 requests from 2026-11-20 to 2026-11-22" in said.output
    assert (
        "At least half of the sentences of the shorter text stand in the other to the letter: 1 of 3 requests"
        in said.output
    )
    assert "| 0.30 | 1 | 1 of 1 (100.0 %) | 1 of 1 (100.0 %) | 0 of 2 (0.0 %) |" in said.output
    assert "Equal titles (the title is not compared): 2 of 3 requests" in said.output
    assert "| 0.30 | 1 | 1 of 1 (100.0 %) | 1 of 2 (50.0 %) | 0 of 1 (0.0 %) |" in said.output
    assert not any(word in said.output for word in ("路灯", "餐馆"))


@pytest.mark.parametrize(
    ("label", "arguments", "code", "words"),
    [
        ("no such file", ["--from", "nowhere.csv"], 1, "nowhere.csv cannot be read as CSV in UTF-8 (FileNotFoundError)."),
        ("no file named", [], 2, "--from"),
        ("a column that says nothing known", ["--from", "nowhere.csv", "--column", "colour=red"], 2, "WHAT=NAME"),
        ("no day at all", ["--from", "nowhere.csv", "--days", "0"], 2, "--days"),
    ],
)  # fmt: skip
def test_command_says_what_is_wrong(label: str, arguments: list[str], code: int, words: str) -> None:
    said = run(*arguments)
    assert said.exit_code == code
    assert words in said.output
    assert "Traceback" not in said.output
