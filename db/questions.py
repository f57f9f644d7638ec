"""The key in the one-time link of a question to a citizen: derived from the question, so that nothing of it is stored."""

from __future__ import annotations

import base64

from db.sealing import KeyRing, is_one_of

_TOKEN_BYTES = 16
_PLACE = "questions.token"


def answer_token(keys: KeyRing, question: str) -> str:
    """The key to the question with that text id: always the same, and of no use for any other."""
    return _written(keys.keyed_hash(_PLACE, question)).decode()


def is_answer_token(keys: KeyRing, question: str, token: str) -> bool:
    """Whether this is the key to that question; takes the same time for every wrong one."""
    return is_one_of(token.encode(), map(_written, keys.keyed_hashes(_PLACE, question)))


def _written(hashed: bytes) -> bytes:
    return base64.urlsafe_b64encode(hashed[:_TOKEN_BYTES]).rstrip(b"=")
