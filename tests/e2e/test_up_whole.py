"""`huisheng up` with everything in it: what it writes down for a person and for programs, and that it goes on where it was."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from supervision.system import answers
from tests.integration.systems import System, are_gone

pytestmark = pytest.mark.e2e


def test_up_brings_up_the_whole_system_and_says_how_to_reach_it(tmp_path: Path) -> None:
    system = System(tmp_path / "var", only="")
    with system.up() as up:
        family = up.family()
        assert list(up.children()) == ["postgres", "temporal", "worker", "api"]
        first = json.loads((system.var / "demo.json").read_text())
        assert first["api"] == f"http://127.0.0.1:{system.ports['api']}"
        assert first["temporal_address"] == f"127.0.0.1:{system.ports['temporal']}"
        assert first["temporal_ui"] == f"http://127.0.0.1:{system.ports['ui']}"
        for account in first["accounts"]:
            assert account.keys() >= {"username", "password", "roles", "departments", "lead"}
        assert {role for account in first["accounts"] for role in account["roles"]} >= {
            "dispatcher", "handler", "supervisor", "admin",
        }  # fmt: skip
        assert stat.S_IMODE((system.var / "demo.json").stat().st_mode) == 0o600
        for port, path in (("api", "/readyz"), ("api", "/docs"), ("ui", "/")):
            assert answers(system.ports[port], path), path
    assert are_gone(family)
    with system.up():
        assert json.loads((system.var / "demo.json").read_text()) == first


def test_up_stops_the_rest_when_the_worker_dies(tmp_path: Path) -> None:
    with System(tmp_path / "var", only="").up() as up:
        family = up.family()
        up.children()["worker"].kill()
        status, said = up.ends()
    assert status == 1
    assert "Worker has stopped by itself (killed by SIGKILL)." in said
    assert are_gone(family)
