"""Which calls of a gateway are recorded: the rules of the business decide, else the setting (RE1).

- at the beginning of a call by its numbers and direction; who must be told is told before anything else happens
- when somebody begins to talk in it by queue and agent too: that may begin the recording, pause it, or end the pause
- a queue that does not record keeps the talks of its callers out, unless a rule says otherwise
- what people have switched themselves stays, unless the rule of a queue or an agent says otherwise for the next talk
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from backend.database import Database, read
from backend.numbers.models import Extension
from backend.queues.models import Queue, QueueEntry
from backend.recordings.models import RecordingRule
from backend.recordings.rules import CallMarks, Decision, decide, list_rules
from telephony.conversation import Conversation
from telephony.errors import DriverError, SpeechError
from telephony.live_call import LiveCall
from telephony.prompts import Speak

log = logging.getLogger(__name__)

FRESH_SECONDS = 2.0
"""How long rules are remembered: a caller does not wait for the database."""
Step = Literal["start", "pause", "resume", "nothing"]


def next_step(
    decision: Decision, recording: Literal["off", "on", "paused"], *, by_rule: bool, queue_off: bool = False
) -> Step:
    """What a decision changes. `by_rule` tells that a rule has paused the recording, not a person; `queue_off` that no
    rule decides and the queue does not record."""
    if decision.record:
        return "start" if recording == "off" else "resume" if recording == "paused" and by_rule else "nothing"
    return "pause" if recording == "on" and (queue_off or decision.rule_id is not None) else "nothing"


@dataclass(slots=True)
class _Tape:
    business: str
    marks: CallMarks
    decision: Decision
    paused: bool = False
    seen: set[str] = field(default_factory=set)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Taping:
    """The recordings of whole calls; one for a gateway."""

    def __init__(self, db: Database, *, default: bool) -> None:
        self._db = db
        self._default = default
        self._rules: dict[str, tuple[float, Sequence[RecordingRule]]] = {}
        self._tapes: dict[str, _Tape] = {}

    async def begins(self, call: LiveCall, business_id: str, direction: str) -> None:
        """A call that is not answered yet: decide by what is known of it."""
        marks = CallMarks(call.id, direction, call.caller, call.called)
        found = decide(await self._rules_of(business_id), marks, default=self._default)
        self._tapes[call.id] = _Tape(business_id, marks, found)

    async def tell_first(self, call: LiveCall) -> None:
        """Answer and tell the caller, when that has to come before the recording."""
        tape = self._tapes.get(call.id)
        if tape is None or tape.decision.announcement is None:
            return
        await call.answer()
        await self._start(call, tape.decision, call.id)

    async def answered(self, call: LiveCall) -> None:
        """Record from now on, if nobody has to be told before. Without a decision the setting counts."""
        tape = self._tapes.get(call.id)
        decision = tape.decision if tape is not None else Decision(self._default)
        if decision.announcement is None and decision.record:
            await self._start(call, decision, call.id)

    async def talks(self, call: LiveCall, talk: Conversation) -> None:
        """A talk is going on: decide again when there is somebody new in it."""
        tape, channel = self._tapes.get(call.id), talk.agent_channel
        if tape is None or channel is None or channel in tape.seen or talk.result is not None:
            return
        tape.seen.add(channel)
        async with tape.lock:
            rules = await self._rules_of(tape.business)
            marks, records = await self._with_people(tape, call, channel)
            if records and not tape.paused and not any(rule.enabled for rule in rules):
                return
            decision = decide(rules, marks, default=self._default and records)
            silent = decision.rule_id is None and not records
            match next_step(decision, call.recording_state, by_rule=tape.paused, queue_off=silent):
                case "start":
                    await self._start(call, decision, talk.customer_channel or call.id)
                case "pause":
                    await call.pause_recording(True)
                    tape.paused = True
                case "resume":
                    await call.pause_recording(False)
                    tape.paused = False
                case "nothing":
                    pass

    def ended(self, call_id: str) -> None:
        """The call is over."""
        self._tapes.pop(call_id, None)

    async def _start(self, call: LiveCall, decision: Decision, customer: str) -> None:
        """Nobody is recorded who should have been told and was not."""
        try:
            if decision.announcement is not None:
                words = decision.announcement.in_language(call.language)
                await call.say([Speak(words, language=call.language)], to=customer)
            await call.start_recording()
        except (DriverError, SpeechError) as problem:
            log.error("call %s is not recorded: %s", call.id, problem)

    async def _rules_of(self, business_id: str) -> Sequence[RecordingRule]:
        at, known = self._rules.get(business_id, (float("-inf"), ()))
        if time.monotonic() - at > FRESH_SECONDS:
            try:
                known = await list_rules(self._db, business_id)
            except SQLAlchemyError as problem:
                log.warning("the rules of recording cannot be read, the last ones known go on: %s", problem)
            self._rules[business_id] = (time.monotonic(), known)
        return known

    async def _with_people(self, tape: _Tape, call: LiveCall, channel: str) -> tuple[CallMarks, bool]:
        """The queue that the call came through, whose phone the agent's channel is, and whether that queue records."""
        leg = call.legs.get(channel)
        number = leg.destination.removeprefix("extension:") if leg is not None else call.caller
        agent = call.agents.get(channel, "")
        try:
            async with read(self._db) as session:
                stays = await session.exec(
                    select(QueueEntry)
                    .where(QueueEntry.call_id == call.id, col(QueueEntry.offered_at).is_not(None))
                    .order_by(col(QueueEntry.offered_at).desc())
                    .limit(1)
                )
                stay = stays.first()
                own = select(Queue.record).where(
                    Queue.business_id == tape.business, Queue.name == (stay.queue if stay is not None else "")
                )
                records = (await session.exec(own)).first() is not False
                if not agent:
                    found = await session.exec(
                        select(Extension.user_id).where(
                            Extension.business_id == tape.business, Extension.number == number
                        )
                    )
                    agent = found.first() or (stay.agent_id if stay is not None else None) or ""
        except SQLAlchemyError as problem:
            log.warning("call %s: who talks in it cannot be read: %s", call.id, problem)
            return tape.marks, True
        return replace(tape.marks, queue=stay.queue if stay is not None else "", agent_id=agent), records
