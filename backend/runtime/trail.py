"""The trail on its way to the database: collected, and written every 200 ms in one transaction."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from backend.calls.service import finish_run, save_trail
from backend.database import Database
from flows.task import FlowResult, FlowStart, TrailStep

log = logging.getLogger(__name__)

INTERVAL = 0.2
PATIENCE = 10.0
KEPT = 20_000
"""Steps kept while the database fails; the end of each run brings its steps again."""


class BatchedTrail:
    """`flows.task.TrailSink` over the calls service.

    - `steps` returns at once; a loss of the process loses at most the last interval, which the run brings again
      with its next task or at its end
    - `finished` returns when everything is durable
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: dict[str, dict[int, TrailStep]] = {}
        self._count = 0
        self._unknown: dict[str, float] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._write())

    async def stop(self) -> None:
        """Write what waits and end."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.flush()

    async def steps(self, run_id: str, steps: Sequence[TrailStep]) -> None:
        if not steps:
            return
        if self._count > KEPT:
            log.error("the trail of run %s is delayed: the database takes no writes", run_id)
            return
        mine = self._waiting.setdefault(run_id, {})
        for step in steps:
            known = mine.get(step.seq)
            if known is None or known.left is None or step.left is not None:
                mine[step.seq] = step
                self._count += 1
        self._wake.set()

    async def finished(self, start: FlowStart, result: FlowResult, steps: Sequence[TrailStep]) -> None:
        earlier = self._waiting.pop(start.run_id, {})
        merged = {**earlier, **{step.seq: step for step in steps}}
        try:
            await finish_run(self._db, start, result, [merged[seq] for seq in sorted(merged)])
        except BaseException:
            # The activity runs again; what came before it must not be lost with this try.
            if earlier:
                self._waiting.setdefault(start.run_id, {}).update(earlier)
            raise

    async def flush(self) -> None:
        """Write what waits now."""
        batch, self._waiting, self._count = self._waiting, {}, 0
        if not batch:
            return
        try:
            unknown = await save_trail(self._db, {run: list(steps.values()) for run, steps in batch.items()})
        except (SQLAlchemyError, OSError) as problem:
            log.warning("the trail is not written, trying again: %s", problem)
            for run, steps in batch.items():
                self._waiting[run] = {**steps, **self._waiting.get(run, {})}
                self._count += len(steps)
            return
        now = time.monotonic()
        self._unknown = {run: self._unknown.get(run, now) for run in unknown}
        for run, since in self._unknown.items():
            # The record of a run and its first steps are written side by side; the record may come second.
            if now - since < PATIENCE:
                self._waiting[run] = {**batch[run], **self._waiting.get(run, {})}
            else:
                log.error("the trail of run %s is dropped: nobody has recorded this run", run)

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(INTERVAL)
            self._wake.clear()
            await self.flush()
            if self._waiting:
                self._wake.set()
