"""How trunks and lines stand, and that the wall hears of it."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backend.calls.facts import CallAnswered, CallEnded, CallStarted, LegBegan, write_facts
from backend.database import utcnow
from backend.graphql.base import Context
from backend.graphql.schema import schema
from backend.identity.permissions import Actor
from backend.numbers import service
from backend.numbers.lines import STALE, State, lines_now, state_of, worst, write_states
from backend.numbers.models import Trunk, TrunkState
from backend.state import AppState

WALL = """subscription { lines {
    full removedLines trunks { name state calls maxCalls }
    lines { callId caller called region { en } trunks direction }
} }"""


async def make_trunk(state: AppState, actor: Actor, name: str, **more: Any) -> Trunk:
    return await service.save_trunk(state.db, state.secrets, actor, name=name, host="203.0.113.9", **more)


def test_a_trunk_is_as_far_as_its_registration_or_as_its_far_end_answers() -> None:
    assert state_of("registered", None) is State.REGISTERED
    assert state_of("refused", None) is State.REJECTED
    assert state_of("silent", None) is State.DOWN
    assert state_of("unknown", True) is State.UNKNOWN, "that it answers does not sign us in"
    assert state_of(None, True) is State.REACHABLE
    assert state_of(None, False) is State.DOWN
    assert state_of(None, None) is State.UNKNOWN


@given(st.lists(st.tuples(st.sampled_from(list(State)), st.integers(0, 200)), max_size=5))
def test_of_several_gateways_the_worst_that_looked_lately_counts(found: list[tuple[State, int]]) -> None:
    now = utcnow()
    rows = [
        TrunkState(trunk_id="t", gateway=str(at), business_id="b", state=state, seen_at=now - timedelta(seconds=age))
        for at, (state, age) in enumerate(found)
    ]
    told = worst(rows, now)
    fresh = [state for state, age in found if timedelta(seconds=age) <= STALE]
    assert (told is None) == (fresh == [])
    if told is not None:
        order = list(State)
        assert order.index(State(told.state)) == min(map(order.index, fresh))


async def test_a_state_is_written_when_it_changes_and_goes_with_its_trunk(state: AppState, actor: Actor) -> None:
    trunk = await make_trunk(state, actor, "city")
    told: list[Any] = []
    with state.bus.subscribe(lambda event: event.topic == "trunk.changed") as events:
        for found in (State.REACHABLE, State.REACHABLE, State.DOWN):
            await write_states(state.db, "main", [trunk], {trunk.id: found})
        told = [event.data["state"] for event in events.waiting()]
    assert told == ["reachable", "down"], "what stays as it is makes no noise"
    (now,), _ = await lines_now(state.db, actor.business_id)
    assert (now.state, now.calls) == (State.DOWN, 0)
    await service.delete_trunk(state.db, actor, trunk.id)
    await write_states(state.db, "main", [trunk], {trunk.id: State.REACHABLE})
    assert await lines_now(state.db, actor.business_id) == ([], [])


async def test_the_wall_hears_of_trunks_and_calls_as_they_come_and_go(state: AppState, actor: Actor) -> None:
    trunk = await make_trunk(state, actor, "city", max_calls=2)
    off = await make_trunk(state, actor, "spare", enabled=False)
    wall: Any = await schema.subscribe(WALL, context_value=Context(state, actor))
    first = (await anext(wall)).data["lines"]
    assert first["full"] and first["lines"] == []
    assert [(one["name"], one["state"]) for one in first["trunks"]] == [("city", "unknown"), ("spare", "off")]

    await write_states(state.db, "main", [trunk, off], {trunk.id: State.REGISTERED})
    change = (await anext(wall)).data["lines"]
    assert not change["full"] and change["trunks"][0]["state"] == "registered"

    began = CallStarted("c1", "main", "g1", "13510000001", "4001", trunk="city")
    put_through = LegBegan("c1-l", "c1", "02161234567", "trunk:city:02161234567")
    await write_facts(state.db, [began, CallAnswered("c1"), put_through])
    change = (await anext(wall)).data["lines"]
    assert change["trunks"][0]["calls"] == 2, "they came by the trunk, and were put through by it"
    (line,) = change["lines"]
    assert line["region"]["en"] == "Shenzhen, Guangdong" and line["trunks"] == ["city"]

    await write_facts(state.db, [CallEnded("c1", "normal")])
    change = (await anext(wall)).data["lines"]
    assert change["removedLines"] == ["c1"] and change["trunks"][0]["calls"] == 0
    await wall.aclose()
