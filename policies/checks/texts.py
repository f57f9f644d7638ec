"""The texts: one for every notice in every language, naming only what is known when they are sent."""

from __future__ import annotations

from domain.lifecycle import Action
from domain.notices import NoticeKind
from domain.request import AlarmKind, State
from domain.sms import count_parts
from domain.texts import TIMELINE_PLACEHOLDERS, TextFault, allowed_placeholders, placeholders
from policies.checks.known import Known
from policies.mistakes import did_you_mean
from policies.reading import CHANNELS, WORDS, Folder
from policies.schema import WordsFile

MOST_SMS_PARTS = 4
TIMELINE_KINDS = frozenset({*Action, *(set(AlarmKind) - {AlarmKind.ESCALATE, AlarmKind.END_FEEDBACK,
                            AlarmKind.END_REOPENING, AlarmKind.SEND_HELD, AlarmKind.ANSWER_OVERDUE, AlarmKind.HOLD_REVIEW}), "not_applied", "unanswered"})  # fmt: skip
"""What can stand in a timeline: all actions, and the clocks that only remind."""
MAY_BE_MISSING = frozenset({"department", "previous_department", "category", "due", "target", "reason_name", "route",
    "co_department", "answer_due", "review"})  # fmt: skip


def check_texts(folder: Folder, known: Known) -> None:
    """Adds what is wrong with notices and words."""
    for language in known.languages:
        for kind in NoticeKind:
            for channel in CHANNELS:
                _check_notice(folder, language, kind, channel)
        _check_words(folder, language)
    for language in {language for language, _, _ in folder.texts} - set(known.languages):
        folder.add(f"texts/{language}/", "", "is not a language of this city (city.toml: languages); remove the folder")


def _check_notice(folder: Folder, language: str, kind: NoticeKind, channel: str) -> None:
    file = f"texts/{language}/{kind}/{channel}.txt"
    template = folder.texts.get((language, kind, channel))
    if template is None:
        if not any(str(unreadable) == file for unreadable in folder.unreadable):
            folder.add(file, "", "this text is missing; add it")
    elif not template:
        folder.add(file, "", "is empty; write the text")
    else:
        _check_template(folder, file, "", template, allowed_placeholders(kind))
        if count_parts(template) > MOST_SMS_PARTS:
            folder.add(file, "", f"is {count_parts(template)} SMS long before anything is filled in; shorten it")


def _check_template(folder: Folder, file: str, key: str, template: str, allowed: frozenset[str]) -> None:
    try:
        used = placeholders(template)
    except TextFault as fault:
        folder.add(file, key, fault.message)
        return
    for name in sorted(used - allowed):
        reason = f"{{{name}}} is not known in this text; remove it or use another.{did_you_mean(name, allowed)}"
        folder.add(file, key, reason)


def _check_words(folder: Folder, language: str) -> None:
    file = f"texts/{language}/{WORDS}"
    form = folder.form(file, WordsFile)
    if form is None:
        if file not in {str(found) for found in (*folder.raw, *folder.unreadable)}:
            folder.add(file, "", "this file is missing; add it")
        return
    for table, wanted, given in (
        ("states", frozenset(State), form.states),
        ("timeline", TIMELINE_KINDS, form.timeline),
        ("missing", MAY_BE_MISSING, form.missing),
    ):
        for code in sorted(wanted - given.keys()):
            folder.add(file, f"{table}.{code}", "is missing; add it")
        for code in sorted(given.keys() - wanted):
            folder.add(file, f"{table}.{code}", f"is not known; correct or remove it.{did_you_mean(code, wanted)}")
    for code, template in form.timeline.items():
        _check_template(folder, file, f"timeline.{code}", template, TIMELINE_PLACEHOLDERS)
