"""Recordings of calls. The audio is a file under the recording folder; the row holds its relative path."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, UtcDateTime, new_id, utcnow


class Recording(Entity, table=True):
    """One recording. ``key`` makes a save idempotent."""

    __tablename__ = "recordings"
    __table_args__ = (
        UniqueConstraint("business_id", "key"),
        Index(None, "business_id", "created_at", "id"),
        Index(None, "call_id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    key: str = Field(max_length=128)
    call_id: str | None = Field(default=None, max_length=64)
    path: str = Field(max_length=255)
    seconds: float = 0.0
    bytes: int = 0
    complete: bool = True
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
