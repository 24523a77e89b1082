"""Temporal clients and workers of one process, and what a restart owes to the runs of its predecessor."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import Worker

from backend.runtime.lease import known_dead, own_name
from backend.runtime.orders import Orders, OrderWorkflow
from backend.settings import Settings
from flows.runner import Environment
from flows.task import PlanStore
from flows.temporal import data_converter, worker_options

log = logging.getLogger(__name__)

FLOWS_QUEUE = "flows"
RETRY_SECONDS = 0.5


def identity(settings: Settings) -> str:
    """This process in Temporal's UI and in the books of its successor."""
    return f"{settings.name}@{own_name()}"


async def connect(
    settings: Settings, plans: PlanStore, *, told: Callable[[str], None] = lambda _: None, **options: Any
) -> Client:
    """A client, as soon as Temporal answers. `options` are more of `Client.connect`."""
    while True:
        try:
            async with asyncio.timeout(5):
                return await Client.connect(
                    settings.temporal,
                    namespace=settings.temporal_namespace,
                    data_converter=data_converter(plans),
                    identity=identity(settings),
                    **options,
                )
        except (RPCError, RuntimeError, OSError, TimeoutError) as problem:
            told(str(problem) or type(problem).__name__)
            await asyncio.sleep(RETRY_SECONDS)


def make_worker(
    client: Client, queue: str, environment: Environment, settings: Settings, orders: Orders | None = None
) -> Worker:
    """A worker for workflows and all activities of one queue; with `orders` also for those to a gateway."""
    options: dict[str, Any] = worker_options(environment, max_calls=settings.max_calls)
    if orders is not None:
        options["workflows"] = [*options["workflows"], OrderWorkflow]
        options["activities"] = [*options["activities"], orders.work]
    # Without a build id the SDK makes one by reading the code of every loaded module, which takes seconds.
    build = f"callweave-{version('callweave')}"
    return Worker(client, task_queue=queue, identity=identity(settings), **{"build_id": build, **options})


class Workers:
    """The workers of a process: one for ``flows`` always, one for the gateway's queue while it owns its engine."""

    def __init__(self, settings: Settings, environment: Environment) -> None:
        self.settings = settings
        self.environment = environment
        self.running: set[str] = set()

    async def serve(
        self, client: Client, queue: str, until: Callable[[], Awaitable[object]], *, orders: Orders | None = None
    ) -> None:
        """Work on a queue until something happens; first free the runs that wait for a dead predecessor.

        With `orders` it is a gateway's queue, which has one owner: whoever worked on it before has lost it.
        """
        try:
            async with asyncio.timeout(5):
                freed = await fail_orphans(client, queue, identity(self.settings), all_others=orders is not None)
            if freed:
                log.info("%d nodes of an earlier process run again", freed)
        except (RPCError, TimeoutError) as problem:
            # They run again after their heartbeat timeout instead.
            log.warning("nodes of an earlier process cannot be found: %s", problem)
        worker = make_worker(client, queue, self.environment, self.settings, orders)
        working = asyncio.create_task(worker.run())
        ending = asyncio.ensure_future(until())
        self.running.add(queue)
        try:
            await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            self.running.discard(queue)
            ending.cancel()
            if not working.done():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(worker.shutdown()), 10)
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await asyncio.wait_for(working, 10)
            with contextlib.suppress(asyncio.CancelledError):
                await ending


async def fail_orphans(client: Client, queue: str, own: str, *, all_others: bool = False) -> int:
    """Fail the running activities whose process is dead, so that they are run again now; returns how many.

    With `all_others` those of every other process: one that stands still is not dead, but may not act any more.
    """
    failed = 0
    gate = asyncio.Semaphore(20)

    async def free(workflow_id: str, run_id: str | None) -> int:
        async with gate:
            described = await client.get_workflow_handle(workflow_id, run_id=run_id).describe()
            count = 0
            for pending in described.raw_description.pending_activities:
                holder = pending.last_worker_identity
                started = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
                if not started or holder == own:
                    continue
                if not all_others and not known_dead(holder.partition("@")[2]):
                    continue
                handle = client.get_async_activity_handle(
                    workflow_id=workflow_id, run_id=described.run_id, activity_id=pending.activity_id
                )
                try:
                    await handle.fail(ApplicationError("the process that ran this has ended", type="WorkerLost"))
                    count += 1
                except RPCError as problem:
                    log.debug("activity %s of %s: %s", pending.activity_id, workflow_id, problem)
            return count

    found = client.list_workflows(f"TaskQueue='{queue}' AND ExecutionStatus='Running'")
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(free(one.id, one.run_id)) async for one in found]
    failed += sum(task.result() for task in tasks)
    return failed
