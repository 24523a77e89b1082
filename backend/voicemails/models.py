"""Messages that callers leave (VO5)."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, UtcDateTime, new_id, utcnow


class Voicemail(Entity, table=True):
    """One message. ``state`` is ``new``, ``heard``, ``accepted`` or ``done``; ``key`` makes a save idempotent."""

    __tablename__ = "voicemails"
    __table_args__ = (
        UniqueConstraint("business_id", "key"),
        Index(None, "business_id", "created_at", "id"),
        Index(None, "business_id", "box", "state", "created_at"),
        Index(None, "call_id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    key: str = Field(max_length=128)
    box: str = Field(max_length=128)
    call_id: str | None = Field(default=None, max_length=64)
    caller: str = Field(default="", max_length=64)
    callback_number: str | None = Field(default=None, max_length=64)
    path: str = Field(max_length=255)
    seconds: float = 0.0
    bytes: int = 0
    complete: bool = True
    state: str = Field(default="new", max_length=16)
    handled_by: str | None = Field(default=None, foreign_key="users.id", max_length=64)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
