"""Messages inside the house."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from backend.database import Entity, UtcDateTime, new_id, utcnow


class ChatMessage(Entity, table=True):
    """One message. ``channel`` is ``person:<id>:<id>`` with the ids in order, ``team:<name>`` or ``all``."""

    __tablename__ = "chat_messages"
    __table_args__ = (
        Index(None, "business_id", "channel", "sent_at", "id"),
        Index(None, "business_id", "sent_at", "id"),
        Index(None, "business_id", "sender_id", "sent_at"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    channel: str = Field(max_length=160)
    sender_id: str = Field(foreign_key="users.id", max_length=64)
    text: str = Field(max_length=4000)
    urgent: bool = False
    sent_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class ChatMember(Entity, table=True):
    """Up to where somebody has read a channel."""

    __tablename__ = "chat_members"
    __table_args__ = (Index(None, "user_id"),)

    business_id: str = Field(foreign_key="businesses.id", primary_key=True, max_length=64)
    channel: str = Field(primary_key=True, max_length=160)
    user_id: str = Field(foreign_key="users.id", primary_key=True, max_length=64)
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Announcement(Entity, table=True):
    """What all or a team are told for a while. ``kind`` is ``announcement``, or ``line`` for the running line."""

    __tablename__ = "announcements"
    __table_args__ = (Index(None, "business_id", "kind", "until_at"), Index(None, "business_id", "created_at", "id"))

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    kind: str = Field(default="announcement", max_length=16)
    title: str = Field(default="", max_length=200)
    text: str = Field(default="", max_length=4000)
    team: str = Field(default="", max_length=64)
    urgent: bool = False
    from_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    until_at: datetime = Field(sa_type=UtcDateTime)
    created_by: str | None = Field(default=None, foreign_key="users.id", max_length=64)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class AnnouncementSeen(Entity, table=True):
    """Who has confirmed an announcement."""

    __tablename__ = "announcements_seen"

    announcement_id: str = Field(foreign_key="announcements.id", primary_key=True, max_length=64, ondelete="CASCADE")
    user_id: str = Field(foreign_key="users.id", primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
