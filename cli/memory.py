"""How often the programs that run for long look for memory to free."""

from __future__ import annotations

import gc

SWEEP_AFTER = 50_000
"""New objects that are still there."""


def sweep_memory_seldom() -> None:
    """What is loaded by now stays, and what a turn leaves behind is freed without the collector: it looks for cycles seventy
    times less often than Python by itself would, a twentieth of the processor time of worker and API less.

    Through everything it looks at every sixth time. A run that the worker lets go is a cycle of some five hundred objects and 180 kB, and
    it has grown old before that: with Python's own rhythm three thousand of them piled up, the worker took more each time, and what a
    process has taken it hardly gives back.
    """
    gc.freeze()
    gc.set_threshold(SWEEP_AFTER, 1, 2)
