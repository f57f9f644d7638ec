"""Categories: each reaches a department, a service level and a chain that exist, and speaks all languages."""

from __future__ import annotations

from pathlib import PurePosixPath

from domain.phrases import groups_of
from policies.checks.known import Known, doubled, incomplete, unknown
from policies.reading import Folder
from policies.schema import (
    CategoriesFile,
    CategoryPart,
    DeclineReasonPart,
    ElsewhereFile,
    WatchPart,
    WatchwordsFile,
)

WATCHWORDS, ELSEWHERE = "watchwords.toml", "elsewhere.toml"
SHORTEST_WORD = 2


def check_categories(folder: Folder, known: Known) -> None:
    """Adds what is wrong with categories, watch words, and the words that speak for another channel."""
    seen: dict[str, PurePosixPath] = {}
    for file, form in folder.forms_in("categories", CategoriesFile):
        wrong = incomplete(known.languages, form.group)
        if wrong:
            folder.add(file, "group", wrong)
        for category in form.category:
            if category.code in seen:
                reason = f"is given twice, also in {seen[category.code]}; each category needs a code of its own"
                folder.add(file, f"category[{category.code}].code", reason)
            seen.setdefault(category.code, file)
            _check_category(folder, str(file), category, known)
    watchwords = folder.form(WATCHWORDS, WatchwordsFile)
    if watchwords is not None:
        _check_watches(folder, watchwords, known)
    elsewhere = folder.form(ELSEWHERE, ElsewhereFile)
    for declined in elsewhere.decline_reason if elsewhere is not None else ():
        for field, bad in _bad_phrases(declined, known).items():
            if bad:
                folder.add(ELSEWHERE, f"decline_reason[{declined.code}].{field}", bad)


def _check_category(folder: Folder, file: str, category: CategoryPart, known: Known) -> None:
    key = f"category[{category.code}]"
    wrong = {
        "name": incomplete(known.languages, category.name),
        "tell_us": incomplete(known.languages, category.tell_us),
        "service_level": unknown("service level", category.service_level, known.levels),
        "chain": unknown("chain", category.chain, known.chains),
        "department": _no_route(category, known),
        "keywords": _bad_words(category.keywords, known),
        "hints": _bad_words(category.hints, known),
    }
    for district, department in category.by_district.items():
        wrong[f"by_district.{district}"] = unknown("district", district, known.districts) or unknown(
            "department", department, known.departments
        )
    for field, reason in wrong.items():
        if reason:
            folder.add(file, f"{key}.{field}", reason)


def _no_route(category: CategoryPart, known: Known) -> str | None:
    if category.department is not None:
        return unknown("department", category.department, known.departments)
    by_office = category.district_office is not None and known.districts != frozenset()
    if not category.by_district and not by_office:
        return "this category has no route: name a department here, or one for each district in by_district"
    left_out = sorted((known.districts or frozenset()) - category.by_district.keys())
    if left_out and not by_office:
        return f"by_district leaves out {', '.join(left_out)}: name a department here for the rest, or add them there"
    if not category.place_required:
        return "without a place this category has no route: name a department here, or set place_required = true"
    return None


def _bad_words(words: dict[str, list[str]], known: Known) -> str | None:
    for language, listed in words.items():
        if language not in known.languages:
            return f"{language} is not a language of this city (city.toml: languages)"
        short = [word for word in listed if len(word) < SHORTEST_WORD]
        if short:
            return f"'{short[0]}' is too short to say anything; write at least {SHORTEST_WORD} characters"
        twice = doubled(listed)
        if twice:
            return f"'{twice[0]}' stands here twice; remove one"
    return None


def _check_watches(folder: Folder, form: WatchwordsFile, known: Known) -> None:
    for code in doubled(watch.code for watch in form.watch):
        folder.add(WATCHWORDS, f"watch[{code}].code", "is given twice; each watch needs a code of its own")
    for watch in form.watch:
        key = f"watch[{watch.code}]"
        wrong = {
            "name": incomplete(known.languages, watch.name),
            **_bad_phrases(watch, known),
            "category": _nowhere(watch, known),
            "danger": _no_effect(watch),
        }
        for field, reason in wrong.items():
            if reason:
                folder.add(WATCHWORDS, f"{key}.{field}", reason)


def _bad_phrases(spoken: WatchPart | DeclineReasonPart, known: Known) -> dict[str, str | None]:
    """What is wrong with the words that something is found by, by field."""
    return {
        "words": _bad_words(spoken.words, known),
        "together": _bad_words(spoken.together, known) or _alone(spoken.together),
        "unless": _bad_words(spoken.unless, known),
    }


def _alone(together: dict[str, list[str]]) -> str | None:
    for language, lines in together.items():
        single = [line for line in lines if len(groups_of(line, language)) < 2]
        if single:
            return f"'{single[0]}' is one group only; add the words it needs beside it, after a space, or put it into words"
    return None


def _nowhere(watch: WatchPart, known: Known) -> str | None:
    if watch.category is not None:
        return unknown("category", watch.category, known.categories)
    return "a danger needs a category, so that it reaches a department at once; add one" if watch.danger else None


def _no_effect(watch: WatchPart) -> str | None:
    if not watch.danger and not watch.sensitive:
        return "these words change nothing: set danger = true or sensitive = true"
    return None
