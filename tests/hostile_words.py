"""What hostile input is made of: the words, forms, headers and bodies that have broken such programs before."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import strategies as st

FIELDS = (
    "description", "place", "phone", "name", "category", "confidential", "lang", "key", "reference", "code", "text", "solved",
    "satisfied", "sure", "username", "password", "next", "note", "reason", "department", "urgency", "outcome", "reply", "days",
    "review_on", "attachments", "images", "said", "cursor", "state",
)  # fmt: skip
ENDLESS = "9" * 5_000
"""More digits than Python reads as a number."""
WORDS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "0", "-1", "5", "zh", "en", "yes", "2026-13-40", "13800000001", "\0", "\ud800", "٣", ENDLESS]),
)  # fmt: skip
BODIES = st.one_of(
    st.dictionaries(st.one_of(st.sampled_from(FIELDS), st.text(max_size=8)), st.one_of(WORDS, st.lists(WORDS, max_size=3)), max_size=6),
    st.binary(max_size=200),
)  # fmt: skip
KINDS = (
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", "application/json", "text/plain",
    "\xff/\xff",
)  # fmt: skip
PLACES_OF_TEXT = ("reason", "note", "reply", "text", "satisfied", "key", "question")
PARTS = st.tuples(
    st.fixed_dictionaries({"key": st.sampled_from(["", "x"])}, optional={"satisfied": WORDS, "text": WORDS, "solved": WORDS, "lang": WORDS}),
    st.lists(st.tuples(
        st.sampled_from([*PLACES_OF_TEXT, *FIELDS]), st.tuples(st.sampled_from(["x.jpg", "", "\ud800", "../x"]), st.binary(max_size=60)),
    ), min_size=1, max_size=4),
)  # fmt: skip
"""A form as a browser sends one with files, and files where words belong."""
DEEP = 100_000
UNWANTED: tuple[Any, ...] = (
    "",
    "\0",
    "\ud800",
    "٣",
    ENDLESS,
    "x" * 5_000,
    None,
    -1,
    10**400,
    1e308,
    True,
    [],
    {},
    [[]],
    "2026-13-40",
    "{0}",
)
HEADERS = (
    "Origin", "Cookie", "Host", "Accept", "Accept-Language", "Content-Type", "Authorization", "X-Forwarded-For", "X-Forwarded-Proto",
    "Idempotency-Key", "traceparent", "Referer", "Access-Control-Request-Method", "X-Namespace",
)  # fmt: skip
HEADER_VALUES = st.one_of(
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40),
    st.sampled_from([
        "http://[", "http://[x]", "[", "[::1", "a@b:c", "localhost:99999999", "fe80::1%eth0", "999.9.9.9, ::, x", "null", "\xff\xfe", ENDLESS,
        "Bearer", "Bearer ", "bearer \xe9", "Basic eDo=", "huisheng_session=", 'huisheng_session="\\377\\', "=;=;$Version=1", ";" * 500,
        "en;q=nan", "zh;q=1e999,en;q=-inf", "en;q=" + ENDLESS, "*" * 200, "multipart/form-data; boundary=", "application/json; charset=x-none",
        "multipart/form-data; boundary=" + "x" * 200, "application/x-www-form-urlencoded; charset=utf-7", "00-" + "0" * 32 + "-x", "text/html;q=x",
    ]),
).map(str.strip)  # fmt: skip
NO_ADDRESSES = ("http://[", "http://[x]", "http://[::1", "//[", "http://\xff", ENDLESS)
NO_VALUES = {
    "Origin": NO_ADDRESSES, "Referer": NO_ADDRESSES, "Host": ("[", "[x]", "a b", "\xff", ":99999999"), "Cookie": ("huisheng_session", "=", "\xff=\xff"),
    "X-Forwarded-For": ("[", "999.9.9.9", "fe80::1%eth0", ",", ENDLESS), "Accept-Language": ("en;q=nan", "zh;q=x", "zh;q=" + ENDLESS, "\xff"),
    "Authorization": ("Bearer", "Bearer \xe9", "Basic x"), "Content-Type": ("multipart/form-data; boundary=", "application/json; charset=x", "\xff"),
    "Idempotency-Key": ("\xff", ENDLESS), "traceparent": ("00-x", ENDLESS), "Accept": ("text/html;q=x", "\xff"), "X-Forwarded-Proto": ("\xff", "["),
}  # fmt: skip
CURSOR = st.one_of(
    st.text(max_size=60),
    st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
    st.tuples(
        st.one_of(st.datetimes().map(str), st.sampled_from(["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-11-22", ""])),
        st.one_of(st.uuids().map(str), st.text(max_size=9)),
    ).map(lambda pair: base64.urlsafe_b64encode(json.dumps(pair).encode()).decode().rstrip("=")),
)  # fmt: skip
NESTED = [
    pytest.param(b"[" * DEEP, id="lists in lists"),
    pytest.param(b'{"description":' * DEEP, id="objects in objects"),
    pytest.param(b'{"description":' + b"[" * DEEP + b"]" * DEEP + b"}", id="a field of lists in lists"),
    pytest.param(b'{"description": ' + b"9" * DEEP + b"}", id="a number of a hundred thousand digits"),
    pytest.param(
        b'{"satisfied": ' + ENDLESS.encode() + b', "days": ' + ENDLESS.encode() + b"}", id="numbers without end"
    ),
    pytest.param(
        b'{"location": {"lat": 1' + b"0" * 400 + b', "long": 1}, "description": "x"}', id="a number without end"
    ),
    pytest.param(b'{"description": "\\ud800"}', id="half of a character"),
    pytest.param(b"\xff\xfe{\x00}\x00", id="another encoding"),
    pytest.param(b'{"description": "x", "description": "y", "__proto__": {}}', id="names twice"),
    pytest.param(b"NaN", id="not a number"),
    pytest.param(b"", id="nothing"),
]
BROKEN = ("%00", "a%00b", "%ED%A0%80", "%FF", "%F0%9F%98%80" * 200, "..%2F..%2Fetc", "%27%3B--", "9" * 400, ENDLESS)
"""As they stand in an address: no character, half of one, none of this encoding, and what other programs fall for."""
