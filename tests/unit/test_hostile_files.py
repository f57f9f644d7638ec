"""Every file that somebody gives a command to read, with anything in it and damaged anywhere, from a seed: it is read, or the
command says that it cannot use it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.examples import ExamplesUnusable, read_examples
from cli.backup import _references
from cli.demo import _told
from cli.duplicate_reports import FileUnusable, read_reports
from cli.masking_measures import SentencesUnusable as MaskingUnusable
from cli.masking_measures import read_sentences as read_masking_sentences
from cli.point_files import PointsUnusable, read_outlines, read_points
from cli.sentences import SentencesUnusable, read_sentences
from cli.topic_messages import read_messages as read_topic_messages
from demonstration.interface import DemonstrationFailed
from demonstration.labels import LabelsUnusable, departments_by_label
from demonstration.messages import MessagesUnusable, read_messages
from domain.coordinates import Datum
from policies.outlines import Outlines
from tests.city import a_city
from tests.seeds import from_seed
from tests.unit.test_hostile_parsers import WITHIN

TABLES: dict[str, tuple[str, Callable[[Path], Any], type[Exception]]] = {
    "examples": ("title,body,category,group", read_examples, ExamplesUnusable),
    "messages of a demonstration": ("title,body,label", read_messages, MessagesUnusable),
    "sentences": ("text,expected,half,language,title", read_sentences, SentencesUnusable),
    "messages with topics": ("id,submitted_at,text,author", read_topic_messages, FileUnusable),
    "reports": ("id,submitted_at,category,lat,long,description", lambda file: read_reports(file, {}), FileUnusable),
    "points": ("lat,long,district", lambda file: read_points(file, {}, Datum.GCJ02), PointsUnusable),
}
CELLS = st.one_of(
    st.text(max_size=30),
    st.sampled_from([
        '"', '"x', "\0", "=1+1", "x" * 200_000, "9" * 5_000, "1e999", "nan", "-0", "90.0001", "31.2", "121.4", "2026-11-23T09:00:00",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "13/32/2026 25:61:61 PM", "12/31/2026 01:05:00 PM",
    ]),
)  # fmt: skip
ROWS = st.lists(st.lists(CELLS, max_size=7).map(",".join), max_size=6)


def damaged(content: bytes, at: int, how: str) -> bytes:
    """One byte of it is another one, or the rest is missing, or nothing is wrong."""
    if how == "whole" or not content:
        return content
    at %= len(content)
    return content[:at] + (bytes([content[at] ^ 0x55]) + content[at + 1 :] if how == "byte" else b"")


DAMAGE = (st.integers(0, 2_000), st.sampled_from(["whole", "byte", "cut"]))


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
@pytest.mark.parametrize("name", TABLES)
def test_any_table_is_read_or_refused(tmp_path: Path, name: str, suffix: str) -> None:
    columns, read, refusal = TABLES[name]
    file = tmp_path / f"table{suffix}"

    @from_seed(100, within=WITHIN)
    @given(st.sampled_from([columns, "", "a,b"]), ROWS, *DAMAGE)
    def feed(first: str, rows: list[str], at: int, how: str) -> None:
        content = "\n".join([first, *rows]).encode("utf-8", "replace")
        file.write_bytes(damaged(gzip.compress(content) if suffix.endswith(".gz") else content, at, how))
        with suppress(refusal):
            read(file)

    feed()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(["Polygon", "code"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["type", "coordinates", "code", "x"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
SQUARE = [[121.0, 31.0], [121.1, 31.0], [121.1, 31.1], [121.0, 31.0]]
GEOMETRIES = st.one_of(
    JSON,
    st.fixed_dictionaries({"type": st.sampled_from(["Polygon", "MultiPolygon", "Point", "LineString", "Globe"]), "coordinates": st.one_of(
        JSON, st.just([SQUARE]), st.just([[SQUARE]]), st.lists(st.lists(st.lists(st.floats(), max_size=3), max_size=5), max_size=2),
    )}),
)  # fmt: skip
OUTLINES = st.one_of(
    JSON,
    st.fixed_dictionaries({"features": st.one_of(JSON, st.lists(st.one_of(JSON, st.fixed_dictionaries(
        {"geometry": GEOMETRIES, "properties": st.one_of(JSON, st.just({"code": "a"}))}
    )), max_size=3))}),
)  # fmt: skip


@pytest.mark.parametrize("suffix", [".geojson", ".geojson.gz"])
def test_any_file_of_outlines_is_read_or_refused(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"outlines{suffix}"

    @from_seed(300, within=WITHIN)
    @given(OUTLINES, st.sampled_from([None, "code", "x"]), *DAMAGE)
    def feed(told: Any, code: str | None, at: int, how: str) -> None:
        content = json.dumps(told).encode()
        file.write_bytes(damaged(gzip.compress(content) if suffix.endswith(".gz") else content, at, how))
        with suppress(PointsUnusable):
            Outlines(district.geometry for district in read_outlines(file, code))

    feed()


CITY = a_city()
READERS: dict[str, tuple[Callable[[Path], Any], tuple[type[Exception], ...]]] = {
    "outlines": (lambda file: read_outlines(file, None), (PointsUnusable,)),
    "labels": (lambda file: departments_by_label(CITY, ["Lamps"], file), (LabelsUnusable,)),
    "accounts": (_told, (DemonstrationFailed,)),
    "demands of erasure": (lambda file: [*_references(file)], ()),
    "marked sentences": (read_masking_sentences, (MaskingUnusable,)),
}
CONTENTS = st.one_of(
    st.binary(max_size=200),
    JSON.map(json.dumps).map(str.encode),
    st.text("[]{}=\"\n#a1.',: \u4e00", max_size=80).map(str.encode),
    st.sampled_from([
        b"[" * 100_000, b"a = " + b"[" * 30_000, b"a = " + b"9" * 5_000, b"a" + b".a" * 3_000 + b" = 1", b"9" * 5_000, b"{" + b'"a":{' * 50_000,
        b'{"event": "erasure_demanded", "reference": "2611-4829-13704"}\n2611482913704\n9611-4829-13704', b"2611-4829-" * 20_000,
        b"zh [[[[[[" * 5_000, b"zh [phone|1[name|x]]", b"\xff\xfe\x00",
    ]),
)  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_any_other_file_is_read_or_refused(tmp_path: Path, name: str) -> None:
    read, known = READERS[name]
    file = tmp_path / "given"

    @from_seed(150, within=WITHIN)
    @given(CONTENTS)
    def feed(content: bytes) -> None:
        file.write_bytes(content)
        with suppress(*known):
            read(file)

    feed()
