"""How many messages a relay has under way at once: fewer while what it gives out is slow to be done, so that others get their turn.

Whoever sends into something that others use as well, and that tells nobody how full it is, has one sign to go by: how long it takes.
The rule is TCP's: a little more after each that was quick, much less after one that was slow. What is not given out waits in the
inbox, on disk, where it costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LESS = 0.7
"""Of what there was. From 32 to 4 it takes six that were slow, one after the other."""


@dataclass(slots=True)
class Width:
    """Between `least` and `most`; `slow` is in seconds."""

    most: int
    least: int
    slow: float
    exact: float = field(init=False)
    _narrowed_at: float = field(init=False, default=float("-inf"))

    def __post_init__(self) -> None:
        self.exact = self.most

    @property
    def now(self) -> int:
        return int(self.exact)

    def ended(self, began_at: float, ended_at: float) -> None:
        """One was under way from then to then. As many quick ones as are under way at once make room for one more."""
        if ended_at - began_at < self.slow:
            self.exact = min(self.most, self.exact + 1 / self.exact)
        elif began_at >= self._narrowed_at:  # those that were under way together are slow together, which counts once
            self.exact = max(min(self.least, self.most), self.exact * LESS)
            self._narrowed_at = ended_at
