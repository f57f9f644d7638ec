"""What a lost run had heard and what it had missed: told from the timeline, the inbox, and the requests it belongs with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.followed import TO_FOLLOWERS, Followed, Follower, standing_of
from domain.lifecycle import Action
from domain.rebuilt import Answer
from domain.request import Event, Snapshot, State
from domain.told import is_unhappy


@dataclass(frozen=True)
class Sent:
    """A message of the inbox: what it asks for, and the id of its text."""

    inbox_id: int
    action: Action
    text: str | None


@dataclass(frozen=True)
class Done:
    """An update that was carried out: the number of the event that it made."""

    update_id: str
    sequence: int


@dataclass(frozen=True)
class Parent:
    """The request that another was merged into; `told` are the kinds of notices that its citizen was owed, by event."""

    snapshot: Snapshot
    events: Sequence[Event]
    told: Mapping[int, tuple[str, ...]]
    reopen_until: datetime | None = None


def heard_up_to(messages: Sequence[Sent], events: Sequence[Event]) -> int:
    """The latest message that stands in the timeline; -1 where none does. Each was taken once, in the order of the inbox."""
    left = list(_asked_by_message(events))
    heard = -1
    for message in messages:
        found = next((place for place, event in enumerate(left) if _comes_from(event, message)), None)
        if found is not None:
            heard = message.inbox_id
            del left[: found + 1]
    return heard


def _asked_by_message(events: Sequence[Event]) -> Iterator[Event]:
    """Without the reopening that follows by itself where the citizen says that it is not solved."""
    before: Event | None = None
    for event in events:
        if before is None or not _follows_by_itself(before, event):
            yield event
        before = event


def _follows_by_itself(before: Event, event: Event) -> bool:
    again = event.action in (Action.REOPEN, Action.UNMERGE) and event.actor_kind == "citizen" and event.text is None
    return again and is_unhappy(before)


def _comes_from(event: Event, message: Sent) -> bool:
    if event.action == "not_applied":
        # What could not be read was noted without its text.
        return event.facts.get("action") == message.action and (event.text or message.text) == message.text
    return event.action == message.action and event.actor_kind == "citizen" and event.text == message.text


def answers(done: Sequence[Done], events: Sequence[Event]) -> tuple[Answer, ...]:
    """What each update was answered: where the request stood after all that it made."""
    made = {each.update_id: each.sequence for each in sorted(done, key=lambda each: each.sequence)}
    stood = {event.sequence: event for event in events}
    told = []
    for update_id, sequence in made.items():
        if sequence in stood:
            event, following = stood[sequence], stood.get(sequence + 1)
            stands = following if following is not None and _follows_by_itself(event, following) else event
            told.append(Answer(update_id, stands.state, stands.sequence))
    return tuple(told)


def followers_of(events: Sequence[Event]) -> tuple[str, ...]:
    """The requests that were merged into this one, in the order in which they came."""
    followers: dict[str, None] = {}
    for event in events:
        if event.action == "joined":
            followers[event.facts["follower"]] = None
        elif event.action == "left":
            followers.pop(event.facts["follower"], None)
    return tuple(followers)


def followers_changed(counted: Sequence[str], merged: Sequence[str]) -> tuple[Follower, ...]:
    """What a parent was not told: who has joined it without being counted, and who has left."""
    came = (Follower(reference) for reference in merged if reference not in counted)
    went = (Follower(reference, leaves=True) for reference in counted if reference not in merged)
    return (*came, *went)


def followed_up_to(snapshot: Snapshot, events: Sequence[Event], parent: Parent) -> int:
    """The latest event of its parent that a merged request has followed."""
    return max((number for number in _followed(snapshot, events, parent) if number), default=0)


def _followed(snapshot: Snapshot, events: Sequence[Event], parent: Parent) -> Iterator[int]:
    merged_at = max((event.at for event in events if event.action == Action.MERGE), default=snapshot.submitted_at)
    for event in parent.events:
        if event.action == "joined" and event.facts.get("follower") == snapshot.reference:
            yield event.sequence  # with that it was told where its parent stands
    for own in events:
        if own.action == Action.FOLLOW and own.at >= merged_at:
            yield max((each.sequence for each in parent.events if _is_what_was_followed(each, own)), default=0)


def _is_what_was_followed(event: Event, own: Event) -> bool:
    says = (own.facts.get("parent_action"), own.facts.get("parent_state"))
    return (event.action, event.state.value) == says and event.at <= own.at


def parent_moved(after: int, parent: Parent) -> tuple[Followed, ...]:
    """What a merged request has not heard of its parent since that event, and where its parent stands now."""
    news = [_news(event, parent) for event in parent.events if event.sequence > after and _is_news(event, parent)]
    stands = standing_of(parent.snapshot)
    if stands.sequence > after:
        news.append(_with_end(stands, parent))
    return tuple(news)


def _is_news(event: Event, parent: Parent) -> bool:
    return event.state_before is not event.state or bool(_kinds(event, parent))


def _kinds(event: Event, parent: Parent) -> tuple[str, ...]:
    return tuple(kind for kind in parent.told.get(event.sequence, ()) if kind in TO_FOLLOWERS)


def _news(event: Event, parent: Parent) -> Followed:
    stands = parent.snapshot
    due = event.facts.get("due")
    return _with_end(
        Followed(
            event.sequence,
            event.state,
            event.action,
            event.facts.get("department") or stands.department,
            stands.category,
            datetime.fromisoformat(due) if due else stands.due_at,
            _kinds(event, parent),
        ),
        parent,
    )


def _with_end(news: Followed, parent: Parent) -> Followed:
    """So long its citizens may still judge."""
    if news.state is not State.CLOSED:
        return news
    return Followed(**{**vars(news), "until": parent.reopen_until})
