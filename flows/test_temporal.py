"""The Temporal workflow against a real server: it agrees with the virtual clock and survives what goes wrong."""

import asyncio
import contextlib
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from flows.memory import MemoryLedger, MemoryPlans, MemoryTrail
from flows.plan import Plan
from flows.runner import Environment
from flows.task import FlowResult, FlowStart
from flows.temporal import data_converter, start_flow, worker_options
from flows.testing import Scripts, TemporalDevServer, compiled, document, environment, sample_registry, start_of
from flows.virtual import run_virtual
from flows.workflow import Flow, RunView
from nodes.sdk.context import Context
from nodes.sdk.outcome import Outcome
from nodes.sdk.testing import ScriptedCall
from telephony.errors import HungUp

pytestmark = pytest.mark.temporal


class Bench:
    """A client, a plan store and workers on one server."""

    def __init__(self, server: TemporalDevServer, client: Client, store: MemoryPlans) -> None:
        self.server, self.client, self.store = server, client, store

    @contextlib.asynccontextmanager
    async def worker(self, env: Environment, queue: str) -> AsyncIterator[None]:
        async with Worker(self.client, task_queue=queue, **worker_options(env, max_calls=50)):
            yield

    async def begin(self, plan: Plan, queue: str, **more: Any) -> tuple[WorkflowHandle[Flow, FlowResult], FlowStart]:
        self.store.add(plan)
        start = start_of(plan, f"run-{uuid.uuid4().hex[:8]}", **more)
        return await start_flow(self.client, start, task_queue=queue, search_attributes=True), start

    async def run(self, plan: Plan, env: Environment, **more: Any) -> tuple[FlowResult, FlowStart]:
        queue = f"q-{uuid.uuid4().hex[:8]}"
        async with self.worker(env, queue):
            handle, start = await self.begin(plan, queue, **more)
            return await asyncio.wait_for(handle.result(), 30), start


@pytest.fixture
async def bench(temporal_server: TemporalDevServer) -> Bench:
    store = MemoryPlans()
    client = await Client.connect(temporal_server.address, data_converter=data_converter(store))
    return Bench(temporal_server, client, store)


async def until(condition: Any, seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def path_of(env: Environment, run_id: str) -> list[tuple[str, str | None]]:
    assert isinstance(env.trail, MemoryTrail)
    return env.trail.path(run_id)


CASES: dict[str, Any] = {
    "every kind of node": document(
        {
            "q": ("test.quick", {"value": "1 + 1"}),
            "s": ("test.set", {"value": "nodes.q.value * 2", "assign": "total"}),
            "w": ("test.wait", {"seconds": 0.05}),
            "a": ("test.act", {"words": "{{ vars.total }} done"}),
            "e": ("logic.end", {"outcome": "good", "outputs": {"total": "vars.total"}}),
        },
        "q>s s>w w.timeout>a w>a a>e",
        variables=[{"name": "total", "type": "number"}],
        outputs=[{"name": "total", "type": "number"}],
    ),
    "retries": document(
        {"a": ("test.work", {"script": "flaky"}, {"retries": 2, "backoff": 0.01}), "e": "logic.end"}, "a>e"
    ),
    "unmet error": document({"a": ("test.work", {"script": "broken"}), "e": "logic.end"}, "a>e"),
    "error handler": document(
        {"a": ("test.work", {"script": "broken"}), "e": "logic.end", "h": "test.quick"},
        "a>e h>e",
        handlers={"error": "h"},
    ),
    "parallel": document(
        {
            "p": ("logic.parallel", {"branches": ["x", "y"]}),
            "x": ("test.work", {"seconds": 0.05}),
            "y": "test.quick",
            "j": "logic.join",
            "e": "logic.end",
        },
        "p.x>x p.y>y x>j y>j j>e",
    ),
    "loop": document(
        {
            "s": ("test.set", {"value": "vars.n + 1", "assign": "n"}),
            "b": ("logic.branch", {"condition": "vars.n < 5"}),
            "q": "test.quick",
            "e": "logic.end",
        },
        "s>b b.yes>q b.no>e q>s",
        variables=[{"name": "n", "type": "number", "default": 0}],
    ),
}


def scripts() -> Scripts:
    async def flaky(ctx: Context, config: Any) -> Outcome:
        return Outcome(port="next") if ctx.attempt == 3 else Outcome.error("busy", retryable=True)

    async def broken(ctx: Context, config: Any) -> Outcome:
        return Outcome.error("broken", "it is broken")

    return Scripts(flaky=flaky, broken=broken)


@pytest.mark.parametrize("name", CASES)
async def test_both_drivers_agree(bench: Bench, name: str) -> None:
    registry = sample_registry(scripts())
    plan = compiled(CASES[name], registry)
    real = environment(registry)
    result, start = await bench.run(plan, real)
    simulated = environment(sample_registry(scripts()))
    virtual = run_virtual(plan, start, simulated)
    assert result == virtual.result
    assert path_of(real, start.run_id) == path_of(simulated, start.run_id)
    assert isinstance(real.ledger, MemoryLedger) and isinstance(simulated.ledger, MemoryLedger)
    assert real.ledger.begun == simulated.ledger.begun


async def test_signals_queries_and_search_attributes(bench: Bench) -> None:
    registry = sample_registry()
    env = environment(registry)
    plan = compiled(
        document(
            {"w": ("test.wait", {"signal": "paid"}), "q": ("test.quick", {"value": "nodes.w.data.sum"})},
            "w>q",
            kind="ivr",
        ),
        registry,
    )
    call = ScriptedCall()
    async with bench.worker(env, "signals"):
        handle, start = await bench.begin(plan, "signals", call=call)
        view = await handle.query("state", result_type=RunView)
        assert view.positions == ["w"]
        assert [step["node_id"] for step in await handle.query("trail")] == ["w"]
        await until(lambda: path_of(env, start.run_id) == [("w", None)])
        await handle.signal("signal", args=["paid", {"sum": 7}])
        assert (await asyncio.wait_for(handle.result(), 20)).outcome == "completed"
        described = await handle.describe()
    found = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    assert found["CallweaveFlow"] == "flow" and found["CallweaveOutcome"] == "completed"
    assert found["CallweaveCall"] == call.id
    assert path_of(env, start.run_id) == [("w", "next"), ("q", "next")]


async def test_stop_ends_a_running_node_and_completes_the_record(bench: Bench) -> None:
    registry = sample_registry()
    env = environment(registry)
    plan = compiled(document({"a": ("test.work", {"seconds": 60}), "e": "logic.end"}, "a>e"), registry)
    async with bench.worker(env, "stop"):
        handle, start = await bench.begin(plan, "stop")
        await until(lambda: path_of(env, start.run_id))
        await handle.signal("stop", "enough")
        result = await asyncio.wait_for(handle.result(), 20)
    assert (result.outcome, result.reason) == ("stopped", "enough")
    assert isinstance(env.trail, MemoryTrail)
    assert env.trail.of(start.run_id)[0].left is not None
    assert env.trail.results[start.run_id].outcome == "stopped"


async def test_cancellation_by_an_operator_is_a_stop(bench: Bench) -> None:
    registry = sample_registry()
    env = environment(registry)
    plan = compiled(document({"w": ("test.wait", {"seconds": 600}), "e": "logic.end"}, "w.timeout>e w>e"), registry)
    async with bench.worker(env, "cancel"):
        handle, start = await bench.begin(plan, "cancel")
        await until(lambda: path_of(env, start.run_id))
        await handle.cancel()
        result = await asyncio.wait_for(handle.result(), 20)
    assert (result.outcome, result.reason) == ("stopped", "cancelled")
    assert isinstance(env.trail, MemoryTrail) and env.trail.results[start.run_id].outcome == "stopped"


@pytest.mark.parametrize("kind", ["test.talk", "test.short", "test.quick", "test.work", "test.act", "test.wait"])
async def test_hang_up_in_each_kind_of_node(bench: Bench, kind: str) -> None:
    """A call node ends at once with what it has, a wait is cut, other nodes finish; then the handler runs."""
    gone, entered = asyncio.Event(), asyncio.Event()

    async def held(ctx: Context, config: Any) -> Outcome:
        entered.set()
        await gone.wait()
        if ctx.maybe_call is not None and kind in ("test.talk", "test.short"):
            ctx.partial["words"] = "kept"
            raise HungUp
        return Outcome(port="next", outputs={"words": "finished"})

    known = Scripts(held=held)
    registry = sample_registry(known)
    call = ScriptedCall()
    env = environment(registry, call)
    config = {"seconds": 600} if kind == "test.wait" else {"script": "held"}
    plan = compiled(
        document(
            {"n": (kind, config), "t": "test.talk", "e": "logic.end", "h": "test.quick"},
            "n>t n.timeout>t t>e" if kind == "test.wait" else "n>t t>e",
            kind="ivr",
            handlers={"hangup": "h"},
        ),
        registry,
    )
    async with bench.worker(env, kind):
        handle, start = await bench.begin(plan, kind, call=call)
        if kind == "test.wait":
            await until(lambda: path_of(env, start.run_id))
        else:
            await asyncio.wait_for(entered.wait(), 10)
        await call.hang_up()
        await handle.signal("hangup", "normal")
        gone.set()
        result = await asyncio.wait_for(handle.result(), 20)
    assert result.outcome == "hangup"
    assert len(known.ran) == len(set(known.ran)), "a signal at the end makes nothing run twice"
    cut = kind in ("test.talk", "test.short", "test.wait")
    assert path_of(env, start.run_id) == (
        [("n", "hangup"), ("h", "next")] if cut else [("n", "next"), ("t", "hangup"), ("h", "next")]
    )
    assert isinstance(env.trail, MemoryTrail)
    words = env.trail.of(start.run_id)[0].outputs.get("words")
    assert words == {"test.talk": "kept", "test.short": "kept", "test.wait": None}.get(kind, "finished")


async def test_continues_as_new_and_loses_nothing(bench: Bench) -> None:
    registry = sample_registry()
    env = environment(registry)
    plan = compiled(
        document(
            {
                "s": ("test.set", {"value": "vars.n + 1", "assign": "n"}),
                "a": "test.act",
                "w": ("test.wait", {"seconds": 0.02}),
                "b": ("logic.branch", {"condition": "vars.n < 8"}),
                "e": ("logic.end", {"outputs": {"n": "vars.n"}}),
            },
            "s>a a>w w.timeout>b w>b b.yes>s b.no>e",
            variables=[{"name": "n", "type": "number", "default": 0}],
            outputs=[{"name": "n", "type": "number"}],
        ),
        registry,
    )
    result, start = await bench.run(plan, env, history_limit=20)
    assert result.outputs == {"n": 8}
    virtual = run_virtual(plan, start, environment(sample_registry()))
    assert path_of(env, start.run_id) == [(step.node_id, step.port) for step in virtual.trail]
    assert isinstance(env.ledger, MemoryLedger)
    assert len(env.ledger.begun) == 8, "no effect is lost or repeated at a seam"
    first = await bench.client.get_workflow_handle(start.run_id).fetch_history()
    assert len(first.events) < 80


async def test_gateway_lost_follows_the_error_port(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call node that nobody takes in time fails; here no worker polls for activities of the call's queue."""
    import flows.workflow

    monkeypatch.setattr(flows.workflow, "GATEWAY_TIMEOUT", timedelta(seconds=0.5))
    registry = sample_registry()
    call = ScriptedCall()
    env = environment(registry, call)
    plan = compiled(document({"t": "test.talk", "q": "test.quick"}, "t.error>q", kind="ivr"), registry)
    options = worker_options(env) | {"disable_eager_activity_execution": True, "no_remote_activities": True}
    async with Worker(bench.client, task_queue="lost", **options):
        handle, start = await bench.begin(plan, "lost", call=call)
        await until(lambda: ("q", "next") in path_of(env, start.run_id) or len(path_of(env, start.run_id)) > 1)
    async with bench.worker(env, "lost"):
        result = await asyncio.wait_for(handle.result(), 20)
    assert result.outcome == "completed"
    assert isinstance(env.trail, MemoryTrail)
    assert env.trail.of(start.run_id)[0].error == "gateway_lost"


async def test_lost_completion_never_repeats_an_effect(bench: Bench) -> None:
    """The activity acted, and its answer to Temporal was lost: the retry finds the ledger's outcome."""
    acts: list[str] = []

    class LosesAnswers(MemoryLedger):
        lost = False

        async def finish(self, task: Any, outcome: Outcome) -> None:
            await super().finish(task, outcome)
            if not self.lost:
                self.lost = True
                raise ConnectionError("the answer is lost")

    async def act(ctx: Context, config: Any) -> Outcome:
        acts.append(ctx.key)
        return Outcome(port="next", outputs={"value": len(acts)})

    registry = sample_registry(Scripts(act=act))
    env = environment(registry, ledger=LosesAnswers())
    plan = compiled(
        document(
            {"a": ("test.act", {"script": "act"}), "e": ("logic.end", {"outputs": {"n": "nodes.a.value"}})},
            "a>e",
            outputs=[{"name": "n", "type": "number"}],
        ),
        registry,
    )
    result, start = await bench.run(plan, env)
    assert acts == [f"{start.run_id}-1-1"]
    assert result.outputs == {"n": 1}


@pytest.mark.slow
async def test_a_killed_worker_goes_on_in_another_process(bench: Bench, tmp_path: Path) -> None:
    """kill -9 in the middle of a flow: the effects made before it are not made again, the rest follows."""
    log = tmp_path / "effects.log"
    values = {"address": bench.server.address, "queue": "killed", "folder": str(tmp_path)}

    async def worker() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(sys.executable, "-m", "flows.fixtures.worker", json.dumps(values))

    from flows.fixtures.worker import long_flow, registry_of

    plan = compiled(long_flow(), registry_of(log))
    (tmp_path / f"{plan.hash}.plan").write_bytes(plan.to_bytes())
    first = await worker()
    second = None
    try:
        handle, start = await bench.begin(plan, "killed")
        await until(lambda: log.exists() and len(log.read_text().split()) >= 3, 20)
        os.kill(first.pid, 9)
        await first.wait()
        second = await worker()
        result = await asyncio.wait_for(handle.result(), 60)
    finally:
        for process in (first, second):
            if process is not None and process.returncode is None:
                process.terminate()
                await process.wait()
    assert result.outcome == "completed"
    assert log.read_text().split() == [f"{start.run_id}-{step}-1" for step in range(1, 11)]
