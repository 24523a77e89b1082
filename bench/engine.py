"""The interpreter against the same ten-node flow written by hand as a Temporal workflow.

Both use the same kinds of activities (short call nodes and look-ups local, menus and prompts regular), the same server,
worker limits and event loop, and do no work in the nodes, so that the difference is the engine's. The hand-written one
has a client of its own with Temporal's plain pydantic converter; it records its path and hands it over at the end.
Short rounds alternate (A B, B A, ...); the figures are medians over the pairs of neighbours.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvloop
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from flows.document import Edge, FlowDocument, NodeSpec, Variable
from flows.memory import MemoryLedger, MemoryTrail
from flows.plan import compile_plan
from flows.runner import Environment
from flows.task import CallFacts, FlowStart
from flows.temporal import data_converter, plans, start_flow, worker_options
from flows.testing import temporal_dev_server
from nodes.sdk.config import NodeConfig
from nodes.sdk.context import Context, FlowScope
from nodes.sdk.node import Node, NodeMeta, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.registry import Registry
from nodes.sdk.testing import MemoryServices
from nodes.sdk.text import text

WORDS = text("基准", "Benchmark")


class Idle(NodeConfig):
    """No settings."""


class _Idle(Node[Idle]):
    Config = Idle

    def ports(self, config: Idle) -> Sequence[Port]:
        return [Port(name="next", title=WORDS), Port(name="1", title=WORDS, required=False)]

    async def run(self, ctx: Context, config: Idle) -> Outcome:
        return Outcome(port="next")

    def decide(self, scope: FlowScope, config: Idle) -> Outcome:
        return Outcome(port="next", variables={"tier": "gold"})


def _meta(name: str, runs: Runs) -> NodeMeta:
    return NodeMeta(type=name, family="logic", icon="clock", runs=runs, title=WORDS, help=WORDS)


class Short(_Idle):
    meta = _meta("bench.short", Runs.QUICK)


class Waiting(_Idle):
    meta = _meta("bench.waiting", Runs.ACTIVITY)


class Logic(_Idle):
    meta = _meta("bench.logic", Runs.IN_WORKFLOW)


FLOW = ("short", "logic", "logic", "waiting", "logic", "short", "waiting", "waiting", "waiting", "short")
"""Answer, set, branch, menu, branch, look-up, say, menu, say, hang up."""


def document() -> FlowDocument:
    """The ten-node flow as a document."""
    nodes = {f"n{index}": NodeSpec(type=f"bench.{kind}") for index, kind in enumerate(FLOW)}
    edges = [Edge(source=f"n{index}", port="next", target=f"n{index + 1}") for index in range(len(FLOW) - 1)]
    tier = Variable(name="tier", type="string")
    return FlowDocument(
        id="bench", kind="subflow", name="Benchmark", entry="n0", variables=[tier], nodes=nodes, edges=edges
    )


@workflow.defn(sandboxed=False)
class ByHand:
    """The same flow as an experienced developer would write it, with the same record of its path."""

    def __init__(self) -> None:
        self.path: list[dict[str, Any]] = []
        self.variables: dict[str, Any] = {}

    @workflow.query
    def trail(self) -> list[dict[str, Any]]:
        return self.path

    @workflow.run
    async def run(self, start: dict[str, Any]) -> dict[str, Any]:
        once = RetryPolicy(maximum_attempts=3)
        for index, kind in enumerate(FLOW):
            entered = workflow.now()
            task = {"run": start["run_id"], "step": index, "call": start["call"], "node": f"n{index}"}
            if kind == "short":
                result = await workflow.execute_local_activity(
                    "by_hand", task, start_to_close_timeout=timedelta(seconds=10), retry_policy=once
                )
            elif kind == "waiting":
                result = await workflow.execute_activity(
                    "by_hand",
                    task,
                    start_to_close_timeout=timedelta(seconds=60),
                    heartbeat_timeout=timedelta(seconds=30),
                    retry_policy=once,
                    summary=f"n{index}",
                )
            else:
                self.variables["tier"] = "gold"
                result = {"port": "next"}
            self.path.append({"node": f"n{index}", "entered": entered, "left": workflow.now(), "port": result["port"]})
        # As in the interpreter: a signal that comes with the last task would make a local activity run again.
        await workflow.execute_activity(
            "by_hand_finish",
            args=[start["run_id"], self.path],
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=once,
        )
        return {"outcome": "completed", "variables": self.variables}


@activity.defn(name="by_hand")
async def by_hand(task: dict[str, Any]) -> dict[str, Any]:
    """What the nodes do: nothing."""
    return {"port": "next", "outputs": {}}


class _Paths:
    """Where the hand-written flow writes its path."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}

    @activity.defn(name="by_hand_finish")
    async def finish(self, run_id: str, path: list[dict[str, Any]]) -> None:
        """Takes the path, as the interpreter's trail sink does."""
        self.rows[run_id] = path


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """Medians: flows a second, CPU of the process (client and workers) for each run, and ratios of neighbours.

    ``ratio``      the interpreter's throughput over the hand-written flow's
    ``cpu_ratio``  the hand-written flow's CPU time over the interpreter's: 1 is equal, less is dearer
    """

    interpreter_per_second: float
    by_hand_per_second: float
    ratio: float
    interpreter_cpu_ms: float
    by_hand_cpu_ms: float
    cpu_ratio: float
    runs: int


class _NoCalls:
    async def get(self, call_id: str) -> None:
        return None


async def measure(rounds: int = 9, flows: int = 60, at_once: int = 25) -> EngineFigures:
    """Run both `rounds` times, `flows` runs each with `at_once` in progress."""
    registry = Registry([Short(), Waiting(), Logic()])
    plan = compile_plan(document(), registry, version=1)
    services = MemoryServices()
    trail = MemoryTrail()
    env = Environment(
        registry=registry,
        services_for=lambda business: services,
        calls=_NoCalls(),
        ledger=MemoryLedger(),
        trail=trail,
    )
    plans.put(plan.hash, plan)

    class Plans:
        async def load(self, plan_hash: str) -> bytes:
            return plan.to_bytes()

    call = CallFacts(id="c", gateway="bench", caller="5550001", called="100")

    async def interpreted(client: Client) -> None:
        run = f"bench-{uuid4()}"
        start = FlowStart(
            run_id=run, business_id="b", flow_id="bench", version=1, plan=plan.hash, kind="subflow", call=call
        )
        handle = await start_flow(client, start, task_queue="bench", eager=True)
        result = await handle.result()
        assert result.outcome == "completed", result

    async def handwritten(client: Client) -> None:
        run = f"hand-{uuid4()}"
        await client.execute_workflow(
            ByHand.run,
            {"run_id": run, "call": call.model_dump(), "business": "b", "flow": "bench", "version": 1},
            id=run,
            task_queue="hand",
            request_eager_start=True,
        )

    async def timed(one: Callable[[Client], Awaitable[None]], client: Client) -> tuple[float, float]:
        gate = asyncio.Semaphore(at_once)

        async def gated() -> None:
            async with gate:
                await one(client)

        began, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(gated() for _ in range(flows)))
        return flows / (time.perf_counter() - began), (time.process_time() - used) * 1000 / flows

    options = worker_options(env)
    shared = {name: value for name, value in options.items() if name not in ("workflows", "activities")}
    paths = _Paths()
    with tempfile.TemporaryDirectory() as folder, temporal_dev_server(Path(folder)) as server:
        ours = await Client.connect(server.address, data_converter=data_converter(Plans()))
        theirs = await Client.connect(server.address, data_converter=pydantic_data_converter)
        engine = Worker(ours, task_queue="bench", **options)
        hand = Worker(theirs, task_queue="hand", workflows=[ByHand], activities=[by_hand, paths.finish], **shared)
        async with engine, hand:
            await timed(interpreted, ours)
            await timed(handwritten, theirs)
            pairs = []
            for number in range(rounds):
                if number % 2 == 0:
                    first = await timed(interpreted, ours)
                    second = await timed(handwritten, theirs)
                else:
                    second = await timed(handwritten, theirs)
                    first = await timed(interpreted, ours)
                pairs.append((first, second))
    # Both records are complete: a faster engine that loses steps would be no faster engine.
    assert {len(path) for path in paths.rows.values()} == {len(FLOW)}
    assert {len(steps) for steps in trail.rows.values()} == {len(FLOW)}
    return EngineFigures(
        interpreter_per_second=statistics.median(first[0] for first, _ in pairs),
        by_hand_per_second=statistics.median(second[0] for _, second in pairs),
        ratio=statistics.median(first[0] / second[0] for first, second in pairs),
        interpreter_cpu_ms=statistics.median(first[1] for first, _ in pairs),
        by_hand_cpu_ms=statistics.median(second[1] for _, second in pairs),
        cpu_ratio=statistics.median(second[1] / first[1] for first, second in pairs),
        runs=rounds,
    )


async def main(rounds: int = 9, flows: int = 60) -> dict[str, Any]:
    """The figures as plain data."""
    return asdict(await measure(rounds, flows))


if __name__ == "__main__":
    print(uvloop.run(main(*map(int, sys.argv[1:]))))
