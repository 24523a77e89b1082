"""Agents, their teams and reasons, and the log of their states."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, Json, UtcDateTime, new_id, utcnow


class Agent(Entity, table=True):
    """A person who takes calls: the profile, and what they do now (`backend.agents.machine.Desk`).

    ``phone_kind``      ``browser``, ``sip`` (both ring at the extension) or ``outside`` (a number anywhere)
    ``seat``            ``ordinary``, ``expert`` or ``supervisor``
    ``skills``          level 1 to 9 by name
    ``wrap_up_seconds`` None for the queue's; ``wrap_up_by_hand`` ends it only by hand
    ``auto_release``    the phone is hung up with the other side; else by hand, and the agent is busy until then
    ``call_id``         the call they are offered or talk in; ``entry_id`` its place in the queue ``queue``
    ``help_since``      since when they call for help, with ``help_note``, in ``help_call``; ``help_by`` who answers
    """

    __tablename__ = "agents"
    __table_args__ = (
        Index(None, "business_id", "state"),
        Index(None, "business_id", "team"),
        Index(None, "business_id", "extension"),
        Index(None, "state", "until"),
    )

    user_id: str = Field(foreign_key="users.id", primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    extension: str = Field(default="", max_length=6)
    phone_kind: str = Field(default="browser", max_length=16)
    outside_number: str = Field(default="", max_length=32)
    seat: str = Field(default="ordinary", max_length=16)
    skills: dict[str, int] = Field(default_factory=dict, sa_type=Json)
    team: str = Field(default="", max_length=64)
    auto_answer: bool = False
    auto_release: bool = True
    wrap_up_seconds: int | None = None
    wrap_up_by_hand: bool = False
    max_misses: int = 2
    enabled: bool = True

    state: str = Field(default="signed_out", max_length=16)
    reason: str = Field(default="", max_length=64)
    since: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    wish: str = Field(default="", max_length=16)
    wish_reason: str = Field(default="", max_length=64)
    idle_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    signed_in_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    misses: int = 0
    calls: int = 0
    busy_seconds: float = 0.0
    call_id: str = Field(default="", max_length=64)
    entry_id: str = Field(default="", max_length=64)
    queue: str = Field(default="", max_length=64)
    help_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    help_note: str = Field(default="", max_length=500, sa_column_kwargs={"server_default": ""})
    help_call: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
    help_by: str | None = Field(default=None, max_length=64)


class AgentReason(Entity, table=True):
    """A reason for not being ready, as the business names it. ``paid`` ones count as work in reports.

    Who is not ready for it longer than ``limit_minutes`` (0 for no limit) is warned, and marked on the wall.
    """

    __tablename__ = "agent_reasons"
    __table_args__ = (UniqueConstraint("business_id", "key"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    key: str = Field(max_length=64)
    label_zh: str = Field(max_length=200)
    label_en: str = Field(max_length=200)
    paid: bool = True
    limit_minutes: int = 0
    position: int = 0
    enabled: bool = True


class Team(Entity, table=True):
    """A group of agents."""

    __tablename__ = "teams"
    __table_args__ = (UniqueConstraint("business_id", "key"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    key: str = Field(max_length=64)
    name: str = Field(max_length=200)


class AgentStateLog(Entity, table=True):
    """One stretch of one state of one agent; the last one is open."""

    __tablename__ = "agent_state_log"
    __table_args__ = (
        Index(None, "business_id", "began_at", "id"),
        Index(None, "user_id", "began_at", "id"),
        Index(None, "user_id", "ended_at"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    user_id: str = Field(foreign_key="users.id", max_length=64)
    state: str = Field(max_length=16)
    reason: str = Field(default="", max_length=64)
    team: str = Field(default="", max_length=64)
    queue: str = Field(default="", max_length=64)
    call_id: str = Field(default="", max_length=64)
    by: str = Field(default="", max_length=64)
    began_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    seconds: float = 0.0
