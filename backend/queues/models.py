"""Queues, their members, and everybody who waited in them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, Json, UtcDateTime, new_id, utcnow

LIVE = ("waiting", "offered", "talking")
TRANSFER = "transfer"


class Queue(Entity, table=True):
    """A queue and its rules. ``name`` is what flows, rules and reports call it by.

    ``strategy``         one of `backend.queues.match.Strategy`
    ``last_agent``       callers prefer who served them last; for ``last_agent_seconds`` they wait for nobody else
    ``skills``           the least level of each skill that is needed
    ``seats``            who may serve, empty for all; supervisors always come last
    ``age_seconds``      so long a wait is worth one step of priority
    ``overflow``         [{queue, after_seconds, when: always | no_agents}]: whose agents serve too, after a while
    ``outside_number``   where callers go whom ``outside_after`` agents did not answer, empty for nowhere
    ``max_waiting``      0 for no limit
    ``wrap_up_seconds``  work after a call; -1 until it is ended by hand
    ``thresholds``       {waiting, longest, service_level, expected}: from where on the wall shows a warning
    ``music``            a folder of music for who waits, where the flow has not chosen one; empty for the built-in tune
    ``record``           False keeps the talks of its callers out of recordings, unless a rule says otherwise
    ``pop_url``          a template of the company's own page, with {caller} {called} {call} {customer} {queue}
    """

    __tablename__ = "queues"
    __table_args__ = (UniqueConstraint("business_id", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    name: str = Field(max_length=64)
    label_zh: str = Field(max_length=200)
    label_en: str = Field(max_length=200)
    strategy: str = Field(default="longest_idle", max_length=16)
    last_agent: bool = False
    last_agent_seconds: int = 0
    skills: dict[str, int] = Field(default_factory=dict, sa_type=Json)
    seats: list[str] = Field(default_factory=list, sa_type=Json)
    priority: int = 0
    age_seconds: int = 60
    ring_seconds: int = 20
    again_seconds: int = 20
    overflow: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    outside_number: str = Field(default="", max_length=32)
    outside_after: int = 3
    max_waiting: int = 0
    music: str = Field(default="", max_length=64)
    wrap_up_seconds: int = 15
    service_level_seconds: int = 20
    service_level_target: int = 80
    thresholds: dict[str, int] = Field(default_factory=dict, sa_type=Json)
    script: str = Field(default="", max_length=8000)
    pop_url: str = Field(default="", max_length=1000)
    record: bool = True
    enabled: bool = True
    position: int = 0
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class QueueMember(Entity, table=True):
    """An agent serves a queue. ``position`` is the ring order, smaller first."""

    __tablename__ = "queue_members"
    __table_args__ = (Index(None, "business_id", "user_id"),)

    queue_id: str = Field(foreign_key="queues.id", primary_key=True, max_length=64, ondelete="CASCADE")
    user_id: str = Field(foreign_key="users.id", primary_key=True, max_length=64, ondelete="CASCADE")
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    position: int = 0


class QueueEntry(Entity, table=True):
    """One caller's stay in a queue, from entering to leaving: the line itself, and later its record.

    ``key``        names the flow's step: entering twice finds the same place
    ``place_at``   since when the caller counts as waiting: their place in line, kept over transfers and callbacks
    ``state``      ``waiting``, ``offered`` (to ``agent_id``, or outside), ``talking``, ``done``
    ``outcome``    why it ended: ``served``, ``abandoned``, ``timeout``, ``voicemail``, ``callback``, ``key``, ``full``,
                   ``closed``, ``moved`` ...
    ``kind``       ``call``; ``callback``: nobody is on the line, ``number`` is to be called back; or ``transfer``: no
                   queue gave the caller to ``agent_id``, a colleague did
    ``wanted``     the one agent the caller asked for or was given to, or None
    ``tried``      when each agent may be offered this caller again, by user id
    ``offer``      how many offers there were; with the key it names the leg that rings
    ``back_until`` so long the caller is offered to the agent whose phone was lost in the talk, before anybody else
    ``attempt``    how often a call-back reached nobody, of ``attempts``; after each it waits ``pause_seconds``, until
                   ``not_before``
    """

    __tablename__ = "queue_entries"
    __table_args__ = (
        UniqueConstraint("business_id", "key"),
        Index(None, "business_id", "state", "queue"),
        Index(None, "business_id", "queue", "entered_at"),
        Index(None, "business_id", "entered_at", "id"),
        Index(None, "business_id", "caller", "ended_at"),
        Index(None, "agent_id", "entered_at"),
        Index(None, "call_id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    key: str = Field(max_length=160)
    kind: str = Field(default="call", max_length=16)
    queue: str = Field(max_length=64)
    call_id: str = Field(default="", max_length=64)
    gateway: str = Field(default="", max_length=64)
    caller: str = Field(default="", max_length=64)
    called: str = Field(default="", max_length=64)
    number: str = Field(default="", max_length=64)
    customer_id: str | None = Field(default=None, max_length=64)
    customer_name: str = Field(default="", max_length=200)
    language: str = Field(default="", max_length=16)
    priority: int = 0
    vip: bool = False
    transferred: bool = False
    skills: dict[str, int] = Field(default_factory=dict, sa_type=Json)
    wanted: str | None = Field(default=None, max_length=64)
    last_agent: str | None = Field(default=None, max_length=64)
    flow: str = Field(default="", max_length=128)
    place_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    entered_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    state: str = Field(default="waiting", max_length=16)
    agent_id: str | None = Field(default=None, max_length=64)
    outside: str = Field(default="", max_length=64)
    offer: int = 0
    offered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    tried: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    back_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str = Field(default="", max_length=16)
    attempt: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    attempts: int = Field(default=3, sa_column_kwargs={"server_default": "3"})
    pause_seconds: int = Field(default=900, sa_column_kwargs={"server_default": "900"})
    not_before: datetime | None = Field(default=None, sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When the next thing happens by itself: an overflow opens, an agent may be tried again."""
