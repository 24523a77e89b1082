"""Every branch of the service hotline, walked by real phones over SIP and RTP."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from backend.runtime.testing import Product
from tests.journeys.scenes import tone
from tests.journeys.walker import Caller, Walker
from tests.phones.audio import contains, has_tone, load
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
