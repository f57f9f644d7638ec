"""Looking for hot topics in what people told the city lately, and owing the supervisors a notice of each spike."""

# Without `from __future__ import annotations`: these values travel through Temporal.

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from temporalio import activity

from db import topics
from db.pool import Pool
from db.sealing import KeyRing
from db.topics import Found, Told
from domain.masking import masked

if TYPE_CHECKING:
    from classifier.topics import Period, Topic


@dataclass(frozen=True)
class Look:
    """How many days before now are looked at; the last fifth of them counts as lately."""

    days: int = 35


@dataclass(frozen=True)
class Looked:
    """How many topics there are, and by id the requests that carry a notice to the supervisors."""

    topics: int
    carriers: list[str]


class TopicActivities:
    """Texts are opened here and stay here: what is kept is sealed, what is answered are ids."""

    def __init__(self, pool: Pool, keys: KeyRing, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._pool = pool
        self._keys = keys
        self._now = now

    @activity.defn
    async def find_topics(self, look: Look) -> Looked:
        """Done again, it finds the same topics again and warns of nothing twice."""
        # Numbers and sparse matrices come with it: a worker that has not looked yet does without.
        from classifier.topics import LATELY, MOST_MESSAGES, Period

        now, window = self._now(), timedelta(days=look.days)
        period = Period(now - window, now)
        sealed = await topics.told(self._pool, period.since, period.until, MOST_MESSAGES)
        found = await asyncio.to_thread(lambda: found_in(sealed.opened(self._keys), period))
        carriers = await topics.keep(self._pool, self._keys, found, now, window, window * LATELY)
        return Looked(len(found), [str(each) for each in carriers])


def found_in(told: list[Told], period: "Period") -> list[Found]:
    """The topics in it, with names masked. Where the city hears so much that not all of the period was read, it begins
    with the first that was."""
    from classifier.topics import MOST_MESSAGES, Message, Period, topics_of

    if len(told) == MOST_MESSAGES:
        period = Period(min(each.submitted_at for each in told), period.until)
    messages = [
        Message(str(each.request_id), each.submitted_at, each.title, each.description, each.author, each.place)
        for each in told
    ]
    categories = {str(each.request_id): each.category for each in told}
    return [_found(topic, period, categories) for topic in topics_of(messages, period)]


def _found(topic: "Topic", period: "Period", categories: dict[str, str | None]) -> Found:
    language = "zh" if any("\u3400" <= character <= "\u9fff" for character in topic.name) else "en"
    named = Counter(code for each in topic.messages if (code := categories[each]))
    lately_days = round((period.until - period.lately_since) / timedelta(days=1))
    facts = {"people": str(topic.authors.lately), "days": str(max(lately_days, 1))}
    return Found(
        name=masked(topic.name, language),
        places=tuple(masked(place, language) for place in topic.places),
        named_after=UUID(topic.named_after),
        requests=tuple(UUID(each) for each in topic.messages),
        authors=topic.size,
        lately=topic.authors.lately,
        before=topic.authors.before,
        times=topic.growth.times,
        probability=topic.growth.probability,
        is_spike=topic.growth.is_spike,
        facts=facts | ({"category": named.most_common(1)[0][0]} if named else {}),
    )
