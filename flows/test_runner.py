"""Executing one node: what each kind of ending becomes, the ledger, secrets."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from flows.memory import MemoryLedger, MemoryTrail
from flows.runner import APOLOGISE, Environment, run_task
from flows.task import CallFacts, NodeTask, TrailStep
from flows.testing import Scripts, environment, sample_registry
from nodes.sdk.context import Context
from nodes.sdk.node import Runs
from nodes.sdk.outcome import NodeError, Outcome
from nodes.sdk.testing import MemoryServices, ScriptedCall
from telephony.errors import DriverError, HungUp

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def task(
    kind: str = "test.work", call: ScriptedCall | None = None, *, config: dict[str, Any] | None = None, **more: Any
) -> NodeTask:
    values: dict[str, Any] = {
        "run_id": "run",
        "business_id": "b",
        "flow_id": "f",
        "version": 1,
        "step": 3,
        "attempt": 1,
        "node_id": "n",
        "node_type": kind,
        "runs": Runs.ACTIVITY,
        "config": config or {},
        "now": NOW,
        "call": CallFacts(id=call.id, language="en") if call else None,
    }
    return NodeTask.model_validate(values | more)


def scripted(**scripts: Any) -> tuple[Scripts, Environment, ScriptedCall]:
    known, call = Scripts(**scripts), ScriptedCall()
    return known, environment(sample_registry(known), call), call


async def test_an_outcome_passes() -> None:
    _, env, _ = scripted()
    outcome = await run_task(task(config={"value": 7}), env)
    assert (outcome.port, outcome.outputs["value"]) == ("next", 7)


@pytest.mark.parametrize(
    ("failure", "reason", "retryable"),
    [
        (NodeError("busy", "try later", retryable=True), "busy", True),
        (DriverError("lost", "the engine is away"), "lost", False),
        (ValueError("surprise"), "internal", False),
    ],
)
async def test_failures_become_error_outcomes(failure: Exception, reason: str, retryable: bool) -> None:
    async def fail(ctx: Context, config: Any) -> Outcome:
        raise failure

    _, env, _ = scripted(fail=fail)
    outcome = await run_task(task(config={"script": "fail"}), env)
    assert outcome.port == "error" and outcome.failure is not None
    assert (outcome.failure.reason, outcome.failure.retryable) == (reason, retryable)


async def test_a_hang_up_keeps_what_there_is() -> None:
    async def leaves(ctx: Context, config: Any) -> Outcome:
        ctx.partial["words"] = "12"
        ctx.said.append("hello")
        raise HungUp

    _, env, call = scripted(leaves=leaves)
    outcome = await run_task(task("test.talk", call, config={"script": "leaves"}), env)
    assert (outcome.port, outcome.outputs, outcome.said) == ("hangup", {"words": "12"}, ["hello"])


@pytest.mark.parametrize("kind", ["test.talk", "test.short", "test.call"])
async def test_a_call_that_is_over_fires_hangup_without_running(kind: str) -> None:
    known, env, call = scripted()
    await call.hang_up()
    assert (await run_task(task(kind, call), env)).port == "hangup"
    assert known.ran == []


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"kind": "no.such"}, "unknown_node"),
        ({"config": {"wrong": 1}}, "bad_config"),
        ({"config": {"port": "left"}}, "undeclared_port"),
        ({"config": {"seconds": 5}, "timeout": 0.01}, "timeout"),
    ],
)
async def test_what_the_runner_refuses(more: dict[str, Any], reason: str) -> None:
    _, env, _ = scripted()
    outcome = await run_task(task(**more), env)
    assert outcome.failure is not None and outcome.failure.reason == reason


async def test_undeclared_outputs_are_refused() -> None:
    async def extra(ctx: Context, config: Any) -> Outcome:
        return Outcome(port="next", outputs={"surprise": 1})

    _, env, _ = scripted(extra=extra)
    outcome = await run_task(task(config={"script": "extra"}), env)
    assert outcome.failure is not None and outcome.failure.reason == "undeclared_output"


async def test_an_effect_is_made_once_whatever_is_retried() -> None:
    known, env, _ = scripted()
    first = await run_task(task("test.act", config={"value": 1}), env)
    again = await run_task(task("test.act", config={"value": 1}), env)
    assert first == again and known.ran == [("n", 3, 1)]


async def test_another_attempt_is_another_effect() -> None:
    known, env, _ = scripted()
    await run_task(task("test.act"), env)
    await run_task(task("test.act", attempt=2), env)
    assert len(known.ran) == 2


async def test_a_lost_effect_is_asked_about_and_never_repeated() -> None:
    acts: list[str] = []

    async def act(ctx: Context, config: Any) -> Outcome:
        acts.append(ctx.key)
        raise asyncio.CancelledError

    async def act_reconcile(ctx: Context, config: Any) -> Outcome | None:
        return Outcome(port="next", outputs={"words": "found"}) if config.words == "visible" else None

    for words, port, reason in (("visible", "next", None), ("", "error", "unknown")):
        _, env, _ = scripted(act=act, act_reconcile=act_reconcile)
        acts.clear()
        with pytest.raises(asyncio.CancelledError):
            await run_task(task("test.act", config={"script": "act", "words": words}), env)
        for _ in range(2):
            outcome = await run_task(task("test.act", config={"script": "act", "words": words}), env)
            assert outcome.port == port
            assert (outcome.failure.reason if outcome.failure else None) == reason
        assert acts == ["run-3-1"]


async def test_a_lost_effect_on_a_call_that_is_over_belongs_to_the_hang_up() -> None:
    async def act(ctx: Context, config: Any) -> Outcome:
        raise asyncio.CancelledError

    _, env, call = scripted(act=act)
    with pytest.raises(asyncio.CancelledError):
        await run_task(task("test.call", call, config={"script": "act"}), env)
    await call.hang_up()
    assert (await run_task(task("test.call", call, config={"script": "act"}), env)).port == "hangup"


async def test_an_act_that_is_cut_off_is_not_called_harmless() -> None:
    _, env, _ = scripted()
    effect = await run_task(task("test.act", config={"seconds": 5}, timeout=0.01), env)
    assert effect.failure is not None and not effect.failure.retryable
    plain = await run_task(task("test.work", config={"seconds": 5}, timeout=0.01), env)
    assert plain.failure is not None and plain.failure.retryable


async def test_a_ledger_that_is_away_is_no_outcome() -> None:
    class Away(MemoryLedger):
        async def begin(self, task: NodeTask) -> Any:
            raise ConnectionError("no database")

    known = Scripts()
    env = environment(sample_registry(known), ledger=Away())
    with pytest.raises(ConnectionError):
        await run_task(task("test.act"), env)
    assert known.ran == []


async def test_secrets_are_opened_for_the_node_only() -> None:
    services = MemoryServices()
    sealed = services.secrets.seal("4711")
    seen: list[str] = []

    async def look(ctx: Context, config: Any) -> Outcome:
        seen.append(config.pin)
        seen.append(config.words)
        return Outcome(port="next", outputs={"pin": config.pin, "words": "ok"})

    async def leak(ctx: Context, config: Any) -> Outcome:
        raise RuntimeError(f"wrong pin {config.pin}")

    env = environment(sample_registry(Scripts(look=look, leak=leak)), services=services)
    outcome = await run_task(task(config={"script": "look", "pin": sealed, "words": sealed}), env)
    assert seen == ["4711", sealed], "only a secret field is opened"
    assert outcome.outputs["pin"] != "4711" and services.secrets.reveal(outcome.outputs["pin"]) == "4711"
    outcome = await run_task(task(config={"script": "leak", "pin": sealed}), env)
    assert outcome.failure is not None and "4711" not in outcome.failure.message


async def test_the_trail_rides_along_and_never_stops_a_call() -> None:
    class Broken(MemoryTrail):
        async def steps(self, run_id: str, steps: Any) -> None:
            raise ConnectionError("no database")

    step = TrailStep(seq=1, node_id="a", node_type="t", entered=NOW)
    _, env, _ = scripted()
    await run_task(task(trail=[step]), env)
    assert isinstance(env.trail, MemoryTrail) and env.trail.path("run") == [("a", None)]
    assert (await run_task(task(trail=[step]), environment(sample_registry(), trail=Broken()))).port == "next"


async def test_the_apology_reaches_the_caller() -> None:
    heard: list[str] = []

    async def apologise(ctx: Context) -> None:
        heard.append(ctx.language)

    call = ScriptedCall()
    env = environment(sample_registry(), call, apologise=apologise)
    assert (await run_task(task(APOLOGISE, call), env)).port == "next"
    await call.hang_up()
    await run_task(task(APOLOGISE, call), env)
    assert heard == ["en"]


async def test_a_cancellation_passes() -> None:
    _, env, _ = scripted()
    running = asyncio.ensure_future(run_task(task(config={"seconds": 60}), env))
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
