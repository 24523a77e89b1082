"""Who did what, in a chain of hashes: a changed or missing row breaks every later one (AD2, AD3)."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, Json, UtcDateTime, new_id, utcnow


class AuditEntry(Entity, table=True):
    """One deed. ``hash`` covers the row and ``previous``, the hash of the business's row before."""

    __tablename__ = "audit"
    __table_args__ = (
        UniqueConstraint("business_id", "seq"),
        Index(None, "business_id", "at"),
        Index(None, "business_id", "actor", "at"),
        Index(None, "business_id", "subject", "seq"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    seq: int
    at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    actor: str = Field(max_length=64)
    action: str = Field(max_length=64)
    subject: str = Field(default="", max_length=255)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    address: str = Field(default="", max_length=64)
    previous: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class AuditHead(Entity, table=True):
    """The end of a business's chain: the row that writers lock, and the witness against cutting off the end."""

    __tablename__ = "audit_heads"

    business_id: str = Field(foreign_key="businesses.id", primary_key=True, max_length=64)
    seq: int = 0
    hash: str = Field(default="", max_length=64)
