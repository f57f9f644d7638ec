"""`huisheng docs`: pages of the documentation that are written from the program itself."""

from __future__ import annotations

import click

from cli.process_page import render_process_page


@click.group()
def docs() -> None:
    """Write pages of the documentation from the program."""


@docs.command()
def process() -> None:
    """The states, transitions and notices: docs/process.md."""
    click.echo(render_process_page(), nl=False)
