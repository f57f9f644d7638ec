"""The number of a request as a command takes it."""

from __future__ import annotations

import click

from domain.references import parse_reference


class Reference(click.ParamType[str]):
    """With or without hyphens; what does not add up is refused where it stands on the command line."""

    name = "reference"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        written = parse_reference(value)
        if written is None:
            self.fail(
                f"{value} is no reference, its digits do not add up. A reference looks like 2611-4829-13704.",
                param,
                ctx,
            )
        return written


REFERENCE = Reference()
