"""The database: engine, sessions, column types, and the two ways in.

``async with read(db) as session`` sees one consistent snapshot and writes nothing.
``async with write(db) as session`` is one transaction: it commits at the end of the block, rolls back on an error.

On SQLite a writer begins with ``BEGIN IMMEDIATE``, so that a read-modify-write never works on a stale snapshot, and
the writers of one process queue in order instead of polling the file lock. On PostgreSQL rows that are read to be
changed are taken with `locked`.
"""

import asyncio
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import JSON, DateTime, Dialect, MetaData, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.observability import metrics

__all__ = [
    "AsyncSession",
    "Database",
    "Entity",
    "Json",
    "UtcDateTime",
    "locked",
    "new_id",
    "read",
    "taken",
    "utcnow",
    "write",
]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Entity(SQLModel):
    """Base of every table."""

    metadata = MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, UTC in the database. A naive one is a programming error and refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored: give it a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")


def utcnow() -> datetime:
    """Now, aware, UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """A fresh id that sorts by time (UUID version 7), so that new rows sit together in every index."""
    stamp = time.time_ns() // 1_000_000
    value = (stamp << 80) | (uuid.uuid4().int & ((1 << 80) - 1))
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value).hex


Listener = Callable[[Sequence[Any]], None]


class Database:
    """One database: its engine and who is told of committed changes (`backend.events.EventBus`)."""

    def __init__(self, url: str, *, echo: bool = False) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"echo": echo}
        if self.sqlite:
            options["connect_args"] = {"factory": _Connection}
            if self.url.database and self.url.database != ":memory:":
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        else:
            options |= {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 20}
        self.engine: AsyncEngine = create_async_engine(self.url, **options)
        self.writers: AsyncEngine = self.engine.execution_options(callweave_writer=True)
        self.listeners: list[Listener] = []
        self.origin = uuid.uuid4().hex[:16]
        """Marks what this process writes, for `backend.outbox`."""
        self._turn = asyncio.Lock()
        self.turns: dict[str, asyncio.Lock] = {}
        """Turns of this process in what one transaction at a time may do, by name."""
        if self.sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()

    async def __aenter__(self) -> "Database":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _Connection(sqlite3.Connection):
    """Never leaves a transaction behind.

    A statement that is cut short by a cancelled task keeps a closed connection alive inside SQLite, and the lock of
    its transaction with it: nobody could ever write again.
    """

    def close(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it was closed before
            if self.in_transaction:
                self.rollback()
        super().close()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # Transactions are begun by `_begin_sqlite`, not by the driver's guess at the first write.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "busy_timeout=15000",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "cache_size=-16000",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writer = connection.get_execution_options().get("callweave_writer", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN DEFERRED")


@asynccontextmanager
async def read(db: Database) -> AsyncIterator[AsyncSession]:
    """A session that only reads. Objects stay usable after the block."""
    async with AsyncSession(db.engine, expire_on_commit=False, autoflush=False) as session:
        session.info["database"] = db
        yield session


@asynccontextmanager
async def write(db: Database) -> AsyncIterator[AsyncSession]:
    """One transaction that writes. Commits at the end of the block; then its events are published."""
    asked = time.perf_counter()
    async with db._turn if db.sqlite else _no_turn(), AsyncSession(db.writers, expire_on_commit=False) as session:
        metrics.DATABASE_WAIT.observe(time.perf_counter() - asked)
        session.info["database"] = db
        session.info["events"] = []
        async with session.begin():
            yield session
        happened = session.info["events"]
    if happened:
        for listener in list(db.listeners):
            listener(happened)


@asynccontextmanager
async def _no_turn() -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def alone(db: Database, name: str) -> AsyncIterator[None]:
    """Only one process of a cluster at a time is inside; SQLite serves one process anyway."""
    if db.sqlite:
        yield
        return
    async with db.engine.connect() as connection:
        # The lock goes with the connection, whatever becomes of this process.
        await connection.execute(text("SELECT pg_advisory_lock(hashtext(:name))"), {"name": f"callweave {name}"})
        try:
            yield
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock(hashtext(:name))"), {"name": f"callweave {name}"})
            await connection.commit()


E = TypeVar("E", bound=Entity)


async def locked(session: AsyncSession, entity: type[E], key: Any) -> E | None:
    """The current row, locked until the end of the transaction, for a read-modify-write."""
    return await session.get(entity, key, with_for_update=True, populate_existing=True)


async def taken(session: AsyncSession, ids: str, id: str | None, *where: bool) -> bool:
    """Whether a row other than ``id`` is one of those that ``where`` means; ``ids`` is the table's column of ids.

    For names that must be free: None as ``id`` is a row that is yet to be made.
    """
    found = select(ids).where(*where)
    if id is not None:
        found = found.where(ids != id)
    return (await session.exec(found)).first() is not None
