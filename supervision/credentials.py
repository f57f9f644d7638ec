"""The secrets of one installation: made once, kept in `var/secrets`, never shown."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from pathlib import Path

from supervision.errors import GroundUnusable
from supervision.ground import Ground, write_private


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """`keys` encrypts the citizens' personal data: whoever loses it has lost them."""

    postgres_password: str
    keys: str
    demonstration_password: str


def credentials(ground: Ground) -> Credentials:
    """Reads the secrets, or makes them for a new installation; GroundUnusable when there is data and they are gone."""
    has_data = (ground.postgres / "data").exists()
    return Credentials(
        postgres_password=_secret(ground.secrets / "postgres_password", secrets.token_urlsafe(32), has_data),
        keys=_secret(ground.secrets / "keys", f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}", has_data),
        demonstration_password=_secret(ground.secrets / "demonstration_password", secrets.token_urlsafe(9), False),
    )


def _secret(path: Path, new: str, has_data: bool) -> str:
    if path.exists():
        return path.read_text().strip()
    if has_data:
        raise GroundUnusable(
            f"{path} is missing, and the data beside it cannot be read without it. Bring it back from your backup, or "
            f"start anew with `huisheng reset`."
        )
    write_private(path, new + "\n")
    return new
