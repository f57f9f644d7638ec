"""What the measuring program tells the load generator to do, and what it hears back: both as JSON, one object each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum


class Loop(StrEnum):
    """What each citizen does again and again, beginning anew when it is done."""

    SUBMISSIONS = "submissions"  # send a request, wait for the receipt
    ASSIGNMENTS = "assignments"  # ... and until a department has it
    LIFECYCLES = "lifecycles"  # ... which accepts and resolves it, and it is rated and closed


@dataclass(frozen=True, slots=True, repr=False)
class Job:
    """Ends after `seconds`, counted from the end of the warm-up, or after `at_most` rounds, whatever comes first.

    `handlers` are the session tokens of handlers by department, `dispatcher` that of a dispatcher.
    """

    port: int
    loop: Loop
    citizens: int
    seconds: float
    at_most: int
    warm_up_seconds: float
    descriptions: tuple[str, ...]
    handlers: dict[str, str]
    dispatcher: str

    def written(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> Job:
        told = json.loads(text)
        return cls(**(told | {"loop": Loop(told["loop"]), "descriptions": tuple(told["descriptions"])}))


@dataclass(frozen=True, slots=True)
class Outcome:
    """`waits_ms` are of the rounds that ended in the measured `seconds`; `rounds` counts all, warm-up and tail included."""

    seconds: float
    waits_ms: tuple[float, ...]
    rounds: int
    failures: int
    reviews: int
    asked: int  # HTTP requests, all rounds together
    cpu_seconds: float  # of the load generator itself
    references: tuple[str, ...]  # of some of the last rounds

    def written(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Outcome:
        told = json.loads(text)
        return cls(**(told | {"waits_ms": tuple(told["waits_ms"]), "references": tuple(told["references"])}))
