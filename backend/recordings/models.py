"""Recordings of calls. The audio is a file under the recording folder; the row holds its relative path."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, false
from sqlmodel import Field

from backend.database import Entity, UtcDateTime, new_id, utcnow
from backend.paging import by_start


class Recording(Entity, table=True):
    """One recording. ``key`` makes a save idempotent; what its call was about is copied, so that searches are quick.

    ``result`` is how the call ended: its flow's outcome, else the cause.
    """

    __tablename__ = "recordings"
    __table_args__ = (
        UniqueConstraint("business_id", "key"),
        Index(None, "business_id", "created_at", "id"),
        Index(None, "call_id"),
        Index(None, "customer_id", "created_at"),
        Index(None, "business_id", "caller", "created_at", **by_start("caller")),
        Index(None, "business_id", "called", "created_at", **by_start("called")),
        Index(None, "business_id", "agent_id", "created_at"),
        Index(None, "business_id", "queue", "created_at"),
        Index(None, "business_id", "result", "created_at"),
        Index(None, "business_id", "seconds"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    key: str = Field(max_length=128)
    call_id: str | None = Field(default=None, max_length=64)
    path: str = Field(max_length=255)
    seconds: float = 0.0
    bytes: int = 0
    complete: bool = True
    direction: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    caller: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
    called: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
    agent_id: str | None = Field(default=None, max_length=64)
    queue: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
    customer_id: str | None = Field(default=None, max_length=64)
    result: str = Field(default="", max_length=32, sa_column_kwargs={"server_default": ""})
    kept: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Kept whatever the rules of retention say."""
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class RecordingRule(Entity, table=True):
    """Which calls are recorded. The first rule that fits decides, in the order of ``position``.

    ``scope`` is ``all``, ``number`` (called or calling, by its start), ``queue`` or ``agent``, and ``value`` which one.
    ``share`` is the percentage of the fitting calls; ``announce`` tells people before it begins.
    """

    __tablename__ = "recording_rules"
    __table_args__ = (Index(None, "business_id", "position"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    name: str = Field(default="", max_length=200)
    scope: str = Field(default="all", max_length=16)
    value: str = Field(default="", max_length=64)
    direction: str = Field(default="", max_length=16)
    share: int = 100
    announce: bool = False
    announcement_zh: str = Field(default="", max_length=500)
    announcement_en: str = Field(default="", max_length=500)
    position: int = 0
    enabled: bool = True


class RetentionRule(Entity, table=True):
    """How long sound is kept. ``what`` is ``recording`` or ``voicemail``; the most particular rule decides."""

    __tablename__ = "retention_rules"
    __table_args__ = (Index(None, "business_id", "what"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    name: str = Field(default="", max_length=200)
    what: str = Field(default="recording", max_length=16)
    scope: str = Field(default="all", max_length=16)
    value: str = Field(default="", max_length=128)
    days: int
    enabled: bool = True
    deleted: int = 0
    ran_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CopyTarget(Entity, table=True):
    """Where second copies of recordings and messages go: ``folder`` or ``s3`` (any compatible store).

    ``secret_key`` is sealed.
    """

    __tablename__ = "copy_targets"
    __table_args__ = (UniqueConstraint("business_id", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    name: str = Field(max_length=64)
    kind: str = Field(max_length=8)
    folder: str = Field(default="", max_length=500)
    endpoint: str = Field(default="", max_length=255)
    secure: bool = True
    region: str = Field(default="", max_length=64)
    bucket: str = Field(default="", max_length=64)
    prefix: str = Field(default="", max_length=200)
    access_key: str = Field(default="", max_length=255)
    secret_key: str = Field(default="", max_length=1024, repr=False)
    enabled: bool = True
    error: str = Field(default="", max_length=1000)
    copied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class FileCopy(Entity, table=True):
    """The second copy of one file at one target. ``state`` is ``waiting``, ``done`` or ``failed`` (given up)."""

    __tablename__ = "file_copies"
    __table_args__ = (Index(None, "target_id", "state", "next_at"), Index(None, "path"))

    target_id: str = Field(foreign_key="copy_targets.id", primary_key=True, max_length=64, ondelete="CASCADE")
    path: str = Field(primary_key=True, max_length=255)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    state: str = Field(default="waiting", max_length=16)
    tries: int = 0
    next_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    error: str = Field(default="", max_length=1000)
    bytes: int = 0
    at: datetime | None = Field(default=None, sa_type=UtcDateTime)
