"""Real calls against any SIP address: key → next prompt, and INVITE → 200, measured at the caller's socket.

The far end plays prompt A, and on the key 1 prompt B, on the next key A again, and so on. The prompts are tones of
2,000 and 1,000 Hz, so that one 20 ms packet tells which prompt it belongs to, whatever its loudness.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from bench.sip_caller import CallRefusedError, Packet, SipCall, SipCaller

TONES = (2000, 1000)
PROMPT_SECONDS = 30.0


def write_prompts(folder: Path) -> tuple[Path, Path]:
    """The two prompts as 8 kHz WAV files in `folder`."""
    paths = []
    for name, hertz in zip("ab", TONES, strict=True):
        at = np.arange(int(8000 * PROMPT_SECONDS)) / 8000
        # A quarter of a period off zero, so that no sample sits on the sign change.
        wave = 0.2 * np.sin(2 * np.pi * hertz * at + np.pi / 4)
        path = folder / f"bench-{name}.wav"
        soundfile.write(path, (wave * 32767).astype(np.int16), 8000)
        paths.append(path)
    return paths[0], paths[1]


def prompt_of(payload: bytes) -> int | None:
    """Which prompt a packet belongs to, None for silence or a packet on the border."""
    signs = np.frombuffer(payload, np.uint8) >> 7
    changes = int(np.count_nonzero(np.diff(signs)))
    frequency = changes / 2 / (len(payload) / 8000)
    for index, hertz in enumerate(TONES):
        if abs(frequency - hertz) < hertz * 0.15:
            return index
    return None


@dataclass(slots=True)
class _Listener:
    """Notes when each prompt was first heard after a key."""

    expected: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    at: float = 0.0

    def expect(self, prompt: int) -> None:
        self.expected = prompt
        self.arrived.clear()

    def __call__(self, packet: Packet) -> None:
        if not self.arrived.is_set() and prompt_of(packet.payload) == self.expected:
            self.at = packet.at
            self.arrived.set()


@dataclass(slots=True)
class KeyFigures:
    """Seconds from the first END packet of a key to the first packet of the next prompt; keys that brought nothing."""

    seconds: list[float] = field(default_factory=list)
    missed: int = 0
    refused: int = 0


async def key_to_prompt(
    target: str, *, calls: int, keys_per_second: float, seconds: float, talking: bool = False
) -> KeyFigures:
    """Hold `calls` calls and press keys spread evenly over them for `seconds`; `talking` sends sound all the time."""
    figures = KeyFigures()
    gap = calls / keys_per_second
    until = time.perf_counter() + seconds + calls / 10 + 1

    async def one(caller: SipCaller, index: int) -> None:
        await asyncio.sleep(index / 10)
        listener = _Listener()
        try:
            call = await caller.call(target, caller=f"555{index:04d}", on_packet=listener)
        except (CallRefusedError, TimeoutError):
            figures.refused += 1
            return
        if talking:
            call.speak(b"")
        try:
            await _press_on(call, listener, figures, gap=gap, offset=(index / calls) * gap, until=until)
        finally:
            await call.hang_up()

    async with SipCaller() as caller:
        await asyncio.gather(*(one(caller, index) for index in range(calls)))
    return figures


async def _press_on(
    call: SipCall, listener: _Listener, figures: KeyFigures, *, gap: float, offset: float, until: float
) -> None:
    try:
        await asyncio.wait_for(listener.arrived.wait(), 5)
    except TimeoutError:
        figures.missed += 1
        return
    await asyncio.sleep(offset)
    prompt = 0
    while time.perf_counter() < until and not call.ended.is_set():
        prompt = 1 - prompt
        began = time.perf_counter()
        listener.expect(prompt)
        end_packet = await call.press("1", seconds=0.08)
        try:
            await asyncio.wait_for(listener.arrived.wait(), 3)
            figures.seconds.append(listener.at - end_packet)
        except TimeoutError:
            figures.missed += 1
        await asyncio.sleep(max(0.0, gap - (time.perf_counter() - began)))


@dataclass(slots=True)
class AnswerFigures:
    """Seconds from INVITE to 200, and calls that were not answered."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0


async def invite_to_answer(target: str, *, rate: float, seconds: float, hold: float = 1.0) -> AnswerFigures:
    """Place `rate` calls a second for `seconds`; each is held for `hold` seconds."""
    figures = AnswerFigures()

    async def one(caller: SipCaller, index: int) -> None:
        try:
            call = await caller.call(target, caller=f"556{index:05d}", on_packet=lambda packet: None)
        except (CallRefusedError, TimeoutError):
            figures.refused += 1
            return
        figures.seconds.append(call.answered_at - call.invited_at)
        await asyncio.sleep(hold)
        await call.hang_up()

    async with SipCaller() as caller:
        began = time.perf_counter()
        placed: list[asyncio.Task[None]] = []
        for index in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + index / rate - time.perf_counter()))
            placed.append(asyncio.create_task(one(caller, index)))
        await asyncio.gather(*placed)
    return figures


async def warm_up(target: str, calls: int = 10) -> None:
    """A few calls that are not measured."""
    await invite_to_answer(target, rate=5, seconds=calls / 5)


def failures(*figures: KeyFigures | AnswerFigures) -> Sequence[str]:
    """What went wrong, for the table."""
    told = []
    for one in figures:
        if one.refused:
            told.append(f"{one.refused} calls refused")
        if isinstance(one, KeyFigures) and one.missed:
            told.append(f"{one.missed} keys brought no prompt")
    return told
