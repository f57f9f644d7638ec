"""What counts as a look at personal data, and how the looks are chained, so that none is changed or lost without a trace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    """What was looked at."""

    REQUEST = "request"
    """What was written about one request, and where it is; or the key to it, given to staff to hand over."""
    CONTACT = "contact"
    """The same, and name, phone and e-mail of its citizen."""
    PHOTO = "photo"
    LIST = "list"
    """A page of a list: titles, or the first words; of hot topics, their words."""
    SIMILAR = "similar"
    """Titles, decisions and replies of other requests, beside the one that is named."""
    MESSAGES = "messages"
    """Messages that went out, with the numbers they went to."""
    ERASURE = "erasure"
    """Somebody other than its citizen had the personal data of a request erased."""
    PAYLOADS = "payloads"
    """What Temporal keeps of runs, opened for the Temporal UI or its command line; how many payloads, not whose."""
    TRAINING = "training"
    """The texts of decided requests, read by a program that learns from them."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look. `who` is staff:<id> or machine:<account>; `count` says how many requests or messages it showed; `address`
    is the one in the network, or the name of the machine."""

    id: UUID
    looked_at: datetime
    who: str
    kind: str
    reference: str | None
    count: int
    address: str


@dataclass(frozen=True, slots=True)
class Link:
    """A look at its place in the chain, counted from 1."""

    position: int
    look: Look
    hash: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The place and the hash at which a chain ends, or ended once."""

    position: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.position}:{self.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Reads "position:hash" as it is written. Raises ValueError."""
        position, _, digits = text.strip().partition(":")
        found = cls(int(position) if position.isascii() and position.isdigit() else -1, bytes.fromhex(digits))
        if found.position < 0 or len(found.hash) != len(BEGINNING.hash):
            raise ValueError("a head is written position:hash")
        return found


BEGINNING = Head(0, bytes(hashlib.sha256().digest_size))
"""Where every chain begins."""


def hash_of(previous: bytes, position: int, look: Look) -> bytes:
    """SHA-256 over the hash before it and all that the row says."""
    said = [
        position, str(look.id), look.looked_at.astimezone(UTC).isoformat(timespec="microseconds"), look.who, look.kind,
        look.reference, look.count, look.address,
    ]  # fmt: skip
    return hashlib.sha256(previous + json.dumps(said, separators=(",", ":")).encode()).digest()


def chained(head: Head, looks: Iterable[Look]) -> list[Link]:
    """The looks as they follow that head."""
    links: list[Link] = []
    for look in looks:
        position = head.position + 1
        head = Head(position, hash_of(head.hash, position, look))
        links.append(Link(position, look, head.hash))
    return links


def fault_of(head: Head, link: Link) -> str | None:
    """What is wrong with that row after that head, in a sentence; None where nothing is."""
    expected = head.position + 1
    if link.position != expected:
        return f"Row {expected} is missing: row {link.position} follows row {head.position}."
    if hash_of(head.hash, link.position, link.look) != link.hash:
        before = f", or row {head.position} before it," if head.position else ""
        return (
            f"Row {link.position} ({link.look.looked_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, {link.look.kind}"
            f"{', request ' + link.look.reference if link.look.reference else ''}) does not fit its hash:"
            f" it{before} was changed or replaced after it was written."
        )
    return None
