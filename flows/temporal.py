"""Everything a process needs to run flows on Temporal, in five lines::

    client = await Client.connect(address, data_converter=data_converter(plan_store))
    async with Worker(client, task_queue="flows", **worker_options(env)):
        handle = await start_flow(client, start, task_queue="flows")
        result = await handle.result()

The plan of a run travels by content hash: histories hold 64 characters, whatever the size of the flow. The payload
converter hands the cached object to the workflow, so that it is neither fetched nor decoded again for the next run.
The first run of a process waits in its workflow thread while the process's own loop fetches the plan from the store. A
payload codec could do that too, but the SDK would take every payload of every step through it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock, get_ident
from typing import Any, ClassVar

from google.protobuf.message import Message
from pydantic import TypeAdapter
from pydantic_core import to_json
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RawValue, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.converter import DataConverter, DefaultPayloadConverter, PayloadConverter
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.worker import UnsandboxedWorkflowRunner

from flows import search_attributes as attributes
from flows.plan import Plan, plan_from_bytes
from flows.runner import APOLOGISE, Environment, run_task
from flows.task import FlowResult, FlowStart, NodeTask, PlanStore, TrailStep
from flows.workflow import ENGINE, FINISH, TRAIL, Flow, PlanRef, use_registry
from nodes.sdk.node import Runs
from nodes.sdk.outcome import Outcome

HEARTBEAT_SECONDS = 10.0
PLAN_ENCODING = "callweave/plan"
CACHED_PLANS = 256
LOAD_SECONDS = 1.5
"""How long a workflow waits for its plan: less than the two seconds after which the SDK takes it for hung."""


class PlanCache:
    """Plans by hash, the least recently used dropped first. Shared by every worker of the process."""

    def __init__(self, size: int = CACHED_PLANS) -> None:
        self._plans: OrderedDict[str, Plan] = OrderedDict()
        self._size = size
        self._lock = Lock()

    def get(self, plan_hash: str) -> Plan | None:
        with self._lock:
            plan = self._plans.get(plan_hash)
            if plan is not None:
                self._plans.move_to_end(plan_hash)
            return plan

    def put(self, plan_hash: str, plan: Plan) -> None:
        with self._lock:
            self._plans[plan_hash] = plan
            self._plans.move_to_end(plan_hash)
            while len(self._plans) > self._size:
                self._plans.popitem(last=False)


plans = PlanCache()


_JSON = b"json/plain"
_JSON_METADATA = {"encoding": _JSON}
_NULL = b"binary/null"
_PLAN = PLAN_ENCODING.encode()
_COMPACT = (NodeTask, Outcome, TrailStep)
"""Models whose payloads leave out what is at its default: histories hold one for each step of each run, and these
defaults all say "nothing". Others are written in full, so that a default may change while runs are alive."""

_OTHERS = DefaultPayloadConverter()
_steps: TypeAdapter[list[TrailStep]] = TypeAdapter(list[TrailStep])
_adapters: dict[Any, Callable[[bytes], Any]] = {}


def _reader(type_hint: Any) -> Callable[[bytes], Any]:
    """Reads JSON as that type. Made once for each type, as making one takes longer than hundreds of uses."""
    if type_hint is None:
        type_hint = Any
    try:
        return _adapters[type_hint]
    except KeyError:
        return _adapters.setdefault(type_hint, TypeAdapter(type_hint).validate_json)
    except TypeError:
        # Not hashable, so nothing of ours.
        return TypeAdapter(type_hint).validate_json


def _json(data: bytes) -> Payload:
    return Payload(metadata=_JSON_METADATA, data=data)


def _plan(value: Plan) -> Payload:
    plans.put(value.hash, value)
    return Payload(metadata={"encoding": _PLAN}, data=value.hash.encode())


def _list(value: list[Any]) -> Payload:
    if value and type(value[0]) is TrailStep:
        return _json(_steps.dump_json(value, exclude_defaults=True))
    return _json(to_json(value))


_WRITERS: dict[type, Callable[[Any], Payload]] = {
    type(None): lambda value: Payload(metadata={"encoding": _NULL}),
    Plan: _plan,
    PlanRef: lambda value: Payload(metadata={"encoding": _PLAN}, data=value.hash.encode()),
    list: _list,
    **{
        model: lambda value: _json(value.__pydantic_serializer__.to_json(value, exclude_defaults=True))
        for model in _COMPACT
    },
}


def _writer(kind: type) -> Callable[[Any], Payload]:
    """How values of that type are written: found once, as asking abstract classes costs more than writing."""
    found: Callable[[Any], Payload] = (
        _OTHERS.to_payload if issubclass(kind, RawValue | bytes | Message) else lambda value: _json(to_json(value))
    )
    return _WRITERS.setdefault(kind, found)


class FlowPayloadConverter(PayloadConverter):
    """Temporal's default formats with pydantic for JSON and hashes for plans.

    Plans and references to plans become their hash; the hash becomes the cached plan. The SDK makes several of these
    for every activation and asks composite ones for a copy for each payload, which is why this one is small.
    """

    store: ClassVar[PlanStore | None] = None

    def __init__(self) -> None:
        # The SDK makes the converters of a workflow in its worker's loop and uses them in a thread.
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._thread = get_ident()

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        return [(_WRITERS.get(type(value)) or _writer(type(value)))(value) for value in values]

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        hints = type_hints or []
        return [
            self._from_payload(payload, hints[index] if index < len(hints) else None)
            for index, payload in enumerate(payloads)
        ]

    def _from_payload(self, payload: Payload, type_hint: Any) -> Any:
        if type_hint is RawValue:
            return RawValue(payload)
        encoding = payload.metadata.get("encoding", b"")
        if encoding == _JSON:
            return _reader(type_hint)(payload.data)
        if encoding == _NULL:
            return None
        if encoding == _PLAN:
            plan_hash = payload.data.decode()
            return PlanRef(hash=plan_hash) if type_hint is PlanRef else self._plan_of(plan_hash)
        return _OTHERS.from_payloads([payload], [type_hint] if type_hint is not None else None)[0]

    def _plan_of(self, plan_hash: str) -> Plan:
        plan = plans.get(plan_hash)
        if plan is not None:
            return plan
        if self.store is None or self._loop is None or self._thread == get_ident():
            raise RuntimeError(
                f"the plan {plan_hash} is not loaded: was the client made with flows.temporal.data_converter? "
                "Outside of workflows await flows.temporal.load_plan"
            )
        loading = asyncio.run_coroutine_threadsafe(load_plan(self.store, plan_hash), self._loop)
        try:
            return loading.result(LOAD_SECONDS)
        except TimeoutError:
            loading.cancel()
            raise RuntimeError(
                f"the plan {plan_hash} was not loaded within {LOAD_SECONDS} s; the task is tried again"
            ) from None


async def load_plan(store: PlanStore, plan_hash: str) -> Plan:
    """The plan of that hash from the cache or the store. Raises KeyError when the store has none."""
    plan = plans.get(plan_hash)
    if plan is None:
        plan = plan_from_bytes(await store.load(plan_hash))
        plans.put(plan_hash, plan)
    return plan


def data_converter(store: PlanStore) -> DataConverter:
    """The data converter of every client and replayer that touches flows."""

    class StoredPlans(FlowPayloadConverter):
        pass

    StoredPlans.store = store
    return replace(DataConverter.default, payload_converter_class=StoredPlans)


@dataclass(slots=True)
class _Heart:
    """Tells Temporal every few seconds that a regular activity lives."""

    timer: asyncio.TimerHandle | None = None

    def beat(self) -> None:
        activity.heartbeat()
        self.start()

    def start(self) -> None:
        self.timer = asyncio.get_running_loop().call_later(HEARTBEAT_SECONDS, self.beat)

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()


def activities(env: Environment) -> list[Callable[..., Any]]:
    """One activity for each node type, named by it, and the engine's own.

    A task whose type this process does not know gets the ``unknown_node`` outcome, so that the run follows its
    error port and nobody waits for a worker that will never come.
    """

    async def execute(task: NodeTask) -> Outcome:
        if activity.info().is_local:
            return await run_task(task, env)
        heart = _Heart()
        heart.start()
        try:
            return await run_task(task, env)
        finally:
            heart.stop()

    def named(name: str) -> Callable[..., Any]:
        @activity.defn(name=name)
        async def node_activity(task: NodeTask) -> Outcome:
            return await execute(task)

        return node_activity

    @activity.defn(dynamic=True)
    async def any_other(args: Sequence[RawValue]) -> Outcome:
        return await execute(activity.payload_converter().from_payload(args[0].payload, NodeTask))

    @activity.defn(name=FINISH)
    async def finish(start: FlowStart, result: FlowResult, steps: list[TrailStep]) -> None:
        await env.trail.finished(start, result, steps)

    @activity.defn(name=TRAIL)
    async def trail(run_id: str, steps: list[TrailStep]) -> None:
        await env.trail.steps(run_id, steps)

    types = {node.meta.type for node in env.registry.all() if node.meta.runs is not Runs.IN_WORKFLOW}
    return [*(named(name) for name in sorted(types | {APOLOGISE})), finish, trail, any_other]


def worker_options(env: Environment, *, max_calls: int = 1000) -> dict[str, Any]:
    """Keyword arguments of `temporalio.worker.Worker` besides the client and the task queue.

    Workflows run without Temporal's sandbox: the workflow holds nothing but the machine, which is deterministic by
    construction and proved by replay tests, and the sandbox would cost tens of milliseconds at a call's first step.
    """
    use_registry(env.registry)
    return {
        "workflows": [Flow],
        "activities": activities(env),
        "workflow_runner": UnsandboxedWorkflowRunner(),
        "max_cached_workflows": max(2 * max_calls, 1000),
        "max_concurrent_activities": max(2 * max_calls, 200),
        "max_concurrent_local_activities": max(2 * max_calls, 200),
        "max_concurrent_workflow_tasks": 200,
        "max_heartbeat_throttle_interval": timedelta(seconds=HEARTBEAT_SECONDS),
        # A run whose worker died goes to another one after a second instead of ten.
        "sticky_queue_schedule_to_start_timeout": timedelta(seconds=1),
        "graceful_shutdown_timeout": timedelta(seconds=2),
    }


async def start_flow(
    client: Client,
    start: FlowStart,
    *,
    task_queue: str,
    workflow_id: str | None = None,
    eager: bool = False,
    search_attributes: bool = False,
) -> WorkflowHandle[Flow, FlowResult]:
    """Start a run, once: a second start with the same id returns the first one's handle.

    ``eager``              the first workflow task comes back with the answer; the client's own process must have a
                           worker on that queue
    ``search_attributes``  needs a server that knows the names of `flows.search_attributes`
    """
    name = workflow_id or start.run_id
    found: TypedSearchAttributes = attributes.of_start(start) if search_attributes else TypedSearchAttributes.empty
    try:
        return await client.start_workflow(
            Flow.run,
            args=[start.model_copy(update={"engine": ENGINE}), PlanRef(hash=start.plan), None],
            id=name,
            task_queue=task_queue,
            search_attributes=found,
            request_eager_start=eager,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
    except WorkflowAlreadyStartedError:
        return client.get_workflow_handle(name, result_type=FlowResult)
