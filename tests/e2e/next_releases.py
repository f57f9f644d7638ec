"""The two releases after this one, as the rehearsal of an upgrade needs them: the first knows a changed procedure, the second
begins runs with it. Started as a program, this is the worker of one of them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain import commands as c
    from domain.request import Act
    from workflows import contract
    from workflows.contract import Ended, Submitted
    from workflows.request import RequestWorkflow

SECOND_THOUGHTS = contract.KNOWN_PROCEDURES.stop
"""From this version on a citizen has a moment to take the request back before anybody gets it, and what staff do is recorded
by a remote activity again: other commands at the beginning of a run, and all along."""
MOMENT = timedelta(milliseconds=300)
TIMER = "time for second thoughts"


@workflow.defn(name="RequestWorkflow")
class NextRequestWorkflow(RequestWorkflow):
    """Knows what this release knows, and the changed procedure."""

    @workflow.init
    def __init__(self, submitted: Submitted) -> None:
        super().__init__(submitted)

    @workflow.run
    async def run(self, submitted: Submitted) -> Ended:
        return await super().run(submitted)

    async def _receive_and_assign(self, submitted: Submitted) -> None:
        if self._course.procedure >= SECOND_THOUGHTS:
            await workflow.sleep(MOMENT, summary=TIMER)
        await super()._receive_and_assign(submitted)

    def _act_in_task(self, command: c.Command) -> Act | None:
        return None if self._course.procedure >= SECOND_THOUGHTS else super()._act_in_task(command)


@dataclass(frozen=True)
class Release:
    """`build` is how its worker names itself in histories."""

    build: str
    begins_with: int

    def command(self) -> list[str]:
        return [sys.executable, "-m", "tests.e2e.next_releases", self.build]


KNOWS_IT = Release("knows-it", contract.PROCEDURE)
BEGINS_WITH_IT = Release("begins-with-it", SECOND_THOUGHTS)


def main(release: Release) -> None:
    import worker

    changed = {
        "PROCEDURE": release.begins_with,
        "KNOWN_PROCEDURES": range(contract.KNOWN_PROCEDURES.start, SECOND_THOUGHTS + 1),
        "RequestWorkflow": NextRequestWorkflow,
        "BUILD": release.build,
    }
    for module in [worker, *(each for name, each in sys.modules.items() if name.startswith("workflows."))]:
        for name in changed.keys() & vars(module).keys():
            setattr(module, name, changed[name])
    worker.main()


if __name__ == "__main__":
    main({each.build: each for each in (KNOWS_IT, BEGINS_WITH_IT)}[sys.argv[1]])
