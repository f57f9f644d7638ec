"""Sealing: what is sealed opens only with its key, at its place, unchanged; and errors say nothing personal."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.questions import answer_token, is_answer_token
from db.sealing import KeyRing, KeysInvalid, SealBroken, is_one_of, token_hash

PLACE = "requests.description:00000000-0000-7000-8000-000000000001"
PHONE = "+8613800000001"


def a_key(byte: int) -> str:
    return base64.b64encode(bytes([byte]) * 32).decode()


OLD = f"2024:{a_key(1)}"
NEW = f"2026:{a_key(2)}"


def test_sealing_opens_what_it_sealed() -> None:
    keys = KeyRing.from_text(OLD)
    assert keys.open(PLACE, keys.seal(PLACE, "楼下路灯坏了 🙏")) == "楼下路灯坏了 🙏"


@given(st.binary(max_size=500), st.text(max_size=60))
def test_sealing_opens_any_bytes_at_any_place(plain: bytes, place: str) -> None:
    keys = KeyRing.from_text(OLD)
    place = place.encode("utf-8", "ignore").decode()
    assert keys.open_bytes(place, keys.seal_bytes(place, plain)) == plain


def test_sealing_twice_gives_two_values_that_do_not_resemble_each_other() -> None:
    keys = KeyRing.from_text(OLD)
    assert keys.seal(PLACE, "the same") != keys.seal(PLACE, "the same")


def test_sealing_uses_the_first_key_and_opens_with_every_key_of_the_ring() -> None:
    sealed_before = KeyRing.from_text(OLD).seal(PLACE, "before")
    rotated = KeyRing.from_text(f"{NEW},{OLD}")
    sealed_after = rotated.seal(PLACE, "after")
    assert rotated.open(PLACE, sealed_before) == "before"
    assert KeyRing.from_text(NEW).open(PLACE, sealed_after) == "after"


def _flipped(sealed: bytes) -> bytes:
    return sealed[:-1] + bytes([sealed[-1] ^ 1])


@pytest.mark.parametrize(
    ("label", "spoil"),
    [
        ("nothing at all", lambda sealed: b""),
        ("one byte", lambda sealed: sealed[:1]),
        ("an unknown version", lambda sealed: b"\x09" + sealed[1:]),
        ("a bit of the tag", _flipped),
        ("cut in the nonce", lambda sealed: sealed[:8]),
        ("cut at the end", lambda sealed: sealed[:-1]),
        ("another key id", lambda sealed: sealed[:2] + b"2099" + sealed[6:]),
        ("plain text", lambda sealed: b"a plain text"),
    ],
)
def test_sealing_does_not_open_what_was_spoilt(label: str, spoil: Callable[[bytes], bytes]) -> None:
    keys = KeyRing.from_text(OLD)
    with pytest.raises(SealBroken) as broken:
        keys.open(PLACE, spoil(keys.seal(PLACE, "a secret of a citizen")))
    assert "secret" not in str(broken.value)
    assert broken.value.__cause__ is None


def test_sealing_does_not_open_at_another_place() -> None:
    keys = KeyRing.from_text(OLD)
    sealed = keys.seal(PLACE, "for this row alone")
    with pytest.raises(SealBroken, match=r"moved there from elsewhere"):
        keys.open(PLACE.replace("description", "address"), sealed)


def test_sealing_does_not_open_with_another_key_of_the_same_id() -> None:
    sealed = KeyRing.from_text(f"1:{a_key(1)}").seal(PLACE, "x")
    with pytest.raises(SealBroken):
        KeyRing.from_text(f"1:{a_key(2)}").open(PLACE, sealed)


def test_sealing_with_a_key_that_was_dropped_says_which_setting_to_mend() -> None:
    sealed = KeyRing.from_text(OLD).seal(PLACE, "x")
    with pytest.raises(SealBroken, match="HUISHENG_KEYS"):
        KeyRing.from_text(NEW).open(PLACE, sealed)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("empty", ""),
        ("no id", f":{a_key(1)}"),
        ("no key", "1:"),
        ("not base64", "1:%%%"),
        ("too short", "1:" + base64.b64encode(b"short").decode()),
        ("too long", "1:" + base64.b64encode(b"x" * 33).decode()),
        ("an id twice", f"1:{a_key(1)},1:{a_key(2)}"),
        ("an id beyond 255 bytes", f"{'长' * 86}:{a_key(1)}"),
        ("a comma at the end", f"1:{a_key(1)},"),
    ],
)
def test_key_ring_refuses_a_text_that_is_not_one(label: str, text: str) -> None:
    with pytest.raises(KeysInvalid) as refused:
        KeyRing.from_text(text)
    assert a_key(1) not in str(refused.value)


def test_key_ring_shows_no_key_when_it_is_printed() -> None:
    assert repr(KeyRing.from_text(f"{NEW},{OLD}")) == "KeyRing(2026, 2024)"


def test_what_an_old_key_has_hashed_is_found_while_it_is_in_the_ring() -> None:
    before, rotating, after = (KeyRing.from_text(text) for text in (OLD, f"{NEW},{OLD}", NEW))
    assert rotating.phone_indexes(PHONE) == [after.phone_index(PHONE), before.phone_index(PHONE)]
    assert rotating.phone_index(PHONE) == after.phone_index(PHONE)
    assert before.phone_index(PHONE) not in after.phone_indexes(PHONE)
    assert is_one_of(before.keyed_hash("a", "1"), rotating.keyed_hashes("a", "1"))
    assert not is_one_of(before.keyed_hash("a", "1"), rotating.keyed_hashes("a", "2"))


def test_link_of_a_question_that_was_sent_before_a_rotation_opens_after_it() -> None:
    before, rotating, after = (KeyRing.from_text(text) for text in (OLD, f"{NEW},{OLD}", NEW))
    sent = answer_token(before, "a question")
    assert is_answer_token(rotating, "a question", sent)
    assert not is_answer_token(rotating, "another question", sent)
    assert not is_answer_token(after, "a question", sent)


def test_value_tells_whether_the_first_key_sealed_it() -> None:
    rotating = KeyRing.from_text(f"{NEW},{OLD}")
    assert rotating.is_current(rotating.seal("a", "x"))
    assert not rotating.is_current(KeyRing.from_text(OLD).seal("a", "x"))
    assert not rotating.is_current(b"")


def test_phone_index_tells_numbers_apart_and_is_no_plain_hash() -> None:
    keys = KeyRing.from_text(OLD)
    assert keys.phone_index(PHONE) != keys.phone_index("+8613800000002")
    assert keys.phone_index(PHONE) != hashlib.sha256(PHONE.encode()).digest()
    assert len(keys.phone_index(PHONE)) == 32


def test_keyed_hash_differs_from_place_to_place() -> None:
    keys = KeyRing.from_text(OLD)
    assert keys.keyed_hash("a", "123456") != keys.keyed_hash("b", "123456")


def test_token_hash_is_that_of_the_token_alone() -> None:
    assert token_hash("a token") == hashlib.sha256(b"a token").digest()
