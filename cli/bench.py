"""`huisheng bench`: measures a system of its own on this machine and writes docs/benchmarks.md."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from cli.narration import Narration
from supervision.errors import SupervisionError


@click.command()
@click.option("--quick", is_flag=True, help="A quarter of the time, for a first impression.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), default=None, show_default="docs/benchmarks.md",
    help="The page to write.",
)  # fmt: skip
@click.option(
    "--var", type=click.Path(file_okay=False, path_type=Path), default="var", envvar="HUISHENG_VAR", show_default=True,
    help="The data of the measured system goes into a new folder in this one, and is deleted at the end.",
)  # fmt: skip
@click.option(
    "--only", type=click.Choice(["submissions", "assignments", "lifecycles"]), hidden=True, help="This loop only."
)
def bench(quick: bool, output: Path | None, var: Path, only: str | None) -> int:
    """Measure throughput, waiting times and cost, on a fresh system of its own."""
    try:
        command = importlib.import_module("benchmarks.command")
        failed = importlib.import_module("benchmarks.measurement").MeasurementFailed
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("benchmarks"):
            raise
        raise click.ClickException(
            "The measuring programs are not part of an installed Huisheng. Run `make bench` in a clone of the repository."
        ) from None
    try:
        with Narration() as narration:
            status: int = command.run(narration, quick=quick, output=output or command.PAGE, var=var, only=only)
    except (failed, SupervisionError) as error:
        raise click.ClickException(str(error)) from error
    return status
