"""A retraining in a process of its own: the worker goes on serving, and the memory that training takes goes with it.

`python -m classifier.apart PARENT`, the number of the process that starts it. What is to be learnt comes in by standard input and what was found goes out by standard
output: nothing is written to a disk, and nothing that a citizen wrote goes out. It knows no database and no key, leaves the
processor to others, and ends with the process that started it.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, BinaryIO

from classifier.examples import Example
from classifier.files import from_bytes
from classifier.held_out import Decision, Terms
from classifier.ngrams import LONGEST_TEXT
from classifier.retraining import Retrained, retrain
from domain.policy import Policy, from_plain, to_plain

MODULE = "classifier.apart"
MOST_MEMORY = 4 << 30
"""Bytes. 60,000 examples, the most that it takes, with 21 labels needed half of that."""

_NICENESS = 10
_END = b"end\n"


class Interrupted(Exception):
    """What was to be learnt did not come in completely, or what was found did not come out."""


@dataclass(frozen=True, slots=True, repr=False)
class Wanted:
    """What a retraining is given beside its decisions. `active` is the file of the model in force."""

    policy: Policy
    active: bytes | None
    after: datetime | None
    today: date
    terms: Terms


def header(wanted: Wanted) -> bytes:
    """The first line that goes in."""
    return _line({
        "policy": to_plain(wanted.policy),
        "version": wanted.policy.version,
        "active": base64.b64encode(wanted.active).decode() if wanted.active else None,
        "after": wanted.after.isoformat() if wanted.after else None,
        "today": wanted.today.isoformat(),
        "terms": asdict(wanted.terms),
    })  # fmt: skip


def line_of(decision: Decision) -> bytes:
    """A line for each decision; no more of its text than is looked at."""
    example = decision.example
    return _line({
        "title": example.title[:LONGEST_TEXT],
        "body": example.body[:LONGEST_TEXT],
        "label": example.label,
        "weight": example.weight,
        "writer": example.writer,
        "at": decision.at.isoformat(),
        "seen": decision.seen,
    })  # fmt: skip


def end() -> bytes:
    """The last line: without it the worker died while it was sending."""
    return _END


def read_found(written: bytes) -> Mapping[str, Any]:
    """What came out: `figures`, `may_take_over`, and `content`, the candidate's file or None. Raises Interrupted."""
    first, newline, content = written.partition(b"\n")
    if not newline:
        raise Interrupted("the training ended without a word")
    found: dict[str, Any] = json.loads(first)
    return found | {"content": content or None}


def main(parent: int) -> None:
    _end_with(parent)
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    _write(sys.stdout.buffer, _retrained(sys.stdin.buffer))


def _retrained(incoming: Iterable[bytes]) -> Retrained:
    lines = iter(incoming)
    told = json.loads(next(lines, b"{}"))
    if not told:
        raise Interrupted("there is not even a first line")
    decisions = [_decision(line) for line in _until_end(lines)]
    active = base64.b64decode(told["active"]) if told["active"] else None
    return retrain(
        decisions,
        from_plain(told["policy"], told["version"]),
        from_bytes(active, "The model in force") if active else None,
        datetime.fromisoformat(told["after"]) if told["after"] else None,
        date.fromisoformat(told["today"]),
        Terms(**told["terms"]),
    )


def _until_end(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line == _END:
            return
        yield line
    raise Interrupted("the decisions end before their end")


def _decision(line: bytes) -> Decision:
    told = json.loads(line)
    example = Example(told["title"], told["body"], told["label"], weight=told["weight"], writer=told["writer"])
    return Decision(example, datetime.fromisoformat(told["at"]), told["seen"])


def _write(out: BinaryIO, found: Retrained) -> None:
    may = found.result is not None and found.result.may_take_over
    out.write(_line({"figures": found.figures, "may_take_over": may}))
    out.write(found.content or b"")
    out.flush()


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def _end_with(parent: int) -> None:
    """Nobody would want what is found: a worker that died has its retraining begun anew."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except BaseException as error:
        # Only the kind: what an exception says may hold what somebody wrote.
        sys.stderr.write(type(error).__name__)
        sys.stderr.flush()
        os._exit(1)
