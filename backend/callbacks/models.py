"""Rules that start flows, and what they have started."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.database import Entity, Json, UtcDateTime, new_id, utcnow


class FlowRule(Entity, table=True):
    """When something happens, start a flow. ``event`` is a `backend.callbacks.events.Happening`.

    ``filter`` narrows it: ``queues``, ``boxes``, ``numbers`` (starts of the called number), ``min_wait`` seconds.
    ``inputs`` are set beside the event's own, by name.
    """

    __tablename__ = "flow_rules"
    __table_args__ = (Index(None, "business_id", "event"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    name: str = Field(max_length=200)
    event: str = Field(max_length=32)
    filter: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    flow: str = Field(max_length=128)
    alias: str = Field(default="live", max_length=32)
    inputs: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    enabled: bool = False
    enabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class RuleStart(Entity, table=True):
    """A rule met an event: one row for each pair, so that each starts once.

    ``state`` is ``waiting``, ``started`` or ``failed`` (with ``error``).
    """

    __tablename__ = "rule_starts"
    __table_args__ = (Index(None, "business_id", "at"), Index(None, "state", "at"))

    rule_id: str = Field(foreign_key="flow_rules.id", primary_key=True, max_length=64, ondelete="CASCADE")
    event_id: str = Field(primary_key=True, max_length=96)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    run_id: str = Field(max_length=64)
    inputs: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    state: str = Field(default="waiting", max_length=16)
    tries: int = 0
    error: str = Field(default="", max_length=500)
    at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class EventMark(Entity, table=True):
    """Up to when a reader of events has seen everything."""

    __tablename__ = "event_marks"

    name: str = Field(primary_key=True, max_length=64)
    at: datetime = Field(sa_type=UtcDateTime)
