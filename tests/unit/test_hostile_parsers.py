"""Every parser of something that comes from outside, fed with whatever can be made up, from a seed: it gives a value or says
what is wrong in the error it is known for, and in no time.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from api.citizens import preferred_language
from api.contact import MAX_EMAIL_CHARACTERS, parse_email, parse_phone
from api.cursors import read_cursor
from classifier.examples import ExamplesUnusable, read_examples
from classifier.files import ModelUnusable, from_bytes, to_bytes
from classifier.labels import read_labels
from classifier.training import train
from cli.jurisdictions import jurisdictions
from db.sealing import KeyRing, KeysInvalid
from domain.audit import Head
from domain.calendar import Period
from domain.durations import Duration
from domain.errors import Invalid
from domain.free_text import clean_line, clean_text
from domain.references import parse_reference
from policies.loader import load_folder
from policies.mistakes import PolicyMistakes
from settings import DEFAULT_POLICY_DIRECTORY, Settings, SettingsError
from tests.messages import some_messages
from tests.seeds import from_seed
from tests.unit.test_classifier_files import with_first_line

WITHIN = timedelta(seconds=10)
"""Far more than any of them needs on the busiest machine, and far less than one that goes back and forth in its text."""


WORDS = st.one_of(
    st.text(max_size=60),
    st.from_regex(re.compile(r"[0-9٣٤ -]{0,30}|\d+ (working )?days?|\d\d:\d\d-\d\d:\d\d|[a-z.@]{0,40}|\+?[0-9 ()-]{0,20}"), fullmatch=True),
    st.text("-+0123456789 .:eE_,()@", max_size=80),
    st.sampled_from(["9" * 5000, "1" + "0" * 400 + " days", "a@" * 120, "a@" + "a." * 120, " " * 4000, "\0", "\ud800", "-" * 4000, "+" * 200]),
)  # fmt: skip


def _language(word: str) -> None:
    assert preferred_language(word, ("zh", "en")) in ("zh", "en")


PARSERS: dict[str, tuple[Callable[[str], Any], tuple[type[Exception], ...]]] = {
    "a reference": (parse_reference, ()),
    "a phone number": (lambda word: parse_phone(word[:50]), (Invalid,)),
    "an e-mail address": (parse_email, (Invalid,)),
    "a text": (lambda word: clean_text(word, at_most=4000), (Invalid,)),
    "a line": (lambda word: clean_line(word, at_most=100), (Invalid,)),
    "a cursor": (read_cursor, (Invalid,)),
    "a duration": (Duration.parse, (ValueError,)),
    "a working period": (Period.parse, (ValueError,)),
    "the end of a chain": (Head.parse, (ValueError,)),
    "a language": (_language, ()),
    "a key ring": (KeyRing.from_text, (KeysInvalid,)),
}


@pytest.mark.parametrize("name", PARSERS)
def test_any_word_is_a_value_or_the_error_that_is_known(name: str) -> None:
    parse, known = PARSERS[name]

    @from_seed(200, within=WITHIN)
    @given(WORDS)
    def feed(word: str) -> None:
        with suppress(*known):
            parse(word)

    feed()


@from_seed(200, within=WITHIN)
@given(WORDS)
def test_a_reference_is_read_as_it_is_written(word: str) -> None:
    written = parse_reference(word)

    assert written is None or (
        parse_reference(written) == written and re.fullmatch(r"\d{4}-\d{4}-\d{5}", written, re.A)
    )


@from_seed(200, within=WITHIN)
@given(WORDS)
def test_what_counts_as_an_e_mail_address_is_short_and_has_one_host(word: str) -> None:
    with suppress(Invalid):
        found = parse_email(word)
        assert len(found) <= MAX_EMAIL_CHARACTERS
        assert found.count("@") == 1


@from_seed(200, within=WITHIN)
@given(st.dictionaries(st.sampled_from([
    "DATABASE_URL", "HUISHENG_KEYS", "TEMPORAL_ADDRESS", "HUISHENG_PUBLIC_URL", "HUISHENG_API_PORT", "HUISHENG_SMS_PROVIDER",
    "HUISHENG_KANNEL_URL", "HUISHENG_DEMO", "HUISHENG_KANNEL_DLR_SECRET", "HUISHENG_TEMPORAL_UI_URL",
]), st.one_of(WORDS, st.sampled_from(["http://[", "https://a:99999999", "postgresql://[::1/x", "1:" + "A" * 44, "1:é", ":"]))))  # fmt: skip
def test_any_environment_is_settings_or_all_that_is_wrong_with_it(environment: dict[str, str]) -> None:
    with suppress(SettingsError):
        Settings.from_environment(environment)


CELLS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["body", "category", "title", "group", "label", '"', '"x', "\0", "=1+1", "x" * 200_000]),
)
FILES = st.one_of(
    st.lists(st.lists(CELLS, max_size=5), max_size=6).map(lambda rows: "\n".join(",".join(row) for row in rows).encode("utf-8", "replace")),
    st.lists(st.lists(CELLS, max_size=4), max_size=4).map(
        lambda rows: b"body,category\n" + "\r\n".join(",".join(row) for row in rows).encode("utf-8", "replace")
    ),
    st.binary(max_size=300),
)  # fmt: skip


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_any_file_of_examples_is_read_or_refused(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"examples{suffix}"

    @from_seed(200, within=WITHIN)
    @given(FILES, st.integers(0, 400), st.booleans())
    def feed(content: bytes, cut: int, packed: bool) -> None:
        stored = gzip.compress(content) if packed else content
        # A byte in the middle is another one, or what follows is missing.
        stored = (
            stored[:cut] + bytes([stored[cut] ^ 0x55]) + stored[cut + 1 :] if cut < len(stored) else stored[: 500 - cut]
        )
        file.write_bytes(stored)
        with suppress(ExamplesUnusable):
            read_examples(file)

    feed()


@pytest.fixture(scope="module")
def model() -> bytes:
    return to_bytes(train(some_messages(20), date(2026, 11, 23)).model)


def test_a_model_file_with_any_byte_changed_is_refused(model: bytes) -> None:
    @from_seed(150, within=WITHIN)
    @given(st.integers(0, len(model) - 1), st.integers(1, 255))
    def feed(place: int, change: int) -> None:
        with pytest.raises(ModelUnusable):
            from_bytes(model[:place] + bytes([model[place] ^ change]) + model[place + 1 :], "It")

    feed()


def test_a_model_file_made_to_look_honest_is_read_or_refused(model: bytes) -> None:
    """With its checksum right, as somebody makes it who wants to break in with it."""
    content = model.split(b"\n", 1)[1]

    @from_seed(300, within=WITHIN)
    @given(st.integers(0, len(content) - 1), st.integers(1, 255), st.integers(0, 3))
    def feed(place: int, change: int, more: int) -> None:
        changed = content[:place] + bytes([content[place] ^ change]) + content[place + 1 + more :]
        with suppress(ModelUnusable):
            from_bytes(with_first_line(changed), "It")

    feed()


def an_archive(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return packed.getvalue()


def an_array(header: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + b"\0" * 64


HEADERS = [
    "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999,), }\n",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }\n",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n",
    "{'descr': [('a', '<f8', (9999999, 9999999))], 'fortran_order': False, 'shape': (1,), }\n",
    "{'descr': '|u1'",
    "__import__('os').abort()",
    "(" * 9000,
    "",
]


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header[:30])
def test_a_model_file_whose_arrays_lie_is_refused(header: str) -> None:
    parts = {name: an_array(header) for name in ("header", "numbers", "rarity", "weights", "starts")}

    with pytest.raises(ModelUnusable):
        from_bytes(with_first_line(an_archive(**parts)), "It")


def test_any_file_of_labels_is_read_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "labels.toml"

    @from_seed(200, within=WITHIN)
    @given(
        st.one_of(
            st.binary(max_size=80),
            st.text("[]{}=\"\n#a1.',", max_size=80).map(str.encode),
            st.just(b"a = " + b"[" * 30_000),
        )
    )
    def feed(content: bytes) -> None:
        file.write_bytes(content)
        with suppress(ExamplesUnusable):
            read_labels(file)

    feed()


POLICY_FILES = [
    *sorted(file.relative_to(DEFAULT_POLICY_DIRECTORY) for file in DEFAULT_POLICY_DIRECTORY.rglob("*.toml")),
    Path("jurisdictions.geojson"), Path("texts/en/receipt/sms.txt"),
]  # fmt: skip
VALUES = [
    b"-1",
    b'""',
    b'"x"',
    b"[]",
    b"{}",
    b"1e400",
    b"nan",
    b"true",
    b"9999999999999999999999",
    b"9" * 5_000,
    b"1979-05-27",
    b'"\\uFFFF"',
    b"[[[[]]]]",
]


@pytest.mark.slow
@pytest.mark.parametrize("file", POLICY_FILES, ids=str)
def test_a_policy_file_with_anything_in_it_is_loaded_or_refused(tmp_path: Path, file: Path) -> None:
    folder = tmp_path / "city"
    shutil.copytree(DEFAULT_POLICY_DIRECTORY, folder)
    content = (DEFAULT_POLICY_DIRECTORY / file).read_bytes()
    lines = content.split(b"\n")

    @from_seed(8, within=10 * WITHIN)
    @given(
        st.integers(0, len(lines) - 1),
        st.integers(0, 400),
        st.sampled_from(["value", "byte", "cut", "twice"]),
        st.sampled_from(VALUES),
    )
    def feed(number: int, place: int, what: str, value: bytes) -> None:
        key, sign, _ = lines[number].partition(b"=")
        changed = {
            "value": [*lines[:number], key + sign + b" " + value, *lines[number + 1 :]],
            "byte": [*lines[:number], lines[number][:place] + bytes([place % 256]) + lines[number][place + 1 :], *lines[number + 1 :]],
            "cut": [*lines[:number], lines[number][:place]],
            "twice": [*lines[: number + 1], lines[number], *lines[number + 1 :]],
        }[what]  # fmt: skip
        (folder / file).write_bytes(b"\n".join(changed))
        with suppress(PolicyMistakes):
            load_folder(folder)

    feed()


DEEP_FILES = {
    "city.toml": b"a = " + b"[" * 50_000, "calendar.toml": b"a = " + b"{a=" * 20_000, "jurisdictions.geojson": b"[" * 100_000,
    "departments.toml": b"\xff\xfe\x00", "elsewhere.toml": b"a = " + b"9" * 5_000, "chains.toml": b"[" * 50_000, "watchwords.toml": b"a" + b".a" * 3_000 + b" = 1",
}  # fmt: skip


@pytest.mark.parametrize("file", DEEP_FILES)
def test_a_policy_file_that_is_nested_deeper_than_any_is_refused(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "city"
    shutil.copytree(DEFAULT_POLICY_DIRECTORY, folder)
    (folder / file).write_bytes(DEEP_FILES[file])

    with pytest.raises(PolicyMistakes):
        load_folder(folder)


def test_a_cursor_that_is_nested_deeper_than_any_is_refused() -> None:
    with pytest.raises(Invalid):
        read_cursor(base64.urlsafe_b64encode(b"[" * 30_000).decode())
    with pytest.raises(Invalid):
        read_cursor(base64.urlsafe_b64encode(json.dumps(["0001-01-01T00:00:00+14:00", "0" * 32]).encode()).decode())


@pytest.mark.parametrize("number", ["inf", "-inf", "nan", "1e400", "90.0001", "9" * 5_000])
def test_a_command_refuses_a_point_that_is_not_on_the_globe(number: str) -> None:
    result = CliRunner().invoke(jurisdictions, ["locate", "--", number, "0"])

    assert result.exit_code == 2
    assert "LAT is from -90 to 90 degrees" in result.output
