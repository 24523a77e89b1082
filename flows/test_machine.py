"""The machine: the rules of the road, one test a rule, and properties over random flows."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.document import FlowDocument
from flows.machine import Machine, drawn
from flows.memory import MemoryLedger, MemoryTrail
from flows.plan import MappingResolver, ResolvedFlow
from flows.runner import APOLOGISE
from flows.state import (
    CancelNode,
    Command,
    Finish,
    HungUp,
    NodeDone,
    RunNode,
    SignalReceived,
    StartTimer,
    State,
    Stop,
    TimerFired,
)
from flows.task import FlowResult
from flows.testing import Scripts, compiled, document, environment, sample_registry, start_of
from flows.virtual import BEGIN, VirtualRun, run_virtual
from nodes.sdk.context import Context
from nodes.sdk.outcome import Outcome
from nodes.sdk.testing import ScriptedCall
from telephony.errors import HungUp as CallOver


async def fails(ctx: Context, config: Any) -> Outcome:
    return Outcome.error("broken", "it is broken")


async def flaky(ctx: Context, config: Any) -> Outcome:
    return Outcome(port="next") if ctx.attempt > 2 else Outcome.error("busy", retryable=True)


async def zero(ctx: Context, config: Any) -> Outcome:
    return Outcome.shortcut("0")


async def leaves(ctx: Context, config: Any) -> Outcome:
    ctx.partial["words"] = "kept"
    raise CallOver


async def handed(ctx: Context, config: Any) -> Outcome:
    return Outcome(port="next", hand_over={"kind": "queue", "key": "sales"})


async def english(ctx: Context, config: Any) -> Outcome:
    return Outcome(port="next", call={"language": "en"}, customer={"id": "7", "name": "Li"})


def play(
    source: FlowDocument, *, resolver: MappingResolver | None = None, script: Any = None, **more: Any
) -> VirtualRun:
    scripts = Scripts(fails=fails, flaky=flaky, zero=zero, leaves=leaves, english=english, handed=handed)
    registry = sample_registry(scripts)
    plan = compiled(source, registry, resolver=resolver)
    call = ScriptedCall() if source.kind == "ivr" else None
    env = environment(registry, *([call] if call else []))
    return run_virtual(plan, start_of(plan, call=call, **more), env, script=script)


def ports(run: VirtualRun) -> list[str]:
    return [f"{node}.{port}" for node, port in run.path]


FAILS = ("test.work", {"script": "fails"})


def test_an_error_port_wins_over_the_handler() -> None:
    run = play(document({"a": FAILS, "b": "test.quick", "h": "test.quick"}, "a.error>b", handlers={"error": "h"}))
    assert ports(run) == ["a.error", "b.next"]
    assert run.result.outcome == "completed"
    assert run.trail[0].error == "broken"


def test_an_unwired_error_goes_to_the_handler() -> None:
    run = play(document({"a": FAILS, "h": "test.quick"}, handlers={"error": "h"}))
    assert ports(run) == ["a.error", "h.next"]


def test_the_policy_may_prefer_the_handler_or_ignore() -> None:
    nodes = {"b": "test.quick", "c": "test.quick", "h": "test.quick"}
    run = play(document({"a": (*FAILS, {"on_error": "handler"}), **nodes}, "a.error>b a>c", handlers={"error": "h"}))
    assert ports(run) == ["a.error", "h.next"]
    run = play(document({"a": (*FAILS, {"on_error": "ignore"}), **nodes}, "a.error>b a>c", handlers={"error": "h"}))
    assert ports(run) == ["a.error", "c.next"]


def test_a_handler_that_fails_ends_the_run() -> None:
    run = play(document({"a": FAILS, "h": FAILS}, handlers={"error": "h"}))
    assert (run.result.outcome, run.result.reason) == ("failed", "broken")
    assert ports(run) == ["a.error", "h.error"]


def test_an_unmet_error_fails_the_run() -> None:
    run = play(document({"a": FAILS, "b": "test.quick"}, "a>b"))
    assert (run.result.outcome, run.result.reason, run.result.steps) == ("failed", "broken", 1)


def test_a_failed_call_hears_an_apology_first() -> None:
    registry = sample_registry(Scripts(fails=fails))
    plan = compiled(document({"a": FAILS}, kind="ivr"), registry)
    call = ScriptedCall()
    heard: list[str] = []

    async def apologise(ctx: Context) -> None:
        heard.append(ctx.call.id)

    run = run_virtual(plan, start_of(plan, call=call), environment(registry, call, apologise=apologise))
    assert heard == [call.id]
    assert run.result.outcome == "failed"


def test_retries_wait_longer_each_time() -> None:
    run = play(document({"a": ("test.work", {"script": "flaky"}, {"retries": 2, "backoff": 10})}))
    assert ports(run) == ["a.next"] and run.seconds == 30 and run.trail[0].attempt == 3
    run = play(document({"a": ("test.work", {"script": "flaky"}, {"retries": 1, "backoff": 10})}))
    assert run.result.reason == "busy" and run.seconds == 10


def test_what_cannot_be_retried_is_not() -> None:
    run = play(document({"a": (*FAILS, {"retries": 5})}))
    assert run.seconds == 0 and run.trail[0].attempt == 1


def test_a_node_that_takes_too_long() -> None:
    run = play(document({"a": ("test.work", {"seconds": 100}, {"timeout": 5}), "b": "test.quick"}, "a.error>b"))
    assert run.seconds == 5 and run.trail[0].error == "timeout"


def test_a_shortcut_leaves_for_its_target() -> None:
    run = play(
        document(
            {"a": ("test.talk", {"script": "zero"}), "p": "test.call"}, kind="ivr", shortcuts=[{"key": "0", "to": "p"}]
        )
    )
    assert ports(run) == ["a.@0", "p.next"]


def test_a_shortcut_without_a_target_is_an_error() -> None:
    run = play(document({"a": ("test.talk", {"script": "zero"})}, kind="ivr"))
    assert run.result.reason == "unknown_shortcut"


def test_a_shortcut_leaves_the_subflows_inside() -> None:
    inner = document({"x": ("test.talk", {"script": "zero"}), "y": "test.talk"}, "x>y", kind="subflow")
    run = play(
        document(
            {"s": ("logic.subflow", {"flow": "sub"}), "p": "test.call"}, kind="ivr", shortcuts=[{"key": "0", "to": "p"}]
        ),
        resolver=known(inner),
    )
    assert ports(run) == ["s.@0", "x.@0", "p.next"]
    assert len(run.state.frames) == 1


def test_a_caller_who_is_handed_on_goes_where_the_port_leads_else_the_run_ends_and_says_where() -> None:
    hands = ("test.talk", {"script": "handed"})
    wired = play(document({"a": hands, "b": "test.call"}, "a>b", kind="ivr"))
    assert ports(wired) == ["a.next", "b.next"] and wired.result.hand_over is None
    inner = document({"x": hands}, kind="subflow")
    for source, path in (
        (document({"a": hands, "b": "test.call"}, kind="ivr"), ["a.next"]),
        (
            document({"s": ("logic.subflow", {"flow": "sub"}), "p": "test.call"}, "s>p", kind="ivr"),
            ["s.None", "x.next"],
        ),
    ):
        run = play(source, resolver=known(inner))
        assert ports(run) == path, "also a subflow's caller comes back to nothing of this flow"
        assert (run.result.outcome, run.result.reason) == ("completed", "handed_over")
        assert run.result.hand_over == {"kind": "queue", "key": "sales"}


def test_the_hang_up_handler_runs_once_and_call_nodes_are_not_run_again() -> None:
    run = play(
        document(
            {"a": ("test.talk", {"script": "leaves"}), "b": "test.talk", "h": "test.quick", "i": "test.talk"},
            "a>b h>i",
            kind="ivr",
            handlers={"hangup": "h"},
        )
    )
    assert ports(run) == ["a.hangup", "h.next", "i.hangup"]
    assert run.result.outcome == "hangup"
    assert run.trail[0].outputs == {"words": "kept"}


def test_a_wired_hangup_port_comes_before_the_handler() -> None:
    run = play(
        document(
            {"a": ("test.talk", {"script": "leaves"}), "s": "test.quick", "h": "test.quick"},
            "a.hangup>s",
            kind="ivr",
            handlers={"hangup": "h"},
        )
    )
    assert ports(run) == ["a.hangup", "s.next"]


def test_other_nodes_finish_after_the_hang_up_and_then_the_handler_runs() -> None:
    async def script(driver: Any) -> None:
        import asyncio

        await asyncio.sleep(5)
        driver.hang_up()

    run = play(
        document({"a": ("test.work", {"seconds": 10}), "h": "test.quick"}, kind="ivr", handlers={"hangup": "h"}),
        script=script,
    )
    assert ports(run) == ["a.next", "h.next"] and run.seconds == 10
    assert run.result.outcome == "hangup"


def test_a_flow_that_hangs_up_itself_is_complete() -> None:
    async def script(driver: Any) -> None:
        import asyncio

        await asyncio.sleep(5)
        driver.hang_up()

    run = play(
        document(
            {"a": "test.bye", "b": ("test.work", {"seconds": 10}), "h": "test.quick"},
            "a>b",
            kind="ivr",
            handlers={"hangup": "h"},
        ),
        script=script,
    )
    assert ports(run) == ["a.next", "b.next"]
    assert run.result.outcome == "completed"


def known(flow: FlowDocument) -> MappingResolver:
    resolved = ResolvedFlow(document=flow.model_copy(update={"id": "sub"}), version=2)
    return MappingResolver({("sub", "live"): resolved})


def test_a_subflow_has_typed_inputs_and_outputs_and_variables_of_its_own() -> None:
    inner = document(
        {
            "x": ("test.set", {"value": "vars.n * 2", "assign": "twice"}),
            "e": ("logic.end", {"outputs": {"sum": "vars.twice"}}),
        },
        "x>e",
        kind="subflow",
        inputs=[{"name": "n", "type": "number", "required": True}],
        outputs=[{"name": "sum", "type": "string"}],
        variables=[{"name": "twice", "type": "number"}],
    )
    outer = document(
        {
            "s": ("logic.subflow", {"flow": "sub", "inputs": {"n": "'21'"}}),
            "e": ("logic.end", {"outputs": {"got": "nodes.s.sum"}}),
        },
        "s>e",
        outputs=[{"name": "got"}],
    )
    run = play(outer, resolver=known(inner))
    assert run.result.outputs == {"got": "42"}
    assert run.result.variables == {"got": None}
    assert [(step.flow_id, step.node_id) for step in run.trail] == [
        ("flow", "s"),
        ("sub", "x"),
        ("sub", "e"),
        ("flow", "e"),
    ]


def test_a_subflow_refuses_inputs_of_another_type() -> None:
    inner = document({"x": "test.quick"}, kind="subflow", inputs=[{"name": "n", "type": "number"}])
    run = play(document({"s": ("logic.subflow", {"flow": "sub", "inputs": {"n": "'x'"}})}), resolver=known(inner))
    assert run.result.reason == "bad_input" and "n: a number is needed" in (run.trail[0].error_message or "")


def test_a_failed_subflow_is_an_error_of_its_node() -> None:
    outer = document({"s": ("logic.subflow", {"flow": "sub"}), "b": "test.quick"}, "s.error>b")
    run = play(outer, resolver=known(document({"x": FAILS}, kind="subflow")))
    assert ports(run) == ["s.error", "x.error", "b.next"]


def test_a_hang_up_leaves_the_subflow() -> None:
    outer = document({"s": ("logic.subflow", {"flow": "sub"}), "h": "test.quick"}, kind="ivr", handlers={"hangup": "h"})
    run = play(outer, resolver=known(document({"x": ("test.talk", {"script": "leaves"})}, kind="subflow")))
    assert ports(run) == ["s.hangup", "x.hangup", "h.next"]


PARALLEL: dict[str, Any] = {
    "p": ("logic.parallel", {"branches": ["x", "y"]}),
    "x": ("test.work", {"seconds": 1}),
    "y": ("test.work", {"seconds": 9}),
    "e": "test.quick",
}


def test_a_join_waits_for_all() -> None:
    run = play(document({**PARALLEL, "j": "logic.join"}, "p.x>x p.y>y x>j y>j j>e"))
    assert run.seconds == 9 and ports(run).count("e.next") == 1


def test_a_join_may_take_the_first_and_stop_the_rest() -> None:
    run = play(document({**PARALLEL, "j": ("logic.join", {"wait": "first"})}, "p.x>x p.y>y x>j y>j j>e"))
    assert run.seconds == 1 and run.path[-1] == ("e", "next")
    assert ("y", None) in run.path


def test_a_branch_that_ends_alone_holds_nobody_up() -> None:
    run = play(document({**PARALLEL, "j": "logic.join"}, "p.x>x p.y>y y>j j>e"))
    assert run.path[-1] == ("e", "next")


def test_signals_are_kept_until_someone_waits() -> None:
    async def script(driver: Any) -> None:
        driver.signal("paid", {"sum": 7})

    run = play(
        document({"a": ("test.work", {"seconds": 5}), "w": ("test.wait", {"signal": "paid"})}, "a>w"), script=script
    )
    assert ports(run) == ["a.next", "w.next"] and run.trail[1].outputs == {"data": {"sum": 7}}


def test_a_wait_ends_by_its_time() -> None:
    run = play(document({"w": ("test.wait", {"signal": "paid", "seconds": 3600})}))
    assert ports(run) == ["w.timeout"] and run.seconds == 3600


def test_the_step_limit_ends_a_runaway() -> None:
    run = play(document({"a": "test.set", "b": "test.set"}, "a>b b>a"), step_limit=3_000)
    assert (run.result.outcome, run.result.reason, run.result.steps) == ("failed", "step_limit", 3_000)
    assert "loop" in (run.trail[-1].error_message or "")


def test_variables_keep_their_types() -> None:
    run = play(
        document({"a": ("test.set", {"value": "'x'", "assign": "n"})}, variables=[{"name": "n", "type": "number"}])
    )
    assert run.result.reason == "bad_value"
    run = play(document({"a": ("test.set", {"value": "1", "assign": "other"})}))
    assert run.result.reason == "unknown_variable"
    run = play(document({"a": "test.quick"}), inputs={"x": 1})
    assert run.result.reason == "bad_input"


def test_an_expression_that_fails_is_an_error_of_its_node() -> None:
    run = play(
        document(
            {"a": ("test.work", {"value": "vars.none.x"}), "b": "test.quick"}, "a.error>b", variables=[{"name": "none"}]
        )
    )
    assert run.trail[0].error == "expression_undefined" and run.path[-1] == ("b", "next")


def test_language_and_customer_rule_what_follows() -> None:
    run = play(
        document(
            {
                "a": ("test.talk", {"script": "english"}),
                "b": ("test.quick", {"words": "{{ 3|money }} {{ customer.name }}"}),
            },
            "a>b",
            kind="ivr",
        )
    )
    assert run.trail[1].outputs["words"] == "3 Chinese yuan Li"


def test_a_stop_ends_everything() -> None:
    async def script(driver: Any) -> None:
        driver.stop("enough")

    run = play(document({**PARALLEL, "w": ("test.wait", {"seconds": 99})}, "p.x>x p.y>w"), script=script)
    assert (run.result.outcome, run.result.reason) == ("stopped", "enough")
    assert all(step.left is not None for step in run.trail)


def test_the_draw_is_even_and_the_same_again() -> None:
    draws = [drawn("run", step) for step in range(2_000)]
    assert draws == [drawn("run", step) for step in range(2_000)]
    assert all(0 <= draw < 1 for draw in draws) and 0.45 < sum(draws) / len(draws) < 0.55


# --- properties -------------------------------------------------------------------------------------------------------

KINDS = [
    "test.quick",
    "test.work",
    "test.act",
    "test.talk",
    "test.short",
    "test.set",
    "test.wait",
    "logic.end",
    "logic.join",
    "logic.parallel",
]


@st.composite
def flows(draw: st.DrawFn) -> FlowDocument:
    count = draw(st.integers(1, 7))
    names = [f"n{number}" for number in range(count)]
    nodes: dict[str, Any] = {}
    wires: list[str] = []
    for name in names:
        kind = draw(st.sampled_from(KINDS))
        config: dict[str, Any] = {}
        policy = {
            "retries": draw(st.integers(0, 2)),
            "backoff": 1.0,
            "on_error": draw(st.sampled_from(["port", "handler", "ignore"])),
        }
        out = ["next", "error", "hangup"]
        if kind == "test.wait":
            config, out = {"seconds": 5.0, "signal": "s"}, ["next", "timeout", "hangup"]
        elif kind == "logic.parallel":
            config, out = {"branches": ["x", "y"]}, ["x", "y"]
        elif kind == "logic.join":
            config = {"wait": draw(st.sampled_from(["all", "first"]))}
        elif kind == "logic.end":
            out = []
        nodes[name] = (kind, config, policy)
        wires += [f"{name}.{port}>{draw(st.sampled_from(names))}" for port in out if draw(st.booleans())]
    more: dict[str, Any] = {}
    if draw(st.booleans()):
        more["handlers"] = {key: draw(st.sampled_from([None, *names])) for key in ("hangup", "error")}
    if draw(st.booleans()):
        more["shortcuts"] = [{"key": "0", "to": draw(st.sampled_from(names))}]
    return document(nodes, " ".join(wires), kind="ivr", **more)


OUTCOMES = [
    Outcome(port="next"),
    Outcome.error("broken"),
    Outcome.error("busy", retryable=True),
    Outcome(port="hangup"),
    Outcome.shortcut("0"),
]


@settings(max_examples=300, deadline=None)
@given(flows(), st.data())
def test_any_flow_keeps_the_rules(source: FlowDocument, data: st.DataObject) -> None:
    """Whatever happens: the run ends, each execution fires one port, the state survives as JSON at every step."""
    registry = sample_registry()
    plan = compiled(source, registry)
    machine = Machine(plan, registry)
    start = start_of(plan, call=ScriptedCall(), step_limit=60)
    state, commands = machine.start(start, BEGIN)
    now, nodes, timers, finished = BEGIN, {}, set(), []

    def take(commands: list[Command]) -> None:
        for command in commands:
            match command:
                case RunNode():
                    assert (command.token, command.task.step) not in nodes, "an execution is begun once"
                    nodes[command.token, command.task.step] = command
                case CancelNode():
                    nodes.pop((command.token, command.step), None)
                case StartTimer():
                    timers.add(command.timer)
                case Finish():
                    finished.append(command)

    take(commands)
    for _ in range(400):
        if state.status == "finished":
            break
        state = State.model_validate_json(state.model_dump_json())
        now += timedelta(seconds=1)
        choices: list[str] = ["node"] * bool(nodes) + ["timer"] * bool(timers) + ["hangup", "signal"]
        choice = (
            data.draw(st.sampled_from(choices))
            if not nodes and not timers
            else data.draw(st.sampled_from(choices * 2 + choices[:1]))
        )
        if choice == "node":
            key = data.draw(st.sampled_from(sorted(nodes)))
            task = nodes.pop(key).task
            outcome = Outcome(port="next") if task.node_type == APOLOGISE else data.draw(st.sampled_from(OUTCOMES))
            state, commands = machine.step(state, NodeDone(key[0], task.step, task.attempt, outcome, now))
        elif choice == "timer":
            timer = data.draw(st.sampled_from(sorted(timers)))
            timers.discard(timer)
            state, commands = machine.step(state, TimerFired(timer, now))
        elif choice == "hangup":
            state, commands = machine.step(state, HungUp("normal", now))
        else:
            state, commands = machine.step(state, SignalReceived("s", {}, now))
        take(commands)
        pending = {token.id for token in state.tokens.values() if token.phase == "running"}
        assert pending <= {key[0] for key in nodes}, "every running position has an execution"
        for token in state.tokens.values():
            assert token.frame in state.frames
    else:
        state, commands = machine.step(state, Stop("test", now))
        take(commands)
    assert state.status == "finished" and len(finished) == 1
    assert isinstance(state.result, FlowResult) and state.steps <= 60
    assert not state.tokens
    for step in state.trail:
        assert step.left is not None
        if step.port is None or step.port in ("end", "joined") or step.port.startswith("@"):
            continue
        fired = step.port.split(",")
        declared = {*plan.flows[plan.root].nodes[step.node_id].ports, "error", "hangup", "next"}
        assert set(fired) <= declared and (len(fired) == 1 or step.node_type == "logic.parallel")


@settings(max_examples=60, deadline=None)
@given(flows())
def test_any_flow_takes_the_same_path_again(source: FlowDocument) -> None:
    runs = [play(source, step_limit=80) for _ in range(2)]
    assert runs[0].path == runs[1].path and runs[0].result == runs[1].result and runs[0].seconds == runs[1].seconds


def test_resuming_a_stored_state_repeats_what_is_under_way() -> None:
    registry = sample_registry()
    plan = compiled(
        document(
            {**PARALLEL, "y": ("test.wait", {"seconds": 60}), "j": "logic.join"}, "p.x>x p.y>y x>j y>j j>e y.timeout>j"
        ),
        registry,
    )
    machine = Machine(plan, registry)
    state, commands = machine.start(start_of(plan), BEGIN)
    stored = State.model_validate_json(state.model_dump_json())
    again = machine.resume(stored, BEGIN + timedelta(seconds=20))
    begun = [command.task.node_id for command in again if isinstance(command, RunNode)]
    assert begun == [command.task.node_id for command in commands if isinstance(command, RunNode)] == ["x"]
    assert [command.seconds for command in again if isinstance(command, StartTimer)] == [40.0]


def test_the_sink_sees_every_step_while_the_run_lives() -> None:
    registry = sample_registry()
    plan = compiled(
        document({"a": "test.quick", "b": "test.act", "w": ("test.wait", {"seconds": 1})}, "a>b b>w"), registry
    )
    env = environment(registry)
    assert isinstance(env.trail, MemoryTrail) and isinstance(env.ledger, MemoryLedger)
    seen: list[list[tuple[str, str | None]]] = []

    async def script(driver: Any) -> None:
        import asyncio

        await asyncio.sleep(0.5)
        assert isinstance(env.trail, MemoryTrail)
        seen.append(env.trail.path("run"))

    run_virtual(plan, start_of(plan), env, script=script)
    assert seen == [[("a", "next"), ("b", "next"), ("w", None)]]


@pytest.mark.parametrize("depth", [1_000])
def test_a_long_flow_costs_microseconds_a_step(depth: int) -> None:
    import time

    nodes = {f"n{number}": ("test.set", {"value": "vars.n + 1", "assign": "n"}) for number in range(depth)}
    wires = " ".join(f"n{number}>n{number + 1}" for number in range(depth - 1))
    source = document(nodes, wires, variables=[{"name": "n", "default": 0}])
    began = time.process_time()
    run = play(source)
    assert run.result.variables == {"n": depth}
    assert time.process_time() - began < 5
