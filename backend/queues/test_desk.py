"""Places in line over the real database: offers, misses, talks, losses, several businesses, many at once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from backend.agents import service as agents
from backend.agents.machine import GoReady, SignIn
from backend.agents.models import Agent
from backend.calls.facts import CallEnded, CallStarted, write_facts
from backend.calls.models import Call
from backend.customers.models import Customer, CustomerLevel, CustomerPhone
from backend.database import read, utcnow, write
from backend.identity.models import Business
from backend.identity.permissions import Actor, system_actor
from backend.queues import minder, service
from backend.queues.desk import BusinessQueues, Watch
from backend.queues.models import QueueEntry
from backend.queues.service import OverflowInput
from backend.queues.test_queues import make_agent, make_queue
from backend.state import AppState
from backend.tasks.models import Task
from nodes.sdk.outcome import NodeError
from nodes.sdk.services import QueueAsk, QueueTurn


@pytest.fixture
async def desk(state: AppState) -> BusinessQueues:
    watch = Watch(state.bus)
    watch.start()
    await asyncio.sleep(0)
    return BusinessQueues(state.db, "main", watch)


async def ready(state: AppState, *people: Actor) -> None:
    for one in people:
        await agents.change_own_state(state.db, one, SignIn(ready=True))


async def state_of(state: AppState, one: Actor) -> str:
    async with read(state.db) as session:
        row = await session.get(Agent, one.user_id)
        assert row is not None
        return row.state


async def entry_of(state: AppState, ticket: str) -> QueueEntry:
    async with read(state.db) as session:
        row = await session.get(QueueEntry, ticket)
        assert row is not None
        return row


def ask(queue: str = "hotline", caller: str = "13800138000", **more: Any) -> QueueAsk:
    return QueueAsk(queue=queue, caller=caller, **more)


async def test_a_caller_waits_and_is_offered_the_moment_somebody_is_ready(
    state: AppState, actor: Actor, desk: BusinessQueues
) -> None:
    ann = await make_agent(state, actor, "ann", "8011")
    await make_queue(state, actor, "hotline", ann)
    assert (await desk.enter(ask(), key="k0")).refused == "closed"
    await agents.change_own_state(state.db, ann, SignIn())
    ticket = await desk.enter(ask(), key="k1")
    assert (await desk.enter(ask(), key="k1")).id == ticket.id
    turn = await desk.turn("k1", seconds=0)
    assert turn.state == "waiting" and turn.place == 1
    coming = asyncio.create_task(desk.turn("k1", seconds=600))
    await asyncio.sleep(0.05)
    assert not coming.done()
    await agents.change_own_state(state.db, ann, GoReady())
    # The turn is asked for ten minutes: it ends because it is told.
    offered = await asyncio.wait_for(coming, 30)
    assert (offered.state, offered.number, offered.agent, offered.offer) == ("offer", "8011", "ann", 1)
    assert await state_of(state, ann) == "offered"
    assert await desk.answered("k1", 1) and await state_of(state, ann) == "talking"
    assert not await desk.answered("k1", 2)
    await desk.ended("k1", 1, "other")
    assert await state_of(state, ann) == "wrap_up"
    done = await entry_of(state, ticket.id)
    assert (done.state, done.outcome, done.agent_id) == ("done", "served", ann.user_id)
    await agents.end_wrap_up(state.db, ann)
    assert await state_of(state, ann) == "ready"


async def test_no_answer_goes_to_the_next_then_outside_and_the_caller_stays_first(
    state: AppState, actor: Actor, desk: BusinessQueues
) -> None:
    ann = await make_agent(state, actor, "ann", "8011", max_misses=1)
    bob = await make_agent(state, actor, "bob", "8012", max_misses=2)
    await make_queue(
        state, actor, "hotline", ann, bob, strategy="ring_order", outside_number="02100000000", outside_after=2
    )
    await ready(state, ann, bob)
    await desk.enter(ask(), key="k1")
    first = await desk.turn("k1", seconds=0)
    await desk.missed("k1", first.offer, "no_answer")
    assert await state_of(state, ann) == "not_ready"
    second = await desk.turn("k1", seconds=0)
    assert (first.agent, second.agent) == ("ann", "bob")
    await desk.missed("k1", second.offer, "busy")
    assert await state_of(state, bob) == "ready"
    third = await desk.turn("k1", seconds=0)
    assert (third.state, third.number, third.agent) == ("offer", "02100000000", "")
    assert await desk.answered("k1", third.offer)
    await desk.ended("k1", third.offer, "other")
    log = await agents.state_log(state.db, "main", user_id=ann.user_id, since=None, until=None)
    assert (log.items[0].state, log.items[0].reason) == ("not_ready", "missed")


async def test_order_priority_vip_and_place(state: AppState, actor: Actor, desk: BusinessQueues) -> None:
    ann = await make_agent(state, actor, "ann", "8011")
    await make_queue(state, actor, "hotline", ann)
    await agents.change_own_state(state.db, ann, SignIn())
    async with write(state.db) as session:
        session.add(CustomerLevel(business_id="main", key="gold", label_zh="金", label_en="Gold", vip=True, priority=1))
        session.add(Customer(id="c1", business_id="main", name="王芳", level="gold"))
        await session.flush()
        session.add(CustomerPhone(business_id="main", customer_id="c1", number="+8613900000001"))
    await desk.enter(ask(caller="13800000001"), key="a")
    await desk.enter(ask(caller="13800000002", priority=1), key="b")
    vip = await desk.enter(ask(caller="13900000001"), key="c")
    async with read(state.db) as session:
        line = await service.line(session, "main")
    assert [one.entry.key for one in line] == ["c", "b", "a"]
    assert (await desk.turn("a", seconds=0)).place == 3
    assert (await entry_of(state, vip.id)).customer_name == "王芳"
    await service.set_priority(state.db, actor, line[2].entry.id, 50)
    await ready(state, ann)
    await agents.change_own_state(state.db, ann, GoReady())
    assert (await desk.turn("a", seconds=0)).state == "offer"


async def test_overflow_opens_by_time_and_waits_by_itself(state: AppState, actor: Actor, desk: BusinessQueues) -> None:
    ann, bob = await make_agent(state, actor, "ann", "8011"), await make_agent(state, actor, "bob", "8012")
    await make_queue(state, actor, "night", bob)
    await make_queue(state, actor, "hotline", ann, overflow=[OverflowInput("night", 1)])
    await agents.change_own_state(state.db, ann, SignIn())
    await ready(state, bob)
    await desk.enter(ask(), key="k1")
    assert (await desk.turn("k1", seconds=0)).state == "waiting"
    minding = asyncio.create_task(minder.mind(state.db))
    turn = await desk.turn("k1", seconds=4)
    minding.cancel()
    assert turn.state == "offer" and turn.agent == "bob" and turn.waited >= 1


async def test_a_call_whose_phone_was_lost_is_offered_back_and_then_to_others(
    state: AppState, actor: Actor, desk: BusinessQueues, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = await make_agent(state, actor, "ann", "8011"), await make_agent(state, actor, "bob", "8012")
    await make_queue(state, actor, "hotline", ann, bob, strategy="ring_order")
    await ready(state, ann)
    await desk.enter(ask(), key="k1")
    assert await desk.answered("k1", 1)
    await desk.enter(ask(caller="13800000009"), key="later")
    await desk.ended("k1", 1, "other_lost")
    # Back to who had it, though somebody else is ready. A phone that cannot be rung yet is rung again.
    back = await desk.turn("k1", seconds=0)
    assert (back.state, back.agent, back.offer, back.back) == ("offer", "ann", 2, True)
    assert await state_of(state, ann) == "offered"
    await desk.missed("k1", 2, "failed")
    back = await desk.turn("k1", seconds=0)
    assert (back.state, back.agent, back.offer, back.back) == ("offer", "ann", 3, True)
    assert await desk.answered("k1", 3)
    assert not (await desk.turn("k1", seconds=0)).back
    # The page does not come back: the next agent, in the caller's old place, and the first one rests.
    monkeypatch.setattr("backend.queues.desk.BACK_SECONDS", 0.0)
    await desk.ended("k1", 3, "other_lost")
    await desk.missed("k1", 4, "failed")
    assert await state_of(state, ann) == "not_ready"
    await ready(state, bob)
    turn = await desk.turn("k1", seconds=0)
    assert (turn.agent, turn.back) == ("bob", False)
    assert (await desk.turn("later", seconds=0)).state == "waiting"


async def test_who_is_back_and_does_not_answer_lets_the_caller_go_on(
    state: AppState, actor: Actor, desk: BusinessQueues
) -> None:
    ann, bob = await make_agent(state, actor, "ann", "8011"), await make_agent(state, actor, "bob", "8012")
    await make_queue(state, actor, "hotline", ann, bob, strategy="ring_order")
    await ready(state, ann, bob)
    await desk.enter(ask(), key="k1")
    assert await desk.answered("k1", 1)
    await desk.ended("k1", 1, "other_lost")
    await desk.missed("k1", 2, "no_answer")
    assert await state_of(state, ann) == "ready"
    assert (await desk.turn("k1", seconds=0)).agent == "bob"


async def test_an_offer_that_rings_ends_when_the_caller_is_given_to_somebody_else(
    state: AppState, actor: Actor, desk: BusinessQueues
) -> None:
    ann, bob = await make_agent(state, actor, "ann", "8011"), await make_agent(state, actor, "bob", "8012")
    await make_queue(state, actor, "hotline", ann, bob, strategy="ring_order")
    await ready(state, ann, bob)
    ticket = await desk.enter(ask(), key="k1")
    rings = asyncio.create_task(desk.withdrawn("k1", 1))
    await asyncio.sleep(0.1)
    assert not rings.done()
    await service.give_waiting(state.db, actor, ticket.id, user_id=bob.user_id)
    await asyncio.wait_for(rings, 30)
    assert not await desk.answered("k1", 1)
    assert await state_of(state, ann) == "ready"
    assert (await desk.turn("k1", seconds=0)).agent == "bob"


async def test_who_leaves_while_it_rings_costs_the_agent_nothing(
    state: AppState, actor: Actor, desk: BusinessQueues
) -> None:
    ann = await make_agent(state, actor, "ann", "8011", max_misses=1)
    await make_queue(state, actor, "hotline", ann)
    await ready(state, ann)
    ticket = await desk.enter(ask(call_id="call-1"), key="k1")
    await desk.leave("k1", "abandoned")
    assert await state_of(state, ann) == "ready"
    assert (await entry_of(state, ticket.id)).outcome == "abandoned"
    assert not await desk.answered("k1", 1)
    live = (await service.figures(state.db, "main"))[0]
    assert (live.offered, live.abandoned, live.answered, live.service_level) == (1, 1, 0, 0.0)


async def test_a_caller_handed_to_a_flow_goes_back_to_the_same_agent(
    state: AppState, actor: Actor, desk: BusinessQueues
) -> None:
    ann, bob = await make_agent(state, actor, "ann", "8011"), await make_agent(state, actor, "bob", "8012")
    await make_queue(state, actor, "hotline", ann, bob, strategy="ring_order")
    await ready(state, ann)
    await desk.enter(ask(call_id="call-1"), key="k1")
    assert await desk.answered("k1", 1)
    await ready(state, bob)
    await desk.ended("k1", 1, "transfer")
    assert await state_of(state, ann) == "wrap_up"
    await desk.enter(QueueAsk(agent="last", call_id="call-1", transferred=True), key="k2")
    turn = await desk.turn("k2", seconds=0)
    assert (turn.state, turn.agent) == ("offer", "ann")


async def test_a_call_back_keeps_the_place(state: AppState, actor: Actor, desk: BusinessQueues) -> None:
    ann = await make_agent(state, actor, "ann", "8011")
    await make_queue(state, actor, "hotline", ann)
    await agents.change_own_state(state.db, ann, SignIn())
    first = await desk.enter(ask(call_id="call-1"), key="k1")
    await desk.enter(ask(caller="13800000009"), key="k2")
    await desk.leave("k1", "key")
    back = await desk.enter(ask(call_id="call-1", callback="13800138000"), key="k1-back")
    kept, place = await entry_of(state, back.id), await entry_of(state, first.id)
    assert kept.kind == "callback" and kept.place_at == place.place_at and kept.number == "13800138000"
    await agents.change_own_state(state.db, ann, GoReady())
    assert (await entry_of(state, back.id)).state == "offered"


async def test_supervisors_give_callers_to_whom_they_like(state: AppState, actor: Actor, desk: BusinessQueues) -> None:
    ann, bob = await make_agent(state, actor, "ann", "8011"), await make_agent(state, actor, "bob", "8012")
    await make_queue(state, actor, "hotline", ann)
    await make_queue(state, actor, "night")
    await ready(state, ann, bob)
    ticket = await desk.enter(ask(), key="k1")
    assert (await desk.turn("k1", seconds=0)).agent == "ann"
    await service.give_waiting(state.db, actor, ticket.id, user_id=bob.user_id)
    turn = await desk.turn("k1", seconds=0)
    assert (turn.agent, turn.offer) == ("bob", 2) and await state_of(state, ann) == "ready"
    assert not await desk.answered("k1", 1), "the offer to ann was taken back"
    await service.give_waiting(state.db, actor, ticket.id, queue="night")
    assert (await desk.turn("k1", seconds=0)).state == "waiting" and await state_of(state, bob) == "ready"


async def test_a_call_back_that_reaches_nobody_is_tried_again_and_becomes_a_task(
    state: AppState, actor: Actor, desk: BusinessQueues
) -> None:
    ann, bob = await make_agent(state, actor, "ann", "8011"), await make_agent(state, actor, "bob", "8012")
    await make_queue(state, actor, "hotline", ann, bob, strategy="ring_order", wrap_up_seconds=30)
    await ready(state, ann)
    back = await desk.enter(ask(callback="13800138000", attempts=3, pause=3600), key="k1")

    async def try_once(offer: int) -> QueueEntry:
        assert await desk.answered("k1", offer)
        await desk.unreached("k1", offer, "busy")
        assert await state_of(state, ann) == "ready", "there is nothing to write down"
        return await entry_of(state, back.id)

    tried = await try_once(1)
    assert (tried.state, tried.attempt, tried.answered_at) == ("waiting", 1, None)
    await minder.turn(state.db)
    assert (await entry_of(state, back.id)).state == "waiting", "it waits, although agents are ready"
    later = (await entry_of(state, back.id)).due_at
    assert later is not None and utcnow() + timedelta(minutes=59) < later
    for attempt in (2, 3):
        async with write(state.db) as session:
            entry = await session.get(QueueEntry, back.id)
            assert entry is not None
            entry.not_before = entry.due_at = utcnow()
        await minder.turn(state.db)
        # The process that served the last one died: what is left behind is known from the call.
        if attempt == 2:
            await try_once(2)
            continue
        assert await desk.answered("k1", 3)
        long_ago = utcnow() - timedelta(minutes=1)
        began = CallStarted("call-b", "main", "gw", "021", "13800138000", direction="outbound", at=long_ago)
        await write_facts(state.db, [began, CallEnded("call-b", "no_answer", at=long_ago)])
        async with write(state.db) as session:
            entry = await session.get(QueueEntry, back.id)
            assert entry is not None
            entry.call_id = "call-b"
        await minder.turn(state.db)
    over = await entry_of(state, back.id)
    assert (over.state, over.outcome, over.attempt) == ("done", "unreached", 3)
    assert await state_of(state, ann) == "ready"
    async with read(state.db) as session:
        (task,) = await session.exec(select(Task))
    assert (task.kind, task.queue, task.number, task.state) == ("callback", "hotline", "13800138000", "open")
    assert "3" in task.note and "no_answer" in task.note


async def test_what_dead_processes_left_is_put_right(state: AppState, actor: Actor, desk: BusinessQueues) -> None:
    ann, bob = await make_agent(state, actor, "ann", "8011"), await make_agent(state, actor, "bob", "8012")
    await make_queue(state, actor, "hotline", ann, bob, strategy="ring_order")
    await ready(state, ann, bob)
    for name in ("call-1", "call-2", "call-3"):
        await write_facts(state.db, [CallStarted(name, "main", "gw", "13800138000", "100")])
    await desk.enter(ask(call_id="call-1"), key="k1")
    assert await desk.answered("k1", 1)
    await desk.enter(ask(call_id="call-2"), key="k2")
    waiting = await desk.enter(ask(call_id="call-3"), key="k3")
    long_ago = utcnow() - timedelta(minutes=5)
    await write_facts(
        state.db, [CallEnded("call-1", "normal", at=long_ago), CallEnded("call-3", "normal", at=long_ago)]
    )
    async with write(state.db) as session:
        for name in ("call-1", "call-3"):
            call = await session.get(Call, name)
            assert call is not None
            call.ended_at = long_ago
    await minder.turn(state.db)
    assert await state_of(state, ann) == "wrap_up"
    assert (await entry_of(state, waiting.id)).outcome == "abandoned"
    assert await state_of(state, bob) == "offered", "the live call rings on"


async def test_businesses_take_nothing_from_each_other(state: AppState, actor: Actor, desk: BusinessQueues) -> None:
    async with write(state.db) as session:
        session.add(Business(id="other", name="Other"))
    other = system_actor("other", "test")
    ann, eve = await make_agent(state, actor, "ann", "8011"), await make_agent(state, other, "eve", "8021")
    await make_queue(state, actor, "hotline", ann)
    await make_queue(state, other, "hotline", eve)
    await ready(state, eve)
    await agents.change_own_state(state.db, ann, SignIn())
    await desk.enter(ask(), key="k1")
    assert (await desk.turn("k1", seconds=0)).state == "waiting" and await state_of(state, eve) == "ready"
    with pytest.raises(NodeError, match="no queue"):
        await BusinessQueues(state.db, "third", Watch(state.bus)).enter(ask(), key="k9")


async def test_many_at_once_are_each_offered_once(state: AppState, actor: Actor, desk: BusinessQueues) -> None:
    people = [await make_agent(state, actor, f"agent{n}", f"81{n:02}") for n in range(8)]
    await make_queue(state, actor, "hotline", *people)
    await asyncio.gather(*(ready(state, one) for one in people))

    async def call(number: int) -> QueueTurn:
        await desk.enter(ask(caller=f"1380000{number:04}"), key=f"k{number}")
        return await desk.turn(f"k{number}", seconds=0)

    turns = await asyncio.gather(*(call(number) for number in range(12)))
    offered = [turn.agent for turn in turns if turn.state == "offer"]
    assert sorted(offered) == sorted(one.name for one in people)
    assert [await state_of(state, one) for one in people] == ["offered"] * 8
