"""How the connections to the database are used, looked up when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from db.pool import ACQUIRE_BOUNDS, WatchedPool


class PoolFigures(Collector):
    """The pools by name."""

    def __init__(self, pools: Mapping[str, WatchedPool]) -> None:
        self._pools = pools

    def collect(self) -> Iterator[Metric]:
        used = GaugeMetricFamily(
            "huisheng_database_pool_connections", "Connections by pool: in_use or idle.", labels=["pool", "state"]
        )
        most = GaugeMetricFamily(
            "huisheng_database_pool_most_connections", "How many it may open at most.", labels=["pool"]
        )
        waiting = GaugeMetricFamily(
            "huisheng_database_pool_waiting", "Who waits for a connection at this moment.", labels=["pool"]
        )
        waits = HistogramMetricFamily(
            "huisheng_database_pool_acquire_seconds", "How long it took to get a connection.", labels=["pool"]
        )
        for name, pool in self._pools.items():
            used.add_metric([name, "in_use"], pool.in_use)
            used.add_metric([name, "idle"], pool.get_idle_size())
            most.add_metric([name], pool.get_max_size())
            waiting.add_metric([name], pool.waiting)
            waits.add_metric([name], _buckets(pool.waits), pool.waited_seconds)
        yield from (used, most, waiting, waits)


def _buckets(counts: list[int]) -> list[tuple[str, float]]:
    """Cumulative, as Prometheus wants them."""
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip((*map(str, ACQUIRE_BOUNDS), "+Inf"), counts, strict=True):
        total += count
        buckets.append((bound, total))
    return buckets
