"""Whose data a role lets somebody see: their own, that of their group, or everybody's (AD1).

A role says how far it reaches (`Scope`); for a person that comes to a set of `People`, found when they are signed in.
Each room knows by which columns its rows belong to people, and asks `only` for the condition of a list and `sees`
for a single row. A group is the team of an agent.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, or_, true
from sqlmodel import col, select

from backend.agents.models import Agent
from backend.database import AsyncSession

People = frozenset[str] | None
"""Users by id; None is everybody."""


class Scope(StrEnum):
    """How far a role reaches, the narrowest first."""

    OWN = "own"
    GROUP = "group"
    ALL = "all"

    def within(self, other: "Scope") -> bool:
        """Whether it reaches no further than the other one."""
        order = list(Scope)
        return order.index(self) <= order.index(other)


def people_of(scope: Scope, user_id: str | None, mates: Iterable[str] = ()) -> People:
    """Whose data a person sees who holds a role of this scope. `mates` are the others of the group."""
    if scope is Scope.ALL:
        return None
    own = frozenset({user_id} if user_id is not None else ())
    return own | frozenset(mates) if scope is Scope.GROUP else own


async def mates_of(session: AsyncSession, business_id: str, user_id: str) -> list[str]:
    """The agents of a person's team; nobody for who is in none."""
    mine = select(Agent.team).where(Agent.business_id == business_id, Agent.user_id == user_id, Agent.team != "")
    found = select(Agent.user_id).where(Agent.business_id == business_id, col(Agent.team).in_(mine))
    return list(await session.exec(found))


def only(people: People, *owners: Any) -> ColumnElement[bool]:
    """A condition: one of the columns `owners` names one of these people."""
    if people is None:
        return true()
    return or_(*(col(owner).in_(people) for owner in owners))


def sees(people: People, *owners: str | None) -> bool:
    """As `only`, for the values of one row."""
    return people is None or any(owner in people for owner in owners if owner is not None)
