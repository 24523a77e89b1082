"""Which common work somebody sees: that of their own queues and team."""

from sqlmodel import col, select

from backend.agents.models import Agent
from backend.database import AsyncSession
from backend.queues.models import Queue, QueueMember
from backend.tasks.service import Memberships


async def memberships_of(session: AsyncSession, business_id: str, user_id: str) -> Memberships:
    """The queues and the team of an agent; who serves no queue and is no agent sees all."""
    found = await session.exec(
        select(Queue.name)
        .join(QueueMember, col(QueueMember.queue_id) == col(Queue.id))
        .where(QueueMember.user_id == user_id, Queue.business_id == business_id)
    )
    names = frozenset(found)
    agent = await session.get(Agent, user_id)
    if agent is None and not names:
        return Memberships()
    return Memberships(names, frozenset({agent.team} if agent is not None and agent.team else ()))
