"""The file of a backup, damaged in every way that a disk knows: it is read as it was written, or refused in a sentence."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup.archive import Writer, reading, writing
from backup.manifest import DATABASE, FORMAT, RUNS, BackupUnusable, Manifest, read_manifest
from db.migrations import known_versions
from db.sealing import KeyRing

KEYS = KeyRing.from_text("old:" + "A" * 43 + "=")
LATER = "20990101000000"
BEYOND = (*known_versions(), LATER)
OF_0_1_0 = b"""{
 "format": 1, "id": "00000000-0000-0000-0000-000000000007", "program": "0.1.0", "taken_at": "2026-11-22T03:30:00Z",
 "schema": ["20261122000001", "20261122000002"], "counts": {"requests": 1}, "keys": ["old"], "ring": ["old"], "samples": [],
 "parts": {}, "runs_copied_at": null, "runs_version": "",
 "seal": "36a5d17cde9b564724735c945ab9a660a85d1ff59d1baf73c0b3d3c5332882e7"
}"""


def a_manifest(writer: Writer | None = None, /, **changes: object) -> Manifest:
    manifest = Manifest(
        format=FORMAT, id=UUID(int=7), program="0.2.0", taken_at=datetime(2026, 11, 22, 3, 30, tzinfo=UTC),
        schema=known_versions(), counts={"requests": 1}, keys=("old",), ring=("old",), samples=(),
        parts=dict(writer.parts) if writer else {}, compatible_from=known_versions()[0],
    )  # fmt: skip
    return replace(manifest, **changes).sealed_with(KEYS)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup with both parts, of a few hundred bytes."""
    path = tmp_path_factory.mktemp("small") / "city.backup"
    with writing(path) as writer:
        writer.add(DATABASE, io.BytesIO(b"PGDMP" + bytes(range(100))), packed=True)
        writer.add(RUNS, io.BytesIO(b"SQLite format 3" * 20))
        writer.finish(a_manifest(writer))
    return path


def read_through(path: Path) -> bytes:
    """All that a restore reads before it touches anything."""
    with reading(path) as reader:
        reader.manifest.require_known()
        reader.manifest.require_keys(KEYS)
        reader.require_whole()
        with reader.part(DATABASE) as dump, reader.part(RUNS) as store:
            return reader.manifest.written() + dump.read() + store.read()


def test_damaged_file_is_refused_in_a_sentence_or_read_as_it_was_written(small: Path, tmp_path: Path) -> None:
    whole, content = read_through(small), small.read_bytes()
    bad, refused = tmp_path / "bad.backup", 0
    for place in range(len(content)):
        bad.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :])
        try:
            assert read_through(bad) == whole, place
        except BackupUnusable:
            refused += 1
    assert refused > len(content) / 2


def test_file_that_was_cut_short_is_refused_wherever_it_was_cut(small: Path, tmp_path: Path) -> None:
    content, bad = small.read_bytes(), tmp_path / "bad.backup"
    for length in range(0, len(content), 7):
        bad.write_bytes(content[:length])
        with pytest.raises(BackupUnusable):
            read_through(bad)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_list_of_contents_is_read_or_refused_whatever_it_is(text: bytes) -> None:
    with pytest.raises(BackupUnusable):
        read_manifest(text)


@pytest.mark.parametrize("seal", ["", "no hexadecimal", "ab", "ä" * 64])
def test_seal_that_is_none_is_refused(seal: str) -> None:
    with pytest.raises(BackupUnusable, match="was changed since"):
        replace(a_manifest(), seal=seal).require_keys(KEYS)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({}, None, id="our own"),
        pytest.param({"schema": known_versions()[:-1], "compatible_from": ""}, None, id="older"),
        pytest.param({"schema": BEYOND}, None, id="migrated by a newer program, with which we can work"),
        pytest.param(
            {"schema": BEYOND, "compatible_from": LATER}, f"The database in the backup is at version {LATER}", id="left behind"
        ),
        pytest.param({"schema": BEYOND, "format": 1}, "it is not certain that this program", id="not told"),
        pytest.param(
            {"schema": (*known_versions()[:-1], LATER)}, "it is not certain that this program", id="of no successor of ours"
        ),
        pytest.param({"format": FORMAT + 1}, "newer than this one. Install version 0.2.0", id="another form"),
    ],
)  # fmt: skip
def test_backup_is_taken_where_the_program_could_work_with_its_database(
    changes: dict[str, object], sentence: str | None
) -> None:
    manifest = a_manifest(**changes)
    if sentence is None:
        manifest.require_known()
    else:
        with pytest.raises(BackupUnusable, match=sentence):
            manifest.require_known()


def test_seal_of_a_backup_that_0_1_0_made_fits_still() -> None:
    manifest = read_manifest(OF_0_1_0)
    manifest.require_known()
    manifest.require_keys(KEYS)
    with pytest.raises(BackupUnusable, match="was changed since"):
        replace(manifest, counts={"requests": 2}).require_keys(KEYS)
