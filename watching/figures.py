"""What each process counts as it goes, under which names: whoever watches relies on these.

Labels hold codes, never a reference, a name or an address; each of them has few values. What can be looked up when it is
asked for (waiting, sizes, what the database holds) is not counted here but looked up: see the other files of this folder.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from db.notices import Receipt

# When each counter began to count is half of a page, and nobody's question.
disable_created_metrics()  # type: ignore[no-untyped-call]

CONTENT_TYPE = CONTENT_TYPE_LATEST
NO_ROUTE = "none"
"""What nobody serves: an address that does not exist must not become a label."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ANSWER_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_DELIVERY_SECONDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3600.0)
_ASSIGNMENT_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 28_800.0, 86_400.0)


@cache
def build() -> str:
    """The version of this program."""
    try:
        return version("huisheng")
    except PackageNotFoundError:
        return "unknown"


class Figures:
    """The figures of one process; a registry of its own, so that two programs in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        about = Gauge(
            "huisheng_build_info", "Always 1; which program this is.", ["version", "python"], registry=self.registry
        )
        about.labels(build(), platform.python_version()).set(1)
        self._notices = Counter(
            "huisheng_notices",
            "Attempts to send a notice, by what the provider answered; what became of it then, receipts tell.",
            ["provider", "outcome"],
            registry=self.registry,
        )
        self._given_up = Counter(
            "huisheng_notices_given_up",
            "Notices that ended unsent, for want of an address (no_address) or a text (text_fault), or because it was too late (expired).",
            ["because"],
            registry=self.registry,
        )
        for because in ("no_address", "expired", "text_fault"):
            self._given_up.labels(because)

    def sent(self, provider: str, outcome: str, notices: int = 1) -> None:
        self._notices.labels(provider, outcome).inc(notices)

    def given_up(self, because: str, notices: int = 1) -> None:
        self._given_up.labels(because).inc(notices)

    def page(self) -> bytes:
        """All figures in the text format that Prometheus scrapes."""
        return generate_latest(self.registry)


class InterfaceFigures(Figures):
    """What the API counts."""

    def __init__(self) -> None:
        super().__init__()
        self._answers = Counter(
            "huisheng_http_requests",
            "Requests answered, by method, route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._times = Histogram(
            "huisheng_http_request_seconds",
            "How long an answer took, by method and route.",
            ["method", "route"],
            buckets=_ANSWER_SECONDS,
            registry=self.registry,
        )
        self._submissions = Counter(
            "huisheng_submissions",
            "Submissions that could be read, by channel and outcome: taken, repeated (a known Idempotency-Key) or refused; what "
            "could not be read is among huisheng_http_requests_total, with its status.",
            ["channel", "outcome"],
            registry=self.registry,
        )
        self._receipts = Counter(
            "huisheng_notice_receipts",
            "What the gateway has reported of messages that it had taken, each report once.",
            ["receipt"],
            registry=self.registry,
        )
        for receipt in Receipt:
            self._receipts.labels(receipt)
        # Without labels, so that it stands at 0 from the start and its first step is seen.
        self._unexpected = Counter(
            "huisheng_unexpected_errors", "Answers 500: something that nobody expected.", registry=self.registry
        )
        # Finding a labelled figure costs more than counting in it.
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        known = self._known.get((method, route, status))
        if known is None:
            known = self._known_from_now_on(method, route, status)
        known[0].inc()
        known[1].observe(seconds)
        if status == 500:
            self._unexpected.inc()

    def submitted(self, channel: str, outcome: str) -> None:
        self._submissions.labels(channel, outcome).inc()

    def reported(self, receipt: str) -> None:
        self._receipts.labels(receipt).inc()

    def _known_from_now_on(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        if method not in _METHODS:  # a stranger can write anything there
            return self._answers.labels("other", route, status), self._times.labels("other", route)
        found = self._answers.labels(method, route, status), self._times.labels(method, route)
        self._known[method, route, status] = found
        return found


class WorkerFigures(Figures):
    """What the worker and its relay count."""

    def __init__(self) -> None:
        super().__init__()
        self._assigned = Histogram(
            "huisheng_time_to_assign_seconds",
            "From the submission to its first department, by who assigned: system or staff.",
            ["by"],
            buckets=_ASSIGNMENT_SECONDS,
            registry=self.registry,
        )
        for by in ("system", "staff"):
            self._assigned.labels(by)
        self._events = Counter(
            "huisheng_events", "Events recorded, by action and who acted.", ["action", "by"], registry=self.registry
        )
        self._deliveries = Counter(
            "huisheng_relay_deliveries",
            "Messages of citizens that the relay brought to their runs, or failed to.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self._delivery_times = Histogram(
            "huisheng_relay_delivery_seconds",
            "From the moment a message was stored to its delivery; of a submission, to the end of its first turn.",
            buckets=_DELIVERY_SECONDS,
            registry=self.registry,
        )

        self._relay_width = Gauge(
            "huisheng_relay_width",
            "How many messages the relay gives out at once: fewer while they take long.",
            registry=self.registry,
        )

    def watch_relay(self, width: Callable[[], int]) -> None:
        """Asked whenever somebody looks."""
        self._relay_width.set_function(width)

    def happened(self, action: str, by: str) -> None:
        self._events.labels(action, by).inc()

    def assigned(self, by: str, seconds: float) -> None:
        self._assigned.labels(by).observe(seconds)

    def delivered(self, kind: str, outcome: str, seconds: float | None = None) -> None:
        """`seconds` since the message was stored, where it has arrived."""
        self._deliveries.labels(kind, outcome).inc()
        if seconds is not None:
            self._delivery_times.observe(seconds)
