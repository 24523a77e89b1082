"""Calendars: when a business is open (FL10)."""

from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, Json, new_id


class CalendarRow(Entity, table=True):
    """A calendar as stored; `backend.calendars.hours.Calendar` is what it means."""

    __tablename__ = "calendars"
    __table_args__ = (UniqueConstraint("business_id", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    name: str = Field(max_length=128)
    timezone: str = Field(max_length=64)
    week: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    days: list[Any] = Field(default_factory=list, sa_type=Json)
