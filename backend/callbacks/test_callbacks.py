"""Rules that start flows: what happened is worked out from the record, and each rule starts once for it."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.callbacks import service
from backend.callbacks.events import Happened, Happening, meets
from backend.callbacks.models import FlowRule
from backend.calls.facts import (
    CallAnswered,
    CallEnded,
    CallStarted,
    LegAnswered,
    LegBegan,
    RunFinished,
    write_facts,
)
from backend.calls.service import get_run
from backend.customers.service import save_customer
from backend.database import utcnow, write
from backend.errors import InvalidError, NotFoundError
from backend.flows.service import import_flow, publish
from backend.identity.permissions import Actor
from backend.queues.models import QueueEntry
from backend.state import AppState
from backend.testing import ApiClient
from backend.voicemails.models import Voicemail
from flows.task import CallFacts, FlowResult, FlowStart, TrailStep

EXAMPLES = Path(__file__).parents[2] / "examples" / "flows"


@pytest.fixture
async def flows(state: AppState, actor: Actor) -> None:
    for name in ("abandoned_callback", "voicemail_callback"):
        saved = await import_flow(state.db, actor, json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8")))
        await publish(state.db, actor, saved.flow.key)


async def rule(state: AppState, actor: Actor, event: Happening, **more: Any) -> FlowRule:
    flow = "voicemail-callback" if event is Happening.VOICEMAIL else "abandoned-callback"
    given = {"name": event.value, "event": event.value, "flow": flow, "enabled": True} | more
    return await service.save_rule(state.db, actor, **given)


async def call(state: AppState, id: str, *, ended: bool = True, answered: bool = True) -> None:
    facts: list[Any] = [CallStarted(id, "main", "g", "+8613800000001", "100")]
    if answered:
        facts.append(CallAnswered(id))
    if ended:
        facts.append(CallEnded(id, "normal"))
    await write_facts(state.db, facts)


async def stay(state: AppState, call_id: str, outcome: str, queue: str = "service", seconds: float = 40) -> None:
    now = utcnow()
    async with write(state.db) as session:
        session.add(
            QueueEntry(
                business_id="main", key=call_id, queue=queue, call_id=call_id, state="done", outcome=outcome,
                entered_at=now - timedelta(seconds=seconds), ended_at=now,
                answered_at=now if outcome == "served" else None,
            )
        )  # fmt: skip


async def starts(state: AppState) -> list[tuple[str, str, dict[str, Any]]]:
    await service.read_events(state.db)
    found = await service.list_starts(state.db, "main")
    return [(row.event_id, row.state, row.inputs) for row in found.items]


async def test_a_caller_who_left_a_queue_starts_the_rule_once(state: AppState, actor: Actor, flows: None) -> None:
    customer = await save_customer(state.db, actor, changes={"name": "王芳", "phones": ["13800000001"]})
    await rule(state, actor, Happening.ABANDONED)
    await stay(state, "c1", "abandoned")
    await call(state, "c1")
    (first,) = await starts(state)
    assert first[:2] == ("abandoned-c1", "waiting")
    assert first[2]["queue"] == "service" and first[2]["customer_id"] == customer.id
    assert first[2]["waited"] == pytest.approx(40, abs=1)
    # Told again by the queue itself, and read again: it is the same happening.
    async with write(state.db) as session:
        from backend.events import record

        record(session, "main", "queue.abandoned", "c1", call_id="c1", queue="service", caller="+8613800000001")
    assert len(await starts(state)) == 1


async def test_only_what_was_abandoned_counts(state: AppState, actor: Actor, flows: None) -> None:
    await rule(state, actor, Happening.ABANDONED, filter={"queues": ["service"], "min_wait": 10})
    for id, outcome, queue, seconds in (
        ("served", "served", "service", 40), ("voicemail", "voicemail", "service", 40),
        ("other", "abandoned", "sales", 40), ("short", "abandoned", "service", 3),
    ):  # fmt: skip
        await stay(state, id, outcome, queue, seconds)
        await call(state, id)
    assert await starts(state) == []


async def test_a_call_that_goes_on_is_looked_at_again(state: AppState, actor: Actor, flows: None) -> None:
    await rule(state, actor, Happening.ABANDONED)
    start = FlowStart(
        run_id="call-c1", business_id="main", flow_id="hotline", version=1, plan="p", kind="ivr",
        call=CallFacts(id="c1"),
    )  # fmt: skip
    await write_facts(state.db, [CallStarted("c1", "main", "g", "+8613800000001", "100", run=start)])
    await write_facts(state.db, [CallEnded("c1", "normal")])
    seen: set[int] = set()
    assert await service.read_events(state.db, seen=seen) == 0
    at = utcnow()
    step = TrailStep(
        seq=1, node_id="line", node_type="queue.enter", entered=at - timedelta(seconds=30), left=at, port="hangup",
        outputs={"queue": "sales"},
    )  # fmt: skip
    await write_facts(state.db, [RunFinished(start, FlowResult(outcome="hangup"), [step])])
    assert await service.read_events(state.db, seen=seen) == 1
    assert [row[2]["queue"] for row in await starts(state)] == ["sales"]


async def test_a_phone_that_nobody_took_is_missed_and_one_that_was_taken_is_not(
    state: AppState, actor: Actor, flows: None
) -> None:
    await rule(state, actor, Happening.MISSED, inputs={"automatic": False})
    for id, taken in (("c1", False), ("c2", True)):
        await call(state, id, ended=False)
        await write_facts(state.db, [LegBegan(f"{id}-l", id, "8001", "extension:8001")])
        if taken:
            await write_facts(state.db, [LegAnswered(f"{id}-l")])
        await write_facts(state.db, [CallEnded(id, "normal")])
    found = await starts(state)
    assert [(row[0], row[2]["extension"]) for row in found] == [("missed-c1", "8001")]


async def test_a_message_starts_its_rule_when_the_caller_has_gone(state: AppState, actor: Actor, flows: None) -> None:
    await rule(state, actor, Happening.VOICEMAIL, filter={"boxes": ["service"]})
    await call(state, "c1", ended=False)
    async with write(state.db) as session:
        from backend.events import record

        for id, box in (("v1", "service"), ("v2", "sales")):
            session.add(
                Voicemail(
                    id=id, business_id="main", key=id, box=box, call_id="c1", caller="+8613800000001",
                    callback_number="8005", path=id, seconds=7,
                )
            )  # fmt: skip
            record(session, "main", "voicemail.saved", id, box=box)
    assert await starts(state) == []
    await write_facts(state.db, [CallEnded("c1", "normal")])
    (one,) = await starts(state)
    assert one[0] == "voicemail-v1" and one[2]["caller"] == "8005" and one[2]["voicemail_id"] == "v1"


async def test_a_rule_looks_at_what_happens_from_when_it_is_on(state: AppState, actor: Actor, flows: None) -> None:
    await stay(state, "before", "abandoned")
    await call(state, "before")
    row = await rule(state, actor, Happening.ABANDONED, enabled=False)
    await stay(state, "off", "abandoned")
    await call(state, "off")
    await service.switch_rule(state.db, actor, row.id, True)
    assert await starts(state) == []
    await stay(state, "on", "abandoned")
    await call(state, "on")
    assert [one[0] for one in await starts(state)] == ["abandoned-on"]


async def test_starts_are_typed_pinned_and_tried_again(state: AppState, actor: Actor, flows: None) -> None:
    row = await rule(state, actor, Happening.ABANDONED, inputs={"connect": "8002"})
    await stay(state, "c1", "abandoned")
    await call(state, "c1")
    await starts(state)
    begun: list[FlowStart] = []

    async def away(start: FlowStart) -> None:
        raise TimeoutError

    async def start(flow: FlowStart) -> None:
        begun.append(flow)

    with pytest.raises(TimeoutError):
        await service.start_waiting(state.db, away)
    assert await service.start_waiting(state.db, start) == (1, 0)
    assert await service.start_waiting(state.db, start) == (0, 0)
    (flow,) = begun
    assert flow.kind == "callback" and flow.timezone == "Asia/Shanghai" and flow.version == 1
    assert flow.inputs["connect"] == "8002" and flow.inputs["caller"] == "+8613800000001"
    assert "box" not in flow.inputs and flow.run_id == service.run_of(row.id, "abandoned-c1")
    assert (await get_run(state.db, "main", flow.run_id)).state == "running"


async def test_a_flow_that_is_not_there_is_told(state: AppState, actor: Actor, flows: None) -> None:
    with pytest.raises(NotFoundError):
        await rule(state, actor, Happening.ABANDONED, flow="nowhere")
    with pytest.raises(InvalidError) as refused:
        await rule(state, actor, Happening.ABANDONED, inputs={"nonsense": 1})
    assert refused.value.field == "inputs.nonsense"
    with pytest.raises(InvalidError):
        await rule(state, actor, Happening.ABANDONED, filter={"nonsense": 1})


def test_filters() -> None:
    one = Happened("x", "main", Happening.ABANDONED, {"queue": "a", "called": "4001", "waited": 20})
    for wanted, good in (
        ({}, True), ({"queues": ["a"]}, True), ({"queues": ["b"]}, False), ({"numbers": ["400"]}, True),
        ({"numbers": ["95"]}, False), ({"min_wait": 20}, True), ({"min_wait": 21}, False), ({"boxes": ["a"]}, False),
    ):  # fmt: skip
        assert meets(wanted, one) is good


async def test_rules_over_the_api(client: ApiClient, new_client: Callable[[], ApiClient], flows: None) -> None:
    save = "mutation($i: FlowRuleInput!) { saveFlowRule(input: $i) { value { id enabled } errors { code field } } }"
    good = {"name": "a", "event": "queue.abandoned", "flow": "abandoned-callback"}
    made = await client.change(save, i=good)
    assert made["enabled"] is False
    on = "mutation($i: String!) { switchFlowRule(id: $i, enabled: true) { value { enabledAt } errors { code } } }"
    assert (await client.change(on, i=made["id"]))["enabledAt"]
    assert (await client.refusal(save, i=good | {"event": "full.moon"}))["field"] == "event"
    events = await client.ask("{ ruleEvents { name inputs label { zh en } } flowRules { name event } }")
    assert len(events["ruleEvents"]) == 3 and len(events["flowRules"]) == 1
    assert (await new_client().refusal("{ flowRules { id } }"))["code"] == "unauthenticated"
