"""Customers, their numbers and their PINs."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlmodel import Field

from backend.database import Entity, Json, UtcDateTime, new_id, utcnow
from backend.paging import by_start


class Customer(Entity, table=True):
    """A customer. ``fields`` holds what the business added; the PIN exists only as an argon2id hash."""

    __tablename__ = "customers"
    __table_args__ = (
        UniqueConstraint("business_id", "card"),
        Index(None, "business_id", "name", "id", **by_start("name")),
        Index("ix_customers_card_start", "business_id", "card", **by_start("card")),
        Index(None, "business_id", "created_at", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    name: str = Field(default="", max_length=200)
    card: str | None = Field(default=None, max_length=64)
    gender: str = Field(default="", max_length=16)
    address: str = Field(default="", max_length=500)
    level: str = Field(default="", max_length=32)
    language: str = Field(default="", max_length=16)
    note: str = Field(default="", max_length=2000)
    background: str = Field(default="", max_length=4000, sa_column_kwargs={"server_default": ""})
    channels: list[str] = Field(
        default_factory=list, sa_column=Column(Json, nullable=False, server_default=text("'[]'"))
    )
    gift_consent: bool | None = None
    fields: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    pin_hash: str | None = Field(default=None, max_length=255, repr=False)
    wrong_pins: int = 0
    pin_locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class CustomerPhone(Entity, table=True):
    """A number of a customer, E.164."""

    __tablename__ = "customer_phones"
    __table_args__ = (
        UniqueConstraint("customer_id", "number"),
        Index(None, "business_id", "number", **by_start("number")),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    customer_id: str = Field(foreign_key="customers.id", max_length=64, ondelete="CASCADE")
    number: str = Field(max_length=32)
    position: int = 0


class PinTry(Entity, table=True):
    """The result of one PIN check by its key, so that a check that runs again counts once."""

    __tablename__ = "pin_tries"
    __table_args__ = (Index(None, "at"),)

    business_id: str = Field(foreign_key="businesses.id", primary_key=True, max_length=64)
    key: str = Field(primary_key=True, max_length=128)
    customer_id: str | None = Field(
        default=None, foreign_key="customers.id", index=True, max_length=64, ondelete="CASCADE"
    )
    result: str = Field(max_length=16)
    left: int = 0
    at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class CustomerField(Entity, table=True):
    """A field that the business adds. ``kind`` is a `backend.customers.fields.Kind`; ``choices`` are value, zh, en."""

    __tablename__ = "customer_fields"
    __table_args__ = (UniqueConstraint("business_id", "key"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    key: str = Field(max_length=64)
    label_zh: str = Field(max_length=200)
    label_en: str = Field(max_length=200)
    kind: str = Field(default="text", max_length=16)
    required: bool = False
    choices: list[dict[str, str]] = Field(default_factory=list, sa_type=Json)
    position: int = 0
    enabled: bool = True


class CustomerLevel(Entity, table=True):
    """A level of customers (gold ...). ``priority`` is what queues add to a caller's own, ``vip`` marks the best."""

    __tablename__ = "customer_levels"
    __table_args__ = (UniqueConstraint("business_id", "key"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    key: str = Field(max_length=32)
    label_zh: str = Field(max_length=200)
    label_en: str = Field(max_length=200)
    vip: bool = False
    priority: int = 0
    colour: str = Field(default="", max_length=16)
    position: int = 0


class CustomerNote(Entity, table=True):
    """What somebody wrote down about a customer."""

    __tablename__ = "customer_notes"
    __table_args__ = (Index(None, "customer_id", "created_at", "id"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    customer_id: str = Field(foreign_key="customers.id", max_length=64, ondelete="CASCADE")
    user_id: str | None = Field(default=None, foreign_key="users.id", max_length=64)
    author: str = Field(default="", max_length=200)
    text: str = Field(max_length=4000)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
