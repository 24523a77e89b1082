"""The live calls of a driver in this process: routing of events, beginnings, ends and adoption."""

import asyncio
import contextlib
import logging
import math
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

from telephony import observer
from telephony.call import DialResult
from telephony.comfort import GuardTimes, SilenceGuard
from telephony.conversation import TALK, Conversation
from telephony.driver import (
    Answered,
    BridgeEntered,
    BridgeLeft,
    ConnectionLost,
    ConnectionRestored,
    Digit,
    Driver,
    Event,
    Hangup,
    Incoming,
    PlaybackFinished,
    RecordingFinished,
    Ringing,
    Snapshot,
    SoundResumed,
    SoundStopped,
)
from telephony.errors import DriverError, HungUp
from telephony.hearing import Deaf, Ears
from telephony.live_call import Leg, LiveCall, dial_result_of, told_of
from telephony.prompts import MediaRenderer
from telephony.sounds import RINGBACK_SECONDS, Sounds

log = logging.getLogger(__name__)
T = TypeVar("T")

ORPHAN_SECONDS = 60.0
"""How long a leg found after a restart may wait for its call to claim it."""


@dataclass(frozen=True, slots=True)
class LegRecord:
    """Another party of an ended call. ``began`` counts seconds from the beginning of the call."""

    channel: str
    destination: str
    began: float
    result: str
    sip_code: int
    cause: str
    talk_seconds: float


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How a call ended. ``seconds`` from its beginning, ``answered_seconds`` from its answer, 0 when it had none.

    ``staying`` are legs that are still up: phones that are hung up by hand.
    """

    call_id: str
    caller: str
    called: str
    cause: str
    sip_code: int
    q850: int
    seconds: float
    answered_seconds: float
    legs: tuple[LegRecord, ...] = ()
    staying: tuple[str, ...] = ()


OnIncoming = Callable[[LiveCall, Incoming], Awaitable[None]]
OnEnded = Callable[[LiveCall, CallEnd], Awaitable[None]]
OnSilence = Callable[[LiveCall], Awaitable[None]]
OnConversation = Callable[[LiveCall, Conversation], None]
OnEvent = Callable[[LiveCall, Event], None]


class CallBook:
    """Registry of live calls. A call's id is the id of its channel.

    ``on_incoming``  a call came in; runs as a task of its own
    ``on_ended``     a call is over, with the true cause; runs once for a call
    ``on_silence``   no command for 30 s: say sorry and offer the fallback number, see `comfort.offer_fallback`.
                     The task is cancelled when the flow comes back before a person talks with the caller.
    ``on_conversation``  a talk has changed: who is in it, who hears whom; called at once
    ``on_event``     every other event of a live call (talking, transfer wishes ...), called at once
    """

    def __init__(
        self,
        driver: Driver,
        renderer: MediaRenderer,
        *,
        sounds: Sounds,
        language: str = "zh",
        on_incoming: OnIncoming | None = None,
        on_ended: OnEnded | None = None,
        on_silence: OnSilence | None = None,
        on_event: OnEvent | None = None,
        on_conversation: OnConversation | None = None,
        guard: GuardTimes | None = None,
        ears: Ears | None = None,
    ) -> None:
        self.driver = driver
        self.renderer = renderer
        self.sounds = sounds
        self.language = language
        self.on_incoming = on_incoming
        self.on_ended = on_ended
        self.on_silence = on_silence
        self.on_event = on_event
        self.on_conversation = on_conversation
        self.guard = guard or GuardTimes()
        self.ears: Ears = ears or Deaf()
        self.connected = True
        self.epoch = secrets.token_hex(3)
        """Part of every id of this process, so that they never meet those of an earlier one."""

        self._calls: dict[str, LiveCall] = {}
        self._owners: dict[str, LiveCall] = {}
        self._orphans: dict[str, Leg] = {}
        self._occupied: dict[str, Callable[[], None]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._unsubscribe: Callable[[], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # ----------------------------------------------------------------- life

    def start(self) -> None:
        """Listen to the driver."""
        self._loop = asyncio.get_running_loop()
        if self._unsubscribe is None:
            self._unsubscribe = self.driver.subscribe(self._event)
            if self.sounds.folder is not None:
                self.spawn(asyncio.to_thread(self.sounds.prepare))

    async def stop(self) -> None:
        """Listen no more. Calls stay up in the engine; waits in this process end with the cause ``engine_lost``."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        for call in list(self._calls.values()):
            call.end("engine_lost")
        self._calls.clear()
        self._owners.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def now(self) -> float:
        """The event loop's clock."""
        return (self._loop or asyncio.get_running_loop()).time()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something beside; failures are logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._spawned)
        return task

    def _spawned(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, HungUp):
            log.error("a task of the call book failed", exc_info=error)

    # ----------------------------------------------------------------- finding

    @property
    def live(self) -> Mapping[str, LiveCall]:
        """All live calls by id."""
        return MappingProxyType(self._calls)

    async def get(self, call_id: str) -> LiveCall | None:
        """The live call, or None when it is over or unknown here."""
        return self._calls.get(call_id)

    def silent_at(self, destination: str) -> list[str]:
        """Channels of a phone that is in a talk and has stopped sending sound."""
        legs = [leg for call in self._calls.values() for leg in call.legs.values()]
        return [leg.channel for leg in legs if leg.up and leg.silent and leg.destination == destination]

    def staying(self, call_id: str) -> list[tuple[LiveCall, str]]:
        """Phones of a call that is over which have not been hung up yet, each with the call."""
        return [
            (call, channel)
            for channel, call in self._owners.items()
            if call.id == call_id and call.ended and channel in call.still_there
        ]

    # ----------------------------------------------------------------- beginnings

    def _new_call(self, channel: str, *, caller: str, called: str, up: bool, adopted: bool = False) -> LiveCall:
        call = LiveCall(
            self,
            channel,
            caller=caller,
            called=called,
            language=self.language,
            up=up,
            adopted=adopted,
            guard=SilenceGuard(times=self.guard),
        )
        self._calls[channel] = call
        self._owners[channel] = call
        return call

    async def place(
        self, channel: str, destination: str, *, caller_id: str, ring_seconds: float, called: str | None = None
    ) -> tuple[LiveCall | None, DialResult]:
        """Call somebody; the answered call runs flows like one that came in.

        ``caller`` of the new call is the party that was called, as they are the one who hears the flow.
        """
        number = called if called is not None else destination.rsplit(":", 1)[-1]
        call = self._new_call(channel, caller=number, called=caller_id, up=False)
        call.direction = "outbound"
        observer.current.call_offered("outbound")
        release = call.occupy()
        leg = Leg(channel, destination, self.now())
        try:
            await self.driver.originate(channel, destination, caller_id=caller_id, timeout=ring_seconds)
            await call.wait_answered()
        except HungUp:
            pass
        except DriverError as error:
            self.ended(call, Hangup(channel, "failed"))
            leg.cause = error.reason
        except asyncio.CancelledError:
            if not call.answered:
                self.spawn(call._quietly(partial(self.driver.hang_up, channel, "cancelled")))
            raise
        finally:
            release()
        leg.answered_at, leg.ended_at = call.answered_at, call.ended_at
        leg.cause, leg.sip_code = leg.cause or call.cause, call.sip_code
        return (call if call.answered and not call.ended else None), dial_result_of(leg)

    async def place_for(
        self,
        agent: str,
        agent_destination: str,
        channel: str,
        destination: str,
        *,
        caller_id: str,
        called: str,
        ring_seconds: float = 40.0,
        agent_seconds: float = 40.0,
        agent_user: str = "",
    ) -> tuple[LiveCall | None, DialResult]:
        """Call somebody for an agent: the agent's phone rings first, then the other party is called and becomes the
        call, with the agent as its leg `agent`. None when one of the two does not come; nothing of it stays then.

        The agent's phone shows `called`, the other party sees `caller_id`. `agent_user` is whose phone it is.
        """
        if channel in self._calls or agent in self._owners:
            raise ValueError(f"the call {channel} is being placed already")
        call = self._new_call(channel, caller=called, called=caller_id, up=False)
        call.direction = "outbound"
        observer.current.call_offered("outbound")
        release = call.occupy()
        playback = f"{channel}-ringback-{self.epoch}"
        leg = self.new_leg(call, agent, agent_destination)
        if agent_user:
            call.agents[agent] = agent_user
        try:
            await call._originate(leg, called, agent_seconds)
            await call._wait(
                lambda: leg.answered_at is not None or leg.ended_at is not None, self.now() + agent_seconds + 2.0
            )
            if not leg.up:
                await call._quietly(partial(self.driver.hang_up, agent, "cancelled"))
                self.ended(call, Hangup(channel, "cancelled"))
                return None, dial_result_of(leg) if leg.ended_at is not None else DialResult("no_answer", agent)
            times = math.ceil((ring_seconds + 2.0) / RINGBACK_SECONDS)
            await call._quietly(partial(self.driver.play, agent, playback, [self.sounds.ringback] * times))
            await call._during(
                self.driver.originate(
                    channel,
                    destination,
                    caller_id=caller_id,
                    timeout=ring_seconds,
                    variables=told_of(channel, destination),
                )
            )
            await call._wait(lambda: call.answered or leg.ended_at is not None)
            if leg.ended_at is not None:
                await call.cut("cancelled")
                return None, DialResult("no_answer", channel, 0, "cancelled")
            await call._quietly(partial(self.driver.stop_playing, playback))
            return call, DialResult("answered", channel, 200)
        except HungUp:
            return None, DialResult("failed", channel, call.sip_code, call.cause)
        except DriverError as error:
            self.ended(call, Hangup(channel, "failed"))
            return None, DialResult("failed", channel, 0, error.reason)
        finally:
            release()

    async def adopt(
        self,
        calls: Iterable[str] | None = None,
        snapshot: Snapshot | None = None,
        agents: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    ) -> list[LiveCall]:
        """Take over what is up in the engine after a restart of this process.

        `calls` are the ids that the records know as live calls; without it, every channel that is no leg by
        its id (``...<call id>-...``) is one. Other channels are legs that wait for a dial or talk to claim them.
        `agents` tells whose phones the legs of a call are, by call and channel.
        """
        state = snapshot or await self.driver.snapshot()
        known = set(calls) if calls is not None else _callers(state)
        adopted: list[LiveCall] = []
        for channel, seen in state.channels.items():
            if channel in self._calls or channel in self._owners:
                continue
            if channel in known:
                call = self._new_call(channel, caller=seen.caller, called=seen.called, up=seen.up, adopted=True)
                call.agents.update(agents.get(channel, {}))
                call.recording_found(call.tap_name in state.taps, call.tap_name in state.paused)
                if seen.up:
                    call.look_behind()
                adopted.append(call)
            else:
                leg = Leg(channel, seen.called, self.now() - seen.seconds, ringing=True)
                leg.answered_at = leg.began if seen.up else None
                self._orphans[channel] = leg
        for call in adopted:
            self._adopt_conversation(call, state)
        for bridge, members in state.bridges.items():
            owners = [self._calls[member] for member in members if member in self._calls]
            others = [member for member in members if member in self._orphans]
            if len(owners) == 1 and others:
                self._adopt_talk(owners[0], bridge, others)
        if self._orphans:
            self.spawn(self._drop_orphans(set(self._orphans)))
        return adopted

    def _adopt_conversation(self, call: LiveCall, state: Snapshot) -> None:
        """A talk that went on without us, however it stood."""
        prefix = call.id + TALK
        for bridge in state.bridges:
            if not bridge.startswith(prefix):
                continue
            talk = Conversation.adopt(call, bridge.removeprefix(prefix), state, partial(self.claim, call))
            if talk is not None:
                call.conversation = talk
                self.spawn(talk.go_on())
                return

    def _adopt_talk(self, call: LiveCall, bridge: str, others: list[str]) -> None:
        """A conversation that went on without us: it is no silence, and its legs end with the call."""
        call._bridges.add(bridge)
        for channel in others:
            call.legs[channel] = self._orphans.pop(channel)
            self._owners[channel] = call
            self._occupied[channel] = call.occupy()

    async def _drop_orphans(self, channels: set[str]) -> None:
        await asyncio.sleep(ORPHAN_SECONDS)
        for channel in channels & self._orphans.keys():
            log.warning("leg %s belongs to no call and is hung up", channel)
            del self._orphans[channel]
            try:
                await self.driver.hang_up(channel)
            except DriverError as error:
                log.debug("leg %s: %s", channel, error)

    # ----------------------------------------------------------------- legs

    def claim(self, call: LiveCall, channel: str) -> Leg | None:
        """The leg of that id, if it exists or existed in this call."""
        leg = call.legs.get(channel)
        if leg is None and channel in self._orphans:
            leg = call.legs[channel] = self._orphans.pop(channel)
            self._owners[channel] = call
        return leg

    def new_leg(self, call: LiveCall, channel: str, destination: str) -> Leg:
        """Register a leg before it is dialled, so that none of its events is missed."""
        if channel in self._owners:
            raise ValueError(f"channel {channel} belongs to another call")
        leg = call.legs[channel] = Leg(channel, destination, self.now())
        self._owners[channel] = call
        return leg

    def part(self, call: LiveCall, customer: Leg, third: Leg | None = None) -> LiveCall:
        """Another party of a call becomes a call of its own, with a third one as its leg; `call` goes on without."""
        for leg in (customer, third):
            if leg is not None:
                del call.legs[leg.channel]
        number = customer.destination.rpartition(":")[2]
        made = self._new_call(customer.channel, caller=number, called=call.caller, up=True)
        made.direction, made.language = "outbound", call.language
        if third is not None:
            made.legs[third.channel] = third
            self._owners[third.channel] = made
            made.by_hand |= call.by_hand & {third.channel}
            if user := call.agents.pop(third.channel, ""):
                made.agents[third.channel] = user
        return made

    # ----------------------------------------------------------------- events

    def _event(self, event: Event) -> None:
        try:
            self._route(event)
        except Exception:
            # One bad event must not cut the driver's stream for all other calls.
            log.exception("event %r failed", event)

    def _route(self, event: Event) -> None:
        match event:
            case Incoming(channel=channel):
                if channel not in self._calls:
                    call = self._new_call(channel, caller=event.caller, called=event.called, up=False)
                    observer.current.call_offered("inbound")
                    if self.on_incoming is not None:
                        self.spawn(_run(self.on_incoming(call, event)))
            case ConnectionLost():
                self.connected = False
            case ConnectionRestored(channels=channels, restarted=restarted):
                self.connected = True
                self._restored(channels, restarted)
            case Hangup(channel=channel) if channel in self._calls:
                self.ended(self._calls[channel], event)
            case BridgeEntered(channel=channel) | BridgeLeft(channel=channel) | PlaybackFinished(channel=channel):
                self._give(channel, event)
            case RecordingFinished(channel=channel) | Answered(channel=channel) | Ringing(channel=channel):
                self._give(channel, event)
            case Digit(channel=channel) | SoundStopped(channel=channel) | SoundResumed(channel=channel):
                self._give(channel, event)
            case Hangup(channel=channel):
                release = self._occupied.pop(channel, None)
                if release is not None:
                    release()
                self._give(channel, event)
                owner = self._owners.get(channel)
                if owner is not None and owner.ended and channel in owner.staying:
                    del self._owners[channel]
            case _:
                call_ = self._owners.get(event.channel)
                if call_ is not None and self.on_event is not None:
                    self.on_event(call_, event)

    def _give(self, channel: str, event: Event) -> None:
        call = self._owners.get(channel)
        if call is not None:
            call.take(event)
            if self.on_event is not None:
                self.on_event(call, event)
            return
        orphan = self._orphans.get(channel)
        if orphan is None:
            return
        if isinstance(event, Answered):
            orphan.answered_at = orphan.answered_at or self.now()
        elif isinstance(event, Hangup):
            orphan.ended_at, orphan.cause, orphan.sip_code = self.now(), event.cause, event.sip_code
        elif isinstance(event, SoundStopped | SoundResumed):
            orphan.silent = isinstance(event, SoundStopped)

    def _restored(self, channels: frozenset[str], restarted: bool) -> None:
        cause = "engine_lost" if restarted else "normal"
        for call in list(self._calls.values()):
            if call.id not in channels:
                self.ended(call, Hangup(call.id, cause))
                continue
            for leg in list(call.legs.values()):
                if leg.ended_at is None and leg.channel not in channels:
                    call.take(Hangup(leg.channel, cause))
            call.wake()
        for channel, leg in self._orphans.items():
            if channel not in channels and leg.ended_at is None:
                leg.ended_at, leg.cause = self.now(), cause

    # ----------------------------------------------------------------- ends

    def ended(self, call: LiveCall, event: Hangup) -> None:
        """End a call in this process; only the first end counts."""
        if call.ended:
            return
        call.end(event.cause, event.sip_code, event.q850)
        self._calls.pop(call.id, None)
        observer.current.call_ended(call.direction, event.cause, self.now() - call.began)
        if event.cause != "engine_lost":
            self.spawn(call.tidy())
        self.spawn(self._close(call))

    async def _close(self, call: LiveCall) -> None:
        """Give the last events of legs and recordings a moment, then tell about the end."""
        going = [leg for leg in call.legs.values() if leg.channel not in call.staying]
        await call._linger(lambda: all(leg.ended_at is not None for leg in going), 1.0)
        for leg in going:
            if leg.ended_at is None:
                leg.ended_at, leg.cause = self.now(), leg.cause or call.cause
        try:
            if self.on_ended is not None:
                await self.on_ended(call, _summary(call))
        finally:
            # Late `RecordingFinished` events still find the call for a while.
            asyncio.get_running_loop().call_later(10.0, self._disown, call)

    def _disown(self, call: LiveCall) -> None:
        for channel in {call.id, *call.legs} - call.still_there:
            if self._owners.get(channel) is call:
                del self._owners[channel]

    def lose_all(self, cause: str = "engine_lost") -> None:
        """The engine is known to be dead: every call ends now with that cause."""
        for call in list(self._calls.values()):
            self.ended(call, Hangup(call.id, cause))

    async def silent(self, call: LiveCall) -> None:
        """Nobody has commanded the call for too long."""
        log.warning("call %s: no command for %.0f s", call.id, self.guard.apology)
        if self.on_silence is not None:
            with contextlib.suppress(HungUp):
                await self.on_silence(call)


async def _run(work: Awaitable[None]) -> None:
    await work


def _callers(state: Snapshot) -> set[str]:
    """Channels whose id does not hold another channel's id: ids of legs hold the id of their call."""
    ids = state.channels
    return {one for one in ids if not any(one != other and f"{other}-" in one for other in ids)}


def _summary(call: LiveCall) -> CallEnd:
    ended = call.ended_at if call.ended_at is not None else call.began
    legs = []
    for leg in call.legs.values():
        result = dial_result_of(leg)
        talked = (leg.ended_at or ended) - leg.answered_at if leg.answered_at is not None else 0.0
        legs.append(
            LegRecord(
                channel=leg.channel,
                destination=leg.destination,
                began=max(0.0, leg.began - call.began),
                result=result.result,
                sip_code=leg.sip_code,
                cause=leg.cause,
                talk_seconds=max(0.0, talked),
            )
        )
    return CallEnd(
        call_id=call.id,
        caller=call.caller,
        called=call.called,
        cause=call.cause,
        sip_code=call.sip_code,
        q850=call.q850,
        seconds=max(0.0, ended - call.began),
        answered_seconds=max(0.0, ended - call.answered_at) if call.answered_at is not None else 0.0,
        legs=tuple(legs),
        staying=tuple(sorted(call.still_there)),
    )
