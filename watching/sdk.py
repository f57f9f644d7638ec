"""The Temporal SDK's own part of a process: its log lines go where ours go, and its figures to a port of this machine."""

from __future__ import annotations

import logging
import socket

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

_TRIED = 5

# Only what happened: the fields of a line can hold a failure, and with it what somebody wrote.
_LOGGING = LoggingConfig(
    filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
    forwarding=LogForwardingConfig(logging.getLogger("temporal"), append_log_fields_to_message=False),
)


def begin(*, figures: bool = False) -> int | None:
    """Must come before the first client of the process. The port of 127.0.0.1 at which the SDK serves its figures, if it shall."""
    if not figures:
        Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=_LOGGING)))
        return None
    for _ in range(_TRIED):
        port = _free_port()
        served = PrometheusConfig(
            f"127.0.0.1:{port}", counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
        )
        try:
            Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=_LOGGING, metrics=served)))
        except ValueError:  # somebody was quicker
            continue
        return port
    raise OSError("no free port for the figures of the Temporal SDK")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
