"""What `huisheng up` says while the system starts and stops, and what it shows when everything runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.status import Status
from rich.table import Table

from supervision.system import System
from supervision.temporal import RETENTION_DAYS

_CENTRE = ("dispatcher", "supervisor", "admin")


class Narration:
    """Progress for a person: a turning sign on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._status: Status | None = None

    def __enter__(self) -> Narration:
        return self

    def __exit__(self, *_: object) -> None:
        self._settle()

    def begins(self, title: str) -> None:
        if self._console.is_terminal:
            self._settle()
            self._status = self._console.status(f"{title} …")
            self._status.start()

    def ready(self, title: str, seconds: float) -> None:
        self._settle()
        self._console.print(f"[green]✓[/] {title} [dim]{seconds:.1f} s[/]")

    def stops(self, title: str) -> None:
        self.begins(f"Stopping {title}")

    def is_up(self, system: System) -> None:
        self._console.print(_addresses(system))
        if system.ground.demonstration.exists():
            self._console.print(_accounts(system.ground.demonstration))
        for folder in system.ground.temporal_set_aside:
            self._console.print(_set_aside(folder), soft_wrap=True)
        self._console.print(f"Ctrl-C stops everything; the data stays in {system.ground.root}.")

    def is_down(self) -> None:
        self._settle()
        self._console.print("Stopped.")

    def _settle(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def _addresses(system: System) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("Citizens", f"{system.api}/")
    table.add_row("Staff", f"{system.api}/staff")
    table.add_row("API", f"{system.api}/api/v1")
    table.add_row("API documentation", f"{system.api}/docs")
    table.add_row("Temporal Web UI", system.temporal_ui)
    table.add_row("", "sealed; an admin who is signed in reads it: docs/runbook.md, Read what a run holds")
    return table


def _accounts(file: Path) -> Group:
    accounts = json.loads(file.read_text())["accounts"]
    shown = a_few_of(accounts)
    password = accounts[0]["password"] if accounts else ""
    table = Table.grid(padding=(0, 2))
    for account in shown:
        departments = ", ".join(account["departments"]) + (" (lead)" if account["lead"] else "")
        table.add_row(f"  {account['username']}", ", ".join(account["roles"]), departments)
    return Group(
        f"\nDemonstration accounts for this machine, password {password}",
        table,
        f"  {len(accounts) - len(shown)} more in {file}\n",
    )


def _set_aside(folder: Path) -> str:
    return (
        f"Another version of Temporal wrote {folder}, and this one cannot read it: it is set aside, and what it had of open "
        f"requests comes back from the database by itself. Only histories of before are missing in the Temporal Web UI. "
        f"The folder is deleted at the first start after {RETENTION_DAYS} days.\n"
    )


def a_few_of(accounts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """One for each part in the process: those of the centre, and a handler with the lead of the same department."""
    centre = [next((each for each in accounts if role in each["roles"]), None) for role in _CENTRE]
    handlers = [each for each in accounts if "handler" in each["roles"]]
    handler = next((each for each in handlers if not each["lead"]), None)
    leads = (each for each in handlers if each["lead"] and handler and each["departments"] == handler["departments"])
    return [account for account in (*centre, handler, next(leads, None)) if account is not None]
