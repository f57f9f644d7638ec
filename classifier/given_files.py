"""Files that somebody gives a command to read: text in UTF-8, plain or packed by gzip."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import IO

UNREADABLE = (OSError, EOFError, zlib.error)
"""What comes of reading one that is not there, is damaged, or breaks off. What is not UTF-8 is a UnicodeDecodeError."""


def opened(file: Path) -> IO[str]:
    """Its text, unpacked where its name ends in .gz. Lines end as they are written, as csv wants it."""
    if file.suffix == ".gz":
        return gzip.open(file, "rt", encoding="utf-8-sig", newline="")
    return file.open(encoding="utf-8-sig", newline="")
