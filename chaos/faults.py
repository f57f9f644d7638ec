"""What each fault does to its target, how it ends, and by what it is seen that it was done. Whatever happens in between, every
one of them ends."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from chaos import clock
from chaos.clock import NotPossible
from chaos.keeping import Kept, NotReady
from chaos.plan import Fault, Kind
from chaos.system import Shaken

_AHEAD = 0.1
"""Of the whole: so far the faults may be ahead of the load."""
_GLANCE_SECONDS = 0.05
_MARK_WITHIN_SECONDS = 10.0
"""So much longer does a fault last that has met nobody yet: where nobody calls, nothing can be cut."""
_OF_PARTS = frozenset({Kind.KILL, Kind.FREEZE, Kind.RESTART, Kind.CLOCK_BACK})

Mark = Callable[[], str | None]
"""What can be seen of a fault while it lasts; None as long as there is nothing."""


@dataclass
class Struck:
    """How many faults of each kind have been seen to be done, what was seen of each by its number, and which were not done,
    with the reason."""

    done: Counter[Kind] = field(default_factory=Counter)
    marks: dict[int, str] = field(default_factory=dict)
    not_done: list[tuple[Fault, str]] = field(default_factory=list)


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
                async with self._at_work(fault) as mark:
                    seen = await _seen(mark, fault.lasts)
            except (NotPossible, NotReady) as error:
                self.struck.not_done.append((fault, str(error)))
            else:
                self._tell(f"#{fault.number:<4} {seen}")
                self.struck.marks[fault.number] = seen
                self.struck.done[fault.kind] += 1

    def _lock(self, fault: Fault) -> asyncio.Lock:
        if fault.kind in _OF_PARTS:
            return self._shaken.parts[fault.target].lock
        return self._of_others["disk " * (fault.kind is Kind.FILL_DISK) + fault.target]

    def _at_work(self, fault: Fault) -> AbstractAsyncContextManager[Mark]:
        part, link = self._shaken.parts.get(fault.target), self._shaken.links.get(fault.target)
        if fault.kind is Kind.FILL_DISK:
            return _full(self._shaken, fault.target)
        if part is not None:
            at_work = {Kind.KILL: _killed, Kind.FREEZE: _frozen, Kind.RESTART: _restarted}
            return _behind(part, fault.amount) if fault.kind is Kind.CLOCK_BACK else at_work[fault.kind](part)
        assert link is not None, fault
        return _disturbed(self._shaken, fault)


async def _seen(mark: Mark, lasts: float) -> str:
    """What was seen of it in its time, or soon after. Raises NotPossible where nothing was."""
    seen = mark()
    await asyncio.sleep(lasts)
    deadline = time.monotonic() + _MARK_WITHIN_SECONDS
    while not (seen := mark() or seen):
        if time.monotonic() > deadline:
            raise NotPossible("nothing was seen of it")
        await asyncio.sleep(_GLANCE_SECONDS)
    return seen


@asynccontextmanager
async def _killed(part: Kept) -> AsyncIterator[Mark]:
    pid = await part.present()
    part.kill()
    try:
        yield lambda: _is_gone(part, pid)
    finally:
        part.let_run()


@asynccontextmanager
async def _restarted(part: Kept) -> AsyncIterator[Mark]:
    pid = await part.present()
    try:
        await part.end()
        yield lambda: _is_gone(part, pid)
    finally:
        part.let_run()


def _is_gone(part: Kept, pid: int) -> str | None:
    return f"process {pid} is gone" if part.pid is None else None


@asynccontextmanager
async def _frozen(part: Kept) -> AsyncIterator[Mark]:
    pid = await part.present()
    try:
        part.freeze()
        yield lambda: f"process {pid} stands still" if part.is_frozen() else None
    finally:
        part.thaw()


@asynccontextmanager
async def _behind(part: Kept, seconds: float) -> AsyncIterator[Mark]:
    """Should it die meanwhile, the one that is started in its place has the right time."""
    pid = await part.present()
    try:
        await asyncio.to_thread(clock.set_back, pid, seconds)
        yield lambda: f"process {pid} is {seconds:g} s behind" if clock.is_behind(pid, seconds) else None
    finally:
        # Also where it could not be set back everywhere: the parent may be behind already, and a child not.
        if part.pid == pid:
            await asyncio.to_thread(clock.set_right, pid)


@asynccontextmanager
async def _full(shaken: Shaken, name: str) -> AsyncIterator[Mark]:
    disk = shaken.disks.get(name)
    if disk is None:
        raise NotPossible("this account may not mount disks of its own")
    disk.fill()
    try:
        yield lambda: "no byte is free" if disk.is_full() else None
    finally:
        disk.make_room()


@asynccontextmanager
async def _disturbed(shaken: Shaken, fault: Fault) -> AsyncIterator[Mark]:
    link = shaken.links[fault.target]
    broken, held = link.broken, link.held
    match fault.kind:
        case Kind.CUT:
            link.cut()
        case Kind.STALL:
            link.stall()
        case _:
            link.delay_seconds = fault.amount
    try:
        if fault.kind is Kind.CUT:
            yield lambda: f"{link.broken - broken} connections were broken" if link.broken > broken else None
        else:
            yield lambda: f"{link.held - held} messages had to wait" if link.held > held else None
    finally:
        link.mend()
