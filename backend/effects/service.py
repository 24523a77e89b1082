"""The effects ledger over the database (`flows.task.EffectsLedger`)."""

from datetime import timedelta
from typing import Literal

from sqlmodel import col, delete

from backend.database import Database, locked, utcnow, write
from backend.effects.models import EffectRecord
from flows.task import NodeTask
from nodes.sdk.outcome import Outcome


class Ledger:
    """Intent before the act, outcome before it returns; one row for each execution (run, step, attempt)."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def begin(self, task: NodeTask) -> tuple[Literal["new", "done", "unfinished"], Outcome | None]:
        """Record the intent, or tell what is known of an earlier one."""
        key = (task.run_id, task.step, task.attempt)
        async with write(self._db) as session:
            row = await locked(session, EffectRecord, key)
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
        """Record the outcome. The first one stays: it may have been acted upon."""
        async with write(self._db) as session:
            row = await locked(session, EffectRecord, (task.run_id, task.step, task.attempt))
            if row is None:
                raise LookupError(f"no effect was begun for step {task.step} of run {task.run_id}")
            if row.outcome is None:
                row.outcome, row.finished_at = outcome.model_dump(mode="json"), utcnow()


async def forget_effects(db: Database, *, older_than: timedelta) -> None:
    """Remove rows that no retry can ask for any more."""
    async with write(db) as session:
        await session.exec(delete(EffectRecord).where(col(EffectRecord.begun_at) < utcnow() - older_than))
