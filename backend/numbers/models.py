"""The number plan: numbers called from outside, trunks, extensions, and what may be dialled."""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint, true
from sqlmodel import Field

from backend.database import Entity, Json, UtcDateTime, new_id, utcnow


class PhoneNumber(Entity, table=True):
    """A number callers dial (DID or short number) and the flow it reaches, by alias or by a fixed version."""

    __tablename__ = "phone_numbers"
    __table_args__ = (Index(None, "business_id", "number"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    number: str = Field(unique=True, max_length=32)
    name: str = Field(default="", max_length=200)
    flow_id: str | None = Field(default=None, foreign_key="flows.id", index=True, max_length=64)
    alias: str = Field(default="live", max_length=32)
    version: int | None = None
    language: str = Field(default="", max_length=16)
    enabled: bool = True
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class Trunk(Entity, table=True):
    """A SIP trunk. ``password`` is sealed. ``addresses`` are the far end's, for calls that come in.

    ``encryption``  of the sound: ``off`` or ``srtp`` (keys by SDES, so signalling should be ``tls``)
    ``verify``      over ``tls``: its certificate must be for ``host`` and signed by ``authority`` (PEM), or by one that
                    this machine trusts
    """

    __tablename__ = "trunks"
    __table_args__ = (Index(None, "business_id", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    name: str = Field(unique=True, max_length=32)
    host: str = Field(max_length=255)
    port: int = 5060
    transport: str = Field(default="udp", max_length=8)
    encryption: str = Field(default="off", max_length=8, sa_column_kwargs={"server_default": "off"})
    verify: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    authority: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    username: str = Field(default="", max_length=128)
    password: str = Field(default="", max_length=1024, repr=False)
    registers: bool = False
    addresses: list[str] = Field(default_factory=list, sa_type=Json)
    caller_id: str = Field(default="", max_length=32)
    codecs: list[str] = Field(default_factory=lambda: ["alaw", "ulaw"], sa_type=Json)
    max_calls: int = 100
    priority: int = 10
    enabled: bool = True
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class TrunkState(Entity, table=True):
    """How a gateway found a trunk: `backend.numbers.lines.State`, since when, and when it looked last."""

    __tablename__ = "trunk_states"

    trunk_id: str = Field(foreign_key="trunks.id", primary_key=True, max_length=64, ondelete="CASCADE")
    gateway: str = Field(primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", index=True, max_length=64)
    state: str = Field(max_length=16)
    since: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    seen_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class Extension(Entity, table=True):
    """A SIP phone of the house, 3 to 6 digits. ``password`` is sealed."""

    __tablename__ = "extensions"
    __table_args__ = (Index(None, "business_id", "number"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    number: str = Field(unique=True, max_length=6)
    name: str = Field(default="", max_length=200)
    password: str = Field(max_length=1024, repr=False)
    user_id: str | None = Field(default=None, foreign_key="users.id", index=True, max_length=64)
    enabled: bool = True
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class OutboundRule(Entity, table=True):
    """What a business may dial in one number class, and how often an hour (0 refuses)."""

    __tablename__ = "outbound_rules"
    __table_args__ = (UniqueConstraint("business_id", "number_class"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    number_class: str = Field(max_length=16)
    max_per_hour: int
    from_hour: int = 0
    to_hour: int = 24
    trunk_id: str | None = Field(default=None, foreign_key="trunks.id", index=True, max_length=64)


class OutboundUse(Entity, table=True):
    """How many calls of a class began in an hour."""

    __tablename__ = "outbound_use"

    business_id: str = Field(foreign_key="businesses.id", primary_key=True, max_length=64)
    number_class: str = Field(primary_key=True, max_length=16)
    hour: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    calls: int = 0


class EmergencyRoute(Entity, table=True):
    """Where an emergency number goes, past every cap. ``destination`` is an extension or a trunk's name."""

    __tablename__ = "emergency_routes"
    __table_args__ = (UniqueConstraint("business_id", "number"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    number: str = Field(max_length=16)
    destination: str = Field(max_length=64)
