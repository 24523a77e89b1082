"""Test cases of flows: the ones that ship are green, red ones say why, and a sample agrees with a real server."""

import asyncio
import json
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from flows.cases import CasePlayer, CaseResult, FlowCase, judge, run_case
from flows.memory import MemoryPlans, MemoryTrail
from flows.plan import Plan, compile_plan
from flows.runner import Environment
from flows.simulation import Simulation
from flows.state import State
from flows.task import FlowResult, FlowStart
from flows.temporal import data_converter, start_flow, worker_options
from flows.testing import TemporalDevServer, document
from flows.validation import parse_draft
from flows.virtual import VirtualRun
from flows.workflow import Flow
from nodes.sdk.registry import registry

EXAMPLES = Path(__file__).parents[1] / "examples"
HOTLINE_CASES = [
    FlowCase.model_validate(case)
    for case in json.loads((EXAMPLES / "cases" / "service_hotline.json").read_text(encoding="utf-8"))
]


@pytest.fixture(scope="module")
def hotline() -> Plan:
    draft, _ = parse_draft(json.loads((EXAMPLES / "flows" / "service_hotline.json").read_text(encoding="utf-8")))
    return compile_plan(draft, registry(), version=1)


@pytest.mark.parametrize("case", HOTLINE_CASES, ids=lambda case: case.name)
def test_the_hotline_keeps_what_its_cases_say(hotline: Plan, case: FlowCase) -> None:
    result = run_case(case, hotline, registry())
    assert result.passed, [failure.message.en for failure in result.failures]


def test_the_cases_pass_every_edge_of_the_hotline(hotline: Plan) -> None:
    walked = {step for case in HOTLINE_CASES for step in run_case(case, hotline, registry()).path}
    flow = hotline.flows[hotline.root]
    edges = {(node.id, port) for node in flow.nodes.values() for port in node.edges}
    # An unknown card sounds like a wrong PIN, on purpose: it has the same edge.
    assert edges - walked <= {("verify", "unknown")}


def one_menu(**more: Any) -> Plan:
    return compile_plan(
        document(
            {
                "a": "voice.answer",
                "w": ("logic.wait", {"seconds": 3600}),
                "m": (
                    "voice.menu",
                    {
                        "prompt": {"parts": [{"kind": "text", "text": {"en": "Press one"}}]},
                        "choices": [{"key": "1", "label": "one"}],
                    },
                ),
                "s": ("messaging.sms", {"to": "13800000001", "text": "Thank you"}),
                "q": ("web.query", {"query": "orders"}),
                "e": "logic.end",
            },
            "a>w w>m m.1>s s>q q.found>e q.empty>e m.timeout>e m.invalid>e s>q",
            kind="ivr",
            languages=["en"],
            **more,
        ),
        registry(),
        version=1,
    )


def played(plan: Plan, **case: Any) -> CaseResult:
    return run_case(FlowCase.model_validate({"name": "x", **case}), plan, registry())


def test_an_hour_of_waiting_takes_a_blink() -> None:
    began = time.process_time()
    result = played(
        one_menu(),
        scene={"mocks": {"q": {"port": "found"}}},
        steps=[{"hear": "Press one", "within": 4000}, {"press": "1"}, {"message": "Thank"}],
        expect={"outcome": "completed", "path": ["m.1", "s", "q.found"]},
    )
    assert result.passed, result.failures
    assert result.seconds > 3600 and time.process_time() - began < 5


@pytest.mark.parametrize(
    ("case", "step", "words"),
    [
        ({"steps": [{"hear": "Press two", "within": 4000}]}, 1, "“Press two” was not heard"),
        (
            {"steps": [{"node": "nowhere", "within": 10}]},
            1,
            "the node “nowhere” was not reached (after 10 s); the flow stood at “Wait",
        ),
        ({"steps": [{"message": "x", "within": 10}]}, 1, "no message with “x” was sent"),
        ({"steps": [{"hang_up": True}, {"wait": 1}, {"press": "1"}]}, 3, "was over"),
        (
            {"steps": [{"hang_up": True}], "expect": {"outcome": "completed"}},
            None,
            "the end should be “ended as drawn”, it is “the caller hung up”",
        ),
        ({"steps": [{"hang_up": True}], "expect": {"path": ["m"]}}, None, "the path does not pass “Menu” in its turn"),
        ({"steps": [{"hang_up": True}], "expect": {"not_path": ["a"]}}, None, "the path should not pass “Answer”"),
        ({"steps": [{"hang_up": True}], "expect": {"said": ["welcome"]}}, None, "“welcome” was not heard"),
        (
            {"steps": [{"hang_up": True}], "expect": {"variables": {"n": 1}}},
            None,
            "the variable “n” should be 1, it is empty",
        ),
        (
            {"steps": [{"hang_up": True}], "expect": {"outputs": {"a.b": 1}}},
            None,
            "the output “Answer ▸ b” should be 1, it is empty",
        ),
        ({"steps": [{"wait": 3601}, {"press": "1"}]}, None, "the node “Query data” needs data"),
    ],
)
def test_a_red_case_says_which_step_and_why(case: dict[str, Any], step: int | None, words: str) -> None:
    result = played(one_menu(), **case)
    assert not result.passed
    assert any(failure.step == step and words in failure.message.en for failure in result.failures), result.failures
    assert all(failure.message.zh for failure in result.failures)


def test_a_flow_that_waits_for_good_is_red() -> None:
    from flows.testing import compiled, sample_registry

    nodes = sample_registry()
    plan = compiled(document({"w": ("test.wait", {"signal": "never"})}), nodes)
    result = run_case(FlowCase(name="x"), plan, nodes, kind="ticket")
    assert not result.passed and "nothing will ever happen" in result.failures[0].message.en


@pytest.mark.parametrize(
    "step", [{}, {"press": "1", "hear": "x"}, {"press": "x"}, {"wait": -1}, {"hang_up": False}, {"presses": "1"}]
)
def test_a_step_that_is_none_or_two_is_refused(step: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FlowCase.model_validate({"name": "x", "steps": [step]})


# --------------------------------------------------------------------------- the same on a real server


class _OnTemporal:
    """Carries a simulated run by a workflow on a real server."""

    def __init__(self, client: Client, store: MemoryPlans, plan: Plan, start: FlowStart, env: Environment) -> None:
        self.client, self.env = client, env
        self.start = start.model_copy(update={"run_id": f"case-{uuid.uuid4().hex[:8]}"})
        store.add(plan)
        self.handle: WorkflowHandle[Flow, FlowResult] | None = None
        self._hung: list[asyncio.Task[None]] = []

    @property
    def state(self) -> State | None:
        return None

    async def run(self) -> VirtualRun:
        queue = self.start.run_id
        async with Worker(self.client, task_queue=queue, **worker_options(self.env, max_calls=10)):
            self.handle = await start_flow(self.client, self.start, task_queue=queue)
            result = await self.handle.result()
            await asyncio.gather(*self._hung, return_exceptions=True)
        assert isinstance(self.env.trail, MemoryTrail)
        return VirtualRun(result, self.env.trail.of(self.start.run_id), None, 0.0)  # type: ignore[arg-type]

    def hang_up(self, cause: str = "normal") -> None:
        if self.handle is not None:
            self._hung.append(asyncio.create_task(self.handle.signal("hangup", cause)))

    def signal(self, name: str, data: dict[str, Any] | None = None) -> None:
        raise NotImplementedError

    def stop(self, reason: str = "stopped") -> None:
        raise NotImplementedError


@pytest.mark.temporal
@pytest.mark.parametrize("name", [pytest.param("news", marks=pytest.mark.soak), "blocked", "hangs-up-in-greeting"])
async def test_a_sample_agrees_with_a_real_server(hotline: Plan, temporal_server: TemporalDevServer, name: str) -> None:
    case = next(case for case in HOTLINE_CASES if case.name == name)
    virtual = run_case(case, hotline, registry())
    store = MemoryPlans()
    client = await Client.connect(temporal_server.address, data_converter=data_converter(store))

    def on_temporal(plan: Plan, start: FlowStart, env: Environment, *, begin: datetime) -> _OnTemporal:
        made = _OnTemporal(client, store, plan, start, env)
        simulation.run_id = made.start.run_id
        return made

    simulation = Simulation(hotline, registry(), case.scene, driver=on_temporal)
    player = CasePlayer(case, simulation)
    await asyncio.wait_for(simulation.run(player.play), 90)
    real = judge(case, player)
    assert real.passed, [failure.message.en for failure in real.failures]
    assert (real.path, real.outcome, real.reason) == (virtual.path, virtual.outcome, virtual.reason)
    assert real.variables == virtual.variables


def test_callers_of_a_case_speak_to_menus_and_questions() -> None:
    def words(**said: str) -> dict[str, Any]:
        return {"parts": [{"kind": "text", "text": said}]}

    plan = compile_plan(
        document(
            {
                "answer": "voice.answer",
                "menu": (
                    "voice.menu",
                    {
                        "prompt": words(zh="查余额还是转人工？", en="Balance or a person?"),
                        "choices": [
                            {"key": "1", "words": {"zh": ["余额"]}},
                            {"key": "0", "words": {"zh": ["人工"]}},
                        ],
                    },
                ),
                "city": ("voice.listen", {"prompt": words(zh="您在哪个城市？", en="Which city?")}),
                "bye": "voice.hangup",
            },
            "answer>menu menu.1>city menu.0>bye menu.timeout>bye menu.invalid>bye city>bye",
        ),
        registry(),
        version=1,
    )
    case = FlowCase.model_validate(
        {
            "name": "spoken",
            "scene": {"language": "zh"},
            "steps": [{"hear": "查余额"}, {"say": "我想查余额"}, {"hear": "哪个城市"}, {"say": "上海"}],
            "expect": {"outcome": "completed", "outputs": {"menu.words": "余额", "city.words": "上海"}},
        }
    )
    result = run_case(case, plan, registry())
    assert result.passed, [failure.message.en for failure in result.failures]
    silent = FlowCase.model_validate({"name": "silent", "expect": {"path": ["menu.timeout"]}})
    assert run_case(silent, plan, registry()).passed


@pytest.mark.parametrize(("does", "port"), [("machine", "machine"), ("fax", "machine"), ("answers", "done")])
def test_a_case_says_who_answers_a_dialled_number(does: str, port: str) -> None:
    plan = compile_plan(
        document(
            {
                "answer": "voice.answer",
                "dial": ("voice.dial", {"number": "8001", "only_people": True}),
                "bye": "voice.hangup",
            },
            "answer>dial dial.done>bye dial.machine>bye dial.busy>bye dial.no_answer>bye dial.failed>bye",
        ),
        registry(),
        version=1,
    )
    person = {"number": "8001", "does": does, "talks": 20}
    case = FlowCase.model_validate(
        {"name": does, "scene": {"people": [person]}, "expect": {"outcome": "completed", "path": [f"dial.{port}"]}}
    )
    result = run_case(case, plan, registry())
    assert result.passed, [failure.message.en for failure in result.failures]
