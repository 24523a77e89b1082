"""Walking an old run again, on its own version or on another one, from what is on record.

Every node that asked somebody (the caller, a person, data, the outside) answers what it answered then; nodes that only
decide (branch, set, repeat ...) decide again. Nobody is called, nothing is sent. Times are kept: a step takes as long
as it took. Where the two versions part, `compare` says why.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import BaseModel

from flows.memory import MemoryCalls, MemoryLedger, MemoryTrail
from flows.naming import PlanNames
from flows.plan import Plan
from flows.runner import Environment
from flows.simulation import simulated_services
from flows.task import FlowStart, NodeTask, TrailStep
from flows.virtual import NothingLeftError, VirtualDriver, run_in_virtual_time
from nodes.sdk.outcome import ERROR, HANGUP, SHORTCUT_PREFIX, NodeFailure, Outcome
from nodes.sdk.registry import Registry
from nodes.sdk.text import Text, text


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run as it is on record: how it began, and its path."""

    start: FlowStart
    steps: Sequence[TrailStep]


class WalkedStep(BaseModel):
    """A step of the path that was walked again. ``inputs`` is the rendered config, without confidential values.

    ``called`` is the node by the name on its card, ``way`` the way that was taken out of it, both in quotes.
    """

    node_id: str
    node_type: str
    node_name: str
    flow_id: str
    port: str | None
    outputs: dict[str, Any]
    error: str | None = None
    error_message: str | None = None
    inputs: dict[str, Any] | None = None
    called: Text
    way: Text | None


class Walked(BaseModel):
    """What walking again came to. ``stopped`` tells why it could not go on to the end."""

    steps: list[WalkedStep]
    outcome: str
    reason: str
    variables: dict[str, Any]
    outputs: dict[str, Any]
    stopped: Text | None = None


class Row(BaseModel):
    """A line of the comparison: the old step beside the new one."""

    old: WalkedStep | None
    new: WalkedStep | None
    same: bool


class Comparison(BaseModel):
    """Two walks side by side. ``parting`` is the index of the first row that differs, None when none does."""

    rows: list[Row]
    parting: int | None
    why: Text | None
    variables: dict[str, tuple[Any, Any]]
    old_outcome: str
    new_outcome: str
    stopped: Text | None


@dataclass
class _Answers:
    """Hands out the recorded outcomes, node by node, visit by visit."""

    run: RecordedRun
    registry: Registry
    assume: Mapping[str, str]
    names: PlanNames
    inputs: dict[int, dict[str, Any]] = field(default_factory=dict)
    stopped: Text | None = None
    drive: VirtualDriver | None = None

    def __post_init__(self) -> None:
        self._left: dict[tuple[str, str], list[TrailStep]] = {}
        for step in self.run.steps:
            self._left.setdefault((step.flow_id, step.node_id), []).append(step)
        self._given: dict[tuple[int, int], Outcome] = {}

    async def __call__(self, task: NodeTask) -> Outcome:
        key = (task.step, task.attempt)
        if key not in self._given:
            self.inputs[task.step] = _veiled(task.config)
            self._given[key] = await self._answer(task)
        return self._given[key]

    async def _answer(self, task: NodeTask) -> Outcome:
        mine = self._left.get((task.flow_id, task.node_id), [])
        step = mine.pop(0) if mine else None
        name = self.names.node(task.node_id, task.flow_id)
        if step is None:
            return self._assumed(
                task,
                text(
                    f"旧通话没有到过节点{name.zh}，没有它的答案",
                    f"the old call has no answer for the node {name.en}",
                ),
            )
        if step.left is None or step.port is None:
            # The old run ended in the middle of this node.
            return Outcome(port=HANGUP)
        await asyncio.sleep(max(0.0, (step.left - step.entered).total_seconds()))
        if not self._fires(task, step.port):
            way = self.names.port(task.node_id, step.port, task.flow_id)
            return self._assumed(
                task,
                text(
                    f"旧通话从{name.zh}的出口{way.zh}离开，此版本没有这个出口",
                    f"the old call left {name.en} by {way.en}, a port that this version lacks",
                ),
            )
        return _outcome(step)

    def _fires(self, task: NodeTask, port: str) -> bool:
        if port in (ERROR, HANGUP) or port.startswith(SHORTCUT_PREFIX):
            return True
        node = self.registry.get(task.node_type, task.type_version)
        return port in {one.name for one in node.all_ports(node.Config.model_validate(task.config))}

    def _assumed(self, task: NodeTask, why: Text) -> Outcome:
        port = self.assume.get(task.node_id)
        if port is not None:
            return Outcome(port=port)
        self.stopped = why
        if self.drive is not None:
            self.drive.stop("no answer on record")
        return Outcome.error("not_recorded", why.en)


def _outcome(step: TrailStep) -> Outcome:
    changes = step.changes
    return Outcome(
        port=step.port or HANGUP,
        outputs=step.outputs,
        variables=changes.get("variables") or {},
        call=changes.get("call") or {},
        customer=changes.get("customer"),
        said=step.said,
        failure=NodeFailure(reason=step.error, message=step.error_message or "") if step.error else None,
    )


def _veiled(value: Any) -> Any:
    """A copy in which sealed values are stars."""
    match value:
        case str():
            return "•••" if value.startswith("enc:v1:") else value
        case dict():
            return {name: _veiled(each) for name, each in value.items()}
        case list():
            return [_veiled(each) for each in value]
        case _:
            return value


class _Closed:
    """Sealed values stay sealed."""

    def seal(self, value: str) -> str:
        return f"enc:v1:{value}" if not value.startswith("enc:v1:") else value

    def reveal(self, value: str) -> str:
        return value


def walk_again(run: RecordedRun, plan: Plan, registry: Registry, *, assume: Mapping[str, str] | None = None) -> Walked:
    """Walk a recorded run on a plan, in virtual time. ``assume`` names a port for nodes without an answer on record."""
    names = PlanNames(plan, registry)
    answers = _Answers(run, registry, assume or {}, names)
    begin = run.steps[0].entered if run.steps else None
    root = plan.flows[plan.root]
    start = run.start.model_copy(update={"plan": plan.hash, "flow_id": root.id, "version": root.version})
    trail = MemoryTrail()
    found: list[VirtualDriver] = []

    async def main() -> None:
        services = replace(simulated_services(asyncio.get_running_loop().time), secrets=_Closed())
        env = Environment(
            registry=registry,
            services_for=lambda business_id: services,
            calls=MemoryCalls(),
            ledger=MemoryLedger(),
            trail=trail,
            stand_in=answers,
        )
        drive = VirtualDriver(plan, start, env, **({"begin": begin} if begin is not None else {}))
        found.append(drive)
        answers.drive = drive
        await drive.run()

    stuck: Text | None = None
    try:
        run_in_virtual_time(main)
    except NothingLeftError:
        stuck = text("流程停在一个节点上等待", "the flow waits in a node for something that is not on record")
    result = trail.results.get(start.run_id)
    state = found[0].state
    return Walked(
        steps=[
            WalkedStep(
                node_id=step.node_id,
                node_type=step.node_type,
                node_name=step.node_name,
                flow_id=step.flow_id,
                port=step.port,
                outputs=_veiled(step.outputs),
                error=step.error,
                error_message=step.error_message,
                inputs=answers.inputs.get(step.seq),
                called=names.node(step.node_id, step.flow_id),
                way=names.port(step.node_id, step.port, step.flow_id) if step.port is not None else None,
            )
            for step in (trail.of(start.run_id) if result is not None else state.trail if state is not None else [])
        ],
        outcome=result.outcome if result is not None else "",
        reason=result.reason if result is not None else "",
        variables=_veiled(result.variables) if result is not None else {},
        outputs=_veiled(result.outputs) if result is not None else {},
        stopped=answers.stopped or stuck,
    )


def compare(old: Walked, new: Walked) -> Comparison:
    """Two walks side by side, to the first difference and beyond."""
    rows: list[Row] = []
    parting: int | None = None
    for index in range(max(len(old.steps), len(new.steps))):
        a = old.steps[index] if index < len(old.steps) else None
        b = new.steps[index] if index < len(new.steps) else None
        same = a is not None and b is not None and _alike(a) == _alike(b)
        rows.append(Row(old=a, new=b, same=same))
        if not same and parting is None:
            parting = index
    names = sorted(old.variables.keys() | new.variables.keys())
    return Comparison(
        rows=rows,
        parting=parting,
        why=_why(rows, parting, new) if parting is not None else None,
        variables={
            name: (old.variables.get(name), new.variables.get(name))
            for name in names
            if old.variables.get(name) != new.variables.get(name)
        },
        old_outcome=old.outcome,
        new_outcome=new.outcome,
        stopped=new.stopped,
    )


def _alike(step: WalkedStep) -> tuple[str, str, str | None]:
    return step.flow_id, step.node_id, step.port


def _why(rows: Sequence[Row], parting: int, new: Walked) -> Text:
    a, b = rows[parting].old, rows[parting].new
    if a is not None and b is not None and a.node_id == b.node_id:
        if new.stopped is not None and b.port in (None, ERROR):
            return new.stopped
        was, now = a.way or _NOWHERE, b.way or _NOWHERE
        return text(
            f"节点{a.called.zh}以前走{was.zh}，现在走{now.zh}",
            f"the node {a.called.en} left by {was.en}, now by {now.en}",
        )
    if b is None:
        return new.stopped or text("新版本在这里结束", "the new version ends here")
    if a is None:
        return text(
            f"旧通话在这里结束，新版本继续到{b.called.zh}",
            f"the old call ended here, the new version goes on to {b.called.en}",
        )
    before = rows[parting - 1].new if parting else None
    if before is None:
        return text(
            f"以前从{a.called.zh}开始，现在从{b.called.zh}开始",
            f"it began with {a.called.en}, now with {b.called.en}",
        )
    way = before.way or _NOWHERE
    return text(
        f"从{before.called.zh}的出口{way.zh}以前到{a.called.zh}，现在到{b.called.zh}",
        f"behind {before.called.en} by {way.en} came {a.called.en}, now {b.called.en}",
    )


_NOWHERE = text("（没有离开）", "none")


Judgement = Literal["same", "parted", "stopped"]


def judgement(comparison: Comparison) -> Judgement:
    """One word for a comparison."""
    if comparison.stopped is not None:
        return "stopped"
    return "same" if comparison.parting is None and not comparison.variables else "parted"
