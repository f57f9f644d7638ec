"""The deployment on real servers, read by a real Compose implementation: order, health, secrets, what is published."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from supervision.temporal import RETENTION_DAYS, SEARCH_ATTRIBUTES

PROJECT = Path(__file__).parents[2]
COMPOSE_FILE = PROJECT / "docker-compose.yml"
SECRETS = {
    "POSTGRES_PASSWORD": "one",
    "HUISHENG_DATABASE_PASSWORD": "two",
    "TEMPORAL_DATABASE_PASSWORD": "three",
    "HUISHENG_KEYS": "1:four",
    "HUISHENG_PUBLIC_URL": "https://city.example",
}
RUNS_TO_ITS_END = {"temporal-schema", "temporal-init", "migrate", "policy"}

Services = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """podman-compose asks the engine for its version before it reads a file, and for nothing else."""
    program = tmp_path_factory.mktemp("engine") / "podman"
    program.write_text("#!/bin/sh\necho podman version 5.0.0\n")
    program.chmod(0o755)
    return program


@pytest.fixture(scope="module")
def services(engine: Path) -> Services:
    result = compose_config(engine, SECRETS)
    assert result.returncode == 0, result.stderr
    services: Services = yaml.safe_load(result.stdout)["services"]
    return services


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_compose_refuses_to_start_without_each_secret(engine: Path, missing: str) -> None:
    result = compose_config(engine, {name: value for name, value in SECRETS.items() if name != missing})
    assert f"{missing} is missing a value: put" in result.stderr
    assert "services:" not in result.stdout


def test_compose_file_holds_no_secret_of_its_own() -> None:
    secret = re.compile(r"^\s+\w*(?:PASSWORD|PWD|KEYS|SECRET|TOKEN)\w*: (?P<value>.*)$", re.MULTILINE)
    values = [match["value"] for match in secret.finditer(COMPOSE_FILE.read_text())]
    assert len(values) >= 8
    assert [value for value in values if not re.fullmatch(r"\$\{\w+(:\?[^}]+|:-)\}", value)] == []


def test_example_environment_names_every_secret_and_holds_none() -> None:
    lines = (PROJECT / "deploy" / "example.env").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert given == dict.fromkeys(SECRETS, "")


def test_compose_services_are_those_of_the_architecture(services: Services) -> None:
    assert set(services) == {
        "postgres", "temporal-schema", "temporal", "temporal-init", "temporal-ui", "migrate", "policy", "api", "worker",
        "kannel", "prometheus", "grafana",
    }  # fmt: skip


def test_compose_images_are_pinned_to_a_version(services: Services) -> None:
    for name, service in services.items():
        assert re.search(r":v?\d+\.\d+(\.\d+)?([-.\w]*)$", service["image"]), name
    for dockerfile in (PROJECT / "Dockerfile", PROJECT / "deploy" / "kannel" / "Dockerfile"):
        bases = re.findall(r"^FROM (\S+)", dockerfile.read_text(), re.MULTILINE)
        assert bases
        assert all(re.search(r":\d+\.\d+", base) for base in bases)


def test_compose_watches_the_health_of_all_that_keeps_running_and_starts_it_again(services: Services) -> None:
    for name, service in services.items():
        if name in RUNS_TO_ITS_END:
            assert service["restart"] == "on-failure:5", name
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"][0] == "CMD", name


@pytest.mark.parametrize(
    ("service", "waits_for", "until"),
    [
        ("temporal-schema", "postgres", "service_healthy"),
        ("temporal", "temporal-schema", "service_completed_successfully"),
        ("temporal-init", "temporal", "service_healthy"),
        ("temporal-ui", "temporal", "service_healthy"),
        ("migrate", "postgres", "service_healthy"),
        ("policy", "migrate", "service_completed_successfully"),
        ("api", "policy", "service_completed_successfully"),
        ("worker", "policy", "service_completed_successfully"),
        ("worker", "temporal-init", "service_completed_successfully"),
    ],
)
def test_compose_starts_in_order(services: Services, service: str, waits_for: str, until: str) -> None:
    assert services[service]["depends_on"][waits_for]["condition"] == until


def test_compose_lets_the_api_hear_citizens_while_temporal_is_down(services: Services) -> None:
    waited_for: set[str] = set()
    todo = ["api"]
    while todo:
        todo.extend(new := set(services[todo.pop()].get("depends_on", {})) - waited_for)
        waited_for |= new
    assert not {name for name in waited_for if name.startswith("temporal")}


def test_compose_publishes_only_what_people_open_and_only_to_its_own_machine(services: Services) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {
        "api": ["127.0.0.1:8000:8000"],
        "temporal-ui": ["127.0.0.1:8080:8080"],
        "grafana": ["127.0.0.1:3000:3000"],
    }


def test_compose_gives_figures_of_workers_to_whoever_has_the_token_and_else_to_nobody(
    engine: Path, services: Services
) -> None:
    assert not services["worker"]["environment"]["HUISHENG_WORKER_METRICS"]
    told = yaml.safe_load(compose_config(engine, SECRETS | {"HUISHENG_METRICS_TOKEN": "a long token"}).stdout)
    assert told["services"]["worker"]["environment"]["HUISHENG_WORKER_METRICS"] == "0.0.0.0:9464"
    for name in ("api", "worker", "prometheus"):
        assert told["services"][name]["environment"]["HUISHENG_METRICS_TOKEN"] == "a long token"


def test_compose_keeps_its_data_in_volumes(services: Services) -> None:
    assert "postgres:/var/lib/postgresql" in services["postgres"]["volumes"]
    assert "kannel:/var/spool/kannel" in services["kannel"]["volumes"]


def test_compose_runs_two_workers_and_lets_them_finish(services: Services) -> None:
    assert services["worker"]["deploy"]["replicas"] == 2
    assert services["worker"]["stop_grace_period"] == "40s"


def test_compose_mounts_only_files_that_exist(services: Services) -> None:
    sources = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    # The gateway's configuration holds its passwords: the city copies it from the example beside it.
    ours = {source for source in sources if source.startswith("./")} - {"./deploy/kannel/kannel.conf"}
    assert ours
    assert [source for source in ours if not (PROJECT / source).exists()] == []
    assert (PROJECT / "deploy" / "kannel" / "kannel.conf.example").is_file()


def test_deployed_namespace_has_the_search_attributes_and_the_retention_of_make_up(services: Services) -> None:
    script = (PROJECT / "deploy" / "temporal" / "namespace.sh").read_text()
    assert dict(re.findall(r"\b([A-Z]\w+)=(Keyword|Int|Datetime)\b", script)) == dict(SEARCH_ATTRIBUTES)
    assert services["temporal-init"]["environment"]["RETENTION"] == f"{RETENTION_DAYS * 24}h"


@pytest.mark.parametrize("script", sorted((PROJECT / "deploy").rglob("*.sh")), ids=lambda script: script.name)
def test_deployment_script_is_valid_shell(script: Path) -> None:
    assert subprocess.run(["sh", "-n", str(script)], capture_output=True, check=False).returncode == 0


@cache
def environment_without_ours() -> dict[str, str]:
    ours = ("HUISHENG_", "POSTGRES_", "TEMPORAL_", "COMPOSE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def compose_config(engine: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What Compose makes of the file, with these variables and without the .env that a developer may have."""
    file = engine.with_name("variables.env")
    file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    arguments = ["--podman-path", str(engine), "--env-file", str(file), "-f", str(COMPOSE_FILE)]
    arguments += ["--profile", "kannel", "--profile", "watch"]
    return subprocess.run(
        [sys.executable, "-m", "podman_compose", *arguments, "config"],
        capture_output=True, text=True, env=environment_without_ours(), check=False,
    )  # fmt: skip
