"""The telephony port over Asterisk's ARI."""

import asyncio
import contextlib
import logging
import math
import re
import struct
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from telephony import observer
from telephony.asterisk.ari import AriClient, AriError, Method
from telephony.asterisk.causes import Q850, end_code, hangup_cause
from telephony.asterisk.config import DIRECT, PROBE, TRUNK, USER, WEB, WebPhone, web_phone_objects
from telephony.asterisk.pulse import PulseWatch
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

log = logging.getLogger(__name__)

Direction = Literal["none", "in", "out", "both"]

TAP, EAR, MEDIA = "tap-", "ear-", "media-"
"""Ids of channels and bridges that record and listen to calls; they are nobody's business outside this file."""

_INNER = (TAP, EAR, MEDIA)

TWIN = "@web"
"""Ends the id of the channel to an extension's browser phone while its telephone rings, too. The pair is one channel
by the first's id; nobody outside this file sees the second."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:@+=-]{0,180}")
_NUMBER = re.compile(r"[0-9A-Za-z+*#._-]{1,64}")
_URI = re.compile(
    r"sips?:[A-Za-z0-9+*#._%-]{1,64}@(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?(;transport=(udp|tcp|tls|ws|wss))?"
)
_ALL_KEYS = frozenset("0123456789*#")
_KEYS = _ALL_KEYS | frozenset("ABCD")
_NOISE = ("ChannelVarset", "ChannelDialplan", "ChannelConnectedLine", "ChannelCallerId", "PlaybackStarted",
          "RecordingStarted", "PlaybackContinuing", "DeviceStateChanged")  # fmt: skip
_BOOT = "CALLWEAVE_BOOT"
_REMEMBERED = 5000
_TALK_SILENCE_MS, _TALK_THRESHOLD = 800, 128
_TRANSFER_SECONDS = 30.0
_SNOOP_SECONDS = 3.0
_BEGINS_SECONDS = 2.0
"""How long a recording that was ordered may take until it begins."""

_DESTROY_SECONDS = 1.0
_PAIR_SECONDS = 5.0
_REFUSED = frozenset({486, 600, 603})
FRAME_BYTES = 320


@dataclass(slots=True)
class _Channel:
    id: str
    inbound: bool
    answered: bool = False
    ringing: bool = False
    ordered: HangupCause | None = None
    bridge: str | None = None
    adopted: bool = False
    q850: int = 0
    sip_code: int = 0
    deadline: float = math.inf
    browser: bool = False


@dataclass(slots=True)
class _Recording:
    target: str
    terminators: frozenset[str] = frozenset()
    tap: str | None = None


@dataclass(slots=True)
class _Pair:
    """The telephone and the browser phone of one extension, rung together: the first that answers has the call."""

    ringing: set[str]
    winner: str | None = None


@dataclass(slots=True)
class _Memory:
    """Remembers the latest ids; old ones fall out."""

    ids: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def add(self, item: str) -> None:
        self.ids[item] = None
        self.ids.move_to_end(item)
        if len(self.ids) > _REMEMBERED:
            self.ids.popitem(last=False)

    def __contains__(self, item: object) -> bool:
        return item in self.ids


class AsteriskDriver:
    """`telephony.driver.Driver` over one ARI socket.

    Subscribe first, then `connect`. `close` ends the socket and never touches calls. When another driver takes the
    socket over, this one stops for good: `ConnectionLost` is sent, `on_replaced` is called, every command is refused.
    Commands are refused as well while `may_act` says no.

    - Calls of an earlier process are taken on at `connect`: `snapshot` tells them, their events come as usual. An
      incoming call that nobody has answered yet is told again by `Incoming`, with the same channel id.
    - `recordings` is the folder that Asterisk writes to, `sip_address` (``host:port``) what a transfer to a bare
      number points at.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        *,
        app: str = "callweave",
        recordings: Path,
        sip_address: str = "",
        on_replaced: Callable[[], None] | None = None,
        may_act: Callable[[], bool] = lambda: True,
    ) -> None:
        self._app = app
        self._recordings_folder = recordings
        self._sip_address = sip_address
        self._replaced_callback = on_replaced
        self._handlers: list[EventHandler] = []
        self._channels: dict[str, _Channel] = {}
        self._bridges: set[str] = set()
        self._playbacks: dict[str, str] = {}
        self._recordings: dict[str, _Recording] = {}
        self._paused: set[str] = set()
        self._entering: dict[str, asyncio.Future[None]] = {}
        self._streams: dict[str, asyncio.Task[None] | None] = {}
        self._heard: dict[str, str] = {}
        self._transfers: dict[str, asyncio.TimerHandle] = {}
        self._pairs: dict[str, _Pair] = {}
        self._web_phones: dict[tuple[str, str], dict[str, str]] = {}
        self._gone = _Memory()
        self._dialled = _Memory()
        self._held_back: list[dict[str, Any]] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._boot: str | None = None
        self._pulses = PulseWatch(self._packets_from, self._sound_changed)
        self._ari = AriClient(
            url,
            user,
            password,
            app,
            on_event=self._take,
            on_connected=self._reconcile,
            on_lost=self._lost,
            on_replaced=self._replaced,
            may_act=may_act,
        )

    # ----------------------------------------------------------------- connection

    @property
    def connected(self) -> bool:
        return self._ari.connected

    @property
    def replaced(self) -> bool:
        """Whether another driver has taken over; this one never acts again."""
        return self._ari.replaced

    async def connect(self, timeout: float = 10) -> None:
        """Open the socket; raises `DriverError` (``lost``) when Asterisk does not answer in time."""
        await self._ari.open(timeout)

    async def close(self) -> None:
        """End the socket. Calls stay as they are."""
        self._pulses.close()
        await self._ari.close()
        for timer in self._transfers.values():
            timer.cancel()
        readers = [reader for reader in self._streams.values() if reader is not None]
        for task in [*self._tasks, *readers]:
            task.cancel()
        await asyncio.gather(*self._tasks, *readers, return_exceptions=True)

    def subscribe(self, handler: EventHandler) -> Callable[[], None]:
        self._handlers.append(handler)

        def stop() -> None:
            with contextlib.suppress(ValueError):
                self._handlers.remove(handler)

        return stop

    # ----------------------------------------------------------------- one channel

    async def answer(self, channel: str) -> None:
        await self._do(channel, "POST", "answer")
        if known := self._channels.get(channel):
            known.answered = True

    async def ring(self, channel: str) -> None:
        await self._do(channel, "POST", "ring")

    async def reject(self, channel: str, cause: HangupCause = "rejected") -> None:
        await self._end(channel, cause)

    async def hang_up(self, channel: str, cause: HangupCause = "normal") -> None:
        await self._end(channel, cause)

    async def _end(self, channel: str, cause: HangupCause) -> None:
        known = self._channels.get(channel)
        if known is not None and known.ordered is None:
            known.ordered = cause
        pair = self._pairs.get(channel)
        for one in sorted(pair.ringing) if pair is not None and pair.winner is None else [self._real(channel)]:
            await self._hang_up_now(one, cause)

    async def _hang_up_now(self, channel: str, cause: HangupCause) -> None:
        try:
            await self._ari.request("DELETE", "channels", channel, reason_code=Q850[cause])
        except AriError as error:
            if error.status != 404:
                raise

    async def send_digits(self, channel: str, digits: str) -> None:
        if not re.fullmatch(r"[0-9A-Da-d*#wW]+", digits):
            raise DriverError("refused", f"{digits!r} are no digits: 0-9, *, #, A-D and w for a pause")
        await self._do(channel, "POST", "dtmf", dtmf=digits, between=100, duration=100)

    async def start_music(self, channel: str, music: str = "default") -> None:
        await self._do(channel, "POST", "moh", mohClass=music)

    async def stop_music(self, channel: str) -> None:
        await self._do(channel, "DELETE", "moh")

    async def hold(self, channel: str, on: bool) -> None:
        await self._do(channel, "POST" if on else "DELETE", "hold")

    async def mute(self, channel: str, on: bool) -> None:
        await self._do(channel, "POST" if on else "DELETE", "mute", direction="in")

    async def detect_talking(self, channel: str, on: bool) -> None:
        await self._do(
            channel,
            "POST",
            "variable",
            variable=f"TALK_DETECT({'set' if on else 'remove'})",
            value=f"{_TALK_SILENCE_MS},{_TALK_THRESHOLD}" if on else "",
        )

    async def transfer(self, channel: str, target: str) -> None:
        uri = target
        if not target.startswith(("sip:", "sips:")):
            if not self._sip_address:
                raise DriverError("refused", f"{target!r} is no SIP address, and the driver knows no own one")
            uri = f"sip:{_checked(_NUMBER, target, 'number')}@{self._sip_address}"
        await self._do(channel, "POST", "redirect", endpoint=f"PJSIP/{_checked(_URI, uri, 'target')}")

    async def transfer_result(self, channel: str, accepted: bool) -> None:
        """Tell a phone that asked for a transfer (`TransferRequested`) what came of it.

        Without a word within 30 s the phone is told that the transfer failed.
        """
        if timer := self._transfers.pop(channel, None):
            timer.cancel()
        states = "channel_answered" if accepted else "channel_declined"
        await self._do(channel, "POST", "transfer_progress", states=states)

    # ----------------------------------------------------------------- play and record

    async def play(self, target: str, playback: str, files: Sequence[Path]) -> None:
        if playback in self._playbacks:
            return
        if not files:
            raise DriverError("refused", "there is nothing to play")
        media = []
        for file in files:
            path = str(file.with_suffix(""))
            if not file.is_absolute() or "," in path or "&" in path:
                raise DriverError("refused", f"{file} cannot be played: the path must be absolute, without ',' or '&'")
            media.append(f"sound:{path}")
        known = self._channels.get(target)
        if known is not None and known.adopted and await self._exists("playbacks", playback):
            self._playbacks[playback] = target
            return
        self._playbacks[playback] = target
        try:
            await self._at(target, "play", playback, media=",".join(media))
        except DriverError:
            self._playbacks.pop(playback, None)
            raise

    async def stop_playing(self, playback: str) -> None:
        with _not_found_is_fine():
            await self._ari.request("DELETE", "playbacks", playback)

    async def plays(self, playback: str) -> bool:
        return await self._exists("playbacks", playback)

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
        if name in self._recordings:
            return
        keys = frozenset(terminators)
        native = {frozenset("#"): "#", frozenset("*"): "*", _ALL_KEYS: "any"}.get(keys, "none")
        started = _Recording(target, keys if native == "none" else frozenset())
        await self._start_recording(
            target,
            name,
            started,
            maxDurationSeconds=math.ceil(max_seconds) or None,
            maxSilenceSeconds=math.ceil(max_silence) or None,
            beep=beep,
            terminateOn=native,
        )

    async def tap(self, channel: str, name: str) -> None:
        if name in self._recordings:
            return
        tap = TAP + _checked(_NAME, name, "name")
        if await self.recording(name) is None:
            await self._snoop(channel, tap, spy="both", whisper="none", arguments=f"tap,{channel}")
        try:
            await self._start_recording(tap, name, _Recording(channel, tap=tap))
        except DriverError:
            with contextlib.suppress(DriverError):
                await self._end(tap, "normal")
            raise

    async def _start_recording(self, target: str, name: str, started: _Recording, **options: str | int | None) -> None:
        _checked(_NAME, name, "name")
        if (self._recordings_folder / f"{name}.wav").exists():
            # The order was given before: by this id it is the same recording.
            self._recordings[name] = started
            if not await self._exists("recordings", "live", name):
                self._recording_ended(name)
            return
        self._recordings[name] = started
        try:
            await self._at(target, "record", name=name, format="wav", ifExists="fail", **options)
        except DriverError:
            self._recordings.pop(name, None)
            raise

    async def stop_recording(self, name: str) -> None:
        with _not_found_is_fine():
            await self._ari.request("POST", "recordings", "live", name, "stop")

    async def pause_recording(self, name: str, paused: bool) -> None:
        method: Method = "POST" if paused else "DELETE"
        until = asyncio.get_running_loop().time() + _BEGINS_SECONDS
        while True:
            try:
                await self._ari.request(method, "recordings", "live", name, "pause")
                break
            except AriError as error:
                # 409: the recording was ordered a moment ago and has not begun.
                if error.status != 409 or asyncio.get_running_loop().time() > until:
                    raise
            await asyncio.sleep(0.05)
        (self._paused.add if paused else self._paused.discard)(name)

    async def recording(self, name: str) -> Path | None:
        path = self._recordings_folder / f"{_checked(_NAME, name, 'name')}.wav"
        if name in self._recordings or not path.exists():
            return None
        if await self._exists("recordings", "live", name):
            return None
        complete_wav(path)
        return path

    # ----------------------------------------------------------------- other legs

    async def originate(
        self,
        channel: str,
        destination: str,
        *,
        caller_id: str,
        timeout: float,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        _checked(_NAME, channel, "channel")
        if channel in self._channels or channel in self._dialled:
            return
        endpoints = [endpoint_of(destination)]
        if re.search(r"[\x00-\x1f\x7f]", caller_id):
            raise DriverError("refused", "the caller id holds control characters")
        self._dialled.add(channel)
        if destination.startswith("extension:"):
            endpoints = await self._phones(destination.removeprefix("extension:"))
        deadline = asyncio.get_running_loop().time() + max(1, math.ceil(timeout))
        self._channels[channel] = _Channel(channel, inbound=False, deadline=deadline)
        if len(endpoints) > 1:
            self._pairs[channel] = _Pair({channel, channel + TWIN})
            self._spawn(self._originate_twin(channel, endpoints[1], caller_id, timeout, variables or {}))
        endpoint = endpoints[0]
        try:
            await self._originate(channel, endpoint, caller_id, timeout, variables or {})
        except AriError as error:
            if error.status == 409:
                return
            if channel in self._pairs:
                self._twin_ended(channel, channel)
                return
            if channel in self._channels and error.status in (400, 404, 500):
                # Asterisk has no such endpoint, or a phone that has not registered.
                known = await self._exists("endpoints", "PJSIP", endpoint.split("/")[1].split("@")[-1])
                log.info("cannot dial %s: %s", destination, error)
                self._end_of(channel, "unavailable" if known else "unknown_number")
                return
            self._channels.pop(channel, None)
            raise
        except DriverError:
            # Whether the order was taken is unknown; the next snapshot tells.
            if channel not in self._gone:
                self._channels.setdefault(channel, _Channel(channel, inbound=False))
            raise

    async def _originate(
        self, channel: str, endpoint: str, caller_id: str, timeout: float, variables: Mapping[str, str]
    ) -> None:
        named = {f"PJSIP_HEADER(add,{name})" if name.startswith("X-") else name: v for name, v in variables.items()}
        await self._ari.request(
            "POST",
            "channels",
            channel,
            endpoint=endpoint,
            app=self._app,
            appArgs="out",
            callerId=caller_id or None,
            timeout=max(1, math.ceil(timeout)),
            body={"variables": {**named, "PJSIP_TRANSFER_HANDLING()": "ari-only"}},
        )

    async def _phones(self, number: str) -> list[str]:
        """The phones of an extension to ring: those that have registered, its telephone when none has."""
        phone, browser = f"PJSIP/{number}", f"PJSIP/{WEB}{number}"
        if not await self._online(WEB + number):
            return [phone]
        return [phone, browser] if await self._online(number) else [browser]

    async def trunk_answers(self, trunk: str) -> bool | None:
        """Whether the far end of a trunk answered when it was asked last; None when it is not known."""
        return {"online": True, "offline": False}.get(await self._endpoint_state(PROBE + trunk))

    async def _online(self, endpoint: str) -> bool:
        return await self._endpoint_state(endpoint) == "online"

    async def _endpoint_state(self, endpoint: str) -> str:
        """online, offline or unknown; empty for an endpoint that is not there."""
        try:
            found = await self._ari.request("GET", "endpoints", "PJSIP", endpoint)
        except AriError as error:
            if error.status == 404:
                return ""
            raise
        return str(_object(found).get("state") or "")

    async def _originate_twin(
        self, channel: str, endpoint: str, caller_id: str, timeout: float, variables: Mapping[str, str]
    ) -> None:
        try:
            await self._originate(channel + TWIN, endpoint, caller_id, timeout, variables)
        except DriverError as error:
            log.info("cannot dial %s: %s", endpoint, error)
            self._twin_ended(channel, channel + TWIN)

    # ----------------------------------------------------------------- an extension's two phones

    def _real(self, channel: str) -> str:
        """The channel behind an id: of a pair the phone that answered."""
        pair = self._pairs.get(channel)
        return channel if pair is None or pair.winner is None else pair.winner

    def _logical(self, kind: str, id: str, message: Mapping[str, Any]) -> str | None:
        """The id under which a channel is known; None for a phone of a pair that does not count any more."""
        name = id.removesuffix(TWIN)
        pair = self._pairs.get(name)
        if pair is None:
            return id
        if pair.winner is None and kind == "StasisStart":
            self._won(name, pair, id)
        if pair.winner is None and kind == "ChannelDestroyed":
            code = _whole(message.get("tech_cause"))
            refused = code in _REFUSED or _whole(message.get("cause")) in (17, 21)
            pair.ringing.discard(id)
            if refused or not pair.ringing:
                self._won(name, pair, id)
        if pair.winner is None and kind in ("ChannelHangupRequest", "StasisEnd", "ChannelDestroyed"):
            return None
        return name if pair.winner in (None, id) else None

    def _won(self, name: str, pair: _Pair, winner: str) -> None:
        """From now on one phone alone is the channel: it answered, or refused for both."""
        pair.winner = winner
        for other in pair.ringing - {winner}:
            self._spawn(self._hang_up_now(other, "normal"))

    def _name_of(self, id: str) -> str:
        """The id under which a channel of Asterisk is known."""
        name = id.removesuffix(TWIN)
        return name if name in self._pairs else id

    def _twin_ended(self, name: str, id: str) -> None:
        """One phone of a pair could not be rung."""
        pair = self._pairs[name]
        pair.ringing.discard(id)
        if not pair.ringing and pair.winner is None:
            self._end_of(name, "unavailable")

    def _merged(self, channels: Any) -> Any:
        """A list of Asterisk's channels in which each pair is one; what is no such list is left as it is."""
        if not isinstance(channels, list) or not all(isinstance(one, dict) for one in channels):
            return channels
        ids = {str(channel.get("id")): channel for channel in channels}
        for id in ids:
            if not id.endswith(TWIN) or id.startswith(_INNER):
                continue
            name = id.removesuffix(TWIN)
            pair = self._pairs.setdefault(name, _Pair({one for one in (name, id) if one in ids}))
            if pair.winner is None:
                up = [one for one in (name, id) if one in ids and ids[one].get("state") == "Up"]
                if up or name not in ids:
                    self._won(name, pair, up[0] if up else id)
        found = []
        for id, channel in ids.items():
            name = id.removesuffix(TWIN)
            pair_ = self._pairs.get(name)
            if pair_ is None or pair_.winner == id or (pair_.winner is None and id == name):
                found.append({**channel, "id": name if pair_ is not None else id})
        return found

    # ----------------------------------------------------------------- phones in browsers

    async def keep_web_phone(self, phone: WebPhone, sip_host: str) -> None:
        """Let a browser register as that phone, by its password of now. It lasts until Asterisk ends."""
        for (kind, name), fields in web_phone_objects(phone, sip_host).items():
            if self._web_phones.get((kind, name)) == fields:
                continue
            listed = [{"attribute": key, "value": value} for key, value in fields.items()]
            await self._ari.request(
                "PUT", "asterisk", "config", "dynamic", "res_pjsip", kind, name, body={"fields": listed}
            )
            self._web_phones[kind, name] = fields

    async def web_phones(self) -> list[str]:
        """Names of the phones that browsers may register as, those of an earlier process too."""
        found = await self._ari.request("GET", "endpoints", "PJSIP")
        names = [str(_object(one).get("resource", "")) for one in (found if isinstance(found, list) else ())]
        return [name for name in names if name.startswith((WEB, USER))]

    async def forget_web_phone(self, name: str) -> None:
        """Let nobody register as that phone any more. A call of it goes on."""
        for kind in ("endpoint", "auth", "aor"):
            self._web_phones.pop((kind, name), None)
            with _not_found_is_fine():
                await self._ari.request(
                    "DELETE", "asterisk", "config", "dynamic", "res_pjsip", kind, _checked(_NAME, name, "name")
                )

    async def snoop(self, channel: str, snoop: str, *, spy: Direction, whisper: Direction) -> None:
        _checked(_NAME, snoop, "snoop")
        if snoop not in self._channels:
            await self._snoop(channel, snoop, spy=spy, whisper=whisper, arguments=f"snoop,{channel}")

    async def _snoop(self, channel: str, snoop: str, *, spy: Direction, whisper: Direction, arguments: str) -> None:
        """Make a snoop channel and wait until it can be used."""
        async with self._entry_of(snoop, f"listening to {channel}"):
            try:
                await self._ari.request(
                    *("POST", "channels", self._real(channel), "snoop", snoop),
                    spy=spy,
                    whisper=whisper,
                    app=self._app,
                    appArgs=arguments,
                )
            except AriError as error:
                if error.status != 409:
                    raise
                self._entering[snoop].cancel()

    @contextlib.asynccontextmanager
    async def _entry_of(self, channel: str, what: str) -> AsyncIterator[None]:
        """After the order inside, wait until the channel that it makes has entered the application."""
        entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._entering[channel] = entered
        try:
            yield
            if not entered.cancelled():
                async with asyncio.timeout(_SNOOP_SECONDS):
                    await entered
        except TimeoutError:
            raise DriverError("timeout", f"{what} did not begin") from None
        finally:
            self._entering.pop(channel, None)

    # ----------------------------------------------------------------- listening

    async def listen(self, channel: str, stream: str, handler: FrameHandler) -> None:
        """A snoop channel that hears the far end only, bridged with a media channel whose WebSocket we read."""
        if stream in self._streams:
            return
        ear, media = EAR + _checked(_NAME, stream, "stream"), MEDIA + stream
        self._streams[stream] = None
        self._heard[stream] = channel
        try:
            await self._snoop(channel, ear, spy="in", whisper="none", arguments=f"ear,{channel}")
            async with self._entry_of(media, f"the sound of {channel}"):
                made = await self._ari.request(
                    *("POST", "channels", "externalMedia"),
                    app=self._app,
                    channelId=media,
                    external_host="INCOMING",
                    connection_type="server",
                    transport="websocket",
                    encapsulation="none",
                    format="slin",
                )
                place = _object(_object(made).get("channelvars")).get("MEDIA_WEBSOCKET_CONNECTION_ID")
                if not isinstance(place, str) or not place:
                    raise DriverError("refused", "Asterisk names no place for the sound")
                socket = await self._ari.open_media(place)
            self._streams[stream] = asyncio.create_task(self._hear(stream, socket, handler), name=f"hear {stream}")
            await self._ari.request("POST", "bridges", ear, type="mixing", name=ear)
            await self._ari.request("POST", "bridges", ear, "addChannel", channel=f"{ear},{media}")
        except BaseException:
            await self._stop_hearing(stream)
            raise

    async def stop_listening(self, stream: str) -> None:
        if stream in self._streams:
            await self._stop_hearing(stream)

    async def _stop_hearing(self, stream: str) -> None:
        reader = self._streams.pop(stream, None)
        self._heard.pop(stream, None)
        if reader is not None:
            reader.cancel()
        if self._ari.connected:
            self._spawn(self._end(EAR + stream, "normal"))
            self._spawn(self._end(MEDIA + stream, "normal"))
            self._spawn(self.destroy_bridge(EAR + stream))

    async def _hear(self, stream: str, socket: ClientConnection, handler: FrameHandler) -> None:
        """Cut what the socket brings into frames; ends with the socket."""
        rest = b""
        try:
            async for message in socket:
                if isinstance(message, str):
                    continue
                rest += message
                while len(rest) >= FRAME_BYTES:
                    frame, rest = rest[:FRAME_BYTES], rest[FRAME_BYTES:]
                    handler(frame)
        except WebSocketException as error:
            log.debug("the sound of %s broke off: %s", stream, error)
        finally:
            socket.transport.abort()

    # ----------------------------------------------------------------- bridges

    async def create_bridge(self, bridge: str) -> None:
        _checked(_NAME, bridge, "bridge")
        if bridge in self._bridges:
            return
        await self._ari.request("POST", "bridges", bridge, type="mixing,dtmf_events", name=bridge)
        self._bridges.add(bridge)

    async def add_to_bridge(self, bridge: str, channel: str) -> None:
        known = self._channels.get(channel)
        if known is not None and known.bridge == bridge:
            return
        await self._with_channel("POST", "bridges", bridge, "addChannel", channel=channel)

    async def remove_from_bridge(self, bridge: str, channel: str) -> None:
        try:
            await self._with_channel("POST", "bridges", bridge, "removeChannel", channel=channel)
        except AriError as error:
            if error.status not in (404, 409, 422):
                raise

    async def destroy_bridge(self, bridge: str) -> None:
        self._bridges.discard(bridge)
        try:
            await self._ari.request("DELETE", "bridges", bridge)
        except AriError as error:
            # 409: it is being destroyed at this moment.
            if error.status not in (404, 409):
                raise

    async def snapshot(self) -> Snapshot:
        channels = self._merged(await self._ari.request("GET", "channels"))
        bridges = await self._ari.request("GET", "bridges")
        return self._snapshot(channels, bridges)

    # ----------------------------------------------------------------- helpers of the commands

    async def _do(self, channel: str, method: Method, *path: str, **query: str | int | None) -> None:
        """A command to a channel; one that is just leaving counts as gone."""
        try:
            await self._ari.request(method, "channels", self._real(channel), *path, body=None, **query)
        except AriError as error:
            known = self._channels.get(channel)
            dialling = known is not None and not known.inbound and not known.answered
            if error.status == 409 and "not in Stasis" in str(error) and not dialling:
                raise AriError(404, f"the channel {channel} is leaving") from error
            raise

    async def _at(self, target: str, verb: str, *more: str, **query: str | int | None) -> None:
        """A command to a channel or a bridge, whichever has that id."""
        if target in self._bridges:
            await self._ari.request("POST", "bridges", target, verb, *more, body=None, **query)
            return
        try:
            await self._do(target, "POST", verb, *more, **query)
        except AriError as error:
            if error.status != 404 or target in self._channels or target.startswith(TAP):
                raise
            await self._ari.request("POST", "bridges", target, verb, *more, body=None, **query)
            self._bridges.add(target)

    async def _with_channel(self, method: Literal["POST"], *path: str, channel: str) -> None:
        """A bridge command, for which Asterisk says 400 when the channel is gone."""
        try:
            await self._ari.request(method, *path, channel=self._real(channel))
        except AriError as error:
            if error.status == 400:
                raise DriverError("not_found", f"the channel {channel} is gone") from error
            raise

    async def _exists(self, *path: str) -> bool:
        try:
            await self._ari.request("GET", *path)
        except AriError as error:
            if error.status == 404:
                return False
            raise
        return True

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something aside; what Asterisk refuses is only logged."""

        async def guarded() -> None:
            try:
                await work
            except DriverError as error:
                log.debug("aside: %s", error)

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)

        def over(_: object) -> None:
            self._tasks.discard(task)
            # A task that is cancelled before its first step never touches what it was to do.
            work.close()

        task.add_done_callback(over)

    # ----------------------------------------------------------------- events

    def _emit(self, event: Event) -> None:
        for handler in list(self._handlers):
            try:
                handler(event)
            except Exception:
                log.exception("a handler failed at %r", event)

    def _take(self, message: dict[str, Any]) -> None:
        if self._held_back is not None:
            self._held_back.append(message)
        else:
            self._handle(message)

    def _handle(self, message: Mapping[str, Any]) -> None:
        """Turn one event of Asterisk into ours. One that makes no sense changes nothing; it may raise."""
        kind = message["type"]
        channel = _object(message.get("channel") or message.get("peer"))
        id = channel.get("id", "")
        if not isinstance(id, str) or len(id) > 255:
            raise TypeError(f"a channel's id is no text in {kind}")
        if not id.startswith(_INNER) and (name := self._logical(kind, id, message)) != id:
            if name is None:
                return
            channel, id = {**channel, "id": name}, name
        if kind == "StasisStart":
            self._entered_app(channel, message.get("args") or [])
        elif id.startswith(_INNER):
            return
        elif kind == "ChannelDtmfReceived":
            digit = message["digit"]
            if digit not in _KEYS:
                raise ValueError("what was pressed is no key")
            self._emit(Digit(id, digit))
            for name, recording in list(self._recordings.items()):
                if recording.target == id and digit in recording.terminators:
                    self._spawn(self.stop_recording(name))
        elif kind == "ChannelStateChange":
            self._state_changed(id, channel.get("state", ""))
        elif kind == "Dial":
            if message.get("dialstatus") in ("RINGING", "PROGRESS"):
                self._state_changed(id, "Ringing")
        elif kind == "PlaybackFinished":
            playback = _object(message["playback"])
            self._playback_ended(_named(playback["id"]), playback.get("state") == "failed", message)
        elif kind in ("RecordingFinished", "RecordingFailed"):
            self._recording_ended(_named(_object(message["recording"])["name"]), message)
        elif kind == "ChannelTalkingStarted":
            self._emit(TalkingStarted(id))
        elif kind == "ChannelTalkingFinished":
            self._emit(TalkingStopped(id, _whole(message.get("duration")) / 1000))
        elif kind in ("ChannelEnteredBridge", "ChannelLeftBridge"):
            self._bridge_event(kind, _named(_object(message["bridge"])["id"]), id)
        elif kind == "BridgeDestroyed":
            self._bridges.discard(_named(_object(message["bridge"])["id"]))
        elif kind in ("ChannelHold", "ChannelUnhold"):
            # A phone that holds the line itself need not send anything.
            if kind == "ChannelHold":
                self._pulses.forget(id, back=True)
            else:
                self._watch_sound(id)
        elif kind == "ChannelTransfer":
            self._transfer_asked(message)
        elif kind == "ChannelHangupRequest":
            if known := self._channels.get(id):
                known.q850, known.sip_code = _whole(message.get("cause")), _whole(message.get("tech_cause"))
        elif kind == "StasisEnd":
            if id in self._channels:
                asyncio.get_running_loop().call_later(_DESTROY_SECONDS, self._end_of, id)
        elif kind == "ChannelDestroyed" and (known := self._channels.get(id)):
            known.q850 = _whole(message.get("cause")) or known.q850
            known.sip_code = _whole(message.get("tech_cause")) or known.sip_code
            self._end_of(id)

    def _entered_app(self, channel: Mapping[str, Any], arguments: Sequence[str]) -> None:
        id = _named(channel["id"])
        role = arguments[0] if isinstance(arguments, list) and arguments else ""
        if (entered := self._entering.get(id)) and not entered.done():
            entered.set_result(None)
        if id.startswith(_INNER):
            return
        known = self._channels.get(id)
        if role == "incoming":
            if known is None:
                incoming = incoming_of(channel, arguments)
                self._channels[id] = _Channel(id, inbound=True, browser=_in_browser(channel))
                self._spawn(self._watch(id))
                self._emit(incoming)
            return
        if known is None:
            known = self._channels[id] = _Channel(id, inbound=False)
        known.browser = _in_browser(channel)
        if role == "out" and not known.answered:
            known.answered = True
            self._emit(Answered(id))
        known.answered = True

    async def _watch(self, channel: str) -> None:
        """Have the end of a channel told with its cause, which Asterisk does for its own calls only."""
        try:
            await self._ari.request("POST", "applications", self._app, "subscription", eventSource=f"channel:{channel}")
        except AriError:
            self._end_of(channel)

    def _state_changed(self, id: str, state: str) -> None:
        known = self._channels.get(id)
        if known is None:
            return
        if state == "Up" and known.inbound:
            known.answered = True
        elif state == "Ringing" and not known.inbound and not known.ringing and not known.answered:
            known.ringing = True
            self._emit(Ringing(id))

    def _playback_ended(self, playback: str, failed: bool, message: Mapping[str, Any] | None = None) -> None:
        target = self._playbacks.pop(playback, None)
        if target is None and message is not None:
            target = _target(message["playback"])
        self._emit(PlaybackFinished(target or "", playback, failed))

    def _recording_ended(self, name: str, message: Mapping[str, Any] | None = None) -> None:
        recording = self._recordings.pop(name, None)
        self._paused.discard(name)
        target = recording.target if recording else ""
        if recording is None and message is not None:
            target = _target(message["recording"])
        if recording is not None and recording.tap is not None and self._ari.connected:
            self._spawn(self._end(recording.tap, "normal"))
        path = self._recordings_folder / f"{name}.wav"
        failed = message is not None and message["type"] == "RecordingFailed"
        seconds = 0.0
        try:
            seconds = complete_wav(path)
        except OSError:
            failed = True
        self._emit(RecordingFinished(target, name, path, seconds, failed))

    def _bridge_event(self, kind: str, bridge: str, id: str) -> None:
        known = self._channels.get(id)
        if kind == "ChannelEnteredBridge":
            if known is not None:
                known.bridge = bridge
                self._watch_sound(id)
            self._emit(BridgeEntered(bridge, id))
        else:
            if known is not None and known.bridge == bridge:
                known.bridge = None
            self._emit(BridgeLeft(bridge, id))

    # ----------------------------------------------------------------- sound that stops

    def _watch_sound(self, id: str) -> None:
        """Notice when a browser phone that talks stops sending. Telephones may be silent while nobody speaks."""
        known = self._channels.get(id)
        if known is not None and known.browser:
            self._pulses.watch(id)

    async def _packets_from(self, id: str) -> int | None:
        """How many packets of sound have come from a channel so far."""
        try:
            found = await self._ari.request("GET", "channels", self._real(id), "rtp_statistics")
        except DriverError:
            return None
        count = _object(found).get("rxcount")
        return count if type(count) is int else None

    def _sound_changed(self, id: str, stopped: bool) -> None:
        log.info("the sound of %s %s", id, "has stopped" if stopped else "is back")
        self._emit(SoundStopped(id) if stopped else SoundResumed(id))

    # ----------------------------------------------------------------- transfers and ends

    def _transfer_asked(self, message: Mapping[str, Any]) -> None:
        asked = _object(message.get("referred_by"))
        id = self._name_of(_named(_object(asked.get("source_channel") or message.get("channel")).get("id")))
        refer_to = _object(message.get("refer_to"))
        requested = _object(refer_to.get("requested_destination"))
        wanted = _plain(requested.get("destination"), 255)
        if requested.get("protocol_id") or refer_to.get("destination_channel") or "Replaces=" in wanted:
            # It would replace a call of its own by this one: nobody is dialled for that, see `TransferRequested`.
            wanted = ""
        if id in self._transfers:
            return
        self._transfers[id] = asyncio.get_running_loop().call_later(
            _TRANSFER_SECONDS, lambda: self._spawn(self.transfer_result(id, False))
        )
        self._emit(TransferRequested(id, wanted))

    def _end_of(self, id: str, cause: HangupCause | None = None) -> None:
        """A channel is gone: tell it once."""
        known = self._channels.pop(id, None)
        if known is None:
            return
        self._gone.add(id)
        self._pulses.forget(id)
        if id in self._pairs:
            asyncio.get_running_loop().call_later(_PAIR_SECONDS, self._pairs.pop, id, None)
        self._playbacks = {p: target for p, target in self._playbacks.items() if target != id}
        for stream in [one for one, heard in self._heard.items() if heard == id]:
            self._spawn(self._stop_hearing(stream))
        if any(recording.target == id for recording in self._recordings.values()):
            asyncio.get_running_loop().call_later(_DESTROY_SECONDS, lambda: self._spawn(self._settle(id)))
        if timer := self._transfers.pop(id, None):
            timer.cancel()
        known.sip_code = end_code(known.sip_code, answered=known.answered)
        if not known.answered and asyncio.get_running_loop().time() > known.deadline - 0.1:
            # Asterisk gave up by itself and calls that 480, as if the far end had said so.
            known.sip_code = 0
            cause = cause or ("no_answer" if known.ringing else "unavailable")
        if cause is None:
            cause = hangup_cause(
                known.q850, known.sip_code, inbound=known.inbound, answered=known.answered, ordered=known.ordered
            )
        self._emit(Hangup(id, cause, known.sip_code, known.q850))

    async def _settle(self, id: str) -> None:
        """End the recordings of a channel that is gone: Asterisk says nothing of one that had not begun."""
        for name, recording in list(self._recordings.items()):
            if recording.target == id and not await self._exists("recordings", "live", name):
                self._recording_ended(name)

    # ----------------------------------------------------------------- lost and found

    def _lost(self) -> None:
        self._emit(ConnectionLost())

    def _replaced(self) -> None:
        if self._replaced_callback is not None:
            self._replaced_callback()

    async def _reconcile(self) -> None:
        """Learn what is up, hear of it again, and tell what happened while the socket was gone."""
        self._held_back = []
        try:
            send = self._ari.send_now
            boot = (await send("GET", "asterisk", "variable", variable=_BOOT)).get("value")
            if not boot:
                boot = uuid.uuid4().hex
                await send("POST", "asterisk", "variable", variable=_BOOT, value=boot)
            again, restarted = self._boot is not None, self._boot not in (None, boot)
            self._boot = boot
            if restarted:
                self._web_phones.clear()
            await send(
                "PUT", "applications", self._app, "eventFilter", body={"disallowed": [{"type": t} for t in _NOISE]}
            )
            channels = self._merged(await send("GET", "channels"))
            bridges = await send("GET", "bridges")
            snapshot = self._snapshot(channels, bridges)
            live = {str(c["id"]): c for c in channels}
            self._bridges = set(snapshot.bridges)
            ours = [id for id in live if id in snapshot.channels]
            taps = {id: self._arguments(live[id])[1:] for id in live if id.startswith(TAP)}
            for id, tapped in taps.items():
                if tapped:
                    self._recordings.setdefault(id.removeprefix(TAP), _Recording(tapped[0], tap=id))
            await asyncio.gather(*map(self._subscribe_now, [*ours, *taps]))
            for id in live:
                # Ears of a process that is no more; whoever wants to listen on does so anew.
                if id.startswith((EAR, MEDIA)) and id.split("-", 1)[1] not in self._streams:
                    self._spawn(self._end(id, "normal"))
            for bridge in (str(one["id"]) for one in bridges):
                if bridge.startswith(EAR) and bridge.removeprefix(EAR) not in self._streams:
                    self._spawn(self.destroy_bridge(bridge))
            playing = {p for p in list(self._playbacks) if await self._state_of("playbacks", p) is None}
            recorders = {r: await self._state_of("recordings", "live", r) for r in list(self._recordings)}
            self._paused = {name for name, state in recorders.items() if state == "paused"}
        except BaseException:
            self._held_back = None
            raise
        held_back, self._held_back = self._held_back, None
        if again:
            self._emit(ConnectionRestored(frozenset(snapshot.channels), restarted))
        for name in [name for name, state in recorders.items() if state is None]:
            self._recording_ended(name)
        for known in [known for known in self._channels.values() if known.id not in live]:
            # Without a restart the cause is not known, only that the call is over.
            silent: HangupCause | None = None if known.inbound or known.answered else "failed"
            self._end_of(known.id, "engine_lost" if restarted else silent)
        for playback in playing:
            self._playback_ended(playback, failed=restarted)
        for known in self._channels.values():
            known.bridge = next((b for b, members in snapshot.bridges.items() if known.id in members), None)
        for id in ours:
            self._take_on(live[id])
        for message in held_back:
            try:
                self._handle(message)
            except Exception:
                # One that makes no sense must not hide the others.
                observer.current.event_refused("failed")
                log.exception("an event of Asterisk could not be used")

    async def _subscribe_now(self, channel: str) -> None:
        with contextlib.suppress(AriError):
            await self._ari.send_now(
                "POST", "applications", self._app, "subscription", eventSource=f"channel:{self._real(channel)}"
            )

    async def _state_of(self, *path: str) -> str | None:
        """What Asterisk says of a playback or recording; None when it is no more."""
        try:
            return str((await self._ari.send_now("GET", *path)).get("state", ""))
        except AriError:
            return None

    def _take_on(self, channel: Mapping[str, Any]) -> None:
        """Bring what is known of a live channel up to date with what Asterisk says."""
        id = str(channel["id"])
        role, *rest = self._arguments(channel) or ["out"]
        up = channel.get("state") == "Up"
        known = self._channels.get(id)
        if known is None:
            self._channels[id] = _Channel(id, inbound=role == "incoming", answered=up, adopted=True)
            if role == "incoming" and not up:
                self._emit(incoming_of(channel, [role, *rest]))
        elif up and not known.answered and self._arguments(channel):
            known.answered = True
            if not known.inbound:
                self._emit(Answered(id))
        self._channels[id].browser = _in_browser(channel)
        if up:
            self._watch_sound(id)

    def _arguments(self, channel: Mapping[str, Any]) -> list[str]:
        """The arguments with which a channel entered our application; empty when it is elsewhere."""
        plan = channel.get("dialplan") or {}
        app, *arguments = str(plan.get("app_data", "")).split(",")
        return arguments if plan.get("app_name") == "Stasis" and app == self._app else []

    def _snapshot(self, channels: Any, bridges: Any) -> Snapshot:
        try:
            return self._snapshot_of(channels, bridges)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # A list with holes would end live calls; no list makes whoever asks try again.
            raise DriverError("lost", "Asterisk's list of channels makes no sense") from error

    def _snapshot_of(self, channels: Sequence[Mapping[str, Any]], bridges: Sequence[Mapping[str, Any]]) -> Snapshot:
        now = datetime.now(UTC)
        found: dict[str, ChannelState] = {}
        for channel in channels:
            id = str(channel["id"])
            plan = channel.get("dialplan") or {}
            ours = bool(self._arguments(channel)) or id in self._channels or plan.get("app_name") == "AppDial2"
            if id.startswith(_INNER) or not ours:
                continue
            inbound = self._arguments(channel)[:1] == ["incoming"]
            connected, caller = channel.get("connected") or {}, channel.get("caller") or {}
            found[id] = ChannelState(
                id,
                caller=str((caller if inbound else connected).get("number", "")),
                called=str(plan.get("exten", "") if inbound else caller.get("number", "")),
                up=channel.get("state") == "Up",
                seconds=max(0.0, (now - datetime.fromisoformat(channel["creationtime"])).total_seconds()),
            )
        members = {
            str(b["id"]): frozenset(self._name_of(c) for c in b["channels"] if not c.startswith(_INNER))
            for b in bridges
            if not str(b["id"]).startswith(EAR)
        }
        taps = frozenset(id.removeprefix(TAP) for id in (str(c["id"]) for c in channels) if id.startswith(TAP))
        return Snapshot(found, members, taps, taps & self._paused)


# --------------------------------------------------------------------------- pure helpers


def incoming_of(channel: Mapping[str, Any], arguments: Sequence[str]) -> Incoming:
    """`Incoming` of a channel that entered the application with ``incoming,<kind>,<endpoint>,<to>,<surplus>``."""
    kind = arguments[1] if len(arguments) > 1 else "anonymous"
    endpoint = arguments[2] if len(arguments) > 2 else ""
    to, surplus, *_ = [*arguments[3:], "", ""]
    caller = _object(channel.get("caller"))
    kind, endpoint = _plain(kind, 80), _plain(endpoint, 80)
    return Incoming(
        channel=str(channel["id"]),
        caller=_plain(caller.get("number"), 64),
        called=_plain(_object(channel.get("dialplan")).get("exten"), 64),
        caller_name=_plain(caller.get("name"), 200),
        trunk=endpoint.removeprefix(TRUNK) if kind == "trunk" else "",
        anonymous=kind not in ("trunk", "extension"),
        sip_call_id=_plain(channel.get("protocol_id"), 255),
        to=_plain(_user_of(to), 64) if kind == "trunk" else "",
        surplus=bool(surplus),
    )


def _in_browser(channel: Mapping[str, Any]) -> bool:
    """Whether a channel of Asterisk is that of a browser phone."""
    return str(channel.get("name", "")).startswith((f"PJSIP/{WEB}", f"PJSIP/{USER}"))


def _user_of(uri: str) -> str:
    """The user of the SIP address at the end of a header without its punctuation, such as ``Anna sip:741@host``."""
    found = re.findall(r"sips?:([^@:]+)@", uri)
    return str(found[-1]) if found else ""


def _object(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int:
    """A whole number of a sensible size; 0 for anything else."""
    return value if type(value) is int and 0 <= value < 1 << 31 else 0


def _named(value: Any) -> str:
    """An id or a name; raises ValueError on what is none. Names become files, so no path passes."""
    if not isinstance(value, str) or not 0 < len(value) <= 255 or "/" in value or "\0" in value:
        raise ValueError("an id or a name is missing or senseless")
    return value


def _target(thing: Any) -> str:
    """What a playback or recording belongs to (``channel:<id>``); empty when that makes no sense."""
    uri = _object(thing).get("target_uri")
    target = uri.partition(":")[2] if isinstance(uri, str) else ""
    return target if len(target) <= 255 else ""


def _plain(value: Any, limit: int) -> str:
    """What a phone says of itself, as text that every database and screen takes: one line, no longer than `limit`."""
    if not isinstance(value, str):
        return ""
    shown = "".join(char if char.isprintable() else " " for char in value[: limit * 4])
    return shown.strip()[:limit]


def endpoint_of(destination: str) -> str:
    """What Asterisk dials for a destination of the port; raises `DriverError` (``refused``) on a bad one."""
    kind, _, rest = destination.partition(":")
    if kind == "extension" and re.fullmatch(r"[0-9]{1,15}", rest):
        return f"PJSIP/{rest}"
    if kind == "trunk":
        name, _, number = rest.partition(":")
        if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name) and _NUMBER.fullmatch(number):
            return f"PJSIP/{number}@{TRUNK}{name}"
    if kind in ("sip", "sips") and _URI.fullmatch(destination):
        return f"PJSIP/{DIRECT}/{destination}"
    raise DriverError(
        "refused", f"{destination!r} cannot be dialled: write extension:8001, trunk:<name>:<number> or sip:user@host"
    )


def complete_wav(path: Path) -> float:
    """The length of a WAV in seconds; a header that was never finished is put right first."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        head = file.read(44)
        if len(head) < 44 or head[:4] != b"RIFF" or head[36:40] != b"data":
            return 0.0
        (rate,) = struct.unpack_from("<I", head, 28)
        (length,) = struct.unpack_from("<I", head, 40)
        if length + 44 > size or (length == 0 and size > 44):
            length = (size - 44) // 2 * 2
            file.seek(4)
            file.write(struct.pack("<I", length + 36))
            file.seek(40)
            file.write(struct.pack("<I", length))
    return float(length / rate) if rate else 0.0


def _checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    if not pattern.fullmatch(value):
        raise DriverError("refused", f"{value!r} cannot be used as a {what}")
    return value


@contextlib.contextmanager
def _not_found_is_fine() -> Any:
    try:
        yield
    except AriError as error:
        if error.status != 404:
            raise
