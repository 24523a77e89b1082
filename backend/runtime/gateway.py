"""The gateway owns one Asterisk: it answers for its calls, starts their flows, and keeps the records true.

Rules:
- one owner at a time, by a database lease; who loses it closes the socket at once and begins anew as a standby
- a call's flow is the workflow ``call-<call id>`` on this gateway's own task queue; starting it twice is harmless
- the gateway itself ends what a call does when the caller leaves; the workflow is told by a signal
- after a restart the records are compared with the engine: live calls go on, vanished ones are closed with the true
  cause, channels that nobody knows are hung up
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from backend.agents.service import outside_phone, releases_by_hand
from backend.calls import service as calls
from backend.calls.facts import (
    CallAnswered,
    CallEnded,
    CallStarted,
    LegAnswered,
    LegBegan,
    LegEnded,
    LegMoved,
    RunFinished,
    RunStarted,
    TalkChanged,
)
from backend.calls.models import Call as CallRow
from backend.calls.models import Leg as LegRow
from backend.calls.talks import as_state
from backend.database import Database, new_id, read, utcnow
from backend.observability.logs import in_call
from backend.phones.service import PERIOD, TRIAL, BrowserPhone, expires_at, password_of, phone_failed
from backend.queues.models import Queue
from backend.recordings.service import save_recording
from backend.runtime import handover
from backend.runtime.directory import Directory, Target
from backend.runtime.handover import next_run
from backend.runtime.journal import Journal
from backend.runtime.lease import OwnershipLease
from backend.runtime.services import anonymous_caller
from backend.runtime.taping import Taping
from backend.runtime.tasks import end
from backend.security import SecretBox
from backend.settings import Settings
from flows.task import CallFacts, FlowResult, FlowStart
from flows.temporal import start_flow
from nodes.sdk.context import Context
from nodes.sdk.outcome import NodeError
from nodes.sdk.services import Services
from telephony.asterisk.config import ConfigError, WebPhone
from telephony.asterisk.driver import AsteriskDriver
from telephony.call import TransferTarget
from telephony.calls import CallBook, CallEnd
from telephony.comfort import offer_fallback
from telephony.conversation import THIRD, WATCH, ControlError, Conversation, in_house
from telephony.driver import Answered, Event, Hangup, Incoming, RecordingFinished, Ringing, TransferRequested
from telephony.errors import DriverError, HungUp, SpeechError
from telephony.hearing import Ears
from telephony.live_call import LiveCall
from telephony.prompts import Item, MediaRenderer, Speak
from telephony.sounds import Sounds, wav_seconds
from telephony.speech.builtin import builtin

log = logging.getLogger(__name__)

HANGUP_SIGNAL = "hangup"
LAST_WORDS = 0.3
"""Seconds between a last message and the hang-up, which would empty the phone's jitter buffer unheard."""
START_TIMEOUT = 5.0
SURPLUS_SECONDS = 0.1
"""How long a call beyond the cap is kept before it hears busy: few at a time for so long each bound their rate."""
HANGUP_GRACE = 0.5
"""How long a run may take to end by itself after a hang-up, before it is told: a signal costs it a task more."""
RETRY_SECONDS = 1.0
LIMBO_SECONDS = 25.0
"""How long an unknown channel may ring before it is hung up: the dialplan itself retries for 20 s."""


@dataclass(slots=True)
class Connection:
    """What a gateway needs to reach its engine. ``engine_started`` tells when a private engine began to run."""

    url: str
    user: str
    password: str
    recordings: Path
    sip_address: str
    engine_started: Callable[[], datetime | None] = lambda: None


class Gateway:
    """One gateway for the life of the process; each ownership of the engine is one pass through `run`'s loop."""

    def __init__(
        self,
        settings: Settings,
        db: Database,
        *,
        connection: Connection,
        renderer: MediaRenderer,
        ears: Ears | None = None,
        directory: Directory,
        services_for: Callable[[str], Services],
        client: Callable[[], Client | None],
        journal: Journal,
        box: SecretBox,
    ) -> None:
        self.settings = settings
        self.name = settings.name
        self._db = db
        self._connection = connection
        self._renderer = renderer
        self._ears = ears
        self._directory = directory
        self._services_for = services_for
        self._client = client
        self._journal = journal
        self._box = box
        self._phones: dict[str, asyncio.TimerHandle] = {}
        self._sounds = Sounds(settings.home / "sounds")
        self._taping = Taping(db, default=settings.record_calls)
        self._lease = OwnershipLease(db, f"gateway-{settings.name}")
        self._driver: AsteriskDriver | None = None
        self._book: CallBook | None = None
        self._lost = asyncio.Event()
        self._tasks: set[asyncio.Task[object]] = set()
        self._businesses: dict[str, str] = {}
        self._anonymous: set[str] = set()
        self._surplus: set[str] = set()
        """Calls beyond the cap that are being refused."""
        self._ending: dict[str, asyncio.Future[None]] = {}
        self._runs: dict[str, str] = {}
        """The run that a call walks now, when it is not its first."""
        journal.on_finished.append(self._run_over)
        self.adopted = asyncio.Event()
        """Set while this gateway owns the engine and knows every live call: only then may nodes run."""
        self.disowned = asyncio.Event()
        self.disowned.set()
        self.idle = asyncio.Event()
        """Set while no node of this gateway's calls runs in this process; the workers set it."""
        self.idle.set()

    # ------------------------------------------------------------------ state

    @property
    def connected(self) -> bool:
        return self._driver is not None and self._driver.connected and self._lease.held

    @property
    def standby(self) -> bool:
        """Whether another process owns the engine."""
        return not self._lease.held

    @property
    def live(self) -> int:
        return len(self._book.live) if self._book is not None else 0

    async def trunk_answers(self, trunk: str) -> bool | None:
        """Whether the far end of a trunk is there; None when it is not known. Raises DriverError."""
        return await self._driver.trunk_answers(trunk) if self._driver is not None else None

    async def get(self, call_id: str) -> LiveCall | None:
        """`flows.task.Calls`: the live call, or None. Marks the task that asks as working for this caller."""
        anonymous_caller.set(call_id in self._anonymous)
        return await self._book.get(call_id) if self._book is not None else None

    def engine_died(self) -> None:
        """The engine's process is dead: its calls are over."""
        if self._book is not None:
            self._book.lose_all("engine_lost")

    # ------------------------------------------------------------------ life

    async def run(self) -> None:
        """Own the engine whenever the lease allows it, until cancelled."""
        try:
            while True:
                await self._lease.wait()
                log.info("this process owns the gateway %s (fencing number %d)", self.name, self._lease.fencing)
                try:
                    await self._own()
                except DriverError as problem:
                    log.error("the telephony engine cannot be used: %s", problem)
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            with contextlib.suppress(SQLAlchemyError):
                await self._lease.release()

    async def _own(self) -> None:
        """One ownership: from the lease to its loss."""
        self._lost.clear()
        connection = self._connection
        driver = AsteriskDriver(
            connection.url,
            connection.user,
            connection.password,
            recordings=connection.recordings,
            sip_address=connection.sip_address,
            on_replaced=self._lose,
            may_act=self._may_act,
        )
        book = CallBook(
            driver,
            self._renderer,
            sounds=self._sounds,
            language=self.settings.default_language,
            on_incoming=in_call(self._incoming),
            on_ended=in_call(self._ended),
            on_silence=in_call(self._silent),
            on_event=self._event,
            on_conversation=self._conversation,
            ears=self._ears,
        )
        self._driver, self._book = driver, book
        keeper = asyncio.create_task(self._lease.keep(self._lose))
        try:
            book.start()
            await driver.connect()
            await self._reconcile(driver, book)
            for name in await driver.web_phones():
                self._close_later(driver, name, 2 * PERIOD.total_seconds())
            self.disowned.clear()
            self.adopted.set()
            await self._lost.wait()
        finally:
            # First the socket: nobody else's calls may be touched after the lease has gone.
            self.adopted.clear()
            self.disowned.set()
            await driver.close()
            # Nodes are cut by their worker, which runs them again elsewhere; an ended book would tell them that
            # their caller is gone.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.idle.wait(), 6)
            self._driver = self._book = None
            await book.stop()
            await end(keeper)

    def _lose(self) -> None:
        self._lost.set()

    def _may_act(self) -> bool:
        """Whether orders may still be sent. A process that stood still wakes as owner of what is another's by now.

        SQLite serves one process, for which being late alone is no loss.
        """
        return self._db.sqlite or self._lease.held

    # ------------------------------------------------------------------ after a restart

    async def _reconcile(self, driver: AsteriskDriver, book: CallBook) -> None:
        """Compare the records with what is up."""
        snapshot = await driver.snapshot()
        rows = {row.id: row for row in await calls.open_calls(self._db, gateway=self.name)}
        known = {one for one in rows if one in snapshot.channels}
        strangers = {
            one for one in snapshot.channels if one not in known and not any(call_id in one for call_id in known)
        }
        adopted = await book.adopt(
            known,
            replace(
                snapshot, channels={one: state for one, state in snapshot.channels.items() if one not in strangers}
            ),
            agents=await calls.people_in(self._db, sorted(known)),
        )
        for call in adopted:
            row = rows[call.id]
            call.caller, call.called = row.caller, row.called
            call.language = row.language or call.language
            self._businesses[call.id] = row.business_id
            if row.run_id:
                self._runs[call.id] = row.run_id
            if row.anonymous:
                self._anonymous.add(call.id)
            await self._taping.begins(call, row.business_id, row.direction)
            self._spawn(self._follow(call, row.state == "up"))
            for channel, leg in call.legs.items():
                if leg.up:
                    self._spawn(self._learn_release(call, channel))
            if call.conversation is not None and not row.run_id:
                if row.direction == "inbound":
                    call.conversation.agent_side = "call"
                self._spawn(self._end_after(call, call.conversation.leg_id))
        for one in strangers:
            self._spawn(self._drop_stranger(driver, one, up=snapshot.channels[one].up))
        gone = [row for row in rows.values() if row.id not in known]
        for row in gone:
            if row.run_id:
                self._runs[row.id] = row.run_id
            self._spawn(self._close_vanished(driver, row))
        for leg_id in await calls.staying_legs(self._db, self.name):
            # They are strangers to this process, and hung up as such.
            self._journal.tell(LegEnded(leg_id, "normal"))
        for call_id, run_id in await calls.untold_ends(self._db, self.name):
            self._runs[call_id] = run_id
            self._spawn(self._tell_flow(call_id, "normal"))
        if rows:
            log.info("%d calls go on, %d ended meanwhile", len(adopted), len(gone))

    async def _end_after(self, call: LiveCall, leg: str) -> None:
        """A talk outside of any flow goes on without whoever began it; the call ends with it."""
        if not await self._talk(call, leg):
            await call.hang_up()

    async def _close_vanished(self, driver: AsteriskDriver, row: CallRow) -> None:
        """A call that ended while nobody watched: by the caller, or because the engine itself died."""
        began = self._connection.engine_started()
        cause = "engine_lost" if began is not None and began > row.started_at else "normal"
        await self._journal.written(CallEnded(row.id, cause))
        await self._tell_flow(row.id, cause)
        with contextlib.suppress(DriverError):
            path = await driver.recording(f"{row.id}-whole")
            if path is not None:
                await self._keep_recording(row.business_id, row.id, path, await asyncio.to_thread(wav_seconds, path))

    async def _drop_stranger(self, driver: AsteriskDriver, channel: str, *, up: bool) -> None:
        """A channel that no record knows. One that still rings may be about to be offered to us."""
        if not up:
            await asyncio.sleep(LIMBO_SECONDS)
            if self._book is None or channel in self._book.live:
                return
        log.warning("channel %s belongs to no call and is hung up", channel)
        with contextlib.suppress(DriverError):
            await driver.hang_up(channel)

    # ------------------------------------------------------------------ calls that come in

    async def _incoming(self, call: LiveCall, event: Incoming) -> None:
        try:
            await self._begin(call, event)
        except HungUp:
            return
        except Exception:
            # Nobody listens to a dead line, whatever went wrong here.
            log.exception("call %s from %s to %s could not begin", call.id, event.caller, event.called)
            with contextlib.suppress(HungUp, DriverError, SpeechError):
                await self._apologise(call, self._businesses.get(call.id, ""))
            await call.hang_up()

    async def _begin(self, call: LiveCall, event: Incoming) -> None:
        began = utcnow()
        if event.surplus or self._full():
            await self._refuse(call, event, began)
            return
        log.info("a call to %s begins", event.called)
        if event.anonymous:
            self._anonymous.add(call.id)
        target = None
        if event.called.startswith(TRIAL) and not event.trunk:
            tried = await self._directory.dialled_trial(event.called, call.id)
            if tried is not None:
                # Whoever holds the word is known; the flow meets the caller that its author wants it to meet.
                self._anonymous.discard(call.id)
                target, pretended = tried
                event = replace(event, anonymous=False, caller=pretended or event.caller)
                call.caller = event.caller
        if target is None:
            target, called = await self._directory.arrives(event.called, event.to, event.trunk)
            if called != event.called:
                event = replace(event, called=called)
                call.called = called
        self._businesses[call.id] = target.business_id
        call.language = target.language or self.settings.default_language
        start = self._start_of(call, target, event) if target.plan else None

        begins = CallStarted(
            call_id=call.id,
            business_id=target.business_id,
            gateway=self.name,
            caller=event.caller,
            called=event.called,
            caller_name=event.caller_name,
            anonymous=event.anonymous,
            trunk=event.trunk,
            sip_call_id=event.sip_call_id,
            language=call.language,
            run=start,
            at=began,
        )
        # Side by side: the caller does not wait for the database. The end of the run is recorded in any case.
        self._journal.tell(begins)
        if start is None:
            if not event.anonymous and not event.trunk and await self._from_the_house(call, event):
                return
            log.warning("call %s to %s: no flow answers this number", call.id, event.called)
            await self._no_flow(call)
            return
        await self._open(call, "inbound")
        await self._start(call, start)

    def _full(self) -> bool:
        """Whether more calls are up than the house may have; placed ones count, the engine does not know them."""
        return len(self._book.live if self._book else ()) - len(self._surplus) > self.settings.max_calls

    async def _refuse(self, call: LiveCall, event: Incoming, at: datetime) -> None:
        """A call beyond the cap: the caller hears busy, the records know. Each takes its time, so that a flood costs
        little: the engine lets only a few in at once."""
        self._surplus.add(call.id)
        try:
            target, called = await self._directory.arrives(event.called, event.to, event.trunk)
            self._businesses[call.id] = target.business_id
            begins = CallStarted(
                call_id=call.id,
                business_id=target.business_id,
                gateway=self.name,
                caller=event.caller,
                called=called,
                caller_name=event.caller_name,
                anonymous=event.anonymous,
                trunk=event.trunk,
                sip_call_id=event.sip_call_id,
                language=self.settings.default_language,
                at=at,
            )
            self._journal.tell(begins, CallEnded(call.id, "congestion", 486))
            log.warning("call %s is refused: every line of the house is in use", call.id)
            await asyncio.sleep(SURPLUS_SECONDS)
            await call.reject("busy")
        finally:
            self._surplus.discard(call.id)

    def _start_of(self, call: LiveCall, target: Target, event: Incoming) -> FlowStart:
        return FlowStart(
            run_id=f"call-{call.id}",
            business_id=target.business_id,
            flow_id=target.flow_key,
            version=target.version,
            plan=target.plan,
            kind=target.kind,
            alias=target.alias,
            call=CallFacts(
                id=call.id,
                gateway=self.name,
                caller=event.caller,
                called=event.called,
                language=call.language,
                anonymous=event.anonymous,
            ),
        )

    async def _start(self, call: LiveCall, start: FlowStart) -> None:
        """Start the flow; as long as Temporal is away the silence guard cares for the caller."""
        self._runs[call.id] = start.run_id
        while not call.ended:
            client = self._client()
            if client is not None:
                try:
                    async with asyncio.timeout(START_TIMEOUT):
                        await start_flow(
                            client,
                            start,
                            task_queue=self.settings.gateway_queue,
                            eager=True,
                            search_attributes=True,
                        )
                    if call.id not in (self._book.live if self._book is not None else ()):
                        # The caller left while the start was under way; the end was told to nobody.
                        self._spawn(self._tell_flow(call.id, call.cause))
                    return
                except (RPCError, TimeoutError) as problem:
                    log.warning("call %s: its flow does not start yet: %r", call.id, problem)
            await asyncio.sleep(RETRY_SECONDS)
        never = FlowResult(outcome="hangup", reason="the caller left before the flow could start")
        self._journal.tell(RunFinished(start, never))

    async def _no_flow(self, call: LiveCall) -> None:
        with contextlib.suppress(HungUp):
            await call.answer()
            self._journal.tell(CallAnswered(call.id))
            try:
                await call.say([self._words(call, "no_flow")])
                await asyncio.sleep(LAST_WORDS)
            except SpeechError as problem:
                log.error("call %s: %s", call.id, problem)
            # Told before the hang-up, which the engine reports as an ordinary one.
            self._journal.tell(CallEnded(call.id, "unknown_number", 404))
        await call.reject("unknown_number")

    async def _from_the_house(self, call: LiveCall, event: Incoming) -> bool:
        """An extension calls another one, or a number that the business may dial."""
        business = self._businesses[call.id]
        try:
            phones = self._services_for(business).telephones
            destination = await phones.destination(event.called)
            caller_id = await phones.caller_id(destination)
        except NodeError as problem:
            log.info("call %s to %s: %s", call.id, event.called, problem)
            return False
        inside = destination.startswith("extension:")
        # It is an agent who calls: the other side is told when they talk.
        await self._open(call, "internal" if inside else "outbound", tell=False)
        await self._connect(call, destination, event.caller if inside else caller_id, 40.0, agent="call")
        return True

    async def _open(self, call: LiveCall, direction: str, *, tell: bool = True) -> None:
        """Follow a call from its beginning. Somebody who must be told that it is recorded hears that first."""
        await self._taping.begins(call, self._businesses[call.id], direction)
        self._spawn(self._follow(call, False))
        if tell:
            with contextlib.suppress(HungUp):
                await self._taping.tell_first(call)

    async def _follow(self, call: LiveCall, known: bool) -> None:
        """Write down the answer, unless it is `known`, and record the conversation from then on.

        An earlier process may have been killed between the answer and the beginning of the recording.
        """
        with contextlib.suppress(HungUp):
            await call.wait_answered()
            if not known:
                self._journal.tell(CallAnswered(call.id))
            await self._taping.answered(call)

    # ------------------------------------------------------------------ calls that go out

    async def begin_call(
        self,
        to: str,
        *,
        business_id: str,
        call_id: str,
        target: Target | None = None,
        bridge_to: str = "",
        caller_id: str = "",
        ring_seconds: float = 40.0,
    ) -> None:
        """Call somebody; when they answer they walk a flow, or are connected with another number.

        Returns when the call is on record. Raises NodeError when a number may not be dialled.
        """
        if self._book is None:
            raise NodeError("gateway_away", "this gateway does not own its telephony engine now", retryable=True)
        phones = self._services_for(business_id).telephones
        destination = await phones.destination(to)
        other = await phones.destination(bridge_to) if bridge_to else ""
        shown = caller_id or await phones.caller_id(destination)
        start = None
        if target is not None and target.plan:
            facts = Incoming(channel=call_id, caller=to, called=shown)
            start = self._start_for_placed(call_id, target, facts)
        self._businesses[call_id] = business_id
        # On record before anybody is dialled: a process that dies meanwhile knows this call again.
        await self._journal.written(
            CallStarted(
                call_id=call_id,
                business_id=business_id,
                gateway=self.name,
                caller=shown,
                called=to,
                direction="outbound",
                trunk=destination.split(":")[1] if destination.startswith("trunk:") else "",
            )
        )
        self._spawn(self._place(self._book, call_id, to, destination, other, shown, ring_seconds, target, start))

    async def _place(
        self,
        book: CallBook,
        call_id: str,
        to: str,
        destination: str,
        other: str,
        shown: str,
        ring_seconds: float,
        target: Target | None,
        start: FlowStart | None,
    ) -> None:
        call, result = await book.place(call_id, destination, caller_id=shown, ring_seconds=ring_seconds, called=to)
        if call is None:
            log.info("call %s to %s: %s", call_id, to, result.result)
            return
        if target is not None:
            call.language = target.language or call.language
        await self._open(call, "outbound")
        if start is not None:
            # A run begins with the answer: nobody walks a flow before.
            self._journal.tell(RunStarted(start))
            await self._start(call, start)
        elif other:
            await self._connect(call, other, shown, ring_seconds)

    def _start_for_placed(self, call_id: str, target: Target, facts: Incoming) -> FlowStart:
        return FlowStart(
            run_id=f"call-{call_id}",
            business_id=target.business_id,
            flow_id=target.flow_key,
            version=target.version,
            plan=target.plan,
            kind=target.kind,
            alias=target.alias,
            call=CallFacts(
                id=call_id, gateway=self.name, caller=facts.caller, called=facts.called, language=target.language
            ),
        )

    async def _connect(
        self,
        call: LiveCall,
        destination: str,
        caller_id: str,
        ring_seconds: float,
        *,
        agent: Literal["leg", "call"] = "leg",
        user: str = "",
    ) -> None:
        with contextlib.suppress(HungUp):
            leg = f"{call.id}-other"
            result = await call.dial(leg, destination, caller_id=caller_id, ring_seconds=ring_seconds, agent=user)
            if result.result == "answered" and await self._talk(call, leg, agent=agent):
                return
        await call.hang_up()

    async def _talk(self, call: LiveCall, leg: str, *, agent: Literal["leg", "call"] = "leg") -> bool:
        """A talk outside of any flow; True when somebody has sent the call into one."""
        talk = await call.talk(leg, agent=agent)
        if talk.target is None:
            return False
        run_id = self._runs.get(call.id)
        return await self._go_on(call, talk.target.kind, talk.target.key, next_run(run_id) if run_id else "")

    async def _go_on(self, call: LiveCall, kind: str, key: str, run_id: str = "") -> bool:
        """The call goes on in a flow or a queue that somebody has sent it to; False when that does not exist."""
        business = self._businesses.get(call.id, "")
        if kind == "queue":
            plan = handover.plan()
            target: Target | None = Target(business, handover.FLOW, 1, plan.hash, "ivr", language=call.language)
        else:
            target = await self._directory.flow(business, key)
        if target is None:
            log.warning("call %s: no flow %s to go on with", call.id, key)
            return False
        start = self._start_for_placed(call.id, target, Incoming(call.id, call.caller, call.called))
        assert start.call is not None
        facts = start.call.model_copy(
            update={"language": target.language or call.language, "anonymous": call.id in self._anonymous}
        )
        start = start.model_copy(
            update={
                "run_id": run_id or start.run_id,
                "call": facts,
                "inputs": {"queue": key} if kind == "queue" else {},
            }
        )
        self._journal.tell(RunStarted(start))
        await self._start(call, start)
        return True

    async def can_go_on(self, business_id: str, kind: str, key: str) -> bool:
        """Whether a queue or a published flow of that key exists."""
        if kind != "queue":
            return await self._directory.flow(business_id, key) is not None
        async with read(self._db) as session:
            found = select(Queue.id).where(Queue.business_id == business_id, Queue.name == key)
            return (await session.exec(found)).first() is not None

    async def _handed_over(self, start: FlowStart, result: FlowResult) -> None:
        """A run has ended because somebody sent its caller elsewhere. Told twice it begins the next run once."""
        call = await self.get(start.call.id) if start.call is not None else None
        if call is None or result.hand_over is None:
            return
        try:
            if await self._go_on(call, result.hand_over["kind"], result.hand_over["key"], next_run(start.run_id)):
                return
        except SQLAlchemyError as problem:
            log.error("call %s cannot go on: %s", call.id, problem)
        await self._apologise(call, start.business_id)

    # ------------------------------------------------------------------ calls that agents make and steer

    async def dial_for(
        self,
        agent_destination: str,
        to: str,
        *,
        business_id: str,
        call_id: str,
        caller_id: str = "",
        agent: str = "",
        agent_seconds: float = 40.0,
    ) -> None:
        """An agent calls somebody: their phone rings first, the one outside when they work there.

        Returns when the call is on record. `agent` is who calls, when the destination of their phone does not tell.

        Raises NodeError when a number may not be dialled.
        """
        if self._book is None:
            raise NodeError("gateway_away", "this gateway does not own its telephony engine now", retryable=True)
        if call_id in self._businesses:
            # The same order a second time, while the first one is under way.
            return
        self._businesses[call_id] = business_id
        phones = self._services_for(business_id).telephones
        own = agent_destination.rpartition(":")[2]
        try:
            destination = await phones.destination(to)
            if not agent and agent_destination.startswith("extension:"):
                outside = await outside_phone(self._db, business_id, own)
                if outside is not None:
                    agent, agent_destination = outside.user_id, await phones.destination(outside.outside_number)
        except NodeError:
            del self._businesses[call_id]
            raise
        inside = destination.startswith("extension:")
        shown = caller_id or (own if inside else await phones.caller_id(destination))
        await self._journal.written(
            CallStarted(
                call_id=call_id,
                business_id=business_id,
                gateway=self.name,
                caller=shown,
                called=to,
                direction="internal" if inside else "outbound",
            )
        )
        self._spawn(
            self._place_for(self._book, agent_destination, call_id, destination, shown, to, agent, agent_seconds)
        )

    async def _place_for(
        self,
        book: CallBook,
        agent_destination: str,
        call_id: str,
        destination: str,
        shown: str,
        to: str,
        user: str,
        agent_seconds: float,
    ) -> None:
        # Not behind the id of the call: Asterisk takes no id that is the beginning of another one in use.
        agent = f"agent-{call_id}"
        call, result = await book.place_for(
            agent,
            agent_destination,
            call_id,
            destination,
            caller_id=shown,
            called=to,
            agent_seconds=agent_seconds,
            agent_user=user,
        )
        if call is None:
            log.info("call %s to %s: %s", call_id, to, result.result)
            return
        await self._open(call, "internal" if destination.startswith("extension:") else "outbound")
        with contextlib.suppress(HungUp):
            if await self._talk(call, agent):
                return
        await call.hang_up()

    async def conversation(self, call_id: str) -> tuple[LiveCall, Conversation]:
        """The talk that goes on in a call. Raises ControlError."""
        call = await self.get(call_id)
        if call is None:
            raise ControlError("no_call", "the call is over")
        if call.conversation is None:
            raise ControlError("no_talk", "nobody talks in this call now")
        return call, call.conversation

    async def hang_up_staying(self, call_id: str, leg: str = "") -> bool:
        """Hang up a phone, or all of them, that its person has not hung up after the end of a call; whether there was
        one."""
        found = False
        for call, channel in self._book.staying(call_id) if self._book is not None else ():
            if leg in ("", channel):
                found = True
                await call.drop_leg(channel)
        return found

    async def leave_to(
        self,
        call: LiveCall,
        talk: Conversation,
        op: str,
        *,
        number: str = "",
        target: TransferTarget | None = None,
        with_third: bool = False,
    ) -> None:
        """The agent, whose phone the call itself is, gives the other party on: to a number, to a queue or a flow, or to
        the third party. The other party is a call of its own from then on. Raises NodeError, ControlError.
        """
        business = self._businesses.get(call.id, "")
        destination, agent = await self.way_to(business, number) if number else ("", "")
        third = next((one for one in talk.view().parties if one.role == "third"), None)
        customer = call.legs.get(talk.customer_channel or "")
        inside = customer is not None and in_house(customer)
        made = await talk.part(op, with_third=with_third)
        self._businesses[made.id] = business
        direction: Literal["internal", "outbound"] = "internal" if inside else "outbound"
        taken = third.channel if third is not None and with_third else ""
        by = third.destination.rpartition(":")[2] if third is not None and with_third else number
        begins = CallStarted(made.id, business, self.name, by, made.caller, direction=direction, language=made.language)
        await self._journal.written(begins, *([LegMoved(taken, made.id)] if taken else []))
        self._spawn(self._go_on_alone(made, direction, destination, agent, target, taken))

    async def _go_on_alone(
        self,
        call: LiveCall,
        direction: str,
        destination: str,
        agent: str,
        target: TransferTarget | None,
        third: str,
    ) -> None:
        await self._open(call, direction, tell=False)
        if target is not None:
            if not await self._go_on(call, target.kind, target.key):
                await call.hang_up()
        elif third:
            await self._end_after(call, third)
        else:
            inside = destination.startswith("extension:")
            shown = call.caller if inside else await self.house_number(self._businesses[call.id], destination)
            await self._connect(call, destination, shown, 40.0, user=agent)

    async def way_to(self, business_id: str, number: str) -> tuple[str, str]:
        """Where to dial a number, counted against the caps, and which agent is there when it does not tell.

        The extension of an agent who works at a phone outside leads to that phone. Raises NodeError.
        """
        outside = await outside_phone(self._db, business_id, number)
        phones = self._services_for(business_id).telephones
        if outside is None:
            return await phones.destination(number), ""
        return await phones.destination(outside.outside_number), outside.user_id

    async def house_number(self, business_id: str, destination: str) -> str:
        """What others see of a business that calls them there."""
        return await self._services_for(business_id).telephones.caller_id(destination)

    def _conversation(self, call: LiveCall, talk: Conversation) -> None:
        state = None if talk.result is not None or call.ended else as_state(talk.view(), self._book_now(), utcnow())
        self._journal.tell(TalkChanged(call.id, state))
        if state is not None:
            self._spawn(self._taping.talks(call, talk))

    def _book_now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _transfer_wish(self, driver: AsteriskDriver, call: LiveCall, channel: str, wanted: str) -> None:
        """The transfer key of an agent's own telephone, for a number."""
        done = False
        talk = call.conversation
        number = wanted.partition("@")[0].removeprefix("sip:")
        if talk is not None and channel in (talk.agent_channel, talk.customer_channel) and number:
            try:
                business = self._businesses.get(call.id, "")
                if channel == talk.customer_channel and not await self._of_the_house(call, channel):
                    raise ControlError("not_possible", "only phones of the house give calls on")
                talk.speaks(channel)
                if talk.agent_side == "call":
                    # Told first: with the other party gone this phone is hung up.
                    destination, _ = await self.way_to(business, number)
                    with contextlib.suppress(DriverError):
                        await driver.transfer_result(channel, True)
                    await self.leave_to(call, talk, new_id()[:12], number=number)
                    return
                destination, agent = await self.way_to(business, number)
                inside = destination.startswith("extension:")
                shown = call.caller if inside else await self.house_number(business, destination)
                await talk.transfer(new_id()[:12], destination, caller_id=shown, agent=agent)
                done = True
            except (NodeError, ControlError, HungUp, DriverError) as problem:
                log.info("call %s: the phone's transfer to %s is refused: %s", call.id, number, problem)
        with contextlib.suppress(DriverError):
            await driver.transfer_result(channel, done)

    async def _of_the_house(self, call: LiveCall, channel: str) -> bool:
        """Whether a telephone of the house is at this end of a call."""
        async with read(self._db) as session:
            row, leg = await session.get(CallRow, call.id), await session.get(LegRow, channel)
        if channel == call.id:
            return row is not None and (
                row.direction == "internal" or (row.direction == "inbound" and not row.trunk and not row.anonymous)
            )
        return leg is not None and (leg.user_id is not None or leg.destination.startswith("extension:"))

    # ------------------------------------------------------------------ phones in browsers

    async def open_phone(self, phone: BrowserPhone, period: int) -> None:
        """Let a browser register as that phone with its password of a period, until that has passed.

        Raises DomainError when the engine refuses.
        """
        driver = self._driver
        if driver is None:
            raise phone_failed("unavailable", "电话网关暂不可用", "the telephone gateway cannot be reached now")
        wanted = WebPhone(
            phone.name, password_of(self._box, phone.name, period), phone.number, phone.display, phone.dials
        )
        try:
            await driver.keep_web_phone(wanted, self.settings.sip_host)
        except (DriverError, ConfigError) as problem:
            log.error("the browser phone %s cannot be opened: %s", phone.name, problem)
            raise phone_failed("phone_failed", "无法开通网页电话", "the browser phone cannot be opened") from problem
        await self._came_back(driver, phone.number)
        self._close_later(driver, phone.name, (expires_at(period) - utcnow()).total_seconds())

    async def _came_back(self, driver: AsteriskDriver, number: str) -> None:
        """Somebody opens their phone anew while the page before it has fallen silent in a talk: that one is dead, and
        the call is offered back now instead of when the engine gives it up."""
        silent = self._book.silent_at(f"extension:{number}") if self._book is not None and number else []
        for channel in silent:
            log.info("the phone of %s is opened anew, its old page %s is dead", number, channel)
            with contextlib.suppress(DriverError):
                await driver.hang_up(channel, "lost")

    def _close_later(self, driver: AsteriskDriver, name: str, seconds: float) -> None:
        if (timer := self._phones.pop(name, None)) is not None:
            timer.cancel()

        async def close() -> None:
            self._phones.pop(name, None)
            if driver is self._driver:
                with contextlib.suppress(DriverError):
                    await driver.forget_web_phone(name)

        self._phones[name] = asyncio.get_running_loop().call_later(seconds, lambda: self._spawn(close()))

    # ------------------------------------------------------------------ what happens on calls

    def _event(self, call: LiveCall, event: Event) -> None:
        match event:
            case Ringing(channel=channel) | Answered(channel=channel) if channel in call.legs:
                self._journal.tell(_leg_began(call, channel))
                if isinstance(event, Answered):
                    self._journal.tell(LegAnswered(channel))
                    self._spawn(self._learn_release(call, channel))
            case Hangup(channel=channel, cause=cause, sip_code=code) if channel in call.legs:
                self._journal.tell(_leg_began(call, channel), LegEnded(channel, cause, code))
            case RecordingFinished(name=name, path=path, failed=False) if name == call.tap_name:
                business, seconds = self._businesses.get(call.id, ""), event.seconds
                self._spawn(self._keep_recording(business, call.id, path, seconds))
            case TransferRequested(channel=channel, target=target):
                if self._driver is not None:
                    self._spawn(self._transfer_wish(self._driver, call, channel, target))
            case _:
                pass

    async def _learn_release(self, call: LiveCall, channel: str) -> None:
        """Whether whoever is at a phone hangs it up by hand when the talk is over."""
        leg = call.legs.get(channel)
        if leg is None or WATCH in channel:
            return
        user, inside = call.agents.get(channel, ""), leg.destination.startswith("extension:")
        if not (user or inside):
            return
        extension = leg.destination.rpartition(":")[2] if inside else ""
        if await releases_by_hand(self._db, self._businesses.get(call.id, ""), user, extension):
            call.by_hand.add(channel)

    async def _keep_recording(self, business_id: str, call_id: str, path: Path, seconds: float) -> None:
        """Tried again while the database or the disk takes nothing; else the next reconciliation finds the file."""
        for pause in (0.5, 2.0, 10.0, 30.0, 0.0):
            try:
                # The call it belongs to is on record before it.
                await self._journal.written()
                await save_recording(
                    self._db,
                    self.settings.recordings,
                    business_id=business_id,
                    key=f"call-{call_id}",
                    call_id=call_id,
                    source=path,
                    seconds=seconds,
                )
                return
            except (SQLAlchemyError, OSError) as problem:
                if not pause:
                    raise
                log.warning("the recording of call %s is not kept yet: %s", call_id, problem)
                await asyncio.sleep(pause)

    async def _ended(self, call: LiveCall, end: CallEnd) -> None:
        log.info("the call has ended: %s", end.cause)
        self._journal.tell(CallEnded(call.id, end.cause, end.sip_code, staying=end.staying))
        self._taping.ended(call.id)
        loop = asyncio.get_running_loop()
        loop.call_later(60.0, self._businesses.pop, call.id, None)
        loop.call_later(60.0, self._runs.pop, call.id, None)
        loop.call_later(60.0, self._anonymous.discard, call.id)
        if not await self._ends_by_itself(call.id):
            await self._tell_flow(call.id, call.cause)

    async def _ends_by_itself(self, call_id: str) -> bool:
        """Whether the run ends without being told: most stand in a node on the call, which reports the hang-up."""
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        run_id = self._run_of(call_id)
        self._ending[run_id] = over
        try:
            await asyncio.wait_for(over, HANGUP_GRACE)
        except TimeoutError:
            return False
        finally:
            self._ending.pop(run_id, None)
        return True

    def _run_of(self, call_id: str) -> str:
        return self._runs.get(call_id, f"call-{call_id}")

    def _run_over(self, start: FlowStart, result: FlowResult) -> None:
        if result.hand_over is not None:
            self._spawn(self._handed_over(start, result))
        over = self._ending.get(start.run_id)
        if over is not None and not over.done():
            over.set_result(None)

    async def _tell_flow(self, call_id: str, cause: str) -> None:
        """Signal the call's workflow that the caller is gone; again until Temporal takes it or knows of no such run."""
        while True:
            client = self._client()
            if client is not None:
                try:
                    async with asyncio.timeout(START_TIMEOUT):
                        await client.get_workflow_handle(self._run_of(call_id)).signal(HANGUP_SIGNAL, cause)
                    return
                except RPCError as problem:
                    if problem.status == RPCStatusCode.NOT_FOUND:
                        return
                    log.warning("call %s: the hang-up is not told yet: %s", call_id, problem)
                except TimeoutError:
                    log.warning("call %s: the hang-up is not told yet", call_id)
            await asyncio.sleep(RETRY_SECONDS)

    async def _silent(self, call: LiveCall) -> None:
        """Nobody has commanded the call for 30 s: Temporal is away, or its flow is stuck."""
        await self._apologise(call, self._businesses.get(call.id, ""))

    async def apologise(self, ctx: Context) -> None:
        """The engine's own apology after a flow has failed: a person if there is one, else goodbye. Ends the call."""
        if not isinstance(ctx.maybe_call, LiveCall):
            return
        call = ctx.maybe_call
        if not await self._apologise(call, ctx.business_id) and not call.ended:
            with contextlib.suppress(SpeechError):
                await call.say([self._words(call, "goodbye")])
            await call.hang_up()

    async def _apologise(self, call: LiveCall, business_id: str) -> bool:
        destination = caller_id = ""
        anonymous_caller.set(call.id in self._anonymous)
        try:
            phones = self._services_for(business_id).telephones
            number = phones.fallback_number()
            if number:
                destination = await phones.destination(number)
                caller_id = await phones.caller_id(destination)
        except (NodeError, SQLAlchemyError, OSError) as problem:
            log.error("call %s: the fallback number cannot be dialled: %s", call.id, problem)
        words = self._words(call, "apology_transfer" if destination else "apology")
        return await offer_fallback(call, [words], destination, caller_id=caller_id or call.caller)

    def _words(self, call: LiveCall, name: str) -> Item:
        return Speak(builtin(name, call.language), language=call.language)

    # ------------------------------------------------------------------ beside

    def _spawn(self, work: Awaitable[object]) -> None:
        async def guarded() -> None:
            try:
                await work
            except HungUp:
                return
            except Exception:
                log.exception("a task of the gateway failed")

        task: asyncio.Task[object] = asyncio.create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _leg_began(call: LiveCall, channel: str) -> LegBegan:
    leg = call.legs[channel]
    kind = "third" if THIRD in channel else "supervisor" if WATCH in channel else "dialled"
    return LegBegan(
        channel,
        call.id,
        leg.destination.rsplit(":", 1)[-1],
        leg.destination,
        kind=kind,
        user_id=call.agents.get(channel),
    )
