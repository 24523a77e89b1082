"""Calls that try a flow out before anybody else hears it."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field

from backend.database import Entity, UtcDateTime, new_id, utcnow


class TrialCall(Entity, table=True):
    """One test call. ``plan`` is what it walks, a draft too, kept so that the run stays pinned to it.

    ``token_digest`` is of what a browser dials, once. ``call_id`` is empty until the call exists.
    """

    __tablename__ = "trial_calls"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", index=True, max_length=64)
    user_id: str | None = Field(default=None, max_length=64)
    flow_key: str = Field(max_length=128)
    kind: str = Field(max_length=16)
    standing: str = Field(max_length=32)
    version: int = 0
    plan: bytes = Field(sa_type=LargeBinary, repr=False)
    plan_hash: str = Field(index=True, max_length=64)
    token_digest: str = Field(default="", index=True, max_length=64)
    number: str = Field(default="", max_length=64)
    caller: str = Field(default="", max_length=64)
    called: str = Field(default="", max_length=64)
    language: str = Field(default="", max_length=16)
    call_id: str = Field(default="", max_length=255)
    created_at: datetime = Field(default_factory=utcnow, index=True, sa_type=UtcDateTime)
