"""What the staff does next with a request: a pure function of how it stands, of the hour, and of who they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from demonstration import characters
from demonstration.chance import chance
from demonstration.characters import Pace, Triage
from demonstration.parts import Deed, Part, Row
from domain.policy import Category, Policy
from domain.request import State, Urgency

HIGHEST_LEVEL = 3
_REPLIES = {
    "solved": "您反映的问题已经处理完毕。(Demonstration: the matter has been settled.)",
    "partly_solved": "问题已部分解决，其余正在安排。(Demonstration: settled in part.)",
    "explained": "已向您说明有关政策。(Demonstration: the rules were explained.)",
    "not_solved": "目前暂时无法解决，原因已说明。(Demonstration: it cannot be solved for now.)",
}


@dataclass(frozen=True)
class Staff:
    """The people at work. `places` are the departments with somebody in them, `labels` say which one a label means."""

    policy: Policy
    seed: int
    day: timedelta
    places: frozenset[str]
    led: frozenset[str]
    labels: Mapping[str, str]
    slow: frozenset[str]

    def next_deed(self, row: Row, part: Part, now: datetime) -> Deed | None:
        """What somebody of the staff does now; None where everybody waits."""
        since = part.look(row, now)
        match row.state:
            case State.TRIAGE:
                return self._triage(row, part)
            case State.ASSIGNED:
                return self._accept(row, part, now)
            case State.IN_PROGRESS:
                return self._work(row, part, since, now)
            case State.IN_REVIEW:
                return self._review(row, part)
            case State.ADJUDICATION:
                return self._decide(row, part)
            case _:
                return None

    # The dispatchers.

    def _triage(self, row: Row, part: Part) -> Deed | None:
        if not part.returned and characters.lies_in_triage(self.seed, row.reference) and not row.escalation_level:
            return None
        what = Triage.ASSIGN if part.returned else characters.triage(self.seed, row.reference)
        if what is Triage.DECLINE and self.policy.decline_reasons:
            return Deed("dispatcher", "decline", {"reason_code": self.policy.decline_reasons[-1].code})
        if what is Triage.TRANSFER and self.policy.transfer_targets:
            return Deed("dispatcher", "transfer", {"target": self.policy.transfer_targets[-1].code})
        department = self._department(row, part)
        category = self._category(row, department)
        return Deed("dispatcher", "assign", {"department": department, "category": category.code})

    def _department(self, row: Row, part: Part) -> str:
        """By the label; else by the likeliest category; else one of those that take anything, drawn by reference."""
        likeliest = self.policy.category(row.category).department if row.category else None
        for department in (self.labels.get(part.label or ""), likeliest):
            if department in self.places and self._categories(department):
                return str(department)
        routed = sorted(place for place in self.places if self._categories(place))
        return routed[int(chance(self.seed, row.reference, "department") * len(routed))]

    def _category(self, row: Row, department: str) -> Category:
        """The likeliest category if that department has it, else an ordinary one of its own."""
        own = self._categories(department)
        return next((category for category in own if category.code == row.category), own[0])

    def _categories(self, department: str | None) -> list[Category]:
        own = [category for category in self.policy.categories if category.department == department]
        return sorted(own, key=lambda category: category.urgency is not Urgency.NORMAL)

    def _review(self, row: Row, part: Part) -> Deed:
        if characters.is_sent_back(self.seed, row.reference, part.round) and part.once(f"send_back {part.round}"):
            return Deed("dispatcher", "send_back", {"reason": "请补充处理时间。(Please say when it was done.)"})
        return Deed("dispatcher", "approve", {})

    # The supervisor.

    def _decide(self, row: Row, part: Part) -> Deed:
        drawn, reason = (
            chance(self.seed, row.reference, "decide", part.round),
            "经审定。(Decided after hearing both sides.)",
        )
        if drawn < 0.6 and part.round == 0:
            department = row.department or self._department(row, part)
            return Deed("supervisor", "decide", {"decision": "assign", "department": department, "reason": reason})
        if drawn < 0.8 or not self.policy.decline_reasons:
            return Deed("supervisor", "decide", {"decision": "close", "reason": reason})
        code = self.policy.decline_reasons[-1].code
        return Deed("supervisor", "decide", {"decision": "decline", "reason_code": code, "reason": reason})

    # The departments.

    def _accept(self, row: Row, part: Part, now: datetime) -> Deed | None:
        if row.department not in self.places:
            body = {
                "department": self._department(row, part),
                "reason": "该部门无演示账号。(Nobody plays that department.)",
            }
            return Deed("dispatcher", "reassign", body)
        if part.returned < characters.returns(self.seed, row.reference) and row.department in self.led:
            other = next((code for code in sorted(self.places) if code != row.department), row.department)
            body = {"reason": "不属于本部门职责。(Not ours.)", "department": other}
            return Deed("lead", "return_request", body, row.department)
        if now < self._accepts_at(row, part, now):
            return None
        return self._by_department(row, "accept", {})

    def _accepts_at(self, row: Row, part: Part, now: datetime) -> datetime:
        pace = self._pace(row, part)
        if pace is Pace.ACCEPTS_LATE and row.accept_due_at:
            return row.accept_due_at + self.day / 4
        if pace is Pace.SILENT and row.escalation_level < HIGHEST_LEVEL and row.due_at:
            # Should the chain have fewer rungs, they wake up in the end.
            return row.due_at + self.day * 8
        return now

    def _work(self, row: Row, part: Part, since: datetime, now: datetime) -> Deed | None:
        pace = self._pace(row, part)
        if now >= since + self._contacts_after(pace) and part.once(f"contact {part.round}"):
            return self._by_department(row, "contact", {"how": "phone"})
        if characters.notes_progress(self.seed, row.reference) and part.once("progress"):
            return self._by_department(row, "progress", {"note": "正在处理。(Work is under way.)", "public": True})
        if now < self._resolves_at(row, part, pace, since):
            return None
        if self._needs_help(row) and part.once("escalate"):
            return self._by_department(row, "escalate", {"reason": "需要上级协调。(It needs a word from above.)"})
        outcome = characters.result(self.seed, row.reference, part.round)
        deed = self._by_department(row, "resolve", {"outcome": outcome.value, "reply": _REPLIES[outcome]})
        return replace(deed, photo=row.category is not None and self.policy.category(row.category).photo_required)

    def _contacts_after(self, pace: Pace) -> timedelta:
        return self.day * 1.2 if pace in (Pace.LATE, Pace.SLOW) else timedelta(0)

    def _resolves_at(self, row: Row, part: Part, pace: Pace, since: datetime) -> datetime:
        due_at = row.due_at or since
        left = max(due_at - since, timedelta(0))
        drawn = chance(self.seed, row.reference, "resolve", part.round)
        if pace is Pace.SLOW:
            return since + left * 0.92
        if pace is Pace.LATE:
            return due_at + self.day * (0.4 if drawn < 0.5 else 1.5)
        return since + left * (0.05 + 0.4 * drawn)

    def _needs_help(self, row: Row) -> bool:
        return characters.escalates_by_hand(self.seed, row.reference) and row.escalation_level < HIGHEST_LEVEL

    def _pace(self, row: Row, part: Part) -> Pace:
        return characters.pace(self.seed, row.reference, part.round, slow_department=row.department in self.slow)

    def _by_department(self, row: Row, action: str, body: dict[str, object]) -> Deed:
        """What has escalated, the lead takes in hand."""
        return Deed("lead" if row.escalation_level else "handler", action, body, row.department)
