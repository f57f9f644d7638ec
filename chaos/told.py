"""What people were told, each answer held against what exists: what was promised is there, once, and nothing else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from chaos.found import Check, Found
from chaos.ledger import Ledger
from db.proof import Happening, Message

_KINDS = {
    "supplement": "supplemented", "urge": "urged", "withdraw": "withdrawn", "rate": "rated", "reopen": "reopened",
    "answer": "answered",
}  # fmt: skip


def every_201(ledger: Ledger, found: Found) -> Check:
    check = Check("every request that was answered 201 is there, word for word")
    for reference, sent in ledger.sent.items():
        kept = found.descriptions.get(reference)
        if kept is None:
            check.expect(False, f"{reference} is missing")
        else:
            check.expect(kept == (sent.description, sent.phone), f"{reference} is not as it was sent")
    return check


def nothing_unasked(ledger: Ledger, found: Found) -> Check:
    check = Check("no request is there that nobody was told of, and none twice")
    for reference in found.snapshots:
        check.expect(reference in ledger.sent, f"nobody was told of {reference}")
    return check


def every_202(ledger: Ledger, found: Found) -> Check:
    check = Check("every message of a citizen that was answered 202 is there")
    kept = Counter((each.reference, each.kind, each.received_at) for each in found.messages)
    for reference, heard in ledger.heard.items():
        for each in heard:
            place = (reference, _KINDS[each.action], each.accepted_at)
            check.expect(kept[place] == 1, f"{each.action} of {reference} is there {kept[place]} times")
    return check


def every_message_once(ledger: Ledger, found: Found) -> Check:
    """No more than were answered 202, or had no answer; and each stands in the timeline once."""
    check = Check("every message reached its request once")
    kept: defaultdict[str, list[Message]] = defaultdict(list)
    for message in found.messages:
        kept[message.reference].append(message)
    for reference, messages in kept.items():
        told = Counter(_KINDS[each.action] for each in ledger.heard[reference])
        for kind, number in Counter(each.kind for each in messages if each.kind != "submitted").items():
            action = next(action for action, name in _KINDS.items() if name == kind)
            most = told[kind] + ledger.unanswered[reference, action]
            check.expect(number <= most, f"{reference} has {number} messages '{kind}', and {most} were tried")
        check.expect(*_heard_once(reference, messages, found.events.get(reference, ())))
    return check


def nothing_stored(ledger: Ledger, found: Found) -> Check:
    check = Check("where somebody was told that nothing was stored, nothing was")
    for reference, texts in ledger.denied.items():
        for text in texts:
            check.expect(text not in found.said.get(reference, ()), f"a message of {reference} was stored all the same")
    return check


def _heard_once(reference: str, messages: Sequence[Message], events: Sequence[Happening]) -> tuple[bool, str]:
    told = [event for event in events if event.actor_kind == "citizen"]
    # A rating of "no" makes two events: the rating, and the reopening that follows from it.
    followed = sum((one.action, next_.action) == ("rate", "reopen") for one, next_ in pairwise(told))
    heard = len(told) - followed
    outcomes = Counter(each.outcome for each in messages)
    # What came again after the end had been heard the first time, where the answer to that was lost.
    repeated = sum(each.outcome == "refused" and each.attempts > 1 for each in messages)
    holds = outcomes.keys() <= {"delivered", "refused"} and outcomes["delivered"] <= heard <= (
        outcomes["delivered"] + repeated
    )
    return holds, f"{reference}: messages {dict(outcomes)}, {heard} stand in the timeline"


def every_200(ledger: Ledger, found: Found) -> Check:
    check = Check("every action that was answered 200 stands in the timeline, under that number and with that state")
    for reference, acted in ledger.acted.items():
        events = {event.sequence: event for event in found.events.get(reference, ())}
        for each in acted:
            event = events.get(each.sequence)
            stands = (event.action, event.username, event.state) if event else None
            told = (each.action, each.username, each.state)
            check.expect(stands == told, f"{reference} event {each.sequence}: told {told}, there is {stands}")
    return check


def no_action_twice(ledger: Ledger, found: Found) -> Check:
    check = Check("no action was carried out twice, or without an answer")
    for reference, events in found.events.items():
        known = {each.sequence for each in ledger.acted.get(reference, ())}
        for event in events:
            if event.actor_kind == "staff":
                check.expect(
                    event.sequence in known, f"{reference} event {event.sequence} ({event.action}): nobody was told"
                )
    return check


def photos(ledger: Ledger, found: Found) -> Check:
    check = Check("every picture that was answered 201 is there, and can be looked at")
    for reference, photos in ledger.photos.items():
        for photo in photos:
            check.expect(found.photos.get(photo) == reference, f"picture {photo} of {reference} is missing or spoilt")
    return check


def read_stays(ledger: Ledger, found: Found) -> Check:
    check = Check("every line that a citizen has read is still there")
    for reference, lines in ledger.read.items():
        kept = {(event.at, event.action) for event in found.events.get(reference, ()) if event.public}
        for line in lines:
            check.expect((line.at, line.kind) in kept, f"{reference}: '{line.kind}' at {line.at} is gone")
    return check
