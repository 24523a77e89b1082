"""The effects ledger: an act on the world is written down before it is done, its outcome before it returns."""

from datetime import timedelta
from typing import Literal

from sqlalchemy import delete
from sqlmodel import col

from backend.database import Database, locked, utcnow, write
from backend.effects.models import EffectRecord
from flows.task import NodeTask
from nodes.sdk.outcome import Outcome

KEPT = timedelta(days=30)


class Ledger:
    """`flows.task.EffectsLedger` over the database. One row per run, step and attempt of the flow's own retries."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def begin(self, task: NodeTask) -> tuple[Literal["new", "done", "unfinished"], Outcome | None]:
        async with write(self._db) as session:
            row = await locked(session, EffectRecord, (task.run_id, task.step, task.attempt))
            if row is None:
                session.add(
                    EffectRecord(
                        run_id=task.run_id,
                        step=task.step,
                        attempt=task.attempt,
                        business_id=task.business_id,
                        node_type=task.node_type,
                    )
                )
                return "new", None
            if row.outcome is None:
                return "unfinished", None
            return "done", Outcome.model_validate(row.outcome)

    async def finish(self, task: NodeTask, outcome: Outcome) -> None:
        async with write(self._db) as session:
            row = await locked(session, EffectRecord, (task.run_id, task.step, task.attempt))
            if row is None:
                raise LookupError(f"the effect of {task.run_id} step {task.step} was never begun")
            if row.outcome is None:
                row.outcome = outcome.model_dump(mode="json")
                row.finished_at = utcnow()
                session.add(row)

    async def forget(self, older: timedelta = KEPT) -> None:
        """Drop rows that no retry can ask for any more."""
        async with write(self._db) as session:
            await session.execute(delete(EffectRecord).where(col(EffectRecord.begun_at) < utcnow() - older))
