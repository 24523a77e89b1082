"""Test cases of a flow: data that business people keep beside it, run in virtual time by the real interpreter.

A case is a scene (who calls, when, what data nodes answer), steps in order, and what must hold at the end::

    {"name": "balance", "steps": [{"hear": "请按1"}, {"press": "1"}, {"node": "card"}, {"press": "62220001#"}],
     "expect": {"outcome": "completed", "path": ["menu.1", "card", "tell"]}}

A step is one thing: **observe** (``hear``, ``node``, ``message``) waits until it happens, at most ``within`` seconds
of the call's time; **act** (``press``, ``say``, ``wait``, ``hang_up``) does it. ``task`` waits until the flow has given
somebody work, and ends it so.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

from flows.naming import PlanNames
from flows.plan import Plan
from flows.simulation import CallOverError, Part, Scene, Simulation, Told
from flows.virtual import NothingLeftError, run_in_virtual_time
from nodes.sdk.registry import Registry
from nodes.sdk.text import Text, text

ACTS = ("press", "say", "wait", "hang_up", "task")
OBSERVATIONS = ("hear", "node", "message")


class Step(Part):
    """One step of a case; exactly one of its actions or observations is set. ``wait`` is in seconds."""

    hear: str | None = None
    node: str | None = None
    message: str | None = None
    press: str | None = Field(None, pattern=r"^[0-9*#A-D]+$")
    say: str | None = None
    wait: float | None = Field(None, ge=0, le=7 * 86_400)
    hang_up: Literal[True] | None = None
    task: Literal["done", "given_up", "cancelled"] | None = None
    result: str = Field("", max_length=64)
    within: float = Field(120, gt=0, le=7 * 86_400)

    @model_validator(mode="after")
    def _one_thing(self) -> "Step":
        given = [name for name in (*OBSERVATIONS, *ACTS) if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"a step does one thing: give exactly one of {', '.join((*OBSERVATIONS, *ACTS))}")
        return self

    @property
    def what(self) -> str:
        """Which of its fields is set."""
        return next(name for name in (*OBSERVATIONS, *ACTS) if getattr(self, name) is not None)


class Expect(Part):
    """What must hold when the run is over. What is not given is not looked at.

    ``path``       nodes that were passed in this order, others may lie between; ``menu.1`` names the port too
    ``not_path``   nodes that were not passed
    ``said``       texts that the caller heard somewhere
    ``variables``  values of the flow's variables
    ``outputs``    outputs by ``node.output``
    """

    outcome: Literal["completed", "hangup", "failed", "stopped"] | None = None
    reason: str | None = None
    path: list[str] = Field(default_factory=list)
    not_path: list[str] = Field(default_factory=list)
    said: list[str] = Field(default_factory=list)
    variables: dict[str, Any] = Field(default_factory=dict)
    outputs: dict[str, Any] = Field(default_factory=dict)


class FlowCase(Part):
    """One test case."""

    name: str = Field(min_length=1, max_length=200)
    description: str = ""
    scene: Scene = Field(default_factory=Scene)
    steps: list[Step] = Field(default_factory=list, max_length=500)
    expect: Expect = Field(default_factory=Expect)


class CaseFailure(BaseModel):
    """Why a case is red. ``step`` counts from 1; None means: at the end."""

    step: int | None
    message: Text


class CaseResult(BaseModel):
    """What a case came to. ``seconds`` is the time of the call, not of the test."""

    name: str
    passed: bool
    failures: list[CaseFailure]
    outcome: str
    reason: str
    path: list[tuple[str, str | None]]
    variables: dict[str, Any]
    transcript: list[dict[str, Any]]
    seconds: float


class _StepFailedError(Exception):
    def __init__(self, message: Text) -> None:
        super().__init__(message.en)
        self.message = message


class CasePlayer:
    """Plays a case's steps on a simulation, in whatever loop it runs."""

    def __init__(self, case: FlowCase, simulation: Simulation) -> None:
        self.case = case
        self.simulation = simulation
        self.failure: CaseFailure | None = None
        self._next = 0
        self._heard = 0
        self._seen = 0
        self._messages = 0
        self.names = PlanNames(simulation.plan, simulation.registry)

    async def play(self, simulation: Simulation) -> None:
        """Do the steps one after the other; the first that fails ends the call."""
        while self._next < len(self.case.steps):
            step = self.case.steps[self._next]
            try:
                await self._do(step)
            except _StepFailedError as failed:
                self.failure = CaseFailure(step=self._next + 1, message=failed.message)
                simulation.hang_up()
                return
            self._next += 1

    async def _do(self, step: Step) -> None:
        simulation = self.simulation
        try:
            match step.what:
                case "press":
                    await simulation.press(step.press or "")
                case "say":
                    await simulation.say(step.say or "")
                case "wait":
                    await asyncio.sleep(step.wait or 0)
                case "hang_up":
                    simulation.hang_up()
                case "task":
                    await self._end_task(step)
                case _:
                    await self._observe(step)
        except CallOverError:
            shown = step.press or step.say or step.task or ""
            raise _StepFailedError(
                text(f"“{shown}”来不及：通话已经结束", f"too late for “{shown}”: the call was over")
            ) from None

    async def _end_task(self, step: Step) -> None:
        until = self.simulation.now() + step.within
        while not self.simulation.open_tasks:
            if self.simulation.over or self.simulation.now() >= until:
                raise _StepFailedError(text("没有待办任务", "the flow gave nobody a task"))
            await asyncio.sleep(max(0.05, step.within / 5000))
        self.simulation.end_task(step.task or "done", step.result)

    async def _observe(self, step: Step) -> None:
        until = self.simulation.now() + step.within
        while not self._happened(step):
            if self.simulation.over:
                raise _StepFailedError(self._missing(step, text("流程已经结束", "the flow was over")))
            if self.simulation.now() >= until:
                raise _StepFailedError(
                    self._missing(step, text(f"等了 {step.within:g} 秒", f"after {step.within:g} s"))
                )
            await asyncio.sleep(max(0.05, step.within / 5000))

    def _happened(self, step: Step) -> bool:
        """Whether an observation is met by something that came after the last one of its kind."""
        simulation = self.simulation
        match step.what:
            case "hear":
                heard = [told for told in simulation.transcript() if told.kind == "heard"]
                found = next((i for i in range(self._heard, len(heard)) if (step.hear or "") in heard[i].text), None)
                if found is not None:
                    self._heard = found + 1
            case "node":
                entered = [one.node_id for one in simulation.steps]
                found = next((i for i in range(self._seen, len(entered)) if entered[i] == step.node), None)
                if found is not None:
                    self._seen = found + 1
            case _:
                sent = simulation.messages
                found = next(
                    (i for i in range(self._messages, len(sent)) if (step.message or "") in sent[i].text), None
                )
                if found is not None:
                    self._messages = found + 1
        return found is not None

    def _missing(self, step: Step, why: Text) -> Text:
        simulation = self.simulation
        match step.what:
            case "hear":
                heard = [told.text for told in simulation.transcript() if told.kind == "heard"]
                last = heard[-1] if heard else ""
                return text(
                    f"没有听到“{step.hear}”（{why.zh}）；最后听到的是“{last}”",
                    f"“{step.hear}” was not heard ({why.en}); heard last: “{last}”",
                )
            case "node":
                wanted, stood = self.names.node(step.node or ""), self.stood()
                return text(
                    f"没有到达节点{wanted.zh}（{why.zh}）；停在{stood.zh}",
                    f"the node {wanted.en} was not reached ({why.en}); the flow stood at {stood.en}",
                )
            case _:
                return text(
                    f"没有发出包含“{step.message}”的消息（{why.zh}）",
                    f"no message with “{step.message}” was sent ({why.en})",
                )

    def stood(self) -> Text:
        """The last node of the path by its name."""
        steps = self.simulation.steps
        if not steps:
            return text("开始", "its beginning")
        return self.names.node(steps[-1].node_id, steps[-1].flow_id)

    def left_over(self) -> CaseFailure | None:
        """A step that never came to its turn, when it needed a call that was still there."""
        for index in range(self._next, len(self.case.steps)):
            step = self.case.steps[index]
            if step.what in ("wait", "hang_up"):
                continue
            if step.what in OBSERVATIONS and self._happened(step):
                continue
            if step.what in OBSERVATIONS:
                message = self._missing(step, text("流程已经结束", "the flow was over"))
            else:
                message = text(
                    f"第 {index + 1} 步来不及：流程已经结束", f"too late for step {index + 1}: the flow was over"
                )
            return CaseFailure(step=index + 1, message=message)
        return None


_OUTCOMES = {
    "completed": text("按流程结束", "ended as drawn"),
    "hangup": text("来电者挂机", "the caller hung up"),
    "failed": text("失败", "failed"),
    "stopped": text("已停止", "stopped"),
}


def outcome_name(outcome: str) -> Text:
    """How a run ended, by a word."""
    return _OUTCOMES.get(outcome, text(outcome, outcome))


def value_name(value: Any) -> Text:
    """A value as people read it."""
    if value is None:
        return text("空", "empty")
    shown = f"“{value}”" if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text(shown, shown)


def judge(case: FlowCase, player: CasePlayer) -> CaseResult:
    """Compare the end with what the case expects."""
    run = player.simulation.result
    assert run is not None
    failure = player.failure or player.left_over()
    failures = [failure] if failure is not None else []
    expect, result = case.expect, run.result

    def red(zh: str, en: str) -> None:
        failures.append(CaseFailure(step=None, message=text(zh, en)))

    names = player.names
    if expect.outcome is not None and result.outcome != expect.outcome:
        wanted, came = outcome_name(expect.outcome), outcome_name(result.outcome)
        why = f" ({result.reason})" if result.reason else ""
        red(
            f"应以“{wanted.zh}”结束，实际是“{came.zh}”{why}",
            f"the end should be “{wanted.en}”, it is “{came.en}”{why}",
        )
    if expect.reason is not None and result.reason != expect.reason:
        red(
            f"原因应是“{expect.reason}”，实际是“{result.reason}”",
            f"the reason should be “{expect.reason}”, it is “{result.reason}”",
        )
    missing = _not_in_order(expect.path, run.path)
    if missing is not None:
        place = names.place(missing)
        red(f"路径没有依次经过{place.zh}", f"the path does not pass {place.en} in its turn")
    passed = {node for node, _ in run.path} | {f"{node}.{port}" for node, port in run.path}
    for node in expect.not_path:
        if node in passed:
            place = names.place(node)
            red(f"路径不应经过{place.zh}", f"the path should not pass {place.en}")
    heard = " ".join(told.text for told in player.simulation.transcript() if told.kind == "heard")
    for words in expect.said:
        if words not in heard:
            red(f"没有听到“{words}”", f"“{words}” was not heard")
    variables = player.simulation.variables or result.variables
    for name, value in expect.variables.items():
        if variables.get(name) != value:
            wanted, came = value_name(value), value_name(variables.get(name))
            red(
                f"变量“{name}”应是 {wanted.zh}，实际是 {came.zh}",
                f"the variable “{name}” should be {wanted.en}, it is {came.en}",
            )
    outputs = {f"{step.node_id}.{name}": value for step in run.trail for name, value in step.outputs.items()}
    for name, value in expect.outputs.items():
        if outputs.get(name) != value:
            place, wanted, came = names.output(name), value_name(value), value_name(outputs.get(name))
            red(
                f"输出{place.zh}应是 {wanted.zh}，实际是 {came.zh}",
                f"the output {place.en} should be {wanted.en}, it is {came.en}",
            )
    for step in run.trail:
        if step.error == "not_prepared":
            place = names.node(step.node_id, step.flow_id)
            red(
                f"节点{place.zh}需要数据，请在场景中为它准备答案",
                f"the node {place.en} needs data, prepare its answer in the scene",
            )
            break
    return CaseResult(
        name=case.name,
        passed=not failures,
        failures=failures,
        outcome=result.outcome,
        reason=result.reason,
        path=run.path,
        variables=variables,
        transcript=[_plain(told) for told in player.simulation.transcript()],
        seconds=run.seconds,
    )


def _not_in_order(wanted: Sequence[str], path: Sequence[tuple[str, str | None]]) -> str | None:
    """The first of `wanted` that `path` does not pass after the ones before it."""
    at = 0
    for one in wanted:
        while at < len(path) and one not in (path[at][0], f"{path[at][0]}.{path[at][1]}"):
            at += 1
        if at == len(path):
            return one
        at += 1
    return None


def _plain(told: Told) -> dict[str, Any]:
    return {"at": told.at, "kind": told.kind, "text": told.text, "node": told.node}


def run_case(
    case: FlowCase,
    plan: Plan,
    registry: Registry,
    *,
    kind: str = "ivr",
    timezone: str = "Asia/Shanghai",
    reads: Mapping[str, Any] | None = None,
    spoken: Mapping[str, str] | None = None,
) -> CaseResult:
    """Run one case in virtual time, in this thread. Never raises for what the flow or the case do wrong."""
    found: list[CasePlayer] = []

    async def main() -> None:
        simulation = Simulation(
            plan, registry, case.scene, kind=kind, timezone=timezone, reads=reads or {}, spoken=spoken
        )
        player = CasePlayer(case, simulation)
        found.append(player)
        await simulation.run(player.play)

    try:
        run_in_virtual_time(main)
    except NothingLeftError:
        return _stuck(case, found[0])
    return judge(case, found[0])


def _stuck(case: FlowCase, player: CasePlayer) -> CaseResult:
    stood = player.stood()
    message = text(
        f"流程停在{stood.zh}，再也不会发生任何事",
        f"the flow stands at {stood.en} and nothing will ever happen any more",
    )
    return CaseResult(
        name=case.name,
        passed=False,
        failures=[player.failure or CaseFailure(step=player._next + 1, message=message)],
        outcome="",
        reason="",
        path=[(step.node_id, step.port) for step in player.simulation.steps],
        variables=player.simulation.variables,
        transcript=[],
        seconds=0.0,
    )
