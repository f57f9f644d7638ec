"""What a backup says of itself, and whether this program can put it back: read and checked before anything is touched."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from db import migrations
from db.sealing import KeyRing, SealBroken, is_one_of
from domain.errors import HuishengError

FORMAT = 2
"""Raised when an older program could not put the backup back as it is meant, or would not understand its seal."""

DATABASE = "database.dump"
RUNS = "temporal.db"

_PLACE = "backup.manifest"


class BackupUnusable(HuishengError):
    """The file cannot be put back; nothing was touched."""

    code = "backup_unusable"


@dataclass(frozen=True)
class Part:
    """A file inside, by its length and its SHA-256."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Sample:
    """A sealed value with the place that it is bound to, to try the keys on."""

    place: str
    sealed: str  # hexadecimal


@dataclass(frozen=True)
class Manifest:
    """`schema` are the migrations of the database, `keys` the ids of the keys that have sealed its values, `ring` of all that
    HUISHENG_KEYS held: Temporal's store may need any of them."""

    format: int
    id: UUID
    program: str
    taken_at: datetime
    schema: tuple[str, ...]
    counts: dict[str, int]
    keys: tuple[str, ...]
    ring: tuple[str, ...]
    samples: tuple[Sample, ...]
    parts: dict[str, Part]
    runs_copied_at: datetime | None = None  # of Temporal's store, where it is in it
    runs_version: str = ""  # of the server that wrote that store: no other reads it
    compatible_from: str = ""  # the oldest program that can work with the database; format 1 does not tell
    seal: str = ""  # keyed hash of all the rest: made with the city's own keys, and not changed since

    def sealed_with(self, keys: KeyRing) -> Manifest:
        return replace(self, seal=keys.keyed_hash(_PLACE, self._digest()).hex())

    def written(self) -> bytes:
        return _JSON.dump_json(self, indent=1)

    def _digest(self) -> str:
        added_since = {"compatible_from"} if self.format == 1 else None
        return hashlib.sha256(_JSON.dump_json(replace(self, seal=""), exclude=added_since)).hexdigest()

    def _seal(self) -> bytes:
        """Nothing where what stands there is no seal."""
        try:
            return bytes.fromhex(self.seal)
        except ValueError:
            return b""

    def require_known(self) -> None:
        """Raises BackupUnusable where this program could not work with the database that comes back, by the rule of
        migrations.require_version, or does not know this form of a backup."""
        if self.format > FORMAT:
            raise BackupUnusable(
                f"The backup was made by version {self.program} of the program, which is newer than this one. {self._install}"
            )
        found = migrations.compared(self.schema, self.compatible_from)
        works = self.format > 1 and found.is_newer and not found.has_left_us_behind
        if found.unknown and not works:
            raise BackupUnusable(
                f"The database in the backup is at version {found.version}, and it is not certain that this program, of "
                f"{migrations.known_versions()[-1]}, can work with it. {self._install}"
            )

    @property
    def _install(self) -> str:
        return f"Install version {self.program} or a newer one, and restore with that. Nothing was touched."

    def require_keys(self, keys: KeyRing) -> None:
        """Raises BackupUnusable where the keys at hand do not open what is in it."""
        held = {keys.first, *keys.others}
        lacking = sorted({*self.keys} - held)
        if lacking:
            raise BackupUnusable(
                f"Personal data in the backup is sealed with key {', '.join(lacking)}, and HUISHENG_KEYS holds "
                f"{', '.join(sorted(held))} only. {_ADD_KEYS}"
            )
        for sample in self.samples:
            try:
                keys.open_bytes(sample.place, bytes.fromhex(sample.sealed))
            except (SealBroken, ValueError) as error:
                raise BackupUnusable(
                    f"The keys in HUISHENG_KEYS do not open what is in the backup ({sample.place.partition(':')[0]}): they "
                    f"bear the same ids, and are others. {_ADD_KEYS}"
                ) from error
        if not is_one_of(self._seal(), keys.keyed_hashes(_PLACE, self._digest())):
            raise BackupUnusable(
                "The backup's list of contents was not made with these keys, or was changed since. Take another backup, or the "
                "keys that were in HUISHENG_KEYS when it was made. Nothing was touched."
            )


_ADD_KEYS = (
    "Bring back the keys from where you keep them, apart from the backups: in HUISHENG_KEYS, or with `make up` in the file "
    "secrets/keys of its folder; older ones after the first. Without them nobody can read the data. Nothing was touched."
)


def read_manifest(text: bytes) -> Manifest:
    """Raises BackupUnusable."""
    try:
        return _JSON.validate_json(text)
    except ValidationError as error:
        raise BackupUnusable("The backup's list of contents cannot be read: the file is damaged, or newer.") from error


_JSON = TypeAdapter(Manifest)
