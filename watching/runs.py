"""What the looks for lost runs find: how many runs there are and ought to be, which were lost, and when somebody last looked."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class RunFigures:
    """Every worker looks: what is lost is counted by each of them that finds it, and brought back by one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._open = Gauge("huisheng_runs_open", "Open runs of requests, at the latest look.", registry=registry)
        self._needed = Gauge("huisheng_runs_needed", "Requests that need a run, at the latest look.", registry=registry)
        self._unexplained = Gauge(
            "huisheng_runs_unexplained",
            "Runs that no request needs, at the latest look: ended (the request is over for days), or unknown to the database.",
            ["because"],
            registry=registry,
        )
        self._lost = Counter("huisheng_runs_lost", "Requests found without the run that they need.", registry=registry)
        # The first look may be over before anybody has asked for the counter: whoever waits for a step of it would see none.
        self._found = Gauge(
            "huisheng_runs_found_missing", "How many of them the latest look has found.", registry=registry
        )
        self._brought_back = Counter(
            "huisheng_runs_brought_back",
            "Runs started again where they stood: by a look, or for a message of the citizen.",
            ["because"],
            registry=registry,
        )
        self._missing = Gauge(
            "huisheng_runs_missing",
            "Runs that the latest look has found missing and not come to yet.",
            registry=registry,
        )
        self._looked_at = Gauge(
            "huisheng_runs_looked_at_timestamp_seconds",
            "When this worker last came to the end of a look; 0 for never.",
            registry=registry,
        )
        for because in ("look", "message"):
            self._brought_back.labels(because)
        self._known_missing = 0

    def found(self, *, needed: int, open_runs: int, missing: int, ended: int, unknown: int) -> None:
        self._needed.set(needed)
        self._open.set(open_runs)
        self._unexplained.labels("ended").set(ended)
        self._unexplained.labels("unknown").set(unknown)
        # What the look before has left is found once more, and was counted then.
        self._lost.inc(max(0, missing - self._known_missing))
        self._found.set(missing)
        self._is_missing(missing)

    def brought_back(self, because: str) -> None:
        self._brought_back.labels(because).inc()

    def finished(self, *, missing: int) -> None:
        """A look has come to its end now, and has left so many runs for the next."""
        self._is_missing(missing)
        self._looked_at.set_to_current_time()

    def _is_missing(self, number: int) -> None:
        self._known_missing = number
        self._missing.set(number)
