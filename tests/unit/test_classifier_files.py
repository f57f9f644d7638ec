"""Model files and files of examples: what comes back is what was written, and whatever is wrong is said in a sentence."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier import files, labels
from classifier.examples import Example, ExamplesUnusable, read_examples, without_rare
from classifier.files import ModelUnusable, from_bytes, read_model, to_bytes, version_of
from classifier.training import train
from policies.loader import load_folder
from settings import DEFAULT_POLICY_DIRECTORY
from tests.messages import a_file, some_messages

DEMO = load_folder(DEFAULT_POLICY_DIRECTORY)


@pytest.fixture(scope="module")
def stored() -> bytes:
    return to_bytes(train(some_messages(20), date(2026, 11, 23)).model)


def test_model_comes_back_as_it_was_written(stored: bytes, tmp_path: Path) -> None:
    file = tmp_path / "model"
    file.write_bytes(stored)
    model = read_model(file)
    assert to_bytes(model) == stored
    assert model.version == version_of(stored, "it")
    assert model.facts["messages"] == 80
    fresh = train(some_messages(20), date(2026, 11, 23)).model
    one, other = (each.guess("路灯", "路灯不亮 near the park").probabilities for each in (model, fresh))
    assert one.tolist() == other.tolist()


def test_version_is_the_beginning_of_the_checksum(stored: bytes) -> None:
    content = stored.split(b"\n", 1)[1]
    assert version_of(stored, "it") == hashlib.sha256(content).hexdigest()[:12]


def with_first_line(content: bytes, number: int = files.FORMAT) -> bytes:
    """The content behind an honest first line."""
    checksum = hashlib.sha256(content).hexdigest()
    return f"huisheng-classifier format={number} sha256={checksum} bytes={len(content)}\n".encode() + content


def repacked(stored: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The model with changed arrays and an honest checksum."""
    with np.load(io.BytesIO(stored.split(b"\n", 1)[1])) as archive:
        arrays = dict(archive)
    change(arrays)
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    return with_first_line(packed.getvalue())


class Trap:
    """Would leave a file behind where anybody unpickled it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path("unpickled-model").touch, ())


def a_pickled_array() -> bytes:
    packed = io.BytesIO()
    np.savez(packed, header=np.array([Trap()], object))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("label", "damage", "sentence"),
    [
        ("empty", lambda stored: b"", "is not a model file"),
        ("a pickle", lambda stored: pickle.dumps({"weights": 1}), "is not a model file"),
        ("text", lambda stored: "路灯".encode(), "is not a model file"),
        ("cut off", lambda stored: stored[:-100], "is damaged: it has .* bytes of"),
        ("a changed byte", lambda stored: stored[:-50] + b"x" + stored[-49:], "checksum is not the one it names"),
        (
            "newer",
            lambda stored: with_first_line(b"?", 2),
            "has format 2, .* reads format 1: install the newer program",
        ),
        ("older", lambda stored: with_first_line(b"?", 0), "has format 0, .* reads format 1: train the model again"),
        ("no archive", lambda stored: with_first_line(b"nothing"), "is no usable model"),
        ("a pickle inside", lambda stored: with_first_line(a_pickled_array()), "is no usable model"),
        ("a missing array", lambda stored: repacked(stored, lambda a: a.pop("starts")), "is no usable model: .*starts"),
        (
            "another kind of number",
            lambda stored: repacked(stored, lambda a: a.update(rarity=a["rarity"].astype(float))),
            "rarity holds another kind of numbers",
        ),
        (
            "weights of another model",
            lambda stored: repacked(stored, lambda a: a.update(weights=a["weights"][:, :2])),
            "lacks a weight for each run and label",
        ),
        (
            "no number",
            lambda stored: repacked(stored, lambda a: a["starts"].fill(np.nan)),
            "lacks finite numbers",
        ),
        (
            "runs in disorder",
            lambda stored: repacked(stored, lambda a: a.update(numbers=a["numbers"][::-1].copy())),
            "lacks runs in order",
        ),
        (
            "a broken header",
            lambda stored: repacked(stored, lambda a: a.update(header=a["header"][:-2].copy())),
            "is no usable model",
        ),
    ],
)
def test_unusable_model_is_refused_with_a_sentence(
    stored: bytes,
    label: str,
    damage: Callable[[bytes], bytes],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelUnusable, match=sentence) as refused:
        from_bytes(damage(stored), "model.file")
    assert str(refused.value).startswith("model.file ")
    assert not Path("unpickled-model").exists()


def test_missing_model_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="cannot be read"):
        read_model(tmp_path / "nowhere")


# Files of examples.


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("text_column", ["body", "description", "text"])
@pytest.mark.parametrize("label_column", ["category", "department", "label"])
def test_columns_may_have_several_names(tmp_path: Path, text_column: str, label_column: str) -> None:
    file = written(tmp_path / "it.csv", f'{label_column},{text_column},extra\ntaxi," a, ""b""\nc ",x\n')
    (found,) = read_examples(file)
    assert (found.title, found.body, found.label, found.group) == ("", 'a, "b"\nc', "taxi", None)


def test_category_goes_before_department_and_title_and_group_are_read(tmp_path: Path) -> None:
    file = written(tmp_path / "it.csv", "\ufefftitle,body,department,category,group\nA,b,works,lamp,7\n")
    (found,) = read_examples(file)
    assert (found.title, found.body, found.label, found.group) == ("A", "b", "lamp", "7")


def test_compressed_file_is_read_as_it_is(tmp_path: Path) -> None:
    plain = a_file(tmp_path / "it.csv", some_messages(3))
    (tmp_path / "it.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    assert read_examples(tmp_path / "it.csv.gz") == read_examples(plain) == some_messages(3)


@pytest.mark.parametrize(
    ("label", "content", "sentence"),
    [
        ("empty", b"", "line 1: a column is missing for the text: one of body, description, text and for the label"),
        (
            "no label",
            b"body,kind\na,b\n",
            "line 1: a column is missing for the label: one of category, department, label",
        ),
        ("no rows", b"body,label\n", "holds no message below its line of column names"),
        ("no text", b"body,label\na,b\n ,b\n", "line 3: the column body is empty"),
        ("label left out", b"body,label\na,b\na\n", "line 3: the column label is empty"),
        ("a comma too many", b"body,label\na,b,c\n", "line 2: it has more cells than there are columns"),
        ("an open quote", b'body,label\n"a,b\n', "this is not CSV"),
        ("another encoding", "body,label\n路灯,b\n".encode("gb18030"), "is not in UTF-8"),
        ("several lines in one cell", b'body,label\n"a\nb",\n', "line 3: the column label is empty"),
        ("twelve mistakes", b"body,label\n" + b",x\n" * 12, "and 2 more like these"),
    ],
)
def test_unusable_examples_are_refused_with_line_and_reason(
    tmp_path: Path, label: str, content: bytes, sentence: str
) -> None:
    file = tmp_path / "it.csv"
    file.write_bytes(content)
    with pytest.raises(ExamplesUnusable, match=re.escape(sentence)) as refused:
        read_examples(file)
    assert str(refused.value).startswith(str(file))


def test_broken_compression_is_said(tmp_path: Path) -> None:
    file = tmp_path / "it.csv.gz"
    file.write_bytes(b"body,label\n")
    with pytest.raises(ExamplesUnusable, match="cannot be read"):
        read_examples(file)


def test_rare_labels_are_set_aside_and_counted() -> None:
    found, rare = without_rare([*some_messages(5), *some_messages(3, matters=["taxi"])])
    assert (len(found), rare) == (23, {})
    found, rare = without_rare([*some_messages(5, matters=["garbage"]), *some_messages(3, matters=["taxi"])])
    assert ({each.label for each in found}, rare) == ({"garbage"}, {"taxi": 3})


# Labels and codes.


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("street_light", "street_light"),
        ("Street Light Out", "street_light"),
        ("路灯不亮", "street_light"),
        ("housing", "housing"),
        (" transport  bureau", "transport"),
    ],
)
def test_label_is_a_code_or_a_name_of_the_policy(label: str, code: str) -> None:
    (found,) = labels.in_codes([Example("", "text", label)], DEMO)
    assert found.label == code


def test_unknown_labels_are_named_with_the_way_out() -> None:
    with pytest.raises(ExamplesUnusable, match=r"'lamps'.*--labels"):
        labels.in_codes([Example("", "text", "lamps")], DEMO)


def test_file_of_labels_renames(tmp_path: Path) -> None:
    told = labels.read_labels(written(tmp_path / "it.toml", '"垃圾" = "garbage"\n'))
    (found,) = labels.renamed([Example("", "text", "垃圾")], told)
    assert found.label == "garbage"


@pytest.mark.parametrize(("label", "text"), [("no TOML", "垃圾 = "), ("a number", '"a" = 3')])
def test_unusable_file_of_labels_is_refused(tmp_path: Path, label: str, text: str) -> None:
    with pytest.raises(ExamplesUnusable, match='"label" = "code"'):
        labels.read_labels(written(tmp_path / "it.toml", text))


def test_model_of_foreign_labels_is_refused_for_a_policy() -> None:
    labels.check_known(["street_light", "housing"], DEMO)
    with pytest.raises(ExamplesUnusable, match="neither categories nor departments of the active policy: 'lamps'"):
        labels.check_known(["street_light", "lamps"], DEMO)
