"""Why a system on one machine cannot start or go on, as one plain sentence for the person at the terminal.

SupervisionError
├── AlreadyRunning      a second copy on the same data
├── PortTaken           somebody else listens where a part wants to
│   └── PortForbidden   this account may not listen there
├── DiskFull            too little room to start, or none left
├── PartFailed          a part did not start, or died
└── GroundUnusable      the folder, the binaries or the account to run them as cannot be used
"""

from __future__ import annotations

from pathlib import Path


class SupervisionError(Exception):
    """The text says what is wrong, where, and how to mend it."""

    code = "supervision_failed"


class AlreadyRunning(SupervisionError):
    code = "already_running"


class PortTaken(SupervisionError):
    code = "port_taken"
    reason = "is in use by another program. Stop that program, or choose another port"

    def __init__(self, part: str, port: int, option: str, variable: str) -> None:
        super().__init__(
            f"Port {port}, which {part} needs, {self.reason} with {option} NUMBER or {variable}=NUMBER in the environment."
        )


class PortForbidden(PortTaken):
    code = "port_forbidden"
    reason = "may not be used by this account. Choose a port above 1023"


class DiskFull(SupervisionError):
    code = "disk_full"


class PartFailed(SupervisionError):
    code = "part_failed"

    def __init__(self, part: str, what: str, log: Path | None) -> None:
        where = f" Its last lines are at the end of {log}." if log else ""
        super().__init__(f"{part} {what}.{where}")
        self.part = part
        self.log = log


class GroundUnusable(SupervisionError):
    code = "ground_unusable"
