"""What happens by itself: reminders, deadlines, rules that start flows, ends that flows wait for, copies, tidying.

Every act is idempotent and looks for what is due in the database, so that a process that dies is followed by another.
Of a cluster's workers one at a time makes a round.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from backend.callbacks import service as rules
from backend.callbacks.models import EventMark
from backend.calls.models import Call, Leg, Run
from backend.database import Database, alone, read, utcnow, write
from backend.events import EventRow
from backend.recordings import copies
from backend.recordings import service as recordings
from backend.runtime.services import CALLED_BY
from backend.runtime.worker import FLOWS_QUEUE
from backend.security import SecretBox
from backend.settings import Settings
from backend.tasks import service as tasks
from flows.task import FlowStart
from flows.temporal import start_flow

log = logging.getLogger(__name__)

ROUND = 1.0
TIDY_EVERY = 3600.0
COPY_EVERY = 5.0
PATIENCE = 5.0
TOLD_KEPT = 10_000
LOOK_BACK = timedelta(minutes=10)
OVERLAP = timedelta(seconds=30)
MARK_EVERY = 10.0
READER = "ended-calls"


class Keeper:
    """Makes rounds until cancelled."""

    def __init__(self, settings: Settings, db: Database, box: SecretBox, client: Callable[[], Client | None]) -> None:
        self._settings = settings
        self._db = db
        self._box = box
        self._client = client
        self._due: dict[str, float] = {}
        self._told: OrderedDict[str, None] = OrderedDict()
        self._seen: set[int] = set()
        self._heard_until: datetime | None = None

    async def run(self) -> None:
        """Rounds, for the life of the process. A round that fails is told and made again."""
        while True:
            await asyncio.sleep(ROUND)
            async with alone(self._db, "keeper"):
                for work in (self._tasks, self._rules, self._tell_tasks, self._calls, self._copies, self._tidy):
                    await self._attempt(work)

    async def _attempt(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except (SQLAlchemyError, OSError, RPCError, TimeoutError) as problem:
            log.warning("%s will be tried again: %s", getattr(work, "__name__", "work").strip("_"), problem)

    def _is_due(self, name: str, seconds: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(name, 0.0):
            return False
        self._due[name] = now + seconds
        return True

    async def _tasks(self) -> None:
        await tasks.expire(self._db)
        await tasks.remind(self._db)

    async def _rules(self) -> None:
        await rules.read_events(self._db, seen=self._seen)
        client = self._client()
        if client is None:
            return

        async def start(flow: FlowStart) -> None:
            async with asyncio.timeout(PATIENCE):
                await start_flow(client, flow, task_queue=FLOWS_QUEUE, search_attributes=True)

        await rules.start_waiting(self._db, start)

    async def _tell_tasks(self) -> None:
        """Tell flows of the tasks that are over."""
        for row in await tasks.untold(self._db):
            assert row.run_id is not None
            if await self._signal(row.run_id, f"task.{row.id}", tasks.news_of(row)):
                await tasks.told(self._db, row.id)

    async def _calls(self) -> None:
        """Tell flows of the calls they placed, and the recordings of every call that is over how it ended."""
        async with read(self._db) as session:
            if self._heard_until is None:
                mark = await session.get(EventMark, READER)
                self._heard_until = mark.at if mark is not None else utcnow() - LOOK_BACK
            begin = self._heard_until - OVERLAP
            found = await session.exec(
                select(EventRow)
                .where(EventRow.at >= begin, EventRow.topic == "call.ended", col(EventRow.passing).is_(False))
                .order_by(col(EventRow.at))
                .limit(2000)
            )
            ended = list(found)
        reached = ended[-1].at if ended else self._heard_until
        for event in ended:
            if event.subject in self._told:
                continue
            if event.subject.startswith(CALLED_BY) and not await self._tell_call(event.subject):
                # Its run is not over yet, or Temporal is away.
                reached = min(reached, event.at)
                continue
            await recordings.describe_call(self._db, event.subject)
            self._told[event.subject] = None
            while len(self._told) > TOLD_KEPT:
                self._told.popitem(last=False)
        self._heard_until = max(self._heard_until, reached)
        if ended and self._is_due("mark", MARK_EVERY):
            async with write(self._db) as session:
                await session.merge(EventMark(name=READER, at=self._heard_until))

    async def _tell_call(self, call_id: str) -> bool:
        news = await result_of(self._db, call_id)
        if news is None:
            return False
        run_id = call_id.removeprefix(CALLED_BY).rsplit("-", 2)[0]
        return await self._signal(run_id, f"call.{call_id}", news)

    async def _signal(self, run_id: str, name: str, data: dict[str, Any]) -> bool:
        """Whether the run knows, or is over and need not know any more."""
        client = self._client()
        if client is None:
            return False
        try:
            async with asyncio.timeout(PATIENCE):
                await client.get_workflow_handle(run_id).signal("signal", args=[name, data])
        except RPCError as problem:
            if problem.status != RPCStatusCode.NOT_FOUND:
                raise
        return True

    async def _copies(self) -> None:
        if self._is_due("copies", COPY_EVERY):
            await copies.copy_waiting(self._db, self._settings.recordings, self._box)

    async def _tidy(self) -> None:
        if self._is_due("tidy", TIDY_EVERY):
            deleted = await recordings.tidy(self._db, self._settings.recordings, self._box)
            if deleted:
                log.info("%d recordings and messages were deleted by the rules of keeping", deleted)


async def result_of(db: Database, call_id: str) -> dict[str, Any] | None:
    """What a placed call came to, as its flow is told; None while a flow on it still runs."""
    async with read(db) as session:
        call = await session.get(Call, call_id)
        if call is None:
            return {"result": "failed", "seconds": 0.0, "outcome": "unknown"}
        run = await session.get(Run, call.run_id or f"call-{call_id}")
        if run is not None and run.state == "running":
            return None
        other = await session.get(Leg, f"{call_id}-other")
    if call.answered_at is None:
        result = {"busy": "busy", "rejected": "busy", "no_answer": "no_answer", "cancelled": "no_answer"}
        return {"result": result.get(call.cause, "failed"), "seconds": 0.0, "outcome": call.cause}
    seconds = ((call.ended_at or call.answered_at) - call.answered_at).total_seconds()
    if run is not None:
        outcome = run.state
    else:
        outcome = "connected" if other is not None and other.answered_at is not None else "not_connected"
    return {"result": "answered", "seconds": round(seconds, 1), "outcome": outcome}
