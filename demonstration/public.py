"""What a citizen does next: a pure function of how the request stands, of the hour, and of who they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from demonstration import characters
from demonstration.parts import Deed, Part, Row
from domain.request import OPEN, Solved, State


@dataclass(frozen=True, slots=True)
class Public:
    """All citizens."""

    seed: int
    day: timedelta

    def next_deed(self, row: Row, part: Part, now: datetime) -> Deed | None:
        """What the citizen sends now; None where there is nothing to say, or not yet."""
        since = part.look(row, now)
        if row.state in OPEN:
            return self._meanwhile(row, part, now)
        if row.state is State.RESOLVED:
            return self._rate(row, part, since, now)
        if row.state is State.CLOSED and self._comes_back(row, part):
            return Deed("citizen", "reopen", {"text": "还没有完全解决。(It is not quite solved.)"})
        return None

    def is_content(self, row: Row, part: Part) -> bool:
        """Whether the request is over for the citizen too."""
        waits = self._comes_back(row, part) or (part.unhappy and "reopen" in part.done)
        return row.is_over and not (row.state is State.CLOSED and waits)

    def _meanwhile(self, row: Row, part: Part, now: datetime) -> Deed | None:
        plan = characters.citizen(self.seed, row.reference)
        due: tuple[tuple[str, float | None, dict[str, str]], ...] = (
            ("supplement", plan.supplements_after, {"text": "补充：情况依旧。(It is still the same.)"}),
            ("urge", plan.urges_after, {}),
            ("withdraw", plan.withdraws_after, {}),
        )
        for action, after, body in due:
            if after is not None and now >= row.submitted_at + self.day * after and part.once(action):
                return Deed("citizen", action, body)
        return None

    def _rate(self, row: Row, part: Part, since: datetime, now: datetime) -> Deed | None:
        rating = characters.rating(self.seed, row.reference, part.round)
        if rating is None or now < since + self.day * rating.after_days or f"rate {part.round}" in part.done:
            return None
        return Deed("citizen", "rate", {"solved": rating.solved.value, "satisfied": rating.satisfied})

    def _comes_back(self, row: Row, part: Part) -> bool:
        rating = characters.rating(self.seed, row.reference, part.round)
        rated = f"rate {part.round}" in part.done
        return rated and rating is not None and rating.reopens and "reopen" not in part.done

    def note(self, part: Part, deed: Deed) -> None:
        """The city has taken the citizen's word: what changes in their mind."""
        if deed.action in ("rate", "reopen"):
            part.done.add("reopen" if deed.action == "reopen" else f"rate {part.round}")
            part.unhappy = deed.action == "reopen" or deed.body["solved"] == Solved.NO
