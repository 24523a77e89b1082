"""Where flows read business data: SQL sources, named queries, HTTP credentials."""

from datetime import datetime
from typing import Any

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, Json, UtcDateTime, new_id, utcnow


class DataSource(Entity, table=True):
    """A database of the business. ``url`` is sealed: it may hold a password."""

    __tablename__ = "data_sources"
    __table_args__ = (UniqueConstraint("business_id", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    name: str = Field(max_length=128)
    url: str = Field(sa_type=Text, repr=False)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class NamedQuery(Entity, table=True):
    """One read-only SELECT with bound parameters (``:card``)."""

    __tablename__ = "named_queries"
    __table_args__ = (UniqueConstraint("business_id", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    source_id: str = Field(foreign_key="data_sources.id", index=True, max_length=64)
    name: str = Field(max_length=128)
    sql: str = Field(sa_type=Text)
    parameters: list[str] = Field(default_factory=list, sa_type=Json)
    timeout: float = 5.0
    description: str = Field(default="", max_length=500)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class HttpCredential(Entity, table=True):
    """A named credential for outgoing HTTP: header and query names with sealed values.

    ``hosts`` are the only hosts it is sent to.
    """

    __tablename__ = "http_credentials"
    __table_args__ = (UniqueConstraint("business_id", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    name: str = Field(max_length=128)
    headers: dict[str, Any] = Field(default_factory=dict, sa_type=Json, repr=False)
    query: dict[str, Any] = Field(default_factory=dict, sa_type=Json, repr=False)
    hosts: list[str] = Field(default_factory=list, sa_type=Json)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
