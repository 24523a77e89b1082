"""Agents in calls that no queue gave them: a colleague hands one on, asks about one, a supervisor takes over."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from backend.agents import service as agents
from backend.agents.graphql import live_agents
from backend.agents.machine import GoNotReady, SignIn
from backend.agents.models import Agent
from backend.callcontrol.service import may_steer, own_calls
from backend.calls.facts import (
    CallEnded,
    CallStarted,
    Fact,
    LegAnswered,
    LegBegan,
    LegEnded,
    LegMoved,
    TalkChanged,
    write_facts,
)
from backend.calls.models import Leg
from backend.database import read, utcnow
from backend.events import Event
from backend.identity.permissions import Actor
from backend.queues import attendance as attendance_module
from backend.queues import minder
from backend.queues.attendance import Attendance
from backend.queues.desk import BusinessQueues, Watch
from backend.queues.models import QueueEntry
from backend.queues.test_desk import ask, entry_of, ready
from backend.queues.test_queues import make_agent, make_queue
from backend.state import AppState

CALL = "call-1"


class Followed:
    """The facts of one call, told to the agents' states as they come."""

    def __init__(self, state: AppState) -> None:
        self.state = state
        self.attendance = Attendance(state.db, state.bus)

    async def tell(self, *facts: Fact) -> None:
        await write_facts(self.state.db, facts)
        for fact in facts:
            match fact:
                case LegBegan(leg_id=leg) | LegAnswered(leg_id=leg) | LegEnded(leg_id=leg):
                    event = Event("main", "call.changed", CALL, {"leg": leg})
                case TalkChanged(state=state):
                    agent = next(one["channel"] for one in (state or {}).get("parties", ()) if one["role"] == "agent")
                    event = Event("main", "talk.changed", CALL, {"agent": agent})
                case CallEnded():
                    event = Event("main", "call.ended", CALL, {})
                case _:
                    continue
            if attendance_module._of_calls(event):
                await self.attendance.take(event)

    async def of(self, actor: Actor) -> Agent:
        async with read(self.state.db) as session:
            row = await session.get(Agent, actor.user_id)
            assert row is not None
            return row

    async def rings(self, extension: str, leg: str, kind: str = "third") -> None:
        await self.tell(LegBegan(leg, CALL, extension, f"extension:{extension}", kind=kind))


def talk(agent: str, mode: str = "talking", **others: str) -> TalkChanged:
    """A talk whose agent is at that leg; others by the name of their role."""
    parties: list[dict[str, Any]] = [
        {"channel": CALL, "role": "customer", "destination": "", "up": True},
        {"channel": agent, "role": "agent", "destination": "", "up": True},
        *({"channel": leg, "role": role, "destination": "", "up": True} for role, leg in others.items()),
    ]
    return TalkChanged(CALL, {"mode": mode, "parties": parties})


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attendance_module, "SETTLE", 0)


@pytest.fixture
async def followed(state: AppState) -> Followed:
    made = Followed(state)
    await made.tell(CallStarted(CALL, "main", "a", "13800138000", "741"))
    return made


async def served(state: AppState, followed: Followed, key: str = "k1") -> str:
    """The first agent of the queue talks with the caller; the stay's id."""
    desk = BusinessQueues(state.db, "main", Watch(state.bus))
    ticket = await desk.enter(ask(call_id=CALL), key=key)
    assert await desk.answered(key, 1)
    leg = f"{key}-1-leg"
    await followed.tell(LegBegan(leg, CALL, "8011", "extension:8011"), LegAnswered(leg), talk(leg))
    return ticket.id


async def test_a_blind_transfer_rings_pops_talks_and_is_wrapped_up_as_by_the_queue(
    state: AppState, actor: Actor, followed: Followed
) -> None:
    ann, bob = await make_agent(state, actor, "ann", "8011"), await make_agent(state, actor, "bob", "8012")
    await make_queue(state, actor, "hotline", ann, script="Say hello.", wrap_up_seconds=30)
    await ready(state, ann)
    await agents.change_own_state(state.db, bob, SignIn(reason=""))
    stay = await served(state, followed)
    third = f"{CALL}-third-t1"
    await followed.rings("8012", third)
    assert (await followed.of(bob)).state == "offered", "also of who is not ready"
    (pop,) = await live_agents(state, "main", [bob.user_id or ""])
    assert pop.call is not None and (pop.call.caller, pop.call.queue) == ("13800138000", "hotline")
    assert pop.call.script == "Say hello."
    await minder.turn(state.db)
    assert (await followed.of(bob)).state == "offered", "the minder leaves who is called by a colleague"
    await followed.tell(LegEnded("k1-1-leg", "normal"))
    assert (await followed.of(ann)).state == "wrap_up"
    await followed.tell(LegAnswered(third), talk(third))
    theirs = await followed.of(bob)
    assert (theirs.state, theirs.call_id, theirs.entry_id, theirs.calls) == ("talking", CALL, stay, 1)
    entry = await entry_of(state, stay)
    assert (entry.state, entry.agent_id, entry.transferred) == ("talking", bob.user_id, True)
    await minder.turn(state.db)
    assert (await followed.of(bob)).state == "talking" and (await followed.of(ann)).state == "wrap_up"
    # The node tells the end of the talk: it is the colleague whose work after the call begins.
    await BusinessQueues(state.db, "main", Watch(state.bus)).ended("k1", 1, "caller")
    after = await followed.of(bob)
    assert after.state == "wrap_up" and after.until is not None
    assert utcnow() + timedelta(seconds=20) < after.until < utcnow() + timedelta(seconds=31)
    (pop,) = await live_agents(state, "main", [bob.user_id or ""])
    assert pop.call is not None and pop.call.entry_id == stay and pop.call.call_id == CALL
    await agents.end_wrap_up(state.db, bob)
    assert (await followed.of(bob)).state == "not_ready"


async def test_who_is_asked_is_busy_and_has_no_work_after_it_unless_the_caller_becomes_theirs(
    state: AppState, actor: Actor, followed: Followed
) -> None:
    ann, bob = await make_agent(state, actor, "ann", "8011"), await make_agent(state, actor, "bob", "8012")
    await make_queue(state, actor, "hotline", ann)
    await ready(state, ann, bob)
    await served(state, followed)
    for number, becomes in enumerate((False, True)):
        third = f"{CALL}-third-t{number}"
        await followed.rings("8012", third)
        await followed.tell(LegAnswered(third), talk("k1-1-leg", "consulting", third=third))
        assert (await followed.of(bob)).state == "busy" and (await followed.of(ann)).state == "talking"
        (seen,) = await live_agents(state, "main", [bob.user_id or ""])
        assert (seen.guest, seen.host_name) == ("third", "Ann")
        if becomes:
            await followed.tell(talk(third))
            assert (await followed.of(bob)).state == "talking"
        await followed.tell(LegEnded(third, "normal"))
        assert (await followed.of(bob)).state == ("wrap_up" if becomes else "ready")
    # A phone that rings in vain costs nothing.
    await agents.end_wrap_up(state.db, bob)
    await followed.rings("8012", f"{CALL}-third-t9")
    await followed.tell(LegEnded(f"{CALL}-third-t9", "no_answer"))
    assert ((await followed.of(bob)).state, (await followed.of(bob)).misses) == ("ready", 0)


async def test_a_call_that_came_through_no_queue_gets_a_stay_for_who_takes_it(
    state: AppState, actor: Actor, followed: Followed
) -> None:
    ann, bob = await make_agent(state, actor, "ann", "8011"), await make_agent(state, actor, "bob", "8012")
    await make_queue(state, actor, "hotline", bob, wrap_up_seconds=45)
    await ready(state, ann)
    await agents.change_own_state(state.db, bob, SignIn())
    await agents.change_own_state(state.db, bob, GoNotReady())
    await followed.tell(LegBegan("leg", CALL, "8011", "extension:8011"), LegAnswered("leg"), talk("leg"))
    assert (await followed.of(ann)).state == "busy"
    third = f"{CALL}-third-t1"
    await followed.rings("8012", third)
    (pop,) = await live_agents(state, "main", [bob.user_id or ""])
    assert pop.state == "offered" and pop.call is not None and pop.call.caller == "13800138000"
    await followed.tell(LegEnded("leg", "normal"), LegAnswered(third), talk(third))
    theirs = await followed.of(bob)
    assert theirs.state == "talking" and (await followed.of(ann)).state == "ready"
    entry = await entry_of(state, theirs.entry_id)
    assert (entry.kind, entry.queue, entry.caller, entry.agent_id) == ("transfer", "", "13800138000", bob.user_id)
    await followed.tell(CallEnded(CALL, "normal"))
    assert (await followed.of(bob)).state == "wrap_up"
    assert ((await entry_of(state, entry.id)).state, (await entry_of(state, entry.id)).outcome) == ("done", "served")
    until = (await followed.of(bob)).until
    assert until is not None and until > utcnow() + timedelta(seconds=30), "as long as after a call of their queue"


async def test_a_colleague_who_is_given_on_stays_busy_in_the_call_that_becomes_their_own(
    state: AppState, actor: Actor
) -> None:
    followed = Followed(state)
    bob, eve = await make_agent(state, actor, "bob", "8012"), await make_agent(state, actor, "eve", "8013")
    await ready(state, bob, eve)
    other, third = f"{CALL}-other", f"{CALL}-third-t1"
    await followed.tell(
        CallStarted(CALL, "main", "a", "8011", "8012"),
        LegBegan(other, CALL, "8012", "extension:8012"),
        LegAnswered(other),
        LegBegan(third, CALL, "8013", "extension:8013", kind="third"),
        LegAnswered(third),
    )
    assert (await followed.of(bob)).state == (await followed.of(eve)).state == "busy"
    # The one who called leaves: the two go on without.
    await followed.tell(CallStarted(other, "main", "a", "8013", "8012", direction="internal"), LegMoved(third, other))
    for leg in (other, third):
        await followed.attendance.take(Event("main", "call.changed", other, {"leg": leg}))
    await followed.tell(CallEnded(CALL, "normal"))
    for one in (bob, eve):
        row = await followed.of(one)
        assert (row.state, row.call_id) == ("busy", other)
    async with read(state.db) as session:
        legs = await session.exec(select(Leg.id).where(Leg.call_id == other, Leg.state != "ended"))
        assert set(legs) == {other, third}


@pytest.mark.parametrize("how", ["queue", "own"])
async def test_who_hangs_up_by_hand_is_free_when_they_have(
    state: AppState, actor: Actor, followed: Followed, how: str
) -> None:
    ann = await make_agent(state, actor, "ann", "8011", auto_release=False, wrap_up_seconds=30)
    await make_queue(state, actor, "hotline", ann)
    leg = "k1-1-leg"
    if how == "queue":
        await ready(state, ann)
        stay = await served(state, followed)
        await BusinessQueues(state.db, "main", Watch(state.bus)).ended("k1", 1, "caller")
        assert (await entry_of(state, stay)).outcome == "served", "the caller's stay is over"
    else:
        await agents.change_own_state(state.db, ann, SignIn())
        await followed.tell(LegBegan(leg, CALL, "8011", "extension:8011"), LegAnswered(leg), talk(leg))
    during = "talking" if how == "queue" else "busy"
    await followed.tell(CallEnded(CALL, "normal", staying=(leg,)))
    await minder.turn(state.db)
    assert (await followed.of(ann)).state == during, "the phone is still off the hook"
    (left,) = await own_calls(state.db, ann)
    assert (left.state, left.number) == ("over", "13800138000")
    assert (await may_steer(state.db, ann, CALL)).id == CALL, "it may be hung up from the console"
    await followed.tell(LegEnded(leg, "normal"))
    assert (await followed.of(ann)).state == ("wrap_up" if how == "queue" else "not_ready")
    assert await own_calls(state.db, ann) == []


async def test_who_hangs_up_by_hand_and_did_so_first_is_free_at_once(
    state: AppState, actor: Actor, followed: Followed
) -> None:
    ann = await make_agent(state, actor, "ann", "8011", auto_release=False, wrap_up_seconds=0)
    await make_queue(state, actor, "hotline", ann)
    desk = BusinessQueues(state.db, "main", Watch(state.bus))
    await ready(state, ann)
    await served(state, followed)
    await desk.ended("k1", 1, "other")
    assert (await followed.of(ann)).state == "ready"
    # Hung up in the moment in which the caller left: whichever is heard of first.
    await served(state, followed, "k2")
    await desk.ended("k2", 1, "caller")
    assert (await followed.of(ann)).state == "talking"
    await followed.tell(CallEnded(CALL, "normal"))
    assert (await followed.of(ann)).state == "ready"


async def test_a_phone_that_nobody_hangs_up_keeps_its_agent_for_a_while_only(
    state: AppState, actor: Actor, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await make_agent(state, actor, "ann", "8011", auto_release=False)
    await make_queue(state, actor, "hotline", ann)
    await ready(state, ann)
    await served(state, followed)
    await BusinessQueues(state.db, "main", Watch(state.bus)).ended("k1", 1, "caller")
    await followed.tell(CallEnded(CALL, "normal", staying=("k1-1-leg",)))
    monkeypatch.setattr(minder, "STAY", timedelta(0))
    await minder.turn(state.db)
    assert (await followed.of(ann)).state == "ready"


async def test_a_supervisor_who_takes_over_has_the_call(state: AppState, actor: Actor, followed: Followed) -> None:
    ann, boss = await make_agent(state, actor, "ann", "8011"), await make_agent(state, actor, "boss", "8019")
    await make_queue(state, actor, "hotline", ann)
    await ready(state, ann, boss)
    stay = await served(state, followed)
    watch = f"{CALL}-watch-w1"
    await followed.rings("8019", watch, "supervisor")
    assert (await followed.of(boss)).state == "ready"
    await followed.tell(LegAnswered(watch), talk("k1-1-leg", supervisor=watch))
    assert (await followed.of(boss)).state == "busy"
    await followed.tell(talk(watch), LegEnded("k1-1-leg", "normal"))
    assert ((await followed.of(boss)).state, (await followed.of(ann)).state) == ("talking", "wrap_up")
    # Their phone is lost: it is they to whom the caller is offered back first.
    await BusinessQueues(state.db, "main", Watch(state.bus)).ended("k1", 1, "other_lost")
    await followed.tell(LegEnded(watch, "lost"))
    assert (await followed.of(boss)).state == "offered"
    async with read(state.db) as session:
        entry = await session.get(QueueEntry, stay)
    assert entry is not None and (entry.state, entry.agent_id) == ("offered", boss.user_id)


async def test_who_is_kept_free_for_a_caller_in_a_flow_is_free_once_that_caller_has_gone(
    state: AppState, actor: Actor, followed: Followed
) -> None:
    ann = await make_agent(state, actor, "ann", "8011")
    await make_queue(state, actor, "hotline", ann, wrap_up_seconds=0)
    await ready(state, ann)
    await served(state, followed)
    desk = BusinessQueues(state.db, "main", Watch(state.bus))
    await desk.ended("k1", 1, "transfer")
    kept = await followed.of(ann)
    assert kept.state == "wrap_up" and kept.until is not None and kept.until > utcnow() + timedelta(seconds=60)
    await followed.tell(CallEnded(CALL, "normal"))
    await minder.turn(state.db)
    assert (await followed.of(ann)).state == "ready"
