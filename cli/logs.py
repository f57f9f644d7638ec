"""How the long-running commands log: one JSON object a line on standard error, never with the text of an exception.

What a citizen wrote can end in an exception's text, and in what Python writes of a task or a call. So a log names the kind of
the error and the places it passed, and of a library's message only its own words. A line that belongs to a request names its
reference, and its trace where traces are made. At a terminal the same is easier to read.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

TraceId = Callable[[], str | None]

_LOOP = "asyncio"
# Behind them stands what it was about: a task with its exception's text, or a call with its arguments, in the first line as well.
_WORDS_OF_LOOP = re.compile(r"Exception in callback|(?:\(\)|[^\n<(\[{'\"])*")


def log_as_json(level: int = logging.INFO, trace_id: TraceId | None = None) -> None:
    """For this whole process, the libraries' own logs included. `trace_id` names the trace in hand, if there is one."""
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    if trace_id is not None:
        processors.append(_naming_the_trace(trace_id))
    structlog.configure(
        processors=[*processors, _renderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json(trace_id))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _renderer() -> Processor:
    if sys.stderr.isatty():
        return structlog.dev.ConsoleRenderer(timestamp_key="at")
    return structlog.processors.JSONRenderer(ensure_ascii=False)


def _naming_the_trace(trace_id: TraceId) -> Processor:
    def add(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
        if (trace := trace_id()) is not None:
            line["trace_id"] = trace
        return line

    return add


class _Json(logging.Formatter):
    """What the libraries log."""

    def __init__(self, trace_id: TraceId | None) -> None:
        super().__init__()
        self._trace_id = trace_id

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "event": _words_of(record),
            "logger": record.name,
            "level": record.levelname.lower(),
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
        }
        line |= _reference_of(record)
        if self._trace_id is not None and (trace := self._trace_id()) is not None:
            line["trace_id"] = trace
        if record.exc_info and record.exc_info[0] is not None:
            line |= {"error": record.exc_info[0].__qualname__, "where": _places(record.exc_info[2])}
        return json.dumps(line, ensure_ascii=False, default=str)


def _words_of(record: logging.LogRecord) -> str:
    """What happened, without what it happened to."""
    if record.name == _LOOP and (words := _WORDS_OF_LOOP.match(record.getMessage())):
        return words[0].rstrip()
    return str(record.msg).partition("\n")[0] if record.exc_info else record.getMessage()


def _reference_of(record: logging.LogRecord) -> dict[str, str]:
    """Of the request in hand, or of the run that Temporal's library tells of."""
    told = getattr(record, "temporal_workflow", None) or getattr(record, "temporal_activity", None) or {}
    kind, _, reference = str(told.get("workflow_id", "")).partition("-")
    if kind == "request" and reference:
        return {"reference": reference}
    bound = structlog.contextvars.get_contextvars().get("reference")
    return {"reference": str(bound)} if bound else {}


def _places(step: TracebackType | None) -> str:
    places = []
    while step is not None:
        places.append(f"{step.tb_frame.f_code.co_filename.rpartition('/')[2]}:{step.tb_lineno}")
        step = step.tb_next
    return " ".join(places[-6:])
