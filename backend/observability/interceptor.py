"""Watches what Temporal's client starts and its worker executes: figures, spans, and the marks of log lines."""

import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.client import OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput
from temporalio.worker import Interceptor as WorkerInterceptor

from backend.observability import metrics
from backend.observability.logs import within
from backend.observability.tracing import Tracing
from flows.task import FlowResult, FlowStart, NodeTask
from nodes.sdk.outcome import Outcome
from nodes.sdk.registry import Registry

log = logging.getLogger(__name__)

REMEMBERED = 4096
"""Runs whose end has been counted: a workflow task that is refused ends its run again."""

StartedAt = Callable[[str], Awaitable[datetime | None]]
"""When a run began, by its id."""


class Observing(ClientInterceptor, WorkerInterceptor):
    """For `Client.connect(interceptors=[...])`; the workers of that client have it too.

    It adds nothing to histories and changes no command, so replay does not know of it.
    """

    def __init__(self, nodes: Registry, tracing: Tracing | None = None, started_at: StartedAt | None = None) -> None:
        self.nodes = nodes
        self.tracing = tracing
        self.started_at = started_at
        self._ended: OrderedDict[str, None] = OrderedDict()

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Starts(next)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Activities(next, self)

    def first_end(self, run_id: str) -> bool:
        """Whether this process has not counted the end of that run yet."""
        if run_id in self._ended:
            return False
        self._ended[run_id] = None
        if len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)
        return True


class _Starts(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        handle = await super().start_workflow(input)
        start = input.args[0] if input.args else None
        if isinstance(start, FlowStart):
            metrics.flow_started(start.kind)
        return handle


class _Activities(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, observing: Observing) -> None:
        super().__init__(next)
        self._observing = observing

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        match input.args:
            case [NodeTask() as task]:
                return await self._node(task, input)
            case [FlowStart() as start, FlowResult() as result, list() as steps]:
                call = start.call.id if start.call is not None else ""
                with within(call=call, run=start.run_id, business=start.business_id, flow=start.flow_id):
                    answer = await self.next.execute_activity(input)
                    if self._observing.first_end(start.run_id):
                        metrics.flow_finished(start, result, steps, self._observing.nodes)
                        log.info("the run has ended: %s after %d steps", result.outcome, result.steps)
                        await self._trace_end(start, result, steps)
                return answer
            case [str() as run_id, *_]:
                with within(run=run_id):
                    return await self.next.execute_activity(input)
            case _:
                return await self.next.execute_activity(input)

    async def _node(self, task: NodeTask, input: ExecuteActivityInput) -> Any:
        tracing = self._observing.tracing
        metrics.node_began(task, activity.info().attempt)
        outcome: Outcome | None = None
        began = time.perf_counter()
        with within(
            call=task.call.id if task.call is not None else "",
            run=task.run_id,
            business=task.business_id,
            flow=task.flow_id,
            node=task.node_id,
            step=str(task.step),
        ):
            try:
                if tracing is None:
                    outcome = await self.next.execute_activity(input)
                else:
                    with tracing.node(task) as span:
                        outcome = await self.next.execute_activity(input)
                        if outcome is not None:
                            tracing.node_ended(span, outcome)
                return outcome
            finally:
                seconds = time.perf_counter() - began
                metrics.node_ended(task, outcome, seconds)
                if log.isEnabledFor(logging.DEBUG):
                    port = outcome.port if outcome is not None else "no port"
                    log.debug("%s left by %s after %.3f s", task.node_type, port, seconds)

    async def _trace_end(self, start: FlowStart, result: FlowResult, steps: list[Any]) -> None:
        tracing, asked = self._observing.tracing, self._observing.started_at
        if tracing is None:
            return
        began = None
        if asked is not None:
            with contextlib.suppress(Exception):
                began = await asked(start.run_id)
        tracing.flow(start, result, steps, self._observing.nodes, began, datetime.now(UTC))
