"""Waiting until everything has calmed down, and reading what exists then."""

from __future__ import annotations

import asyncio
import io
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

from PIL import Image, UnidentifiedImageError
from temporalio.client import Client

import db.policies
from activities.rebuilding import RebuildingActivities
from chaos.found import Found
from chaos.gateway import Gateway
from chaos.runs import runs_of, still_running, watching_runs
from chaos.standing import is_over
from chaos.system import Shaken
from db import attachments, proof, reconciliation, requests, texts
from db.pool import Pool
from db.proof import Happening, Message
from db.sealing import KeyRing, SealBroken
from domain.policy import Policy, from_plain
from domain.rebuilt import Rebuilt
from domain.request import CoState, Snapshot
from workflows.connection import connect

CALM_WITHIN_SECONDS = 400.0
"""An attempt of unclear outcome is left alone for a minute, and the activity that has it comes back after nearly three."""
OVER_WITHIN_SECONDS = 400.0
COMPARED = ("read-model", "rebuild", "--check")
_QUIET_LOOKS = 3
_PAUSE_SECONDS = 1.0


async def read_all(shaken: Shaken, pool: Pool) -> Found:
    """Everything, once nothing waits any more; what does not come to rest in time is a difference, not an error."""
    unfinished = await _calm(pool, shaken.gateway)
    client = await connect(shaken.system.temporal_address, KeyRing.from_text(shaken.system.credentials.keys))
    policies = await _policies(pool)
    await _ended(client, pool, policies)
    audit = await _said(shaken, "audit", "verify")
    messages = await proof.messages(pool)
    snapshots = {each.reference: each for each in await proof.standings(pool)}
    read_model = await _read_model(shaken, len(snapshots))
    runs = await runs_of(client, snapshots)
    read_at = datetime.now(UTC)
    asked = [
        (each.reference, part.number)
        for each in snapshots.values()
        for part in each.co_handlers
        if part.state is CoState.ASKED
    ]
    events: defaultdict[str, list[Happening]] = defaultdict(list)
    for happening in await proof.happenings(pool):
        events[happening.reference].append(happening)
    return Found(
        read_at=read_at,
        snapshots=snapshots,
        descriptions=await _descriptions(shaken, pool, list(snapshots)),
        events=events,
        messages=messages,
        said=await _said_by_citizens(shaken, pool, messages),
        dues=await proof.dues(pool),
        photos=await _photos(shaken, pool, snapshots),
        runs=runs,
        retold=await _retold(
            pool, policies, [snapshots[each] for each, run in runs.items() if run.is_running], read_at
        ),
        watching=await watching_runs(client, asked),
        taken=shaken.gateway.taken,
        policies=policies,
        unfinished=unfinished,
        wordless=await proof.wordless(pool),
        read_model=read_model,
        audit=audit,
    )


async def _calm(pool: Pool, gateway: Gateway) -> int:
    """How much still waits in the end: nothing, after several looks in a row that found nothing."""
    deadline, quiet, waiting = time.monotonic() + CALM_WITHIN_SECONDS, 0, 0
    while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
        waiting = await reconciliation.unfinished(pool) + await proof.unheard(pool) + gateway.unreported
        quiet = 0 if waiting else quiet + 1
        await asyncio.sleep(_PAUSE_SECONDS)
    return waiting


async def _ended(client: Client, pool: Pool, policies: dict[str, Policy]) -> None:
    """Waits for the last timers of the short days: those of the requests that may be reopened for a while yet."""
    deadline = time.monotonic() + OVER_WITHIN_SECONDS
    while time.monotonic() < deadline:
        closed = await proof.standings(pool)
        soon = datetime.now(UTC) + timedelta(seconds=deadline - time.monotonic())
        ending = [each for each in closed if is_over(each, _policy(policies, each), soon)]
        if not await still_running(client, [each.reference for each in ending]):
            return
        await asyncio.sleep(_PAUSE_SECONDS * 3)


def _policy(policies: dict[str, Policy], snapshot: Snapshot) -> Policy | None:
    return policies.get(snapshot.policy_version or "")


async def _policies(pool: Pool) -> dict[str, Policy]:
    found = {}
    for version in await db.policies.versions(pool):
        content = await db.policies.content_of(pool, version.version)
        if content is not None:
            found[version.version] = from_plain(content, version.version)
    return found


async def _descriptions(shaken: Shaken, pool: Pool, references: list[str]) -> dict[str, tuple[str, str | None]]:
    keys, found = KeyRing.from_text(shaken.system.credentials.keys), {}
    for reference in references:
        stored = await requests.find(pool, reference)
        if stored is not None:
            told = requests.told(keys, stored)
            found[reference] = (told.description, told.contact.phone)
    return found


async def _photos(shaken: Shaken, pool: Pool, snapshots: Mapping[str, Snapshot]) -> dict[str, str]:
    """The reference by the id of each picture that can be unsealed and looked at."""
    keys, found = KeyRing.from_text(shaken.system.credentials.keys), {}
    for photo, reference in (await proof.photos(pool)).items():
        request_id = UUID(snapshots[reference].request_id)
        with suppress(SealBroken, UnidentifiedImageError, OSError):
            picture = await attachments.read(pool, keys, request_id, UUID(photo))
            if picture is not None and is_a_picture(picture.data):
                found[photo] = reference
    return found


def is_a_picture(data: bytes) -> bool:
    """To the last byte. Raises what Pillow does for what is none."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
    return True


async def _said_by_citizens(shaken: Shaken, pool: Pool, messages: Sequence[Message]) -> dict[str, list[str]]:
    """The texts of their messages, by reference."""
    keys = KeyRing.from_text(shaken.system.credentials.keys)
    words = await texts.read_many(pool, keys, [each.text_id for each in messages if each.text_id])
    found: defaultdict[str, list[str]] = defaultdict(list)
    for message in messages:
        if message.text_id in words:
            found[message.reference].append(words[message.text_id])
    return found


class _Kept:
    """The policies by version, for those who ask for one at a time."""

    def __init__(self, policies: Mapping[str, Policy]) -> None:
        self._policies = policies

    async def version(self, version: str) -> Policy:
        return self._policies[version]


async def _retold(
    pool: Pool, policies: Mapping[str, Policy], snapshots: Sequence[Snapshot], now: datetime
) -> dict[str, Rebuilt]:
    """Where each run would go on if it were lost: told from the timeline and the policies alone."""
    rebuilding = RebuildingActivities(pool, _Kept(policies))
    return {each.reference: await rebuilding.rebuilt(UUID(each.request_id), now) for each in snapshots}


async def _read_model(shaken: Shaken, number: int) -> str | None:
    """None where every request was compared and is as its history says; else what was said."""
    status, said = await shaken.command(*COMPARED)
    return None if is_all_the_same(status, said, number) else f"huisheng {' '.join(COMPARED)}: {said.strip()}"


def is_all_the_same(status: int, said: str, number: int) -> bool:
    """Whether so many requests were compared without a difference. The command is content, too, where it left some out."""
    summary = f"{number:,} request{'s' * (number != 1)}: {number:,} as the histories say."
    return status == 0 and said.strip().splitlines()[-1:] == [summary]


async def _said(shaken: Shaken, *arguments: str) -> str | None:
    """None where the command is content, else what it said."""
    status, said = await shaken.command(*arguments)
    return None if status == 0 else f"huisheng {' '.join(arguments)}: {said.strip()}"
