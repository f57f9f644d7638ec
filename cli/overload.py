"""`huisheng overload`: sends a system of its own twice what it can take in, and writes docs/overload.md."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from cli.narration import Narration
from supervision.errors import SupervisionError


@click.command()
@click.option("--seconds", type=click.FloatRange(1, 4 * 3600), default=1800, show_default=True, help="For how long.")
@click.option("--times", type=click.FloatRange(0.1, 10), default=2, show_default=True, help="How often the capacity.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), default=None, show_default="docs/overload.md",
    help="The page to write.",
)  # fmt: skip
@click.option(
    "--var", type=click.Path(file_okay=False, path_type=Path), default="var", envvar="HUISHENG_VAR", show_default=True,
    help="The data of the loaded system goes into a new folder in this one, and is deleted at the end.",
)  # fmt: skip
def overload(seconds: float, times: float, output: Path | None, var: Path) -> int:
    """Load a fresh system of its own beyond what it can bear, and see who is answered, who is put off, and that nothing is lost."""
    try:
        command = importlib.import_module("benchmarks.overload")
        failed = importlib.import_module("benchmarks.measurement").MeasurementFailed
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("benchmarks"):
            raise
        raise click.ClickException(
            "The measuring programs are not part of an installed Huisheng. Run `make overload` in a clone of the repository."
        ) from None
    try:
        with Narration() as narration:
            status: int = command.run(narration, seconds=seconds, times=times, output=output or command.PAGE, var=var)
    except (failed, SupervisionError) as error:
        raise click.ClickException(str(error)) from error
    return status
