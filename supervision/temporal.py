"""The embedded Temporal server: how it is started, what it can be asked for, and how long it keeps closed runs."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from supervision.binaries import temporal_binary
from supervision.errors import PartFailed
from supervision.processes import Ending
from supervision.spare_indexes import drop_spare_indexes

ENDING = Ending(grace_seconds=15)
NAMESPACE = "default"
# A closed run stays in the Web UI for this long; the development server's own choice is one day.
RETENTION_DAYS = 30

# What an admin can filter runs by. Keywords only for text: odd content breaks full-text columns, and
# these are never encrypted, so nothing personal is among them.
SEARCH_ATTRIBUTES: Mapping[str, str] = {
    "Reference": "Keyword",
    "State": "Keyword",
    "Department": "Keyword",
    "Category": "Keyword",
    "District": "Keyword",
    "Urgency": "Keyword",
    "EscalationLevel": "Int",
    "DueAt": "Datetime",
}

SQLITE_PRAGMAS = {
    # A write-ahead log costs one sync per transaction where the default journal costs several: twice the throughput.
    "journal_mode": "WAL",
    # FULL, although NORMAL is an eighth faster (57 against 50 small lifecycles a second on two cores): with NORMAL a power
    # cut can take back the last transactions that Temporal confirmed, and PostgreSQL would remember as handed over
    # a request that no workflow knows. A kill -9 of the server loses nothing with either.
    "synchronous": "FULL",
}

DYNAMIC_CONFIG = {
    # The development server alone reads its list of search attributes from the disk at every use; a real one, once a
    # minute. That is a twentieth of its processor time, for attributes that never change while it runs.
    "system.forceSearchAttributesCacheRefreshOnRead": "false",
    # An activity for the worker that has just finished a task goes along with the answer to it, without the detour over
    # the queue.
    "system.enableActivityEagerExecution": "true",
    # Of so many runs the server keeps the state at hand, others it reads again. Its own choice, 128,000, is gigabytes
    # on the machine of one city when a whole city writes at once.
    "history.hostLevelCacheMaxSize": "1000",
}

# Go sweeps its memory when it has grown ninefold instead of twofold: under full load the server takes up to
# a gigabyte (docs/overload.md), for a good twentieth less of its processor time.
GARBAGE_COLLECTION_PERCENT = 800
MEMORY_MEBIBYTES = 1200
"""From here on it sweeps as often as it takes to stay below, whatever that costs."""
PROCESSORS = max(1, (os.cpu_count() or 1) // 2)
"""The other half is for worker, interface and database. On two cores that they fill, a server that may use both takes a tenth more
processor time for the same work, and 64 citizens got 17.9 lifecycles a second instead of 20.0 in one run of each."""


@dataclass(frozen=True)
class TemporalServer:
    """One server on 127.0.0.1 with its data in `home`; without `ui_port` it has no Web UI."""

    home: Path
    port: int
    ui_port: int | None = None
    codec_endpoint: str | None = None
    pragmas: Mapping[str, str] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.home / "temporal.db"

    def command(self) -> list[str]:
        pragmas = SQLITE_PRAGMAS if self.pragmas is None else self.pragmas
        return [
            "/usr/bin/env", f"GOGC={GARBAGE_COLLECTION_PERCENT}", f"GOMEMLIMIT={MEMORY_MEBIBYTES}MiB", f"GOMAXPROCS={PROCESSORS}",
            str(temporal_binary()), "server", "start-dev",
            "--ip=127.0.0.1", f"--port={self.port}", f"--db-filename={self.database}", "--log-level=error",
            *(f"--sqlite-pragma={name}={value}" for name, value in pragmas.items()),
            *(f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()),
            *(f"--dynamic-config-value={name}={value}" for name, value in DYNAMIC_CONFIG.items()),
            *self._ui_options(),
        ]  # fmt: skip

    def prepare(self) -> None:
        """Makes the folder. Data that another version has written is set aside: the runs then come from the database."""
        written_by = self.home / "version.txt"
        version = self.version()
        # The server makes its tables only in a new file and does not bring an old one up to date.
        if self.database.exists() and written_by.exists() and (before := written_by.read_text()) != version:
            self.home.touch()  # from now on
            self.home.rename(_free_place_beside(self.home, before))
        self._forget_what_was_set_aside()
        self.home.mkdir(parents=True, exist_ok=True)
        written_by.write_text(version)

    def _forget_what_was_set_aside(self) -> None:
        """Nothing of a closed run is kept for longer than the server itself would have kept it."""
        oldest = time.time() - timedelta(days=RETENTION_DAYS).total_seconds()
        for folder in self.home.parent.glob(f"{self.home.name}.[0-9]*"):
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder)

    def version(self) -> str:
        """Of the server that this environment brings, in its own words."""
        return self._call("--version").stdout.strip()

    def is_ready(self) -> bool:
        return self._call("operator", "cluster", "health", "--address", self.address).returncode == 0

    def keep_closed_runs(self, days: int = RETENTION_DAYS) -> None:
        """Sets how long closed runs are kept; it can be set again at every start."""
        retention = ("--namespace", NAMESPACE, "--retention", f"{days * 24}h")
        result = self._call("operator", "namespace", "update", "--address", self.address, *retention)
        if result.returncode:
            raise PartFailed("Temporal", f"did not take the retention of {days} days: {result.stderr.strip()}", None)

    def settle(self) -> None:
        """What is left to do once it answers; it can be done again at every start."""
        self.keep_closed_runs()
        self._drop_spare_indexes()

    def _drop_spare_indexes(self) -> None:
        result = self._call(
            "operator", "namespace", "describe", "-n", NAMESPACE, "--address", self.address, "-o", "json"
        )
        if result.returncode:
            return  # they cost time and nothing else
        named = json.loads(result.stdout)["config"].get("customSearchAttributeAliases", {})
        if set(SEARCH_ATTRIBUTES) <= set(named.values()):
            with suppress(sqlite3.Error):
                drop_spare_indexes(self.database, named)

    def _ui_options(self) -> list[str]:
        if self.ui_port is None:
            return ["--headless"]
        codec = [f"--ui-codec-endpoint={self.codec_endpoint}"] if self.codec_endpoint else []
        return [f"--ui-port={self.ui_port}", "--ui-disable-news-fetch", *codec]

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # A configuration file or variables of the person at the terminal must not lead us to another cluster.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        return subprocess.run(
            [str(temporal_binary()), "--disable-config-file", "--disable-config-env", *arguments],
            env=environment, capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip


def _free_place_beside(home: Path, version: str) -> Path:
    """`temporal.1.8.0` for what `temporal version 1.8.0 (...)` has written; with -2 and so on where that is taken."""
    number = re.search(r"\d+(?:\.\d+)*", version)
    name = f"{home.name}.{number.group() if number else 0}"
    places = (home.with_name(name if count == 1 else f"{name}-{count}") for count in itertools.count(1))
    return next(place for place in places if not place.exists())
