"""Test cases of flows and what they came to last."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, Json, UtcDateTime, new_id, utcnow


class FlowCaseRow(Entity, table=True):
    """A `flows.cases.FlowCase` of a flow. ``ran_on`` is the content hash of the document it was last run on."""

    __tablename__ = "flow_cases"
    __table_args__ = (UniqueConstraint("flow_id", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", index=True, max_length=64)
    flow_id: str = Field(foreign_key="flows.id", max_length=64)
    name: str = Field(max_length=200)
    case: dict[str, Any] = Field(sa_type=Json)
    passed: bool | None = None
    result: dict[str, Any] | None = Field(default=None, sa_type=Json)
    ran_on: str = Field(default="", max_length=64)
    ran_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    updated_by: str | None = Field(default=None, max_length=64)
