"""`huisheng worker`: the worker with its relay as a process of its own, which logs as the API does."""

from __future__ import annotations

import click

import worker as composition
from cli.logs import log_as_json


@click.command()
def worker() -> None:
    """Start the worker with its relay and stay until Ctrl-C or SIGTERM."""
    log_as_json()
    composition.main()
