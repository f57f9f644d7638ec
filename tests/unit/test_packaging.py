"""What ends up in the built package, and that the lock files are those of pyproject.toml."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGES = (
    "activities", "api", "chaos", "cli", "db", "demonstration", "domain", "policies", "supervision", "watching", "workflows",
)  # fmt: skip
DATA = {".css", ".geojson", ".html", ".js", ".sql", ".toml", ".txt"}


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("package")
    # A copy, because setuptools leaves a build folder where it builds.
    source = folder / "source"
    source.mkdir()
    subprocess.run(
        ["cp", "-R", *PACKAGES, "pyproject.toml", "settings.py", "worker.py", source], cwd=PROJECT, check=True
    )
    (source / "README.md").touch()
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*build, str(folder), str(source)], check=True)
    (package,) = folder.glob("huisheng-*.whl")
    return set(zipfile.ZipFile(package).namelist())


def test_package_holds_every_module_and_every_data_file(packed: set[str]) -> None:
    wanted = {
        str(path.relative_to(PROJECT))
        for name in PACKAGES
        for path in (PROJECT / name).rglob("*")
        if path.suffix in DATA | {".py"}
    }
    assert wanted | {"settings.py", "worker.py"} <= packed


def test_package_holds_no_tests(packed: set[str]) -> None:
    assert not {name for name in packed if name.startswith(("tests/", "benchmarks/", "var/"))}


@pytest.mark.parametrize(
    ("lock", "groups"),
    [("requirements.lock", ["build"]), ("requirements-dev.lock", ["build", "dev"])],
)
def test_lock_pins_what_the_project_asks_for(lock: str, groups: list[str]) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"]]
    asked += [requirement for group in groups for requirement in project["dependency-groups"][group]]
    names = {re.split(r"[><=\[; ]", requirement, maxsplit=1)[0].lower() for requirement in asked}
    assert names <= pinned(lock).keys()


def test_locks_agree_with_each_other() -> None:
    runtime, development = pinned("requirements.lock"), pinned("requirements-dev.lock")
    assert {name: version for name, version in development.items() if name in runtime} == runtime


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_lock_names_no_host_and_no_path(lock: str) -> None:
    text = (PROJECT / lock).read_text()
    assert not re.search(r"://|^-|\bfile:|index-url|find-links", text, re.MULTILINE)
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def pinned(lock: str) -> dict[str, list[str]]:
    """Package name -> its versions, one for each kind of environment."""
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", (PROJECT / lock).read_text(), re.MULTILINE):
        versions.setdefault(name, []).append(version)
    return versions
