"""`huisheng keys used`: which keys Temporal's histories still need, so that nobody takes one out too early."""

from __future__ import annotations

import asyncio
import sys

import click
from temporalio.service import RPCError

from cli.database import plainly
from db.sealing import KeyRing
from settings import Settings
from workflows.connection import connect
from workflows.key_uses import KeyUses, key_uses


@click.command("used")
def used_command() -> int:
    """Say which keys of HUISHENG_KEYS Temporal's histories are still sealed with.

    It reads every history that Temporal keeps, and disturbs nobody. The exit code is 1 where a key is missing.
    """
    settings = Settings.from_environment()
    ring = KeyRing.from_text(settings.keys)
    try:
        with plainly():
            uses = asyncio.run(_uses(settings.temporal_address, ring))
    except* RPCError as errors:
        (error, *_) = errors.exceptions
        raise click.ClickException(
            f"Temporal does not answer as it should ({getattr(error, 'status', error)})."
        ) from None
    missing = sorted(uses.keys - {ring.first, *ring.others})
    click.echo("\n".join(_lines(ring, uses, missing)))
    return 1 if missing else 0


async def _uses(address: str, ring: KeyRing) -> KeyUses:
    client = await connect(address, ring)
    number = (await client.count_workflows()).count
    with click.progressbar(length=number, label="Histories", file=sys.stderr) as progress:
        return await key_uses(client, ring.key_of, lambda _: progress.update(1))


def _lines(ring: KeyRing, uses: KeyUses, missing: list[str]) -> list[str]:
    lines = [f"{uses.read:,} histories of Temporal were read."]
    lines.append(f"Key {ring.first} seals: {_found(uses, ring.first)}.")
    for key in ring.others:
        needed = key in uses.keys
        lines.append(
            f"Key {key}: {_found(uses, key)}. Keep it in HUISHENG_KEYS." if needed
            else f"Key {key}: Temporal needs it no longer. It can be taken out as soon as `huisheng keys rotate` finds nothing."
        )  # fmt: skip
    lines += [
        f"Key {key}: {_found(uses, key)}, and HUISHENG_KEYS does not hold it. Add it, or they cannot go on."
        for key in missing
    ]
    return lines


def _found(uses: KeyUses, key: str) -> str:
    runs, schedules = uses.runs[key], uses.schedules[key]
    parts = [f"{runs:,} {'run' if runs == 1 else 'runs'}, {uses.open_runs[key]:,} of them not over"]
    return ", ".join([*parts, *([f"{schedules} {'schedule' if schedules == 1 else 'schedules'}"] if schedules else [])])
