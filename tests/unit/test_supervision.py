"""The rules of the supervisor that need no server: folders, secrets, logs, ports, leftovers, order."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from settings import Settings
from supervision.credentials import credentials
from supervision.errors import AlreadyRunning, DiskFull, GroundUnusable, PartFailed, PortTaken
from supervision.ground import Ground, write_private
from supervision.leftovers import end_leftovers, remember
from supervision.logs import rotated_log, tail
from supervision.parts import Part, Port, Step
from supervision.processes import Ending, start, stop
from supervision.supervisor import StopRequested, Supervisor
from supervision.system import Ports, System
from supervision.temporal import TemporalServer

QUICK = Ending(grace_seconds=0.3)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    ground = Ground(tmp_path / "var")
    ground.prepare()
    return ground


class Silence:
    def begins(self, title: str) -> None: ...
    def ready(self, title: str, seconds: float) -> None: ...
    def stops(self, title: str) -> None: ...


def a_supervisor(ground: Ground) -> Supervisor:
    return Supervisor(ground, dict(os.environ), Silence())


def a_step(code: str) -> Step:
    return Step("step", "The step", lambda: [sys.executable, "-c", code], within_seconds=10)


def test_ground_refuses_a_disk_with_too_little_room(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match=r"MB left, and \d+ MB are needed\. Make room"):
        Ground(tmp_path / "var").prepare(room_needed_bytes=2**62)


def test_ground_refuses_a_file_in_the_place_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    with pytest.raises(GroundUnusable, match="is a file"):
        Ground(tmp_path / "var").prepare()


def test_ground_is_held_by_one_at_a_time(ground: Ground) -> None:
    with ground.held():
        assert ground.is_held()
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"), ground.held():
            pytest.fail("two hold it")
    assert not ground.is_held()


def test_ground_clears_only_what_it_made(ground: Ground) -> None:
    (ground.root / "photo.jpg").touch()
    ground.postgres.mkdir()
    (ground.root / "temporal.1.8.0").mkdir()
    ground.clear()
    assert [path.name for path in ground.root.iterdir()] == ["photo.jpg"]


def a_store(ground: Ground, written_by: str, content: str) -> TemporalServer:
    server = TemporalServer(ground.temporal, 0)
    ground.temporal.mkdir()
    server.database.write_text(content)
    (ground.temporal / "version.txt").write_text(written_by)
    return server


def test_store_of_another_temporal_is_set_aside_and_an_empty_one_takes_its_place(ground: Ground) -> None:
    for content in ("first", "second"):
        server = a_store(ground, "temporal version 1.8.0 (Server 1.31.0)", content)
        server.prepare()
        assert not server.database.exists()
        assert (ground.temporal / "version.txt").read_text() == server.version()
        shutil.rmtree(ground.temporal)
    assert [folder.name for folder in ground.temporal_set_aside] == ["temporal.1.8.0", "temporal.1.8.0-2"]
    assert [(folder / "temporal.db").read_text() for folder in ground.temporal_set_aside] == ["first", "second"]


def test_what_was_set_aside_is_kept_as_long_as_closed_runs_are(ground: Ground) -> None:
    server = a_store(ground, "temporal version 1.8.0 (Server 1.31.0)", "old")
    os.utime(ground.temporal, (0, 0))
    server.prepare()
    (aside,) = ground.temporal_set_aside
    now = time.time()
    for days, is_kept in ((29, True), (31, False)):
        os.utime(aside, (now - days * 86_400, now - days * 86_400))
        server.prepare()
        assert aside.exists() == is_kept


def test_store_of_this_temporal_stays_where_it_is(ground: Ground) -> None:
    server = a_store(ground, TemporalServer(ground.temporal, 0).version(), "kept")
    server.prepare()
    assert server.database.read_text() == "kept"
    assert ground.temporal_set_aside == []


def test_private_file_is_replaced_as_a_whole_and_read_by_its_owner_only(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", "first")
    write_private(tmp_path / "secret", "second")
    assert (tmp_path / "secret").read_text() == "second"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_credentials_are_made_once_and_differ_between_installations(ground: Ground, tmp_path: Path) -> None:
    elsewhere = Ground(tmp_path / "elsewhere")
    elsewhere.prepare()
    first, again, other = credentials(ground), credentials(ground), credentials(elsewhere)
    assert first == again
    assert not {first.postgres_password, first.keys, first.demonstration_password} & {
        other.postgres_password, other.keys, other.demonstration_password,
    }  # fmt: skip
    assert first.keys not in repr(first)


def test_credentials_are_not_made_anew_for_old_data(ground: Ground) -> None:
    credentials(ground)
    (ground.postgres / "data").mkdir(parents=True)
    (ground.secrets / "keys").unlink()
    with pytest.raises(GroundUnusable, match="cannot be read without it"):
        credentials(ground)


def test_system_tells_its_parts_settings_that_they_accept(ground: Ground, tmp_path: Path) -> None:
    system = System(ground, Ports(api=18000, temporal=17233), credentials(ground), tmp_path)
    settings = Settings.from_environment(system.settings())
    assert settings.demo
    assert settings.public_url == "http://127.0.0.1:18000"
    assert settings.temporal_address == "127.0.0.1:17233"
    assert settings.policy_dir == tmp_path


def test_system_shields_its_parts_from_other_clusters(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_API_KEY", "for the cloud")
    monkeypatch.setenv("PGHOST", "elsewhere.example")
    environment = System(ground, Ports(), credentials(ground), tmp_path).environment()
    assert "TEMPORAL_API_KEY" not in environment
    assert "PGHOST" not in environment


def test_system_starts_in_the_order_in_which_its_parts_need_each_other(ground: Ground, tmp_path: Path) -> None:
    system = System(ground, Ports(), credentials(ground), tmp_path)
    names = [item.name for item in system.sequence()]
    assert names == ["postgres", "temporal", "migrations", "policy", "staff", "worker", "api"]
    assert [item.name for item in system.sequence(["api", "postgres"])] == ["postgres", "api"]


def test_log_keeps_the_previous_start_and_its_tail_can_be_read(tmp_path: Path) -> None:
    rotated_log(tmp_path, "api").write_text("first start")
    rotated_log(tmp_path, "api").write_text("x" * 5000 + "the end")
    assert (tmp_path / "api.previous.log").read_text() == "first start"
    assert tail(tmp_path / "api.log", 7) == "the end"
    assert tail(tmp_path / "missing.log") == ""


def test_port_in_use_is_named_with_the_way_to_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = Port(other.getsockname()[1], "--api-port", "HUISHENG_API_PORT")
        with pytest.raises(PortTaken, match=r"which API needs.*--api-port NUMBER or HUISHENG_API_PORT=NUMBER"):
            port.require_free("API")


def test_stop_kills_a_process_that_ignores_the_request_and_its_children() -> None:
    stubborn = "import signal, subprocess, sys; signal.signal(15, signal.SIG_IGN); print('on', flush=True); subprocess.run(['sleep', '60'])"
    process = start([sys.executable, "-c", stubborn], ending=QUICK, output=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"on\n"
    assert stop(process, QUICK) is False
    # The child held the other end of the pipe: it closes when the child is gone too.
    assert process.stdout.read() == b""
    process.stdout.close()


def test_started_process_is_nicer_and_leads_a_group_of_its_own() -> None:
    code = "import os; print(os.nice(0), os.getpgid(0) == os.getpid())"
    process = start([sys.executable, "-c", code], ending=QUICK, output=subprocess.PIPE, niceness=5)
    output, _ = process.communicate(timeout=120)
    assert output.decode().split() == [str(os.nice(0) + 5), "True"]


def test_leftovers_of_an_earlier_start_are_ended(ground: Ground) -> None:
    process = start(["sleep", "60"], ending=QUICK, output=subprocess.DEVNULL)
    time.sleep(0.1)
    remember(ground, [("worker", process.pid, signal.SIGTERM)])
    end_leftovers(ground)
    assert process.wait(60) == -signal.SIGTERM


def test_leftovers_spare_a_stranger_with_the_same_process_number(ground: Ground) -> None:
    process = start(["sleep", "60"], ending=QUICK, output=subprocess.DEVNULL)
    try:
        remember(ground, [("worker", process.pid, signal.SIGTERM)])
        file = ground.run / "children.json"
        text = file.read_text()
        earlier = text.replace('"started_at": 1', '"started_at": 0')
        assert earlier != text
        file.write_text(earlier)
        end_leftovers(ground)
        assert process.poll() is None
    finally:
        stop(process, QUICK)


def test_step_that_fails_says_why_in_the_words_of_the_command(ground: Ground) -> None:
    with pytest.raises(PartFailed, match=r"The step failed: departments\.toml: no lead\. Its last lines"):
        a_supervisor(ground).bring_up([a_step("import sys; sys.exit('departments.toml: no lead')")])


def test_step_that_breaks_shows_no_stack_trace(ground: Ground) -> None:
    with pytest.raises(PartFailed) as failed:
        a_supervisor(ground).bring_up([a_step("1 / 0")])
    assert "Traceback" not in str(failed.value)
    assert "step.log" in str(failed.value)


def test_step_that_finds_no_room_is_told_as_a_full_disk(ground: Ground) -> None:
    with pytest.raises(DiskFull, match="is full"):
        a_supervisor(ground).bring_up([a_step("import errno; raise OSError(errno.ENOSPC, 'No space left on device')")])


def test_step_hands_on_what_it_printed(ground: Ground) -> None:
    kept: list[str] = []
    a_supervisor(ground).bring_up([Step("step", "The step", lambda: ["echo", "accounts"], kept.append)])
    assert kept == ["accounts\n"]


def test_part_that_is_never_ready_fails_with_its_name(ground: Ground) -> None:
    supervisor = a_supervisor(ground)
    part = Part("slow", "The slow part", lambda: ["sleep", "60"], lambda: False, ending=QUICK, ready_within_seconds=0.2)
    try:
        with pytest.raises(PartFailed, match="The slow part was not ready within"):
            supervisor.bring_up([part])
    finally:
        supervisor.stop_all()


def test_part_that_dies_while_starting_fails_with_its_exit_status(ground: Ground) -> None:
    part = Part("weak", "The weak part", lambda: ["false"], lambda: False)
    with pytest.raises(PartFailed, match=r"The weak part has stopped by itself \(exit status 1\)"):
        a_supervisor(ground).bring_up([part])


def test_request_to_stop_is_heard_while_a_part_is_starting(ground: Ground) -> None:
    def asks_to_stop() -> bool:
        signal.raise_signal(signal.SIGTERM)
        return False

    supervisor = a_supervisor(ground)
    with supervisor.listening_to_signals():
        with pytest.raises(StopRequested):
            supervisor.bring_up([Part("slow", "The slow part", lambda: ["sleep", "60"], asks_to_stop, ending=QUICK)])
        supervisor.stop_all()
    assert not (ground.run / "children.json").exists()
