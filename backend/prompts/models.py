"""The prompt library: one name, one recording or text per language."""

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field

from backend.database import Entity, UtcDateTime, new_id, utcnow


class Prompt(Entity, table=True):
    """A prompt in one language: ``file`` (relative to the prompt folder) wins over ``text``."""

    __tablename__ = "prompts"
    __table_args__ = (UniqueConstraint("business_id", "name", "language"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    business_id: str = Field(foreign_key="businesses.id", max_length=64)
    name: str = Field(max_length=128)
    language: str = Field(max_length=16)
    text: str = Field(default="", sa_type=Text)
    file: str = Field(default="", max_length=255)
    seconds: float = 0.0
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
