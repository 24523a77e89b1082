"""Calls, their legs, the runs of flows and the path (trail) of each run."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text
from sqlmodel import Field

from backend.database import Entity, Json, UtcDateTime, new_id, utcnow
from backend.paging import by_start


class Call(Entity, table=True):
    """One call from its first ring to its end. ``id`` is the gateway's; ``cause`` is a `telephony.driver.HangupCause`.

    ``state`` is ``ringing``, ``up`` or ``ended``; ``outcome`` is how its flow ended.
    """

    __tablename__ = "calls"
    __table_args__ = (
        Index(None, "business_id", "started_at", "id"),
        Index(None, "business_id", "caller", "started_at", **by_start("caller")),
        Index(None, "business_id", "called", "started_at", **by_start("called")),
        Index(None, "business_id", "flow_key", "started_at"),
        Index(None, "business_id", "customer_id", "started_at"),
        Index(None, "business_id", "direction", "started_at"),
        Index(None, "business_id", "cause", "started_at"),
        Index(None, "business_id", "state", "started_at"),
        Index(None, "state", "gateway"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    direction: str = Field(default="inbound", max_length=16)
    gateway: str = Field(default="", max_length=64)
    caller: str = Field(default="", max_length=64)
    caller_name: str = Field(default="", max_length=200)
    called: str = Field(default="", max_length=64)
    anonymous: bool = False
    trunk: str = Field(default="", max_length=32)
    sip_call_id: str = Field(default="", max_length=255)
    language: str = Field(default="", max_length=16)
    customer_id: str | None = Field(default=None, max_length=64)
    flow_key: str = Field(default="", max_length=128)
    flow_version: int | None = None
    run_id: str | None = Field(default=None, index=True, max_length=64)
    state: str = Field(default="ringing", max_length=16)
    cause: str = Field(default="", max_length=32)
    sip_code: int = 0
    outcome: str = Field(default="", max_length=16)
    recording_id: str | None = Field(default=None, max_length=64)
    note: str = Field(default="", max_length=2000)
    started_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Leg(Entity, table=True):
    """One party of a call: the caller, or somebody dialled. ``id`` is the channel's.

    ``kind`` is ``caller``, ``dialled``, ``third`` (consulted or transferred to) or ``supervisor``; ``user_id`` tells
    whose phone it is.
    """

    __tablename__ = "legs"
    __table_args__ = (Index(None, "user_id", "state"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", index=True, max_length=64)
    call_id: str = Field(foreign_key="calls.id", index=True, max_length=64)
    kind: str = Field(default="dialled", max_length=16)
    number: str = Field(default="", max_length=64)
    destination: str = Field(default="", max_length=255)
    user_id: str | None = Field(default=None, max_length=64)
    state: str = Field(default="ringing", max_length=16)
    cause: str = Field(default="", max_length=32)
    sip_code: int = 0
    started_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LiveTalk(Entity, table=True):
    """How the conversation of a live call stands: mode, parties, since when. The row goes with the conversation."""

    __tablename__ = "live_talks"

    call_id: str = Field(primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", index=True, max_length=64)
    state: dict[str, Any] = Field(sa_type=Json)
    changed_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class Run(Entity, table=True):
    """One run of a flow version, with or without a call.

    ``state`` is ``running`` or a `flows.task.FlowResult` outcome (``completed``, ``hangup``, ``failed``, ``stopped``).
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index(None, "business_id", "started_at", "id"),
        Index(None, "business_id", "flow_key", "started_at"),
        Index(None, "business_id", "state", "started_at"),
    )

    id: str = Field(primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    flow_key: str = Field(max_length=128)
    flow_version: int
    plan_hash: str = Field(default="", max_length=64)
    alias: str = Field(default="", max_length=32)
    kind: str = Field(default="", max_length=16)
    call_id: str | None = Field(default=None, index=True, max_length=64)
    campaign: str = Field(default="", max_length=64)
    state: str = Field(default="running", max_length=16)
    reason: str = Field(default="", max_length=500)
    inputs: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    outputs: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    steps: int = 0
    started_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TrailEntry(Entity, table=True):
    """A `flows.task.TrailStep` in the database; one row a step, replaced when the step is completed."""

    __tablename__ = "trail"
    __table_args__ = (
        Index(None, "call_id", "entered"),
        Index(None, "business_id", "flow_key", "node_id", "entered"),
    )

    run_id: str = Field(primary_key=True, max_length=64)
    seq: int = Field(primary_key=True)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    call_id: str | None = Field(default=None, max_length=64)
    flow_key: str = Field(default="", max_length=128)
    node_id: str = Field(max_length=128)
    node_type: str = Field(max_length=128)
    node_name: str = Field(default="", max_length=200)
    attempt: int = 1
    entered: datetime = Field(sa_type=UtcDateTime)
    left: datetime | None = Field(default=None, sa_type=UtcDateTime)
    port: str | None = Field(default=None, max_length=128)
    outputs: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    said: list[str] = Field(default_factory=list, sa_type=Json)
    error: str | None = Field(default=None, max_length=128)
    error_message: str | None = Field(default=None, sa_type=Text)
    changes: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
