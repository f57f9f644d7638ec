"""The words for the facts of an event or a notice: codes become the policy's names, instants the city's clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from domain.policy import Names, Policy, in_language

# Not strftime: its month names follow the machine's locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def fact_words(policy: Policy, language: str, facts: Mapping[str, str]) -> dict[str, str]:
    """What the placeholders of a text (domain/texts.py) may say of these facts.

    What is not among them, or is a code that this version of the policy does not know, is left out.
    """
    look_ups: dict[str, tuple[str, Callable[[str], Names]]] = {
        "department": ("department", lambda code: policy.department(code).name),
        "previous_department": ("previous_department", lambda code: policy.department(code).name),
        "co_department": ("co_department", lambda code: policy.department(code).name),
        "category": ("category", lambda code: policy.category(code).name),
        "second_opinion": ("second_opinion_category", lambda code: policy.category(code).name),
        "target": ("target", lambda code: policy.transfer_target(code).name),
        "reason_name": ("reason_code", lambda code: policy.decline_reason(code).name),
        "route": ("reason_code", lambda code: policy.decline_reason(code).route),
        "state": ("state", lambda code: {language: _states(policy, language)[code]}),
        "due": ("due", lambda at: {language: moment(datetime.fromisoformat(at), policy.zone, language)}),
        "answer_due": ("answer_due", lambda at: {language: moment(datetime.fromisoformat(at), policy.zone, language)}),
        "review": ("review_on", lambda on: {language: day(date.fromisoformat(on), language)}),
        "level": ("level", lambda level: {language: level}),
        "people": ("people", lambda number: {language: number}),
        "days": ("days", lambda number: {language: number}),
    }
    words: dict[str, str] = {}
    for placeholder, (fact, look_up) in look_ups.items():
        try:
            words[placeholder] = in_language(look_up(facts[fact]), language)
        except KeyError:
            continue
    return words


def moment(at: datetime, zone: str, language: str) -> str:
    """As a person says it in that zone, without the year: 11月27日18:00, or 27 Nov 18:00."""
    local = at.astimezone(ZoneInfo(zone))
    if language == "zh":
        return f"{local.month}月{local.day}日{local:%H:%M}"
    return f"{local.day} {_MONTHS[local.month - 1]} {local:%H:%M}"


def day(on: date, language: str) -> str:
    """As a person says it, without the year: 11月27日, or 27 Nov."""
    return f"{on.month}月{on.day}日" if language == "zh" else f"{on.day} {_MONTHS[on.month - 1]}"


def _states(policy: Policy, language: str) -> Names:
    return (policy.texts.get(language) or policy.texts[policy.city.languages[0]]).states
