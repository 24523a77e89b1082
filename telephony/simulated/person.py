"""Scripted people: what a caller, or somebody who is called, hears and does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from telephony.driver import HangupCause

if TYPE_CHECKING:
    from telephony.simulated.driver import SimulatedDriver

HeardKind = Literal["prompt", "music", "ringback", "comfort", "beep", "speech"]


@dataclass(slots=True)
class Heard:
    """One thing that was heard. ``at`` and ``until`` are times of the event loop's clock; ``whole`` to its end."""

    at: float
    text: str
    kind: HeardKind = "prompt"
    until: float | None = None
    whole: bool = False


class ScriptFailedError(Exception):
    """Something the script waited for never came."""


class LineEndedError(Exception):
    """The call ended while the script went on."""


class Line:
    """A person's end of a call: ears, keys and a voice."""

    def __init__(self, driver: "SimulatedDriver", channel: str, caller: str, called: str) -> None:
        self.driver = driver
        self.channel = channel
        self.caller = caller
        self.called = called
        self.heard: list[Heard] = []
        self.began = driver.now()
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.cause: str | None = None
        self.sip_code = 0
        self.failure: str | None = None
        self.script: asyncio.Task[None] | None = None
        self._whole_from = 0
        self._begun_from = 0
        self._changed = asyncio.Event()

    # ----------------------------------------------------------------- what happened

    @property
    def texts(self) -> list[str]:
        """The words heard, in order, prompts and speech only."""
        return [one.text for one in self.heard if one.kind in ("prompt", "speech")]

    @property
    def ended(self) -> bool:
        return self.ended_at is not None

    def longest_silence(self) -> float:
        """The longest time without anything to hear, from the answer to the end (or now)."""
        if self.answered_at is None:
            return 0.0
        end = self.ended_at if self.ended_at is not None else self.driver.now()
        quiet, last = 0.0, self.answered_at
        for one in sorted(self.heard, key=lambda heard: heard.at):
            quiet = max(quiet, one.at - last)
            last = max(last, one.until if one.until is not None else end)
        return max(quiet, end - last)

    # ----------------------------------------------------------------- what a script can do

    async def hear(self, text: str, *, whole: bool = True, within: float = 120.0) -> Heard:
        """Wait until something that holds `text` is heard, after what was heard by the last wait.

        `whole` waits until the piece is over; otherwise its beginning is enough.
        """

        def find() -> int | None:
            for index in range(self._whole_from if whole else self._begun_from, len(self.heard)):
                one = self.heard[index]
                if text in one.text and (one.whole or not whole):
                    return index
            return None

        try:
            async with asyncio.timeout(within):
                while (found := find()) is None:
                    self._alive()
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise ScriptFailedError(f"never heard {text!r}; heard {[one.text for one in self.heard]}") from None
        # What was heard beginning may still be heard to its end by the next wait.
        self._begun_from = found + 1
        self._whole_from = found + 1 if whole else found
        return self.heard[found]

    async def answered(self, within: float = 120.0) -> None:
        """Wait until the call is answered."""
        try:
            async with asyncio.timeout(within):
                while self.answered_at is None:
                    self._alive()
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise ScriptFailedError("the call was never answered") from None

    async def wait_ended(self, within: float = 3600.0) -> None:
        """Wait until the call is over."""
        try:
            async with asyncio.timeout(within):
                while not self.ended:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise ScriptFailedError("the call never ended") from None

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def press(self, keys: str, *, gap: float = 0.25) -> None:
        """Press keys one after the other, `gap` seconds apart."""
        for index, key in enumerate(keys):
            if index:
                await asyncio.sleep(gap)
            self._alive()
            self.driver.key(self.channel, key)

    async def speak(self, seconds: float, text: str = "…") -> None:
        """Talk for a while."""
        self._alive()
        self.driver.speech(self.channel, True, text)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.driver.speech(self.channel, False, text)

    def transfer(self, target: str) -> None:
        """Ask for a transfer."""
        self.driver.wish_transfer(self.channel, target)

    def hang_up(self, cause: HangupCause = "normal") -> None:
        self.driver.leave(self.channel, cause)

    # ----------------------------------------------------------------- from the driver

    def changed(self) -> None:
        self._changed.set()

    def _alive(self) -> None:
        if self.ended:
            raise LineEndedError(f"the call has ended: {self.cause}")


Step = Callable[[Line], Awaitable[None]]


class Person:
    """A script, written as a chain: ``Person().hears("Welcome").presses("1").waits(2).hangs_up()``.

    - Steps run one after the other from the moment the call begins.
    - A script that ends stays on the line, silent, until the other side hangs up.
    - When something never comes, the person hangs up and the line's ``failure`` says what was missing.
    """

    def __init__(self) -> None:
        self._steps: list[Step] = []

    def does(self, step: Step) -> "Person":
        """Any coroutine function over the `Line`."""
        self._steps.append(step)
        return self

    def hears(self, text: str, *, whole: bool = True, within: float = 120.0) -> "Person":
        """Wait for words; with ``whole=False`` their beginning is enough, to interrupt them."""

        async def step(line: Line) -> None:
            await line.hear(text, whole=whole, within=within)

        return self.does(step)

    def is_answered(self) -> "Person":
        async def step(line: Line) -> None:
            await line.answered()

        return self.does(step)

    def waits(self, seconds: float) -> "Person":
        async def step(line: Line) -> None:
            await line.wait(seconds)

        return self.does(step)

    def presses(self, keys: str, *, gap: float = 0.25) -> "Person":
        async def step(line: Line) -> None:
            await line.press(keys, gap=gap)

        return self.does(step)

    def speaks(self, seconds: float, text: str = "…") -> "Person":
        async def step(line: Line) -> None:
            await line.speak(seconds, text)

        return self.does(step)

    def transfers(self, target: str) -> "Person":
        async def step(line: Line) -> None:
            line.transfer(target)

        return self.does(step)

    def hangs_up(self) -> "Person":
        async def step(line: Line) -> None:
            line.hang_up()

        return self.does(step)

    async def act(self, line: Line) -> None:
        """Play the script on a line."""
        try:
            for step in self._steps:
                await step(line)
        except LineEndedError as error:
            line.failure = str(error)
        except ScriptFailedError as error:
            line.failure = str(error)
            line.hang_up()


@dataclass(frozen=True, slots=True)
class Callee:
    """How a dialled party behaves: rings after ``rings_after``, then does ``result`` ``after`` more seconds.

    ``no_answer`` rings until the caller gives up.
    """

    result: Literal["answered", "busy", "no_answer", "rejected", "unknown_number", "unavailable", "congestion"] = (
        "answered"
    )
    after: float = 2.0
    rings_after: float = 0.1
    person: Person | None = None
