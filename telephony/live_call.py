"""The implementation of `telephony.call.Call` over the driver port.

How it works: the driver's events change the call's state at once (keys go into a queue, finished playbacks
into a set, a hang-up sets the end) and wake whoever waits; waits look at the state, never at the events.
So no event can be missed between two waits, and the end of the call interrupts every wait at once.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from telephony import observer
from telephony.call import Detected, DialResult, Keys, Recording, Said, Spoken, Talk
from telephony.comfort import SilenceGuard
from telephony.conversation import Conversation
from telephony.driver import (
    Answered,
    BridgeEntered,
    BridgeLeft,
    Digit,
    Event,
    Hangup,
    HangupCause,
    PlaybackFinished,
    RecordingFinished,
    Ringing,
    SoundResumed,
    SoundStopped,
)
from telephony.errors import DriverError, HungUp, SpeechError
from telephony.hearing import FRAME_SECONDS, FRAMES_AT_ONCE, Heard, ProgressEar, Recognition, Words, phrase_in, plain
from telephony.prompts import Item, Media
from telephony.sounds import OVER_SECONDS, RINGBACK_SECONDS, wav_seconds

if TYPE_CHECKING:
    from telephony.calls import CallBook

log = logging.getLogger(__name__)
T = TypeVar("T")

MAX_KEYS = 64
"""Keys kept ahead; further ones are dropped."""

SOUNDS = 4
"""Names that the prompts of a call take in turn. They are the same in every process, so that the one that adopts a
call finds what an earlier one has left playing."""

_TRAILING_SECONDS = 2.0
"""A terminator within this time after a full entry belongs to that entry."""

_LATE_SECONDS = 10.0
"""How much longer than its length a playback or recording may take before it counts as ended."""

_STOP_SECONDS = 15.0
"""How long a busy engine may take to close the file of a recording that was stopped."""

_LOST_SECONDS = 30.0
"""How long a command waits for a lost engine to come back."""

_NOISE_MS = 300
"""Speech shorter than this in which no word was understood is a cough, and the wait goes on."""

_BEHIND_SECONDS = 30.0
"""How long an answer may wait to be heard when the machine is behind, as it is while a language pack is loaded."""

_ANSWER_MS = 400
"""Speech of this length stops the prompt, words understood stop it earlier."""

_PHRASE_PAUSE_MS = 350
"""The pause that ends an answer which is a whole phrase already."""

STAY_SECONDS = 300.0
"""How long a phone that is hung up by hand may stay after its talk."""

_GRACE = 0.5
"""Time for the second of two events that belong together (left the bridge, hung up)."""


@dataclass(slots=True)
class Leg:
    """Another party of a call, from dialling to its end. Times are those of the event loop's clock.

    A ``silent`` one is a browser phone whose sound has stopped coming.
    """

    channel: str
    destination: str
    began: float
    ringing: bool = False
    answered_at: float | None = None
    ended_at: float | None = None
    cause: str = ""
    sip_code: int = 0
    silent: bool = False

    @property
    def up(self) -> bool:
        return self.answered_at is not None and self.ended_at is None


def _ringing(leg: str) -> str:
    """The ringing that a caller hears while this leg is dialled: any process can tell its name, and stop it."""
    return f"{leg}-ringing"


def _listening(leg: str) -> str:
    """The same while somebody listens who has answered."""
    return f"{leg}-listening"


def dial_result_of(leg: Leg) -> DialResult:
    """The dial result of a leg that was answered or has ended."""
    result: Literal["answered", "busy", "no_answer", "rejected", "failed"]
    if leg.answered_at is not None:
        return DialResult("answered", leg.channel, leg.sip_code or 200)
    match leg.cause:
        case "busy":
            result = "busy"
        case "rejected":
            result = "rejected"
        case "no_answer" | "cancelled" | "normal":
            result = "no_answer"
        case _:
            result = "failed"
    return DialResult(result, leg.channel, leg.sip_code, leg.cause)


class LiveCall:
    """One call that is up or waits to be answered. Made by `telephony.calls.CallBook` only.

    - Every waiting method raises `HungUp` within the event loop's next turn when the call ends.
    - Commands lost with the engine's connection are sent again, with the same ids, when it is back.
    - A method that is cancelled leaves nothing behind: playback and recording stop, a leg that still rings is
      cancelled. A conversation alone goes on, so that a gateway may restart under it.
    """

    def __init__(
        self,
        book: "CallBook",
        channel: str,
        *,
        caller: str,
        called: str,
        language: str,
        up: bool,
        adopted: bool = False,
        guard: SilenceGuard,
    ) -> None:
        self.id = channel
        self.caller = caller
        self.called = called
        self.language = language
        self.adopted = adopted
        self.began = book.now()
        self.answered_at: float | None = self.began if up else None
        self.ended_at: float | None = None
        self.cause = ""
        self.sip_code = 0
        self.q850 = 0
        self.legs: dict[str, Leg] = {}
        self.direction: observer.Direction = "inbound"
        self.silent = False
        """The caller's own browser phone has stopped sending sound."""
        self.taken_over = False
        """The fallback person talks with the caller; the flow's commands wait until they are done."""

        self._book = book
        self._driver = book.driver
        self._keys: deque[tuple[str, float]] = deque()
        self._drop_keys = 0
        self._trailing: tuple[str, float] | None = None
        self._decided_at: float | None = None
        self._waiters: set[asyncio.Future[None]] = set()
        self._counter = 0
        self._playing: set[str] = set()
        self._played: dict[str, bool] = {}
        self._recording: set[str] = set()
        self._recorded: dict[str, RecordingFinished] = {}
        self._left: set[tuple[str, str]] = set()
        self._bridges: set[str] = set()
        self._tapped = False
        self._tap_paused = False
        self._prefetching: asyncio.Task[None] | None = None
        self.conversation: Conversation | None = None
        """The talk that goes on, if one does."""
        self._talks: dict[str, Talk] = {}
        self.agents: dict[str, str] = {}
        """Whose phone a leg is (user id by channel), where its destination does not tell; set before it is dialled."""
        self.by_hand: set[str] = set()
        """Legs whose phone is hung up by hand: they stay when the caller has gone, and hear that the talk is over."""
        self.staying: set[str] = set()
        """Legs that do so now, or did."""
        self._told_over: set[str] = set()
        self.music = ""
        """The music that the caller hears until the next command, empty for none."""

        self._guard = guard
        guard.up = up
        guard.idle_since = self.began
        self._guard_timer: asyncio.TimerHandle | None = None
        self._guard_task: asyncio.Task[None] | None = None
        self._comfort: str | None = None
        self._sound = 0
        self._sounding: set[str] = set()
        """Names of prompts that may still be playing."""
        self._left_behind: dict[str, None] = {}
        """What an earlier process has left playing; it goes on until the next command, which it would hold up."""
        self._looking: asyncio.Task[None] | None = None
        if adopted and up:
            # Nobody knows how long the caller has been waiting already.
            guard.idle_since -= guard.times.comfort
        self._arm()

    def __repr__(self) -> str:
        return f"<LiveCall {self.id} {self.caller}->{self.called} {'ended' if self.ended else 'live'}>"

    # ----------------------------------------------------------------- state

    @property
    def ended(self) -> bool:
        return self.ended_at is not None

    @property
    def answered(self) -> bool:
        return self.answered_at is not None

    @property
    def pending_keys(self) -> str:
        """Keys pressed ahead and not used yet."""
        return "".join(key for key, _ in self._keys)

    @property
    def recording_state(self) -> Literal["off", "on", "paused"]:
        """Whether the whole call is being recorded."""
        return "off" if not self._tapped else "paused" if self._tap_paused else "on"

    @property
    def still_there(self) -> set[str]:
        """Phones that stay after their talk and have not been hung up yet."""
        return {channel for channel in self.staying if self.legs[channel].ended_at is None}

    @property
    def tap_name(self) -> str:
        """Name of the recording of the whole call."""
        return f"{self.id}-whole"

    # ----------------------------------------------------------------- events, from the book

    def take(self, event: Event) -> None:
        """Apply one event of the driver; never waits."""
        match event:
            case Digit(channel=channel, digit=digit) if channel == self.id:
                self._key(digit)
            case Answered(channel=channel) if channel == self.id:
                self._now_up()
            case PlaybackFinished(playback=playback, failed=failed):
                self._playback_over(playback, failed)
            case RecordingFinished(name=name):
                self._recorded[name] = event
            case BridgeEntered(bridge=bridge, channel=channel):
                self._left.discard((bridge, channel))
            case BridgeLeft(bridge=bridge, channel=channel):
                self._left.add((bridge, channel))
            case Ringing(channel=channel) if channel in self.legs:
                self.legs[channel].ringing = True
            case Answered(channel=channel) if channel in self.legs:
                leg = self.legs[channel]
                leg.answered_at = leg.answered_at or self._book.now()
            case Hangup(channel=channel, cause=cause, sip_code=code) if channel in self.legs:
                leg = self.legs[channel]
                if leg.ended_at is None:
                    leg.ended_at, leg.cause, leg.sip_code = self._book.now(), cause, code
            case SoundStopped(channel=channel) | SoundResumed(channel=channel):
                silent = isinstance(event, SoundStopped)
                if channel == self.id:
                    self.silent = silent
                elif channel in self.legs:
                    self.legs[channel].silent = silent
            case _:
                pass
        self.wake()

    def end(self, cause: str, sip_code: int = 0, q850: int = 0) -> None:
        """The call is over. Only the first end counts."""
        if self.ended_at is not None:
            return
        self.ended_at = self._book.now()
        self.cause, self.sip_code, self.q850 = cause, sip_code, q850
        if self.answered and cause != "engine_lost":
            self.staying |= {channel for channel in self.by_hand if channel in self.legs and self.legs[channel].up}
        self._guard.over = True
        self._arm()
        if self._prefetching is not None:
            self._prefetching.cancel()
        self.wake()

    def wake(self) -> None:
        """Let every wait look at the state again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def _key(self, digit: str) -> None:
        now = self._book.now()
        if self._trailing is not None:
            terminators, until = self._trailing
            self._trailing = None
            if digit in terminators and now <= until:
                return
        if self._drop_keys:
            return
        if len(self._keys) >= MAX_KEYS:
            log.warning("call %s: more than %d keys pressed ahead, key dropped", self.id, MAX_KEYS)
            return
        self._keys.append((digit, now))

    def _playback_over(self, playback: str, failed: bool) -> None:
        self._sounding.discard(playback)
        self._left_behind.pop(playback, None)
        if playback in self._playing:
            self._played[playback] = failed
        elif playback == self._comfort and self._guard.comforting and not self.ended:
            self._comfort = None
            if not failed:
                self._book.spawn(self._start_comfort())

    def look_behind(self) -> None:
        """Find what an earlier process has left playing on this call."""
        self._looking = self._book.spawn(self._look_behind())
        self._looking.add_done_callback(lambda _: self.wake())

    async def _look_behind(self) -> None:
        names = [self._sound_name(number) for number in range(SOUNDS)]
        found = await asyncio.gather(*map(self._driver.plays, names), return_exceptions=True)
        for name, plays in zip(names, found, strict=True):
            if isinstance(plays, BaseException):
                log.warning("call %s: whether %s still plays is not known: %s", self.id, name, plays)
            # What is not known is stopped too: that does no harm.
            if plays:
                self._sounding.add(name)
                self._left_behind[name] = None

    async def _stop_left_behind(self) -> None:
        looking = self._looking
        if looking is not None:
            await self._wait(looking.done)
            self._looking = None
        while self._left_behind:
            playback, _ = self._left_behind.popitem()
            await self._command(partial(self._driver.stop_playing, playback))

    # ----------------------------------------------------------------- waiting

    async def _wait(self, ready: Callable[[], bool], until: float | None = None) -> bool:
        """Wait for a state; False at the time `until`. Raises `HungUp` when the call ends."""
        loop = asyncio.get_running_loop()
        while True:
            self._check()
            if ready():
                return True
            if until is not None and loop.time() >= until:
                return False
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters.add(waiter)
            timer = None if until is None else loop.call_at(until, _release, waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)
                if timer is not None:
                    timer.cancel()

    def _check(self) -> None:
        if self.ended_at is not None:
            raise HungUp(self.cause)

    async def _during(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work`, but no longer than the call lasts."""
        if self.ended_at is not None:
            work.close()
            raise HungUp(self.cause)
        task = asyncio.ensure_future(work)
        task.add_done_callback(lambda _: self.wake())
        try:
            while not task.done():
                await self._wait(task.done)
        except BaseException:
            if task.done():
                _forget(task)
            else:
                task.add_done_callback(_forget)
                task.cancel()
            raise
        return task.result()

    async def _command(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Send a command about this call's own channel; again, after the engine was away for a moment."""
        try:
            return await self._again(make)
        except DriverError as error:
            if error.reason == "not_found":
                await self._channel_missing()
            raise

    async def _again(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Send a command; again, after the engine was away for a moment."""
        give_up = self._book.now() + _LOST_SECONDS
        while True:
            try:
                return await self._during(make())
            except DriverError as error:
                if error.reason != "lost" or self._book.now() >= give_up:
                    raise
                await self._wait(lambda: False, self._book.now() + 0.1)
                await self._wait(lambda: self._book.connected, give_up)

    async def _channel_missing(self) -> None:
        """Something was not found: if it is the channel, its hang-up is on the way and brings the true cause."""
        await self._wait(lambda: False, self._book.now() + _GRACE)
        if self.id not in (await self._during(self._driver.snapshot())).channels:
            self._book.ended(self, Hangup(self.id, "normal"))
        self._check()

    async def _quietly(self, *commands: Callable[[], Awaitable[None]]) -> None:
        """Commands that tidy up: what is gone already is no error."""
        for command in commands:
            try:
                await command()
            except DriverError as error:
                if error.reason != "not_found":
                    log.warning("call %s: tidying up failed: %s", self.id, error)

    # ----------------------------------------------------------------- the silence guard

    @asynccontextmanager
    async def _active(self) -> AsyncIterator[None]:
        """Around every command: comfort audio stops, the guard's clock stands still."""
        self._check()
        guardian = self._guard_task
        if guardian is not None and not guardian.done() and asyncio.current_task() is not guardian:
            # The flow is back. A person on the line is not interrupted, an apology or a ringing phone is.
            await self._wait(lambda: not self.taken_over)
            if not guardian.done():
                guardian.cancel()
                await self._during(_finished(guardian))
        stop = self._guard.begins(self._book.now())
        self._arm()
        try:
            if stop and self._comfort is not None:
                playback, self._comfort = self._comfort, None
                await self._command(lambda: self._driver.stop_playing(playback))
            if self.music:
                self.music = ""
                await self._command(lambda: self._driver.stop_music(self.id))
            await self._stop_left_behind()
            yield
        finally:
            self._guard.ends(self._book.now())
            self._arm()

    def _now_up(self) -> None:
        if self.answered_at is None:
            self.answered_at = self._book.now()
            observer.current.call_answered(self.direction, self.answered_at - self.began)
        if not self._guard.up:
            self._guard.up = True
            self._arm()

    def _arm(self) -> None:
        if self._guard_timer is not None:
            self._guard_timer.cancel()
            self._guard_timer = None
        due = self._guard.due()
        if due is not None:
            self._guard_timer = asyncio.get_running_loop().call_at(due, self._guard_due)

    def _guard_due(self) -> None:
        match self._guard.act(self._book.now()):
            case "comfort":
                self._book.spawn(self._start_comfort())
            case "apologise":
                self._guard_task = self._book.spawn(self._book.silent(self))
            case _:
                pass
        self._arm()

    async def _start_comfort(self) -> None:
        if self._looking is not None:
            await asyncio.wait([self._looking])
        if self.ended or not self._guard.comforting:
            return
        if self._left_behind:
            # The caller still hears something; comfort is due when it is over.
            self._comfort = next(iter(self._left_behind))
            return
        playback = self._comfort = self._next_sound()
        try:
            await self._driver.play(self.id, playback, [self._book.sounds.comfort] * 20)
        except DriverError as error:
            log.warning("call %s: no comfort audio: %s", self.id, error)
        if self._comfort != playback:
            # A command came while this one was on its way.
            await self._quietly(partial(self._driver.stop_playing, playback))

    def occupy(self) -> Callable[[], None]:
        """The caller is occupied by something that is no command of this process; returns how to end that."""
        self._guard.begins(self._book.now())
        self._arm()
        done = False

        def release() -> None:
            nonlocal done
            if not done:
                done = True
                self._guard.ends(self._book.now())
                self._arm()

        return release

    # ----------------------------------------------------------------- answer and end

    async def wait_answered(self) -> None:
        """Wait until the far end of an outgoing call answers."""
        await self._wait(lambda: self.answered)

    async def answer(self) -> None:
        if self.answered:
            self._check()
            return
        async with self._active():
            await self._command(lambda: self._driver.answer(self.id))
            self._now_up()

    async def reject(self, cause: Literal["busy", "rejected", "unknown_number", "congestion"]) -> None:
        """Refuse the call; an answered one is hung up. Does not raise `HungUp`."""
        if self.answered:
            await self._finish(lambda: self._driver.hang_up(self.id, cause), cause)
        else:
            await self._finish(lambda: self._driver.reject(self.id, cause), cause)

    async def hang_up(self) -> None:
        await self._finish(lambda: self._driver.hang_up(self.id), "normal")

    async def cut(self, cause: HangupCause = "normal") -> None:
        """Hang up whatever goes on, a conversation with the fallback person too."""
        await self._end_now(lambda: self._driver.hang_up(self.id, cause), cause)

    async def _finish(self, command: Callable[[], Coroutine[Any, Any, None]], cause: HangupCause) -> None:
        try:
            async with self._active():
                await self._end_now(command, cause)
        except HungUp:
            pass

    async def _end_now(self, command: Callable[[], Coroutine[Any, Any, None]], cause: HangupCause) -> None:
        try:
            await self._command(command)
            await self._wait(lambda: False, self._book.now() + 2 * _GRACE)
        except HungUp:
            return
        # The engine has obeyed; a hang-up event that never comes shall not keep the call alive.
        if not self.ended:
            self._book.ended(self, Hangup(self.id, cause))

    # ----------------------------------------------------------------- saying

    async def say(
        self,
        items: Sequence[Item],
        *,
        barge_in: frozenset[str] = frozenset(),
        language: str | None = None,
        keep_key: bool = False,
        to: str | None = None,
    ) -> Said:
        """As `Call.say`. `to` is another party's channel that hears it instead of the caller."""
        async with self._active():
            began = self._book.now()
            texts: list[str] = []
            if not self._next_key_in(barge_in):
                media = await self._render(items, language)
                texts = await self._play(media, lambda: self._next_key_in(barge_in), to)
            if not self._next_key_in(barge_in):
                return Said(texts)
            self._decide(self._keys[0][1], began)
            return Said(texts, self._keys[0][0] if keep_key else self._keys.popleft()[0])

    def prefetch(self, items: Sequence[Item], language: str | None = None) -> None:
        """Render what will probably be said next, while something else goes on."""
        if self.ended or not items:
            return
        if self._prefetching is not None:
            self._prefetching.cancel()
        self._prefetching = self._book.spawn(self._render_ahead(list(items), language or self.language))

    async def _render_ahead(self, items: Sequence[Item], language: str) -> None:
        try:
            await self._book.renderer.render(items, language)
        except SpeechError as error:
            log.debug("call %s: prefetch: %s", self.id, error)

    async def _render(self, items: Sequence[Item], language: str | None) -> list[Media]:
        if not items:
            return []
        return await self._during(self._book.renderer.render(items, language or self.language))

    def _next_key_in(self, keys: frozenset[str]) -> bool:
        return bool(self._keys) and self._keys[0][0] in keys

    def _next_id(self, kind: str) -> str:
        self._counter += 1
        return f"{self.id}-{kind}-{self._book.epoch}-{self._counter}"

    def _sound_name(self, number: int) -> str:
        return f"{self.id}-sound-{number}"

    def _next_sound(self) -> str:
        """A name for the next prompt: the one of `SOUNDS` that has been free for longest."""
        for _ in range(SOUNDS):
            self._sound = (self._sound + 1) % SOUNDS
            name = self._sound_name(self._sound)
            if name not in self._sounding:
                self._sounding.add(name)
                return name
        return self._next_id("play")

    async def _play(self, media: Sequence[Media], cut: Callable[[], bool], to: str | None = None) -> list[str]:
        """Play to the end or until `cut`; the texts that were begun, as far as time tells."""
        if not media or cut():
            return []
        playback = self._next_sound()
        files = [piece.path for piece in media]
        length = sum(piece.seconds for piece in media)
        self._playing.add(playback)
        stop = True
        try:
            if self._decided_at is not None:
                observer.current.key_answered(self._book.now() - self._decided_at)
                self._decided_at = None
            await self._command(lambda: self._driver.play(to or self.id, playback, files))
            began = self._book.now()
            if not self.answered:
                # Early media: the engine plays it, the call may stay unanswered.
                log.debug("call %s: plays before the answer", self.id)
            over = await self._wait(lambda: playback in self._played or cut(), began + length + _LATE_SECONDS)
            if not over:
                log.warning("call %s: playback %s never ended", self.id, playback)
            if playback in self._played:
                stop = False
                if self._played[playback]:
                    # A hang-up fails what plays too; its own event follows and is the true reason.
                    await self._wait(lambda: False, self._book.now() + _GRACE)
                    raise SpeechError("playback_failed", f"the engine could not play {', '.join(map(str, files))}")
                return [piece.text for piece in media]
            stop = False
            await self._command(lambda: self._driver.stop_playing(playback))
            return _begun(media, self._book.now() - began)
        finally:
            self._playing.discard(playback)
            self._played.pop(playback, None)
            if stop and not self.ended:
                self._book.spawn(self._quietly(partial(self._driver.stop_playing, playback)))

    # ----------------------------------------------------------------- digits

    async def collect(
        self,
        items: Sequence[Item],
        *,
        maximum: int,
        first_timeout: float,
        digit_timeout: float,
        terminators: str = "#",
        barge_in: bool = True,
        keys: frozenset[str] | None = None,
        language: str | None = None,
    ) -> Keys:
        if maximum < 1:
            raise ValueError(f"maximum: {maximum} digits cannot be collected; give 1 or more")
        async with self._active():
            began = self._book.now()

            def waiting() -> bool:
                """A key that counts is at the head of the queue; others are dropped on the way."""
                while self._keys:
                    key = self._keys[0][0]
                    if key in terminators or keys is None or key in keys:
                        return True
                    self._keys.popleft()
                return False

            texts: list[str] = []
            if items and not (barge_in and waiting()):
                media = await self._render(items, language)
                texts = await self._play(media, waiting if barge_in else _never)
            start = self._book.now()
            digits = ""
            until = start + first_timeout
            while True:
                try:
                    came = await self._wait(waiting, until)
                except HungUp as gone:
                    gone.digits = digits
                    raise
                if not came:
                    return Keys(digits, "timeout", texts)
                key, at = self._keys.popleft()
                if key in terminators:
                    self._decide(at, began)
                    return Keys(digits, "terminator", texts, key)
                digits += key
                if len(digits) == maximum:
                    self._decide(at, began)
                    self._swallow_terminator(terminators, at, digit_timeout, maximum)
                    return Keys(digits, "full", texts)
                until = max(start, at) + digit_timeout

    def _decide(self, at: float, began: float) -> None:
        """That key ended an entry; one pressed ahead, before the entry began, says nothing about our speed."""
        self._decided_at = at if at >= began else None

    def _swallow_terminator(self, terminators: str, at: float, digit_timeout: float, maximum: int) -> None:
        """Whoever types ``1234#`` into four places means the ``#`` for them, not for the next question."""
        if not terminators or maximum == 1:
            return
        until = at + min(_TRAILING_SECONDS, digit_timeout)
        if not self._keys:
            self._trailing = (terminators, until)
        elif self._keys[0][0] in terminators and self._keys[0][1] <= until:
            self._keys.popleft()

    # ----------------------------------------------------------------- listening

    def understands(self, language: str | None = None) -> bool:
        return self._book.ears.understands(language or self.language)

    async def listen(
        self,
        items: Sequence[Item],
        *,
        phrases: Sequence[str] = (),
        keys: frozenset[str] = frozenset(),
        first_timeout: float,
        pause: float = 0.8,
        max_seconds: float = 15.0,
        barge_in: bool = True,
        language: str | None = None,
    ) -> Spoken:
        spoken = language or self.language
        async with self._active():
            began = self._book.now()
            if not self._book.ears.understands(spoken):
                # Says what is missing.
                await self._book.ears.recognise(spoken, phrases)
            # The first use of a language may take a second; the caller need not wait for it.
            hearing = Hearing(partial(self._book.ears.recognise, spoken, phrases), self.wake)

            def pressed() -> bool:
                while self._keys and self._keys[0][0] not in keys:
                    self._keys.popleft()
                return bool(self._keys)

            try:
                media = [] if pressed() else await self._render(items, language)
                if barge_in:
                    async with self._stream(self.id, hearing):
                        texts = await self._play(media, lambda: pressed() or hearing.answering)
                        said = await self._understand(hearing, phrases, pressed, first_timeout, pause, max_seconds)
                else:
                    texts = await self._play(media, pressed)
                    async with self._stream(self.id, hearing):
                        said = await self._understand(hearing, phrases, pressed, first_timeout, pause, max_seconds)
            finally:
                hearing.close()
            if said is None and pressed():
                key, at = self._keys.popleft()
                self._decide(at, began)
                return Spoken("", "key", texts, digit=key)
            if said is None:
                observer.current.recognised(spoken, "silence", hearing.seconds, 0.0)
                return Spoken("", "silence", texts)
            words = (phrase_in(said.text, phrases) or "") if phrases else said.text
            observer.current.recognised(spoken, "match" if words else "no_match", said.heard, said.worked)
            self._decided_at = None
            return Spoken(words, "speech", texts, said.confidence)

    async def _understand(
        self,
        hearing: "Hearing",
        phrases: Sequence[str],
        pressed: Callable[[], bool],
        first_timeout: float,
        pause: float,
        max_seconds: float,
    ) -> Words | None:
        """What the caller says from now on; None for a key or silence.

        Time counts from when the line is listened to, and nobody is silent before what they said so far was heard.
        """
        await self._wait(lambda: pressed() or hearing.begun or hearing.failed)
        until = self._book.now() + first_timeout

        def told() -> bool:
            return pressed() or hearing.speech > 0 or hearing.failed

        while True:
            if not await self._begins(told, hearing, until):
                return None
            limit = self._book.now() + max_seconds
            await self._wait(lambda: pressed() or hearing.over(phrases, pause) or hearing.failed, limit)
            if pressed():
                return None
            words = await self._during(hearing.finish())
            if words.text or hearing.length >= _NOISE_MS or self._book.now() >= until:
                return words

    async def _begins(self, told: Callable[[], bool], hearing: "Hearing", until: float) -> bool:
        """Whether an answer begins before that time."""
        if await self._wait(told, until):
            return True
        taken, give_up = hearing.taken, self._book.now() + _BEHIND_SECONDS
        if not await self._wait(lambda: told() or hearing.has_heard(taken), give_up):
            raise SpeechError("asr_failed", f"what the caller said was not heard within {_BEHIND_SECONDS:g} s")
        return told()

    @asynccontextmanager
    async def _stream(self, channel: str, listener: "Listener") -> AsyncIterator[None]:
        """Hear a channel while the block runs. The block need not wait until it begins; a prompt comes first."""
        stream = self._next_id("ear")

        async def begin() -> None:
            try:
                await self._driver.listen(channel, stream, listener.take)
            except DriverError as error:
                listener.fail(error)
            else:
                listener.begin()

        async def end() -> None:
            await asyncio.wait([beginning])
            await self._quietly(partial(self._driver.stop_listening, stream))

        beginning = self._book.spawn(begin())
        try:
            yield
        finally:
            self._book.spawn(end())

    async def detect(self, channel: str | None = None, *, max_seconds: float, wait_for_beep: bool = False) -> Detected:
        async with self._active():
            self._decided_at = None
            leg = self._book.claim(self, channel) if channel is not None else None
            if channel is not None and (leg is None or not leg.up):
                raise DriverError("not_found", f"the leg {channel} is not up")
            ear = self._book.ears.progress(wait_for_beep=wait_for_beep)
            verdict = Verdict(ear, self.wake)
            quiet = None if leg is None else await self._ringback(_listening(leg.channel), max_seconds, ringback=True)
            try:
                async with self._stream(channel or self.id, verdict):
                    until = self._book.now() + max_seconds
                    await self._wait(
                        lambda: verdict.found is not None or verdict.failed or (leg is not None and not leg.up), until
                    )
                    if leg is not None and not leg.up:
                        raise DriverError("not_found", f"the leg {channel} has ended")
                return verdict.result()
            finally:
                verdict.close()
                if quiet is not None and not self.ended:
                    self._book.spawn(self._quietly(quiet))

    # ----------------------------------------------------------------- recording

    async def record(
        self, name: str, *, max_seconds: float, max_silence: float, terminators: str = "#", beep: bool = True
    ) -> Recording:
        async with self._active():
            if name not in self._recording or name in self._recorded:
                finished = await self._command(lambda: self._driver.recording(name))
                if finished is not None:
                    return self._finished_recording(name, finished, max_seconds)
            self._keys.clear()
            self._decided_at = None
            self._recording.add(name)
            stop = True
            try:
                await self._command(
                    lambda: self._driver.record(
                        self.id, name, max_seconds=max_seconds, max_silence=max_silence, beep=beep
                    )
                )
                limit = self._book.now() + max_seconds + _LATE_SECONDS if max_seconds else None
                digit = await self._until_key_or_recorded(name, terminators, limit)
                if name not in self._recorded:
                    stop = False
                    await self._command(lambda: self._driver.stop_recording(name))
                    await self._wait(lambda: name in self._recorded, self._book.now() + _STOP_SECONDS)
                stop = False
                if digit is None:
                    # A caller who leaves ends the recording too; then the hang-up follows and is the true reason.
                    await self._wait(lambda: False, self._book.now() + _GRACE)
            finally:
                if stop and not self.ended:
                    self._book.spawn(self._quietly(partial(self._driver.stop_recording, name)))
            done = self._recorded.get(name)
            path = done.path if done is not None else await self._command(lambda: self._driver.recording(name))
            if path is None or (done is not None and done.failed):
                why = "was not kept by the engine" if done is not None else "did not end in time"
                raise DriverError("recording_failed", f"the recording {name} {why}")
            return self._finished_recording(name, path, max_seconds, digit)

    async def _until_key_or_recorded(self, name: str, terminators: str, limit: float | None) -> str | None:
        """Wait for the end of a recording or a terminator; other keys pressed meanwhile mean nothing."""
        digit: str | None = None

        def over() -> bool:
            nonlocal digit
            while self._keys and digit is None:
                key = self._keys.popleft()[0]
                if key in terminators:
                    digit = key
            return digit is not None or name in self._recorded

        await self._wait(over, limit)
        return digit

    def _finished_recording(self, name: str, path: Path, max_seconds: float, digit: str | None = None) -> Recording:
        done = self._recorded.get(name)
        seconds = done.seconds if done is not None else wav_seconds(path)
        if digit is not None:
            return Recording(path, seconds, "key", digit)
        if max_seconds and seconds >= max_seconds - 0.5:
            return Recording(path, seconds, "limit")
        return Recording(path, seconds, "stopped" if self.ended else "silence")

    async def recorded(self, name: str) -> Recording | None:
        if name in self._recording and name not in self._recorded and self.ended:
            # The hang-up comes first, the finished file a moment later.
            await self._linger(lambda: name in self._recorded, 2.0)
        done = self._recorded.get(name)
        if done is not None:
            return None if done.failed else self._finished_recording(name, done.path, 0)
        path = await self._driver.recording(name)
        return None if path is None else self._finished_recording(name, path, 0)

    async def _linger(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait for a state although the call has ended."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not ready() and loop.time() < until:
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters.add(waiter)
            timer = loop.call_at(until, _release, waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)
                timer.cancel()

    async def listen_to_music(
        self,
        until: "asyncio.Future[Any]",
        *,
        keys: frozenset[str] = frozenset(),
        seconds: float,
        music: str = "default",
    ) -> str | None:
        plays = self.music == music
        if plays:
            # It goes on as it is: no gap, no beginning anew.
            self.music = ""
        async with self._active():
            give_up = self._book.now() + seconds
            until.add_done_callback(lambda _: self.wake())

            def over() -> bool:
                while self._keys and self._keys[0][0] not in keys:
                    self._keys.popleft()
                return bool(self._keys) or until.done()

            try:
                if not plays:
                    await self._command(lambda: self._driver.start_music(self.id, music))
                await self._wait(over, give_up)
            finally:
                self.music = music
            if not self._keys:
                return None
            key, at = self._keys.popleft()
            self._decided_at = at
            return key

    def recording_found(self, tapped: bool, paused: bool) -> None:
        """Whether an earlier process had begun to record the whole call, and had paused that."""
        self._tapped, self._tap_paused = tapped, paused

    async def start_recording(self) -> None:
        """Record the whole call, both sides, from now on; `tap_name` is the name."""
        if not self._tapped:
            await self._command(lambda: self._driver.tap(self.id, self.tap_name))
            self._tapped = True

    async def pause_recording(self, paused: bool) -> None:
        self._check()
        if not self._tapped or self._tap_paused == paused:
            return
        try:
            await self._during(self._driver.pause_recording(self.tap_name, paused))
        except DriverError as error:
            if error.reason != "not_found":
                raise
            self._tapped = False
        self._tap_paused = paused

    # ----------------------------------------------------------------- other parties

    async def dial(
        self,
        channel: str,
        destination: str,
        *,
        caller_id: str,
        ring_seconds: float,
        ringback: bool = True,
        agent: str = "",
    ) -> DialResult:
        if agent:
            self.agents[channel] = agent
        music = "" if ringback else self.music
        if music:
            # It goes on while the phone rings.
            self.music = ""
        async with self._active():
            self._decided_at = None
            leg = self._book.claim(self, channel)
            fresh = leg is None
            if leg is None:
                leg = self._book.new_leg(self, channel, destination)
            rings = not fresh and self.adopted and self.answered and ringback
            if rings:
                # It was begun before the leg was dialled, by a process that is no more, and goes on.
                quiet: Callable[[], Coroutine[Any, Any, None]] | None = partial(
                    self._driver.stop_playing, _ringing(channel)
                )
            elif music:
                quiet = partial(self._driver.stop_music, self.id)
            elif _decided(leg):
                quiet = None
            else:
                quiet = await self._ringback(_ringing(channel), ring_seconds, ringback)
            leave = True
            try:
                if fresh:
                    await self._originate(leg, caller_id, ring_seconds)
                answered = await self._wait(lambda: _decided(leg), self._book.now() + ring_seconds + 2.0)
                if not answered:
                    await self._quietly(partial(self._driver.hang_up, channel, "no_answer"))
                    await self._wait(lambda: leg.ended_at is not None, self._book.now() + _GRACE)
                    leg.ended_at, leg.cause = leg.ended_at or self._book.now(), "no_answer"
                leave = False
            finally:
                if leave and not _decided(leg):
                    self._book.spawn(self._quietly(partial(self._driver.hang_up, channel, "cancelled")))
                if quiet is not None and not self.ended:
                    if music and not leg.up:
                        # They wait on, with the music that they had.
                        self.music = music
                    else:
                        self._book.spawn(self._quietly(quiet))
            return dial_result_of(leg)

    async def leg(self, channel: str) -> Literal["up", "ringing", "gone"]:
        self._check()
        if channel in self._talks or (self.conversation is not None and self.conversation.leg_id == channel):
            # The talk that began with it goes on, perhaps with somebody else by now.
            return "up"
        leg = self._book.claim(self, channel)
        if leg is None or leg.ended_at is not None:
            return "gone"
        return "up" if leg.up else "ringing"

    async def hang_up_leg(self, channel: str) -> None:
        async with self._active():
            leg = self._book.claim(self, channel)
            if leg is not None and leg.ended_at is None:
                await self._quietly(partial(self._driver.hang_up, channel))
                await self._wait(lambda: leg.ended_at is not None, self._book.now() + 2 * _GRACE)

    async def drop_leg(self, channel: str, cause: HangupCause = "normal") -> None:
        """End a leg from outside, whatever the call is doing."""
        if channel == self.id:
            await self.cut(cause)
        elif channel in self.legs:
            await self._quietly(partial(self._driver.hang_up, channel, cause))

    async def _originate(self, leg: Leg, caller_id: str, ring_seconds: float) -> None:
        try:
            await self._during(
                self._driver.originate(
                    leg.channel,
                    leg.destination,
                    caller_id=caller_id,
                    timeout=ring_seconds,
                    variables=told_of(self.id, leg.destination),
                )
            )
        except DriverError as error:
            # An order lost on the way may have been taken: it is never given twice.
            if error.reason in ("lost", "timeout"):
                return
            leg.ended_at, leg.cause = leg.ended_at or self._book.now(), leg.cause or error.reason

    async def _ringback(
        self, playback: str, ring_seconds: float, ringback: bool
    ) -> Callable[[], Coroutine[Any, Any, None]] | None:
        """Let the caller hear that somebody is being called; returns how to stop it."""
        if not ringback:
            await self._command(lambda: self._driver.start_music(self.id))
            return lambda: self._driver.stop_music(self.id)
        if not self.answered:
            await self._command(lambda: self._driver.ring(self.id))
            return None
        times = math.ceil((ring_seconds + 2.0) / RINGBACK_SECONDS)
        await self._command(lambda: self._driver.play(self.id, playback, [self._book.sounds.ringback] * times))
        return lambda: self._driver.stop_playing(playback)

    async def talk(
        self, channel: str, *, release_key: str | None = None, agent: Literal["leg", "call"] = "leg"
    ) -> Talk:
        """As `Call.talk`. `agent` tells which side is the agent's: the call itself when an agent placed it."""
        async with self._active():
            if channel in self._talks:
                # It ended while nobody waited for it.
                return self._talks[channel]
            talk = self.conversation
            if talk is None or talk.leg_id != channel:
                leg = self._book.claim(self, channel)
                if leg is None or not leg.up:
                    return Talk(0.0, "other")
                if not self.answered:
                    await self._command(lambda: self._driver.answer(self.id))
                    self._now_up()
                talk = Conversation(self, leg, release_key=release_key, agent=agent)
                if self.adopted:
                    talk.began_at(max(leg.answered_at or 0.0, self.began))
                    # A tone of a process that is no more would keep the caller from joining.
                    for tone in (_ringing(channel), _listening(channel)):
                        await self._quietly(partial(self._driver.stop_playing, tone))
                self._keys.clear()
            talk.release_key = release_key
            if release_key is None:
                self._drop_keys += 1
            try:
                if self.conversation is not talk:
                    self.conversation = talk
                    await talk.begin()
                return await talk.wait()
            except asyncio.CancelledError:
                if talk.result is not None:
                    self._talks[channel] = talk.result
                raise
            finally:
                if release_key is None:
                    self._drop_keys -= 1

    def talk_over(self, talk: Conversation) -> None:
        """A conversation has ended. What nobody waited for is told to who asks next."""
        if not talk.waiting and talk.result is not None:
            self._talks[talk.leg_id] = talk.result
        if self.conversation is talk:
            self.conversation = None

    async def tidy(self) -> None:
        """End in the engine what the call leaves behind: its other legs and its bridges. Phones that are hung
        up by hand stay."""
        for leg in list(self.legs.values()):
            if leg.ended_at is None and leg.channel not in self.staying:
                await self._quietly(partial(self._driver.hang_up, leg.channel, "normal" if leg.up else "cancelled"))
        for bridge in self._bridges:
            await self._quietly(partial(self._driver.destroy_bridge, bridge))
        for channel in self.staying:
            self.let_stay(self.legs[channel])

    def let_stay(self, leg: Leg) -> None:
        """The phone of somebody who hangs up by hand hears that the talk is over until they do, for a while at most."""
        if leg.ended_at is None and leg.channel not in self._told_over:
            self._told_over.add(leg.channel)
            self._book.spawn(self._stay(leg))

    async def _stay(self, leg: Leg) -> None:
        times = math.ceil(STAY_SECONDS / OVER_SECONDS)
        await self._quietly(
            partial(self._driver.play, leg.channel, f"{leg.channel}-over", [self._book.sounds.over] * times)
        )
        await self._linger(lambda: leg.ended_at is not None, STAY_SECONDS)
        if leg.ended_at is None:
            await self._quietly(partial(self._driver.hang_up, leg.channel))


class Listener:
    """Gives the frames of a line to whoever understands them, some at a time, beside the event loop."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._frames: list[bytes] = []
        self._work: asyncio.Task[None] | None = None
        self._closed = False
        self._still = False
        """Nothing is heard for a moment; what comes waits."""
        self.error: Exception | None = None
        self.begun = False
        """Whether the line is listened to."""
        self.taken = 0
        """Frames of the line so far."""
        self._heard_frames = 0

    @property
    def failed(self) -> bool:
        return self.error is not None

    @property
    def seconds(self) -> float:
        """How much of the line there was."""
        return self.taken * FRAME_SECONDS

    def begin(self) -> None:
        """From now on frames come."""
        self.begun = True
        self._wake()

    def has_heard(self, taken: int) -> bool:
        """Whether all of the first `taken` frames were heard, but for a few that wait for company."""
        return taken - self._heard_frames < FRAMES_AT_ONCE

    def take(self, frame: bytes) -> None:
        """The next 20 ms; never waits."""
        if self._closed or self.failed:
            return
        self._frames.append(frame)
        self.taken += 1
        if not self._still and len(self._frames) >= FRAMES_AT_ONCE and (self._work is None or self._work.done()):
            self._work = asyncio.get_running_loop().create_task(self._give())

    async def _give(self) -> None:
        while len(self._frames) >= FRAMES_AT_ONCE and not (self._still or self._closed or self.failed):
            frames, self._frames = self._frames, []
            try:
                await self.hear(frames)
                self._heard_frames += len(frames)
                self._wake()
            except Exception as error:
                self.fail(error)

    def fail(self, error: Exception) -> None:
        """Nothing more will be heard."""
        self.error = error
        self._wake()

    async def hear(self, frames: list[bytes]) -> None:
        raise NotImplementedError

    async def _settled(self) -> None:
        """Wait until what was taken has been heard; raises what went wrong."""
        if self._work is not None:
            await asyncio.wait([self._work])
        if self.error is not None:
            raise self.error if isinstance(self.error, SpeechError) else SpeechError("asr_failed", str(self.error))

    def close(self) -> None:
        self._closed = True


class Hearing(Listener):
    """A recognition of one answer, as it stands."""

    def __init__(self, begin: Callable[[], Awaitable[Recognition]], wake: Callable[[], None]) -> None:
        super().__init__(wake)
        self._begin = begin
        self._recognition: Recognition | None = None
        self._heard = Heard()
        self.length = 0
        """Milliseconds of speech of the answer that `finish` gave last."""

    async def hear(self, frames: list[bytes]) -> None:
        if self._recognition is None:
            self._recognition = await self._begin()
        self._heard = await self._recognition.hear(frames)

    @property
    def speech(self) -> int:
        """Milliseconds of speech so far."""
        return self._heard.speech

    @property
    def answering(self) -> bool:
        """Whether the caller speaks, rather than coughs."""
        return self.speech >= _ANSWER_MS or (self.speech > 0 and bool(self._heard.partial))

    def over(self, phrases: Sequence[str], pause: float) -> bool:
        """Whether the answer is complete: a pause, a short one after a whole phrase."""
        enough = pause * 1000
        if phrases and any(plain(phrase) == plain(self._heard.partial) for phrase in phrases):
            enough = min(enough, _PHRASE_PAUSE_MS)
        return self._heard.speech > 0 and self._heard.silence >= enough

    async def finish(self) -> Words:
        # A recognition does one thing at a time.
        self._still = True
        try:
            await self._settled()
            self.length = self._heard.speech
            words = await self._recognition.finish() if self._recognition is not None else Words("", 0.0)
        finally:
            self._still = False
        self._heard = Heard()
        return words

    def close(self) -> None:
        super().close()
        if self._recognition is not None:
            self._recognition.close()


class Verdict(Listener):
    """Who or what is at the far end, once it is known."""

    def __init__(self, ear: ProgressEar, wake: Callable[[], None]) -> None:
        super().__init__(wake)
        self._ear = ear
        self.found: Detected | None = None

    async def hear(self, frames: list[bytes]) -> None:
        if self.found is None:
            self.found = await self._ear.hear(frames)

    def result(self) -> Detected:
        if self.error is not None:
            raise SpeechError("hearing_failed", str(self.error))
        return self.found or self._ear.finish()

    def close(self) -> None:
        super().close()
        self._ear.close()


def _never() -> bool:
    return False


def told_of(call_id: str, destination: str) -> dict[str, str]:
    """What a phone of the house is told beside who calls: which call of ours it is."""
    return {"X-Callweave-Call": call_id} if destination.startswith("extension:") else {}


def _decided(leg: Leg) -> bool:
    return leg.answered_at is not None or leg.ended_at is not None


def _begun(media: Sequence[Media], seconds: float) -> list[str]:
    """The texts whose playing had begun after `seconds`."""
    texts: list[str] = []
    begin = 0.0
    for piece in media:
        if begin > seconds:
            break
        texts.append(piece.text)
        begin += piece.seconds
    return texts


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _forget(task: "asyncio.Future[Any]") -> None:
    """Take the result of a task that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


async def _finished(task: "asyncio.Task[None]") -> None:
    await asyncio.wait([task])
