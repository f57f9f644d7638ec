"""The activity that sends the notices of a request, and what it tells Temporal when some of them have to wait."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.providers.port import Provider
from activities.sending import IN_HAND, NoticeSender
from activities.wording import Policies
from db.pool import Pool
from db.sealing import KeyRing

TEMPORARY_FAILURE = "TemporaryFailure"
# Another activity of the same request has a notice in hand; it needs milliseconds, unless its worker has died.
SOON = timedelta(seconds=1)
ATTEMPTS_SOON = 5


@dataclass(frozen=True)
class SendNotices:
    """`at`: what quiet hours hold back until then is due, by the clock of whoever asks."""

    request_id: str
    at: datetime | None = None


@dataclass(frozen=True)
class SentNotices:
    """`held_until`: when the first of those is due that quiet hours hold back."""

    held_until: datetime | None = None


class NoticeActivities:
    """`sender` serves the sweep and whoever has a single notice to send as well."""

    def __init__(
        self,
        pool: Pool,
        keys: KeyRing,
        policies: Policies,
        provider: Provider,
        public_url: str,
        given_up: Callable[[str], None] = lambda because: None,
    ) -> None:
        self.sender = NoticeSender(pool, keys, policies, provider, public_url, given_up=given_up)

    @activity.defn
    async def send_notices(self, wanted: SendNotices) -> SentNotices:
        """Sends all that is due. Raises TemporaryFailure where something has to be tried again; the rest stays sent."""
        left = await self.sender.send_request(UUID(wanted.request_id), wanted.at)
        if left.unsettled is not None:
            raise ApplicationError(
                f"Some notices have to wait ({left.unsettled}). Those that went out stay sent.",
                type=TEMPORARY_FAILURE,
                category=ApplicationErrorCategory.BENIGN,
                next_retry_delay=_delay(left.unsettled),
            )
        return SentNotices(left.held_until)


def _delay(reason: str) -> timedelta | None:
    """None leaves it to the retry policy."""
    return SOON if reason == IN_HAND and activity.info().attempt <= ATTEMPTS_SOON else None
