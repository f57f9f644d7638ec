"""What README and docs/ say is true: generated pages are current, links lead somewhere, commands and addresses exist."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import click
import pytest
from pydantic import BaseModel

from api.app import create_app
from cli.main import huisheng
from cli.process_page import render_process_page
from domain.lifecycle import TRANSITIONS, Action
from domain.notices import NoticeKind
from domain.request import Outcome, Role, State
from domain.texts import TIMELINE_PLACEHOLDERS, allowed_placeholders
from policies.schema import FOLDERS, SINGLE_FILES, WordsFile
from settings import Settings

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
README, CHINESE_README = PROJECT / "README.md", PROJECT / "README.zh-CN.md"
PAGES = [README, CHINESE_README, PROJECT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
SOURCES = ("*.py", "*.sh", "*.yml", "*.toml", "*.env", "Makefile")
SECRETS = {"DATABASE_URL": "postgresql://nobody@nowhere:5432/nothing", "HUISHENG_KEYS": "1:" + "A" * 43 + "="}

FENCE = re.compile(r"^ *(?P<fence>```|~~~)(?P<info>\S*)[^\n]*\n(?P<body>.*?)^ *(?P=fence)$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ARROW = re.compile(r"^\s*(\S+) --> (\w+)", re.MULTILINE)
COMMENT = re.compile(r"\s*(?:#|%%) .*$", re.MULTILINE)
# What is said to people differs from language to language.
SAID = re.compile(r'("(?:description|reply|place|language|\w*name)": ?)"[^"]*"|(?<=Accept-Language: )\w+')
TO_THE_LETTER = ("sh", "json")


def name_of(page: Path) -> str:
    return str(page.relative_to(PROJECT))


def prose(text: str) -> str:
    """The text without its code blocks."""
    return FENCE.sub("", text)


def blocks(text: str, info: str | None = None) -> list[str]:
    """The code blocks, or those of one language."""
    return [found["body"] for found in FENCE.finditer(text) if info in (None, found["info"])]


def code(text: str) -> Iterator[str]:
    """Every command line: of shell blocks, with lines that go on joined, and of code within sentences."""
    for block in blocks(text, "sh"):
        yield from COMMENT.sub("", block.replace("\\\n", " ")).splitlines()
    yield from re.findall(r"`([^`\n]+)`", prose(text))


def slug(heading: str) -> str:
    """The anchor that code hosts give a heading."""
    kept = (char for char in heading.lower() if char in " -_" or unicodedata.category(char)[0] in "LN")
    return "".join(kept).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {slug(title) for _, title in HEADING.findall(prose(page.read_text()))}


def test_process_page_is_the_one_of_the_tables() -> None:
    assert (DOCS / "process.md").read_text() == render_process_page(), "Run: huisheng docs process > docs/process.md"


@pytest.mark.parametrize("word", [*Action, *State, *NoticeKind])
def test_process_page_leaves_nothing_out(word: str) -> None:
    assert f"`{word}`" in render_process_page()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_to_something(page: Path) -> None:
    broken = []
    for target in LINK.findall(prose(page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_of_huisheng_exist(page: Path) -> None:
    wrong = [fault for line in code(page.read_text()) for fault in faults_of_huisheng(line)]
    assert wrong == []


def faults_of_huisheng(line: str) -> Iterator[str]:
    """What a call of `huisheng` in that line names and the program does not have."""
    called = re.search(r"(?:^|[ /(])huisheng +(?P<words>(?:[a-z]|--)[^|>&;)]*)", line)
    if called is None:
        return
    command: click.Command = huisheng
    for word in shlex.split(called["words"]):
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = command.get_command(click.Context(command), word)
            if found is None:
                yield f"{line}: no command {word}"
                return
            command = found
        elif word.startswith("--"):
            options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
            if word.partition("=")[0] not in options:
                yield f"{line}: no option {word}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_of_make_exist(page: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for line in code(page.read_text()):
        called = re.match(r"make((?: [\w=./\"-]+)+)$", line.strip())
        for word in shlex.split(called[1]) if called else []:
            name, assigned, _ = word.partition("=")
            assert f"$({name}" in makefile if assigned else name in targets, line


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_variables_exist(page: Path) -> None:
    named = set(re.findall(r"\bHUISHENG_[A-Z_]+\b", page.read_text()))
    places = [path for pattern in SOURCES for folder in ("", "*/", "*/*/") for path in PROJECT.glob(folder + pattern)]
    known = {name for path in places for name in re.findall(r"\bHUISHENG_[A-Z_]+\b", path.read_text(errors="ignore"))}
    assert named <= known


def test_every_setting_is_explained() -> None:
    read = (PROJECT / "settings.py").read_text()
    page = (DOCS / "deploy.md").read_text()
    settings = set(re.findall(r"""\(\s*"((?:HUISHENG|TEMPORAL|DATABASE)_[A-Z_]+)\"""", read))
    assert len(settings) >= 15
    assert {name for name in settings if f"`{name}`" not in page} == set()


@cache
def addresses() -> list[re.Pattern[str]]:
    paths = create_app(Settings.from_environment(SECRETS)).openapi()["paths"]
    return [re.compile(re.sub(r"{\w+}", "[^/]+", path)) for path in paths]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_addresses_of_the_interface_exist(page: Path) -> None:
    """What curl calls, with variables for the parts that differ."""
    for line in code(page.read_text()):
        for called in re.findall(r"curl .*?(?:\$API|http://127\.0\.0\.1:8000)(/[^\s\"'?]*)", line):
            path = f"/api/v1{called}" if "$API" in line else called
            assert any(pattern.fullmatch(path) for pattern in addresses()), line


def test_readmes_have_the_same_chapters() -> None:
    levels = [
        [len(marks) for marks, _ in HEADING.findall(prose(page.read_text()))] for page in (README, CHINESE_README)
    ]
    assert levels[0] == levels[1]


def test_readmes_have_the_same_commands_and_answers() -> None:
    """All but comments, words to and of people, and the labels of pictures, which each language has its own."""
    ours, theirs = (list(FENCE.finditer(page.read_text())) for page in (README, CHINESE_README))
    assert [found["info"] for found in ours] == [found["info"] for found in theirs]
    for one, other in zip(ours, theirs, strict=True):
        if one["info"] in TO_THE_LETTER:
            assert SAID.sub(r"\1", COMMENT.sub("", one["body"])) == SAID.sub(r"\1", COMMENT.sub("", other["body"]))
        assert ARROW.findall(one["body"]) == ARROW.findall(other["body"])


def test_readmes_point_to_the_same_places() -> None:
    ours, theirs = (LINK.findall(prose(page.read_text())) for page in (README, CHINESE_README))
    assert set(ours) - {CHINESE_README.name} == set(theirs) - {README.name}


@pytest.mark.parametrize("page", [README, CHINESE_README], ids=name_of)
def test_picture_of_the_process_shows_moves_of_the_table(page: Path) -> None:
    (picture,) = blocks(page.read_text(), "mermaid")
    moves = {(source, target) for row in TRANSITIONS for source in row.sources or {"[*]"} for target in row.targets}
    assert set(ARROW.findall(picture)) <= {(str(source), str(target)) for source, target in moves}


@pytest.mark.parametrize("word", [*State, *Role, *Outcome])
def test_glossary_explains_every_state_role_and_outcome(word: str) -> None:
    assert f"\n| `{word}` | " in (DOCS / "glossary.md").read_text()


def keys_of(model: type[BaseModel]) -> Iterator[str]:
    """The names of all fields of a form, those of the forms within it included."""
    for name, field in model.model_fields.items():
        yield name
        for inner in forms_in(field.annotation):
            yield from keys_of(inner)


def forms_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (list, dict, tuple, Union, UnionType, Annotated):
        for part in get_args(annotation):
            yield from forms_in(part)


POLICY_PAGE = "policy.md"
SKIPPED = {"type", "bbox", "coordinates", "features"}
"""GeoJSON's own words."""


@pytest.mark.parametrize("file", [*SINGLE_FILES, *(f"{folder}/" for folder in FOLDERS)])
def test_policy_page_explains_every_file(file: str) -> None:
    assert f"\n## {file}" in (DOCS / POLICY_PAGE).read_text()


def test_policy_page_explains_every_key() -> None:
    page = (DOCS / POLICY_PAGE).read_text()
    forms: list[type[BaseModel]] = [*SINGLE_FILES.values(), *FOLDERS.values(), WordsFile]
    left_out = {key for form in forms for key in keys_of(form) if not re.search(rf"[`.]{key}`", page)}
    assert left_out - SKIPPED == set()


def test_policy_page_names_every_notice_with_its_placeholders() -> None:
    page = (DOCS / POLICY_PAGE).read_text()
    rows = {cells[0].strip("` "): cells[1] for line in page.splitlines() if (cells := line.split("|")[1:-1])}
    for kind in NoticeKind:
        assert set(re.findall(r"\{(\w+)\}", rows.get(kind, ""))) == allowed_placeholders(kind), kind
    assert all(f"{{{name}}}" in page for name in TIMELINE_PLACEHOLDERS)
