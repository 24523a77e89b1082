"""The port between the product and a telephony engine.

A driver moves media and signalling and knows nothing of flows. Ids of channels, playbacks, recordings and
bridges are chosen by the caller, so that a command sent twice after a crash is seen to be the same one.
Two drivers implement the port: `telephony.asterisk` and `telephony.simulated`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

# --------------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call came in and waits in the driver's hands, not yet answered.

    ``called`` is what the request asks for, ``to`` the number in the ``To`` header of a trunk's call: providers that
    call a registered account put the number there only. A ``surplus`` call is beyond the engine's cap: it is let in
    to be written down and refused.
    """

    channel: str
    caller: str
    called: str
    caller_name: str = ""
    trunk: str = ""
    anonymous: bool = False
    sip_call_id: str = ""
    to: str = ""
    surplus: bool = False


@dataclass(frozen=True, slots=True)
class Ringing:
    """An outgoing channel rings at the far end."""

    channel: str


@dataclass(frozen=True, slots=True)
class Answered:
    """An outgoing channel was answered and is in the driver's hands."""

    channel: str


@dataclass(frozen=True, slots=True)
class Digit:
    """A key was pressed and let go (RFC 4733 or SIP INFO)."""

    channel: str
    digit: str


@dataclass(frozen=True, slots=True)
class TalkingStarted:
    channel: str


@dataclass(frozen=True, slots=True)
class TalkingStopped:
    channel: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SoundStopped:
    """An answered browser phone, which sends sound without a break, has stopped sending: a page that died, a cable.

    It may come back (`SoundResumed`); after a while without it the engine ends the channel as ``lost``.
    """

    channel: str


@dataclass(frozen=True, slots=True)
class SoundResumed:
    """Sound comes again from a channel whose sound had stopped."""

    channel: str


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """A playback ended. ``failed`` when its file could not be played."""

    channel: str
    playback: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class RecordingFinished:
    """A recording ended and its file is complete at ``path``."""

    channel: str
    name: str
    path: Path
    seconds: float
    failed: bool = False


@dataclass(frozen=True, slots=True)
class BridgeEntered:
    bridge: str
    channel: str


@dataclass(frozen=True, slots=True)
class BridgeLeft:
    bridge: str
    channel: str


@dataclass(frozen=True, slots=True)
class TransferRequested:
    """The far end asked for a transfer (SIP REFER).

    ``target`` is empty for one that would join two calls of the phone (``Replaces``): each of them is a call of ours
    with a flow and a record, so it is refused, and the phone is told so. The console's consultation does the same.
    """

    channel: str
    target: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """A channel is gone. ``cause`` is one of `HangupCause`; ``sip_code`` is the final SIP code, 0 if none."""

    channel: str
    cause: str
    sip_code: int = 0
    q850: int = 0


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The engine cannot be reached. Calls may still be up."""


@dataclass(frozen=True, slots=True)
class ConnectionRestored:
    """The engine is back. ``channels`` are what still exists; ``restarted`` tells whether it is a new start."""

    channels: frozenset[str] = frozenset()
    restarted: bool = False


Event = (
    Incoming
    | Ringing
    | Answered
    | Digit
    | TalkingStarted
    | TalkingStopped
    | SoundStopped
    | SoundResumed
    | PlaybackFinished
    | RecordingFinished
    | BridgeEntered
    | BridgeLeft
    | TransferRequested
    | Hangup
    | ConnectionLost
    | ConnectionRestored
)
EventHandler = Callable[[Event], None]

FrameHandler = Callable[[bytes], None]
"""Gets 20 ms of sound: 320 bytes, 16 bit little-endian, 8,000 samples a second, one channel."""

HangupCause = Literal[
    "normal",
    "busy",
    "no_answer",
    "rejected",
    "unknown_number",
    "unavailable",
    "congestion",
    "cancelled",
    "engine_lost",
    "lost",
    "failed",
]
"""``lost``: an answered party's sound stopped coming, as from a closed laptop or a network that broke."""

# --------------------------------------------------------------------------- snapshots


@dataclass(frozen=True, slots=True)
class ChannelState:
    """One live channel as the engine sees it."""

    channel: str
    caller: str
    called: str
    up: bool
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is up now, for reconciling after a reconnect."""

    channels: Mapping[str, ChannelState] = field(default_factory=dict)
    bridges: Mapping[str, frozenset[str]] = field(default_factory=dict)
    taps: frozenset[str] = frozenset()
    """Names of the recordings of whole channels that go on."""
    paused: frozenset[str] = frozenset()
    """Those of them that keep nothing at the moment."""


# --------------------------------------------------------------------------- the port


class Driver(Protocol):
    """Commands. All raise `telephony.errors.DriverError`; ``not_found`` when the channel is gone.

    Commands are idempotent by id: answering an answered channel, stopping what has ended, or creating a
    bridge, playback or recording that exists are no errors.
    """

    def subscribe(self, handler: EventHandler) -> Callable[[], None]:
        """Call `handler` with every event, in order, from the event loop; returns how to stop it."""
        ...

    async def answer(self, channel: str) -> None: ...

    async def ring(self, channel: str) -> None: ...

    async def reject(self, channel: str, cause: HangupCause = "rejected") -> None:
        """Refuse an unanswered call: ``busy`` is 486, ``rejected`` 603, ``unknown_number`` 404, ``congestion`` 503."""
        ...

    async def hang_up(self, channel: str, cause: HangupCause = "normal") -> None: ...

    async def play(self, target: str, playback: str, files: Sequence[Path]) -> None:
        """Play files one after the other to a channel or a bridge; ends with one `PlaybackFinished`."""
        ...

    async def stop_playing(self, playback: str) -> None: ...

    async def plays(self, playback: str) -> bool:
        """Whether a playback goes on or waits for its turn, whichever process began it."""
        ...

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
        """Record what a channel says, or a whole bridge, as WAV; 0 means no limit; ends with `RecordingFinished`."""
        ...

    async def stop_recording(self, name: str) -> None: ...

    async def pause_recording(self, name: str, paused: bool) -> None: ...

    async def recording(self, name: str) -> Path | None:
        """The complete file of a recording that has ended, or None while it runs or if it never was."""
        ...

    async def tap(self, channel: str, name: str) -> None:
        """Record both directions of a channel into one WAV from now until `stop_recording` or its end."""
        ...

    async def send_digits(self, channel: str, digits: str) -> None: ...

    async def originate(
        self,
        channel: str,
        destination: str,
        *,
        caller_id: str,
        timeout: float,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Dial ``extension:<number>``, ``trunk:<name>:<number>`` or ``sip:<uri>``.

        Returns when the engine has taken the order; then come `Ringing`, `Answered` or `Hangup`.
        A channel id that exists already is no second dial.
        """
        ...

    async def create_bridge(self, bridge: str) -> None: ...

    async def add_to_bridge(self, bridge: str, channel: str) -> None: ...

    async def remove_from_bridge(self, bridge: str, channel: str) -> None: ...

    async def destroy_bridge(self, bridge: str) -> None: ...

    async def start_music(self, channel: str, music: str = "default") -> None: ...

    async def stop_music(self, channel: str) -> None: ...

    async def hold(self, channel: str, on: bool) -> None: ...

    async def mute(self, channel: str, on: bool) -> None: ...

    async def snoop(
        self,
        channel: str,
        snoop: str,
        *,
        spy: Literal["none", "in", "out", "both"],
        whisper: Literal["none", "in", "out", "both"],
    ) -> None:
        """A channel named `snoop` that hears, and may speak into, another one."""
        ...

    async def detect_talking(self, channel: str, on: bool) -> None: ...

    async def listen(self, channel: str, stream: str, handler: FrameHandler) -> None:
        """From now on give `handler` what the far end of an answered channel says, a frame each 20 ms.

        Called from the event loop, in order; silence comes as frames too, what we play does not. It ends with
        `stop_listening`, the channel, or the engine's connection. A stream of that id that runs is no second one.
        """
        ...

    async def stop_listening(self, stream: str) -> None: ...

    async def transfer(self, channel: str, target: str) -> None:
        """Send the far end away to another SIP target (REFER)."""
        ...

    async def snapshot(self) -> Snapshot: ...
