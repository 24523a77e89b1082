"""The machine: interprets a plan, one event at a time, without I/O, clock or chance of its own.

``step(state, event) -> (state, commands)`` is a function of its arguments. Both drivers, the Temporal workflow and the
virtual clock, only carry out commands and bring events back, so a flow behaves the same in both.

`Machine.step` takes the state over: it changes the given object and returns it, since copying a thousand-step trail at
each step would cost more than the step. Who wants to keep the state before copies it (``model_copy(deep=True)``).

Rules of the road:

- Exactly one port fires for each execution. A port without an edge ends its path quietly; the last path ends the flow.
- ``error``: retries of the policy, the port's edge, the flow's error handler, then the flow fails. A failed subflow is
  an ``error`` of its node. A failed call flow apologises to the caller before it ends.
- ``hangup``: the port's edge, else the flow's hang-up handler (once), else the flow ends. After the hang-up a node on
  the call fires ``hangup`` without being run, a waiting node is woken, other nodes finish and go on.
- ``@<key>``: the shortcut of the innermost flow that has one for the key; the subflows inside are left.
"""

import hashlib
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from flows.expressions import ExpressionError, Scope, evaluate, render
from flows.hints import replaced, strings_at
from flows.plan import END, JOIN, PARALLEL, SUBFLOW, Plan, PlanFlow, PlanNode
from flows.runner import APOLOGISE
from flows.state import (
    CancelNode,
    CancelTimer,
    Command,
    Event,
    Finish,
    Frame,
    HungUp,
    NodeDone,
    RunNode,
    SignalReceived,
    StartTimer,
    State,
    Stop,
    TimerFired,
    Token,
    WriteTrail,
)
from flows.task import CallFacts, FlowResult, FlowStart, NodeTask, TrailStep
from flows.values import ValueTypeError, coerce, initial
from nodes.sdk.context import FlowScope
from nodes.sdk.node import Node, Runs, WaitFor, Woken
from nodes.sdk.outcome import ERROR, HANGUP, SHORTCUT_PREFIX, NodeError, Outcome
from nodes.sdk.registry import Registry

KEPT_STEPS = 1_000
"""Trail steps that the state keeps; older ones have been given to the sink."""
STREAK = 500
"""Steps without a wait after which the run pauses, so that a loop never holds up the process."""
PAUSE_SECONDS = 0.01
MAX_SIGNALS = 100
MAX_ERROR_HANDLING = 3
MAX_DEPTH = 20
APOLOGY_TOKEN = 0
MAX_WAIT = 366 * 86_400.0
_CALL_FACTS = tuple(CallFacts.model_fields)


class Machine:
    """Interprets one plan. Holds no run: one machine serves them all."""

    def __init__(self, plan: Plan, registry: Registry) -> None:
        self.plan = plan
        self.registry = registry
        self._configs: dict[tuple[str, str], Any] = {}
        self._types = {
            key: {variable.name: variable.type for variable in (*flow.outputs, *flow.variables, *flow.inputs)}
            for key, flow in plan.flows.items()
        }

    def start(self, start: FlowStart, now: datetime) -> tuple[State, list[Command]]:
        """Begin a run."""
        root = self.plan.flows[self.plan.root]
        state = State(start=start, now=now)
        if start.call is not None:
            state.call = start.call.model_dump()
            if not state.call["language"]:
                state.call["language"] = root.languages[0]
        run = _Run(self, state, now)
        run.begin(root, start.inputs)
        return state, run.settle()

    def step(self, state: State, event: Event) -> tuple[State, list[Command]]:
        """Take one event. The state is taken over, see the module's text."""
        if state.status == "finished":
            return state, []
        state.now = event.now
        run = _Run(self, state, event.now)
        run.take(event)
        return state, run.settle()

    def resume(self, state: State, now: datetime) -> list[Command]:
        """What a driver has to do to carry a stored state on: the nodes and timers that are under way."""
        state.now = now
        return _Run(self, state, now).under_way()

    # what runs share

    def flow_of(self, frame: Frame) -> PlanFlow:
        return self.plan.flows[frame.flow]

    def types_of(self, frame: Frame) -> dict[str, Any]:
        return self._types[frame.flow]

    def config_of(self, frame: Frame, node: PlanNode, implementation: Node[Any], rendered: dict[str, Any]) -> Any:
        """The validated config; one that computes nothing is validated once for all runs."""
        if node.templates or node.expressions:
            return implementation.Config.model_validate(rendered)
        key = (frame.flow, node.id)
        config = self._configs.get(key)
        if config is None:
            config = self._configs[key] = implementation.Config.model_validate(rendered)
        return config


def zone_of(name: str) -> tzinfo:
    """The time zone of that name; UTC when the machine's data lack it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def drawn(run_id: str, step: int) -> float:
    """A number in [0, 1) that belongs to this step of this run, the same at every replay."""
    seed = hashlib.blake2b(f"{run_id}/{step}".encode(), digest_size=8).digest()
    return (int.from_bytes(seed, "big") >> 11) / float(1 << 53)


class _Run:
    """One event's worth of work on one state."""

    def __init__(self, machine: Machine, state: State, now: datetime) -> None:
        self.machine = machine
        self.state = state
        self.now = now
        self.commands: list[Command] = []
        self.ready: deque[int] = deque()

    # --- events

    def begin(self, root: PlanFlow, inputs: dict[str, Any]) -> None:
        frame = Frame(id=self._id(), flow=self.machine.plan.root)
        self.state.frames[frame.id] = frame
        try:
            frame.variables = self._variables(root, inputs)
        except ValueTypeError as error:
            self._fail("bad_input", str(error))
            return
        self._place(Token(id=self._id(), frame=frame.id, node=root.entry))

    def take(self, event: Event) -> None:
        match event:
            case NodeDone():
                self._node_done(event)
            case TimerFired():
                self._timer_fired(event.timer)
            case SignalReceived():
                self._signal(event.name, event.data)
            case HungUp():
                self._hung_up(event.cause)
            case Stop():
                self._finish(FlowResult(outcome="stopped", reason=event.reason))

    def settle(self) -> list[Command]:
        """Carry on until every position waits for something; returns the commands."""
        state = self.state
        while self.ready and state.status == "running":
            token = state.tokens.get(self.ready.popleft())
            if token is not None and token.phase == "ready":
                self._enter(token)
        if state.status == "running" and state.dirty and not self._carried():
            self.commands.append(WriteTrail(self._unseen()))
        return self.commands

    def _carried(self) -> bool:
        """Whether an execution that begins now carries the trail, or one that ends soon will be followed by one."""
        return any(isinstance(command, RunNode) for command in self.commands) or not any(
            token.phase == "waiting" for token in self.state.tokens.values()
        )

    def under_way(self) -> list[Command]:
        state = self.state
        # What was on its way to the sink may be lost: the newest steps are told again.
        state.dirty = [step.seq for step in state.trail[-3:]]
        if state.ending is not None:
            self._apologise(state.ending.reason)
            return self.commands
        for token in list(state.tokens.values()):
            if token.phase == "running":
                self._run(token)
            elif token.timer is not None and token.deadline is not None:
                seconds = max(0.0, (token.deadline - self.now).total_seconds())
                self.commands.append(StartTimer(token.timer, seconds))
        return self.settle()

    def _node_done(self, event: NodeDone) -> None:
        if event.token == APOLOGY_TOKEN:
            if self.state.ending is not None:
                self._finish(self.state.ending)
            return
        token = self.state.tokens.get(event.token)
        if token is None or token.phase != "running" or (token.step, token.attempt) != (event.step, event.attempt):
            return
        self.state.streak = 0
        token.phase = "ready"
        node = self._node(token)
        if event.outcome.port == HANGUP and node.runs.needs_call:
            self.state.hung_up = True
        elif node.runs is Runs.CALL_SHORT and node.terminal and event.outcome.port != ERROR:
            self.state.ended_by_flow = True
        if event.outcome.wait is None:
            self._outcome(token, event.outcome)
            return
        try:
            self._decide(token, node, self._rendered(token, node), None, event.outcome.wait)
        except ExpressionError as error:
            self._outcome(token, _expression_failed(error))

    def _timer_fired(self, timer: int) -> None:
        token = next((one for one in self.state.tokens.values() if one.timer == timer), None)
        if token is None:
            return
        token.timer = token.deadline = None
        self.state.streak = 0
        if token.phase == "waiting":
            self._wake(token, Woken(by="timeout", memory=token.memory))
        elif token.phase == "backoff":
            self._execute(token)
        elif token.phase == "pausing":
            token.phase = "ready"
            self.ready.append(token.id)

    def _signal(self, name: str, data: dict[str, Any]) -> None:
        waiting = [one for one in self.state.tokens.values() if one.phase == "waiting" and one.signal == name]
        if not waiting:
            kept = self.state.signals.setdefault(name, [])
            kept.append(data)
            del kept[:-MAX_SIGNALS]
        for token in waiting:
            if token.phase == "waiting" and token.id in self.state.tokens:
                self._wake(token, Woken(by="signal", data=data, memory=token.memory))

    def _hung_up(self, cause: str) -> None:
        if self.state.hung_up:
            return
        self.state.hung_up = True
        self.state.hangup_cause = cause
        for token in list(self.state.tokens.values()):
            if token.id not in self.state.tokens:
                continue
            if token.phase == "waiting":
                self._stop_timer(token)
                self._wake(token, Woken(by="hangup", memory=token.memory))
            elif token.phase == "backoff" and self._node(token).runs.needs_call:
                self._stop_timer(token)
                self._outcome(token, Outcome(port=HANGUP))

    # --- entering and executing nodes

    def _enter(self, token: Token) -> None:
        state = self.state
        if state.steps >= state.start.step_limit:
            self._fail(
                "step_limit",
                f"the run made {state.steps} steps, which is its limit: does the flow loop without a way out?",
            )
            return
        if state.streak >= STREAK:
            state.streak = 0
            token.phase = "pausing"
            self._start_timer(token, PAUSE_SECONDS)
            return
        state.steps += 1
        state.streak += 1
        token.step, token.attempt, token.memory, token.signal = state.steps, 1, {}, None
        frame, node = state.frames[token.frame], self._node(token)
        frame.visits[node.id] = frame.visits.get(node.id, 0) + 1
        state.trail.append(
            TrailStep(
                seq=token.step,
                node_id=node.id,
                node_type=node.type,
                node_name=node.name,
                flow_id=self.machine.flow_of(frame).id,
                entered=self.now,
            )
        )
        state.dirty.append(token.step)
        if len(state.trail) > KEPT_STEPS + 100:
            del state.trail[:-KEPT_STEPS]
        self._execute(token)

    def _execute(self, token: Token) -> None:
        """Run the node that the token stands on, for the first time or again."""
        node = self._node(token)
        if self.state.hung_up and node.runs.needs_call:
            self._outcome(token, Outcome(port=HANGUP))
            return
        if node.runs is not Runs.IN_WORKFLOW and node.type not in _OWN:
            token.phase = "running"
            self._run(token)
            return
        try:
            config = self._rendered(token, node)
        except ExpressionError as error:
            self._outcome(token, _expression_failed(error))
            return
        own = _OWN.get(node.type)
        if own is not None:
            own(self, token, node, config)
        else:
            self._decide(token, node, config, None)

    def _run(self, token: Token) -> None:
        """Hand the node to the driver."""
        state, node = self.state, self._node(token)
        frame = state.frames[token.frame]
        flow = self.machine.flow_of(frame)
        try:
            config = self._rendered(token, node)
        except ExpressionError as error:
            self._outcome(token, _expression_failed(error))
            return
        enters = self._enters(token)
        task = NodeTask(
            run_id=state.start.run_id,
            business_id=state.start.business_id,
            flow_id=flow.id,
            version=flow.version,
            step=token.step,
            attempt=token.attempt,
            node_id=node.id,
            node_type=node.type,
            type_version=node.version,
            node_name=node.name,
            runs=node.runs,
            config=config,
            now=self.now,
            call=self._call_facts(),
            shortcuts=self._shortcut_keys(token) if node.runs is Runs.ON_CALL else [],
            trail=self._unseen(but=token.step if enters else None),
            enters=enters,
            timeout=node.policy.timeout,
        )
        self.commands.append(RunNode(token.id, task))

    def _decide(
        self,
        token: Token,
        node: PlanNode,
        rendered: dict[str, Any],
        woken: Woken | None,
        asked: WaitFor | None = None,
    ) -> None:
        """Ask a node in the workflow, until it has decided or waits; `asked` is what an execution left to wait for."""
        state, frame = self.state, self.state.frames[token.frame]
        try:
            implementation = self.machine.registry.get(node.type, node.version)
        except KeyError as missing:
            self._outcome(token, Outcome.error("unknown_node", str(missing.args[0])))
            return
        try:
            config = self.machine.config_of(frame, node, implementation, rendered)
        except ValidationError as invalid:
            places = "; ".join(
                f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in invalid.errors(include_input=False)
            )
            self._outcome(token, Outcome.error("bad_config", places[:2000]))
            return
        scope = FlowScope(
            now=self.now.astimezone(zone_of(state.start.timezone)),
            variables=frame.variables,
            call=state.call,
            customer=state.customer,
            outputs=frame.outputs,
            visits=frame.visits.get(node.id, 1) - 1,
            draw=drawn(state.start.run_id, token.step),
        )
        try:
            answer: Outcome | WaitFor
            if asked is not None:
                answer = asked
            elif woken is None:
                answer = implementation.decide(scope, config)
            else:
                answer = implementation.resume(scope, config, woken)
            while isinstance(answer, WaitFor):
                kept = state.signals.get(answer.signal) if answer.signal is not None else None
                if state.hung_up and woken is None and not frame.hangup_handled:
                    woken = Woken(by="hangup", memory=answer.memory)
                elif kept:
                    woken = Woken(by="signal", data=kept.pop(0), memory=answer.memory)
                else:
                    self._wait(token, answer)
                    return
                answer = implementation.resume(scope, config, woken)
        except NodeError as failure:
            told = failure.failure
            answer = Outcome.error(told.reason, told.message, retryable=told.retryable)
        except ExpressionError as error:
            answer = _expression_failed(error)
        except Exception as failure:
            answer = Outcome.error("internal", f"{type(failure).__name__}: {failure}"[:2000])
        if answer.port not in node.ports and answer.port not in (ERROR, HANGUP):
            answer = Outcome.error("undeclared_port", f"{node.type} fired the port {answer.port!r}, which it lacks")
        self._outcome(token, answer)

    def _wait(self, token: Token, wait: WaitFor) -> None:
        token.phase, token.signal, token.memory = "waiting", wait.signal, dict(wait.memory)
        self.state.streak = 0
        if wait.seconds is not None:
            self._start_timer(token, min(max(0.0, wait.seconds), MAX_WAIT))

    def _wake(self, token: Token, woken: Woken) -> None:
        self._stop_timer(token)
        token.signal = None
        node = self._node(token)
        try:
            rendered = self._rendered(token, node)
        except ExpressionError as error:
            self._outcome(token, _expression_failed(error))
            return
        self._decide(token, node, rendered, woken)

    # --- the machine's own nodes

    def _end(self, token: Token, node: PlanNode, config: dict[str, Any]) -> None:
        frame = self.state.frames[token.frame]
        outputs = config.get("outputs") or {}
        frame.results.update(outputs)
        frame.outcome = str(config.get("outcome") or "completed")
        self._complete(token, Outcome(port="end", outputs={}))
        self._end_token(token)

    def _fork(self, token: Token, node: PlanNode, config: dict[str, Any]) -> None:
        """One token for each branch. The fork itself leaves by its first branch in the trail's eyes."""
        branches = [str(name) for name in config.get("branches") or ()]
        wired = [name for name in branches if name in node.edges]
        self._complete(token, Outcome(port=",".join(wired) or "next"))
        if not wired:
            self._end_token(token)
            return
        group = self._id()
        del self.state.tokens[token.id]
        for name in wired:
            self._place(Token(id=self._id(), frame=token.frame, node=node.edges[name], groups=[*token.groups, group]))

    def _join(self, token: Token, node: PlanNode, config: dict[str, Any]) -> None:
        if not token.groups:
            self._outcome(token, Outcome(port="next"))
            return
        group = token.groups[-1]
        if config.get("wait") == "first":
            self._drop(one for one in self._in_group(group) if one.id != token.id)
            self._leave_group(token)
            return
        token.phase = "joining"
        token.memory = {"group": group}
        self._check_group(group)

    def _in_group(self, group: int) -> list[Token]:
        return [one for one in self.state.tokens.values() if group in one.groups]

    def _check_group(self, group: int) -> None:
        """Go on behind the join once every branch has arrived or ended."""
        alive = self._in_group(group)
        if not alive or any(one.phase != "joining" or one.memory.get("group") != group for one in alive):
            return
        last = max(alive, key=lambda one: one.step)
        for one in alive:
            if one is not last:
                self._complete(one, Outcome(port="joined"))
                del self.state.tokens[one.id]
        self._leave_group(last)

    def _leave_group(self, token: Token) -> None:
        token.groups = token.groups[:-1]
        self._outcome(token, Outcome(port="next"))

    def _call_subflow(self, token: Token, node: PlanNode, config: dict[str, Any]) -> None:
        flow = self.machine.plan.flows[node.subflow]
        if len(self._frames_of(token)) >= MAX_DEPTH:
            self._outcome(token, Outcome.error("too_deep", f"subflows may be nested at most {MAX_DEPTH} deep"))
            return
        inputs = config.get("inputs") or {}
        try:
            variables = self._variables(flow, inputs)
        except ValueTypeError as error:
            self._outcome(token, Outcome.error("bad_input", str(error)))
            return
        frame = Frame(id=self._id(), flow=node.subflow, parent=token.id, variables=variables)
        self.state.frames[frame.id] = frame
        token.phase, token.child = "subflow", frame.id
        self._place(Token(id=self._id(), frame=frame.id, node=flow.entry, groups=list(token.groups)))

    # --- outcomes and routing

    def _outcome(self, token: Token, outcome: Outcome) -> None:
        """One port has fired: retry, or record it and go on."""
        node = self._node(token)
        failure = outcome.failure
        if (
            outcome.port == ERROR
            and failure is not None
            and failure.retryable
            and token.attempt <= node.policy.retries
            and not (self.state.hung_up and node.runs.needs_call)
        ):
            delay = node.policy.backoff * 2.0 ** (token.attempt - 1)
            token.attempt += 1
            record = self._record(token.step)
            if record is not None:
                record.attempt, record.error, record.error_message = token.attempt, failure.reason, failure.message
                self.state.dirty.append(token.step)
            token.phase = "backoff"
            self._start_timer(token, delay)
            return
        problem = self._apply(token, outcome)
        if problem is not None:
            outcome = problem
        self._complete(token, outcome)
        port = outcome.port
        if port.startswith(SHORTCUT_PREFIX):
            self._route_shortcut(token, port)
        elif port == ERROR:
            self._route_error(token, node, outcome)
        elif port in node.edges:
            if port == HANGUP:
                self.state.frames[token.frame].hung = True
            self._go(token, node.edges[port])
        elif port == HANGUP:
            self._route_hangup(token)
        elif outcome.hand_over is not None and not self.state.hung_up:
            # Also from a subflow: nothing of this run comes after it.
            self._finish(FlowResult(outcome="completed", reason="handed_over", hand_over=outcome.hand_over))
        else:
            self._end_token(token)

    def _apply(self, token: Token, outcome: Outcome) -> Outcome | None:
        """Take over what the node changed. Returns an error outcome when a variable cannot take its value."""
        frame = self.state.frames[token.frame]
        if outcome.variables:
            types = self.machine.types_of(frame)
            changed: dict[str, Any] = {}
            for name, value in outcome.variables.items():
                if name not in types:
                    return Outcome.error("unknown_variable", f"the flow has no variable {name}: define it")
                try:
                    changed[name] = coerce(value, types[name])
                except ValueTypeError as error:
                    return Outcome.error("bad_value", f"the variable {name} cannot take this value: {error}")
            frame.variables.update(changed)
        if outcome.call:
            self.state.call.update(outcome.call)
        if outcome.customer is not None:
            self.state.customer = dict(outcome.customer)
        return None

    def _complete(self, token: Token, outcome: Outcome) -> None:
        """Write the end of this execution into the trail and its outputs into the scope."""
        self.state.frames[token.frame].outputs[token.node] = outcome.outputs
        record = self._record(token.step)
        if record is not None:
            record.left = self.now
            record.port = outcome.port
            record.outputs = _bounded(outcome.outputs)
            record.said = list(outcome.said)
            record.error = outcome.failure.reason if outcome.failure else None
            record.error_message = outcome.failure.message if outcome.failure else None
            changes = {"variables": outcome.variables, "call": outcome.call, "customer": outcome.customer}
            record.changes = _bounded({name: value for name, value in changes.items() if value})
            self.state.dirty.append(token.step)

    def _go(self, token: Token, target: str) -> None:
        self._stop_timer(token)
        token.node, token.phase, token.child = target, "ready", None
        self.ready.append(token.id)

    def _route_shortcut(self, token: Token, port: str) -> None:
        key = port.removeprefix(SHORTCUT_PREFIX)
        current = token
        while True:
            frame = self.state.frames[current.frame]
            target = self.machine.flow_of(frame).shortcuts.get(key)
            if target is not None:
                self._drop_child(current)
                self._go(current, target)
                return
            if frame.parent is None:
                break
            current = self.state.tokens[frame.parent]
            self._complete(current, Outcome(port=port))
        unknown = Outcome.error("unknown_shortcut", f"the flow has no shortcut for the key {key}")
        self._route_error(token, self._node(token), unknown)

    def _route_error(self, token: Token, node: PlanNode, outcome: Outcome) -> None:
        if node.policy.on_error == "ignore":
            first = node.ports[0] if node.ports else "next"
            if first in node.edges:
                self._go(token, node.edges[first])
            else:
                self._end_token(token)
            return
        if node.policy.on_error == "port" and ERROR in node.edges:
            self._go(token, node.edges[ERROR])
            return
        frame = self.state.frames[token.frame]
        handler = self.machine.flow_of(frame).error
        if handler is not None and handler != node.id and frame.errors_handled < MAX_ERROR_HANDLING:
            frame.errors_handled += 1
            self._go(token, handler)
            return
        reason = outcome.failure.reason if outcome.failure else "error"
        message = outcome.failure.message if outcome.failure else ""
        if frame.parent is None:
            self._fail(reason, f"{node.name or node.id}: {message}" if message else node.name or node.id)
            return
        parent = self.state.tokens[frame.parent]
        self._drop_child(parent)
        self._outcome(parent, Outcome.error(reason, message))

    def _route_hangup(self, token: Token) -> None:
        frame = self.state.frames[token.frame]
        frame.hung = True
        handler = self.machine.flow_of(frame).hangup
        if handler is not None and not frame.hangup_handled:
            frame.hangup_handled = True
            self._go(token, handler)
            return
        self._end_token(token)

    def _end_token(self, token: Token) -> None:
        """A path ends. The last one ends its flow, unless the caller left unnoticed and the handler is still to run."""
        frame = self.state.frames[token.frame]
        sisters = [one for one in self.state.tokens.values() if one.frame == frame.id and one.id != token.id]
        if not sisters and frame.parent is None and self._left_unnoticed(frame):
            self._route_hangup(token)
            return
        self._stop_timer(token)
        del self.state.tokens[token.id]
        for group in reversed(token.groups):
            self._check_group(group)
        if not sisters:
            self._end_frame(frame)

    def _left_unnoticed(self, frame: Frame) -> bool:
        return (
            self.state.hung_up
            and not self.state.ended_by_flow
            and not frame.hung
            and self.machine.flow_of(frame).hangup is not None
        )

    def _end_frame(self, frame: Frame) -> None:
        flow = self.machine.flow_of(frame)
        outputs: dict[str, Any] = {}
        problem = ""
        for variable in flow.outputs:
            value = frame.results.get(variable.name, frame.variables.get(variable.name))
            try:
                outputs[variable.name] = coerce(value, variable.type)
            except ValueTypeError as error:
                problem = f"the output {variable.name} cannot take this value: {error}"
        if frame.parent is None:
            hung = frame.hung or (self.state.hung_up and not self.state.ended_by_flow)
            if problem:
                self._fail("bad_output", problem)
                return
            reason = frame.outcome if frame.outcome not in ("", "completed") else ""
            self._finish(
                FlowResult(
                    outcome="hangup" if hung else "completed",
                    reason=reason or (self.state.hangup_cause if hung else ""),
                    outputs=outputs,
                )
            )
            return
        parent = self.state.tokens[frame.parent]
        del self.state.frames[frame.id]
        parent.child = None
        if frame.hung:
            self._outcome(parent, Outcome(port=HANGUP, outputs=outputs))
        elif problem:
            self._outcome(parent, Outcome.error("bad_output", problem))
        else:
            self._outcome(parent, Outcome(port="next", outputs=outputs))

    # --- ending

    def _fail(self, reason: str, message: str) -> None:
        """Nothing in the flow meets this failure."""
        result = FlowResult(outcome="failed", reason=reason)
        last = self.state.trail[-1] if self.state.trail else None
        if last is not None and last.error is None:
            last.error, last.error_message = reason, message
            self.state.dirty.append(last.seq)
        if self.state.start.call is None or self.state.hung_up or self.state.ended_by_flow:
            self._finish(result)
            return
        self._close_all("failed")
        self.state.ending = result
        self._apologise(reason)

    def _apologise(self, reason: str) -> None:
        state = self.state
        flow = self.machine.plan.flows[self.machine.plan.root]
        self.commands.append(
            RunNode(
                APOLOGY_TOKEN,
                NodeTask(
                    run_id=state.start.run_id,
                    business_id=state.start.business_id,
                    flow_id=flow.id,
                    version=flow.version,
                    step=state.steps + 1,
                    attempt=1,
                    node_id=APOLOGISE,
                    node_type=APOLOGISE,
                    node_name=APOLOGISE,
                    runs=Runs.ON_CALL,
                    config={"reason": reason},
                    now=self.now,
                    call=self._call_facts(),
                    trail=self._unseen(),
                    timeout=300,
                ),
            )
        )

    def _finish(self, result: FlowResult) -> None:
        state = self.state
        root = next((frame for frame in state.frames.values() if frame.parent is None), None)
        self._close_all("stopped" if result.outcome == "stopped" else "")
        result = result.model_copy(
            update={"variables": dict(root.variables) if root is not None else {}, "steps": state.steps}
        )
        state.status, state.result, state.ending = "finished", result, None
        state.dirty.clear()
        self.commands.append(Finish(result, list(state.trail)))

    def _close_all(self, why: str) -> None:
        for step in self.state.trail:
            if step.left is None:
                step.left = self.now
                step.error = step.error or why or None
        self._drop(list(self.state.tokens.values()))
        self.ready.clear()

    def _drop(self, tokens: Iterable[Token]) -> None:
        """Take positions off the board, with what they wait for and the subflows they run."""
        for token in list(tokens):
            if self.state.tokens.pop(token.id, None) is None:
                continue
            self._stop_timer(token)
            if token.phase == "running":
                self.commands.append(CancelNode(token.id, token.step))
            record = self._record(token.step)
            if record is not None and record.left is None:
                record.left = self.now
                self.state.dirty.append(token.step)
            self._drop_child(token)

    def _drop_child(self, token: Token) -> None:
        """Leave the subflow that the token waits for."""
        if token.child is None:
            return
        child, token.child = token.child, None
        self._drop([one for one in self.state.tokens.values() if one.frame == child])
        self.state.frames.pop(child, None)

    # --- small helpers

    def _id(self) -> int:
        number = self.state.next_id
        self.state.next_id += 1
        return number

    def _place(self, token: Token) -> None:
        self.state.tokens[token.id] = token
        self.ready.append(token.id)

    def _node(self, token: Token) -> PlanNode:
        return self.machine.flow_of(self.state.frames[token.frame]).nodes[token.node]

    def _record(self, step: int) -> TrailStep | None:
        trail = self.state.trail
        index = step - trail[0].seq if trail else -1
        return trail[index] if 0 <= index < len(trail) else None

    def _enters(self, token: Token) -> bool:
        """Whether the step's record says no more than that it begins now, which the task says anyway."""
        record = self._record(token.step)
        return record is not None and record.entered == self.now and token.attempt == 1 and record.left is None

    def _unseen(self, but: int | None = None) -> list[TrailStep]:
        """The trail steps that changed since the sink last saw them; those that will change again as copies."""
        numbers = dict.fromkeys(self.state.dirty)
        if but is not None:
            numbers.pop(but, None)
        self.state.dirty.clear()
        records = [self._record(number) for number in numbers]
        return [one if one.left is not None else one.model_copy() for one in records if one is not None]

    def _variables(self, flow: PlanFlow, inputs: dict[str, Any]) -> dict[str, Any]:
        known = {variable.name for variable in flow.inputs}
        unknown = sorted(set(inputs) - known)
        if unknown:
            raise ValueTypeError(f"the flow {flow.id} has no input {', '.join(unknown)}")
        values = initial([*flow.outputs, *flow.variables], {})
        return values | initial(flow.inputs, inputs)

    def _frames_of(self, token: Token) -> list[Frame]:
        frames = [self.state.frames[token.frame]]
        while frames[-1].parent is not None:
            frames.append(self.state.frames[self.state.tokens[frames[-1].parent].frame])
        return frames

    def _shortcut_keys(self, token: Token) -> list[str]:
        keys: dict[str, None] = {}
        for frame in self._frames_of(token):
            keys.update(dict.fromkeys(self.machine.flow_of(frame).shortcuts))
        return list(keys)

    def _call_facts(self) -> CallFacts | None:
        if self.state.start.call is None:
            return None
        call = self.state.call
        facts = {name: call[name] for name in _CALL_FACTS if name in call}
        try:
            return CallFacts.model_validate(facts)
        except ValidationError:
            # A node wrote something odd into the call: the step goes on, the gateway makes what it can of it.
            return CallFacts.model_construct(**facts)

    def _rendered(self, token: Token, node: PlanNode) -> dict[str, Any]:
        """The config with its expressions replaced by values and its templates by texts."""
        if not node.templates and not node.expressions:
            return node.config
        state, frame = self.state, self.state.frames[token.frame]
        flow = self.machine.flow_of(frame)
        scope = Scope.of(
            now=self.now,
            language=str(state.call.get("language") or flow.languages[0]),
            zone=zone_of(state.start.timezone),
            call=state.call,
            customer=state.customer,
            vars=frame.variables,
            nodes=frame.outputs,
        )
        config: Any = node.config
        for path, source in strings_at(config, node.expressions):
            if source.strip():
                config = replaced(config, path, evaluate(source, scope))
        for path, source in strings_at(config, node.templates):
            if "{" in source:
                # The text of a prompt is formatted for the language that it is written in.
                own = str(path[-1]) if path[-1] in flow.languages else None
                config = replaced(config, path, render(source, scope, own))
        return dict(config)

    def _start_timer(self, token: Token, seconds: float) -> None:
        token.timer = self._id()
        token.deadline = self.now + timedelta(seconds=seconds)
        self.commands.append(StartTimer(token.timer, seconds))

    def _stop_timer(self, token: Token) -> None:
        if token.timer is not None:
            self.commands.append(CancelTimer(token.timer))
            token.timer = token.deadline = None


_OWN = {END: _Run._end, PARALLEL: _Run._fork, JOIN: _Run._join, SUBFLOW: _Run._call_subflow}


def _expression_failed(error: ExpressionError) -> Outcome:
    return Outcome.error(f"expression_{error.reason}", str(error))


def _bounded(outputs: dict[str, Any], limit: int = 4_000) -> dict[str, Any]:
    """Outputs as the trail keeps them: large ones are told by their size."""
    return {name: value if _size(value, limit) <= limit else "…" for name, value in outputs.items()}


def _size(value: Any, limit: int) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        parts: Iterable[Any] = value.values()
    elif isinstance(value, list | tuple):
        parts = value
    else:
        return 8
    total = 8
    for part in parts:
        total += _size(part, limit - total)
        if total > limit:
            break
    return total


__all__ = ["Machine", "drawn", "zone_of"]
