"""Leases: one owner at a time, with a number that only grows (fencing)."""

from datetime import datetime

from sqlmodel import Field

from backend.database import Entity, UtcDateTime


class Lease(Entity, table=True):
    """Who owns ``name`` until ``expires_at``. ``fencing`` grows at every change of owner."""

    __tablename__ = "leases"

    name: str = Field(primary_key=True, max_length=128)
    holder: str = Field(max_length=128)
    fencing: int
    expires_at: datetime = Field(sa_type=UtcDateTime)
