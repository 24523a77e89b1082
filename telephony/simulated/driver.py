"""A telephony engine in memory: calls, sound and time without a single packet.

Time is the running event loop's clock and nothing else, so under a virtual-clock loop an hour passes at once.
"""

import asyncio
import itertools
import math
import struct
import wave
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from telephony.driver import (
    Answered,
    BridgeEntered,
    BridgeLeft,
    ChannelState,
    ConnectionLost,
    ConnectionRestored,
    Digit,
    Event,
    EventHandler,
    FrameHandler,
    Hangup,
    HangupCause,
    Incoming,
    PlaybackFinished,
    RecordingFinished,
    Ringing,
    Snapshot,
    SoundResumed,
    SoundStopped,
    TalkingStarted,
    TalkingStopped,
    TransferRequested,
)
from telephony.errors import DriverError
from telephony.hearing import FRAME_SECONDS
from telephony.prompts import Media
from telephony.simulated.person import Callee, Heard, HeardKind, Line, Person
from telephony.simulated.renderer import SimulatedRenderer

SIP_CODES: Mapping[str, int] = {
    "busy": 486,
    "rejected": 603,
    "unknown_number": 404,
    "unavailable": 480,
    "congestion": 503,
    "cancelled": 487,
}
_BEEP_SECONDS = 0.25
_LOUD = struct.pack("<160h", *(round(6000 * math.sin(2 * math.pi * 440 * i / 8000)) for i in range(160)))
_QUIET = bytes(320)


class SpokenFrame(bytes):
    """20 ms of a tone that stands for speech, with the words that it stands for."""

    words: str

    @classmethod
    def of(cls, words: str) -> "SpokenFrame":
        frame = cls(_LOUD)
        frame.words = words
        return frame


@dataclass(slots=True)
class _Playback:
    id: str
    target: str
    media: list[Media]
    failed: bool = False
    timer: asyncio.TimerHandle | None = None
    pieces: list[tuple["Line", Heard]] = field(default_factory=list)


@dataclass(slots=True)
class _Recorder:
    name: str
    target: str
    began: float
    max_silence: float = 0.0
    limit: asyncio.TimerHandle | None = None
    quiet: asyncio.TimerHandle | None = None
    speech: list[tuple[float, float]] = field(default_factory=list)
    speaking_since: float | None = None
    paused_at: float | None = None
    paused: float = 0.0
    path: Path | None = None
    taps: bool = False


@dataclass(slots=True, eq=False)
class _Channel:
    id: str
    caller: str
    called: str
    line: Line
    began: float
    outgoing: bool = False
    up: bool = False
    bridge: str | None = None
    music: list[Heard] = field(default_factory=list)
    talking: bool = False
    talking_since: float | None = None
    words: str = ""
    held: bool = False
    muted: bool = False
    listens_to: str | None = None
    spy: str = "none"
    whisper: str = "none"
    timers: list[asyncio.TimerHandle] = field(default_factory=list)


@dataclass(slots=True)
class _Stream:
    channel: str
    handler: FrameHandler
    next: float
    timer: asyncio.TimerHandle | None = None


class SimulatedDriver:
    """The whole `telephony.driver.Driver` port over scripted people.

    - `call_in` makes somebody call; `callees` says how dialled destinations behave (an unknown one is 404).
    - `lines` and `log` tell afterwards what everybody heard, with times; `commands` what the driver was told.
    - `fail` makes a command fail, `lose_connection` and `restore_connection` take the engine away and back.
    - With `folder` finished recordings are real WAV files (speech is a tone), else names only.
    - `latency` is the time a command takes.
    """

    def __init__(
        self,
        renderer: SimulatedRenderer | None = None,
        *,
        callees: Mapping[str, Callee] | None = None,
        folder: Path | None = None,
        latency: float = 0.0,
    ) -> None:
        self.renderer = renderer or SimulatedRenderer()
        self.callees: dict[str, Callee] = dict(callees or {})
        self.folder = folder
        self.latency = latency
        self.lines: dict[str, Line] = {}
        self.commands: list[tuple[float, str, tuple[Any, ...]]] = []
        self.sent_digits: list[tuple[str, str]] = []
        self.transfers: list[tuple[str, str]] = []
        self.dialled: list[tuple[str, str, str]] = []
        self.connected = True

        self._handlers: list[EventHandler] = []
        self._events: deque[Event] = deque()
        self._channels: dict[str, _Channel] = {}
        self._bridges: dict[str, list[str]] = {}
        self._queues: dict[str, deque[_Playback]] = {}
        self._playbacks: dict[str, _Playback] = {}
        self._recorders: dict[str, _Recorder] = {}
        self._known: set[str] = set()
        self._streams: dict[str, _Stream] = {}
        self._faults: dict[str, deque[DriverError]] = {}
        self._numbers = itertools.count(1)
        self._scripts: set[asyncio.Task[None]] = set()

    # ----------------------------------------------------------------- the world outside

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def call_in(
        self,
        person: Person | None = None,
        *,
        caller: str = "13800000001",
        called: str = "100",
        channel: str | None = None,
        trunk: str = "",
        anonymous: bool = False,
    ) -> Line:
        """Somebody calls us."""
        name = channel or f"sim{next(self._numbers)}"
        made = self._new_channel(name, caller, called)
        self._emit(Incoming(name, caller, called, trunk=trunk, anonymous=anonymous, sip_call_id=f"{name}@simulated"))
        self._act(made.line, person)
        return made.line

    @property
    def log(self) -> list[tuple[float, str, str]]:
        """Everything that everybody heard: time, channel, words."""
        all_heard = [(one.at, line.channel, one.text) for line in self.lines.values() for one in line.heard]
        return sorted(all_heard, key=lambda entry: entry[0])

    def key(self, channel: str, digit: str) -> None:
        """A person presses a key."""
        if channel in self._channels:
            self._emit(Digit(channel, digit))

    def speech(self, channel: str, on: bool, text: str = "…") -> None:
        """A person begins or stops talking."""
        one = self._channels.get(channel)
        if one is None or (one.talking_since is not None) == on:
            return
        now = self.now()
        if on:
            one.talking_since, one.words = now, text
            if one.talking:
                self._emit(TalkingStarted(channel))
        else:
            began, one.talking_since = one.talking_since or now, None
            if one.talking:
                self._emit(TalkingStopped(channel, now - began))
        for recorder in self._recorders_of(channel):
            self._hear_speech(recorder, on)
        for listener in self._listeners(one):
            if on:
                self._begin(listener.line, text, "speech")
            else:
                self._end_heard(listener.line, "speech", text)

    def wish_transfer(self, channel: str, target: str) -> None:
        """A person presses the transfer button of their phone."""
        if channel in self._channels:
            self._emit(TransferRequested(channel, target))

    def sending(self, channel: str, on: bool) -> None:
        """A browser phone stops sending sound, or sends again."""
        if channel in self._channels:
            self._emit(SoundResumed(channel) if on else SoundStopped(channel))

    def leave(self, channel: str, cause: HangupCause = "normal") -> None:
        """A person hangs up."""
        self._gone(channel, cause)

    def fail(self, command: str, error: DriverError, times: int = 1) -> None:
        """Let the next `times` commands of that name fail."""
        self._faults.setdefault(command, deque()).extend([error] * times)

    def lose_connection(self) -> None:
        """The engine cannot be reached; calls go on, their events are lost."""
        if self.connected:
            self._emit(ConnectionLost())
            self.connected = False

    def restore_connection(self, *, restarted: bool = False) -> None:
        """The engine is back; after a restart of it every call is gone."""
        if restarted:
            for channel in list(self._channels):
                self._gone(channel, "engine_lost", told=False)
        self.connected = True
        self._emit(ConnectionRestored(frozenset(self._channels), restarted))

    async def close(self) -> None:
        """End all scripts and calls."""
        for channel in list(self._channels):
            self._gone(channel, "normal", told=False)
        scripts = list(self._scripts)
        for script in scripts:
            script.cancel()
        await asyncio.gather(*scripts, return_exceptions=True)

    # ----------------------------------------------------------------- events

    def subscribe(self, handler: EventHandler) -> Callable[[], None]:
        self._handlers.append(handler)

        def stop() -> None:
            if handler in self._handlers:
                self._handlers.remove(handler)

        return stop

    def _emit(self, event: Event) -> None:
        if not self.connected and not isinstance(event, ConnectionRestored):
            return
        if not self._events:
            asyncio.get_running_loop().call_soon(self._drain)
        self._events.append(event)

    def _drain(self) -> None:
        while self._events:
            event = self._events[0]
            for handler in list(self._handlers):
                handler(event)
            self._events.popleft()

    # ----------------------------------------------------------------- commands: signalling

    async def answer(self, channel: str) -> None:
        await self._command("answer", channel)
        one = self._channel(channel)
        if not one.up:
            self._up(one)

    async def ring(self, channel: str) -> None:
        await self._command("ring", channel)
        one = self._channel(channel)
        if not any(heard.kind == "ringback" and heard.until is None for heard in one.line.heard):
            self._begin(one.line, "♪ ringback", "ringback")

    async def reject(self, channel: str, cause: HangupCause = "rejected") -> None:
        await self._command("reject", channel, cause)
        if channel in self._channels:
            self._gone(channel, cause, SIP_CODES.get(cause, 603))

    async def hang_up(self, channel: str, cause: HangupCause = "normal") -> None:
        await self._command("hang_up", channel, cause)
        one = self._channels.get(channel)
        if one is None:
            if channel in self._known:
                return
            raise DriverError("not_found", f"no channel {channel}")
        self._gone(channel, cause, 487 if one.outgoing and not one.up else 0)

    async def transfer(self, channel: str, target: str) -> None:
        await self._command("transfer", channel, target)
        self._channel(channel)
        self.transfers.append((channel, target))
        self._gone(channel, "normal")

    async def send_digits(self, channel: str, digits: str) -> None:
        await self._command("send_digits", channel, digits)
        self._channel(channel)
        self.sent_digits.append((channel, digits))

    async def originate(
        self,
        channel: str,
        destination: str,
        *,
        caller_id: str,
        timeout: float,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        await self._command("originate", channel, destination)
        if channel in self._known:
            return
        self.dialled.append((channel, destination, caller_id))
        one = self._new_channel(channel, caller_id, destination, outgoing=True)
        callee = self.callees.get(destination, Callee("unknown_number", after=0.0, rings_after=0.0))
        loop = asyncio.get_running_loop()
        if callee.result in ("answered", "busy", "rejected", "no_answer"):
            one.timers.append(loop.call_later(callee.rings_after, self._emit_if_up, Ringing(channel)))
        if callee.result != "no_answer":
            one.timers.append(loop.call_later(callee.rings_after + callee.after, self._picks_up, channel, callee))
        one.timers.append(loop.call_later(timeout, self._rings_out, channel))

    def ringing(self) -> list[str]:
        """Outgoing channels that nobody has answered yet."""
        return [one.id for one in self._channels.values() if one.outgoing and not one.up]

    def decide(self, channel: str, callee: Callee) -> None:
        """The party of a ringing channel does this now, whatever it was to do."""
        self._picks_up(channel, callee)

    def _emit_if_up(self, event: Ringing) -> None:
        if event.channel in self._channels:
            self._emit(event)

    def _picks_up(self, channel: str, callee: Callee) -> None:
        one = self._channels.get(channel)
        if one is None or one.up:
            return
        if callee.result == "answered":
            self._up(one)
            self._emit(Answered(channel))
            self._act(one.line, callee.person)
        else:
            self._gone(channel, callee.result, SIP_CODES.get(callee.result, 0))

    def _rings_out(self, channel: str) -> None:
        one = self._channels.get(channel)
        if one is not None and not one.up:
            self._gone(channel, "no_answer")

    # ----------------------------------------------------------------- commands: sound

    async def play(self, target: str, playback: str, files: Sequence[Path]) -> None:
        await self._command("play", target, playback)
        self._target(target)
        if playback in self._playbacks:
            return
        known = [self.renderer.media_of(path) for path in files]
        media = [one for one in known if one is not None]
        work = _Playback(playback, target, media, failed=len(media) < len(known))
        self._playbacks[playback] = work
        queue = self._queues.setdefault(target, deque())
        queue.append(work)
        if len(queue) == 1:
            self._play_on(work, 0)

    def _play_on(self, work: _Playback, index: int) -> None:
        now = self.now()
        for _, heard in work.pieces:
            heard.until, heard.whole = now, True
        listeners = [line for line, _ in work.pieces]
        work.pieces.clear()
        for line in listeners:
            line.changed()
        if index >= len(work.media):
            self._playback_over(work)
            return
        piece = work.media[index]
        kind: HeardKind = "comfort" if piece.path.stem == "comfort" else "prompt"
        if piece.path.stem == "ringback":
            kind = "ringback"
        for one in self._audience(work.target):
            work.pieces.append((one.line, self._begin(one.line, piece.text, kind)))
        work.timer = asyncio.get_running_loop().call_later(piece.seconds, self._play_on, work, index + 1)

    def _playback_over(self, work: _Playback, told: bool = True) -> None:
        if work.timer is not None:
            work.timer.cancel()
        now = self.now()
        for line, heard in work.pieces:
            heard.until = now
            line.changed()
        work.pieces.clear()
        self._playbacks.pop(work.id, None)
        queue = self._queues.get(work.target)
        first = bool(queue) and queue is not None and queue[0] is work
        if queue is not None and work in queue:
            queue.remove(work)
        if told:
            channel = work.target if work.target in self._channels else ""
            self._emit(PlaybackFinished(channel, work.id, failed=work.failed))
        if first and queue:
            self._play_on(queue[0], 0)

    async def stop_playing(self, playback: str) -> None:
        await self._command("stop_playing", playback)
        work = self._playbacks.get(playback)
        if work is not None:
            self._playback_over(work)

    async def plays(self, playback: str) -> bool:
        await self._command("plays", playback)
        return playback in self._playbacks

    async def start_music(self, channel: str, music: str = "default") -> None:
        await self._command("start_music", channel, music)
        one = self._channel(channel)
        if not one.music:
            one.music.append(self._begin(one.line, f"♪ {music}", "music"))

    async def stop_music(self, channel: str) -> None:
        await self._command("stop_music", channel)
        self._stop_music(self._channel(channel))

    def _stop_music(self, one: _Channel) -> None:
        for heard in one.music:
            heard.until = self.now()
        one.music.clear()

    # ----------------------------------------------------------------- commands: recording

    async def record(
        self,
        target: str,
        name: str,
        *,
        max_seconds: float = 0,
        max_silence: float = 0,
        beep: bool = False,
        terminators: str = "",
    ) -> None:
        await self._command("record", target, name)
        self._target(target)
        if name in self._recorders:
            return
        recorder = self._start_recorder(target, name)
        if beep:
            for one in self._audience(target):
                heard = self._begin(one.line, "♪ beep", "beep")
                heard.until, heard.whole = self.now() + _BEEP_SECONDS, True
        recorder.max_silence = max_silence
        if max_seconds:
            recorder.limit = asyncio.get_running_loop().call_later(max_seconds, self._recorder_over, recorder)
        self._watch_silence(recorder)

    async def tap(self, channel: str, name: str) -> None:
        await self._command("tap", channel, name)
        self._channel(channel)
        if name not in self._recorders:
            self._start_recorder(channel, name).taps = True

    def _start_recorder(self, target: str, name: str) -> _Recorder:
        recorder = self._recorders[name] = _Recorder(name, target, self.now())
        if any(one.talking_since is not None for one in self._audience(target)):
            recorder.speaking_since = self.now()
        return recorder

    def _recorders_of(self, channel: str) -> list[_Recorder]:
        bridge = self._channels[channel].bridge if channel in self._channels else None
        return [one for one in self._recorders.values() if one.path is None and one.target in (channel, bridge)]

    def _hear_speech(self, recorder: _Recorder, on: bool) -> None:
        now = self.now()
        if on:
            recorder.speaking_since = now
        elif recorder.speaking_since is not None:
            recorder.speech.append((recorder.speaking_since, now))
            recorder.speaking_since = None
        self._watch_silence(recorder)

    def _watch_silence(self, recorder: _Recorder) -> None:
        if recorder.quiet is not None:
            recorder.quiet.cancel()
            recorder.quiet = None
        if recorder.max_silence and recorder.speaking_since is None and recorder.path is None:
            loop = asyncio.get_running_loop()
            recorder.quiet = loop.call_later(recorder.max_silence, self._recorder_over, recorder)

    def _recorder_over(self, recorder: _Recorder) -> None:
        if recorder.path is not None:
            return
        now = self.now()
        for timer in (recorder.limit, recorder.quiet):
            if timer is not None:
                timer.cancel()
        if recorder.speaking_since is not None:
            recorder.speech.append((recorder.speaking_since, now))
        if recorder.paused_at is not None:
            recorder.paused += now - recorder.paused_at
        seconds = now - recorder.began - recorder.paused
        recorder.path = (self.folder or Path("/simulated/recordings")) / f"{recorder.name}.wav"
        if self.folder is not None:
            _write_wav(recorder.path, seconds, [(a - recorder.began, b - recorder.began) for a, b in recorder.speech])
        self.renderer.know(recorder.path, f"[{recorder.name}]", seconds)
        channel = recorder.target if recorder.target in self._known else ""
        self._emit(RecordingFinished(channel, recorder.name, recorder.path, seconds))

    async def stop_recording(self, name: str) -> None:
        await self._command("stop_recording", name)
        recorder = self._recorders.get(name)
        if recorder is None:
            raise DriverError("not_found", f"no recording {name}")
        self._recorder_over(recorder)

    async def pause_recording(self, name: str, paused: bool) -> None:
        await self._command("pause_recording", name, paused)
        recorder = self._recorders.get(name)
        if recorder is None:
            raise DriverError("not_found", f"no recording {name}")
        if paused and recorder.paused_at is None:
            recorder.paused_at = self.now()
        elif not paused and recorder.paused_at is not None:
            recorder.paused += self.now() - recorder.paused_at
            recorder.paused_at = None

    async def recording(self, name: str) -> Path | None:
        await self._command("recording", name)
        recorder = self._recorders.get(name)
        return None if recorder is None else recorder.path

    # ----------------------------------------------------------------- commands: listening

    async def listen(self, channel: str, stream: str, handler: FrameHandler) -> None:
        await self._command("listen", channel, stream)
        self._channel(channel)
        if stream not in self._streams:
            self._streams[stream] = _Stream(channel, handler, self.now())
            self._hear(stream)

    def _hear(self, stream: str) -> None:
        """Give the next frame, and the next one 20 ms later."""
        one = self._streams.get(stream)
        if one is None:
            return
        channel = self._channels.get(one.channel)
        if channel is None:
            del self._streams[stream]
            return
        one.next += FRAME_SECONDS
        one.timer = asyncio.get_running_loop().call_at(one.next, self._hear, stream)
        talks = channel.talking_since is not None and not channel.muted
        one.handler(SpokenFrame.of(channel.words) if talks else _QUIET)

    async def stop_listening(self, stream: str) -> None:
        await self._command("stop_listening", stream)
        one = self._streams.pop(stream, None)
        if one is not None and one.timer is not None:
            one.timer.cancel()

    # ----------------------------------------------------------------- commands: bridges

    async def create_bridge(self, bridge: str) -> None:
        await self._command("create_bridge", bridge)
        self._bridges.setdefault(bridge, [])

    async def add_to_bridge(self, bridge: str, channel: str) -> None:
        await self._command("add_to_bridge", bridge, channel)
        one = self._channel(channel)
        if bridge not in self._bridges:
            raise DriverError("not_found", f"no bridge {bridge}")
        if one.bridge == bridge:
            return
        if one.bridge is not None:
            self._leave_bridge(one)
        one.bridge = bridge
        members = self._bridges[bridge]
        for other in (self._channels[member] for member in members):
            # Who talks while they come together is heard from now on.
            for speaker, listener in ((one, other), (other, one)):
                if speaker.talking_since is not None and not speaker.muted:
                    self._begin(listener.line, speaker.words, "speech")
        members.append(channel)
        self._emit(BridgeEntered(bridge, channel))

    async def remove_from_bridge(self, bridge: str, channel: str) -> None:
        await self._command("remove_from_bridge", bridge, channel)
        one = self._channels.get(channel)
        if one is not None and one.bridge == bridge:
            self._leave_bridge(one)

    async def destroy_bridge(self, bridge: str) -> None:
        await self._command("destroy_bridge", bridge)
        for channel in list(self._bridges.get(bridge, ())):
            self._leave_bridge(self._channels[channel])
        self._bridges.pop(bridge, None)

    def _leave_bridge(self, one: _Channel) -> None:
        if one.bridge is None:
            return
        bridge, one.bridge = one.bridge, None
        members = self._bridges.get(bridge, [])
        if one.id in members:
            members.remove(one.id)
        self._end_heard(one.line, "speech")
        self._emit(BridgeLeft(bridge, one.id))

    # ----------------------------------------------------------------- commands: the rest

    async def hold(self, channel: str, on: bool) -> None:
        await self._command("hold", channel, on)
        self._channel(channel).held = on

    async def mute(self, channel: str, on: bool) -> None:
        await self._command("mute", channel, on)
        self._channel(channel).muted = on

    async def snoop(
        self,
        channel: str,
        snoop: str,
        *,
        spy: Literal["none", "in", "out", "both"],
        whisper: Literal["none", "in", "out", "both"],
    ) -> None:
        await self._command("snoop", channel, snoop)
        target = self._channel(channel)
        if snoop in self._channels:
            return
        made = self._new_channel(snoop, target.caller, target.called)
        made.up = True
        made.line.answered_at = self.now()
        made.listens_to, made.spy, made.whisper = channel, spy, whisper

    async def detect_talking(self, channel: str, on: bool) -> None:
        await self._command("detect_talking", channel, on)
        self._channel(channel).talking = on

    async def snapshot(self) -> Snapshot:
        await self._command("snapshot")
        now = self.now()
        taps = [one for one in self._recorders.values() if one.taps and one.path is None]
        return Snapshot(
            channels={
                one.id: ChannelState(one.id, one.caller, one.called, one.up, now - one.began)
                for one in self._channels.values()
            },
            bridges={bridge: frozenset(members) for bridge, members in self._bridges.items()},
            taps=frozenset(one.name for one in taps),
            paused=frozenset(one.name for one in taps if one.paused_at is not None),
        )

    # ----------------------------------------------------------------- inside

    async def _command(self, name: str, *arguments: Any) -> None:
        self.commands.append((self.now(), name, arguments))
        await asyncio.sleep(self.latency)
        if not self.connected:
            raise DriverError("lost", "the engine cannot be reached")
        faults = self._faults.get(name)
        if faults:
            raise faults.popleft()

    def _channel(self, channel: str) -> _Channel:
        one = self._channels.get(channel)
        if one is None:
            raise DriverError("not_found", f"no channel {channel}")
        return one

    def _target(self, target: str) -> None:
        if target not in self._channels and target not in self._bridges:
            raise DriverError("not_found", f"no channel or bridge {target}")

    def _audience(self, target: str) -> list[_Channel]:
        if target in self._channels:
            return [self._channels[target]]
        return [self._channels[channel] for channel in self._bridges.get(target, ())]

    def _listeners(self, speaker: _Channel) -> list[_Channel]:
        if speaker.muted:
            return []
        heard = dict.fromkeys(self._peers(speaker))
        for one in list(heard):
            # Who speaks into a channel that whispers is heard where it whispers.
            target = self._channels.get(one.listens_to or "")
            if target is not None and one.whisper in ("out", "both"):
                heard[target] = None
            if target is not None and one.whisper in ("in", "both"):
                heard |= dict.fromkeys(self._peers(target))
        for one in self._channels.values():
            target = self._channels.get(one.listens_to or "")
            if target is None or one in self._peers(speaker):
                continue
            spoken = target is speaker and one.spy in ("in", "both")
            if spoken or (target in heard and one.spy in ("out", "both")):
                heard[one] = None
                heard |= dict.fromkeys(peer for peer in self._peers(one) if peer is not speaker)
        return list(heard)

    def _peers(self, one: _Channel) -> list[_Channel]:
        others = self._bridges.get(one.bridge, []) if one.bridge is not None else []
        return [self._channels[channel] for channel in others if channel != one.id]

    def _begin(self, line: Line, text: str, kind: HeardKind) -> Heard:
        heard = Heard(self.now(), text, kind)
        line.heard.append(heard)
        line.changed()
        return heard

    def _end_heard(self, line: Line, kind: HeardKind, text: str | None = None) -> None:
        for heard in line.heard:
            if heard.until is None and heard.kind == kind and text in (None, heard.text):
                heard.until, heard.whole = self.now(), text is not None
        line.changed()

    def _new_channel(self, channel: str, caller: str, called: str, *, outgoing: bool = False) -> _Channel:
        if channel in self._known:
            raise ValueError(f"channel {channel} exists or existed")
        line = self.lines[channel] = Line(self, channel, caller, called)
        self._known.add(channel)
        made = self._channels[channel] = _Channel(channel, caller, called, line, self.now(), outgoing)
        return made

    def _up(self, one: _Channel) -> None:
        one.up = True
        one.line.answered_at = self.now()
        self._end_heard(one.line, "ringback")

    def _act(self, line: Line, person: Person | None) -> None:
        if person is None:
            return
        task = asyncio.get_running_loop().create_task(person.act(line))
        line.script = task
        self._scripts.add(task)
        task.add_done_callback(self._scripts.discard)

    def _gone(self, channel: str, cause: HangupCause | str, sip_code: int = 0, *, told: bool = True) -> None:
        one = self._channels.get(channel)
        if one is None:
            return
        self.speech(channel, False)
        for timer in one.timers:
            timer.cancel()
        self._leave_bridge(one)
        recorders = [recorder for recorder in self._recorders_of(channel) if recorder.target == channel]
        for work in list(self._queues.pop(channel, ())):
            self._playback_over(work, told=False)
        self._stop_music(one)
        now = self.now()
        for heard in one.line.heard:
            heard.until = now if heard.until is None else heard.until
        del self._channels[channel]
        for snoop in [other.id for other in self._channels.values() if other.listens_to == channel]:
            self._gone(snoop, "normal")
        line = one.line
        line.ended_at, line.cause, line.sip_code = now, cause, sip_code
        line.changed()
        if told:
            self._emit(Hangup(channel, cause, sip_code))
        # As with a real engine, the file of a recording is complete a moment after the hang-up.
        for recorder in recorders:
            self._recorder_over(recorder)


def _write_wav(path: Path, seconds: float, speech: Sequence[tuple[float, float]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rate = 8000
    data = bytearray(2 * round(seconds * rate))
    for begin, end in speech:
        for i in range(max(0, round(begin * rate)), min(round(end * rate), len(data) // 2)):
            struct.pack_into("<h", data, 2 * i, round(6000 * math.sin(2 * math.pi * 440 * i / rate)))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(bytes(data))
