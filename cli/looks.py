"""Who runs a command that opens personal data, and from where, for the record of looks (docs/decisions/0021)."""

from __future__ import annotations

import os
import pwd
import socket
from datetime import UTC, datetime

from db import audit
from db.audit import Seen
from db.pool import Database


async def looked(database: Database, *seen: Seen) -> None:
    """Comes before anything is shown. What shows nothing needs no row."""
    shown = [each for each in seen if each.count]
    await audit.record(database, f"machine:{account()}", socket.gethostname(), shown, datetime.now(UTC))


def account() -> str:
    """The account of the operating system, and who became it with sudo; not what the environment says otherwise."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())  # in a container there is often no name
    before = os.environ.get("SUDO_USER", "") if os.getuid() == 0 else ""
    return f"{name} ({before[:64]})" if before else name
