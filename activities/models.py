"""The trained model at hand: at most two seconds behind the database, and the policy's words where there is none to use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from activities.classification import Classifies
from classifier.dangers import classifier_of as by_words_and_examples
from classifier.files import ModelUnusable, from_bytes
from classifier.model import Model
from classifier.trained import TrainedClassifier
from domain.policy import Policy

FRESH_SECONDS = 2.0

logger = structlog.get_logger(__name__)

ActiveVersion = Callable[[], Awaitable[str | None]]
ContentOf = Callable[[str], Awaitable[bytes | None]]


class ModelStore:
    """The active model, from wherever `active_version` and `content_of` look.

    While they fail, the last active model goes on being used. A model that this program cannot use counts as none, and is
    reported once.
    """

    def __init__(
        self, active_version: ActiveVersion, content_of: ContentOf, now: Callable[[], float] | None = None
    ) -> None:
        """`now` is a clock in seconds that never goes back; that of the running loop unless given."""
        self._active_version = active_version
        self._content_of = content_of
        self._now = now
        self._version: str | None = None
        self._model: Model | None = None
        self._bound: Classifies | None = None
        self._bound_to = ""
        self._fresh_until = float("-inf")
        self._looking = asyncio.Lock()

    async def classifier_of(self, policy: Policy) -> Classifies:
        """The active model at work for that policy, or the policy's words."""
        await self._refresh()
        if self._bound is None or self._bound_to != policy.version:
            # In a thread: learning from the examples of a new policy takes a second, and other requests are waiting.
            self._bound, self._bound_to = await asyncio.to_thread(_bound, self._model, policy), policy.version
        return self._bound

    async def _refresh(self) -> None:
        if self._clock() < self._fresh_until:
            return
        async with self._looking:
            if self._clock() >= self._fresh_until:
                await self._look_again()
                self._fresh_until = self._clock() + FRESH_SECONDS

    async def _look_again(self) -> None:
        try:
            version = await self._active_version()
            if version != self._version:
                self._model = await self._loaded(version) if version is not None else None
                self._version, self._bound = version, None
                logger.info("model_in_use", version=version or "none: the policy's words decide")
        except Exception as error:
            logger.warning("model_not_refreshed", kept=self._version, error=type(error).__name__)

    async def _loaded(self, version: str) -> Model | None:
        stored = await self._content_of(version)
        if stored is None:
            return None
        try:
            # In a thread: unpacking takes a tenth of a second, and other requests are waiting.
            return await asyncio.to_thread(from_bytes, stored, f"The model {version} in the database")
        except ModelUnusable as unusable:
            logger.error("model_unusable", version=version, reason=str(unusable))
            return None

    def _clock(self) -> float:
        return self._now() if self._now is not None else asyncio.get_running_loop().time()


def _bound(model: Model | None, policy: Policy) -> Classifies:
    return by_words_and_examples(policy) if model is None else TrainedClassifier(model, policy)
