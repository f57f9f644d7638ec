"""`huisheng topics` on files: what a person and a program read of it, and what it says of a file that it cannot use."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

from click.testing import CliRunner

from cli.topics import topics
from tests.unit.test_topics import PLANT, background, messages

PHONE = "13912345678"


def a_file(folder: Path, *, header: str = "id,created_at,title,body,user") -> Path:
    """Of the plant, lately and with a phone number, and of all else."""
    told = [*background(), *messages([(title, f"{text}电话{PHONE}。") for title, text in PLANT], "plant", days_ago=2)]
    file = folder / "messages.csv.gz"
    with gzip.open(file, "wt", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(header.split(","))
        writer.writerows((each.id, each.at.isoformat(), each.title, each.text, each.author) for each in told)
        writer.writerow(("no time", "soon", "路灯", "路灯不亮", "nobody"))
    return file


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(topics, arguments)
    return result.exit_code, result.output


def test_person_reads_name_growth_and_messages(tmp_path: Path) -> None:
    code, said = run("--from", str(a_file(tmp_path)))
    assert code == 0, said
    assert "1 topics" in said
    assert "SPIKE" in said
    assert "搅拌站" in said
    assert "6 people, 6 lately and 0 before: nobody before" in said
    assert "plant-5, plant-4, plant-3, plant-2, plant-1, …" in said
    assert PHONE not in said


def test_program_reads_the_same(tmp_path: Path) -> None:
    code, said = run("--from", str(a_file(tmp_path)), "--json")
    told = json.loads(said)
    (topic,) = told["topics"]
    assert (code, told["messages"]) == (0, 40)
    assert (topic["size"], topic["authors"], topic["lately"], topic["spike"]) == (6, 6, 6, True)
    assert topic["messages"] == [f"plant-{number}" for number in range(5, -1, -1)]


def test_days_narrow_it_down(tmp_path: Path) -> None:
    told = json.loads(run("--from", str(a_file(tmp_path)), "--days", "10", "--json")[1])
    assert told["messages"] < 20


def test_file_that_cannot_be_used_is_told_why(tmp_path: Path) -> None:
    code, said = run("--from", str(a_file(tmp_path, header="id,when,title,body,user")))
    assert code == 1
    assert "no column for the time" in said
    broken = tmp_path / "broken.csv"
    broken.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read as CSV in UTF-8" in run("--from", str(broken))[1]
    assert "cannot be read" in run("--from", str(tmp_path / "none.csv"))[1]
