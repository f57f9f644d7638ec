"""The model file: data with a checksum, never code.

One line of ASCII says what follows: `huisheng-classifier format=1 sha256=<hex> bytes=<n>`. Then an
.npz archive of five arrays; `header` holds labels, thresholds and facts as JSON in UTF-8. The version is the
beginning of the checksum, so that equal models have equal names.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.model import Lines, Model
from classifier.vectors import Vocabulary

FORMAT = 1
VERSION_CHARACTERS = 12
MOST_BYTES = 1 << 30
"""Unpacked. The largest model of a large city has a tenth of that."""

_FIRST_LINE = re.compile(rb"huisheng-classifier format=(\d{1,9}) sha256=([0-9a-f]{64}) bytes=(\d{1,12})\n")
_LONGEST_FIRST_LINE = 200
_KINDS = {"header": "u1", "numbers": "u8", "rarity": "f4", "weights": "f2", "starts": "f4"}


class ModelUnusable(Exception):
    """The file or the stored bytes are no model that this program can use; the sentence says why and what to do."""


def to_bytes(model: Model) -> bytes:
    """The file's content; the same for equal models."""
    header = {
        "labels": model.labels,
        "thresholds": model.thresholds,
        "familiar": model.familiar,
        "facts": dict(model.facts),
    }
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        header=np.frombuffer(json.dumps(header, ensure_ascii=False, sort_keys=True).encode(), np.uint8),
        numbers=model.lines.vocabulary.numbers,
        rarity=model.lines.vocabulary.rarity,
        weights=model.lines.weights,
        starts=model.lines.starts,
    )
    content = packed.getvalue()
    checksum = hashlib.sha256(content).hexdigest()
    return f"huisheng-classifier format={FORMAT} sha256={checksum} bytes={len(content)}\n".encode() + content


def from_bytes(stored: bytes, source: str) -> Model:
    """The model, complete and unchanged, or ModelUnusable; `source` names it in the sentence."""
    content, checksum = _checked(stored, source)
    try:
        return _model(_arrays(content), checksum[:VERSION_CHARACTERS])
    except Exception as error:
        # What an archive that was made to look honest makes the libraries raise differs from part to part of it.
        raise ModelUnusable(f"{source} is no usable model: {error}. Train it again.") from None


def version_of(stored: bytes, source: str) -> str:
    """The name of the model in these bytes. Raises ModelUnusable."""
    return _checked(stored, source)[1][:VERSION_CHARACTERS]


def read_model(file: Path) -> Model:
    """Raises ModelUnusable."""
    try:
        stored = file.read_bytes()
    except OSError as error:
        raise ModelUnusable(f"{file} cannot be read ({type(error).__name__}).") from None
    return from_bytes(stored, str(file))


def _checked(stored: bytes, source: str) -> tuple[bytes, str]:
    """The content behind the first line, and its checksum."""
    first_line = _FIRST_LINE.match(stored[:_LONGEST_FIRST_LINE])
    if first_line is None:
        raise ModelUnusable(f"{source} is not a model file: it does not begin with the words huisheng-classifier.")
    number, checksum, length = int(first_line[1]), first_line[2].decode(), int(first_line[3])
    if number != FORMAT:
        raise ModelUnusable(
            f"{source} has format {number}, and this program reads format {FORMAT}: "
            f"{'install the newer program, or train' if number > FORMAT else 'train'} the model again."
        )
    content = stored[first_line.end() :]
    if len(content) != length:
        raise ModelUnusable(
            f"{source} is damaged: it has {len(content)} bytes of {length}. Copy it again, or train the model again."
        )
    if hashlib.sha256(content).hexdigest() != checksum:
        raise ModelUnusable(
            f"{source} is damaged: its checksum is not the one it names. Copy it again, or train the model again."
        )
    return content, checksum


def _arrays(content: bytes) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
            raise ValueError("it is larger than any model")
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in _KINDS}
    for name, kind in _KINDS.items():
        if arrays[name].dtype != np.dtype(f"<{kind}"):
            raise ValueError(f"{name} holds another kind of numbers")
    return arrays


def _model(arrays: Mapping[str, NDArray[Any]], version: str) -> Model:
    header = json.loads(arrays["header"].tobytes())
    labels = tuple(str(label) for label in header["labels"])
    runs, how_many = len(arrays["numbers"]), len(labels)
    model = Model(
        labels=labels,
        lines=Lines(Vocabulary(arrays["numbers"], arrays["rarity"]), arrays["weights"], arrays["starts"]),
        thresholds=tuple(map(float, header["thresholds"])),
        familiar=float(header["familiar"]),
        facts=dict(header["facts"]),
        version=version,
    )
    fits = {
        "two labels or more": how_many >= 2 and len(set(labels)) == how_many,
        "a rarity for each run": arrays["rarity"].shape == (runs,),
        "a weight for each run and label": arrays["weights"].shape == (runs, how_many),
        "a start for each label": arrays["starts"].shape == (how_many,),
        "a threshold from 0 to 1 for each label": len(model.thresholds) == how_many
        and all(0 <= each <= 1 for each in model.thresholds),
        "runs in order": bool((arrays["numbers"][1:] > arrays["numbers"][:-1]).all()),
        "finite numbers": all(bool(np.isfinite(arrays[name]).all()) for name in ("rarity", "weights", "starts")),
    }
    for what, is_so in fits.items():
        if not is_so:
            raise ValueError(f"it lacks {what}")
    return model
