"""Lives of requests, each played by citizens and staff who go on until it has come to its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e.people import Caller, Receipt
from tests.e2e.system import until

LAMP = "The street light before our door is out."
RIDDLE = "Things are not as they should be."
LITTER = "There is litter all over the square."
END_WITHIN_SECONDS = 240


@dataclass
class Case:
    """One request in the hands of people who do not give up."""

    caller: Caller
    receipt: Receipt
    confirmed: int = 0

    async def staff(self, username: str, action: str, **body: Any) -> None:
        answer = await self.caller.get_done(username, self.receipt.reference, action, **body)
        assert answer.status_code == 200, (action, answer.text, await self.caller.standing(self.receipt))

    async def citizen(self, action: str, **body: Any) -> None:
        """Told until it is answered; what was heard although the answer was lost is forbidden or there already."""
        path = f"/requests/{self.receipt.reference}/{action}"
        answer = await self.caller.persistently("POST", path, body, self.receipt.headers)
        assert answer.status_code in (202, 409), answer.text
        self.confirmed += answer.status_code == 202

    async def reaches(self, *states: str) -> str:
        async def is_there() -> bool:
            return (await self.caller.standing(self.receipt))["state"] in states

        await until(is_there, END_WITHIN_SECONDS, f"{self.receipt.reference} in {states}")
        state: str = (await self.caller.standing(self.receipt))["state"]
        return state

    async def is_resolved_by(self, username: str, outcome: str = "solved") -> None:
        """With the review that an escalated or reworked request gets."""
        await self.staff(username, "accept")
        await self.staff(username, "resolve", outcome=outcome, reply="The lamp was repaired this morning.")
        if await self.reaches("in_review", "resolved", "closed") == "in_review":
            await self.staff("dispatcher", "approve")
        await self.reaches("resolved", "closed")


Life = Callable[[Case], Awaitable[tuple[str, str | None]]]
"""Plays the request to its end; gives the state and the outcome that it must have."""


async def rated(case: Case) -> tuple[str, str | None]:
    await case.reaches("assigned")
    await case.is_resolved_by("housing")
    await case.citizen("rate", solved="yes", satisfied=5)
    return "closed", "solved"


async def worked_on(case: Case) -> tuple[str, str | None]:
    """Everything that a handler can do, and everything that a citizen can say."""
    await case.citizen("supplement", text="It is the second lamp from the corner.")
    await case.citizen("urge")
    await case.reaches("assigned")
    await case.staff("housing", "accept")
    await case.staff("housing", "contact", how="phone")
    await case.staff("housing", "progress", note="The spare part is ordered.", public=True)
    await case.staff("housing", "resolve", outcome="explained", reply="It is switched off for a week.")
    if await case.reaches("in_review", "resolved") == "in_review":
        await case.staff("dispatcher", "approve")
    await case.citizen("rate", solved="partly", satisfied=3)
    return "closed", "partly_solved"


async def without_reply(case: Case) -> tuple[str, str | None]:
    await case.reaches("assigned")
    await case.is_resolved_by("housing")
    return "closed", "no_reply"


async def neglected(case: Case) -> tuple[str, str | None]:
    """Nobody moves until the last rung has heard of it."""
    await case.reaches("assigned")
    await _at_level(case, 3)
    await case.is_resolved_by("housing")
    await case.citizen("rate", solved="yes", satisfied=4)
    return "closed", "solved"


async def passed_up(case: Case) -> tuple[str, str | None]:
    """The street does nothing, so that the department above takes over."""
    await case.reaches("assigned")
    await _at_level(case, 2)
    await case.is_resolved_by("housing")
    await case.citizen("rate", solved="yes", satisfied=4)
    return "closed", "solved"


async def reopened(case: Case) -> tuple[str, str | None]:
    await case.reaches("assigned")
    await case.is_resolved_by("housing")
    await case.citizen("rate", solved="no", satisfied=1, text="It is dark again.")
    await case.reaches("assigned")
    await case.is_resolved_by("housing")
    await case.citizen("rate", solved="yes", satisfied=4)
    return "closed", "solved"


async def triaged(case: Case) -> tuple[str, str | None]:
    await case.reaches("triage")
    await case.staff("dispatcher", "assign", department="health", category="clinic")
    await case.is_resolved_by("health")
    await case.citizen("rate", solved="yes", satisfied=5)
    return "closed", "solved"


async def declined(case: Case) -> tuple[str, str | None]:
    await case.reaches("triage")
    await case.staff("dispatcher", "decline", reason_code="court")
    return "declined", None


async def transferred(case: Case) -> tuple[str, str | None]:
    await case.reaches("assigned")
    await case.staff("dispatcher2", "transfer", target="next_city")
    return "transferred", None


async def withdrawn(case: Case) -> tuple[str, str | None]:
    await case.citizen("supplement", text="It is getting worse.")
    await case.citizen("withdraw", text="It works again.")
    return "withdrawn", None


async def _at_level(case: Case, level: int) -> None:
    headers = await case.caller.sign_in("supervisor")

    async def is_there() -> bool:
        path = f"/staff/requests/{case.receipt.reference}"
        answer = await case.caller.persistently("GET", path, None, headers)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["escalation_level"]) >= level

    await until(is_there, END_WITHIN_SECONDS, f"level {level}")


LIVES: tuple[tuple[Life, str], ...] = (
    (rated, LAMP), (worked_on, LAMP), (without_reply, LAMP), (neglected, LAMP), (passed_up, LITTER), (reopened, LAMP),
    (triaged, RIDDLE), (declined, RIDDLE), (transferred, LAMP), (withdrawn, LAMP),
)  # fmt: skip
"""Each with what its citizen writes."""


@dataclass(frozen=True)
class Played:
    """A life that is over: how it must have ended, and how many of its citizen's messages were answered with 202."""

    reference: str
    end: tuple[str, str | None]
    confirmed: int


async def play(caller: Caller, life: Life, description: str) -> Played:
    """Until the read model shows the end."""
    case = Case(caller, await caller.submit(description))
    end = await life(case)
    await case.reaches(end[0])
    return Played(case.receipt.reference, end, case.confirmed)
