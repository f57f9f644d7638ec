"""What a request hears by signals: the citizen, an admin in the Temporal UI, other runs. Nothing of it is lost or done twice."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain import commands as c
    from domain.acts import ACTION_OF
    from domain.errors import Invalid, Refusal
    from domain.followed import Followed, Follower
    from domain.helped import CoClock
    from domain.lifecycle import Action
    from domain.request import Actor
    from workflows.acting import Acting
    from workflows.contract import (
        CATCH_UP,
        CO_CLOCK_RANG,
        ESCALATE_SIGNAL,
        FOLLOWER_CHANGED,
        PARENT_MOVED,
        RESOLVE_SIGNAL,
        EscalateSignal,
        ResolveSignal,
    )
    from workflows.messages import CITIZEN_SIGNALS, UNKNOWN_SENDER, Sent, admin, read, read_message
    from workflows.relatives import count_follower, follow_parent, note_part


class Hearing:
    """Takes the signals that wait, for the request that `acting` acts on."""

    def __init__(self, acting: Acting) -> None:
        self.course, self.steps, self._acting = acting.course, acting.steps, acting

    async def take_first(self) -> None:
        """The signal that has waited longest, whosever turn it is: they are taken in the order in which they came."""
        waiting, *others = self.course.waiting
        self.course.waiting = tuple(others)
        sent = waiting.sent
        if waiting.signal == RESOLVE_SIGNAL:
            await self._resolve_for_admin(read(ResolveSignal, sent))
        elif waiting.signal == ESCALATE_SIGNAL:
            await self._escalate_for_admin(read(EscalateSignal, sent or ({},)))
        elif waiting.signal == FOLLOWER_CHANGED:
            await self._acting.in_its_place(lambda: count_follower(self.steps, read(Follower, sent)))
        elif waiting.signal == PARENT_MOVED:
            await self._acting.in_its_place(lambda: follow_parent(self.steps, read(Followed, sent)))
        elif waiting.signal == CO_CLOCK_RANG:
            await self._acting.in_its_place(lambda: note_part(self.steps, read(CoClock, sent)))
        elif waiting.signal == CATCH_UP:
            await self._acting.make_up()
        else:
            await self._hear_citizen(CITIZEN_SIGNALS[waiting.signal], sent)

    async def _hear_citizen(self, action: Action, sent: Sent) -> None:
        """Each message once; one that comes too late stays in the timeline."""
        heard = read_message(action, sent)
        if heard is None:
            await self._note(action, UNKNOWN_SENDER, Invalid.code)
        elif not self.course.has_had(heard.inbox_id):
            await self._act_or_note(heard.command, heard.text)

    async def _resolve_for_admin(self, signal: ResolveSignal | None) -> None:
        if signal is None:
            await self._note(Action.RESOLVE, UNKNOWN_SENDER, Invalid.code)
            return
        reply = await self.steps.keep_text(signal.reply)
        by = admin(signal.by, self.course.snapshot.department)
        await self._act_or_note(c.Resolve(by, signal.outcome, reply), reply)

    async def _escalate_for_admin(self, signal: EscalateSignal | None) -> None:
        if signal is None:
            await self._note(Action.ESCALATE, UNKNOWN_SENDER, Invalid.code)
            return
        reason = await self.steps.keep_text(signal.reason) if signal.reason else None
        by = admin(signal.by, self.course.snapshot.department)
        await self._act_or_note(c.Escalate(by, reason), reason)

    async def _act_or_note(self, command: c.Command, text: str | None) -> None:
        """What a signal asks for is done, or stays in the timeline; it never fails the run."""
        action = ACTION_OF[type(command)]

        async def act_or_note() -> None:
            # A run that is behind finds out with the note, too: then the action is tried once more.
            try:
                await self._acting.act(command)
            except Invalid as invalid:
                await self.steps.note(action, UNKNOWN_SENDER, invalid.code)
            except Refusal as refusal:
                await self.steps.note(action, command.by, refusal.code, text)

        await self._acting.in_its_place(act_or_note)

    async def _note(self, action: str, by: Actor, reason: str, text: str | None = None) -> None:
        await self._acting.in_its_place(lambda: self.steps.note(action, by, reason, text))
