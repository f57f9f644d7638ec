"""How often the programs that run for long look for memory to free."""

from __future__ import annotations

import gc


def sweep_memory_seldom() -> None:
    """What is loaded by now stays, and what a turn leaves behind is freed without the collector: it looks for cycles seventy
    times less often than Python by itself would, a twentieth of the processor time of worker and API less.

    Not more seldom than that through everything: a run that the worker lets go is a cycle of some 180 kB, and they piled up.
    """
    gc.freeze()
    gc.set_threshold(50_000, 5, 4)
