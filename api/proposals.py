"""What is proposed to the person who decides, as they are shown it: an action with its fields filled in, and the reason."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ConfigDict, Field

from api.fields import Answer
from api.proposal_words import why_proposed
from api.schemas import Language
from domain.lifecycle import Action
from domain.policy import Names, Policy, in_language
from domain.proposals import PREFIX, Because, Proposal, ProposalKind
from domain.request import Event, Snapshot, State

_PROPOSING = frozenset({Action.AUTO_ASSIGN, Action.TO_TRIAGE})
_LEAVES_IT_OPEN = frozenset(
    {Action.SET_URGENCY, Action.ACCEPT, Action.CONTACT, Action.PROGRESS, Action.URGE, Action.SUPPLEMENT}
)
"""What staff or citizens may do without having answered the proposal; everything else is an answer."""
_SHOWN_IN = frozenset({State.TRIAGE, State.ASSIGNED, State.IN_PROGRESS})


class ProposalAnswer(Answer):
    """What the rules propose and a person decides. Nothing of it has been done.

    `fields` is the body of `action` as it would be taken; `name` and `route` are those of a reason to decline or of a
    target. With `category` a decline or a transfer says that a part of the message is a matter of the city all the same.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "decline",
                    "action": "decline",
                    "fields": {"reason_code": "private_dispute"},
                    "name": "Private dispute",
                    "route": "Ask your community's mediation committee, or call 12348 for legal advice",
                    "category": None,
                    "because": "words",
                    "why": "Words of the message speak for “Private dispute”",
                }
            ]
        }
    )

    kind: ProposalKind
    action: Action
    fields: dict[str, str] = Field(description="The body of the action, filled in.")
    name: str | None
    route: str | None
    category: str | None
    because: Because | None = Field(description="The reason as a code; null for proposals from before there were any.")
    why: str = Field(description="The same as a sentence in the asked language.")


def proposal_answer(
    policy: Policy, snapshot: Snapshot, events: Sequence[Event], language: Language
) -> ProposalAnswer | None:
    """The proposal that nobody has answered yet; None where there is none, or the policy in force has no such code."""
    found = _open_proposal(snapshot, events)
    if found is None:
        return None
    match found.kind:
        case ProposalKind.DECLINE if found.reason_code in {reason.code for reason in policy.decline_reasons}:
            reason = policy.decline_reason(str(found.reason_code))
            fields = {"reason_code": reason.code}
            return _answer(policy, found, Action.DECLINE, fields, language, name=reason.name, route=reason.route)
        case ProposalKind.TRANSFER if found.target in {target.code for target in policy.transfer_targets}:
            target = policy.transfer_target(str(found.target))
            return _answer(policy, found, Action.TRANSFER, {"target": target.code}, language, name=target.name)
        case ProposalKind.CO_HANDLER if _is_known(policy, found):
            return _two_departments(policy, snapshot, found, language)
    return None


def _open_proposal(snapshot: Snapshot, events: Sequence[Event]) -> Proposal | None:
    if snapshot.state not in _SHOWN_IN:
        return None
    proposed = [number for number, event in enumerate(events) if event.action in _PROPOSING and PREFIX in event.facts]
    if not proposed:
        return None
    since = events[proposed[-1] + 1 :]
    if any(event.actor_kind != "system" and event.action not in _LEAVES_IT_OPEN for event in since):
        return None
    return Proposal.of(events[proposed[-1]].facts)


def _is_known(policy: Policy, found: Proposal) -> bool:
    departments, categories = (found.department, found.co_department), (found.category, found.co_category)
    return all(policy.has_department(code or "") for code in departments) and all(
        policy.has_category(code or "") for code in categories
    )


def _two_departments(policy: Policy, snapshot: Snapshot, found: Proposal, language: Language) -> ProposalAnswer:
    """In triage the dispatcher assigns and asks the second department in one go; later the lead is asked to."""
    helper = policy.department(str(found.co_department))
    task = in_language(policy.category(str(found.co_category)).name, language)
    if snapshot.state is not State.TRIAGE:
        fields = {"department": helper.code, "task": task}
        return _answer(policy, found, Action.ADD_CO_HANDLER, fields, language, name=helper.name)
    fields = {
        "department": str(found.department), "category": str(found.category),
        "co_department": helper.code, "co_task": task,
    }  # fmt: skip
    return _answer(policy, found, Action.ASSIGN, fields, language, name=helper.name)


def _answer(
    policy: Policy, found: Proposal, action: Action, fields: dict[str, str], language: Language, *,
    name: Names, route: Names | None = None,
) -> ProposalAnswer:  # fmt: skip
    return ProposalAnswer(
        kind=found.kind,
        action=action,
        fields=fields,
        name=in_language(name, language),
        route=in_language(route, language) if route else None,
        category=found.category,
        because=Because(found.because) if found.because in set(Because) else None,
        why=why_proposed(policy, found, language),
    )
