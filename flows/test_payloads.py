"""What payloads look like and what comes back from them: histories of earlier versions have to stay readable."""

import asyncio
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter

import flows.temporal
from flows.memory import MemoryPlans, MemoryTrail
from flows.plan import Plan
from flows.runner import run_task
from flows.state import Frame, State
from flows.task import CallFacts, FlowResult, FlowStart, NodeTask, TrailStep
from flows.temporal import FlowPayloadConverter, data_converter, plans
from flows.testing import compiled, document, environment, sample_registry, start_of
from flows.workflow import PlanRef
from nodes.sdk.node import Runs
from nodes.sdk.outcome import Outcome

NOW = datetime(2025, 3, 4, 5, 6, 7, 890_123, UTC)
CONVERTER = FlowPayloadConverter()


def there_and_back(value: Any, hint: Any = None) -> Any:
    return CONVERTER.from_payloads(CONVERTER.to_payloads([value]), [hint] if hint is not None else None)[0]


def task(**more: Any) -> NodeTask:
    values: dict[str, Any] = {
        "run_id": "r",
        "business_id": "b",
        "flow_id": "f",
        "version": 3,
        "step": 2,
        "attempt": 1,
        "node_id": "n",
        "node_type": "test.quick",
        "runs": Runs.QUICK,
        "config": {},
        "now": NOW,
    }
    return NodeTask.model_validate(values | more)


def step(seq: int = 1, **more: Any) -> TrailStep:
    return TrailStep.model_validate({"seq": seq, "node_id": "n", "node_type": "test.quick", "entered": NOW, **more})


@pytest.fixture
def plan() -> Plan:
    return compiled(document({"q": "test.quick"}), sample_registry())


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (None, None),
        ("text 文本", str),
        (7, int),
        (b"\x00\x01", bytes),
        ({"a": [1, 2.5, None, "x"]}, dict[str, Any]),
        ([1, 2], list[int]),
        ([], list[TrailStep]),
        ([step(), step(2, left=NOW, port="next", outputs={"a": None}, said=["hello"])], list[TrailStep]),
        (task(), NodeTask),
        (
            task(call=CallFacts(id="c", language="zh"), config={"words": "", "n": None}, trail=[step()], timeout=0.5),
            NodeTask,
        ),
        (Outcome(port="next"), Outcome),
        (Outcome.error("busy", "later", retryable=True), Outcome),
        (Outcome(port="next", outputs={"a": None, "b": {}}, customer={}), Outcome),
        (FlowResult(outcome="completed"), FlowResult),
        (
            State(start=FlowStart(run_id="r", business_id="b", flow_id="f", version=1, plan="p", kind="ivr"), now=NOW),
            State,
        ),
    ],
)
def test_values_come_back_as_they_were(value: Any, hint: Any) -> None:
    assert there_and_back(value, hint) == value


@given(st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=5)))
def test_what_nodes_leave_behind_is_never_shortened(values: dict[str, Any]) -> None:
    """Defaults are left out of the models alone, not of what a node put into them."""
    outcome = Outcome(port="next", outputs=values, variables=values, call=values, customer=values)
    assert there_and_back(outcome, Outcome) == outcome
    assert there_and_back(task(config=values), NodeTask).config == values


def test_payloads_of_the_plain_converter_are_understood() -> None:
    """As earlier histories hold them: every default written out."""
    for value in (task(trail=[step()]), Outcome(port="next"), [step()], FlowResult(outcome="hangup"), None, b"x"):
        hint: Any = list[TrailStep] if isinstance(value, list) else type(value)
        payloads = pydantic_data_converter.payload_converter.to_payloads([value])
        assert CONVERTER.from_payloads(payloads, [hint]) == [value]


def test_what_begins_a_run_is_written_in_full() -> None:
    """A default that changes must not change runs that are alive."""
    start = FlowStart(run_id="r", business_id="b", flow_id="f", version=1, plan="p", kind="ivr")
    [payload] = CONVERTER.to_payloads([start])
    assert set(FlowStart.model_fields) == set(there_and_back(start, dict[str, Any]))
    assert b'"step_limit":10000' in payload.data


def test_an_outcome_is_short() -> None:
    [payload] = CONVERTER.to_payloads([Outcome(port="next")])
    assert payload.data == b'{"port":"next"}'


def test_plans_travel_as_their_hash(plan: Plan) -> None:
    [payload] = CONVERTER.to_payloads([plan])
    assert payload == CONVERTER.to_payloads([PlanRef(hash=plan.hash)])[0]
    assert payload.data == plan.hash.encode()
    assert CONVERTER.from_payloads([payload], [Plan])[0] is plan
    assert CONVERTER.from_payloads([payload], [PlanRef]) == [PlanRef(hash=plan.hash)]


def test_a_plan_that_is_not_loaded_is_named() -> None:
    [payload] = CONVERTER.to_payloads([PlanRef(hash="no-such-plan")])
    with pytest.raises(RuntimeError, match="no-such-plan is not loaded"):
        CONVERTER.from_payloads([payload], [Plan])


class SlowPlans:
    """A plan store that never answers."""

    async def load(self, plan_hash: str) -> bytes:
        await asyncio.sleep(60)
        raise AssertionError


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "_plans", OrderedDict())


@pytest.mark.usefixtures("empty_cache")
async def test_a_workflow_thread_waits_for_the_plan(plan: Plan) -> None:
    converter = data_converter(MemoryPlans(plan)).payload_converter
    payloads = converter.to_payloads([PlanRef(hash=plan.hash)])
    [found] = await asyncio.to_thread(converter.from_payloads, payloads, [Plan])
    assert found == plan and plans.get(plan.hash) is found


@pytest.mark.usefixtures("empty_cache")
async def test_the_loop_itself_never_waits_for_a_plan(plan: Plan) -> None:
    converter = data_converter(MemoryPlans(plan)).payload_converter
    with pytest.raises(RuntimeError, match="is not loaded"):
        converter.from_payloads(converter.to_payloads([PlanRef(hash=plan.hash)]), [Plan])


@pytest.mark.usefixtures("empty_cache")
async def test_a_plan_that_nobody_has_or_nobody_brings(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows.temporal, "LOAD_SECONDS", 0.05)
    payloads = CONVERTER.to_payloads([PlanRef(hash="missing")])
    with pytest.raises(KeyError, match="missing"):
        await asyncio.to_thread(data_converter(MemoryPlans(plan)).payload_converter.from_payloads, payloads, [Plan])
    with pytest.raises(RuntimeError, match="was not loaded within"):
        await asyncio.to_thread(data_converter(SlowPlans()).payload_converter.from_payloads, payloads, [Plan])


def test_each_client_has_a_store_of_its_own(plan: Plan) -> None:
    first, second = data_converter(MemoryPlans(plan)), data_converter(MemoryPlans())
    assert first.payload_converter_class is not second.payload_converter_class
    assert first.payload_codec is None, "a codec would see every payload of every step"


def test_raw_values_and_unknown_encodings() -> None:
    raw = RawValue(Payload(metadata={"encoding": b"of another"}, data=b"x"))
    assert there_and_back(raw, RawValue) == raw
    with pytest.raises(KeyError, match="of another"):
        CONVERTER.from_payloads([raw.payload])


def test_the_converter_stands_in_for_the_default_one() -> None:
    """Values without a hint, as queries and tools read them."""
    for value in ({"a": 1}, [1, "b"], "c", 1.5, True, None, b"d"):
        assert there_and_back(value) == value
        [payload] = CONVERTER.to_payloads([value])
        assert DataConverter.default.payload_converter.from_payloads([payload]) == [value]


# --- what rides on tasks


async def test_a_task_that_enters_its_step_tells_so() -> None:
    registry = sample_registry()
    env = environment(registry)
    await run_task(task(trail=[step(1, left=NOW, port="next")], enters=True, node_name="Quick"), env)
    assert isinstance(env.trail, MemoryTrail)
    assert env.trail.of("r") == [
        step(1, left=NOW, port="next"),
        step(2, node_name="Quick", flow_id="f"),
    ]


async def test_a_task_that_goes_on_with_its_step_says_nothing_of_it() -> None:
    """A record that was written with its first attempt is not written over."""
    env = environment(sample_registry())
    await run_task(task(attempt=2), env)
    assert isinstance(env.trail, MemoryTrail) and env.trail.of("r") == []


def test_the_machine_tells_each_change_once_and_the_whole_at_the_end() -> None:
    from flows.machine import Machine
    from flows.state import Finish, NodeDone, RunNode, TimerFired

    registry = sample_registry()
    source = document({"a": ("test.work", {}, {"retries": 1, "backoff": 1}), "b": "test.quick"}, "a>b")
    plan = compiled(source, registry)
    machine = Machine(plan, registry)
    state, [first] = machine.start(start_of(plan), NOW)
    assert isinstance(first, RunNode) and first.task.enters and first.task.trail == []
    assert [(one.seq, one.entered) for one in first.task.seen()] == [(1, NOW)]

    later = NOW + timedelta(seconds=1)
    busy = Outcome.error("busy", retryable=True)
    state, [timer] = machine.step(state, NodeDone(first.token, 1, 1, busy, later))
    state, [again] = machine.step(state, TimerFired(timer.timer, later))  # type: ignore[union-attr]
    assert isinstance(again, RunNode) and not again.task.enters
    assert [(one.seq, one.attempt, one.error, one.entered) for one in again.task.seen()] == [(1, 2, "busy", NOW)]

    state, [second] = machine.step(state, NodeDone(again.token, 1, 2, Outcome(port="next"), later))
    assert isinstance(second, RunNode)
    assert [(one.seq, one.port, one.left) for one in second.task.seen()] == [(1, "next", later), (2, None, None)]
    state, [end] = machine.step(state, NodeDone(second.token, 2, 1, Outcome(port="next"), later))
    assert isinstance(end, Finish) and [(one.seq, one.port) for one in end.steps] == [(1, "next"), (2, "next")]


def test_records_are_set_plainly_and_travel_whole() -> None:
    frame = Frame(id=1, flow="f@1")
    frame.variables = {"a": 1}
    frame.visits["n"] = 2
    frame.errors_handled += 1
    assert Frame.model_validate_json(frame.model_dump_json()) == frame
    copy = frame.model_copy(deep=True)
    copy.variables["a"] = 2
    assert frame.variables == {"a": 1} and copy != frame
