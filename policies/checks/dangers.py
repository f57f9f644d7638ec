"""The sentences from which danger is learnt: each is readable, said once, and of a danger that the watch words know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from domain.danger_examples import is_well_formed
from policies.checks.known import Known, doubled
from policies.reading import Folder
from policies.schema import DangerExamplesFile, WatchwordsFile

FEWEST = 20
"""Lines of each sort in all files, of which something can be learnt."""
LONGEST = 300
WATCHWORDS = "watchwords.toml"


def check_dangers(folder: Folder, known: Known) -> None:
    """Adds what is wrong with the files in dangers/; a city may have none."""
    forms = list(folder.forms_in("dangers", DangerExamplesFile))
    for file, form in forms:
        reason = _wrong_watch(form, folder)
        if reason:
            folder.add(file, "watch", reason)
        for key, wrong in _wrong_lines(form, known):
            folder.add(file, key, wrong)
    for name, lines in (
        ("dangerous", sum(len(lines) for _, form in forms for lines in form.dangerous.values())),
        ("harmless", sum(len(lines) for _, form in forms for lines in form.harmless.values())),
    ):
        if forms and lines < FEWEST:
            reason = f"all files together have {lines} {name} lines; from fewer than {FEWEST} nothing can be learnt"
            folder.add("dangers/", name, reason)
    _check_sides(folder, forms)


def _wrong_watch(form: DangerExamplesFile, folder: Folder) -> str | None:
    if form.watch is None:
        return (
            "says which danger these sentences tell of: add watch, a code of watchwords.toml"
            if form.dangerous
            else None
        )
    watchwords = folder.form(WATCHWORDS, WatchwordsFile)
    dangers = None if watchwords is None else sorted(watch.code for watch in watchwords.watch if watch.danger)
    if dangers is None or form.watch in dangers:
        return None
    return f"{WATCHWORDS} has no watch {form.watch} with danger = true; there are: {', '.join(dangers) or 'none'}"


def _wrong_lines(form: DangerExamplesFile, known: Known) -> Iterator[tuple[str, str]]:
    for side, by_language in (("dangerous", form.dangerous), ("harmless", form.harmless)):
        for language, lines in by_language.items():
            key = f"{side}.{language}"
            if language not in known.languages:
                yield key, f"{language} is not a language of this city (city.toml: languages)"
            if twice := doubled(lines):
                yield key, f"'{twice[0]}' stands here twice; remove one"
            yield from (
                (key, f"'{line[:40]}' has braces that do not fit; write {{one/other}}")
                for line in lines
                if not is_well_formed(line)
            )
            yield from (
                (key, f"'{line[:40]}...' is longer than {LONGEST} characters; one or two sentences are enough")
                for line in lines
                if len(line) > LONGEST
            )


def _check_sides(folder: Folder, forms: list[tuple[PurePosixPath, DangerExamplesFile]]) -> None:
    """The same line cannot be both."""
    harmless = {line for _, form in forms for lines in form.harmless.values() for line in lines}
    for file, form in forms:
        for language, lines in form.dangerous.items():
            both = [line for line in lines if line in harmless]
            if both:
                folder.add(file, f"dangerous.{language}", f"'{both[0]}' stands under harmless too; decide for one")
