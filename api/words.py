"""The policy's names and sentences in the reader's language, and how a length of time is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from api.schemas import Language
from domain.durations import Clock, Duration, Unit
from domain.policy import Names, Policy, in_language
from domain.request import Event
from domain.texts import TextFault, timeline_text

_UNITS: dict[Language, dict[Unit, tuple[str, str]]] = {
    "zh": {
        Unit.SECONDS: ("秒", "秒"), Unit.MINUTES: ("分钟", "分钟"), Unit.HOURS: ("小时", "小时"),
        Unit.DAYS: ("天", "天"), Unit.WORKING_DAYS: ("个工作日", "个工作日"),
    },
    "en": {
        Unit.SECONDS: (" second", " seconds"), Unit.MINUTES: (" minute", " minutes"), Unit.HOURS: (" hour", " hours"),
        Unit.DAYS: (" day", " days"), Unit.WORKING_DAYS: (" working day", " working days"),
    },
}  # fmt: skip
_WORKING: dict[Language, str] = {"zh": "（工作时间）", "en": " of working time"}


def department_name(policy: Policy, code: str, language: Language) -> str:
    """The code itself for a department that the policy no longer has."""
    return in_language(policy.department(code).name, language) if policy.has_department(code) else code


def category_name(policy: Policy, code: str, language: Language) -> str:
    """The code itself for a category that the policy no longer has."""
    return in_language(policy.category(code).name, language) if policy.has_category(code) else code


def duration_in_words(duration: Duration, clock: Clock, language: Language) -> str:
    """As in "5 working days" or "2 hours of working time"."""
    amount = f"{duration.amount:g}"
    one, many = _UNITS[language][duration.unit]
    counts_work = clock is Clock.WORKING and duration.unit in (Unit.SECONDS, Unit.MINUTES, Unit.HOURS)
    return amount + (one if amount == "1" else many) + (_WORKING[language] if counts_work else "")


def timeline_line(policy: Policy, event: Event, language: Language) -> str:
    """What happened, in the policy's words; empty where the policy has none for that."""
    try:
        return timeline_text(policy, language, event.action, fact_names(policy, event.facts, language))
    except TextFault:
        return ""


def fact_names(policy: Policy, facts: Mapping[str, str], language: Language) -> dict[str, str]:
    """The names that a citizen reads for the codes of an event; codes that the policy has dropped are left out."""
    look_ups: dict[str, tuple[str, Callable[[str], Names]]] = {
        "department": ("department", lambda code: policy.department(code).name),
        "previous_department": ("previous_department", lambda code: policy.department(code).name),
        "category": ("category", lambda code: policy.category(code).name),
        "target": ("target", lambda code: policy.transfer_target(code).name),
        "reason_name": ("reason_code", lambda code: policy.decline_reason(code).name),
        "route": ("reason_code", lambda code: policy.decline_reason(code).route),
    }
    found: dict[str, str] = {}
    for name, (fact, look_up) in look_ups.items():
        with suppress(KeyError, StopIteration):
            found[name] = in_language(look_up(facts[fact]), language)
    return found
