"""What a caller really hears from a call over Asterisk: prompts, comfort audio in silence, ring-back."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from telephony.asterisk.testing import running_asterisk
from telephony.calls import CallBook
from telephony.driver import Incoming
from telephony.live_call import LiveCall
from telephony.prompts import Audio, Item, Media
from telephony.sounds import Sounds
from telephony.speech.audio import write_wav
from tests.phones import Phone, audio
from tests.phones.test_audio import speechlike

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(90)]


class Files:
    """A renderer for items that are files already."""

    async def render(self, items: Sequence[Item], language: str) -> list[Media]:
        return [Media(item.path, item.path.stem, 2.0) for item in items if isinstance(item, Audio)]


async def test_prompts_silence_and_ringback_as_the_phone_hears_them(tmp_path: Path) -> None:
    first, second = tmp_path / "first.wav", tmp_path / "second.wav"
    write_wav(first, speechlike(2.0, 1))
    write_wav(second, speechlike(2.0, 2))
    sounds = Sounds(tmp_path / "sounds")
    came: asyncio.Queue[LiveCall] = asyncio.Queue()

    async def incoming(call: LiveCall, event: Incoming) -> None:
        came.put_nowait(call)

    async with (
        running_asterisk(tmp_path / "asterisk") as (config, driver),
        Phone("5550001", folder=tmp_path) as caller,
        Phone("nobody", folder=tmp_path, auto="ring") as nobody,
    ):
        book = CallBook(driver, Files(), sounds=sounds, on_incoming=incoming)
        book.start()
        phone = await caller.call(f"sip:100@127.0.0.1:{config.sip_port}")
        call = await asyncio.wait_for(came.get(), 10)
        await call.answer()
        await phone.confirmed()
        await call.say([Audio(first)])
        await asyncio.sleep(4)  # the flow is slow
        await call.say([Audio(second)])
        result = await call.dial("leg", nobody.uri, caller_id="100", ring_seconds=4)
        assert result.result == "no_answer"
        await call.hang_up()
        await phone.ended()
        await book.stop()
    heard = audio.load(phone.heard)
    one, two = audio.in_order([first, second], heard, least=0.7)
    assert two.start - one.start > 5.5
    gap = heard[round((one.start + 2.0) * 8000) : round(two.start * 8000)]
    assert audio.longest_silence(gap) < 2.0, "the caller sat in silence"
    assert audio.contains(audio.load(sounds.comfort)[:8000], gap, least=0.6)
    assert audio.has_tone(heard[round((two.start + 2.0) * 8000) :][:12000], 450)
