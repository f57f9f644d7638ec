"""The `huisheng` command: which commands there are, and how a refusal looks to the person who typed one.

Each command lives in a module of its own and is imported only when it is called, so that `huisheng --help` is quick.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from settings import SettingsError


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lives ("module:attribute") and its line in the help."""

    source: str
    summary: str


COMMANDS = {
    "up": Entry("cli.up:up", "Start the whole system on this machine."),
    "down": Entry("cli.up:down", "Stop the system that `huisheng up` started."),
    "reset": Entry("cli.up:reset", "Stop the system and delete all its data."),
    "api": Entry("cli.api:api", "Start the HTTP interface."),
    "worker": Entry("cli.worker:worker", "Start the worker with its relay."),
    "db": Entry("cli.db:db", "Bring the database to this program's version."),
    "policy": Entry("cli.policy:policy", "Check and load a city's policy."),
    "staff": Entry("cli.staff:staff", "Add staff accounts."),
    "outbox": Entry("cli.outbox:outbox", "Show the messages the console provider kept."),
    "classifier": Entry("cli.classifier:classifier", "Train, judge and choose the classifier."),
    "backup": Entry("cli.backup:backup", "Write all data into one file, while the system runs."),
    "restore": Entry("cli.backup:restore", "Put a backup back."),
    "runs": Entry("cli.runs:runs", "Compare the runs with the requests, and bring back what is missing."),
    "erase": Entry("cli.erase:erase", "Erase the personal data of a request, with a reason."),
    "audit": Entry("cli.audit:audit", "Show who looked at personal data, and check that no look was removed."),
    "keys": Entry("cli.keys:keys", "Seal personal data anew with another key, while the system runs."),
    "read-model": Entry("cli.read_model:read_model", "Check or remake the read model from the histories of the runs."),
    "jurisdictions": Entry("cli.jurisdictions:jurisdictions", "Check the districts on points, or say where one lies."),
    "duplicates": Entry("cli.duplicates:duplicates", "Measure the search for duplicates."),
    "topics": Entry("cli.topics:topics", "Say what many people write about, and what of it grows."),
    "words": Entry("cli.words:words", "Measure the words of danger, and of what is not for this channel."),
    "masking": Entry("cli.masking:masking", "Show and measure what is masked of texts."),
    "demo": Entry("cli.demo:demo", "Send real messages through the whole process and count what became of them."),
    "chaos": Entry("cli.chaos:chaos", "Break a system under load, and compare what people were told with what exists."),
    "overload": Entry("cli.overload:overload", "Load a system of its own with twice what it can take in."),
    "bench": Entry("cli.bench:bench", "Measure throughput, waiting times and cost."),
    "docs": Entry("cli.docs:docs", "Write pages of the documentation from the program."),
}


class LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.source.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command), entry.source
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="huisheng", prog_name="huisheng")
@click.pass_context
def huisheng(ctx: click.Context) -> None:
    """Huisheng (回声): every citizen's request gets an answer, and the system can prove it."""
    if ctx.invoked_subcommand not in ("up", "down", "reset", "backup", "restore"):
        _join_system_on_this_machine()


def _join_system_on_this_machine() -> None:
    """Without DATABASE_URL, takes the variables that `huisheng up` left in its folder, all of them or none."""
    file = Path(os.environ.get("HUISHENG_VAR", "var")) / "secrets" / "environment"
    if "DATABASE_URL" in os.environ or not os.access(file, os.R_OK):
        return
    for line in file.read_text().splitlines():
        name, _, value = line.partition("=")
        os.environ[name] = value.strip("'")


def main() -> None:
    """Runs one command and leaves at once, without waiting for the interpreter to take itself apart."""
    code = _run()
    sys.stdout.flush()
    sys.stderr.flush()
    # A Temporal client that is torn down by the interpreter aborts the process at random after its work
    # was done (temporalio/sdk-python#300), so no command leaves by the ordinary way.
    os._exit(code)


def _run() -> int:
    try:
        result = huisheng.main(standalone_mode=False)
    except SettingsError as error:
        click.echo("\n".join(error.problems), err=True)
        return 2
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 130
    except SystemExit as leaving:
        return _exit_code(leaving.code)
    except BrokenPipeError:
        # The reader of our output (head, less) went away: nothing is wrong.
        return 0
    return result if isinstance(result, int) else 0


def _exit_code(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code
    click.echo(str(code), err=True)
    return 1


if __name__ == "__main__":
    main()
