"""A small disk of our own: full to the last byte, and empty again at once. In a program of its own, whose mounts nobody else sees."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FILLS = """
import sys
from pathlib import Path
from chaos.clock import NotPossible
from chaos.disk import Disk, see_mounts_alone
try:
    see_mounts_alone()
except (NotPossible, OSError):
    sys.exit(77)
disk = Disk(Path(sys.argv[1]) / "disk", 2**20)
disk.mount()
file = disk.folder / "file"
file.write_bytes(b"x" * 5000)
print(disk.is_full())
disk.fill()
print(disk.is_full())
try:
    (disk.folder / "more").write_bytes(b"x" * 5000)
except OSError as error:
    print(error.errno)
disk.make_room()
print(disk.is_full())
(disk.folder / "more").write_bytes(b"x" * 5000)
print(file.stat().st_size)
"""
NOT_HERE = 77
NO_SPACE = "28"


def test_disk_takes_nothing_when_it_is_full_and_loses_nothing(tmp_path: Path) -> None:
    project = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", FILLS, str(tmp_path)], cwd=project, capture_output=True, text=True, check=False
    )
    if done.returncode == NOT_HERE:
        pytest.skip("this account may not mount disks of its own")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["False", "True", NO_SPACE, "False", "5000"]
