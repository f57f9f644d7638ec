"""What may stand in an outgoing text, and how it is filled in: strictly, so that no half-empty sentence goes out."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from domain.errors import HuishengError
from domain.notices import NoticeKind
from domain.policy import Policy

_ALWAYS = frozenset({"reference", "city", "state"})
_CITIZEN = _ALWAYS | {"link"}
"""The link opens the request for whoever has it, so that it stands in no text for staff."""
_HANDED_OUT = _CITIZEN | {"department", "category", "due"}
_STAFF = _ALWAYS | {"staff_link", "department", "category", "due", "level"}

PLACEHOLDERS: dict[NoticeKind, frozenset[str]] = {
    NoticeKind.RECEIPT: _CITIZEN,
    NoticeKind.ASSIGNED: _HANDED_OUT,
    NoticeKind.DECLINED: _CITIZEN | {"reason_name", "route"},
    NoticeKind.TRANSFERRED: _CITIZEN | {"target"},
    NoticeKind.DECIDED: _ALWAYS | {"department", "category"},  # read by citizens and staff alike: no link for either
    NoticeKind.PROGRESS: _HANDED_OUT,
    NoticeKind.RESOLVED: _CITIZEN | {"department", "category"},
    NoticeKind.REOPENED: _HANDED_OUT,
    NoticeKind.DEPARTMENT_CHANGED: _HANDED_OUT | {"previous_department"},
    NoticeKind.FEEDBACK_REMINDER: _CITIZEN | {"department", "category"},
    NoticeKind.ANSWER_NOT_APPLIED: _CITIZEN,
    NoticeKind.ONE_TIME_CODE: frozenset({"city", "code"}),
    NoticeKind.QUESTION: _HANDED_OUT | {"answer_due", "answer_link"},
    NoticeKind.EXTENDED: _HANDED_OUT,
    NoticeKind.ON_HOLD: _HANDED_OUT | {"review"},
    NoticeKind.HOLD_APPROVED: _STAFF | {"review"},
    NoticeKind.HEARTBEAT: _HANDED_OUT,
    NoticeKind.DUE_MOVED: _HANDED_OUT,
    NoticeKind.MERGED: _CITIZEN,
    NoticeKind.QUICK_LOGGED: _CITIZEN | {"department", "category"},
    NoticeKind.UNMERGED: _CITIZEN,
    **dict.fromkeys(
        (
            NoticeKind.CO_TASK,
            NoticeKind.CO_DONE,
            NoticeKind.CO_RETURNED,
            NoticeKind.CO_WAIVED,
            NoticeKind.CO_REMINDER,
            NoticeKind.CO_ESCALATED,
        ),
        _STAFF | {"co_department"},
    ),
    NoticeKind.TOPIC_SPIKE: frozenset({"reference", "city", "staff_link", "category", "people", "days"}),
    NoticeKind.REASSIGNED_AWAY: _STAFF | {"previous_department"},
    NoticeKind.RETURNED_TO_TRIAGE: _STAFF | {"previous_department"},
}
"""The placeholders that a text of that kind may use; the kinds not named here go to staff and may use `_STAFF`."""

TIMELINE_PLACEHOLDERS = frozenset({
    "department", "previous_department", "category", "target", "reason_name", "route", "level", "due",
    "review", "answer_due",
})  # fmt: skip


class TextFault(HuishengError):
    """A text is malformed, uses a placeholder that it may not, or a value for one of them is missing."""

    code = "text_fault"


def allowed_placeholders(kind: NoticeKind) -> frozenset[str]:
    """What a text of that kind may name."""
    return PLACEHOLDERS.get(kind, _STAFF)


def placeholders(template: str) -> frozenset[str]:
    """The names in braces. Raises TextFault where a brace is open, or holds more than a plain name."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise TextFault(f"a brace is not closed or not opened ({error}); write {{{{ for a brace in the text") from error
    for _, name, layout, conversion in parts:
        if name is not None and (not name.isidentifier() or layout or conversion):
            raise TextFault(
                f"'{{{name}}}' is not a placeholder; a placeholder is one word in braces, like {{reference}}"
            )
    return frozenset(name for _, name, _, _ in parts if name is not None)


def render(template: str, values: Mapping[str, str]) -> str:
    """The text with every placeholder filled in. Raises TextFault, naming it, where a value is missing or empty."""
    wanted = placeholders(template)
    missing = sorted(name for name in wanted if not values.get(name))
    if missing:
        raise TextFault(f"no value for {', '.join(missing)}")
    return template.format_map({name: values[name] for name in wanted}).strip()


def notice_text(policy: Policy, language: str, kind: str, channel: str, values: Mapping[str, str]) -> str:
    """The text of a notice in that language, or in the city's first where it has none.

    A value that is not known (a request in triage has no department) is replaced by the policy's word for that. Raises
    TextFault where the policy has no such text, or neither a value nor a word for it.
    """
    texts = policy.texts.get(language) or policy.texts[policy.city.languages[0]]
    template = texts.notices.get(kind, {}).get(channel)
    if template is None:
        raise TextFault(f"the policy has no text '{kind}' for the channel '{channel}'")
    return render(template, {**texts.missing, **{name: value for name, value in values.items() if value}})


def timeline_text(policy: Policy, language: str, kind: str, values: Mapping[str, str]) -> str:
    """The line that a citizen reads for an event of that kind; values that are not known as in `notice_text`."""
    texts = policy.texts.get(language) or policy.texts[policy.city.languages[0]]
    if kind not in texts.timeline:
        raise TextFault(f"the policy has no timeline text '{kind}'")
    return render(texts.timeline[kind], {**texts.missing, **{name: value for name, value in values.items() if value}})
