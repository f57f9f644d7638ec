"""What chance has people do to a request: any action of the contract, by anybody, well filled in or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, TypeVar

from domain import commands as c
from domain.lifecycle import Action, allowed_actions
from domain.request import Actor, Result, Solved, State, Urgency
from tests.town import STAFF, Request, Town, a_text
from workflows.contract import STAFF_UPDATES

Thing = TypeVar("Thing")

DEPARTMENTS = ("housing", "health", "north_street", "city")
CATEGORIES = ("street_light", "clinic", "litter", "mattress")
DESCRIPTIONS = (
    "The street light is out.", "The street light is out.", "Litter everywhere.", "Somebody threw a mattress away.",
    "Good morning to you all.", "The clinic is closed.", "It smells of a gas leak.",
)  # fmt: skip
MESSAGES = ("supplemented", "urged", "answered", "rated", "reopened", "withdrawn")
STEPS = tuple(timedelta(hours=hours) for hours in (0.1, 1, 5, 9, 24, 26, 26, 50, 70, 70, 130, 180))
A_LONG_TIME = timedelta(days=40)
_LIKELY = {
    Action.ACCEPT: 9, Action.ASSIGN: 9, Action.RESOLVE: 6, Action.APPROVE: 6, Action.DECIDE: 6, Action.ASK_CITIZEN: 4,
    Action.GRANT_EXTENSION: 6, Action.APPROVE_HOLD: 6, Action.RECORD_CALL: 6, Action.REOPEN: 6, Action.ADD_CO_HANDLER: 4,
    Action.FINISH_CO_HANDLING: 6, Action.RETURN_CO_HANDLING: 4, Action.RECLASSIFY: 1, Action.SET_URGENCY: 1,
    Action.DECLINE: 1, Action.TRANSFER: 0.3, Action.REASSIGN: 1, Action.CONTACT: 1, Action.ESCALATE: 1,
}  # fmt: skip
"""How likely an action is taken where it is possible, beside 3 for the others: lives shall get on."""
_ANSWERS = {
    State.AWAITING_CITIZEN: "answered",
    State.RESOLVED: "rated",
    State.CLOSED: "reopened",
    State.MERGED: "rated",
}
_NOWHERE = "nowhere"


@dataclass
class Chance:
    """One stream of choices: the same seed makes the same ones. `neighbours` are what may be merged."""

    random: Random
    town: Town
    neighbours: list[Request]
    version: str  # of a policy that is not in force

    def one(self, things: tuple[Thing, ...] | list[Thing]) -> Thing:
        return self.random.choice(things)

    def happens(self, share: float) -> bool:
        return self.random.random() < share

    def seldom(self, thing: Thing, other: Thing) -> Thing:
        """Mostly the one, in one of twelve cases the other."""
        return other if self.happens(1 / 12) else thing

    def actor(self) -> Actor:
        return self.town.actor(self.one(sorted(STAFF)))

    def solved(self) -> Solved:
        return self.one([Solved.YES, Solved.YES, Solved.PARTLY, Solved.NO])

    def satisfied(self) -> int:
        return self.seldom(self.random.randint(1, 5), 9)

    def department(self) -> str:
        return self.seldom(self.one(DEPARTMENTS), _NOWHERE)

    def category(self) -> str:
        return self.seldom(self.one(CATEGORIES), _NOWHERE)

    def text(self) -> str:
        return self.seldom(a_text(), "no id of a text")

    async def command(self, request: Request) -> c.Command:
        """Mostly what somebody may do now, so that lives get on; else anything by anybody."""
        actor = self.actor()
        action = self.one(sorted(STAFF_UPDATES))
        if self.happens(0.8):
            snapshot, now = await request.snapshot(), await self.town.environment.get_current_time()
            choices = [
                (by, each)
                for by in map(self.town.actor, sorted(STAFF))
                for each in allowed_actions(snapshot, by, now)
                if each in STAFF_UPDATES
            ]
            # However many may take it.
            possible = sorted({each for _, each in choices})
            if possible:
                (action,) = self.random.choices(possible, [_LIKELY.get(each, 3) for each in possible])
                actor = self.one([by for by, each in choices if each is action])
        made: c.Command = _MAKERS[action](self, actor, await self.town.day_in(self.random.randint(0, 40)))
        return made

    def length(self) -> timedelta:
        """How much time passes."""
        return A_LONG_TIME if self.happens(0.03) else self.one(STEPS)

    def signal(self, state: State) -> str:
        """What the citizen sends: mostly what is asked for in that state, seldom the end of it."""
        if state in _ANSWERS and self.happens(0.7):
            return _ANSWERS[state]
        return self.one(MESSAGES if self.happens(0.2) else MESSAGES[:-1])


_Maker = Callable[[Chance, Actor, date], c.Command]


def _simple(kind: Any, *texts: str) -> _Maker:
    """An action that carries nothing but texts."""
    return lambda chance, by, day: kind(by, **{name: chance.text() for name in texts})


def _decide(chance: Chance, by: Actor, day: date) -> c.Command:
    decision = chance.one(list(c.Decision))
    return c.Decide(by, decision, chance.text(), chance.seldom(chance.department(), None), chance.seldom("court", None))


def _record_call(chance: Chance, by: Actor, day: date) -> c.Command:
    result = chance.one(list(c.CallResult))
    if result is not c.CallResult.ANSWERED:
        return c.RecordCall(by, result, note=chance.text())
    return c.RecordCall(by, result, chance.solved(), chance.satisfied(), chance.text())


_MAKERS: dict[Action, _Maker] = {
    Action.ASSIGN: lambda chance, by, day: c.Assign(by, chance.department(), chance.category()),
    Action.ACCEPT: _simple(c.Accept),
    Action.RETURN_REQUEST: lambda chance, by, day: c.ReturnRequest(by, chance.text(), chance.department()),
    Action.DECIDE: _decide,
    Action.REASSIGN: lambda chance, by, day: c.Reassign(by, chance.department(), chance.text(), chance.category()),
    Action.RECLASSIFY: lambda chance, by, day: c.Reclassify(by, chance.one(CATEGORIES), chance.text()),
    Action.SET_URGENCY: lambda chance, by, day: c.SetUrgency(by, chance.one(list(Urgency)), chance.text()),
    Action.CONTACT: lambda chance, by, day: c.Contact(by, chance.one(list(c.ContactKind)), chance.text()),
    Action.PROGRESS: lambda chance, by, day: c.Progress(by, chance.text(), chance.happens(0.5)),
    Action.RESOLVE: lambda chance, by, day: c.Resolve(by, chance.one(list(Result)), chance.text()),
    Action.APPROVE: _simple(c.Approve),
    Action.SEND_BACK: _simple(c.SendBack, "reason"),
    Action.ESCALATE: _simple(c.Escalate, "reason"),
    Action.DECLINE: lambda chance, by, day: c.Decline(by, "court", chance.text()),
    Action.TRANSFER: lambda chance, by, day: c.Transfer(by, "next_city", chance.text()),
    Action.REOPEN: _simple(c.Reopen, "text"),
    Action.REFER: _simple(c.Refer, "reason"),
    Action.ASK_CITIZEN: _simple(c.AskCitizen, "question"),
    Action.REQUEST_EXTENSION: lambda chance, by, day: c.RequestExtension(
        by, chance.random.randint(1, 12), chance.text()
    ),
    Action.GRANT_EXTENSION: _simple(c.GrantExtension, "note"),
    Action.REFUSE_EXTENSION: _simple(c.RefuseExtension, "reason"),
    Action.REQUEST_HOLD: lambda chance, by, day: c.RequestHold(by, day, chance.text()),
    Action.APPROVE_HOLD: _simple(c.ApproveHold, "note"),
    Action.REFUSE_HOLD: _simple(c.RefuseHold, "reason"),
    Action.RESUME: _simple(c.Resume, "reason"),
    Action.RECORD_CALL: _record_call,
    Action.ADD_CO_HANDLER: lambda chance, by, day: c.AddCoHandler(by, chance.department(), chance.text()),
    Action.FINISH_CO_HANDLING: _simple(c.FinishCoHandling, "note"),
    Action.RETURN_CO_HANDLING: _simple(c.ReturnCoHandling, "reason"),
    Action.WAIVE_CO_HANDLING: lambda chance, by, day: c.WaiveCoHandling(by, chance.department(), chance.text()),
    Action.MERGE: lambda chance, by, day: c.Merge(by, chance.one(chance.neighbours).reference),
    Action.UNMERGE: _simple(c.Unmerge, "reason"),
    Action.ADOPT_POLICY: lambda chance, by, day: c.AdoptPolicy(
        by, chance.seldom(chance.version, "unknown"), chance.text()
    ),
}
