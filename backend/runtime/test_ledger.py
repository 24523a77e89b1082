"""The ledger of effects: an act is begun once, and its outcome is the same for every later asking."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.database import Database, write
from backend.identity.models import Business
from backend.models import metadata
from backend.runtime.ledger import Ledger
from flows.task import NodeTask
from nodes.sdk.node import Runs
from nodes.sdk.outcome import Outcome


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}") as db:
        async with db.writers.begin() as connection:
            await connection.run_sync(metadata.create_all)
        async with write(db) as session:
            session.add(Business(id="b1", name="One"))
        yield db


def task(step: int = 1, attempt: int = 1) -> NodeTask:
    return NodeTask(
        run_id="r1",
        business_id="b1",
        flow_id="f1",
        version=1,
        step=step,
        attempt=attempt,
        node_id="dial",
        node_type="voice.dial",
        runs=Runs.ON_CALL,
        config={},
        now=datetime(2026, 1, 1, tzinfo=UTC),
    )


async def test_intent_then_outcome(db: Database) -> None:
    ledger = Ledger(db)
    assert await ledger.begin(task()) == ("new", None)
    assert await ledger.begin(task()) == ("unfinished", None)
    outcome = Outcome(port="answered", outputs={"seconds": 3})
    await ledger.finish(task(), outcome)
    assert await ledger.begin(task()) == ("done", outcome)
    await ledger.finish(task(), Outcome(port="busy"))
    assert await ledger.begin(task()) == ("done", outcome), "the first outcome stands"


async def test_steps_and_attempts_are_apart(db: Database) -> None:
    ledger = Ledger(db)
    await ledger.begin(task())
    assert (await ledger.begin(task(step=2)))[0] == "new"
    assert (await ledger.begin(task(attempt=2)))[0] == "new"


async def test_of_many_at_once_one_acts(db: Database) -> None:
    ledger = Ledger(db)
    states = [state for state, _ in await asyncio.gather(*(ledger.begin(task()) for _ in range(10)))]
    assert sorted(states) == ["new"] + ["unfinished"] * 9


async def test_an_outcome_without_intent_is_a_fault(db: Database) -> None:
    with pytest.raises(LookupError):
        await Ledger(db).finish(task(), Outcome(port="next"))
