"""When things go wrong under a call: killed processes, an absent Temporal, failing nodes, callers who leave."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from backend.calls.models import Leg, TrailEntry
from backend.database import Database, read
from backend.effects.models import EffectRecord
from backend.messages.models import OutboxMessage
from backend.runtime.testing import Product
from backend.voicemails.models import Voicemail
from bench.sip_caller import CallRefusedError, SipCaller
from telephony.speech.audio import RATE
from telephony.speech.builtin import builtin
from tests.journeys import scenes
from tests.journeys.scenes import document, hears, hears_words, in_recording, node, spoken, tone, until, words
from tests.journeys.walker import Caller, Walker
from tests.phones.audio import contains, find, has_tone, load, longest_silence
from tests.phones.phone import Phone, PhoneCall

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]

OPENING = [("answer", "next"), ("blocked", "not_listed"), ("greeting", "next"), ("language", "2"), ("hours", "open")]
MENU = (
    "For your balance and points, press 1. For our latest news, press 2. To leave us a message, press 3. "
    "To finish, press 9. To speak to a person, press 0 at any time."
)
GOODBYE = "Thank you for calling. Goodbye."
LEAVE_MESSAGE = "Please leave a message after the tone, and press hash when you have finished."
REVIEW = (
    "To listen to your message press 1, to record it again press 2, to leave a callback number press 3. "
    "To keep it, press hash or hang up."
)
PROMPT_SECONDS = 5.0
"""From the kill of the Python process to the next prompt."""
SILENT_SECONDS = 2.0
"""The longest silence that a caller may sit in."""
ENGINE_SECONDS = 5.0
"""From the kill of Asterisk to the next answered call."""


async def to_menu(walker: Walker) -> None:
    """Dial the hotline in English; returns when the caller stands in the main menu."""
    await walker.dial()
    await walker.press("greeting", "2")
    await walker.at("menu")


@pytest.fixture
def explain(product: Product) -> Iterator[None]:
    """The product's logs beside a failure: they are the only trace of what other processes did."""
    yield
    print(product.log())  # noqa: T201  shown by pytest for failed tests only


# --------------------------------------------------------------------------- the Python process is killed


async def test_a_killed_process_costs_the_caller_a_moment(
    caller: Caller, product: Product, database: Database, explain: None
) -> None:
    walker = await caller()
    await to_menu(walker)
    call = walker.call
    menu = await spoken(walker, MENU)
    # The worst moment: the prompt is over, nothing plays that could outlive the process.
    await hears(call, menu[-2 * RATE :], timeout=25)
    product.kill_python()
    killed = in_recording(call)
    again = await hears(call, menu[: 3 * RATE], after=killed, timeout=25)
    waited = again.start - killed
    silent = longest_silence(load(call.heard)[round(killed * RATE) : round(again.start * RATE)])
    print(f"kill to the next prompt {waited:.2f} s, longest silence {silent:.2f} s")  # noqa: T201
    assert call.state == "confirmed"
    assert waited <= PROMPT_SECONDS
    assert silent <= SILENT_SECONDS
    await call.press("2")
    await walker.press("menu", "9", visit=2)
    run = await walker.finished()
    assert run.state == "completed"
    path = await walker.path()
    assert path == [
        *OPENING,
        ("menu", "2"),
        ("news", "next"),
        ("menu", "9"),
        ("goodbye", "next"),
        ("hang_up", "next"),
    ]
    record = await walker.record()
    assert record is not None and record.cause == "normal" and record.ended_at and record.answered_at
    recorded = await scenes.recording_of(product, database, record.id)
    lasted = (record.ended_at - record.answered_at).total_seconds()
    assert len(recorded) / RATE == pytest.approx(lasted, abs=1.5), "the recording has a gap"
    first, second = find(menu, recorded), find(await spoken(walker, GOODBYE), recorded)
    assert first.score > 0.8 and second.score > 0.8 and first.start < second.start


async def test_a_message_outlives_a_killed_process(
    caller: Caller, product: Product, tmp_path: Path, explain: None
) -> None:
    walker = await caller()
    await to_menu(walker)
    await walker.press("menu", "3")
    await walker.at("voicemail")
    call = walker.call
    await hears_words(walker, LEAVE_MESSAGE)
    await asyncio.sleep(1.0)  # the tone
    await call.play(tone(tmp_path / "before.wav", 500, 2))
    product.kill_python()
    killed = time.monotonic()
    await asyncio.sleep(0.5)
    # They go on talking: nothing tells them that anything has happened.
    await call.play(tone(tmp_path / "after.wav", 900, 4))
    await product.healthy()
    assert time.monotonic() - killed < 25
    await call.press("#")
    await hears_words(walker, REVIEW, after=in_recording(call))
    await call.press("#")
    await walker.finished()
    assert ("voicemail", "next") in await walker.path()
    message = await walker.voicemail()
    assert message.complete
    kept = load(product.home / "recordings" / message.path)
    assert find(load(tmp_path / "before.wav")[RATE // 2 : RATE * 3 // 2], kept).score > 0.9
    assert find(load(tmp_path / "after.wav")[RATE // 2 : RATE * 7 // 2], kept).score > 0.9
    assert message.seconds == pytest.approx(6.5, abs=2.5)


