"""The live overlay of a flow, and the calls behind a figure."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.calls import live
from backend.calls.facts import CallEnded, CallStarted, RunFinished, Steps, write_facts
from backend.calls.service import CallFilter, list_calls
from backend.database import utcnow
from backend.errors import InvalidError
from backend.state import AppState
from backend.testing import ApiClient
from flows.task import CallFacts, FlowResult, FlowStart, TrailStep


def start(number: int) -> FlowStart:
    facts = CallFacts(id=f"c{number}", caller="+8613800138000", called="100")
    return FlowStart(
        run_id=f"r{number}", business_id="main", flow_id="small", version=1, plan="p", kind="ivr", call=facts
    )


def step(seq: int, node: str, at: datetime, port: str | None = None) -> TrailStep:
    return TrailStep(
        seq=seq, flow_id="small", node_id=node, node_type="voice.menu", node_name=node, attempt=1, entered=at,
        left=at + timedelta(seconds=1) if port else None, port=port,
    )  # fmt: skip


async def begin(state: AppState, number: int, at: datetime) -> None:
    began = CallStarted(f"c{number}", "main", "g", "+8613800138000", "100", run=start(number), at=at)
    await write_facts(state.db, [began, Steps(f"r{number}", [step(0, "menu", at)])])


async def test_calls_move_over_the_drawing(state: AppState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "TICK", 0.05)
    at = utcnow()
    await begin(state, 1, at)
    seen: list[live.Live] = []

    async def follow() -> None:
        async for moment in live.watch(state.db, state.bus, "main", "small"):
            seen.append(moment)  # noqa: PERF401  one by one, as they come

    following = asyncio.create_task(follow())

    async def until(standing: dict[str, int]) -> live.Live:
        async with asyncio.timeout(30):
            while not seen or seen[-1].standing != standing:
                await asyncio.sleep(0.01)
        return seen[-1]

    assert (await until({"menu": 1})).passed == {}
    await begin(state, 2, at)
    await until({"menu": 2})
    await write_facts(state.db, [Steps("r1", [step(0, "menu", at, "1"), step(1, "say", at)])])
    await until({"menu": 1, "say": 1})
    # The same step told again is no second passage; steps of other flows are none of this one.
    await write_facts(state.db, [Steps("r1", [step(0, "menu", at, "1")])])
    other = step(5, "menu", at, "2").model_copy(update={"flow_id": "other"})
    await write_facts(state.db, [Steps("r1", [other])])
    finished = RunFinished(start(1), FlowResult(outcome="completed", steps=2), [step(1, "say", at, "next")])
    await write_facts(state.db, [finished, CallEnded("c1", "normal")])
    await until({"menu": 1})

    def passed() -> Counter[tuple[str, str]]:
        return sum((Counter(moment.passed) for moment in seen), Counter())

    # Where calls stand may be told a moment before what they passed.
    async with asyncio.timeout(30):
        while len(passed()) < 2:
            await asyncio.sleep(0.01)
    await asyncio.sleep(4 * live.TICK)
    assert passed() == {("menu", "1"): 1, ("say", "next"): 1}
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert state.bus.readers == 0


async def test_the_calls_behind_a_figure(state: AppState, client: ApiClient) -> None:
    at = utcnow() - timedelta(minutes=5)
    for number in (1, 2, 3):
        await begin(state, number, at)
    await write_facts(state.db, [Steps("r1", [step(0, "menu", at, "1"), step(1, "say", at)])])
    await write_facts(state.db, [Steps("r2", [step(0, "menu", at, "2")]), CallEnded("c2", "normal")])
    ask = "query($f: CallFilterInput) { calls(filter: $f) { nodes { id } } }"

    async def found(**wanted: Any) -> list[str]:
        told = await client.ask(ask, f={"flowKey": "small", **wanted})
        return sorted(call["id"] for call in told["calls"]["nodes"])

    assert await found(nodeId="menu") == ["c1", "c2", "c3"]
    assert await found(nodeId="menu", port="1") == ["c1"]
    assert await found(nodeId="menu", standing=True) == ["c3"]
    assert await found(nodeId="say", standing=True) == ["c1"]
    assert await found(nodeId="menu", since=utcnow().isoformat()) == []
    assert await found(nodeId="menu", until=utcnow().isoformat(), state="ended") == ["c2"]
    with pytest.raises(InvalidError) as refused:
        await list_calls(state.db, "main", CallFilter(port="1"))
    assert refused.value.field == "filter.nodeId"
