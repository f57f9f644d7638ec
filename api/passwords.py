"""How passwords are kept and compared: argon2, in threads, a bounded number at once.

A hash takes a tenth of a second of processor time on purpose. Two at once is what two cores bear beside their work;
whoever tries passwords by the hundred waits in this line and not in everybody's.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2
MIN_PASSWORD_CHARACTERS = 10
MAX_PASSWORD_CHARACTERS = 200

_HASHER = PasswordHasher()


def hash_password(password: str) -> str:
    """What the database keeps of a password."""
    return _HASHER.hash(password)


class Passwords:
    """Compares passwords without holding up the event loop."""

    def __init__(self, hasher: PasswordHasher = _HASHER) -> None:
        self._hasher = hasher
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
        # Compared with when there is no such account, so that the answer takes as long as for a wrong password.
        self._nobody = hasher.hash("nobody has this password")

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password belongs to the hash; False, after the same time, where there is none."""
        loop = asyncio.get_running_loop()
        matches = await loop.run_in_executor(self._threads, self._verify, password_hash or self._nobody, password)
        return matches and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
