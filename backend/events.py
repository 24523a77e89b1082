"""Domain events: written with their change, published after the commit.

``record(session, ...)`` inside ``write(db)`` adds an outbox row to the same transaction; when it has committed, the
bus hands the event to every subscription of this process, without polling. `backend.outbox` brings the
events of other processes as well; nothing else changes. Changes that are rows of their own and come in masses (trail
steps) are published without an outbox row (``kept=False``): whoever lost its place catches up from those rows. On
PostgreSQL they pass through the outbox too, for the other processes, and are deleted soon after.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, FetchedValue, Index, Integer, false, insert
from sqlmodel import Field, col, select

from backend.database import AsyncSession, Database, Entity, Json, UtcDateTime, new_id, read, utcnow
from backend.observability import metrics


class EventRow(Entity, table=True):
    """One event of the outbox."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "business_id", "seq"), Index(None, "at"), Index(None, "tx"))

    seq: int | None = Field(
        default=None,
        primary_key=True,
        sa_type=BigInteger().with_variant(Integer(), "sqlite"),
    )
    id: str = Field(unique=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    topic: str = Field(max_length=64)
    subject: str = Field(max_length=128)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    at: datetime = Field(sa_type=UtcDateTime)
    tx: int | None = Field(default=None, sa_column=Column(BigInteger, server_default=FetchedValue(), nullable=True))
    """The number of the transaction that wrote it, by PostgreSQL itself: only that tells what may still appear."""
    origin: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    """The `Database` that wrote it and has told its own process already."""
    passing: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Only on its way to other processes; see ``kept``."""


_INSERT = insert(EventRow.__table__)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: ``topic`` (``call.started``), ``subject`` (the id of what it happened to), small ``data``."""

    business_id: str
    topic: str
    subject: str
    data: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=utcnow)
    id: str = field(default_factory=new_id)


def record(
    session: AsyncSession, business_id: str, topic: str, subject: str, *, kept: bool = True, **data: Any
) -> Event:
    """Write an event with the change under way; it is published when that commits."""
    event = Event(business_id, topic, subject, data)
    db: Database = session.info["database"]
    if kept or not db.sqlite:
        session.add(EventRow(**_row(event, db, passing=not kept)))
    session.info["events"].append(event)
    return event


def _row(event: Event, db: Database, *, passing: bool) -> dict[str, Any]:
    return {
        "id": event.id,
        "business_id": event.business_id,
        "topic": event.topic,
        "subject": event.subject,
        "data": dict(event.data),
        "at": event.at,
        "origin": db.origin,
        "passing": passing,
    }


async def record_all(session: AsyncSession, events: Sequence[Event], *, unkept: Sequence[Event] = ()) -> None:
    """As `record` for many events at once, in their order; those in `unkept` are published only."""
    db: Database = session.info["database"]
    rows = [_row(one, db, passing=False) for one in events]
    if not db.sqlite:
        rows += [_row(one, db, passing=True) for one in unkept]
    if rows:
        await (await session.connection()).execute(_INSERT, rows)
    session.info["events"] += [*events, *unkept]


async def after(db: Database, business_id: str, seq: int, limit: int = 500) -> list[EventRow]:
    """Events of the outbox after `seq`, in order: how a webhook or an audit reader catches up."""
    async with read(db) as session:
        found = await session.exec(
            select(EventRow)
            .where(EventRow.business_id == business_id, col(EventRow.seq) > seq, col(EventRow.passing).is_(False))
            .order_by(col(EventRow.seq))
            .limit(limit)
        )
        return list(found)


Wanted = Callable[[Event], bool]


class Subscription:
    """A bounded queue of events for one reader. A reader that is too slow loses its place and is told so."""

    def __init__(self, wanted: Wanted, size: int) -> None:
        self.wanted = wanted
        self.overrun = False
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(size)

    def offer(self, event: Event) -> None:
        """Queue an event when it is wanted."""
        if self.overrun or not self.wanted(event):
            return
        if self._queue.full():
            self.overrun = True
            metrics.EVENT_OVERRUNS.inc()
            self._queue.get_nowait()
            self._queue.put_nowait(None)
        else:
            self._queue.put_nowait(event)

    def waiting(self) -> list[Event]:
        """What else has come, without waiting for more; the end of the loop stays for the reader."""
        found: list[Event] = []
        while not self._queue.empty():
            event = self._queue.get_nowait()
            if event is None:
                self._queue.put_nowait(None)
                break
            found.append(event)
        return found

    def close(self) -> None:
        """End the reader's loop."""
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self._queue.get()) is not None:
            yield event


class EventBus:
    """Hands committed events to the subscriptions of this process."""

    def __init__(self, db: Database) -> None:
        self._subscriptions: set[Subscription] = set()
        self.published = 0
        """How many events there were: as long as it stands still, what was read still holds."""
        db.listeners.append(self.publish)

    def publish(self, events: Sequence[Event]) -> None:
        """Give events to every subscription that wants them. Never blocks."""
        metrics.events_published(events)
        self.published += len(events)
        for subscription in list(self._subscriptions):
            for event in events:
                subscription.offer(event)

    @contextmanager
    def subscribe(self, wanted: Wanted, *, size: int = 1000) -> Iterator[Subscription]:
        """``with bus.subscribe(lambda e: ...) as events: async for event in events: ...``"""
        subscription = Subscription(wanted, size)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    @property
    def readers(self) -> int:
        """How many subscriptions there are."""
        return len(self._subscriptions)

    def close(self) -> None:
        """End every subscription."""
        for subscription in list(self._subscriptions):
            subscription.close()


async def in_batches(events: Subscription, pause: float, every: float) -> AsyncIterator[list[Event]]:
    """Events in batches of what comes within `pause` seconds; an empty batch after `every` without any."""
    waiting: asyncio.Queue[Event | None] = asyncio.Queue()

    async def read_on() -> None:
        async for event in events:
            waiting.put_nowait(event)
        waiting.put_nowait(None)

    reading = asyncio.create_task(read_on())
    try:
        while True:
            batch: list[Event] = []
            try:
                first = await asyncio.wait_for(waiting.get(), every)
            except TimeoutError:
                yield batch
                continue
            if first is None:
                return
            batch.append(first)
            await asyncio.sleep(pause)
            while not waiting.empty():
                event = waiting.get_nowait()
                if event is None:
                    yield batch
                    return
                batch.append(event)
            yield batch
    finally:
        reading.cancel()


async def at_once(batches: AsyncIterator[list[Event]]) -> AsyncIterator[list[Event]]:
    """An empty batch before the first: whoever follows begins with how things stand."""
    yield []
    async for batch in batches:
        yield batch
