"""Every branch of the service hotline, walked by real phones over SIP and RTP."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from backend.runtime.testing import Product
from tests.journeys.scenes import tone
from tests.journeys.walker import Caller, Walker
from tests.phones.audio import contains, find, has_tone, load
from tests.phones.phone import Phone

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]

OPENING = [("answer", "next"), ("blocked", "not_listed"), ("greeting", "next"), ("language", "next"), ("hours", "open")]


async def to_menu(walker: Walker, language: str = "1") -> None:
    """Dial and choose a language; returns when the caller is in the main menu."""
    await walker.dial()
    await walker.press("greeting", language)
    await walker.at("menu")


async def test_news_and_goodbye_in_both_languages(caller: Caller) -> None:
    async def walk(walker: Walker, language: str) -> None:
        await walker.dial()
        await walker.press("language", language, after=3.5)
        await walker.press("menu", "2")
        await walker.press("menu", "9", visit=2)
        run = await walker.finished()
        assert run.state == "completed"
        assert await walker.path() == [
            *OPENING,
            ("menu", "2"),
            ("news", "next"),
            ("menu", "9"),
            ("goodbye", "next"),
            ("hang_up", "next"),
        ]
        await walker.heard()

    await asyncio.gather(walk(await caller(), "1"), walk(await caller(), "2"))


async def test_balance_is_spoken_after_card_and_pin(caller: Caller) -> None:
    async def walk(walker: Walker, language: str, card: str, pin: str, words: str) -> None:
        await to_menu(walker, language)
        await walker.press("menu", "1")
        await walker.press("card", f"{card}#")
        await walker.press("pin", f"{pin}#")
        await walker.press("after", "1")
        await walker.press("after", "9", visit=2)
        await walker.finished()
        nodes = [node for node, _ in await walker.path()]
        known = ["menu", "card", "pin", "verify", "balance", "tell", "after", "tell", "after", "goodbye", "hang_up"]
        assert nodes[5:] == known
        told = [" ".join(step.said) for step in await walker.steps() if step.node_id == "tell"]
        assert len(told) == 2
        assert all(words in one for one in told), told
        await walker.heard()

    await asyncio.gather(
        walk(await caller(), "1", "62220001", "2468", "一千二百三十四元五角"),
        walk(await caller(), "2", "62220002", "1357", "seventy-eight"),
    )


async def test_pin_is_nowhere_in_the_home_folder(caller: Caller, product: Product) -> None:
    walker = await caller()
    pin = "918273"
    await to_menu(walker)
    await walker.press("menu", "1")
    await walker.press("card", "62229999#")
    await walker.press("pin", f"{pin}#")
    await walker.at("wrong")
    await walker.call.hang_up()
    await walker.closed()
    await asyncio.sleep(1)
    found, read = [], 0
    for path in product.home.rglob("*"):
        # Temporal and the prompt cache make and remove working files all the time.
        with contextlib.suppress(FileNotFoundError):
            if path.is_file():
                read += 1
                found += [path] if pin.encode() in path.read_bytes() else []
    assert read, "the home folder holds files"
    assert not found


async def test_three_wrong_pins_lock_the_card_and_bring_a_person(caller: Caller, agent: Phone) -> None:
    walker = await caller()
    await agent.behave("answer")
    await to_menu(walker, "2")
    await walker.press("menu", "1")
    for visit in (1, 2, 3):
        await walker.press("card", "62220003#", visit=visit)
        await walker.press("pin", f"000{visit}#", visit=visit)
    answered = await agent.incoming(timeout=30)
    await answered.confirmed()
    await asyncio.sleep(1)
    await answered.hang_up()
    await walker.finished()
    path = await walker.path()
    assert [port for node, port in path if node == "verify"] == ["wrong", "wrong", "locked"]
    assert path[-4:] == [("locked", "next"), ("person", "done"), ("goodbye", "next"), ("hang_up", "next")]


@pytest.mark.parametrize("node", ["greeting", pytest.param("menu", marks=pytest.mark.soak), "card"])
async def test_zero_brings_a_person_from_any_step(caller: Caller, agent: Phone, tmp_path: Path, node: str) -> None:
    walker = await caller()
    await agent.behave("answer")
    if node == "greeting":
        await walker.dial()
        await walker.press("greeting", "0")
    else:
        await to_menu(walker)
        if node == "card":
            await walker.press("menu", "1")
        await walker.press(node, "0#" if node == "card" else "0")
    theirs = await agent.incoming(timeout=30)
    await theirs.confirmed()
    await walker.at("person")
    await asyncio.gather(
        walker.call.play(tone(tmp_path / "caller.wav", 600, 4)), theirs.play(tone(tmp_path / "agent.wav", 1000, 4))
    )
    await theirs.hang_up()
    await walker.finished()
    assert (node, "@0") in await walker.path()
    assert (await walker.path())[-3:] == [("person", "done"), ("goodbye", "next"), ("hang_up", "next")]
    assert has_tone(load(theirs.heard)[8000:24000], 600), "the agent did not hear the caller"
    assert contains(load(tmp_path / "agent.wav")[:8000], walker.call.heard), "the caller did not hear the agent"


@pytest.mark.parametrize(
    ("behaviour", "port"),
    [
        pytest.param("busy", "busy", id="486"),
        pytest.param("decline", "busy", id="603", marks=pytest.mark.soak),
        pytest.param("ring", "no_answer", id="silence"),
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
