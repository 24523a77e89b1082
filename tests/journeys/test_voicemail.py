"""Callers of the service hotline who leave a message: how they come to it, and what becomes of it."""

import asyncio
from pathlib import Path

import pytest

from backend.runtime.testing import Product
from tests.journeys.scenes import tone
from tests.journeys.test_hotline import to_menu
from tests.journeys.walker import Caller
from tests.phones.audio import find, has_tone, load
from tests.phones.phone import Phone

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(
    ("behaviour", "port"),
    [
        pytest.param("busy", "busy", id="486"),
        pytest.param("decline", "busy", id="603", marks=pytest.mark.soak),
        pytest.param("ring", "no_answer", id="silence", marks=pytest.mark.soak),
    ],
)
async def test_a_person_who_cannot_answer_leads_to_voicemail(
    caller: Caller, agent: Phone, tmp_path: Path, behaviour: str, port: str
) -> None:
    walker = await caller()
    await agent.behave(behaviour)  # type: ignore[arg-type]
    await to_menu(walker)
    await walker.press("menu", "0")
    await walker.at("voicemail", timeout=45)
    assert ("person", port) in await walker.path()
    await walker.call.hang_up()
    await walker.closed()


async def test_voicemail_can_be_heard_recorded_again_and_given_a_number(
    caller: Caller, product: Product, tmp_path: Path
) -> None:
    walker = await caller()
    first, second = tone(tmp_path / "first.wav", 500, 2), tone(tmp_path / "second.wav", 900, 3)
    await to_menu(walker)
    await walker.press("menu", "3")
    await walker.at("voicemail")
    await walker.after_beep("请在提示音后留言，按井号键结束。")
    await walker.call.play(first)
    await walker.call.press("#")
    await asyncio.sleep(1)
    await walker.call.press("1")  # listen
    await asyncio.sleep(4)
    await walker.call.press("2")  # again
    await walker.after_beep("请在提示音后留言，按井号键结束。")
    await walker.call.play(second)
    await walker.call.press("#")
    await asyncio.sleep(1)
    await walker.call.press("3")  # leave a number
    await asyncio.sleep(2)
    await walker.call.press("13800000009#")
    await asyncio.sleep(2)
    await walker.call.press("#")
    await walker.finished()
    assert (await walker.path())[-4:] == [
        ("voicemail", "next"),
        ("thanks", "next"),
        ("goodbye", "next"),
        ("hang_up", "next"),
    ]
    message = await walker.voicemail()
    assert message.complete
    assert message.callback_number and message.callback_number.endswith("13800000009")
    saved = load(product.home / "recordings" / message.path)
    assert find(load(second)[4000:16000], saved).score > 0.9
    assert find(load(first)[4000:12000], saved).score < 0.5
    assert has_tone(load(walker.call.heard), 500), "the caller did not hear the first message"
