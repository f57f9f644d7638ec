"""The read model told again from what a run has had recorded, and where it differs from what stands in the database.

Recording keeps the first event of each number and the snapshot with the highest; telling again follows the same rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, NamedTuple

from domain.lifecycle import Action
from domain.record import Record, Recorded
from domain.request import Event, Snapshot
from domain.retention import Because, erase


class Told(NamedTuple):
    """One record of a run; `recorded` is what it was answered, None where the history ends before."""

    record: Record
    recorded: Recorded | None = None


class Erased(NamedTuple):
    """That the personal data was erased: no run knows of it."""

    at: datetime
    because: Because


@dataclass(frozen=True)
class Standing:
    """A request in the read model: its snapshot, if there is one, and its events by number."""

    snapshot: Snapshot | None
    events: Mapping[int, Event]


def retell(first: Snapshot, told: Sequence[Told], found: Standing, erased: Erased | None) -> Standing:
    """What ought to stand. `first` is where a request stands that nothing is recorded of.

    What the history does not know counts as it is `found`: a record that was begun and has no answer yet, the moment of
    one that was written by an attempt which the run has forgotten, and events before the first that the history holds.
    """
    snapshot, events = first, dict[int, Event]()
    forgotten = _forgotten(told, found)
    for record, recorded in told:
        number = record.snapshot.sequence
        if recorded is None and found.events.get(number) != record.entries[-1].event:
            break
        stands = recorded.stands if recorded else None
        for entry in record.entries:
            event = entry.event
            if event.sequence == number and stands is not None:
                event = _as_it_stands(event, stands, found.events.get(number), erased)
            elif event.sequence in forgotten:
                event = found.events[event.sequence]
            events.setdefault(event.sequence, event)
        if number > snapshot.sequence:
            snapshot = stands or record.snapshot
    begins = min(events, default=1)
    before = {number: event for number, event in found.events.items() if number < begins}
    if erased is not None and not any(event.action == Action.ERASE for event in events.values()):
        turn = erase(snapshot, erased.because, erased.at)
        snapshot, events[turn.event.sequence] = turn.snapshot, turn.event
    return Standing(snapshot, dict(sorted((before | events).items())))


def _forgotten(told: Sequence[Told], found: Standing) -> set[int]:
    """Numbers of events that an attempt which the run has forgotten wrote right before the last one of its own.

    Only the answer to that last record tells of it. Those before it, up to one that stands exactly as the history says, were
    written at the moments of that attempt.
    """
    numbers: set[int] = set()
    in_its_wake = False
    for record, recorded in reversed(told):
        event = record.entries[-1].event
        stood = found.events.get(event.sequence)
        if recorded is not None and recorded.stands is not None:
            in_its_wake = True
        elif stood is None or stood == event or stood.state is not event.state:
            in_its_wake = False
        elif in_its_wake:
            numbers.add(event.sequence)
    return numbers


def _as_it_stands(event: Event, stands: Snapshot, found: Event | None, erased: Erased | None) -> Event:
    """The event that belongs to a snapshot which an earlier attempt has written: at another moment, maybe another event."""
    if found is not None and (found.at, found.state) == (stands.updated_at, stands.state):
        return found
    if erased is not None and stands.updated_at == erased.at:
        before = replace(stands, sequence=event.sequence - 1)
        return erase(before, erased.because, erased.at).event
    return replace(event, at=stands.updated_at or event.at, state=stands.state)


def differences(found: Standing, ought: Standing) -> Iterator[str]:
    """What differs, in words, without anything a person wrote: columns, numbers of events, codes."""
    if found.snapshot is None:
        yield "it has no row of its own"
    elif ought.snapshot is not None:
        yield from _in_columns(found.snapshot, ought.snapshot)
    for number in sorted({*found.events, *ought.events}):
        yield from _in_event(number, found.events.get(number), ought.events.get(number))


def differing_numbers(found: Standing, ought: Standing) -> list[int]:
    """The events that stand and ought not to, or not so."""
    return [number for number, event in found.events.items() if ought.events.get(number) != event]


def _in_columns(found: Snapshot, ought: Snapshot) -> Iterator[str]:
    for name, is_, should_be in _unequal(found, ought):
        yield f"{name} is {_said(is_)}, the history says {_said(should_be)}"


def _in_event(number: int, found: Event | None, ought: Event | None) -> Iterator[str]:
    if found is None and ought is not None:
        yield f"event {number} ({ought.action}) is missing"
    elif found is not None and ought is None:
        yield f"event {number} ({found.action}) is not in the history"
    elif found is not None and ought is not None and found != ought:
        names = ", ".join(name for name, _, _ in _unequal(found, ought))
        yield f"event {number} ({ought.action}) differs in {names}"


def _unequal(one: Any, other: Any) -> Iterable[tuple[str, Any, Any]]:
    for field in fields(one):
        pair = getattr(one, field.name), getattr(other, field.name)
        if pair[0] != pair[1]:
            yield field.name, *pair


def _said(value: Any) -> str:
    return "empty" if value is None else str(value)
