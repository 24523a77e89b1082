"""Tasks of people."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, UtcDateTime, new_id, utcnow

OPEN = ("open", "taken")
ENDED = ("done", "given_up", "expired", "cancelled")


class Task(Entity, table=True):
    """One thing to be done by a person.

    ``kind``    ``callback``, ``voicemail``, ``missed``, ``planned`` or ``work`` (anything else, mostly a flow's)
    ``state``   ``open``, ``taken`` (somebody is at it), then one of `ENDED`
    whose       ``assignee``; without one everybody in ``queue`` or ``team``; without those everybody
    ``key``     makes a creation idempotent
    ``expires_at``  when it is too late; a flow that waits goes on then
    ``run_id``  the flow that waits for its end and is told by the signal ``task.<id>``; ``told`` when it was
    """

    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("business_id", "key"),
        Index(None, "business_id", "state", "due_at", "id"),
        Index(None, "business_id", "assignee", "state", "due_at"),
        Index(None, "business_id", "done_by", "done_at"),
        Index(None, "business_id", "kind", "state", "due_at"),
        Index(None, "business_id", "queue", "state", "due_at"),
        Index(None, "business_id", "created_at", "id"),
        Index(None, "customer_id", "created_at"),
        Index(None, "call_id"),
        Index(None, "voicemail_id"),
        Index(None, "state", "remind_at"),
        Index(None, "state", "expires_at"),
        Index(None, "told", "run_id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    key: str = Field(max_length=160)
    kind: str = Field(default="work", max_length=16)
    title: str = Field(default="", max_length=300)
    note: str = Field(default="", max_length=4000)
    state: str = Field(default="open", max_length=16)
    priority: int = 5
    due_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    remind_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    assignee: str | None = Field(default=None, foreign_key="users.id", max_length=64)
    team: str = Field(default="", max_length=64)
    queue: str = Field(default="", max_length=64)
    customer_id: str | None = Field(default=None, max_length=64)
    call_id: str | None = Field(default=None, max_length=64)
    voicemail_id: str | None = Field(default=None, max_length=64)
    number: str = Field(default="", max_length=64)
    attempts: int = 0
    last_attempt_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    result: str = Field(default="", max_length=64)
    result_note: str = Field(default="", max_length=4000)
    origin: str = Field(default="person", max_length=16)
    run_id: str | None = Field(default=None, max_length=64)
    told: bool = True
    created_by: str | None = Field(default=None, foreign_key="users.id", max_length=64)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    done_by: str | None = Field(default=None, foreign_key="users.id", max_length=64)
