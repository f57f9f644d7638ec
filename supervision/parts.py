"""What the system on one machine is made of: the parts that run side by side, and the steps between their starts."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from supervision.errors import PortForbidden, PortTaken
from supervision.processes import Ending


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Port:
    """A port of 127.0.0.1 that a part listens on, and how one chooses another."""

    number: int
    option: str
    variable: str

    def require_free(self, title: str) -> None:
        """PortTaken when somebody listens there already."""
        with socket.socket() as listener:
            # Connections that ended a moment ago do not count.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", self.number))
            except OSError as error:
                kind = PortForbidden if error.errno == errno.EACCES else PortTaken
                raise kind(title, self.number, self.option, self.variable) from error


@dataclass(frozen=True, slots=True)
class Part:
    """A program that runs as long as the system does.

    `prepare` comes before its start, `complete` once it is ready; both may raise a SupervisionError.
    """

    name: str
    title: str
    command: Callable[[], list[str]]
    is_ready: Callable[[], bool]
    ports: tuple[Port, ...] = ()
    ending: Ending = field(default_factory=Ending)
    niceness: int = 0
    prepare: Callable[[], None] = _nothing
    complete: Callable[[], None] = _nothing
    ready_within_seconds: float = 60


@dataclass(frozen=True, slots=True)
class Step:
    """A program that runs to its end before the next part starts; `keep` gets what it printed."""

    name: str
    title: str
    command: Callable[[], list[str]]
    keep: Callable[[str], None] = lambda _: None
    within_seconds: float = 120


Environment = Mapping[str, str]
