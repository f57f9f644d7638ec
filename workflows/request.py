"""The life of one citizen's request, from the receipt to the rating: the procedure of PROCESS.md, made durable."""

from __future__ import annotations

from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain import commands as c
    from domain.calling import want_call
    from domain.procedure import (
        auto_assign,
        close_without_reply,
        heartbeat,
        quick_log,
        remind,
        submit,
        to_triage,
    )
    from domain.request import (
        SYSTEM,
        TERMINAL,
        Act,
        Alarm,
        AlarmKind,
    )
    from domain.waiting import go_on_unanswered, resume_for_review
    from workflows.acting import Acting
    from workflows.acts import act_of
    from workflows.carried import Carried, Waiting
    from workflows.contract import (
        ACTS_IN_TASK,
        CATCH_UP,
        CO_CLOCK_RANG,
        ESCALATE_SIGNAL,
        FOLLOWER_CHANGED,
        GOES_ON,
        KNOWN_PROCEDURES,
        PARENT_MOVED,
        PROCEDURE,
        RESOLVE_SIGNAL,
        ActionTaken,
        Ended,
        Submitted,
    )
    from workflows.course import Course
    from workflows.hearing import Hearing
    from workflows.lasting import never_cancelled
    from workflows.messages import Sent, heard_signal
    from workflows.steps import Behind, Steps
    from workflows.turns import refusals_as_failures, staff_update


class UnknownProcedure(Exception):
    """A newer program began the run in a way that this one does not know. It is no failure of the run: the task waits for a
    program that knows it."""


@workflow.defn
class RequestWorkflow:
    """One durable run per request. Staff act by updates, citizens by signals that the relay delivers in order."""

    @workflow.init
    def __init__(self, submitted: Submitted) -> None:
        self._course = Course.of(submitted)
        self._steps = Steps(self._course)
        self._acting = Acting(self._steps)
        self._hearing = Hearing(self._acting)

    @workflow.run
    @never_cancelled
    async def run(self, submitted: Submitted) -> Ended:
        if submitted.procedure not in KNOWN_PROCEDURES:
            raise UnknownProcedure(
                f"Procedure {submitted.procedure} is not known here: the run waits for a program that knows it."
            )
        if submitted.carried is not None:
            await self._go_on(submitted.carried)
        elif submitted.rebuilt:
            await self._take_up()
        else:
            await self._receive_and_assign(submitted)

        # Remind, escalate and close whenever a clock runs out, until the matter is over and everybody has had an answer.
        while alarm := await self._course.next_alarm():
            async with self._course.in_turn():
                if not self._course.postpones() and self._course.silence(alarm):
                    await self._ring_in_time(alarm)
        if not self._course.is_over():
            # Never back to an earlier version: what is carried belongs to the later one.
            procedure = max(submitted.procedure, PROCEDURE)
            workflow.continue_as_new(replace(submitted, carried=self._course.carried(), procedure=procedure))
        return Ended(self._course.snapshot.state, self._course.snapshot.outcome)

    async def _go_on(self, carried: Carried) -> None:
        """First what the run before this one left: the messages whose turn had not come, the notices on their way."""
        async with self._course.one_at_a_time:
            self._course.repeatable = True
            for _ in carried.waiting:
                await self._hearing.take_first()
            if carried.unsent:
                await self._steps.send_held()
        self._course.ready = True

    async def _take_up(self) -> None:
        """The run before this one was lost. First what it had begun: parts to watch, news of other runs, notices."""
        async with self._course.one_at_a_time:
            self._course.repeatable = True
            rebuilt = await self._steps.rebuild()
            self._course.take_up(rebuilt)
            await self._steps.other_runs.watch_again(rebuilt.parts)
            for _ in (*rebuilt.followers_changed, *rebuilt.parent_moved):
                await self._hearing.take_first()
            if rebuilt.unsent:
                await self._steps.send_held()
        self._course.ready = True

    async def _receive_and_assign(self, submitted: Submitted) -> None:
        async with self._course.one_at_a_time:
            self._course.repeatable = True
            # Put the request on file. A small matter that staff settled on the spot is over with that.
            receipt = submit(self._course.snapshot, submitted.by)
            if submitted.quick_log is not None:
                settled = quick_log(receipt.snapshot, submitted.quick_log, submitted.by, workflow.now())
                await self._steps.record(replace(receipt, notices=()), settled)
                return

            # Find out what it is about, where it is, and who is in charge.
            assignment = await self._steps.first_look(submitted.located)

            # Send it there, or to a person who decides; the citizen gets a receipt.
            received = self._course.received(receipt, assignment)
            if assignment.triage_reason is None:
                turn = auto_assign(received, assignment.plan, workflow.now(), assignment.facts)
            else:
                turn = to_triage(received, assignment.plan, workflow.now(), assignment.triage_reason, assignment.facts)
            await self._steps.record(receipt, turn, planned=assignment.plan)

    async def _ring_in_time(self, alarm: Alarm) -> None:
        """What has been done already comes first; it may have stopped the clock."""
        try:
            await self._ring(alarm)
        except Behind as behind:
            self._course.ring_at(alarm)
            await self._acting.catch_up(behind.act)

    async def _ring(self, alarm: Alarm) -> None:
        """A clock has run out."""
        snapshot, now = self._course.snapshot, workflow.now()
        match alarm.kind:
            case AlarmKind.ESCALATE if alarm.rung is not None:
                await self._acting.escalate(alarm.rung, SYSTEM)
            case AlarmKind.ANSWER_OVERDUE:
                moved = await self._steps.move_by_pause()
                await self._steps.record(go_on_unanswered(snapshot, now, moved), planned=moved)
            case AlarmKind.HOLD_REVIEW:
                moved = await self._steps.move_by_pause()
                await self._steps.record(resume_for_review(snapshot, now, moved), planned=moved)
            case AlarmKind.HEARTBEAT:
                await self._beat()
            case AlarmKind.WANT_CALL:
                await self._steps.record(want_call(snapshot, now))
            case AlarmKind.END_FEEDBACK:
                await self._steps.record(close_without_reply(snapshot, now))
            case AlarmKind.SEND_HELD:
                await self._steps.send_held()
            case AlarmKind.END_REOPENING:
                pass  # the run may end
            case _:
                await self._steps.record(remind(snapshot, alarm.kind, now))

    async def _beat(self) -> None:
        """Who has heard nothing for long is told who has the request, and when it is due."""
        if await self._steps.next_heartbeat() <= workflow.now():
            await self._steps.record(heartbeat(self._course.snapshot, workflow.now()))
        self._course.ring_at(Alarm(await self._steps.next_heartbeat(), AlarmKind.HEARTBEAT))

    async def answer(self, command: c.Command) -> ActionTaken:
        """For staff: the new state, or the reason why not."""
        if known := self._course.answered_before():
            return known
        with refusals_as_failures(self._course, decided=True), self._course.acts():
            async with self._course.in_turn():
                if known := self._course.answered_before():
                    return known  # it stood in the database already, and another turn has made up for it
                with self._course.asked_to(self._act_in_task(command)):
                    await self._acting.in_its_place(lambda: self._acting.act(command))
                return self._course.note_answer()

    def _act_in_task(self, command: c.Command) -> Act | None:
        """What is kept beside the event, where the action is recorded before the history knows of it.

        Not where it may end the run: had a message come meanwhile, Temporal would take the task back, and whoever acted would
        be told that the request is over.
        """
        if self._course.procedure < ACTS_IN_TASK or TERMINAL & set(self._course.permit(command).targets):
            return None
        return act_of(command)

    def check(self, command: c.Command) -> None:
        """The validator of every update: the table decides before anything enters history."""
        if self._course.should_go_on_anew():
            raise ApplicationError("The next run of this request takes it.", type=GOES_ON, non_retryable=True)
        if self._course.answered_before():
            return  # carried out by an earlier run: the table would refuse it now
        with refusals_as_failures(self._course):
            self._course.permit(command)

    async def hear(self, signal: str, sent: Sent) -> None:
        """Signals one at a time, in the order of their arrival; each does what it asks for or stays in the timeline."""
        self._course.waiting = (*self._course.waiting, Waiting(signal, sent))
        async with self._course.in_turn(repeatable=True):
            if not self._course.postpones():
                await self._hearing.take_first()

    @workflow.query(description="Where the request stands with all its clocks: what a next run would go on with.")
    def carried(self) -> Carried:
        return self._course.carried()

    # What staff do. Each is refused before it enters history where the table of transitions forbids it.

    assign = staff_update("assign", c.Assign, "A dispatcher chooses category and department.")
    accept = staff_update("accept", c.Accept, "A handler takes the request on.")
    return_request = staff_update(
        "return_request", c.ReturnRequest, "A department lead returns it and proposes another."
    )
    decide = staff_update("decide", c.Decide, "A supervisor's binding decision.")
    reassign = staff_update("reassign", c.Reassign, "A dispatcher gives it to another department.")
    reclassify = staff_update("reclassify", c.Reclassify, "A dispatcher corrects the category.")
    set_urgency = staff_update("set_urgency", c.SetUrgency, "A dispatcher corrects the urgency.")
    contact = staff_update("contact", c.Contact, "The handler has spoken with the citizen.")
    progress = staff_update("progress", c.Progress, "A note for colleagues, or for the citizen.")
    resolve = staff_update("resolve", c.Resolve, "The department answers the citizen.")
    approve = staff_update("approve", c.Approve, "Another person found the answer good.")
    send_back = staff_update("send_back", c.SendBack, "The answer is not good enough.")
    escalate = staff_update("escalate", c.Escalate, "Pass it to the next rung, with a reason.")
    decline = staff_update("decline", c.Decline, "Not the government's business, or not this channel's.")
    transfer = staff_update("transfer", c.Transfer, "Hand it to another jurisdiction, with the material.")
    reopen = staff_update("reopen", c.Reopen, "A supervisor orders it to be done again.")

    refer = staff_update("refer", c.Refer, "The dispatcher does not agree with a return: a supervisor decides.")
    ask_citizen = staff_update("ask_citizen", c.AskCitizen, "A question to the citizen; the clocks stand still.")
    request_extension = staff_update("request_extension", c.RequestExtension, "A lead asks for more time.")
    grant_extension = staff_update("grant_extension", c.GrantExtension, "Another person grants more time.")
    refuse_extension = staff_update("refuse_extension", c.RefuseExtension, "Another person refuses more time.")
    request_hold = staff_update("request_hold", c.RequestHold, "A lead asks to put it on hold, with evidence.")
    approve_hold = staff_update("approve_hold", c.ApproveHold, "A supervisor puts it on hold until a review.")
    refuse_hold = staff_update("refuse_hold", c.RefuseHold, "A supervisor finds that it can be solved now.")
    resume = staff_update("resume", c.Resume, "A supervisor ends the hold.")
    record_call = staff_update("record_call", c.RecordCall, "A caller has asked how it went.")

    add_co_handler = staff_update("add_co_handler", c.AddCoHandler, "Another department does a part of the work.")
    finish_co_handling = staff_update("finish_co_handling", c.FinishCoHandling, "A co-handler's part is done.")
    return_co_handling = staff_update("return_co_handling", c.ReturnCoHandling, "It is not the co-handler's part.")
    waive_co_handling = staff_update("waive_co_handling", c.WaiveCoHandling, "The lead department does without it.")
    merge = staff_update("merge", c.Merge, "Another request is about the same matter: this one follows it.")
    unmerge = staff_update("unmerge", c.Unmerge, "It is a matter of its own after all.")

    adopt_policy = staff_update("adopt_policy", c.AdoptPolicy, "An admin moves it to another policy version.")

    # What citizens send.

    supplemented = heard_signal("supplemented", "The citizen adds to the request.")
    urged = heard_signal("urged", "The citizen urges.")
    withdrawn = heard_signal("withdrawn", "The citizen withdraws the request.")
    rated = heard_signal("rated", "The citizen rates the answer.")
    answered = heard_signal("answered", "The citizen answers the question.")
    reopened = heard_signal("reopened", "The citizen asks to have it done again.")

    # What an admin sends from the Temporal UI or CLI.

    resolve_by_admin = heard_signal(
        RESOLVE_SIGNAL, 'Answer the citizen: {"outcome": "solved", "reply": "...", "by": "name"}'
    )
    escalate_by_admin = heard_signal(ESCALATE_SIGNAL, 'Pass it to the next rung: {"reason": "...", "by": "name"}')

    catch_up = heard_signal(CATCH_UP, "The database shows more than this run knows: make up for it.")

    # What other runs tell: of requests merged into this one, of its parent, and of its co-handlers.

    follower_changed = heard_signal(FOLLOWER_CHANGED, "A request was merged into this one, or has left it.")
    parent_moved = heard_signal(PARENT_MOVED, "The request that this one was merged into has moved.")
    co_clock_rang = heard_signal(CO_CLOCK_RANG, "A clock of a co-handler has run out.")
