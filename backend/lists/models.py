"""Black, white and VIP lists (VO8)."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, UtcDateTime, new_id, utcnow


class NumberList(Entity, table=True):
    """A named list; ``kind`` is ``black``, ``white`` or ``vip``."""

    __tablename__ = "number_lists"
    __table_args__ = (UniqueConstraint("business_id", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    name: str = Field(max_length=128)
    kind: str = Field(max_length=16)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class ListEntry(Entity, table=True):
    """One number on a list, E.164 (or a short number as dialled), with an end when it is for a time."""

    __tablename__ = "list_entries"
    __table_args__ = (UniqueConstraint("list_id", "number"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", index=True, max_length=64)
    list_id: str = Field(foreign_key="number_lists.id", max_length=64, ondelete="CASCADE")
    number: str = Field(max_length=32)
    note: str = Field(default="", max_length=500)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
