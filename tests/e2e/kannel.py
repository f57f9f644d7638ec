"""A real Kannel for tests, as deploy/kannel configures it, with a fake SMS centre in place of the operator's."""

from __future__ import annotations

import re
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.servers import free_port

DEPLOYED = Path(__file__).parents[2] / "deploy" / "kannel"
FAKE_CENTRE = Path("/usr/lib/kannel/test/fakesmsc")
USER, PASSWORD = "huisheng", "a-password-for-tests"
FAKE_OPERATOR = "group = smsc\nsmsc = fake\nsmsc-id = operator\nport = {port}\nconnect-allow-ip = 127.0.0.1\n"


def is_installed() -> bool:
    return bool(shutil.which("bearerbox") and shutil.which("smsbox") and FAKE_CENTRE.exists())


@dataclass
class Kannel:
    """Its programs by name, each started and stopped on its own."""

    home: Path
    ports: dict[str, int] = field(
        default_factory=lambda: {n: free_port() for n in ("admin", "box", "sendsms", "centre")}
    )
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['sendsms']}/cgi-bin/sendsms"

    def configure(self) -> None:
        (self.home / "messages").mkdir(parents=True)
        text = (DEPLOYED / "kannel.conf.example").read_text()
        text = text[: text.index("group = smsc\n")] + FAKE_OPERATOR.format(port=self.ports["centre"])
        changes = {
            "13000": str(self.ports["admin"]),
            "13001": str(self.ports["box"]),
            "13013": str(self.ports["sendsms"]),
            "/var/spool/kannel": str(self.home),
            "<a long random word>": "an-admin-password",
            "<HUISHENG_KANNEL_USER>": USER,
            "<HUISHENG_KANNEL_PASSWORD>": PASSWORD,
            "http-queue-delay = 10": "http-queue-delay = 1",
        }
        for told, meant in changes.items():
            assert told in text, told
            text = text.replace(told, meant)
        (self.home / "kannel.conf").write_text(text)
        with sqlite3.connect(self.home / "receipts.db") as database:
            database.executescript((DEPLOYED / "receipts.sql").read_text())

    def start(self) -> None:
        self.start_boxes()
        self.start_centre()

    def start_boxes(self) -> None:
        self.start_bearerbox()
        self._run("smsbox", ["smsbox", "-v", "3", "kannel.conf"])
        self.wait_for(lambda: self._listens("sendsms"))

    def start_bearerbox(self) -> None:
        self._run("bearerbox", ["bearerbox", "-v", "3", "kannel.conf"])
        self.wait_for(lambda: self._listens("box"))

    def start_centre(self) -> None:
        """It answers each message with a receipt of its delivery, and logs the message."""
        arguments = ["-H", "127.0.0.1", "-r", str(self.ports["centre"]), "-m", "0", "-i", "1"]
        self._run("centre", [str(FAKE_CENTRE), *arguments])

    def kill(self, name: str) -> None:
        """SIGKILL, and gone."""
        process = self.running.pop(name)
        process.kill()
        process.communicate()

    def stop(self) -> None:
        # smsbox would wait for its retries before it ends, and nobody answers them any more.
        for name in list(self.running):
            self.kill(name)
        # After it has lost bearerbox it goes on as a child of its own, which nobody told us of.
        for process in psutil.process_iter(["name", "cwd"]):
            if process.info["name"] == "smsbox" and process.info["cwd"] == str(self.home):
                process.kill()

    def delivered(self) -> list[str]:
        """What arrived at the SMS centre, part by part: sender, receiver, kind and content."""
        return re.findall(r"Got message \d+: <(.*)>$", self.output("centre"), re.MULTILINE)

    def output(self, name: str) -> str:
        return "".join(path.read_text(errors="replace") for path in self.home.glob(f"{name}*.log"))

    def wait_for(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, {
                name: self.output(name)[-2000:] for name in ("bearerbox", "smsbox", "centre")
            }
            time.sleep(0.05)

    def _run(self, name: str, command: list[str]) -> None:
        with (self.home / f"{name}.out.log").open("ab") as output:
            self.running[name] = subprocess.Popen(
                command, cwd=self.home, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT
            )

    def _listens(self, port: str) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.ports[port])) == 0


@contextmanager
def a_kannel(home: Path) -> Iterator[Kannel]:
    """Configured; what the test starts of it is stopped afterwards."""
    kannel = Kannel(home)
    kannel.configure()
    try:
        yield kannel
    finally:
        kannel.stop()
