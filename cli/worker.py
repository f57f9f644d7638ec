"""`huisheng worker`: the worker with its relay as a process of its own."""

from __future__ import annotations

import click

import worker as composition


@click.command()
def worker() -> None:
    """Start the worker with its relay and stay until Ctrl-C or SIGTERM."""
    composition.main()
