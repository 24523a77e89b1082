"""One look for all who look at once, and never one that is older than what the asker knows."""

import asyncio

import pytest

from backend.database import write
from backend.events import record
from backend.queues.glance import Glance
from backend.state import AppState


async def test_a_hundred_ask_and_one_looks(state: AppState) -> None:
    looks: list[str] = []

    async def look(key: str) -> int:
        looks.append(key)
        await asyncio.sleep(0.01)
        return len(looks)

    glance = Glance(state.bus, look)
    asking = [asyncio.create_task(glance.at("main")) for _ in range(100)]
    await asyncio.sleep(0)
    asking[0].cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError) and set(answers[1:]) == {1}
    assert await glance.at("other") == 2 and looks == ["main", "other"]


async def test_what_has_happened_is_seen_even_by_who_asks_while_others_look(state: AppState) -> None:
    seen = asyncio.Event()

    async def look(key: str) -> int:
        published = state.bus.published
        await seen.wait()
        return published

    glance = Glance(state.bus, look)
    early = asyncio.create_task(glance.at("main"))
    await asyncio.sleep(0)
    async with write(state.db) as session:
        record(session, "main", "agent.changed", "ann", kept=False)
    late = asyncio.create_task(glance.at("main"))
    await asyncio.sleep(0)
    seen.set()
    assert await late == await early + 1


async def test_a_look_that_failed_is_not_shown_again(state: AppState) -> None:
    failing = True

    async def look(key: str) -> str:
        if failing:
            raise OSError("away")
        return "well"

    glance = Glance(state.bus, look)
    with pytest.raises(OSError, match="away"):
        await glance.at("main")
    failing = False
    assert await glance.at("main") == "well"
