"""How personal data is encrypted before it reaches a table, and how equal phone numbers are found without reading them.

A sealed value is `version, length of the key id, key id, nonce, AES-256-GCM ciphertext and tag`. Its place (table,
column and row) is authenticated with it, so that a value copied to another row or column does not open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.errors import HuishengError

_VERSION = 1
_NONCE_BYTES = 12
_KEY_BYTES = 32
_INDEX = b"huisheng index 1"
_PHONE_INDEX = "requests.phone_index"


class KeysInvalid(HuishengError):
    """The text of the key ring cannot be used; the message names the key by its id and never shows it."""

    code = "keys_invalid"


class SealBroken(HuishengError):
    """A sealed value does not open at that place: damaged, moved, or sealed with a key that the ring does not hold."""

    code = "seal_broken"


class KeyRing:
    """The keys of the columns: the first seals, all of them open.

    To rotate, put a new key first, seal anew what the others sealed (db/rotation.py), and then take them out.
    """

    def __init__(self, keys: Iterable[tuple[str, bytes]]) -> None:
        held = list(keys)
        if not held:
            raise KeysInvalid("The key ring is empty; HUISHENG_KEYS needs at least one key.")
        self._held = held
        self._ciphers = {identifier.encode(): AESGCM(key) for identifier, key in held}
        self._first = held[0][0].encode()
        self._header = bytes((_VERSION, len(self._first))) + self._first
        # The first hashes, and what any of them has hashed is found: while keys rotate, rows of both stand side by side.
        # Derived keys, because one key must not serve two algorithms.
        self._index_keys = [HKDF(SHA256(), _KEY_BYTES, salt=None, info=_INDEX).derive(key) for _, key in held]

    def __repr__(self) -> str:
        return f"KeyRing({b', '.join(self._ciphers).decode()})"

    @property
    def first(self) -> str:
        """The id of the key that seals."""
        return self._first.decode()

    @property
    def others(self) -> list[str]:
        """The ids of those that only open."""
        return [identifier.decode() for identifier in self._ciphers if identifier != self._first]

    @classmethod
    def from_text(cls, text: str) -> KeyRing:
        """Reads "id:base64key[,id:base64key...]", 32 bytes a key, and raises KeysInvalid."""
        keys = [_key(entry) for entry in text.split(",")]
        if len({identifier for identifier, _ in keys}) < len(keys):
            raise KeysInvalid("Two keys of the ring have the same id; each needs an id of its own.")
        return cls(keys)

    def derived(self, purpose: str) -> KeyRing:
        """A ring of other keys under the same ids, for that purpose alone: neither ring's keys tell the other's."""
        info = b"huisheng " + purpose.encode()
        return KeyRing(
            (identifier, HKDF(SHA256(), _KEY_BYTES, salt=None, info=info).derive(key)) for identifier, key in self._held
        )

    def seal(self, place: str, plain: str) -> bytes:
        """`place` is where the value will stand, as in "requests.description:<id>"."""
        return self.seal_bytes(place, plain.encode())

    def open(self, place: str, sealed: bytes) -> str:
        """Raises SealBroken."""
        return self.open_bytes(place, sealed).decode()

    def seal_bytes(self, place: str, plain: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        ciphertext = self._ciphers[self._first].encrypt(nonce, plain, self._header + place.encode())
        return self._header + nonce + ciphertext

    def open_bytes(self, place: str, sealed: bytes) -> bytes:
        """Raises SealBroken."""
        if len(sealed) < 2 or sealed[0] != _VERSION:
            raise SealBroken(f"What stands at {place} is not a sealed value of a version this program knows.")
        header, rest = sealed[: 2 + sealed[1]], sealed[2 + sealed[1] :]
        cipher = self._ciphers.get(header[2:])
        if cipher is None:
            raise SealBroken(
                f"What stands at {place} was sealed with a key that HUISHENG_KEYS does not hold. Add the old key after the others."
            )
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], header + place.encode())
        except (InvalidTag, ValueError):
            # Neither the value nor the library's words are passed on: this sentence ends in logs.
            raise SealBroken(f"What stands at {place} is damaged or was moved there from elsewhere.") from None

    @staticmethod
    def key_of(sealed: bytes) -> str:
        """The id of the key that sealed it. Raises SealBroken where that is no sealed value."""
        if len(sealed) < 2 or sealed[0] != _VERSION:
            raise SealBroken("This is not a sealed value of a version this program knows.")
        return sealed[2 : 2 + sealed[1]].decode(errors="replace")

    def is_current(self, sealed: bytes) -> bool:
        """Whether the first key sealed it."""
        return sealed.startswith(self._header)

    def phone_index(self, e164: str) -> bytes:
        """The same 32 bytes for the same number, and of no use to anybody without the key."""
        return self.keyed_hash(_PHONE_INDEX, e164)

    def phone_indexes(self, e164: str) -> list[bytes]:
        """Those under which the number may stand: one for each key."""
        return self.keyed_hashes(_PHONE_INDEX, e164)

    def keyed_hash(self, place: str, value: str) -> bytes:
        """For values so short that a plain hash could be undone by trying them all."""
        return self.keyed_hashes(place, value)[0]

    def keyed_hashes(self, place: str, value: str) -> list[bytes]:
        """Those that any key of the ring has given or would give."""
        return [hmac.digest(key, f"{place}:{value}".encode(), "sha256") for key in self._index_keys]


def is_one_of(given: bytes, expected: Iterable[bytes]) -> bool:
    """Compares with all of them, in the same time for every wrong one."""
    return any([hmac.compare_digest(given, each) for each in expected])  # noqa: C419 - a generator would stop early


def token_hash(token: str) -> bytes:
    """What the database keeps of a token. Tokens are long and random, so a plain SHA-256 is enough."""
    return hashlib.sha256(token.encode()).digest()


def _key(entry: str) -> tuple[str, bytes]:
    identifier, _, encoded = entry.strip().partition(":")
    if not identifier.isprintable() or not 1 <= len(identifier.encode()) <= 255:
        raise KeysInvalid("Each key of the ring is written id:base64, with an id of 1 to 255 bytes that can be read.")
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:  # binascii.Error, or what is not even ASCII
        raise KeysInvalid(f"Key {identifier} of the ring is not base64.") from None
    if len(key) != _KEY_BYTES:
        raise KeysInvalid(f"Key {identifier} of the ring has {len(key)} bytes and must have {_KEY_BYTES}.")
    return identifier, key
