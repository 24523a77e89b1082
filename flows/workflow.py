"""The Temporal workflow ``Flow``: one type interprets every kind of flow.

It drives the machine: commands become activities and timers, their results events. It looks nothing up and decides
nothing, so that a change of the product rarely changes its history. One that does is guarded by
``workflow.patched("<yyyy-mm>-<what>")``, or by `ENGINE` when every call would pay for the patch's marker, with the old
path kept until no run from before it is alive; histories saved under ``flows/fixtures/histories`` keep the replay test
honest.
"""

import asyncio
from collections import deque
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, CancelledError, TimeoutError, TimeoutType

from flows import search_attributes as attributes
from flows.machine import Machine
from flows.plan import Plan
from flows.runner import LIMITS
from flows.state import (
    CancelNode,
    CancelTimer,
    Command,
    Event,
    Finish,
    HungUp,
    NodeDone,
    RunNode,
    SignalReceived,
    StartTimer,
    State,
    Stop,
    TimerFired,
    WriteTrail,
)
from flows.task import FlowResult, FlowStart, NodeTask, TrailStep
from nodes.sdk.node import Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.registry import Registry, registry

FINISH = "flow.finish"
TRAIL = "flow.trail"

ENGINE = 2
"""The rules that new runs begin with; a run keeps its own.

1  the end of a run is a regular activity
2  it is a local one, which saves a workflow task, unless a node ran as a local activity in the same task: a task that
   closes a run is refused when a signal arrives meanwhile (the hang-up, often enough) and runs again with its local
   activities, of which the end repeats nothing, but a node might
"""

HEARTBEAT_TIMEOUT = timedelta(seconds=30)
GATEWAY_TIMEOUT = timedelta(seconds=10)
SLACK = 10.0
"""Seconds beyond a node's own limit before Temporal gives an execution up: the runner's limit comes first."""

INFRASTRUCTURE = RetryPolicy(
    initial_interval=timedelta(seconds=0.2), backoff_coefficient=2, maximum_interval=timedelta(seconds=5)
)
"""A lost worker or database: the same step and attempt runs again, the ledger keeps its effect single."""


class PlanRef(BaseModel):
    """A plan by its content hash: what starters pass; the workflow receives the plan itself."""

    model_config = ConfigDict(frozen=True)

    hash: str


class RunView(BaseModel):
    """The answer to the query ``state``: where a run stands, for people and screens."""

    status: str
    positions: list[str]
    steps: int
    call: dict[str, Any]
    customer: dict[str, Any]
    variables: dict[str, Any]
    hung_up: bool
    result: FlowResult | None


_registry: Registry | None = None
_machines: dict[str, Machine] = {}
_MACHINES_KEPT = 256


def use_registry(nodes: Registry) -> None:
    """Interpret IN_WORKFLOW nodes with this registry. A worker calls it once before it polls."""
    global _registry
    if nodes is not _registry:
        _registry = nodes
        _machines.clear()


def _machine(plan_hash: str, plan: Plan) -> Machine:
    """One machine a plan and process: it keeps validated configs."""
    machine = _machines.get(plan_hash)
    if machine is None:
        if len(_machines) >= _MACHINES_KEPT:
            _machines.pop(next(iter(_machines)))
        machine = _machines[plan_hash] = Machine(plan, _registry if _registry is not None else registry())
    return machine


@workflow.defn(name="Flow")
class Flow:
    """Interprets a plan. Started with (start, plan, None), or with a state when it continues as new."""

    @workflow.init
    def __init__(self, start: FlowStart, plan: Plan, state: State | None = None) -> None:
        self._start = start
        self._plan = plan
        self._machine = _machine(start.plan, plan)
        self._state = state
        self._events: deque[Event] = deque()
        self._nodes: dict[tuple[int, int], workflow.ActivityHandle[Outcome]] = {}
        self._timers: dict[int, asyncio.Task[None]] = {}
        self._writes = 0
        self._local_at = -1
        self._sleeper: asyncio.Future[None] | None = None

    # --- doors

    @workflow.signal
    def hangup(self, cause: str) -> None:
        """The call is over."""
        self._take(HungUp(cause, workflow.now()))

    @workflow.signal
    def signal(self, name: str, data: dict[str, Any]) -> None:
        """Something that a node waits for has happened."""
        self._take(SignalReceived(name, data, workflow.now()))

    @workflow.signal
    def stop(self, reason: str) -> None:
        """A person ends the run."""
        self._take(Stop(reason, workflow.now()))

    @workflow.query
    def state(self) -> RunView:
        """Where the run stands."""
        state = self._state
        if state is None:
            return RunView(
                status="starting",
                positions=[],
                steps=0,
                call=self._start.call.model_dump() if self._start.call else {},
                customer={},
                variables=self._start.inputs,
                hung_up=False,
                result=None,
            )
        root = next((frame for frame in state.frames.values() if frame.parent is None), None)
        return RunView(
            status=state.status,
            positions=state.positions,
            steps=state.steps,
            call=state.call,
            customer=state.customer,
            variables=root.variables if root is not None else {},
            hung_up=state.hung_up,
            result=state.result,
        )

    @workflow.query
    def trail(self) -> list[TrailStep]:
        """The path so far."""
        return self._state.trail if self._state is not None else []

    # --- the run

    def _take(self, event: Event) -> None:
        """An event for the machine; it wakes the run."""
        self._events.append(event)
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    @workflow.run
    async def run(self, start: FlowStart, plan: Plan, state: State | None = None) -> FlowResult:
        """Interpret the plan to its end."""
        if self._state is None:
            self._state, commands = self._machine.start(start, workflow.now())
        else:
            commands = self._machine.resume(self._state, workflow.now())
        try:
            finish = await self._drive(self._state, commands)
        except asyncio.CancelledError:
            # Temporal's own cancellation is a stop like any other: the record is completed all the same.
            _, commands = self._machine.step(self._state, Stop("cancelled", workflow.now()))
            ended = self._carry_out(commands)
            assert ended is not None
            finish = ended
        await self._finish(finish)
        return finish.result

    async def _drive(self, state: State, commands: list[Command]) -> Finish:
        events = self._events
        while True:
            if self._may_continue_as_new():
                # A task that closes a run is refused when a signal came meanwhile, and its local activities would run
                # again: the timer makes sure that they are on record before.
                await asyncio.sleep(0.001)
                if self._may_continue_as_new():
                    workflow.continue_as_new(args=[self._start, PlanRef(hash=self._start.plan), state])
            finish = self._carry_out(commands)
            if finish is not None:
                return finish
            if not events:
                # Not `wait_condition`, which costs an evaluation at every turn of the loop.
                self._sleeper = asyncio.get_running_loop().create_future()
                await self._sleeper
            _, commands = self._machine.step(state, events.popleft())

    def _may_continue_as_new(self) -> bool:
        """Between a step and its commands: nothing runs, nothing is left unread."""
        if self._events or self._nodes or self._writes:
            return False
        info, limit = workflow.info(), self._start.history_limit
        if info.get_current_history_length() < limit if limit else not info.is_continue_as_new_suggested():
            return False
        return self._state is not None and self._state.status != "finished" and workflow.all_handlers_finished()

    def _carry_out(self, commands: list[Command]) -> Finish | None:
        for command in commands:
            match command:
                case RunNode():
                    self._run_node(command)
                case CancelNode():
                    handle = self._nodes.pop((command.token, command.step), None)
                    if handle is not None:
                        handle.cancel()
                case StartTimer():
                    self._timers[command.timer] = asyncio.create_task(self._sleep(command))
                case CancelTimer():
                    timer = self._timers.pop(command.timer, None)
                    if timer is not None:
                        timer.cancel()
                case WriteTrail():
                    self._write_trail(command)
                case Finish():
                    return command
        return None

    async def _sleep(self, command: StartTimer) -> None:
        await asyncio.sleep(command.seconds)
        self._timers.pop(command.timer, None)
        self._take(TimerFired(command.timer, workflow.now()))

    # --- activities

    def _run_node(self, command: RunNode) -> None:
        task = command.task
        limit = timedelta(seconds=(task.timeout or LIMITS[task.runs]) + SLACK)
        handle: workflow.ActivityHandle[Outcome]
        if task.runs in (Runs.QUICK, Runs.CALL_SHORT):
            self._local_at = workflow.info().get_current_history_length()
            handle = workflow.start_local_activity(
                task.node_type,
                task,
                result_type=Outcome,
                start_to_close_timeout=limit,
                retry_policy=INFRASTRUCTURE,
                summary=task.node_name or None,
            )
        else:
            handle = workflow.start_activity(
                task.node_type,
                task,
                result_type=Outcome,
                start_to_close_timeout=limit,
                schedule_to_start_timeout=GATEWAY_TIMEOUT if task.runs is Runs.ON_CALL else None,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=INFRASTRUCTURE,
                cancellation_type=workflow.ActivityCancellationType.TRY_CANCEL,
                summary=task.node_name or None,
            )
        key = (command.token, task.step)
        self._nodes[key] = handle

        def done(finished: "asyncio.Task[Outcome]") -> None:
            if self._nodes.get(key) is not handle:
                # Nobody waits for it any more; its failure, if any, is nobody's either.
                if not finished.cancelled():
                    finished.exception()
                return
            del self._nodes[key]
            self._take(NodeDone(command.token, task.step, task.attempt, _outcome_of(finished, task), workflow.now()))

        handle.add_done_callback(done)

    def _write_trail(self, command: WriteTrail) -> None:
        handle = workflow.start_local_activity(
            TRAIL,
            args=[self._start.run_id, command.steps],
            start_to_close_timeout=timedelta(seconds=10),
            # The steps are written again at the end: a sink that is away holds nothing up.
            retry_policy=RetryPolicy(maximum_attempts=3),
        )
        self._writes += 1

        def written(finished: "asyncio.Task[Any]") -> None:
            self._writes -= 1
            if not finished.cancelled():
                finished.exception()

        handle.add_done_callback(written)

    async def _finish(self, finish: Finish) -> None:
        for handle in self._nodes.values():
            handle.cancel()
        self._nodes.clear()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if workflow.info().typed_search_attributes.get(attributes.FLOW) is not None:
            workflow.upsert_search_attributes([attributes.OUTCOME.value_set(finish.result.outcome)])
        args = [self._start, finish.result, finish.steps]
        limit = timedelta(seconds=30)
        if self._start.engine >= 2 and self._local_at != workflow.info().get_current_history_length():
            await workflow.execute_local_activity(
                FINISH, args=args, start_to_close_timeout=limit, retry_policy=INFRASTRUCTURE
            )
        else:
            await workflow.execute_activity(
                FINISH, args=args, start_to_close_timeout=limit, retry_policy=INFRASTRUCTURE
            )


def _outcome_of(finished: "asyncio.Task[Outcome]", task: NodeTask) -> Outcome:
    """What an activity came to. Failures of the infrastructure that Temporal gave up on become error outcomes."""
    if finished.cancelled():
        return Outcome.error("cancelled", "the execution was cancelled from outside")
    failure = finished.exception()
    if failure is None:
        return finished.result()
    cause = failure.cause if isinstance(failure, ActivityError) else failure
    if isinstance(cause, TimeoutError):
        if cause.type is TimeoutType.SCHEDULE_TO_START:
            return Outcome.error("gateway_lost", "the gateway that owns the call did not take the step within 10 s")
        return Outcome.error("timeout", f"the step {task.node_id} did not end in time")
    if isinstance(cause, CancelledError):
        return Outcome.error("cancelled", "the execution was cancelled from outside")
    return Outcome.error("internal", str(cause or failure)[:2000])
