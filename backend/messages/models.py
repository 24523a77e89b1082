"""The outbox of SMS and mail."""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, Json, UtcDateTime, new_id, utcnow


class OutboxMessage(Entity, table=True):
    """One SMS or mail. ``state``: ``queued`` (kept here), ``sending``, ``sent``, ``failed`` or ``unknown`` (its sender
    was lost in the act, so it is never repeated by itself)."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("business_id", "key"),
        Index(None, "business_id", "created_at", "id"),
        Index(None, "state", "created_at"),
        Index(None, "customer_id", "created_at"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    key: str = Field(max_length=128)
    channel: str = Field(max_length=8)
    recipients: list[str] = Field(sa_type=Json)
    subject: str = Field(default="", max_length=500)
    text: str = Field(default="", sa_type=Text)
    html: str | None = Field(default=None, sa_type=Text)
    attachments: list[str] = Field(default_factory=list, sa_type=Json)
    customer_id: str | None = Field(default=None, max_length=64)
    state: str = Field(default="queued", max_length=16)
    error: str = Field(default="", max_length=1000)
    reference: str = Field(default="", max_length=255)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
