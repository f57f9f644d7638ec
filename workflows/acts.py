"""A staff action as it is kept beside the event that it made, and read again should the run have forgotten it."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import TypeAdapter

    from domain.acts import ACTION_OF
    from domain.commands import Command
    from domain.lifecycle import Action
    from domain.request import Act
    from workflows.course import current_update_id

_TYPE_OF = {action: command for command, action in ACTION_OF.items()}
_ADAPTERS: dict[type, TypeAdapter[Any]] = {command: TypeAdapter(command) for command in ACTION_OF}


def act_of(command: Command) -> Act:
    """The action that the update at hand asks for."""
    return Act(current_update_id(), ACTION_OF[type(command)], written(command), workflow.now())


def written(command: Command) -> str:
    """The command as it is kept."""
    return _ADAPTERS[type(command)].dump_json(command).decode()


def command_of(act: Act) -> Command:
    """What was asked for."""
    command: Command = _ADAPTERS[_TYPE_OF[Action(act.action)]].validate_json(act.command)
    return command
