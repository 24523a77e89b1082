"""The live floor and an agent's own line, as the browser hears of them."""

import asyncio
from typing import Any

from backend.agents import service as agents
from backend.agents.machine import GoReady, SignIn
from backend.calls.facts import CallStarted, LegAnswered, LegBegan, TalkChanged, write_facts
from backend.graphql.base import Context
from backend.graphql.schema import schema
from backend.identity.permissions import Actor
from backend.queues.desk import BusinessQueues, Watch
from backend.queues.test_queues import make_agent, make_queue
from backend.state import AppState
from nodes.sdk.services import QueueAsk


async def follow(state: AppState, actor: Actor, subscription: str) -> Any:
    return await schema.subscribe(subscription, context_value=Context(state, actor))


async def test_an_offer_reaches_the_wall_and_the_agents_screen_within_a_second(state: AppState, actor: Actor) -> None:
    ann = await make_agent(state, actor, "ann", "8011")
    await make_queue(state, actor, "hotline", ann, script="Say hello.", pop_url="https://crm.example/{caller}")
    await agents.change_own_state(state.db, ann, SignIn())
    wall = await follow(
        state, actor, "subscription { floor { full agents { name state } queues { name waiting callers { caller } } } }"
    )
    screen = await follow(
        state, ann, "subscription { myAgentChanges { state call { caller queue script popUrl ringSeconds } } }"
    )
    first = (await anext(wall)).data["floor"]
    assert first["full"] and first["agents"] == [{"name": "ann", "state": "not_ready"}]
    assert (await anext(screen)).data["myAgentChanges"] == {"state": "not_ready", "call": None}
    desk = BusinessQueues(state.db, "main", Watch(state.bus))
    await desk.enter(QueueAsk(queue="hotline", caller="13800138000"), key="k1")
    assert (await anext(wall)).data["floor"]["queues"][0]["callers"] == [{"caller": "13800138000"}]
    await agents.change_own_state(state.db, ann, GoReady())
    seen = (await anext(screen)).data["myAgentChanges"]
    while seen["state"] != "offered":
        seen = (await anext(screen)).data["myAgentChanges"]
    assert seen["call"] == {
        "caller": "13800138000", "queue": "hotline", "script": "Say hello.",
        "popUrl": "https://crm.example/{caller}", "ringSeconds": 20,
    }  # fmt: skip
    change = (await anext(wall)).data["floor"]
    assert not change["full"] and change["agents"] == [{"name": "ann", "state": "offered"}]
    await asyncio.gather(wall.aclose(), screen.aclose())


async def test_who_rings_at_an_agent_waits_no_more_on_their_screen(state: AppState, actor: Actor) -> None:
    ann = await make_agent(state, actor, "ann", "8011")
    await make_queue(state, actor, "hotline", ann)
    await agents.change_own_state(state.db, ann, SignIn())
    await agents.change_own_state(state.db, ann, GoReady())
    desk = BusinessQueues(state.db, "main", Watch(state.bus))

    async def light() -> tuple[int, bool, list[str]]:
        told = await follow(state, ann, "subscription { myQueues { waiting allBusy } }")
        (queue,) = (await anext(told)).data["myQueues"]
        await told.aclose()
        asked = await schema.execute("{ myWaiting { caller } }", context_value=Context(state, ann))
        assert asked.data is not None
        return queue["waiting"], queue["allBusy"], [one["caller"] for one in asked.data["myWaiting"]]

    await desk.enter(QueueAsk(queue="hotline", caller="13800138000"), key="k1")
    assert await light() == (0, False, [])
    await desk.enter(QueueAsk(queue="hotline", caller="13900139000"), key="k2")
    assert await light() == (1, True, ["13900139000"])


async def test_the_wall_hears_of_hold_and_of_a_phone_that_fell_silent(state: AppState, actor: Actor) -> None:
    ann = await make_agent(state, actor, "ann", "8011")
    await make_queue(state, actor, "hotline", ann)
    await agents.change_own_state(state.db, ann, SignIn())
    await agents.change_own_state(state.db, ann, GoReady())
    await write_facts(state.db, [CallStarted("call-1", "main", "a", "13800138000", "741")])
    desk = BusinessQueues(state.db, "main", Watch(state.bus))
    await desk.enter(QueueAsk(queue="hotline", caller="13800138000", call_id="call-1"), key="k1")
    assert await desk.answered("k1", 1)
    wall = await follow(state, actor, "subscription { floor { agents { state talk away } } }")
    assert (await anext(wall)).data["floor"]["agents"] == [{"state": "talking", "talk": "", "away": ""}]
    leg = LegBegan("k1-1-leg", "call-1", "8011", "extension:8011")
    parties = [
        {"channel": "call-1", "role": "customer", "destination": "", "up": True, "hears": "music", "away": False},
        {"channel": leg.leg_id, "role": "agent", "destination": leg.destination, "up": True, "away": True},
    ]
    talk = TalkChanged("call-1", {"mode": "held", "parties": parties})
    await write_facts(state.db, [leg, LegAnswered(leg.leg_id), talk])
    assert (await anext(wall)).data["floor"]["agents"] == [{"state": "talking", "talk": "held", "away": "own"}]
    await wall.aclose()
