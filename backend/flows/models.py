"""Flows: a draft that people edit, versions that never change, aliases that point at versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from backend.database import Entity, Json, UtcDateTime, new_id, utcnow


class Flow(Entity, table=True):
    """A flow of a business. ``key`` is the document's id, one in the business; ``revision`` guards the draft.

    ``cases_required``: no version is published while one of its test cases is red. ``draft_hash`` is the content
    hash of the draft, empty when it was stored before there was one.
    """

    __tablename__ = "flows"
    __table_args__ = (UniqueConstraint("business_id", "key"), Index(None, "business_id", "archived", "name"))

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    key: str = Field(max_length=128)
    name: str = Field(max_length=200)
    kind: str = Field(max_length=16)
    folder: str = Field(default="", max_length=200, sa_column_kwargs={"server_default": ""})
    tags: list[str] = Field(default_factory=list, sa_type=Json, sa_column_kwargs={"server_default": text("'[]'")})
    draft: dict[str, Any] = Field(sa_type=Json)
    draft_hash: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
    revision: int = 1
    archived: bool = False
    cases_required: bool = False
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    updated_by: str | None = Field(default=None, max_length=64)


class FlowVersion(Entity, table=True):
    """A published version: the document and its compiled plan, immutable."""

    __tablename__ = "flow_versions"
    __table_args__ = (UniqueConstraint("flow_id", "number"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", index=True, max_length=64)
    flow_id: str = Field(foreign_key="flows.id", max_length=64)
    number: int
    document: dict[str, Any] = Field(sa_type=Json)
    document_hash: str = Field(max_length=64)
    plan: bytes = Field(sa_type=LargeBinary, repr=False)
    plan_hash: str = Field(index=True, max_length=64)
    author: str | None = Field(default=None, max_length=64)
    note: str = Field(default="", max_length=2000)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class FlowAlias(Entity, table=True):
    """``live`` or ``test`` of a flow: the version that new runs begin with."""

    __tablename__ = "flow_aliases"
    __table_args__ = (UniqueConstraint("flow_id", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", index=True, max_length=64)
    flow_id: str = Field(foreign_key="flows.id", max_length=64)
    name: str = Field(max_length=32)
    version_id: str = Field(foreign_key="flow_versions.id", max_length=64)
    moved_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    moved_by: str | None = Field(default=None, max_length=64)
