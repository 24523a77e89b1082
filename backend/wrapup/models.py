"""Disposition codes, and what agents made of calls."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, UtcDateTime, new_id, utcnow


class Disposition(Entity, table=True):
    """A result that an agent can choose. Codes form a tree of two levels; ``queue`` empty is for all queues."""

    __tablename__ = "dispositions"
    __table_args__ = (UniqueConstraint("business_id", "queue", "code"), Index(None, "business_id", "position"))

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    parent_id: str | None = Field(default=None, foreign_key="dispositions.id", index=True, max_length=64)
    queue: str = Field(default="", max_length=64)
    code: str = Field(max_length=64)
    label_zh: str = Field(max_length=200)
    label_en: str = Field(max_length=200)
    needs_next_contact: bool = False
    needs_note: bool = False
    success: bool | None = None
    position: int = 0
    enabled: bool = True


class WrapUp(Entity, table=True):
    """What one agent made of one call. Each agent who talked has one of their own."""

    __tablename__ = "wrap_ups"
    __table_args__ = (
        UniqueConstraint("call_id", "user_id"),
        Index(None, "business_id", "saved_at", "id"),
        Index(None, "business_id", "code", "saved_at"),
        Index(None, "business_id", "user_id", "saved_at"),
        Index(None, "customer_id", "saved_at"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    call_id: str = Field(max_length=64)
    user_id: str = Field(foreign_key="users.id", max_length=64)
    queue: str = Field(default="", max_length=64)
    disposition_id: str | None = Field(
        default=None, foreign_key="dispositions.id", index=True, max_length=64, ondelete="SET NULL"
    )
    code: str = Field(default="", max_length=64)
    note: str = Field(default="", max_length=4000)
    next_contact_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    customer_id: str | None = Field(default=None, max_length=64)
    task_id: str | None = Field(default=None, max_length=64)
    saved_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
