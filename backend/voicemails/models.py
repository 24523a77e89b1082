"""Messages that callers leave (VO5)."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, Json, UtcDateTime, new_id, utcnow
from backend.paging import by_start


class Voicemail(Entity, table=True):
    """One message. ``state`` is ``new``, ``heard``, ``accepted`` or ``done``; ``key`` makes a save idempotent."""

    __tablename__ = "voicemails"
    __table_args__ = (
        UniqueConstraint("business_id", "key"),
        Index(None, "business_id", "created_at", "id"),
        Index(None, "business_id", "box", "state", "created_at"),
        Index(None, "call_id"),
        Index(None, "customer_id", "created_at"),
        Index(None, "business_id", "caller", "created_at", **by_start("caller")),
        Index(None, "assigned_to", "state"),
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
    assigned_to: str | None = Field(default=None, max_length=64)
    customer_id: str | None = Field(default=None, max_length=64)
    note: str = Field(default="", max_length=2000, sa_column_kwargs={"server_default": ""})
    handled_by: str | None = Field(default=None, foreign_key="users.id", max_length=64)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class VoicemailBox(Entity, table=True):
    """A box that messages fall into, often a queue's. ``members`` are user ids; an empty list is everybody.

    ``name`` is what `Voicemail.box` holds; a box needs no row to take messages.
    """

    __tablename__ = "voicemail_boxes"
    __table_args__ = (UniqueConstraint("business_id", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    name: str = Field(max_length=128)
    label_zh: str = Field(default="", max_length=200)
    label_en: str = Field(default="", max_length=200)
    queue: str = Field(default="", max_length=64)
    members: list[str] = Field(default_factory=list, sa_type=Json)
    create_task: bool = False
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
