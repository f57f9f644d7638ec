"""The key in the one-time link of a question to a citizen: derived from the question, so that nothing of it is stored."""

from __future__ import annotations

import base64
import hmac

from db.sealing import KeyRing

_TOKEN_BYTES = 16


def answer_token(keys: KeyRing, question: str) -> str:
    """The key to the question with that text id: always the same, and of no use for any other."""
    return base64.urlsafe_b64encode(keys.keyed_hash("questions.token", question)[:_TOKEN_BYTES]).rstrip(b"=").decode()


def is_answer_token(keys: KeyRing, question: str, token: str) -> bool:
    """Whether this is the key to that question; takes the same time for every wrong one."""
    return hmac.compare_digest(answer_token(keys, question).encode(), token.encode())
