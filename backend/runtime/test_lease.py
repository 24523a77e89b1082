"""The lease on a real database with clocks of our own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backend.database import Database
from backend.models import metadata
from backend.runtime.lease import TTL, OwnershipLease, known_dead, own_name


class Clock:
    """One time for all holders of a test, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'lease.db'}") as db:
        async with db.writers.begin() as connection:
            await connection.run_sync(metadata.create_all)
        yield db


def holds(lease: OwnershipLease) -> bool:
    """Asked anew each time: the answer changes with the clock."""
    return lease.held


def holder(db: Database, name: str, clock: Clock) -> OwnershipLease:
    return OwnershipLease(db, "gateway-main", holder=name, clock=clock.now, monotonic=clock.monotonic)


async def test_one_owner_at_a_time_with_growing_numbers(db: Database) -> None:
    clock = Clock()
    first, second = holder(db, "a", clock), holder(db, "b", clock)
    assert await first.acquire()
    assert holds(first) and first.fencing == 1
    assert not await second.acquire()
    clock.seconds += TTL - 0.1
    assert holds(first)
    assert not await second.acquire()
    clock.seconds += 0.2
    assert not holds(first), "an owner that did not renew stops by its own clock"
    assert await second.acquire()
    assert second.fencing == 2
    assert not await first.renew()
    assert not await first.acquire()


async def test_renewal_keeps_the_number(db: Database) -> None:
    clock = Clock()
    lease = holder(db, "a", clock)
    await lease.acquire()
    for _ in range(5):
        clock.seconds += 1
        assert await lease.renew()
    assert holds(lease) and lease.fencing == 1


async def test_a_lease_that_lapsed_is_not_silently_continued(db: Database) -> None:
    clock = Clock()
    lease = holder(db, "a", clock)
    await lease.acquire()
    clock.seconds += TTL + 1
    assert not await lease.renew()
    assert await lease.acquire()
    assert lease.fencing == 2


async def test_a_release_lets_the_next_one_in_at_once(db: Database) -> None:
    clock = Clock()
    first, second = holder(db, "a", clock), holder(db, "b", clock)
    await first.acquire()
    await first.release()
    assert not holds(first)
    assert await second.acquire()


async def test_the_race_for_a_new_lease_has_one_winner(db: Database) -> None:
    clock = Clock()
    holders = [holder(db, f"h{number}", clock) for number in range(8)]
    won = await asyncio.gather(*(each.acquire() for each in holders))
    assert sum(won) == 1


async def test_a_dead_process_of_this_machine_is_succeeded_at_once(db: Database) -> None:
    clock = Clock()
    process = await asyncio.create_subprocess_exec("sleep", "30")
    machine = own_name().rsplit("/", 2)[0]
    from backend.runtime.children import Identity

    identity = Identity.of(process.pid)
    assert identity is not None
    name = f"{machine}/{identity.pid}/{identity.started:.2f}"
    first, second = holder(db, name, clock), holder(db, own_name(), clock)
    await first.acquire()
    assert not known_dead(name)
    assert not await second.acquire()
    process.kill()
    await process.wait()
    assert known_dead(name)
    assert await second.acquire()
    assert second.fencing == 2
    assert not known_dead("another-machine/pid:[1]/1/1.0"), "nobody judges processes of other machines"


async def test_losing_it_is_told_at_once(db: Database) -> None:
    told = asyncio.Event()
    lease = OwnershipLease(db, "gateway-main", holder="a")
    await lease.acquire()
    task = asyncio.create_task(lease.keep(told.set))
    async with db.writers.begin() as connection:
        await connection.exec_driver_sql("UPDATE leases SET holder='b', fencing=7")
    await asyncio.wait_for(told.wait(), 30)
    assert not holds(lease)
    await task


async def test_being_late_alone_is_no_loss_for_the_one_process_of_sqlite(db: Database) -> None:
    clock = Clock()
    lease = holder(db, "a", clock)
    await lease.acquire()
    clock.seconds += TTL + 1
    assert await lease._still_mine(1)
    assert holds(lease) and lease.fencing == 2
    clock.seconds += TTL + 1
    await holder(db, "b", clock).acquire()
    assert not await lease._still_mine(2)
