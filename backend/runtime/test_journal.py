"""The journal: batches, steps that come before their run's record, and a database that fails for a while."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from backend.calls.facts import CallEnded, CallStarted, Fact, RunStarted, write_facts
from backend.calls.service import get_call, trail_of_run
from backend.database import Database, write
from backend.identity.models import Business
from backend.migrations import upgrade
from backend.runtime.journal import Journal
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
    journal = Journal(db)
    await journal.steps("r1", [step(1)])
    await journal.flush()
    assert await ports(db) == []
    await write_facts(db, [RunStarted(START)])
    await journal.flush()
    assert await ports(db) == [(1, None)]


async def test_a_completed_step_is_not_undone_by_a_late_copy(db: Database) -> None:
    await write_facts(db, [RunStarted(START)])
    journal = Journal(db)
    await journal.steps("r1", [step(1, "next"), step(2)])
    await journal.steps("r1", [step(1)])
    await journal.flush()
    await journal.steps("r1", [step(1)])
    await journal.flush()
    assert await ports(db) == [(1, "next"), (2, None)]


async def test_the_end_writes_everything_at_once_also_twice(db: Database) -> None:
    journal = Journal(db)
    journal.start()
    result = FlowResult(outcome="completed", steps=2)
    over: list[str] = []
    journal.on_finished.append(lambda start, _: over.append(start.run_id))
    await journal.steps("r1", [step(1, "next")])
    for _ in range(2):
        await journal.finished(START, result, [step(2, "end")])
    assert over == ["r1", "r1"]
    await journal.stop()
    assert await ports(db) == [(1, "next"), (2, "end")]


async def test_facts_wait_in_order_while_the_database_is_away(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(db)
    journal.start()
    tries = 0

    async def failing(db: Database, facts: Sequence[Fact]) -> set[str]:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise OperationalError("insert", {}, OSError("the server is away"))
        return await write_facts(db, facts)

    monkeypatch.setattr("backend.runtime.journal.write_facts", failing)
    journal.tell(CallStarted("c1", "main", "g", "1", "100"))
    await asyncio.sleep(0.05)
    await journal.written(CallEnded("c1", "normal"))
    assert tries == 3 and journal.waiting == 0
    assert (await get_call(db, "main", "c1")).cause == "normal"
    await journal.stop()


async def test_a_fact_that_the_database_refuses_takes_no_other_with_it(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(db)
    journal.start()
    lost = CallStarted("c0", "nobody", "g", "1", "100")
    await journal.written(CallStarted("c1", "main", "g", "1", "100"), lost, CallEnded("c1", "busy"))
    assert (await get_call(db, "main", "c1")).cause == "busy"
    assert "a record is lost" in caplog.text
    await journal.stop()


async def test_what_waits_is_written_at_the_end(db: Database) -> None:
    journal = Journal(db)
    journal.start()
    journal.tell(CallStarted("c1", "main", "g", "1", "100"))
    await journal.stop()
    assert (await get_call(db, "main", "c1")).state == "ringing"
