"""A caller at a real phone who walks a flow, and what the product wrote down about it."""

import asyncio
import re
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import soundfile
from sqlmodel import col, select

from backend.calls.models import Call, Run, TrailEntry
from backend.database import Database, read
from backend.runtime.testing import Product
from backend.voicemails.models import Voicemail
from telephony.prompts import MediaRenderer, Speak
from telephony.speech.audio import RATE
from tests.phones.audio import find, load
from tests.phones.phone import Phone, PhoneCall

CHINESE = re.compile(r"[\u4e00-\u9fff]")


Caller = Callable[[], Awaitable["Walker"]]
"""A fixture: makes a caller with a number of their own."""


class Walker:
    """One call of one caller. The caller's number is the test's own, so that the records are found by it."""

    def __init__(
        self, product: Product, database: Database, renderer: MediaRenderer, prompts: Path, folder: Path, number: str
    ) -> None:
        self.product = product
        self.database = database
        self.renderer = renderer
        self.prompts = prompts
        self.number = number
        self.phone = Phone(number, folder=folder)
        self._call: PhoneCall | None = None

    async def __aenter__(self) -> Self:
        await self.phone.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.phone.close()

    @property
    def call(self) -> PhoneCall:
        assert self._call is not None, "dial first"
        return self._call

    async def dial(self, number: str = "100") -> PhoneCall:
        """Call a number of the product and wait for the answer."""
        self._call = await self.phone.call(f"sip:{number}@127.0.0.1:{self.product.sip_port}")
        await self._call.confirmed()
        return self._call

    async def record(self) -> Call | None:
        """The newest call of this caller in the database."""
        async with read(self.database) as session:
            query = select(Call).where(Call.caller == self.number).order_by(col(Call.started_at).desc())
            return (await session.exec(query)).first()

    async def run(self) -> Run | None:
        """The run of that call."""
        call = await self.record()
        if call is None:
            return None
        async with read(self.database) as session:
            return (await session.exec(select(Run).where(Run.call_id == call.id))).first()

    async def steps(self) -> Sequence[TrailEntry]:
        """The path so far."""
        call = await self.record()
        if call is None:
            return []
        async with read(self.database) as session:
            query = select(TrailEntry).where(TrailEntry.call_id == call.id).order_by(col(TrailEntry.seq))
            return (await session.exec(query)).all()

    async def path(self) -> list[tuple[str, str | None]]:
        """Node and port of every step."""
        return [(step.node_id, step.port) for step in await self.steps()]

    async def at(self, node: str, *, visit: int = 1, timeout: float = 25.0) -> None:
        """Wait until the call stands on a node, entered for the `visit`-th time."""
        until = time.monotonic() + timeout
        steps: Sequence[TrailEntry] = []
        while time.monotonic() < until:
            steps = await self.steps()
            entered = [step for step in steps if step.node_id == node]
            if len(entered) >= visit and steps[-1].seq == entered[visit - 1].seq:
                return
            await asyncio.sleep(0.05)
        walked = [(step.node_id, step.port) for step in steps]
        raise AssertionError(f"the call never stood on {node} (visit {visit}); it walked {walked}")

    async def press(self, node: str, keys: str, *, visit: int = 1, after: float = 1.2) -> None:
        """Press keys while the call stands on a node."""
        await self.at(node, visit=visit)
        await asyncio.sleep(after)
        await self.call.press(keys)

    async def finished(self, timeout: float = 30.0) -> Run:
        """Wait until the phone's call has ended and the records are complete; returns the run."""
        await self.call.ended(timeout)
        return await self.closed()

    async def closed(self, timeout: float = 10.0) -> Run:
        """Wait until the records of the call and its run are complete."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            call, run = await self.record(), await self.run()
            if call and run and call.state == "ended" and run.state != "running":
                return run
            await asyncio.sleep(0.05)
        raise AssertionError(f"the records stay open: {await self.record()!r} {await self.run()!r}")

    async def after_beep(self, words: str) -> None:
        """Wait until the words that ask for a message, and the tone after them, are over."""
        info = soundfile.info(await self.render(words))
        await asyncio.sleep(info.duration + 1.0)

    async def voicemail(self) -> Voicemail:
        """The message that this call left."""
        call = await self.record()
        assert call is not None
        async with read(self.database) as session:
            found = (await session.exec(select(Voicemail).where(Voicemail.call_id == call.id))).all()
        assert len(found) == 1, f"one message was expected: {found}"
        return found[0]

    async def heard(self, least: float = 0.7) -> None:
        """Check that the phone heard what the trail says, at the time that the trail says.

        Keys cut prompts short: of the last one of a step that takes keys only the first second is looked for, and
        one with less time is left out. The same words score above 0.9 on a quiet machine, other words below 0.4.
        """
        await self.sync_prompts()
        recording = await asyncio.to_thread(load, self.call.heard)
        looked_for = 0
        for step in await self.steps():
            if step.left is None:
                continue
            begin = step.entered.timestamp() - self.call.listening_since
            # Writing the trail and starting the sound take a moment of the step's time.
            end = step.left.timestamp() - self.call.listening_since - 0.3
            for words in step.said:
                sound = await asyncio.to_thread(load, await self.render(words))
                audible = sound[: int(max(0.0, end - begin) * RATE)]
                if words == step.said[-1] and step.node_type != "voice.say":
                    audible = audible[:RATE]
                if len(audible) >= RATE:
                    first, last = max(0.0, begin - 0.7), max(end, begin + len(audible) / RATE) + 1.5
                    window = recording[int(first * RATE) : int(last * RATE)]
                    match = await asyncio.to_thread(find, audible, window)
                    told = f"{step.node_id}: {words!r} was not heard at {begin:.1f} s (score {match.score:.2f})"
                    assert match.score >= least, told
                    looked_for += 1
                begin += len(sound) / RATE
        assert looked_for, "the trail holds no words that were played"

    async def sync_prompts(self) -> None:
        """Take over the prompts that the product has rendered: the voice never says the same twice alike."""
        await asyncio.to_thread(
            shutil.copytree, self.product.home / "speech", self.prompts, dirs_exist_ok=True, ignore=_unfinished
        )

    async def render(self, words: str) -> Path:
        """The product's own audio of some words."""
        language = "zh" if CHINESE.search(words) else "en"
        media = await self.renderer.render([Speak(words, language)], language)
        assert len(media) == 1
        return media[0].path


def _unfinished(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name == "making"}
