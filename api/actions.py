"""What each staff action takes: the body of its address, made from the command it becomes.

The commands in domain/commands.py are the only list of fields. Free texts, which a command names by id, are plain text
in a body; codes are checked against the policy in force.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from pydantic import AfterValidator, Field, StrictBool, ValidationError, create_model

from api.errors import FieldsInvalid
from api.fields import Body, Code, OptionalText, Text
from api.validation import FieldError, field_errors, wrong
from domain.acts import ACTION_OF
from domain.commands import CallResult, Command, Decision
from domain.forms import EXTENSION_DAYS, LONGEST_CODE, MOST_ATTACHMENTS, SATISFIED
from domain.lifecycle import Action
from domain.policy import Policy
from domain.references import parse_reference
from domain.request import Actor, Snapshot
from workflows.contract import STAFF_UPDATES

TEXT_FIELDS = frozenset({"reason", "note", "reply", "text", "question", "task"})
ATTACHMENTS = "attachments"
"""The one field that names pictures."""
CHOICES_FROM = {
    "department": "departments",
    "category": "categories",
    "reason_code": "decline_reasons",
    "target": "transfer_targets",
}
"""The list of the policy (GET /api/v1/staff/policy) that a code is chosen from."""

_REQUIRED_BY_HAND = frozenset({(Action.ESCALATE, "reason")})
"""What the system may leave out but a person may not (PROCESS.md row 25)."""

_NEEDED_BY_DECISION = {Decision.ASSIGN: "department", Decision.DECLINE: "reason_code"}


FieldType = Literal["text", "code", "choice", "boolean", "attachments", "number", "date", "line"]

PARTS = frozenset({Action.FINISH_CO_HANDLING, Action.RETURN_CO_HANDLING, Action.WAIVE_CO_HANDLING})
"""Actions on the part of a co-handler: the department is one of those that help."""

_LINES = {
    "parent": "The reference of the other request, with or without hyphens.",
    "version": "A version of the policy, as `huisheng policy list` names it.",
}
"""Fields that hold a single line which is no code from a list."""

_NUMBERS = {"days": EXTENSION_DAYS, "satisfied": SATISFIED}


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of an action, as a form asks for it."""

    name: str
    type: FieldType
    required: bool
    choices: tuple[str, ...] = ()
    choices_from: str | None = None


TAKEN_ALONG: dict[Action, tuple[FieldSpec, ...]] = {
    Action.ASSIGN: (
        FieldSpec("co_department", "code", False, choices_from="departments"),
        FieldSpec("co_task", "text", False),
    )
}
"""Fields that are not the command's: a dispatcher who assigns may ask a second department for its part in one go."""


@dataclass(frozen=True, slots=True)
class StaffAction:
    """An action of staff: its command, and what its body must hold. `fields` are the command's and those taken along."""

    action: Action
    command: type
    fields: tuple[FieldSpec, ...]
    body: type[Body]

    def read(self, sent: Any) -> Body:
        """The body, checked. Raises FieldsInvalid with everything that is wrong."""
        try:
            body = self.body.model_validate(sent)
        except ValidationError as error:
            raise FieldsInvalid(list(field_errors(error.errors(include_url=False, include_input=False)))) from None
        if self.action is Action.DECIDE:
            _check_decision(body)
        if self.action is Action.RECORD_CALL:
            _check_call(body)
        if self.action is Action.ASSIGN:
            _check_second(body)
        return body

    def texts(self, body: Body) -> dict[str, str]:
        """The free texts that were sent, by field."""
        given = {spec.name: getattr(body, spec.name) for spec in self._own_fields() if spec.type == "text"}
        return {name: text for name, text in given.items() if text is not None}

    def codes(self, body: Body) -> dict[str, str]:
        """The codes that were sent, by field."""
        given = {spec.name: getattr(body, spec.name) for spec in self.fields if spec.type == "code"}
        return {name: code for name, code in given.items() if code is not None}

    def pictures(self, body: Body) -> tuple[UUID, ...] | None:
        """The pictures that were named; None where the action takes none."""
        return getattr(body, ATTACHMENTS, None)

    def _own_fields(self) -> tuple[FieldSpec, ...]:
        return tuple(spec for spec in self.fields if spec not in TAKEN_ALONG.get(self.action, ()))

    def build(self, body: Body, by: Actor, text_ids: dict[str, UUID]) -> Command:
        """The command, with the ids of its texts in their place."""
        hints = typing.get_type_hints(self.command)
        sent = body.model_dump(include={spec.name for spec in self._own_fields()})
        values = {name: _as(hints[name], value) for name, value in sent.items()}
        return cast(
            Command, self.command(by=by, **(values | {name: str(text_id) for name, text_id in text_ids.items()}))
        )


def _check_second(body: Any) -> None:
    if (body.co_department is None) is not (body.co_task is None):
        missing = "co_task" if body.co_task is None else "co_department"
        raise FieldsInvalid.of(
            missing, "A second department is asked for its part: both belong together.", f"Add {missing}."
        )
    if body.co_department == body.department:
        raise FieldsInvalid.of(
            "co_department", "This department has the request already; it needs no help from itself.", "Name another."
        )


def _check_decision(body: Any) -> None:
    needed = _NEEDED_BY_DECISION.get(Decision(body.decision))
    if needed is not None and getattr(body, needed) is None:
        raise FieldsInvalid.of(needed, f"The decision to {body.decision} needs this field.", f"Add {needed}.")


def _check_call(body: Any) -> None:
    for needed in ("solved", "satisfied"):
        if body.result == CallResult.ANSWERED and getattr(body, needed) is None:
            raise FieldsInvalid.of(needed, "A call that was answered needs what the citizen said.", f"Add {needed}.")


def _as(hint: Any, value: Any) -> Any:
    """Enums and ids leave the body as plain words and reach the command as what they are."""
    if isinstance(value, tuple):
        return tuple(str(each) for each in value)
    kind = _without_none(hint)
    return kind(value) if value is not None and isinstance(kind, type) and issubclass(kind, enum.Enum) else value


def _without_none(hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        (hint,) = (member for member in hint.__args__ if member is not type(None))
    return hint


def _spec(action: Action, field: dataclasses.Field[Any], hint: Any) -> FieldSpec:
    kind = _without_none(hint)
    required = field.default is dataclasses.MISSING or (action, field.name) in _REQUIRED_BY_HAND
    if field.name in TEXT_FIELDS:
        return FieldSpec(field.name, "text", required)
    if field.name == ATTACHMENTS:
        return FieldSpec(field.name, "attachments", required)
    if field.name in _LINES:
        return FieldSpec(field.name, "line", required)
    if kind is int:
        return FieldSpec(field.name, "number", required)
    if kind is datetime.date:
        return FieldSpec(field.name, "date", required)
    if kind is bool:
        return FieldSpec(field.name, "boolean", required)
    if issubclass(kind, enum.Enum):
        return FieldSpec(field.name, "choice", required, tuple(member.value for member in kind))
    return FieldSpec(field.name, "code", required, choices_from=CHOICES_FROM[field.name])


_PICTURES = "Ids that POST /api/v1/staff/requests/{reference}/attachments gave. Some categories need at least one."


def _reference(text: str) -> str:
    written = parse_reference(text)
    if written is None:
        raise wrong(
            "This is no reference.", "Write it as in 2611-4829-13704; its last digit shows mistakes in the others."
        )
    return written


_AS_IT_IS = AfterValidator(str.strip)
_LINE_FORMS = {"parent": AfterValidator(_reference)}
"""How lines are written that have a form: an event names the other request as everybody does."""

_PLAIN: dict[str, Callable[[str], Any]] = {
    "number": lambda name: Annotated[int, Field(strict=True, ge=_NUMBERS[name].start, le=_NUMBERS[name].stop - 1)],
    "date": lambda name: Annotated[datetime.date, Field(strict=False, examples=["2026-12-01"])],
    "line": lambda name: Annotated[
        str, Field(min_length=1, max_length=LONGEST_CODE, description=_LINES[name]), _LINE_FORMS.get(name, _AS_IT_IS)
    ],
}
"""The kinds of values that are neither words nor chosen from a list."""


def _body_field(spec: FieldSpec) -> tuple[Any, Any]:
    if spec.type == "text":
        return (Text, ...) if spec.required else (OptionalText, None)
    if spec.type == "boolean":
        return StrictBool, False
    if spec.type in _PLAIN:
        plain: Any = _PLAIN[spec.type](spec.name)
        return (plain, ...) if spec.required else (plain | None, None)
    if spec.type == "attachments":
        return Annotated[tuple[UUID, ...], Field(max_length=MOST_ATTACHMENTS, description=_PICTURES)], ()
    kind: Any = Code if spec.type == "code" else Literal[spec.choices]
    described = (
        Annotated[kind, Field(description=f"One of the {spec.choices_from} of the policy.")]
        if spec.choices_from
        else kind
    )
    return (described, ...) if spec.required else (described | None, None)


def _staff_action(action: Action, command: type) -> StaffAction:
    hints = typing.get_type_hints(command)
    fields = tuple(
        _spec(action, field, hints[field.name]) for field in dataclasses.fields(command) if field.name != "by"
    )
    fields += TAKEN_ALONG.get(action, ())
    defined: dict[str, Any] = {spec.name: _body_field(spec) for spec in fields}
    doc = f"What the action {action} takes."
    body = create_model(f"{command.__name__}Body", __base__=Body, __doc__=doc, **defined)
    return StaffAction(action, command, fields, body)


STAFF_ACTIONS: dict[Action, StaffAction] = {
    action: _staff_action(action, command) for command, action in ACTION_OF.items() if action in STAFF_UPDATES
}

EXAMPLES: dict[Action, dict[str, Any]] = {
    Action.ASSIGN: {"department": "housing", "category": "street_light", "urgency": "normal"},
    Action.ACCEPT: {},
    Action.RETURN_REQUEST: {"reason": "The cable is broken, not the lamp.", "department": "utilities"},
    Action.DECIDE: {"decision": "assign", "department": "utilities", "reason": "The contract covers cables."},
    Action.REASSIGN: {"department": "utilities", "reason": "The cable is broken, not the lamp."},
    Action.RECLASSIFY: {"category": "street_light", "reason": "It is about the lamp, not the pavement."},
    Action.SET_URGENCY: {"urgency": "urgent", "reason": "A bare cable hangs down."},
    Action.CONTACT: {"how": "phone", "note": "Agreed to come by on Tuesday."},
    Action.PROGRESS: {"note": "The spare part is ordered.", "public": True},
    Action.RESOLVE: {
        "outcome": "solved",
        "reply": "The lamp was repaired this morning.",
        "attachments": ["0199c0de-5a1e-7c3b-9d55-2f4a8b6c1e70"],
    },
    Action.APPROVE: {},
    Action.SEND_BACK: {"reason": "The reply does not say when."},
    Action.ESCALATE: {"reason": "It needs the power company."},
    Action.DECLINE: {"reason_code": "private_dispute"},
    Action.TRANSFER: {"target": "neighbouring_city"},
    Action.REOPEN: {"text": "The photo shows another lamp."},
    Action.REFER: {"reason": "The lamp stands on their ground."},
    Action.ASK_CITIZEN: {"question": "Which of the two lamps is out?"},
    Action.REQUEST_EXTENSION: {"days": 5, "reason": "The lamp post has to be made anew."},
    Action.GRANT_EXTENSION: {},
    Action.REFUSE_EXTENSION: {"reason": "The post is in the store."},
    Action.REQUEST_HOLD: {
        "review_on": "2027-03-01",
        "reason": "The street is dug up until spring; the permit is attached.",
    },
    Action.APPROVE_HOLD: {},
    Action.REFUSE_HOLD: {"reason": "A lamp on a stand can be put up now."},
    Action.RESUME: {"reason": "The street was closed sooner."},
    Action.RECORD_CALL: {"result": "answered", "solved": "yes", "satisfied": 5},
    Action.ADD_CO_HANDLER: {"department": "utilities", "task": "Please lay the cable."},
    Action.FINISH_CO_HANDLING: {"note": "The cable lies."},
    Action.RETURN_CO_HANDLING: {"reason": "The cable is not ours."},
    Action.WAIVE_CO_HANDLING: {"department": "utilities", "reason": "We had a cable."},
    Action.MERGE: {"parent": "2611-4829-13704"},
    Action.UNMERGE: {"reason": "It is another lamp."},
    Action.ADOPT_POLICY: {"version": "9f2c51a07be84d13", "reason": "The holiday was published."},
}
"""One example a body, for the documentation."""


def wrong_code(name: str, choices: typing.Iterable[str]) -> FieldError:
    """A code that the policy does not know, with those that it does."""
    listed = ", ".join(sorted(choices))
    return FieldError(name, "The policy in force has no such code.", f"Choose one of: {listed}.")


def needs_picture(policy: Policy, snapshot: Snapshot) -> bool:
    """Whether an answer to the request needs a photo (PROCESS.md row 20)."""
    code = snapshot.category
    return code is not None and policy.has_category(code) and policy.category(code).photo_required
