"""Events between processes, on a real PostgreSQL and on SQLite; two `Database` objects stand for two processes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import select

from backend import outbox
from backend.database import Database, read, write
from backend.events import Event, EventBus, EventRow, Subscription, after, record, record_all
from backend.identity.models import Business
from backend.migrations import upgrade
from backend.outbox import Outbox, Reader, SqliteReader
from backend.testing_postgres import PostgresServer


@pytest.fixture
def url(postgres: PostgresServer, postgres_installation: str) -> Iterator[str]:
    url = postgres.database(postgres_installation)
    yield url
    postgres.drop(url)


@pytest.fixture
async def here(url: str) -> AsyncIterator[Database]:
    async with Database(url) as db:
        yield db


@pytest.fixture
async def there(url: str) -> AsyncIterator[Database]:
    async with Database(url) as db:
        yield db


async def say(db: Database, subject: str, *, kept: bool = True) -> None:
    async with write(db) as session:
        record(session, "main", "test.said", subject, kept=kept)


async def subjects(reader: Reader) -> list[str]:
    return [event.subject for event in await reader.look()]


async def test_each_event_of_others_is_found_once(here: Database, there: Database) -> None:
    await say(there, "before")
    reader = Reader(here)
    await reader.begin()
    await say(there, "one")
    await say(here, "own")
    await say(there, "two", kept=False)
    assert await subjects(reader) == ["one", "two"]
    assert await subjects(reader) == []
    await say(there, "three")
    assert await subjects(reader) == ["three"]


async def test_a_transaction_that_commits_late_leaves_no_gap(here: Database, there: Database) -> None:
    """The first to write is the last to commit: its row has the lower number and appears after the other."""
    reader = Reader(here)
    await reader.begin()
    wrote, may_commit = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with write(there) as session:
            record(session, "main", "test.said", "slow")
            await session.flush()
            wrote.set()
            await may_commit.wait()

    working = asyncio.create_task(slow())
    await wrote.wait()
    await say(there, "quick")
    assert await subjects(reader) == ["quick"]
    assert await subjects(reader) == []
    may_commit.set()
    await working
    async with read(here) as session:
        rows = {row.subject: row.seq for row in (await session.exec(select(EventRow))).all()}
    assert (rows["slow"] or 0) < (rows["quick"] or 0), "the numbers are the wrong way round, or this proves nothing"
    assert await subjects(reader) == ["slow"]
    assert await subjects(reader) == []


async def test_what_is_being_written_when_the_reader_begins_is_found(here: Database, there: Database) -> None:
    async with write(there) as session:
        record(session, "main", "test.said", "underway")
        await session.flush()
        reader = Reader(here)
        await reader.begin()
    assert await subjects(reader) == ["underway"]


async def test_what_is_rolled_back_never_appears(here: Database, there: Database) -> None:
    reader = Reader(here)
    await reader.begin()
    with contextlib.suppress(ZeroDivisionError):
        async with write(there) as session:
            record(session, "main", "test.said", "never")
            await session.flush()
            raise ZeroDivisionError
    await say(there, "still")
    assert await subjects(reader) == ["still"]


async def test_many_writers_at_once_lose_nothing(here: Database, there: Database) -> None:
    reader = Reader(here)
    await reader.begin()
    found: list[str] = []

    async def writing(number: int) -> None:
        for index in range(20):
            async with write(there) as session:
                record(session, "main", "test.said", f"{number}-{index}")
                await session.flush()
                await asyncio.sleep(0.001 * (number % 5))

    work = asyncio.gather(*(writing(number) for number in range(10)))
    while not work.done():
        found += await subjects(reader)
    await work
    found += await subjects(reader)
    assert sorted(found) == sorted(f"{number}-{index}" for number in range(10) for index in range(20))


@contextlib.asynccontextmanager
async def following(db: Database) -> AsyncIterator[EventBus]:
    bus = EventBus(db)
    running = asyncio.create_task(Outbox(db, bus).run())
    try:
        await asyncio.sleep(0.3)
        yield bus
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


@pytest.fixture
def never_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks because time has passed: what is heard came by a word of another process."""
    monkeypatch.setattr(outbox, "POLL", 600.0)


@pytest.mark.usefixtures("never_by_itself")
async def test_a_subscription_hears_of_another_process_at_once(here: Database, there: Database) -> None:
    async with following(here) as bus, following(there):
        with bus.subscribe(lambda event: event.topic == "test.said") as events:
            reader = aiter(events)
            for number in range(5):
                await say(there, f"word {number}", kept=number % 2 == 0)
                event = await asyncio.wait_for(anext(reader), 30)
                assert event.subject == f"word {number}"
            await say(here, "own")
            assert (await asyncio.wait_for(anext(reader), 30)).subject == "own"
            await say(there, "last")
            assert (await asyncio.wait_for(anext(reader), 30)).subject == "last", "the own one comes once"


async def listening(db: Database) -> list[int]:
    """The processes of PostgreSQL whose clients listen."""
    async with read(db) as session:
        found = await session.execute(text("SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"))
        return list(found.scalars())


async def test_a_broken_connection_is_opened_again(here: Database, there: Database, postgres: PostgresServer) -> None:
    async with following(here) as bus:
        with bus.subscribe(lambda event: True) as events:
            [before] = await listening(there)
            postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
            reader = aiter(events)
            await say(there, "meanwhile")
            assert (await asyncio.wait_for(anext(reader), 30)).subject == "meanwhile"
            async with asyncio.timeout(30):
                while len(now := await listening(there)) != 1 or now == [before]:
                    await asyncio.sleep(0.1)
            async with following(there):
                for number in range(3):
                    await say(there, f"again {number}")
                    assert (await asyncio.wait_for(anext(reader), 30)).subject == f"again {number}"


async def test_catching_up_shows_what_is_kept_only(there: Database) -> None:
    async with write(there) as session:
        await record_all(session, [Event("main", "a", "kept")], unkept=[Event("main", "b", "passing")])
    assert [row.subject for row in await after(there, "main", 0) if row.topic in "ab"] == ["kept"]


async def test_what_was_on_its_way_is_deleted(here: Database, there: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "KEEP_PASSING", 0.4)
    await say(there, "kept")
    await say(there, "passing", kept=False)
    async with following(here):
        await asyncio.sleep(1.0)
    async with read(here) as session:
        left = (await session.exec(select(EventRow.subject).where(EventRow.topic == "test.said"))).all()
    assert left == ["kept"]


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[tuple[Database, Database]]:
    """The product and its command line on one SQLite file."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'callweave.db'}"
    async with Database(url) as product, Database(url) as command:
        await upgrade(product)
        async with write(product) as session:
            session.add(Business(id="main", name="Callweave"))
        yield product, command


async def test_on_sqlite_changes_of_the_command_line_are_heard_once(files: tuple[Database, Database]) -> None:
    product, command = files
    await say(command, "before")
    reader = SqliteReader(product)
    await reader.begin()
    assert await subjects_of(reader) == []
    await say(command, "one")
    await say(product, "own")
    await say(command, "two")
    assert await subjects_of(reader) == ["one", "two"]
    await say(product, "own again")
    assert await subjects_of(reader) == []
    async with following(product) as bus:
        with bus.subscribe(lambda event: event.topic == "test.said") as events:
            found = aiter(events)
            await say(command, "three")
            assert (await asyncio.wait_for(anext(found), 30)).subject == "three"
            await say(product, "four")
            assert (await asyncio.wait_for(anext(found), 30)).subject == "four"
            await asyncio.sleep(outbox.POLL_SQLITE * 1.5)
        left = [event.subject async for event in closed(events)]
    assert left == [], "an event of its own, or one already told, came again"


async def subjects_of(reader: SqliteReader) -> list[str]:
    return [event.subject for event in await reader.look()]


def closed(events: Subscription) -> Subscription:
    """A subscription that ends with what it holds."""
    events.close()
    return events
