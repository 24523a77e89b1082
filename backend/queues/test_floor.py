"""The live floor and an agent's own line, as the browser hears of them."""

import asyncio
from typing import Any

from backend.agents import service as agents
from backend.agents.machine import GoReady, SignIn
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
