"""Service levels, escalation chains and the settings of the city: known codes, and times in a sensible order."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.calendar import WEEKDAYS, Calendar, Period
from domain.deadlines import deadline
from domain.durations import Clock, Duration
from domain.promises import DEPARTMENT_SELECTOR, PARENT, Selector
from policies.building import level_parts
from policies.checks.known import Known, doubled, incomplete, unknown
from policies.mistakes import did_you_mean
from policies.reading import Folder
from policies.schema import (
    ChainPart,
    ChainsFile,
    CityFile,
    DeclineReasonPart,
    ElsewhereFile,
    RungPart,
    ServiceLevelFile,
    TransferTargetPart,
)

CITY, CHAINS, ELSEWHERE = "city.toml", "chains.toml", "elsewhere.toml"

_EIGHT_HOURS = Calendar("UTC", {name: (Period(540, 1020),) for name in WEEKDAYS[:5]})
_A_MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)


def check_promises(folder: Folder, known: Known) -> None:
    """Adds what is wrong with service levels, chains, settings, and the lists of places elsewhere."""
    _check_levels(folder, known)
    chains = folder.form(CHAINS, ChainsFile)
    if chains is not None:
        for code in doubled(chain.code for chain in chains.chain):
            folder.add(CHAINS, f"chain[{code}].code", "is given twice; each chain needs a code of its own")
        for chain in chains.chain:
            _check_chain(folder, chain, known)
    city = folder.form(CITY, CityFile)
    if city is not None:
        _check_city(folder, city, known)
    elsewhere = folder.form(ELSEWHERE, ElsewhereFile)
    if elsewhere is not None:
        _check_elsewhere(folder, elsewhere, known)


def _end(duration: Duration, clock: Clock = Clock.WORKING) -> datetime:
    """Where a duration from a Monday morning ends, in a plain week: good enough to tell which of two is longer."""
    return deadline(_EIGHT_HOURS, _A_MONDAY, duration, clock)


def _check_levels(folder: Folder, known: Known) -> None:
    for file, form in folder.forms_in("service_levels", ServiceLevelFile):
        wrong = incomplete(known.languages, form.name)
        if wrong:
            folder.add(file, "name", wrong)
        for code, level in level_parts(file.stem, form).items():
            key = "" if code == file.stem else f"variant.{code.removeprefix(f'{file.stem}-')}."
            ends = {name: _end(level[name], level["clock"]) for name in ("accept", "contact", "resolve")}
            for earlier in ("accept", "contact"):
                if ends[earlier] > ends["resolve"]:
                    folder.add(file, f"{key}{earlier}", "is longer than resolve; it has to come before it")


def _check_chain(folder: Folder, chain: ChainPart, known: Known) -> None:
    key = f"chain[{chain.code}]"
    levels = [rung.level for rung in chain.rung]
    if levels != sorted(set(levels)):
        folder.add(
            CHAINS, f"{key}.rung", f"the levels should rise, each once; here they are {', '.join(map(str, levels))}"
        )
    ends = [_end(rung.after) for rung in chain.rung]
    if ends != sorted(ends):
        folder.add(CHAINS, f"{key}.rung", "a higher level comes no sooner than a lower one; correct 'after'")
    for rung in chain.rung:
        for reason, field in _rung_mistakes(rung, known):
            folder.add(CHAINS, f"{key}.rung[level {rung.level}].{field}", reason)


def _rung_mistakes(rung: RungPart, known: Known) -> list[tuple[str, str]]:
    found = [(_bad_selector(selector, known), "notify") for selector in rung.notify]
    if rung.take_over is not None and rung.take_over != PARENT:
        found.append((unknown("department", rung.take_over, known.departments), "take_over"))
    return [(reason, field) for reason, field in found if reason]


def _bad_selector(selector: str, known: Known) -> str | None:
    if selector.startswith(DEPARTMENT_SELECTOR):
        return unknown("department", selector.removeprefix(DEPARTMENT_SELECTOR), known.departments)
    if selector in set(Selector):
        return None
    options = [*Selector, f"{DEPARTMENT_SELECTOR}<code>"]
    return f"'{selector}' names nobody.{did_you_mean(selector, options)}"


def _check_city(folder: Folder, city: CityFile, known: Known) -> None:
    wrong = {
        "name": incomplete(known.languages, city.name),
        "zone": _bad_zone(city.zone),
        "languages": "a language is named twice" if doubled(city.languages) else None,
        "reminders": "write them in rising order" if city.reminders != sorted(set(city.reminders)) else None,
        "feedback.rework_level": unknown("service level", city.feedback.rework_level, known.levels),
        "feedback.remind_after": _late_reminder(city),
        "triage.service_level": unknown("service level", city.triage.service_level, known.levels),
        "triage.chain": unknown("chain", city.triage.chain, known.chains),
    }
    for field, reason in wrong.items():
        if reason:
            folder.add(CITY, field, reason)


def _bad_zone(zone: str) -> str | None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"there is no time zone '{zone}'; write one like Asia/Shanghai"
    return None


def _late_reminder(city: CityFile) -> str | None:
    late = _end(city.feedback.remind_after) >= _end(city.feedback.close_after)
    return "the reminder would come after the request is closed (close_after); make it shorter" if late else None


def _check_elsewhere(folder: Folder, form: ElsewhereFile, known: Known) -> None:
    entries: list[tuple[str, DeclineReasonPart | TransferTargetPart]] = [
        *(("decline_reason", reason) for reason in form.decline_reason),
        *(("transfer_target", target) for target in form.transfer_target),
    ]
    for kind, code in (
        (kind, code)
        for kind in ("decline_reason", "transfer_target")
        for code in doubled(entry.code for of, entry in entries if of == kind)
    ):
        folder.add(ELSEWHERE, f"{kind}[{code}].code", "is given twice; each needs a code of its own")
    for kind, entry in entries:
        texts = {"name": entry.name} | ({"route": entry.route} if isinstance(entry, DeclineReasonPart) else {})
        for field, text in texts.items():
            wrong = incomplete(known.languages, text)
            if wrong:
                folder.add(ELSEWHERE, f"{kind}[{entry.code}].{field}", wrong)
