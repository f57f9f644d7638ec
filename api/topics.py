"""Hot topics for supervisors: what many people wrote about lately, how it grew, and the requests behind it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from api.documented import problems
from api.fields import Answer
from api.looks import looked
from api.services import Wired
from api.signed_in import Staff
from api.staff_requests import answer_of
from api.staff_schemas import RequestRow
from db import topics
from db.audit import Seen
from db.views import Page
from domain.audit import Kind
from domain.request import Role

router = APIRouter(prefix="/staff/topics", tags=["staff"])

_MOST_REQUESTS = 500


class TopicAnswer(Answer):
    """What at least five people wrote about. Authors are counted, each once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "019aa9f0-0000-7000-8000-000000000001",
                    "name": "dust from the concrete plant behind Willow Road",
                    "places": ["Willow Road"],
                    "first_found_at": "2026-11-20T00:20:00Z",
                    "found_at": "2026-11-22T04:20:00Z",
                    "authors": 14,
                    "lately": 11,
                    "before": 3,
                    "times": 14.7,
                    "probability": 0.0000004,
                    "spike": True,
                    "warned_at": "2026-11-21T00:20:00Z",
                }
            ]
        }
    )

    id: UUID
    name: str | None = Field(description="In the words of one of them, masked; null where these were just erased.")
    places: list[str] = Field(description="That several of them name.")
    first_found_at: datetime
    found_at: datetime
    authors: int
    lately: int = Field(description="Who wrote in the last fifth of the period.")
    before: int = Field(description="Who wrote before that.")
    times: float | None = Field(description="As many a day lately as before; null when there was nobody before.")
    probability: float = Field(description="That as many wrote lately by chance.")
    spike: bool
    warned_at: datetime | None = Field(description="When supervisors were last sent a notice of it.")


class TopicsAnswer(Answer):
    """Of the latest look: spikes first, then those with the most authors."""

    topics: list[TopicAnswer]


class FullTopicAnswer(TopicAnswer):
    """A topic with the requests behind it, the latest first, as far as the asker may see them."""

    requests: list[RequestRow]


@router.get("", summary="Hot topics", responses=problems("unauthorized", "forbidden"))
async def read_topics(services: Wired, signed_in: Staff) -> TopicsAnswer:
    """What many people wrote about in the last five weeks. Confidential requests are not looked at."""
    signed_in.require_role(Role.SUPERVISOR)
    found = await topics.standing(services.pool, services.keys)
    await looked(services, signed_in, Seen(Kind.LIST, count=len(found)))
    return TopicsAnswer(topics=[TopicAnswer.model_validate(each, from_attributes=True) for each in found])


@router.get("/{topic_id}", summary="A hot topic", responses=problems("unauthorized", "forbidden", "not_found"))
async def read_topic(topic_id: UUID, services: Wired, signed_in: Staff) -> FullTopicAnswer:
    """With the requests behind it."""
    signed_in.require_role(Role.SUPERVISOR)
    topic = await topics.standing_one(services.pool, services.keys, topic_id)
    # Its words are a citizen's, also where this person may see none of the requests.
    await looked(services, signed_in, Seen(Kind.LIST))
    lines = await topics.behind(services.pool, services.keys, topic_id, signed_in.sight, _MOST_REQUESTS)
    listed = await answer_of(services, signed_in, Page(lines, None))
    shown = TopicAnswer.model_validate(topic, from_attributes=True)
    return FullTopicAnswer(requests=listed.requests, **shown.model_dump())
