"""Where a request was found to lie, as staff are shown it: how that was found, and what is in doubt about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import ConfigDict, Field

from api.fields import Answer
from domain.classified import FoundBy, PlaceDoubt
from domain.lifecycle import Action
from domain.policy import Names, Policy, in_language
from domain.request import Event, Snapshot

_FINDING = frozenset({Action.AUTO_ASSIGN, Action.TO_TRIAGE})


class AreaAnswer(Answer):
    """A district of the city, or a neighbour of it."""

    code: str
    name: str
    neighbour: bool


class WhereaboutsAnswer(Answer):
    """The `area`: the district that a request counts in, or the neighbour that it lies in.

    With a `doubt` the point, if there is one, is in the first of `between`, and each of the others may be right.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "area": {"code": "morning_bell", "name": "Morning Bell District", "neighbour": False},
                    "found_by": "point",
                    "doubt": "near_border",
                    "between": [
                        {"code": "morning_bell", "name": "Morning Bell District", "neighbour": False},
                        {"code": "clear_tone", "name": "Clear Tone District", "neighbour": False},
                    ],
                }
            ]
        }
    )

    area: AreaAnswer | None
    found_by: FoundBy | None = Field(description="point, border, nearest: of a point; place, text: of a name.")
    doubt: PlaceDoubt | None
    between: list[AreaAnswer]


def whereabouts_answer(policy: Policy, snapshot: Snapshot, events: Sequence[Event], language: str) -> WhereaboutsAnswer:
    """By the first look at the request; a code that the policy in force does not have stands for itself."""
    facts: Mapping[str, str] = next((event.facts for event in events if event.action in _FINDING), {})
    found_by, doubt = facts.get("place_by"), facts.get("place_doubt")
    code = snapshot.district or facts.get("neighbour")
    return WhereaboutsAnswer(
        area=_area(policy, code, language) if code else None,
        found_by=FoundBy(found_by) if found_by in set(FoundBy) else None,
        doubt=PlaceDoubt(doubt) if doubt in set(PlaceDoubt) else None,
        between=[_area(policy, code, language) for code in facts.get("place_between", "").split()],
    )


def _area(policy: Policy, code: str, language: str) -> AreaAnswer:
    neighbours: dict[str, Names] = {each.code: each.name for each in policy.neighbours}
    names = neighbours | {each.code: each.name for each in policy.districts}
    return AreaAnswer(code=code, name=in_language(names.get(code, {}), language) or code, neighbour=code in neighbours)
