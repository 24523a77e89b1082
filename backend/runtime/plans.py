"""Compiled plans by content hash, from the published versions and from test calls of drafts."""

from sqlmodel import select

from backend.database import Database, read
from backend.flows.models import FlowVersion
from backend.phones.models import TrialCall
from backend.runtime import handover


class DatabasePlans:
    """`flows.task.PlanStore`. Not cached here: `flows.temporal` keeps the decoded plans."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def load(self, plan_hash: str) -> bytes:
        """Raises KeyError."""
        built_in = handover.plan()
        if plan_hash == built_in.hash:
            return built_in.to_bytes()
        async with read(self._db) as session:
            found = await session.exec(select(FlowVersion.plan).where(FlowVersion.plan_hash == plan_hash).limit(1))
            plan = found.first()
            if plan is None:
                tried = await session.exec(select(TrialCall.plan).where(TrialCall.plan_hash == plan_hash).limit(1))
                plan = tried.first()
        if plan is None:
            raise KeyError(f"there is no published plan {plan_hash}")
        return plan
