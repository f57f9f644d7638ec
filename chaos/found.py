"""What exists at the end of a trial, and how a check of it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chaos.gateway import Taken
from chaos.runs import Part, Run
from db.proof import Due, Happening, Message
from domain.policy import Policy
from domain.rebuilt import Rebuilt
from domain.request import Snapshot


@dataclass(frozen=True)
class Found:
    """Everything that exists, as it was read at `read_at`. `said` are the texts of citizens' messages, `policies` by version.

    `retold` is where each running run would go on if it were lost, `watching` the runs that watch the parts of co-handlers,
    `taken` the messages that the gateway has taken, by attempt.
    """

    read_at: datetime
    snapshots: Mapping[str, Snapshot]
    descriptions: Mapping[str, tuple[str, str | None]]
    events: Mapping[str, Sequence[Happening]]
    messages: Sequence[Message]
    said: Mapping[str, Sequence[str]]
    dues: Sequence[Due]
    photos: Mapping[str, str]
    runs: Mapping[str, Run]
    retold: Mapping[str, Rebuilt]
    policies: Mapping[str, Policy]
    unfinished: int
    watching: Mapping[Part, Run] = field(default_factory=dict)
    taken: Mapping[str, Taken] = field(default_factory=dict)
    wordless: Sequence[tuple[str, int, str]] = ()
    read_model: str | None = None
    audit: str | None = None

    def policy_of(self, snapshot: Snapshot) -> Policy | None:
        return self.policies.get(snapshot.policy_version or "")


@dataclass
class Check:
    """Something that must hold; `differences` say where it does not, `excused` where the product's documents say that it may not."""

    rule: str
    compared: int = 0
    differences: list[str] = field(default_factory=list)
    excused: list[str] = field(default_factory=list)

    def expect(self, holds: bool, otherwise: str) -> None:
        self.compared += 1
        if not holds:
            self.differences.append(otherwise)

    @property
    def holds(self) -> bool:
        return not self.differences


def given(check: Check, differences: Iterable[str]) -> Check:
    check.differences.extend(differences)
    return check


def said(check: Check, difference: str | None) -> Check:
    return given(check, [difference] if difference else [])
