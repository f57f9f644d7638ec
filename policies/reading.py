"""Reading a policy folder: every file of it into its form, and every mistake of form that a file has by itself."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from domain.notices import NoticeKind
from policies.mistakes import Mistake, did_you_mean, mistakes_of
from policies.schema import FOLDERS, OPTIONAL_FILES, OPTIONAL_FOLDERS, SINGLE_FILES, model_of

LARGEST_FILE = 20_000_000
CHANNELS = ("sms",)
WORDS = "words.toml"
_COMPANIONS = frozenset({"README.md", "README.zh-CN.md", "LICENSE"})
_TOML_PLACE = re.compile(r"(.*) \((?:at (line \d+), column \d+|at (end of document))\)", re.DOTALL)

Model = TypeVar("Model", bound=BaseModel)


@dataclass
class Folder:
    """What could be read: forms by file, texts of notices by (language, kind, channel), and the mistakes so far.

    `warnings` are what a city may want so, and should know of; they do not keep a folder from being loaded.
    A form lacks those entries of its lists that have mistakes; `raw` is each file as it was written.
    """

    raw: dict[PurePosixPath, Any] = field(default_factory=dict)
    unreadable: set[PurePosixPath] = field(default_factory=set)
    forms: dict[PurePosixPath, BaseModel] = field(default_factory=dict)
    texts: dict[tuple[str, str, str], str] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)

    def form(self, name: str, kind: type[Model]) -> Model | None:
        """The form of a single file; None where it could not be read."""
        found = self.forms.get(PurePosixPath(name))
        return found if isinstance(found, kind) else None

    def forms_in(self, folder: str, kind: type[Model]) -> Iterator[tuple[PurePosixPath, Model]]:
        """The forms of a folder in the order of their names."""
        for file, found in sorted(self.forms.items()):
            if file.parts[0] == folder and isinstance(found, kind):
                yield file, found

    def codes(self, name: str, *path: str) -> frozenset[str] | None:
        """The codes that the entries of a list in that file claim, those with mistakes too; None if it is not readable."""
        data = self.raw.get(PurePosixPath(name))
        entries = data.get(path[0]) if isinstance(data, Mapping) else None
        if not isinstance(entries, list):
            return None
        for step in path[1:]:
            entries = [entry.get(step) for entry in entries if isinstance(entry, Mapping)]
        claimed = (entry.get("code") for entry in entries if isinstance(entry, Mapping))
        return frozenset(code for code in claimed if isinstance(code, str))

    def add(self, file: str | PurePosixPath, key: str, reason: str) -> None:
        self.mistakes.append(Mistake(str(file), key, reason))

    def warn(self, file: str | PurePosixPath, key: str, reason: str) -> None:
        self.warnings.append(Mistake(str(file), key, reason))


def read_folder(path: Path) -> Folder:
    """Everything in the folder, read and checked file by file."""
    folder = Folder()
    if not path.is_dir():
        folder.add(".", "", f"there is no folder {path}")
        return folder
    if not any((path / name).exists() for name in SINGLE_FILES):
        folder.add(".", "", f"{path} is not a policy folder; one has the files {', '.join(sorted(SINGLE_FILES))}")
        return folder
    seen = set()
    for file in _files(path, folder):
        seen.add(file)
        _read_file(path, file, folder)
    for name in sorted(SINGLE_FILES.keys() - OPTIONAL_FILES - {str(file) for file in seen}):
        folder.add(name, "", "this file is missing; add it")
    for name in sorted(FOLDERS.keys() - OPTIONAL_FOLDERS):
        if not any(file.parts[0] == name for file in seen):
            folder.add(f"{name}/", "", "this folder has no TOML file; add at least one")
    return folder


def _files(root: Path, folder: Folder) -> Iterator[PurePosixPath]:
    """The files below the root in order of name, without hidden ones; links that lead out of it are mistakes."""
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in [*folders, *sorted(names)]:
            path = Path(place, name)
            file = PurePosixPath(path.relative_to(root).as_posix())
            if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
                folder.add(file, "", "is a link that leads out of the policy folder; put the file itself here")
            elif path.is_symlink() and not path.is_file():
                folder.add(file, "", "is a link to nothing or to a folder; put the files themselves here")
            elif name in names and not name.startswith(".") and name not in _COMPANIONS:
                yield file


def _read_file(root: Path, file: PurePosixPath, folder: Folder) -> None:
    model, text_key = model_of(file), _text_key(file)
    if model is None and text_key is None:
        folder.add(file, "", f"is not a file of a policy; correct its name or remove it.{_like_known(file)}")
        return
    text = _text_of(root / file, file, folder)
    if text is None:
        folder.unreadable.add(file)
        return
    if text_key is not None:
        folder.texts[text_key] = text.strip()
    elif model is not None:
        _read_form(text, file, model, folder)


def _text_of(path: Path, file: PurePosixPath, folder: Folder) -> str | None:
    try:
        if path.stat().st_size > LARGEST_FILE:
            folder.add(file, "", f"is larger than {LARGEST_FILE // 1_000_000} MB; simplify it")
            return None
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        folder.add(file, f"byte {error.start + 1}", "this is not UTF-8; save the file in the encoding UTF-8")
    except OSError as error:
        folder.add(file, "", f"cannot be read ({error.strerror}); see to its permissions")
    return None


def _read_form(text: str, file: PurePosixPath, model: type[BaseModel], folder: Folder) -> None:
    data = (_toml if file.suffix == ".toml" else _json)(text, file, folder)
    if data is None:
        folder.unreadable.add(file)
        return
    folder.raw[file] = data
    try:
        folder.forms[file] = model.model_validate(data)
    except ValidationError as error:
        folder.mistakes += mistakes_of(str(file), error, model, data)
        rest = _without_faulty_entries(error, data)
        if rest is not None:
            folder.forms[file] = model.model_validate(rest)


def _without_faulty_entries(error: ValidationError, data: Any) -> dict[str, Any] | None:
    """The file without the list entries that have mistakes, so that the good ones are still checked against each other.

    None where a mistake lies elsewhere, or a list would be empty.
    """
    faulty = {detail["loc"][:2] for detail in error.errors()}
    if not all(len(place) == 2 and isinstance(place[1], int) for place in faulty):
        return None
    lists = {str(name) for name, _ in faulty}
    rest = {name: [entry for number, entry in enumerate(data[name]) if (name, number) not in faulty] for name in lists}
    return {**data, **rest} if all(rest.values()) else None


def _toml(text: str, file: PurePosixPath, folder: Folder) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PLACE.fullmatch(str(error))
        place, trouble = (found[2] or found[3], found[1]) if found else ("", str(error))
        folder.add(file, place, f"this is not TOML: {trouble}")
    except ValueError:
        folder.add(file, "", "has a number that is longer than any")
    except RecursionError:
        folder.add(file, "", "is nested too deeply")
    return None


def _json(text: str, file: PurePosixPath, folder: Folder) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not a number")

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        folder.add(file, f"line {error.lineno}", f"this is not JSON: {error.msg}")
    except (ValueError, RecursionError) as error:
        folder.add(file, "", f"this is not JSON: {error}")
    return None


def _text_key(file: PurePosixPath) -> tuple[str, str, str] | None:
    """texts/<language>/<kind>/<channel>.txt"""
    if len(file.parts) != 4 or file.parts[0] != "texts" or file.suffix != ".txt":
        return None
    _, language, kind, _ = file.parts
    return (language, kind, file.stem) if kind in set(NoticeKind) and file.stem in CHANNELS else None


def _like_known(file: PurePosixPath) -> str:
    if file.parts[0] != "texts":
        return did_you_mean(str(file), SINGLE_FILES)
    if len(file.parts) == 4 and file.parts[2] not in set(NoticeKind):
        return did_you_mean(file.parts[2], set(NoticeKind))
    return f" Texts are texts/<language>/<notice>/{CHANNELS[0]}.txt and texts/<language>/{WORDS}."
