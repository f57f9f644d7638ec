"""Waiting until everything has calmed down, and reading what exists then."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from temporalio.client import Client

import db.policies
from chaos.found import Found
from chaos.runs import runs_of, still_running
from chaos.standing import is_over
from chaos.system import Shaken
from db import proof, reconciliation, requests, texts
from db.pool import Pool
from db.proof import Happening, Message
from db.sealing import KeyRing
from domain.policy import Policy, from_plain
from domain.request import Snapshot
from workflows.connection import connect

CALM_WITHIN_SECONDS = 300.0
OVER_WITHIN_SECONDS = 400.0
_QUIET_LOOKS = 3
_PAUSE_SECONDS = 1.0


async def read_all(shaken: Shaken, pool: Pool) -> Found:
    """Everything, once nothing waits any more; what does not come to rest in time is a difference, not an error."""
    unfinished = await _calm(pool)
    client = await connect(shaken.system.temporal_address, KeyRing.from_text(shaken.system.credentials.keys))
    policies = await _policies(pool)
    await _ended(client, pool, policies)
    read_model = await _said(shaken, "read-model", "rebuild", "--check")
    audit = await _said(shaken, "audit", "verify")
    messages = await proof.messages(pool)
    snapshots = {each.reference: each for each in await proof.standings(pool)}
    events: defaultdict[str, list[Happening]] = defaultdict(list)
    for happening in await proof.happenings(pool):
        events[happening.reference].append(happening)
    return Found(
        read_at=datetime.now(UTC),
        snapshots=snapshots,
        descriptions=await _descriptions(shaken, pool, list(snapshots)),
        events=events,
        messages=messages,
        said=await _said_by_citizens(shaken, pool, messages),
        dues=await proof.dues(pool),
        photos=await proof.photos(pool),
        runs=await runs_of(client, snapshots),
        policies=policies,
        unfinished=unfinished,
        wordless=await proof.wordless(pool),
        read_model=read_model,
        audit=audit,
    )


async def _calm(pool: Pool) -> int:
    """How much still waits in the end: nothing, after several looks in a row that found nothing."""
    deadline, quiet, waiting = time.monotonic() + CALM_WITHIN_SECONDS, 0, 0
    while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
        waiting = await reconciliation.unfinished(pool) + await proof.unheard(pool)
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


async def _said_by_citizens(shaken: Shaken, pool: Pool, messages: Sequence[Message]) -> dict[str, list[str]]:
    """The texts of their messages, by reference."""
    keys = KeyRing.from_text(shaken.system.credentials.keys)
    words = await texts.read_many(pool, keys, [each.text_id for each in messages if each.text_id])
    found: defaultdict[str, list[str]] = defaultdict(list)
    for message in messages:
        if message.text_id in words:
            found[message.reference].append(words[message.text_id])
    return found


async def _said(shaken: Shaken, *arguments: str) -> str | None:
    """None where the command is content, else what it said."""
    status, said = await shaken.command(*arguments)
    return None if status == 0 else f"huisheng {' '.join(arguments)}: {said.strip()}"
