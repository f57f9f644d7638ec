"""Made-up input that is the same on every run: one seed, no data base of earlier failures."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from hypothesis import HealthCheck, Phase, seed, settings

SEED = 20261122
TIMES = int(os.environ.get("HOSTILE_TIMES", "1"))
"""How often as many cases as the tests make each time. With HOSTILE_TIMES=40 it is more than an hour's worth."""

Test = TypeVar("Test", bound=Callable[..., None])


def from_seed(cases: int, *, within: timedelta | None = None) -> Callable[[Test], Test]:
    """So many cases, times HOSTILE_TIMES, each to end within that time where one is given; how long the making takes is no matter."""

    def decorate(test: Test) -> Test:
        bounded = settings(
            max_examples=cases * TIMES, database=None, deadline=within, phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
        )(test)  # fmt: skip
        return seed(SEED)(bounded)

    return decorate
