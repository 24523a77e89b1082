"""The database's promises, on a real file and on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import select

from backend.database import Database, locked, new_id, read, utcnow, write
from backend.identity.models import Business
from backend.leases.models import Lease
from backend.migrations import current_revision, head_revision, upgrade
from backend.models import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'a.db'}"
    else:
        url = request.getfixturevalue("postgres").database()
    async with Database(url) as db:
        await upgrade(db)
        yield db


async def test_migrations_and_models_agree(db: Database) -> None:
    def difference(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))

    async with db.engine.connect() as connection:
        assert await connection.run_sync(difference) == []
    assert await current_revision(db) == head_revision() != None  # noqa: E711


async def test_upgrading_again_changes_nothing(db: Database) -> None:
    async with write(db) as session:
        session.add(Business(id="b", name="kept"))
    await upgrade(db)
    async with read(db) as session:
        assert (await session.exec(select(Business.name))).one() == "kept"


async def test_an_old_database_with_flows_is_upgraded_and_keeps_them(tmp_path: Path) -> None:
    """Rows of other tables point at flows: the table cannot be built anew under them."""
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'old.db'}") as db:
        await upgrade(db, "0006")
        at = "'2026-11-01 00:00:00'"
        async with db.writers.begin() as connection:
            for statement in (
                f"INSERT INTO businesses (id, name, timezone, country, language, created_at)"
                f" VALUES ('b', 'Kept', 'UTC', 'CN', 'zh', {at})",
                f"INSERT INTO flows (id, business_id, key, name, kind, draft, revision, archived, cases_required,"
                f" created_at, updated_at) VALUES ('f', 'b', 'hotline', 'Hotline', 'ivr', '{{}}', 1, 0, 0, {at}, {at})",
                f"INSERT INTO flow_versions (id, business_id, flow_id, number, document, document_hash, plan,"
                f" plan_hash, note, created_at) VALUES ('v', 'b', 'f', 1, '{{}}', '', x'00', '', '', {at})",
            ):
                await connection.execute(text(statement))
        await upgrade(db)
        async with db.engine.connect() as connection:
            kept = (await connection.execute(text("SELECT name, folder, tags FROM flows"))).one()
            assert tuple(kept) == ("Hotline", "", "[]")
            assert (await connection.execute(text("SELECT flow_id FROM flow_versions"))).scalar() == "f"
        assert await current_revision(db) == head_revision()


async def test_two_processes_upgrade_at_once(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'both.db'}"
    await asyncio.gather(upgrade(url), upgrade(url))
    async with Database(url) as db:
        assert await current_revision(db) == head_revision()


async def test_no_update_is_lost_in_400_read_modify_writes(db: Database) -> None:
    """Two engines over one database stand for two processes."""
    async with write(db) as session:
        session.add(Lease(name="counter", holder="", fencing=0, expires_at=utcnow()))

    async def add(to: Database) -> None:
        async with write(to) as session:
            row = await locked(session, Lease, "counter")
            assert row is not None
            seen = row.fencing
            await asyncio.sleep(0)
            row.fencing = seen + 1

    async with Database(db.url.render_as_string(hide_password=False)) as other:
        await asyncio.gather(*(add(db if number % 2 else other) for number in range(400)))
    async with read(db) as session:
        row = await session.get(Lease, "counter")
        assert row is not None and row.fencing == 400


async def test_an_error_writes_nothing(db: Database) -> None:
    async def fail() -> None:
        async with write(db) as session:
            session.add(Business(id="gone", name="x"))
            await session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with read(db) as session:
        assert await session.get(Business, "gone") is None


async def test_times_come_back_aware_in_utc(db: Database) -> None:
    at = datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    async with write(db) as session:
        session.add(Business(id="b", name="x", created_at=at))
    async with read(db) as session:
        row = await session.get(Business, "b")
    assert row is not None
    assert row.created_at == at
    assert row.created_at.tzinfo is UTC or row.created_at.utcoffset() == timedelta(0)


async def test_a_naive_time_is_refused(db: Database) -> None:
    with pytest.raises(StatementError, match="time zone"):
        async with write(db) as session:
            session.add(Business(id="b", name="x", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001


async def test_foreign_keys_are_kept(db: Database) -> None:
    from backend.lists.models import NumberList

    with pytest.raises(IntegrityError):
        async with write(db) as session:
            session.add(NumberList(business_id="nobody", name="x", kind="black"))


async def test_readers_do_not_wait_for_a_writer(db: Database) -> None:
    async with write(db) as session:
        session.add(Business(id="b", name="x"))
        await session.flush()
        async with asyncio.timeout(30), read(db) as other:
            assert await other.get(Business, "b") is None


def test_ids_sort_by_time() -> None:
    from time import sleep

    ids = []
    for _ in range(5):
        ids.append(new_id())
        sleep(0.002)
    assert ids == sorted(ids) and len(set(ids)) == 5 and all(len(i) == 32 for i in ids)


async def test_a_task_that_is_cut_short_holds_no_lock(tmp_path: Path) -> None:
    """Wherever a cancellation meets a transaction, and again while it is being undone: others write on."""
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}") as db:
        async with db.engine.begin() as connection:
            await connection.run_sync(metadata.tables["leases"].create)
        async with write(db) as session:
            session.add_all(Lease(name=f"{n}", holder="x", fencing=0, expires_at=utcnow()) for n in range(300))

        async def change() -> None:
            async with write(db) as session:
                row = await locked(session, Lease, "0")
                assert row is not None
                row.fencing += 1
                await session.flush()
                assert len(list(await session.exec(select(Lease)))) == 300

        for steps in range(0, 60, 3):
            tasks = [asyncio.create_task(change()) for _ in range(3)]
            for _ in range(steps):
                await asyncio.sleep(0)
            await asyncio.sleep(0.001 * (steps % 9))
            for _ in range(3):
                for task in tasks:
                    task.cancel()
                await asyncio.sleep(0)
            # Whatever is kept of them: an exception knows the statement under way.
            kept = await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.wait_for(change(), 30)
            assert len(kept) == 3
