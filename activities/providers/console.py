"""The console as a provider: every message is kept, encrypted, in our own database, where staff and `huisheng outbox` read it.

The id of the notice is the key of the message, so the same notice is kept once, however often it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence

from activities.providers.port import Accepted, Answer, Message
from db import outbox
from db.pool import Pool
from db.sealing import KeyRing


class ConsoleProvider:
    """The default: nothing leaves the house."""

    name = "console"
    prompt = True

    def __init__(self, pool: Pool, keys: KeyRing) -> None:
        self._pool = pool
        self._keys = keys

    async def send(self, message: Message) -> Answer:
        await outbox.keep(self._pool, self._keys, message.notice_id, message.to, message.text)
        return Accepted()

    async def finish(self, messages: Sequence[Message]) -> None:
        kept = [outbox.Kept(m.notice_id, m.attempt_id, m.to, m.text) for m in messages]
        await outbox.keep_and_finish(self._pool, self._keys, self.name, kept)

    async def close(self) -> None:
        """The pool is its owner's to close."""
