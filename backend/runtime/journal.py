"""What happens to calls and runs on its way to the database: collected for a moment, written in one transaction.

A call never waits for its record. What begins a call is written within 20 ms, for a process that dies must leave a
record of every call that it took; all else within 100 ms.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from backend.calls.facts import CallStarted, Fact, RunFinished, RunStarted, Steps, write_facts
from backend.database import Database
from flows.task import FlowResult, FlowStart, TrailStep

log = logging.getLogger(__name__)

INTERVAL = 0.1
URGENT = 0.02
BATCH = 500
PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0)
PATIENCE = 10.0
KEPT_STEPS = 20_000
"""Facts with steps kept while the database is away; the end of each run brings its steps again. Others are all kept."""


class Journal:
    """Facts in the order they were told, and `flows.task.TrailSink` over them.

    - `tell` and `steps` return at once; `written` and `finished` when everything told before is durable
    - while the database is away facts wait; one that the database refuses is logged and dropped, alone
    - steps that come before the record of their run wait for it, for `PATIENCE` seconds
    """

    def __init__(self, db: Database) -> None:
        self.on_finished: list[Callable[[FlowStart, FlowResult], None]] = []
        """Called with the id of each run whose end is on record."""
        self._db = db
        self._waiting: list[Fact] = []
        self._readers: list[asyncio.Future[None]] = []
        self._steps = 0
        self._unknown: dict[str, float] = {}
        self._told = asyncio.Event()
        self._urgent = asyncio.Event()
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._write())

    async def stop(self, seconds: float = 5.0) -> None:
        """Write what waits and end. What the database does not take within `seconds` is lost."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        until = time.monotonic() + seconds
        while True:
            if await self.flush() or time.monotonic() > until:
                break
            await asyncio.sleep(PAUSES[1])
        if self._waiting:
            log.error("%d records are lost: the database takes none", len(self._waiting))
        for reader in self._readers:
            reader.cancel()

    @property
    def waiting(self) -> int:
        """How many facts are not written yet."""
        return len(self._waiting)

    def tell(self, *facts: Fact) -> None:
        """Write facts soon, in the order they are told."""
        self._waiting.extend(facts)
        if any(isinstance(fact, CallStarted | RunStarted) for fact in facts):
            self._urgent.set()
        self._told.set()

    async def written(self, *facts: Fact) -> None:
        """Write facts; returns when they, and all that was told before, are durable."""
        self.tell(*facts)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._readers.append(done)
        await done

    # ------------------------------------------------------------------ flows.task.TrailSink

    async def steps(self, run_id: str, steps: Sequence[TrailStep]) -> None:
        if not steps:
            return
        if self._steps > KEPT_STEPS:
            log.error("the trail of run %s is delayed: the database takes no writes", run_id)
            return
        self._steps += 1
        self.tell(Steps(run_id, steps))

    async def finished(self, start: FlowStart, result: FlowResult, steps: Sequence[TrailStep]) -> None:
        await self.written(RunFinished(start, result, steps))
        for told in self.on_finished:
            told(start, result)

    # ------------------------------------------------------------------ writing

    async def flush(self) -> bool:
        """Write what waits now; False when the database is away, and everything still waits."""
        async with self._turn:
            facts, self._waiting = self._waiting, []
            readers, self._readers = self._readers, []
            done = 0
            unknown: set[str] = set()
            try:
                while done < len(facts):
                    unknown |= await self._write_batch(facts[done : done + BATCH])
                    done += BATCH
            except BaseException as problem:
                self._waiting[:0] = facts[done:]
                self._readers[:0] = [reader for reader in readers if not reader.done()]
                if not _away(problem):
                    raise
                log.warning("%d records wait: the database takes none: %s", len(self._waiting), problem)
                return False
            self._steps = sum(isinstance(fact, Steps) for fact in self._waiting)
            self._keep_unknown(facts, unknown)
            for reader in readers:
                if not reader.done():
                    reader.set_result(None)
            return True

    async def _write_batch(self, facts: Sequence[Fact]) -> set[str]:
        try:
            return await write_facts(self._db, facts)
        except Exception as problem:
            if _away(problem):
                raise
            if len(facts) == 1:
                log.exception("a record is lost: the database refuses it: %r", facts[0])
                return set()
        # One bad fact takes nothing with it.
        unknown: set[str] = set()
        for fact in facts:
            unknown |= await self._write_batch([fact])
        return unknown

    def _keep_unknown(self, facts: Sequence[Fact], unknown: set[str]) -> None:
        now = time.monotonic()
        self._unknown = {run: self._unknown.get(run, now) for run in unknown}
        late = {run for run, since in self._unknown.items() if now - since >= PATIENCE}
        for run in late:
            log.error("the trail of run %s is dropped: nobody has recorded this run", run)
            del self._unknown[run]
        kept = [fact for fact in facts if isinstance(fact, Steps) and fact.run_id in self._unknown]
        if kept:
            self._waiting[:0] = kept
            self._told.set()

    async def _write(self) -> None:
        away = 0
        while True:
            await self._told.wait()
            if not self._urgent.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._urgent.wait(), INTERVAL)
            if self._urgent.is_set():
                await asyncio.sleep(URGENT)
            self._told.clear()
            self._urgent.clear()
            if await self.flush():
                away = 0
            else:
                await asyncio.sleep(PAUSES[min(away, len(PAUSES) - 1)])
                away += 1
                self._told.set()


def _away(problem: BaseException) -> bool:
    """Whether the database cannot be reached or is busy, so that the same facts may be taken later."""
    if isinstance(problem, OSError | OperationalError | InterfaceError):
        return True
    return type(problem) is DBAPIError or (isinstance(problem, DBAPIError) and problem.connection_invalidated)
