"""From a permitted command to its turn: one rule for each command, kept beside its like in acts.py, waiting.py and the others.

Pure: the workflow asks `lifecycle.permit` first, has planned what needs the calendar, and records the turn.
"""

from __future__ import annotations

from datetime import datetime
from functools import singledispatch
from typing import Any

from domain.lifecycle import Transition
from domain.planned import Planned
from domain.request import Snapshot, Turn


@singledispatch
def take(command: Any, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    """The turn that a permitted command makes. `row` is the row that permits it, `plan` what was planned for it."""
    raise TypeError(f"no rule for {type(command).__name__}")
