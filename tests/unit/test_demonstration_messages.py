"""Which messages a demonstration takes from a file, how it cuts long ones, and which department a label means."""

from __future__ import annotations

import gzip
from pathlib import Path

import phonenumbers
import pytest

from demonstration.labels import LabelsUnusable, departments_by_label, most_alike
from demonstration.messages import MessagesUnusable, cut, draw, read_messages
from demonstration.phones import fictitious_phone
from tests.city import a_city

HEADER = "uid,title,body,label\n"


def a_file(folder: Path, text: str, name: str = "messages.csv") -> Path:
    file = folder / name
    file.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return file


@pytest.mark.parametrize("name", ["messages.csv", "messages.csv.gz"])
def test_file_may_be_plain_or_compressed(tmp_path: Path, name: str) -> None:
    (message,) = read_messages(a_file(tmp_path, HEADER + "1,Lamp,It is dark.,housing\n", name))
    assert (message.title, message.body, message.label) == ("Lamp", "It is dark.", "housing")


def test_row_without_a_body_says_what_its_title_says_and_an_empty_one_is_left_out(tmp_path: Path) -> None:
    found = read_messages(a_file(tmp_path, HEADER + "1,Lamp,,\n2,,,\n3,,It is dark.,\n"))
    assert [(message.title, message.body, message.label) for message in found] == [
        ("Lamp", "Lamp", None),
        ("", "It is dark.", None),
    ]


def test_control_characters_are_taken_out_and_emoji_stay(tmp_path: Path) -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    (message,) = read_messages(a_file(tmp_path, HEADER + f"1,A\x07b,dark\x00 {family},\n"))
    assert (message.title, message.body) == ("Ab", f"dark {family}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("uid,title\n1,x\n", "has no column body", id="no column body"),
        pytest.param(HEADER, "holds no message", id="no row"),
        pytest.param("title,body\n\udcff,x\n", "cannot be read", id="not UTF-8"),
    ],
)
def test_unusable_file_is_refused_with_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "messages.csv"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(MessagesUnusable, match=said):
        read_messages(file)


def test_missing_and_damaged_files_are_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MessagesUnusable, match="cannot be read"):
        read_messages(tmp_path / "none.csv")
    damaged = tmp_path / "damaged.csv.gz"
    damaged.write_bytes(gzip.compress(b"title,body\n")[:10])
    with pytest.raises(MessagesUnusable, match="cannot be read"):
        read_messages(damaged)


def test_drawing_is_the_same_for_a_seed_and_takes_no_message_twice(tmp_path: Path) -> None:
    found = read_messages(a_file(tmp_path, HEADER + "".join(f"{n},t,message {n},\n" for n in range(50))))
    drawn = draw(found, 20, seed=7)
    assert drawn == draw(found, 20, seed=7) != draw(found, 20, seed=8)
    assert len({message.body for message in drawn}) == 20
    assert len(draw(found, 99, seed=7)) == 50


@pytest.mark.parametrize(
    ("text", "at_most", "kept"),
    [
        pytest.param("short", 10, "short", id="short enough"),
        pytest.param("第一句。第二句。第三句", 9, "第一句。第二句。", id="after a sentence"),
        pytest.param("one two three four five", 20, "one two three four", id="after a word"),
        pytest.param("一" * 30, 20, "一" * 20, id="no boundary near"),
        pytest.param("一。" + "二" * 30, 20, "一。" + "二" * 18, id="sentence too far back"),
        pytest.param("aaa\U0001f44d\U0001f3fdb", 4, "aaa", id="not between a thumb and its colour"),
        pytest.param("aae\u0301e\u0301b", 5, "aae\u0301", id="not between a letter and its accent"),
    ],
)
def test_long_text_is_cut_where_something_ends(text: str, at_most: int, kept: str) -> None:
    assert cut(text, at_most) == kept


def test_a_message_of_any_length_fits_the_interface(tmp_path: Path) -> None:
    (message,) = read_messages(a_file(tmp_path, HEADER + f"1,{'题' * 500},{'很长的一句话，' * 2000},\n"))
    assert len(message.title) <= 200
    assert 3000 <= len(message.body) <= 4000


def test_phones_are_valid_different_and_of_the_fictitious_range() -> None:
    numbers = [fictitious_phone(number) for number in range(1600)]
    assert len(set(numbers)) == 1600
    assert all(number[5:10] == "55501" for number in numbers)
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)


@pytest.mark.parametrize(
    ("label", "department"),
    [
        pytest.param("housing", "housing", id="the code"),
        pytest.param("Public health matters", "health", id="the name in other words"),
        pytest.param("Streets", "north_street", id="the nearest name"),
        pytest.param("zzz", None, id="nothing in common"),
    ],
)
def test_label_means_the_department_with_the_most_alike_name(label: str, department: str | None) -> None:
    assert most_alike(a_city(), label) == department


def test_file_of_labels_goes_before_likeness(tmp_path: Path) -> None:
    file = tmp_path / "labels.toml"
    file.write_text('"Public health matters" = "housing"\n')
    found = departments_by_label(a_city(), ["Public health matters", "housing", "zzz"], file)
    assert found == {"Public health matters": "housing", "housing": "housing"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('"x" = "nowhere"', "no such department", id="unknown department"),
        pytest.param("x", "cannot be read as TOML", id="no TOML"),
    ],
)
def test_wrong_file_of_labels_is_refused_with_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "labels.toml"
    file.write_text(text)
    with pytest.raises(LabelsUnusable, match=said):
        departments_by_label(a_city(), [], file)
