"""What each fault does to its target, and how it ends. Whatever happens in between, every one of them ends."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from chaos import clock
from chaos.clock import NotPossible
from chaos.keeping import Kept
from chaos.plan import Fault, Kind
from chaos.system import Shaken

_AHEAD = 0.1
"""Of the whole: so far the faults may be ahead of the load."""
_GLANCE_SECONDS = 0.05
_OF_PARTS = frozenset({Kind.KILL, Kind.FREEZE, Kind.RESTART, Kind.CLOCK_BACK})


@dataclass
class Struck:
    """How many faults of each kind have been done, and which were not possible, with the reason."""

    done: Counter[Kind] = field(default_factory=Counter)
    not_possible: list[tuple[Fault, str]] = field(default_factory=list)


class Striker:
    """Does the faults of a plan at their moments. Those on one target wait for each other, all others may meet."""

    def __init__(self, shaken: Shaken, tell: Callable[[str], None]) -> None:
        self.struck = Struck()
        self._shaken = shaken
        self._tell = tell
        self._of_others: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, plan: Sequence[Fault], within_seconds: float, share: Callable[[], float]) -> None:
        """Until the last of them is over. `share` tells how far the load is.

        A fault waits for the load where that lags behind: on a slow machine faults would come faster than anything mends.
        """
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for fault in plan:
                while time.monotonic() < began + fault.at or share() < fault.at / within_seconds - _AHEAD:  # noqa: ASYNC110
                    await asyncio.sleep(_GLANCE_SECONDS)
                group.create_task(self._strike(fault))

    async def _strike(self, fault: Fault) -> None:
        async with self._lock(fault):
            self._tell(str(fault))
            try:
                async with self._at_work(fault):
                    await asyncio.sleep(fault.lasts)
            except NotPossible as error:
                self.struck.not_possible.append((fault, str(error)))
            else:
                self.struck.done[fault.kind] += 1

    def _lock(self, fault: Fault) -> asyncio.Lock:
        if fault.kind in _OF_PARTS:
            return self._shaken.parts[fault.target].lock
        return self._of_others["disk " * (fault.kind is Kind.FILL_DISK) + fault.target]

    def _at_work(self, fault: Fault) -> AbstractAsyncContextManager[None]:
        part, link = self._shaken.parts.get(fault.target), self._shaken.links.get(fault.target)
        if fault.kind is Kind.FILL_DISK:
            return _full(self._shaken, fault.target)
        if part is not None:
            at_work = {Kind.KILL: _killed, Kind.FREEZE: _frozen, Kind.RESTART: _restarted}
            return _behind(part, fault.amount) if fault.kind is Kind.CLOCK_BACK else at_work[fault.kind](part)
        assert link is not None, fault
        return _disturbed(self._shaken, fault)


@asynccontextmanager
async def _killed(part: Kept) -> AsyncIterator[None]:
    part.kill()
    try:
        yield
    finally:
        part.let_run()


@asynccontextmanager
async def _restarted(part: Kept) -> AsyncIterator[None]:
    await part.end()
    try:
        yield
    finally:
        part.let_run()


@asynccontextmanager
async def _frozen(part: Kept) -> AsyncIterator[None]:
    part.freeze()
    try:
        yield
    finally:
        part.thaw()


@asynccontextmanager
async def _behind(part: Kept, seconds: float) -> AsyncIterator[None]:
    """Should it die meanwhile, the one that is started in its place has the right time."""
    pid = part.pid
    if pid is None:
        yield
        return
    await asyncio.to_thread(clock.set_back, pid, seconds)
    try:
        yield
    finally:
        if part.pid == pid:
            await asyncio.to_thread(clock.set_right, pid)


@asynccontextmanager
async def _full(shaken: Shaken, name: str) -> AsyncIterator[None]:
    disk = shaken.disks.get(name)
    if disk is None:
        raise NotPossible("this account may not mount disks of its own")
    disk.fill()
    try:
        yield
    finally:
        disk.make_room()


@asynccontextmanager
async def _disturbed(shaken: Shaken, fault: Fault) -> AsyncIterator[None]:
    link = shaken.links[fault.target]
    match fault.kind:
        case Kind.CUT:
            link.cut()
        case Kind.STALL:
            link.stall()
        case _:
            link.delay_seconds = fault.amount
    try:
        yield
    finally:
        link.mend()
