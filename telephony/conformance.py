"""What every telephony driver must do, as plain checks over a driver and people at the far end.

Each driver's tests run all of `CHECKS` with a `Stage` of their own: the simulated driver with scripted people,
the Asterisk driver with real phones. Waits are generous, sounds are short: a check takes a few seconds at most.
"""

# ruff: noqa: PT017, PT018 - these are tests, but without pytest, so that the product can run them too

import asyncio
import secrets
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from telephony.calls import CallBook
from telephony.conversation import Watching
from telephony.driver import (
    Answered,
    BridgeEntered,
    BridgeLeft,
    Digit,
    Driver,
    Event,
    Hangup,
    HangupCause,
    Incoming,
    PlaybackFinished,
    RecordingFinished,
    Ringing,
    TalkingStarted,
    TalkingStopped,
)
from telephony.errors import DriverError, HungUp
from telephony.live_call import LiveCall
from telephony.prompts import Audio, Item, Media
from telephony.sounds import Sounds

E = TypeVar("E")

Behaviour = Literal["answers", "busy", "rejects", "rings"]


class FarCall(Protocol):
    """The far end of one call."""

    async def press(self, digits: str) -> None: ...

    async def speak(self, seconds: float) -> None: ...

    async def hang_up(self) -> None: ...

    async def ended(self) -> int:
        """Wait for the end; the final SIP code, 0 or 200 after a normal one."""
        ...


class FarEnd(Protocol):
    """People outside."""

    async def call(self, number: str) -> FarCall:
        """Somebody calls us."""
        ...

    async def destination(self, behaviour: Behaviour) -> str:
        """Where somebody behaves like that when called."""
        ...

    async def picked_up(self) -> FarCall:
        """The call that the one who answers took last."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """A driver with people around it. `sound` gives a file of so many seconds."""

    driver: Driver
    far: FarEnd
    sound: Callable[[float], Path]
    patience: float = 8.0


class Witness:
    """Sees every event of a driver."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.events: list[Event] = []
        self._changed = asyncio.Event()
        self._stop = stage.driver.subscribe(self._see)

    def _see(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    def of(self, kind: type[E], **fields: Any) -> list[E]:
        """Events of a kind seen so far."""
        return [
            event
            for event in self.events
            if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())
        ]

    async def wait(self, kind: type[E], count: int = 1, **fields: Any) -> E:
        """Wait for an event; with `count` for that many of them, and the last is returned."""
        try:
            async with asyncio.timeout(self.stage.patience):
                while len(found := self.of(kind, **fields)) < count:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"no {kind.__name__} {fields} among {self.events}") from None
        return found[count - 1]

    async def incoming(self, number: str = "100") -> tuple[str, FarCall]:
        """Somebody calls and is answered: our channel and their end."""
        seen = len(self.of(Incoming))
        far = await self.stage.far.call(number)
        event = await self.wait(Incoming, seen + 1)
        await self.stage.driver.answer(event.channel)
        return event.channel, far

    def close(self) -> None:
        self._stop()


def _name(kind: str) -> str:
    return f"{kind}-{secrets.token_hex(4)}"


async def _refused(command: Awaitable[object], reason: str = "not_found") -> None:
    try:
        await command
    except DriverError as error:
        assert error.reason == reason, f"{error.reason} instead of {reason}"
    else:
        raise AssertionError(f"no {reason}")


# --------------------------------------------------------------------------- checks


async def incoming_call_is_answered_and_hung_up(stage: Stage, witness: Witness) -> None:
    driver = stage.driver
    far = await stage.far.call("100")
    event = await witness.wait(Incoming)
    assert event.called == "100" and event.caller
    assert not (await driver.snapshot()).channels[event.channel].up
    await driver.ring(event.channel)
    await driver.answer(event.channel)
    await driver.answer(event.channel)
    assert (await driver.snapshot()).channels[event.channel].up
    await driver.hang_up(event.channel)
    await driver.hang_up(event.channel)
    assert (await witness.wait(Hangup, channel=event.channel)).cause == "normal"
    await far.ended()
    assert event.channel not in (await driver.snapshot()).channels
    await _refused(driver.answer(event.channel))
    await asyncio.sleep(0.3)
    assert len(witness.of(Hangup, channel=event.channel)) == 1 and len(witness.of(Incoming)) == 1


async def refused_calls_carry_their_code(stage: Stage, witness: Witness) -> None:
    causes: Sequence[tuple[HangupCause, int]] = (("busy", 486), ("rejected", 603), ("unknown_number", 404))
    for count, (cause, code) in enumerate(causes, 1):
        far = await stage.far.call("100")
        event = await witness.wait(Incoming, count)
        await stage.driver.reject(event.channel, cause)
        assert await far.ended() == code
        await witness.wait(Hangup, channel=event.channel)


async def far_end_hangs_up(stage: Stage, witness: Witness) -> None:
    channel, far = await witness.incoming()
    await far.hang_up()
    assert (await witness.wait(Hangup, channel=channel)).cause == "normal"
    await _refused(stage.driver.play(channel, _name("p"), [stage.sound(0.2)]))
    await _refused(stage.driver.record(channel, _name("r")))


async def files_play_one_after_the_other_once(stage: Stage, witness: Witness) -> None:
    channel, _ = await witness.incoming()
    playback, files = _name("p"), [stage.sound(0.4), stage.sound(0.5)]
    began = asyncio.get_running_loop().time()
    await stage.driver.play(channel, playback, files)
    await stage.driver.play(channel, playback, files)
    done = await witness.wait(PlaybackFinished, playback=playback)
    assert not done.failed and done.channel == channel
    assert 0.8 <= asyncio.get_running_loop().time() - began < 2.0
    await stage.driver.play(channel, playback, files)
    await asyncio.sleep(0.3)
    assert len(witness.of(PlaybackFinished)) == 1


async def playing_stops_at_once(stage: Stage, witness: Witness) -> None:
    channel, _ = await witness.incoming()
    playback = _name("p")
    await stage.driver.play(channel, playback, [stage.sound(5.0), stage.sound(5.0)])
    await asyncio.sleep(0.3)
    assert await stage.driver.plays(playback)
    began = asyncio.get_running_loop().time()
    await stage.driver.stop_playing(playback)
    await stage.driver.stop_playing(playback)
    assert not (await witness.wait(PlaybackFinished, playback=playback)).failed
    assert asyncio.get_running_loop().time() - began < 0.5
    assert not await stage.driver.plays(playback)
    await stage.driver.stop_playing(_name("never-was"))


async def a_missing_file_is_told(stage: Stage, witness: Witness) -> None:
    channel, _ = await witness.incoming()
    playback = _name("p")
    await stage.driver.play(channel, playback, [Path("/nowhere/nothing.wav")])
    assert (await witness.wait(PlaybackFinished, playback=playback)).failed


async def keys_come_in_order(stage: Stage, witness: Witness) -> None:
    channel, far = await witness.incoming()
    await far.press("1*90#")
    await witness.wait(Digit, 5, channel=channel)
    await asyncio.sleep(0.3)
    assert "".join(event.digit for event in witness.of(Digit)) == "1*90#"


async def recordings_end_by_limit_silence_and_order(stage: Stage, witness: Witness) -> None:
    driver = stage.driver
    channel, far = await witness.incoming()
    limit, quiet, ordered = _name("limit"), _name("quiet"), _name("ordered")
    assert await driver.recording(limit) is None
    await driver.record(channel, limit, max_seconds=1)
    await driver.record(channel, limit, max_seconds=1)
    done = await witness.wait(RecordingFinished, name=limit)
    assert 0.5 < done.seconds < 2.5, f"ended by the limit of 1 s after {done.seconds} s"
    assert not done.failed and done.channel == channel
    assert await driver.recording(limit) == done.path
    await driver.record(channel, quiet, max_silence=2, max_seconds=20)
    speaking = asyncio.create_task(far.speak(1.0))
    done = await witness.wait(RecordingFinished, name=quiet)
    await speaking
    # An engine may cut the silence off at the end.
    assert 0.7 < done.seconds < 10, f"ended by silence after {done.seconds} s"
    await driver.record(channel, ordered)
    assert await driver.recording(ordered) is None
    await asyncio.sleep(0.6)
    await driver.stop_recording(ordered)
    done = await witness.wait(RecordingFinished, name=ordered)
    assert 0.3 < done.seconds < 6
    await driver.stop_recording(ordered)
    assert len(witness.of(RecordingFinished)) == 3


async def a_recording_survives_the_hang_up(stage: Stage, witness: Witness) -> None:
    channel, far = await witness.incoming()
    name, tap = _name("take"), _name("tap")
    await stage.driver.record(channel, name, max_seconds=60, beep=True)
    await stage.driver.tap(channel, tap)
    await far.speak(1.0)
    await stage.driver.pause_recording(tap, True)
    snapshot = await stage.driver.snapshot()
    assert snapshot.taps == snapshot.paused == {tap}
    await stage.driver.pause_recording(tap, False)
    assert (await stage.driver.snapshot()).paused == set()
    await far.hang_up()
    await witness.wait(Hangup, channel=channel)
    done = await witness.wait(RecordingFinished, name=name)
    assert done.seconds > 0.7 and await stage.driver.recording(name) == done.path
    await witness.wait(RecordingFinished, name=tap)


async def a_dialled_party_answers(stage: Stage, witness: Witness) -> None:
    driver, leg = stage.driver, _name("leg")
    destination = await stage.far.destination("answers")
    await driver.originate(leg, destination, caller_id="100", timeout=10)
    await driver.originate(leg, destination, caller_id="100", timeout=10)
    await witness.wait(Answered, channel=leg)
    assert witness.of(Ringing, channel=leg)
    far = await stage.far.picked_up()
    await driver.send_digits(leg, "1")
    await far.press("5")
    await witness.wait(Digit, channel=leg, digit="5")
    await far.hang_up()
    assert (await witness.wait(Hangup, channel=leg)).cause == "normal"
    await driver.originate(leg, destination, caller_id="100", timeout=10)
    await asyncio.sleep(0.5)
    assert len(witness.of(Answered)) == 1 and leg not in (await driver.snapshot()).channels


async def dialled_parties_refuse_or_do_not_answer(stage: Stage, witness: Witness) -> None:
    cases: Sequence[tuple[Behaviour, str, int | None]] = (
        ("busy", "busy", 486),
        ("rejects", "rejected", 603),
        ("rings", "no_answer", None),
    )
    for behaviour, cause, code in cases:
        leg = _name(behaviour)
        await stage.driver.originate(leg, await stage.far.destination(behaviour), caller_id="100", timeout=2)
        end = await witness.wait(Hangup, channel=leg)
        assert end.cause == cause, f"{behaviour}: {end}"
        assert code is None or end.sip_code == code, f"{behaviour}: {end}"
    assert not witness.of(Answered)


async def bridges_join_and_part(stage: Stage, witness: Witness) -> None:
    driver, leg, bridge = stage.driver, _name("leg"), _name("bridge")
    channel, _ = await witness.incoming()
    await driver.originate(leg, await stage.far.destination("answers"), caller_id="100", timeout=10)
    await witness.wait(Answered, channel=leg)
    await driver.create_bridge(bridge)
    await driver.create_bridge(bridge)
    for member in (channel, leg, leg):
        await driver.add_to_bridge(bridge, member)
    for member in (channel, leg):
        await witness.wait(BridgeEntered, bridge=bridge, channel=member)
    assert (await driver.snapshot()).bridges[bridge] == {channel, leg}
    await driver.remove_from_bridge(bridge, leg)
    await witness.wait(BridgeLeft, bridge=bridge, channel=leg)
    await driver.destroy_bridge(bridge)
    await witness.wait(BridgeLeft, bridge=bridge, channel=channel)
    await driver.destroy_bridge(bridge)
    assert bridge not in (await driver.snapshot()).bridges
    assert {channel, leg} <= set((await driver.snapshot()).channels)
    await driver.hang_up(leg)
    await witness.wait(Hangup, channel=leg)
    await _refused(driver.add_to_bridge(bridge, leg))


async def music_hold_and_mute_switch_on_and_off(stage: Stage, witness: Witness) -> None:
    channel, _ = await witness.incoming()
    for on in (True, True, False, False):
        await stage.driver.hold(channel, on)
        await stage.driver.mute(channel, on)
        await (stage.driver.start_music(channel) if on else stage.driver.stop_music(channel))
    await stage.driver.play(channel, _name("p"), [stage.sound(0.2)])
    await witness.wait(PlaybackFinished, failed=False)


async def talking_is_noticed(stage: Stage, witness: Witness) -> None:
    channel, far = await witness.incoming()
    await stage.driver.detect_talking(channel, True)
    await asyncio.sleep(0.2)
    await far.speak(1.5)
    await witness.wait(TalkingStarted, channel=channel)
    assert (await witness.wait(TalkingStopped, channel=channel)).seconds > 0


async def sound_is_heard_while_we_speak(stage: Stage, witness: Witness) -> None:
    """Frames of 20 ms, loud while the far end speaks, without what we play; none after the end."""
    driver, channel = stage.driver, ""
    frames: list[bytes] = []
    channel, far = await witness.incoming()
    stream = _name("ear")
    await driver.listen(channel, stream, frames.append)
    await driver.listen(channel, stream, frames.append)
    await driver.play(channel, _name("p"), [stage.sound(5.0)])
    clock = asyncio.get_running_loop()
    began = clock.time()
    await asyncio.sleep(1.0)
    quiet = len(frames)
    # Bounds for a machine that is busy with other things: some come late.
    assert 10 < quiet < 50 * (clock.time() - began) + 15, f"{quiet} frames in a second"
    assert {len(frame) for frame in frames} == {320}
    assert not any(map(_loud, frames[:quiet])), "what we play is not heard"
    await far.speak(1.0)
    await asyncio.sleep(0.3)
    spoken = sum(map(_loud, frames[quiet:]))
    assert 10 < spoken < 75, f"{spoken} loud frames of a second's speech"
    await driver.stop_listening(stream)
    await driver.stop_listening(stream)
    await asyncio.sleep(0.2)
    after = len(frames)
    await asyncio.sleep(0.3)
    assert len(frames) == after, "it goes on after the end"
    assert all(members == set() for members in (await driver.snapshot()).bridges.values())
    await driver.listen(channel, _name("ear"), frames.append)
    await far.hang_up()
    await witness.wait(Hangup, channel=channel)
    assert (await driver.snapshot()).channels == {}
    await _refused(driver.listen(channel, _name("ear"), frames.append))


def _loud(frame: bytes) -> bool:
    return any(abs(sample) > 1000 for sample in struct.unpack(f"<{len(frame) // 2}h", frame))


async def what_never_was_is_not_found(stage: Stage, witness: Witness) -> None:
    driver, channel = stage.driver, _name("nobody")
    await _refused(driver.answer(channel))
    await _refused(driver.play(channel, _name("p"), [stage.sound(0.2)]))
    await _refused(driver.record(channel, _name("r")))
    await _refused(driver.start_music(channel))
    assert await driver.recording(_name("r")) is None
    assert witness.events == []


class _Files:
    """A renderer for items that are files already."""

    async def render(self, items: Sequence[Item], language: str) -> list[Media]:
        return [Media(item.path, item.path.stem, 5.0) for item in items if isinstance(item, Audio)]


async def a_call_works_over_the_port(stage: Stage, witness: Witness) -> None:
    """Saying, keys ahead, recording, dialling, talking and the hang-up, through `LiveCall`."""
    came: asyncio.Queue[LiveCall] = asyncio.Queue()
    book = CallBook(stage.driver, _Files(), sounds=Sounds(stage.sound(0.2).parent / "made"))

    async def incoming(call: LiveCall, event: Incoming) -> None:
        came.put_nowait(call)

    book.on_incoming = incoming
    book.start()
    try:
        far = await stage.far.call("100")
        call = await asyncio.wait_for(came.get(), stage.patience)
        await call.answer()
        pressing = asyncio.create_task(_press_later(far, 0.4, "7123#"))
        said = await call.say([Audio(stage.sound(5.0))], barge_in=frozenset("7"))
        assert said.digit == "7"
        keys = await call.collect([Audio(stage.sound(5.0))], maximum=8, first_timeout=3, digit_timeout=2)
        assert (keys.digits, keys.ended_by) == ("123", "terminator")
        await pressing
        pressing = asyncio.create_task(_press_later(far, 1.0, "#"))
        recording = await call.record(_name("take"), max_seconds=20, max_silence=0)
        assert recording.digit == "#" and recording.seconds > 0.5
        await pressing
        busy = await call.dial(_name("leg"), await stage.far.destination("busy"), caller_id="100", ring_seconds=5)
        assert busy.result == "busy"
        leg = _name("leg")
        answered = await call.dial(leg, await stage.far.destination("answers"), caller_id="100", ring_seconds=8)
        assert answered.result == "answered"
        talking = asyncio.create_task(call.talk(leg, release_key="*"))
        await witness.wait(BridgeEntered, channel=leg)
        await far.press("*")
        assert (await talking).ended_by == "key"
        await witness.wait(Hangup, channel=leg)
        waiting = asyncio.create_task(call.collect([], maximum=1, first_timeout=30, digit_timeout=1))
        await asyncio.sleep(0.1)
        await far.hang_up()
        try:
            await asyncio.wait_for(waiting, stage.patience)
        except HungUp as end:
            assert end.cause == "normal"
        else:
            raise AssertionError("the wait went on after the hang-up")
    finally:
        await book.stop()


async def a_talk_is_held_joined_watched_and_handed_on(stage: Stage, witness: Witness) -> None:
    """Every mode of a conversation puts its channels into the bridges where they belong."""
    came: asyncio.Queue[LiveCall] = asyncio.Queue()
    book = CallBook(stage.driver, _Files(), sounds=Sounds(stage.sound(0.2).parent / "made"))

    async def incoming(call: LiveCall, event: Incoming) -> None:
        came.put_nowait(call)

    book.on_incoming = incoming
    book.start()
    await asyncio.to_thread(book.sounds.prepare)
    answers = await stage.far.destination("answers")

    async def together(*expected: str) -> None:
        """Wait until exactly these are in the talk."""
        found: frozenset[str] = frozenset()
        for _ in range(int(stage.patience * 10)):
            found = (await stage.driver.snapshot()).bridges.get(bridge, frozenset())
            if found == set(expected):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{sorted(found)} talk instead of {sorted(expected)}")

    async def nothing_joined() -> None:
        bridges: Mapping[str, frozenset[str]] = {}
        for _ in range(int(stage.patience * 10)):
            if not (bridges := (await stage.driver.snapshot()).bridges):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"still joined: {bridges}")

    try:
        far = await stage.far.call("100")
        call = await asyncio.wait_for(came.get(), stage.patience)
        await call.answer()
        leg, customer = f"{call.id}-leg", call.id
        bridge = f"{call.id}-talk-{leg}"
        assert (await call.dial(leg, answers, caller_id="100", ring_seconds=8)).result == "answered"
        talking = asyncio.create_task(call.talk(leg))
        await together(customer, leg)
        talk = call.conversation
        assert talk is not None
        await talk.hold("o1")
        await together(leg)
        await talk.resume("o2")
        await together(customer, leg)
        await talk.mute(True)
        await talk.mute(False)
        await talk.keys("1", op="o3")
        await talk.record("on")
        await talk.record("paused")
        await talk.record("on")
        third = f"{call.id}-third-o4"
        await talk.consult("o4", answers, caller_id="100")
        await together(leg, third)
        await talk.swap("customer", "o5")
        await together(customer, leg)
        await talk.swap("third", "o6")
        await together(leg, third)
        await talk.join("o7")
        await together(customer, leg, third)
        watcher = await talk.watch("o8", answers, "listen", caller_id="100")
        await witness.wait(Answered, channel=watcher)
        modes: Sequence[Watching] = ("listen", "whisper", "listen")
        for mode in modes:
            await talk.change_watch(watcher, mode)
            await together(customer, leg, third)
        await talk.change_watch(watcher, "barge")
        await together(customer, leg, third, watcher)
        await talk.stop_watch(watcher)
        await together(customer, leg, third)
        await talk.complete("o9")
        await together(customer, third)
        await witness.wait(Hangup, channel=leg)
        assert not talking.done()
        watcher = await talk.watch("o11", answers, "barge", caller_id="100")
        await together(customer, third, watcher)
        await talk.take_over(watcher, "o12")
        await together(customer, watcher)
        await talk.release("o13")
        assert (await talking).ended_by == "other"
        assert not call.ended
        await nothing_joined()
        await far.hang_up()
        await witness.wait(Hangup, channel=customer)
    finally:
        await book.stop()


async def _press_later(far: FarCall, seconds: float, digits: str) -> None:
    await asyncio.sleep(seconds)
    await far.press(digits)


Check = Callable[[Stage, Witness], Awaitable[None]]

CHECKS: tuple[Check, ...] = (
    incoming_call_is_answered_and_hung_up,
    refused_calls_carry_their_code,
    far_end_hangs_up,
    files_play_one_after_the_other_once,
    playing_stops_at_once,
    a_missing_file_is_told,
    keys_come_in_order,
    recordings_end_by_limit_silence_and_order,
    a_recording_survives_the_hang_up,
    a_dialled_party_answers,
    dialled_parties_refuse_or_do_not_answer,
    bridges_join_and_part,
    music_hold_and_mute_switch_on_and_off,
    talking_is_noticed,
    sound_is_heard_while_we_speak,
    what_never_was_is_not_found,
    a_call_works_over_the_port,
    a_talk_is_held_joined_watched_and_handed_on,
)


async def run(check: Check, stage: Stage) -> None:
    """Run one check with a fresh witness."""
    witness = Witness(stage)
    try:
        await check(stage, witness)
    finally:
        witness.close()
