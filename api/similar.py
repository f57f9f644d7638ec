"""What helps to decide on a request because it was there before: likely duplicates, precedents and past answers.

Texts are opened and compared in a thread, for that is work and not waiting.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.citizens import Reference
from api.documented import problems
from api.looks import looked
from api.services import Services, Wired
from api.signed_in import SignedIn, Staff
from api.similar_schemas import (
    BearingAnswer,
    CandidateAnswer,
    CandidatesAnswer,
    LikenessAnswer,
    PastAnswer,
    PastAnswers,
    PrecedentAnswer,
    PrecedentsAnswer,
)
from api.visible import find_visible
from db import candidates, past_answers, precedents
from db.audit import Seen
from db.candidates import Candidate
from db.precedents import Precedent
from domain.audit import Kind
from domain.policy import District, Neighbour, Policy
from domain.request import Role, Snapshot, State
from domain.similarity import WINDOW

router = APIRouter(prefix="/staff/requests", tags=["staff"])

_DISPATCHING = (Role.DISPATCHER, Role.SUPERVISOR)
_CONTESTED = frozenset({State.TRIAGE, State.ADJUDICATION})
_ANSWERING = frozenset({State.ASSIGNED, State.IN_PROGRESS, State.IN_REVIEW})
_LONGEST_WINDOW_DAYS = 365


@dataclass(frozen=True, slots=True)
class Beside:
    """What the page of a request shows beside it; empty where it would not help this person now."""

    candidates: list[CandidateAnswer]
    precedents: list[PrecedentAnswer]
    past_answers: list[PastAnswer]


@router.get(
    "/{reference}/candidates", summary="Likely duplicates", responses=problems("unauthorized", "forbidden", "not_found")
)
async def read_candidates(
    reference: Reference,
    services: Wired,
    signed_in: Staff,
    days: Annotated[
        int, Query(ge=1, le=_LONGEST_WINDOW_DAYS, description="How long before this one they were sent at most.")
    ] = WINDOW.days,
) -> CandidatesAnswer:
    """Open or lately answered requests that may be the same matter, with what speaks for it. Only a person merges them."""
    signed_in.require_role(*_DISPATCHING)
    return await candidates_of(
        services, signed_in, await find_visible(services, signed_in, reference), timedelta(days=days)
    )


@router.get(
    "/{reference}/precedents", summary="Precedents", responses=problems("unauthorized", "forbidden", "not_found")
)
async def read_precedents(reference: Reference, services: Wired, signed_in: Staff) -> PrecedentsAnswer:
    """What supervisors decided between the same departments, or in the same category on a matter told alike."""
    signed_in.require_role(*_DISPATCHING)
    return await precedents_of(services, signed_in, await find_visible(services, signed_in, reference))


@router.get("/{reference}/past-answers", summary="Past answers", responses=problems("unauthorized", "not_found"))
async def read_past_answers(reference: Reference, services: Wired, signed_in: Staff) -> PastAnswers:
    """How requests of the same category that were told alike have been answered, as far as this person may see them."""
    return await past_answers_of(services, signed_in, await find_visible(services, signed_in, reference))


async def candidates_of(
    services: Services, signed_in: SignedIn, snapshot: Snapshot, window: timedelta = WINDOW
) -> CandidatesAnswer:
    """The likely duplicates of that request, as far as this person may see them."""
    policy = await services.policies.active()
    found = await candidates.preselected(
        services.pool,
        services.keys,
        UUID(snapshot.request_id),
        signed_in.sight,
        no_places=_names_of_districts(policy),
        window=window,
    )
    ranked = await asyncio.to_thread(found.ranked, services.keys)
    await looked(services, signed_in, Seen(Kind.SIMILAR, snapshot.reference, len(ranked)))
    return CandidatesAnswer(candidates=[_candidate(each) for each in ranked], compared=len(found.others))


async def precedents_of(services: Services, signed_in: SignedIn, snapshot: Snapshot) -> PrecedentsAnswer:
    found = await precedents.decided(services.pool, UUID(snapshot.request_id), signed_in.sight, services.now())
    bearing = await asyncio.to_thread(found.bearing, services.keys)
    await looked(services, signed_in, Seen(Kind.SIMILAR, snapshot.reference, len(bearing)))
    return PrecedentsAnswer(precedents=[_precedent(each) for each in bearing])


async def past_answers_of(services: Services, signed_in: SignedIn, snapshot: Snapshot) -> PastAnswers:
    found = await past_answers.found(services.pool, UUID(snapshot.request_id), signed_in.sight, services.now())
    alike = await asyncio.to_thread(found.alike, services.keys)
    await looked(services, signed_in, Seen(Kind.SIMILAR, snapshot.reference, len(alike)))
    return PastAnswers(answers=[PastAnswer.model_validate(each, from_attributes=True) for each in alike])


async def beside(services: Services, signed_in: SignedIn, snapshot: Snapshot) -> Beside:
    """All of it that helps with the request as it stands."""
    dispatches = bool(frozenset(_DISPATCHING) & frozenset(signed_in.actor.roles))
    state = snapshot.state
    mergeable, contested = dispatches and state in candidates.MERGEABLE, dispatches and state in _CONTESTED
    return Beside(
        candidates=(await candidates_of(services, signed_in, snapshot)).candidates if mergeable else [],
        precedents=(await precedents_of(services, signed_in, snapshot)).precedents if contested else [],
        past_answers=(await past_answers_of(services, signed_in, snapshot)).answers if state in _ANSWERING else [],
    )


def _names_of_districts(policy: Policy) -> list[str]:
    """Names that say in which part of the city, and not where."""
    areas: tuple[District | Neighbour, ...] = (*policy.districts, *policy.neighbours)
    cities = policy.city.name.values()
    return [*cities, *(name for each in areas for name in (*each.name.values(), *each.also_called))]


def _candidate(each: Candidate) -> CandidateAnswer:
    likeness = each.likeness
    return CandidateAnswer(
        reference=each.reference,
        title=each.title,
        category=each.category,
        department=each.department,
        state=each.state,
        confidential=each.confidential,
        submitted_at=each.submitted_at,
        score=likeness.score,
        reasons=LikenessAnswer.model_validate(likeness, from_attributes=True),
    )


def _precedent(each: Precedent) -> PrecedentAnswer:
    return PrecedentAnswer(
        reference=each.reference,
        decided_at=each.decided_at,
        decided_by=each.decided_by,
        decision=each.decision,
        department=each.department,
        reason_code=each.reason_code,
        category=each.category,
        contested_by=list(each.contested_by),
        reason=each.reason,
        score=each.bearing.score,
        reasons=BearingAnswer.model_validate(each.bearing, from_attributes=True),
    )
