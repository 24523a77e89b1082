"""Events of other processes: the outbox is read without gaps, and on PostgreSQL NOTIFY wakes the reader.

On SQLite other processes are the command line and scripts, a few changes a day: the outbox is looked at every second.
Its writers take turns, so ``seq`` is the order of commits, and the last number seen is a mark that nothing can pass.

On PostgreSQL a transaction that began earlier may commit later, so neither ``seq`` nor time tells what is still to
come; only PostgreSQL's own snapshot does. Everything written by transactions below the oldest one still running is
settled. So the reader keeps that mark (``xmin``) and asks for all rows from there on, and remembers which of them it
has given.
(PostgreSQL's manual, "System Information Functions: Transaction ID and Snapshot Information".)
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NoReturn

import asyncpg
from sqlalchemy import delete, func, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from backend.database import AsyncSession, Database, read, utcnow, write
from backend.events import Event, EventBus, EventRow

log = logging.getLogger(__name__)

CHANNEL = "callweave_events"
POLL = 2.0
"""Seconds between looks when nobody wakes us: a word may be lost with a connection, and scripts send none."""
POLL_SQLITE = 1.0
"""The same on SQLite, where nothing wakes."""
PAUSE = 2.0
"""Seconds until a broken connection is opened again."""
KEEP_PASSING = 120.0
"""Seconds after which events that were only on their way are deleted."""
_TOGETHER = 0.01
"""Words to others are put together for so long."""

_MARK = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


class Reader:
    """Finds the events that other processes have committed since the last look, each exactly once."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._from: int | None = None
        self._given: set[str] = set()

    async def begin(self) -> None:
        """From now on; what is being written at this moment belongs to it."""
        async with read(self._db) as session:
            self._from = int((await session.execute(_MARK)).scalar_one())

    async def look(self) -> list[Event]:
        """What is new, in the order of writing."""
        if self._from is None:
            await self.begin()
        async with read(self._db) as session:
            # Taken before the rows are read: what it calls settled is then visible.
            mark = int((await session.execute(_MARK)).scalar_one())
            found = await session.exec(
                select(EventRow)
                .where(col(EventRow.tx) >= self._from, col(EventRow.origin) != self._db.origin)
                .order_by(col(EventRow.seq))
            )
            rows = found.all()
        fresh = [row for row in rows if row.id not in self._given]
        self._from = mark
        self._given = {row.id for row in rows if row.tx is not None and row.tx >= mark}
        return [Event(row.business_id, row.topic, row.subject, dict(row.data), row.at, row.id) for row in fresh]


class SqliteReader:
    """As `Reader` on SQLite, by the row's number alone."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._from: int | None = None

    async def begin(self) -> None:
        """From now on."""
        async with read(self._db) as session:
            self._from = await self._newest(session)

    async def look(self) -> list[Event]:
        """What is new, in the order of writing."""
        if self._from is None:
            await self.begin()
        async with read(self._db) as session:
            newest = await self._newest(session)
            if newest == self._from:
                return []
            found = await session.exec(
                select(EventRow)
                .where(col(EventRow.seq) > self._from, col(EventRow.seq) <= newest, EventRow.origin != self._db.origin)
                .order_by(col(EventRow.seq))
            )
            rows = found.all()
        self._from = newest
        return [Event(row.business_id, row.topic, row.subject, dict(row.data), row.at, row.id) for row in rows]

    @staticmethod
    async def _newest(session: AsyncSession) -> int:
        return (await session.exec(select(func.max(EventRow.seq)))).one() or 0


class Outbox:
    """Feeds the bus of this process with what others write, and tells others of what it writes itself."""

    def __init__(self, db: Database, bus: EventBus) -> None:
        self._db = db
        self._bus = bus
        self._reader: Reader | SqliteReader = SqliteReader(db) if db.sqlite else Reader(db)
        self._poll = POLL_SQLITE if db.sqlite else POLL
        self._wake = asyncio.Event()
        self._told = asyncio.Event()
        db.listeners.append(self._written)

    def _written(self, _: Sequence[Any]) -> None:
        self._told.set()

    async def run(self) -> None:
        """Until cancelled. A database that is away is asked again."""
        if self._db.sqlite:
            await self._follow()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._follow())
            group.create_task(self._forget())

    async def _follow(self) -> NoReturn:
        while True:
            try:
                self._wake.clear()
                events = await self._reader.look()
            except (SQLAlchemyError, OSError) as problem:
                log.warning("events of other processes cannot be read: %s", problem)
                await asyncio.sleep(self._poll)
                continue
            if events:
                self._bus.publish(events)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._poll)

    async def _listen(self) -> None:
        """One connection that hears and says words; opened again when it breaks."""
        url = self._db.url.set(drivername="postgresql")
        while True:
            try:
                connection = await asyncpg.connect(url.render_as_string(hide_password=False), timeout=10)
                await self._attend(connection)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as problem:
                log.warning("PostgreSQL cannot wake this process: %s", problem)
                await asyncio.sleep(PAUSE)

    async def _attend(self, connection: "asyncpg.Connection[Any]") -> None:
        """Hear and speak until the connection is gone."""
        gone = asyncio.Event()
        connection.add_termination_listener(lambda _: gone.set())
        speaking = asyncio.create_task(self._speak(connection))
        ending = asyncio.create_task(gone.wait())
        try:
            await connection.add_listener(CHANNEL, self._heard)
            self._wake.set()
            await asyncio.wait({speaking, ending}, return_when=asyncio.FIRST_COMPLETED)
            if speaking.done():
                speaking.result()
        finally:
            speaking.cancel()
            ending.cancel()
            connection.terminate()

    async def _speak(self, connection: "asyncpg.Connection[Any]") -> None:
        while True:
            await self._told.wait()
            await asyncio.sleep(_TOGETHER)
            self._told.clear()
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, self._db.origin, timeout=10)

    def _heard(self, _connection: object, _pid: int, _channel: str, origin: object) -> None:
        if origin != self._db.origin:
            self._wake.set()

    async def _forget(self) -> None:
        """Delete what was only on its way."""
        while True:
            await asyncio.sleep(KEEP_PASSING / 2)
            old = utcnow() - timedelta(seconds=KEEP_PASSING)
            try:
                async with write(self._db) as session:
                    await session.execute(delete(EventRow).where(col(EventRow.passing), col(EventRow.at) < old))
            except (SQLAlchemyError, OSError) as problem:
                log.warning("old events cannot be deleted: %s", problem)
