"""Personal data and secrets to plant, every way in which they could be written somewhere, and the search for them.

To let the search look somewhere else as well, write what stands there into a file under the system's folder of logs, or give
it to `traces_in` under a name.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import asyncpg
import numpy as np

PEOPLE = {
    "name": "Zebulon Quillfeather",
    "Chinese name": "欧阳沐宸曦",
    "phone": "13987650123",
    "phone as it is kept": "+8613987650123",
    "phone as it is written": "139 8765 0123",
    "identity number": "11010519870413042X",
    "e-mail": "zebulon@quillfeather.example",
    "address": "77 Marmalade Lane, flat 4b",
    "Chinese address": "橘子酱胡同77号4单元",
    "place": "Quagmire Corner by the heron",
    "phone of the staff": "13655512098",
    "phone of the staff as it is kept": "+8613655512098",
}
"""What a citizen is known by."""

TEXTS = {
    name: f"The {words} of Zebulon Quillfeather, 欧阳沐宸曦, 13987650123."
    for name, words in {
        "title": "gurgling lamp", "description": "murmuring drain", "supplement": "whistling kettle", "answer": "third lilac",
        "withdrawal": "retired walrus", "rating": "sulking piano", "reopening": "returning otter", "note": "mumbling badger",
        "progress": "tiptoeing crane", "question": "curious newt", "reply": "tangerine bollard", "reason": "stubborn heron",
        "signal": "typed pelican", "exception": "raised platypus", "wrong": "crooked zebra", "photo": "hidden orchard",
        "desk": "counter ocelot", "erasure": "shredded ibis", "return": "boomerang gnu", "decision": "gavelled mole",
        "extension": "elastic toad", "grant": "lenient lynx", "hold": "frozen mammoth", "approval": "nodding yak",
        "resumption": "thawing newt", "call": "ringing loris", "merger": "twinned viper", "separation": "parted moose",
        "quick log": "hasty hare",
    }.items()
}  # fmt: skip
"""What citizens and staff write; each is looked for by its own words."""

SECRETS = {
    "password": "Sesame-Open-Wide-4711",
    "token that is none": "not-a-token-but-typed-as-one-90210",
    "secret of the gateway": "a-gateway-secret-nobody-guesses-1234",
}


_PAIRS = 3
"""So many pairs of bytes tell whether a word may begin here."""


def planted() -> dict[str, str]:
    """All of it by name, as it is looked for."""
    own_words = {name: " ".join(text.split()[1:3]) for name, text in TEXTS.items()}
    return {**PEOPLE, **own_words, **SECRETS}


def writings(text: str) -> set[bytes]:
    """As the text would stand in a file, whoever wrote it there."""
    told = text.encode()
    escaped = json.dumps(text)[1:-1]
    found = {
        told,
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
        told.hex().encode(),
        told.hex().upper().encode(),
        quote(text, safe="").encode(),
        quote(text, safe="").lower().encode(),
        quote_plus(text).encode(),
        escaped.encode(),
        escaped.upper().replace("\\U", "\\u").encode() if escaped != text else told,
        repr(told)[2:-1].encode(),
    }
    return found | set(_base64(told))


def _base64(told: bytes) -> Iterator[bytes]:
    """The part that is the same whatever stands before and after it, at each of the three places where it can begin."""
    for before in range(3):
        first = -(-before * 8 // 6)
        last = (before + len(told)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + told + bytes(3))[first:last]


def traces_in(sources: Mapping[str, bytes], things: Mapping[str, str]) -> list[str]:
    """Which thing stands where."""
    named = {writing: name for name, thing in things.items() for writing in writings(thing)}
    search = Search(named)
    return sorted(
        {f"{named[found]} in {source}" for source, content in sources.items() for found in search.in_(content)}
    )


class Search:
    """Finds hundreds of words at once, as fast as a machine can read: looking for one after the other took half a minute."""

    def __init__(self, words: Iterable[bytes]) -> None:
        self._words: dict[bytes, list[bytes]] = defaultdict(list)
        self._pairs = [np.zeros(2**16, dtype=bool) for _ in range(_PAIRS)]
        for word in words:
            assert len(word) >= 2 * _PAIRS, word
            self._words[word[: 2 * _PAIRS]].append(word)
            for place, pairs in enumerate(self._pairs):
                pairs[word[2 * place] << 8 | word[2 * place + 1]] = True

    def in_(self, content: bytes) -> Iterator[bytes]:
        """Where each pair of bytes in a row is one that some word has there, the words are compared."""
        read = np.frombuffer(content, dtype=np.uint8).astype(np.uint16)
        pairs = read[:-1] << 8 | read[1:]
        length = max(len(pairs) - 2 * (_PAIRS - 1), 0)
        may_be = np.ones(length, dtype=bool)
        for place, known in enumerate(self._pairs):
            may_be &= known[pairs[2 * place : 2 * place + length]]
        for start in np.flatnonzero(may_be).tolist():
            for word in self._words.get(content[start : start + 2 * _PAIRS], ()):
                if content.startswith(word, start):
                    yield word


def files_under(folder: Path, without: Path, since: float) -> dict[str, bytes]:
    """Everything that was written there since that moment, the write-ahead logs too."""
    return {
        str(path.relative_to(folder)): path.read_bytes().rstrip(b"\0")
        for path in folder.rglob("*")
        if path.is_file() and without not in path.parents and path.stat().st_mtime >= since
    }


async def rows_of(pool: asyncpg.Pool) -> dict[str, bytes]:
    """Every row of every table as text: what a page of a file may hold in pieces or compressed."""
    tables = await pool.fetch("select tablename from pg_tables where schemaname = 'public'")
    return {
        f"table {name}": "\n".join(row[0] for row in await pool.fetch(f"select t::text from {name} as t")).encode()
        for (name,) in tables
    }
