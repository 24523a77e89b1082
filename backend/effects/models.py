"""The effects ledger: intent before the act, outcome before it returns."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.database import Entity, Json, UtcDateTime, utcnow


class EffectRecord(Entity, table=True):
    """One execution that acts on the world. ``outcome`` is None until it is known."""

    __tablename__ = "effects"
    __table_args__ = (Index(None, "begun_at"),)

    run_id: str = Field(primary_key=True, max_length=64)
    step: int = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    business_id: str = Field(foreign_key="businesses.id", index=True, max_length=64)
    node_type: str = Field(max_length=128)
    outcome: dict[str, Any] | None = Field(default=None, sa_type=Json)
    begun_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
