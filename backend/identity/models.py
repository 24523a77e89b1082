"""Businesses, the people who sign in, and their sessions."""

from datetime import datetime

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, UtcDateTime, new_id, utcnow
from backend.identity.scope import Scope


class Business(Entity, table=True):
    """One tenant. Every row of business data carries its id (AC7)."""

    __tablename__ = "businesses"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    name: str = Field(max_length=200)
    timezone: str = Field(default="Asia/Shanghai", max_length=64)
    country: str = Field(default="CN", max_length=2)
    language: str = Field(default="zh", max_length=16)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class OwnRole(Entity, table=True):
    """A role that a business made beside the ready ones.

    ``permissions`` holds values of `Permission`, ``scope`` one of `Scope`: whose data it reaches.
    """

    __tablename__ = "own_roles"
    __table_args__ = (UniqueConstraint("business_id", "title"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    business_id: str = Field(foreign_key="businesses.id", index=True, max_length=64)
    title: str = Field(max_length=60)
    permissions: list[str] = Field(default_factory=list, sa_type=JSON)
    scope: str = Field(default=Scope.ALL.value, max_length=8, sa_column_kwargs={"server_default": Scope.ALL.value})
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class User(Entity, table=True):
    """A person who signs in. ``name`` is the sign-in name, one in the whole installation.

    ``role`` is a ready role, or the id of an `OwnRole`.
    """

    __tablename__ = "users"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", index=True, max_length=64)
    name: str = Field(unique=True, max_length=64)
    display_name: str = Field(default="", max_length=200)
    role: str = Field(max_length=32)
    password_hash: str = Field(max_length=255, repr=False)
    must_change_password: bool = False
    active: bool = True
    failed_tries: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    password_changed_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    signed_in_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class UserSession(Entity, table=True):
    """A sign-in. ``id`` is the SHA-256 of the cookie's token: a stolen database opens no session."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "expires_at"),)

    id: str = Field(primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    user_id: str = Field(foreign_key="users.id", index=True, max_length=64)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    seen_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    address: str = Field(default="", max_length=64)
    agent: str = Field(default="", max_length=300)
