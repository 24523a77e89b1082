"""What rules of recording do to calls over the simulated engine."""

import asyncio
from typing import Any

import pytest

from backend.database import utcnow, write
from backend.identity.models import User
from backend.identity.permissions import Role
from backend.numbers.models import Extension
from backend.queues.models import Queue, QueueEntry
from backend.recordings.models import RecordingRule
from backend.recordings.rules import Decision
from backend.runtime.taping import Taping, next_step
from backend.state import AppState
from telephony.live_call import LiveCall
from telephony.simulated import Callee, Person, SimulatedDriver
from telephony.test_live_call import Hall, hall


def test_a_decision_changes_only_what_it_must() -> None:
    yes, no, unsaid = Decision(True, "r"), Decision(False, "r"), Decision(False)
    assert next_step(yes, "off", by_rule=False) == "start"
    assert next_step(yes, "on", by_rule=False) == "nothing"
    assert next_step(yes, "paused", by_rule=True) == "resume"
    assert next_step(yes, "paused", by_rule=False) == "nothing"  # a person has paused it
    assert next_step(no, "on", by_rule=False) == "pause"
    assert next_step(no, "off", by_rule=False) == "nothing"
    assert next_step(unsaid, "on", by_rule=False) == "nothing"  # a person has switched it on


async def rules(state: AppState, *given: RecordingRule) -> None:
    async with write(state.db) as session:
        session.add_all(given)


def rule(scope: str, value: str = "", **more: Any) -> RecordingRule:
    return RecordingRule(business_id="main", scope=scope, value=value, **more)


async def comes(h: Hall, taping: Taping, direction: str = "inbound") -> LiveCall:
    call, _ = await h.call(answer=False)
    await taping.begins(call, "main", direction)
    await taping.tell_first(call)
    await call.answer()
    await taping.answered(call)
    return call


async def test_who_must_be_told_hears_it_before_the_recording(state: AppState) -> None:
    told = rule(
        "all", direction="inbound", announce=True, announcement_zh="本次通话将录音", announcement_en="Recorded."
    )
    await rules(state, told)
    h = hall()
    call = await comes(h, Taping(state.db, default=False))
    names = [name for _, name, _ in h.driver.commands]
    assert names == ["answer", "play", "tap"] and call.recording_state == "on"
    (heard,) = [one for one in h.driver.lines[call.id].heard if one.kind == "prompt"]
    assert heard.text == "Recorded." and heard.whole
    assert (await comes(h, Taping(state.db, default=False), "outbound")).recording_state == "off"
    await h.book.stop()


@pytest.mark.parametrize("default", [True, False])
async def test_without_a_rule_the_setting_decides(state: AppState, default: bool) -> None:
    h = hall()
    call = await comes(h, Taping(state.db, default=default))
    assert call.recording_state == ("on" if default else "off")
    await h.book.stop()


@pytest.mark.parametrize(("default", "share", "expected"), [(False, 100, "on"), (True, 0, "paused")])
async def test_the_rule_of_a_queue_decides_when_the_talk_begins(
    state: AppState, default: bool, share: int, expected: str
) -> None:
    await rules(state, rule("queue", "sales", share=share))
    h = hall(SimulatedDriver(callees={"extension:8001": Callee(after=0.05, person=Person())}))
    taping = Taping(state.db, default=default)
    call = await comes(h, taping)
    assert call.recording_state == ("on" if default else "off")
    async with write(state.db) as session:
        session.add(QueueEntry(business_id="main", key="k", queue="sales", call_id=call.id, offered_at=utcnow()))
    await talks(h, taping, call)
    assert call.recording_state == expected
    await h.book.stop()


@pytest.mark.parametrize(
    ("queue_records", "with_rule", "expected"), [(False, False, "paused"), (True, False, "on"), (False, True, "on")]
)
async def test_a_queue_that_does_not_record_keeps_the_talk_out_unless_a_rule_wants_it(
    state: AppState, queue_records: bool, with_rule: bool, expected: str
) -> None:
    if with_rule:
        await rules(state, rule("queue", "sales"))
    h = hall(SimulatedDriver(callees={"extension:8001": Callee(after=0.05, person=Person())}))
    taping = Taping(state.db, default=True)
    call = await comes(h, taping)
    async with write(state.db) as session:
        session.add(Queue(business_id="main", name="sales", label_zh="a", label_en="a", record=queue_records))
        session.add(Queue(business_id="main", name="other", label_zh="b", label_en="b"))
        session.add(QueueEntry(business_id="main", key="k", queue="sales", call_id=call.id, offered_at=utcnow()))
    await talks(h, taping, call)
    assert call.recording_state == expected
    # Handed to a queue that records: the next talk is on record again.
    async with write(state.db) as session:
        session.add(QueueEntry(business_id="main", key="k2", queue="other", call_id=call.id, offered_at=utcnow()))
    await h.driver.hang_up("leg")
    await talks(h, taping, call, "leg-2")
    assert call.recording_state == "on"
    await h.book.stop()


async def test_the_rule_of_an_agent_tells_the_customer_and_records(state: AppState) -> None:
    async with write(state.db) as session:
        user = User(business_id="main", name="ana", display_name="Ana", role=Role.AGENT, password_hash="x")
        session.add(user)
        await session.flush()
        session.add(Extension(business_id="main", number="8001", password="x", user_id=user.id))
        told = rule("agent", user.id, announce=True, announcement_zh="录音", announcement_en="Recorded.")
        session.add(told)
    h = hall(SimulatedDriver(callees={"extension:8001": Callee(after=0.05, person=Person())}))
    taping = Taping(state.db, default=False)
    call = await comes(h, taping)
    await talks(h, taping, call)
    assert call.recording_state == "on"
    assert [one.text for one in h.driver.lines[call.id].heard if one.kind == "prompt"] == ["Recorded."]
    await h.book.stop()


async def talks(h: Hall, taping: Taping, call: LiveCall, leg: str = "leg") -> None:
    """The agent answers, and the rules have been asked."""
    await call.dial(leg, "extension:8001", caller_id="100", ring_seconds=5)
    task = asyncio.create_task(call.talk(leg))
    async with asyncio.timeout(30):
        while call.conversation is None or call.conversation.leg_id != leg or not call.conversation.view().parties:
            await asyncio.sleep(0.01)
    await taping.talks(call, call.conversation)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
