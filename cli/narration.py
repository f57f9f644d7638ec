"""What `huisheng up` says while the system starts and stops, and what it shows when everything runs."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.status import Status
from rich.table import Table

from supervision.system import System


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
    table.add_row("API", f"{system.api}/api/v1")
    table.add_row("API documentation", f"{system.api}/docs")
    table.add_row("Temporal Web UI", system.temporal_ui)
    return table


def _accounts(file: Path) -> Table:
    table = Table(
        "Account",
        "Password",
        "Roles",
        "Departments",
        title="Demonstration accounts, from this machine only",
        title_justify="left",
    )
    for account in json.loads(file.read_text())["accounts"]:
        departments = ", ".join(account["departments"]) + (" (lead)" if account["lead"] else "")
        table.add_row(account["username"], account["password"], ", ".join(account["roles"]), departments)
    return table
