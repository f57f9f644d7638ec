"""Everything that other programs say, and whoever stands behind the Temporal UI, with anything in it, from a seed: it is taken for
what it is or refused in the way it is known for. What people send is fuzzed in test_hostile_parsers.py, files in test_hostile_files.py.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from activities.providers.kannel import meaning
from activities.providers.port import Accepted, Permanent, Temporary, Uncertain
from activities.second_opinion import _NoOpinion, _read
from api.errors import TooLarge, UnsupportedMedia
from api.images import _drawn
from db.sealing import KeyRing, SealBroken
from domain.coordinates import Datum, to_wgs84
from domain.plain import Malformed
from domain.policy import from_plain, to_plain
from domain.second_opinion import UNSURE
from policies.jurisdictions import Jurisdictions
from tests.city import a_city
from tests.integration.test_api_citizens import a_picture
from tests.interface import KEYS
from tests.seeds import from_seed
from tests.unit.test_hostile_files import DAMAGE, damaged
from watching.served import _status
from workflows.contract import EscalateSignal, Message, ResolveSignal
from workflows.messages import CITIZEN_SIGNALS, read, read_message
from workflows.sealed_payloads import ENCODING, SealedPayloads

WITHIN = timedelta(seconds=10)
CITY = a_city()
TOKEN = "a token"
WORDS = st.one_of(
    st.text(max_size=30), st.sampled_from(["", "\0", "\ud800", "9" * 5_000, "2026-11-23T09:00:00Z", "x" * 70_000])
)
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([10**400, -(10**400), 1e308, 2**63, -1]))
SIGNAL_FIELDS = (
    "inbox_id",
    "at",
    "text",
    "solved",
    "satisfied",
    "by",
    "outcome",
    "reply",
    "reason",
    "kind",
    "id",
    "roles",
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS | st.sampled_from(["street_light", UNSURE, "yes", "solved", "citizen"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*SIGNAL_FIELDS, "category", "x"]), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@from_seed(300, within=WITHIN)
@given(st.integers(-1, 1_000), WORDS)
def test_any_answer_of_the_sms_gateway_has_a_meaning(status: int, body: str) -> None:
    assert isinstance(meaning(status, body), (Accepted, Permanent, Temporary, Uncertain))


ANSWERS = st.one_of(
    JSON,
    st.fixed_dictionaries({
        "choices": st.one_of(JSON, st.lists(st.one_of(JSON, st.fixed_dictionaries({"message": st.one_of(
            JSON, st.fixed_dictionaries({"content": st.one_of(JSON, JSON.map(json.dumps), st.just("[" * 100_000))})
        )})), max_size=2)),
        "usage": st.one_of(JSON, st.fixed_dictionaries({"total_tokens": JSON})),
    }),
)  # fmt: skip


@from_seed(300, within=WITHIN)
@given(st.one_of(ANSWERS.map(lambda told: json.dumps(told).encode()), st.binary(max_size=99), st.just(b"[" * 100_000), st.just(b"9" * 5_000)))  # fmt: skip
def test_any_answer_of_the_language_model_is_a_category_of_the_policy_or_none(body: bytes) -> None:
    with suppress(_NoOpinion):
        answer = _read(CITY, body)
        assert answer.code in ("", UNSURE) or CITY.has_category(answer.code)
        assert answer.tokens is None or 0 <= answer.tokens < 10**9


@from_seed(300, within=WITHIN)
@given(st.lists(JSON, max_size=2))
def test_any_signal_is_read_or_is_none(sent: list[Any]) -> None:
    for action in CITIZEN_SIGNALS.values():
        heard = read_message(action, tuple(sent))
        assert heard is None or isinstance(heard.inbox_id, int)
    for kind in (Message, ResolveSignal, EscalateSignal):
        found = read(cast(Any, kind), tuple(sent))
        assert found is None or isinstance(found, kind)


RING = KeyRing.from_text(KEYS)
SEALED = SealedPayloads(RING).sealed(Payload(metadata={"encoding": b"json/plain"}, data=b'"yes"')).data


@from_seed(300, within=WITHIN)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.builds(damaged, st.just(SEALED), st.integers(0, 200), st.sampled_from(["byte", "cut"])),
    )
)
def test_any_sealed_payload_that_is_not_ours_is_refused(data: bytes) -> None:
    with pytest.raises(SealBroken):
        SealedPayloads(RING).opened(Payload(metadata={"encoding": ENCODING}, data=data))
    with suppress(SealBroken):
        KeyRing.key_of(data)


LINES = st.one_of(
    WORDS, st.sampled_from(["Authorization: Bearer x", "AUTHORIZATION:", ":", "authorization:Bearer \u00e9", " : "])
)


@from_seed(300, within=WITHIN)
@given(
    st.one_of(WORDS, st.sampled_from(["GET /metrics HTTP/1.1", "GET /metrics?x", "POST /metrics", "GET  /metrics"])),
    st.lists(LINES, max_size=4),
)
def test_nobody_without_the_token_reads_the_figures_of_the_worker(first: str, lines: list[str]) -> None:
    head = "\r\n".join([first, *lines, "", ""]).encode("utf-8", "replace")

    assert _status(head, TOKEN) in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNAUTHORIZED)


PICTURES = [a_picture("JPEG"), a_picture("PNG"), a_picture("WEBP"), a_picture("GIF")]


@from_seed(300, within=WITHIN)
@given(st.one_of(st.binary(max_size=99), st.builds(damaged, st.sampled_from(PICTURES), *DAMAGE)))
def test_any_picture_is_drawn_anew_or_refused(data: bytes) -> None:
    with suppress(UnsupportedMedia, TooLarge):
        assert _drawn(data).data


def _places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each part of it."""
    yield way
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(inner, (*way, key))


CONTENT = to_plain(CITY)
PLACES = [way for way in _places(CONTENT) if way]


@from_seed(300, within=WITHIN)
@example(("triage", "threshold"), 10**400, True)
@given(st.sampled_from(PLACES), st.one_of(JSON, st.sampled_from(["gone", 10**400])), st.booleans())
def test_any_policy_in_the_database_is_a_policy_or_malformed(
    place: tuple[Any, ...], value: Any, is_named: bool
) -> None:
    changed = inner = copy.deepcopy(CONTENT)
    for key in place[:-1]:
        inner = inner[key]
    if value == "gone":
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    with suppress(Malformed):
        from_plain(changed, "a version" if is_named else None)


@from_seed(300, within=WITHIN)
@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from(Datum), WORDS)
def test_any_point_lies_somewhere_or_nowhere(lat: float, long: float, datum: Datum, place: str) -> None:
    Jurisdictions(CITY).locate(*to_wgs84(lat, long, datum), place=place, text=place)
