"""The trail sink: batches, steps that come before their run's record, and a database that fails for a while."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.calls.service import start_run, trail_of_run
from backend.database import Database, write
from backend.identity.models import Business
from backend.migrations import upgrade
from backend.runtime.trail import BatchedTrail
from flows.task import FlowResult, FlowStart, TrailStep

AT = datetime(2026, 1, 1, tzinfo=UTC)
START = FlowStart(run_id="r1", business_id="main", flow_id="f", version=1, plan="p", kind="ivr")


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'trail.db'}") as db:
        await upgrade(db)
        async with write(db) as session:
            session.add(Business(id="main", name="Main"))
        yield db


def step(seq: int, port: str | None = None) -> TrailStep:
    return TrailStep(
        seq=seq, node_id=f"n{seq}", node_type="voice.say", entered=AT, left=AT if port else None, port=port
    )


async def ports(db: Database) -> list[tuple[int, str | None]]:
    return [(row.seq, row.port) for row in await trail_of_run(db, "main", "r1")]


async def test_steps_wait_for_the_record_of_their_run(db: Database) -> None:
    trail = BatchedTrail(db)
    await trail.steps("r1", [step(1)])
    await trail.flush()
    assert await ports(db) == []
    await start_run(db, START)
    await trail.flush()
    assert await ports(db) == [(1, None)]


async def test_a_completed_step_is_not_undone_by_a_late_copy(db: Database) -> None:
    await start_run(db, START)
    trail = BatchedTrail(db)
    await trail.steps("r1", [step(1, "next"), step(2)])
    await trail.steps("r1", [step(1)])
    await trail.flush()
    await trail.steps("r1", [step(1)])
    await trail.flush()
    assert await ports(db) == [(1, "next"), (2, None)]


async def test_the_end_writes_everything_at_once_also_twice(db: Database) -> None:
    trail = BatchedTrail(db)
    result = FlowResult(outcome="completed", steps=2)
    await trail.steps("r1", [step(1, "next")])
    for _ in range(2):
        await trail.finished(START, result, [step(2, "end")])
    assert await ports(db) == [(1, "next"), (2, "end")]
