"""The whole system on one machine: which parts and steps it has, in which order, and what each of them is told."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from supervision import postgres, temporal
from supervision.credentials import Credentials
from supervision.errors import PartFailed
from supervision.ground import Ground, write_private
from supervision.parts import Environment, Part, Port, Step
from supervision.postgres import PostgresServer
from supervision.processes import Ending
from supervision.temporal import TemporalServer

PROJECT = Path(__file__).resolve().parent.parent

# When all of the machine is wanted, a citizen's answer comes first: the worker carries on with what is already stored durably, and
# stands back. Temporal does not: nearly all that the others wait for waits for its one writer, and a few more lives a second go through
# where it need not wait for a processor as well (docs/decisions/0032).
CARRYING_ON_NICENESS = 5

# A worker finishes the activities it has begun (an SMS under way must not go twice) before it leaves.
WORKER_ENDING = Ending(grace_seconds=40)
API_ENDING = Ending(grace_seconds=15)


@dataclass(frozen=True, slots=True)
class Ports:
    api: int = 8000
    temporal: int = 7233
    ui: int = 8233
    postgres: int = 15432
    metrics: int = 9464


@dataclass(frozen=True, slots=True)
class System:
    ground: Ground
    ports: Ports
    credentials: Credentials
    policy: Path

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.ports.api}"

    @property
    def temporal_address(self) -> str:
        return f"127.0.0.1:{self.ports.temporal}"

    @property
    def temporal_ui(self) -> str:
        return f"http://127.0.0.1:{self.ports.ui}"

    @property
    def database(self) -> PostgresServer:
        return PostgresServer(self.ground.postgres, self.ports.postgres, self.credentials.postgres_password)

    @property
    def worker_ready(self) -> Path:
        """The file that a worker makes when it takes work; it is told so as HUISHENG_READY_FILE."""
        return self.ground.run / "worker.ready"

    def settings(self) -> dict[str, str]:
        """The variables that lead any part or command to this system (settings.py)."""
        return {
            "DATABASE_URL": self.database.url(),
            "TEMPORAL_ADDRESS": self.temporal_address,
            "TEMPORAL_NAMESPACE": temporal.NAMESPACE,
            "HUISHENG_TEMPORAL_UI_URL": self.temporal_ui,
            "HUISHENG_PUBLIC_URL": self.api,
            "HUISHENG_KEYS": self.credentials.keys,
            # Never wider than this machine: the demonstration accounts are for its owner.
            "HUISHENG_API_HOST": "127.0.0.1",
            "HUISHENG_API_PORT": str(self.ports.api),
            "HUISHENG_POLICY_DIR": str(self.policy),
            "HUISHENG_DEMO": "1",
            "HUISHENG_DEMO_PASSWORD": self.credentials.demonstration_password,
        }

    def environment(self) -> Environment:
        # What the person's own shell says about other clusters and databases must not lead a part astray.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "PG"))}
        told = {
            "HUISHENG_READY_FILE": str(self.worker_ready),
            # Where somebody listens there already, the worker says so in its log and does without.
            "HUISHENG_WORKER_METRICS": f"127.0.0.1:{self.ports.metrics}",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(PROJECT),
        }
        return {**inherited, **self.settings(), **told}

    def write_settings(self) -> None:
        """Leaves the variables where `huisheng` and a shell (`set -a; . FILE`) find them, for their owner only."""
        lines = [f"{name}='{value}'\n" for name, value in self.settings().items()]
        write_private(settings_file(self.ground), "".join(lines))

    def sequence(self, only: Iterable[str] = ()) -> list[Part | Step]:
        """Everything in the order of starting, or those named in `only`."""
        everything: list[Part | Step] = [
            self._postgres(), self._temporal(),
            self._command("migrations", "Database", "db", "migrate"),
            self._command("policy", "Policy", "policy", "load", str(self.policy)),
            self._staff(),
            self._worker(), self._api(),
        ]  # fmt: skip
        wanted = set(only)
        return [item for item in everything if not wanted or item.name in wanted]

    def _postgres(self) -> Part:
        server = self.database
        return Part(
            "postgres", "PostgreSQL", server.command, server.is_ready,
            ports=(Port(self.ports.postgres, "--postgres-port", "HUISHENG_POSTGRES_PORT"),),
            ending=postgres.ENDING, prepare=server.prepare, complete=server.make_database,
        )  # fmt: skip

    def _temporal(self) -> Part:
        server = TemporalServer(self.ground.temporal, self.ports.temporal, self.ports.ui, f"{self.api}/codec")
        return Part(
            "temporal", "Temporal", server.command, server.is_ready,
            ports=(
                Port(self.ports.temporal, "--temporal-port", "HUISHENG_TEMPORAL_PORT"),
                Port(self.ports.ui, "--ui-port", "HUISHENG_UI_PORT"),
            ),
            ending=temporal.ENDING,
            prepare=server.prepare, complete=server.settle,
        )  # fmt: skip

    def _worker(self) -> Part:
        return Part(
            "worker", "Worker", lambda: [sys.executable, str(PROJECT / "worker.py")], self.worker_ready.exists,
            ending=WORKER_ENDING, niceness=CARRYING_ON_NICENESS,
            prepare=lambda: self.worker_ready.unlink(missing_ok=True),
        )  # fmt: skip

    def _api(self) -> Part:
        return Part(
            "api", "API", lambda: huisheng("api"), lambda: answers(self.ports.api, "/readyz"),
            ports=(Port(self.ports.api, "--api-port", "HUISHENG_API_PORT"),), ending=API_ENDING,
        )  # fmt: skip

    def _command(self, name: str, title: str, *arguments: str) -> Step:
        return Step(name, title, lambda: huisheng(*arguments))

    def _staff(self) -> Step:
        return Step(
            "staff", "Demonstration accounts", lambda: huisheng("staff", "demo", "--json"), self._write_accounts
        )

    def _write_accounts(self, printed: str) -> None:
        try:
            accounts = json.loads(printed)
        except ValueError as error:
            raise PartFailed(
                "Demonstration accounts", "did not come as JSON", self.ground.logs / "staff.log"
            ) from error
        addresses = {"api": self.api, "temporal_address": self.temporal_address, "temporal_ui": self.temporal_ui}
        text = json.dumps({**addresses, "accounts": accounts}, ensure_ascii=False, indent=1)
        write_private(self.ground.demonstration, text + "\n")


def settings_file(ground: Ground) -> Path:
    return ground.secrets / "environment"


def huisheng(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli.main", *arguments]


def answers(port: int, path: str) -> bool:
    """True when a GET there on this machine is answered with success within two seconds."""
    # Not urllib, which would ask a proxy of the environment for it.
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (HTTPException, OSError):
        return False
    finally:
        connection.close()
