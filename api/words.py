"""The policy's names and sentences in the reader's language, and how a length of time is said."""

from __future__ import annotations

from api.schemas import Language
from domain.durations import Clock, Duration, Unit
from domain.facts import fact_words
from domain.lifecycle import Action
from domain.policy import Policy, in_language
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
    """What happened, in the policy's words; a policy from before there were any for that tells the state instead."""
    try:
        kind = "unanswered" if event.action == Action.ANSWER and event.actor_kind == "system" else event.action
        return timeline_text(policy, language, kind, fact_words(policy, language, event.facts))
    except TextFault:
        words = policy.texts.get(language)
        return (words.states.get(event.state) if words else None) or event.state.replace("_", " ")
