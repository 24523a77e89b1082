"""What every call can do: the contract that nodes see.

`telephony.live_call.LiveCall` is the implementation, written once over the driver port;
`telephony.calls.CallBook` makes and finds the live calls of a process.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from telephony.prompts import Item


@dataclass(frozen=True, slots=True)
class Said:
    """What came of saying something. ``digit`` is the key that cut it short, if any."""

    texts: list[str]
    digit: str | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """Collected digits and why collecting ended. ``terminator`` is the key that ended it, if one did."""

    digits: str
    ended_by: Literal["full", "terminator", "timeout"]
    texts: list[str]
    terminator: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Recording:
    """A finished recording of what the caller said."""

    path: Path
    seconds: float
    ended_by: Literal["key", "silence", "limit", "stopped"]
    digit: str | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the caller answered, by voice or by key.

    ``words`` are those understood, empty when there were none that could be; ``digit`` is the key that was pressed
    instead. ``confidence`` is from 0 to 1.
    """

    words: str
    ended_by: Literal["speech", "key", "silence"]
    texts: list[str]
    confidence: float = 0.0
    digit: str | None = None


@dataclass(frozen=True, slots=True)
class DialResult:
    """What came of dialling out."""

    result: Literal["answered", "busy", "no_answer", "rejected", "failed"]
    channel: str
    sip_code: int = 0
    cause: str = ""


@dataclass(frozen=True, slots=True)
class TransferTarget:
    """Where a talk was handed over to: a queue or a flow, by its key, and who did it."""

    kind: Literal["queue", "flow"]
    key: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation between the caller and another leg.

    ``ended_by``  ``other_lost``: the other party's phone was lost, or a transfer reached nobody; the caller hears music
                  until the next command, and should be offered to somebody. ``transfer``: go on at ``target``
    """

    seconds: float
    ended_by: Literal["caller", "other", "key", "transfer", "other_lost"]
    digit: str | None = None
    target: TransferTarget | None = None


DetectedKind = Literal["person", "machine", "fax", "modem", "busy", "ringback", "sit", "silence", "unsure"]


@dataclass(frozen=True, slots=True)
class Detected:
    """Who or what is at the other end of a call.

    ``kind``          ``ringback`` is "still ringing" (tone or music), ``sit`` "cannot be reached" (special information
                      and congestion tones), ``unsure`` speech that is neither clearly a person nor a machine
    ``confidence``    0 to 1: an order among verdicts, not a measured probability
    ``cause``         what decided it, in English, for the trail
    ``milliseconds``  how much had been heard by then
    ``beep``          the machine's beep was awaited and is over: a message may be left now
    """

    kind: DetectedKind
    confidence: float
    cause: str
    milliseconds: int
    beep: bool = False


class Call(Protocol):
    """A live call. Every method raises `HungUp` at once when the call ends while it waits.

    Digits pressed ahead are kept in order and used by the next wait.
    """

    id: str
    caller: str
    called: str
    language: str

    @property
    def ended(self) -> bool: ...

    @property
    def answered(self) -> bool: ...

    async def answer(self) -> None:
        """Answer; no harm when it is answered already."""
        ...

    async def reject(self, cause: Literal["busy", "rejected", "unknown_number", "congestion"]) -> None: ...

    async def hang_up(self) -> None:
        """End the call. Does not raise `HungUp`."""
        ...

    async def say(
        self,
        items: Sequence[Item],
        *,
        barge_in: frozenset[str] = frozenset(),
        language: str | None = None,
        keep_key: bool = False,
    ) -> Said:
        """Play items to the end, or until one of the `barge_in` keys is pressed.

        The key is consumed, or with `keep_key` left for the next wait: a key pressed over a greeting is then the
        choice in the menu after it. A `barge_in` key counts only when no earlier key still waits, so that a number
        typed ahead is never taken apart.
        """
        ...

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
        """Say items and collect up to `maximum` digits.

        `first_timeout` runs from the end of the prompt to the first digit, `digit_timeout` between digits.
        `keys` limits what counts as a digit; others are dropped. With `barge_in` the prompt stops at the first
        digit or terminator and is not played at all when one was pressed ahead. A terminator pressed right
        after the last possible digit belongs to this entry and is swallowed. On a hang-up `HungUp.digits` holds the
        digits so far.
        """
        ...

    def understands(self, language: str | None = None) -> bool:
        """Whether speech in that language, or the call's own, can be recognised here."""
        ...

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
        """Say items and listen to the answer: words, or one of `keys`.

        With `phrases` only those are expected; else anything is understood. `first_timeout` runs from the end of the
        prompt to the first word, `pause` of silence ends an answer, `max_seconds` is its longest. With `barge_in` the
        prompt stops when the caller speaks; a key in `keys` always stops it. Other keys are dropped.
        Raises `SpeechError` (``no_language_pack``) before anything is said when the language has no pack.
        """
        ...

    async def detect(self, channel: str | None = None, *, max_seconds: float, wait_for_beep: bool = False) -> Detected:
        """Listen to the far end of this call, or of a leg, until it is known who or what is there.

        While it listens to a leg, the caller hears that it rings. After `max_seconds` the verdict is what is likeliest
        by then.
        """
        ...

    async def record(
        self, name: str, *, max_seconds: float, max_silence: float, terminators: str = "#", beep: bool = True
    ) -> Recording:
        """Record the caller. `name` is unique and stable: after a crash the same name finds the same recording.

        Keys pressed before it starts do not end it. On a hang-up it stops, and `recorded(name)` finds what there is.
        """
        ...

    async def recorded(self, name: str) -> Recording | None:
        """The finished recording of that name, or None. Works after the end of the call too."""
        ...

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
        """Dial another party while the caller hears ring-back or music. `channel` is the stable id of the new leg,
        `agent` the user whose phone it is, where the destination does not tell.

        A leg of that id that is up or ringing already is joined, never dialled again. When the caller leaves,
        the new leg is cancelled.
        """
        ...

    async def leg(self, channel: str) -> Literal["up", "ringing", "gone"]:
        """Where a leg stands that `dial` began, also one dialled before a restart of this process."""
        ...

    async def hang_up_leg(self, channel: str) -> None:
        """End a leg that `dial` began; one that is gone is no error."""
        ...

    async def talk(self, channel: str, *, release_key: str | None = None) -> Talk:
        """Bridge the caller with an answered leg until one of them leaves; the bridge is destroyed after.

        When the other party leaves, the caller stays. Meanwhile the talk may be held, transferred, joined and watched
        (`telephony.conversation`); it is one talk until nobody is left to talk with. `release_key`, pressed by the
        caller, hangs the other party up. When the caller hangs up, the other party is hung up and `HungUp` is raised.
        """
        ...

    async def listen_to_music(
        self,
        until: "asyncio.Future[Any]",
        *,
        keys: frozenset[str] = frozenset(),
        seconds: float,
        music: str = "default",
    ) -> str | None:
        """Let the caller hear music until something is done, one of `keys` is pressed or so many seconds are over.

        Returns the key. The music goes on until the next command, so that nobody hears a gap; other keys mean nothing.
        """
        ...

    async def pause_recording(self, paused: bool) -> None:
        """Keep what follows (a PIN) out of the recording of the whole call."""
        ...
