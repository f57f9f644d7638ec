"""What a member of staff may do with a request now, and what each action asks for: only what can lead somewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from api.actions import PARTS, STAFF_ACTIONS, FieldSpec, needs_picture
from api.reopening import can_reopen
from api.staff_schemas import FieldAnswer, MayAnswer
from domain.lifecycle import Action, allowed_actions
from domain.policy import Policy
from domain.request import TERMINAL, Actor, CoState, Role, Snapshot, State

_NOBODY_HAS_IT = frozenset({State.RECEIVED, State.TRIAGE, State.ADJUDICATION})


def may_of(policy: Policy, in_force: Policy, snapshot: Snapshot, actor: Actor, now: datetime) -> list[MayAnswer]:
    """The actions that this person may take now, with what each asks for.

    `policy` is the one of the request; what people choose from is that of the one `in_force`.
    """
    return [
        MayAnswer(
            action=action, fields=[_answer(field) for field in _fields(policy, in_force, snapshot, actor, action)]
        )
        for action in allowed_actions(snapshot, actor, now)
        if action in STAFF_ACTIONS and _leads_somewhere(policy, snapshot, action, now)
    ]


def _leads_somewhere(policy: Policy, snapshot: Snapshot, action: Action, now: datetime) -> bool:
    """Whether what the table does not know allows it: the time, the length of the chain, and who helps."""
    match action:
        case Action.REOPEN:
            return can_reopen(policy, snapshot, now)
        case Action.ESCALATE:
            return _has_rung_left(policy, snapshot)
        case Action.WAIVE_CO_HANDLING:
            return bool(_waited_for(snapshot))
        case Action.UNMERGE:
            # With a parent that ended without an answer, its run is over.
            return snapshot.parent_state not in TERMINAL - {State.CLOSED}
    return True


def _has_rung_left(policy: Policy, snapshot: Snapshot) -> bool:
    """Of the chain that its clocks follow; where the policy of the request is gone, the run knows better."""
    code = snapshot.category
    if snapshot.state in _NOBODY_HAS_IT or code is None:
        chain = policy.chain(policy.triage.chain)
    elif policy.has_category(code):
        chain = policy.chain(policy.category(code).chain)
    else:
        return True
    return any(rung.level > snapshot.escalation_level for rung in chain.rungs)


def _fields(
    policy: Policy, in_force: Policy, snapshot: Snapshot, actor: Actor, action: Action
) -> tuple[FieldSpec, ...]:
    """What the action asks this person for, here and now."""
    specs = STAFF_ACTIONS[action].fields
    if action is Action.RESOLVE and needs_picture(policy, snapshot):
        return tuple(replace(spec, required=spec.required or spec.type == "attachments") for spec in specs)
    if action is Action.PROGRESS and Role.HANDLER not in actor.roles_towards(snapshot.department):
        # Only the lead department speaks to the citizen.
        return tuple(spec for spec in specs if spec.name != "public")
    if action in PARTS:
        return _of_part(specs, _parts(snapshot, actor, action))
    if action is Action.ADD_CO_HANDLER:
        return _of_part(specs, _others(in_force, snapshot))
    return specs


def _others(in_force: Policy, snapshot: Snapshot) -> tuple[str, ...]:
    """The departments that do not have the request and have not been asked."""
    taken = {snapshot.department, *snapshot.co_departments}
    return tuple(each.code for each in in_force.departments if each.code not in taken)


def _of_part(specs: tuple[FieldSpec, ...], departments: tuple[str, ...]) -> tuple[FieldSpec, ...]:
    """The departments to choose from; where there is but one that somebody can mean, they are not asked."""
    return tuple(
        replace(spec, choices=departments, required=True) if spec.name == "department" else spec
        for spec in specs
        if spec.required or spec.name != "department" or len(departments) > 1
    )


def _parts(snapshot: Snapshot, actor: Actor, action: Action) -> tuple[str, ...]:
    if action is Action.WAIVE_CO_HANDLING:
        return _waited_for(snapshot)
    mine = {*actor.departments, *actor.led}
    return tuple(code for code in snapshot.co_departments if code in mine)


def _waited_for(snapshot: Snapshot) -> tuple[str, ...]:
    waiting = (each.department for each in snapshot.co_handlers if each.state in (CoState.ASKED, CoState.RETURNED))
    return tuple(dict.fromkeys(waiting))


def _answer(spec: FieldSpec) -> FieldAnswer:
    return FieldAnswer(
        name=spec.name,
        type=spec.type,
        required=spec.required,
        choices=list(spec.choices) or None,
        choices_from=spec.choices_from,
    )
