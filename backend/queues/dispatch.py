"""The matching of callers and agents, in one transaction with whatever made it necessary.

The database is the only truth about who waits and who is free. Every change of it goes through `floor`, which lets
one process at a time change the floor of a business, and ends by matching: so an offer is never made twice, whoever
dies, and a change and the offers that follow from it are one act. Nothing has to be running for a queue to go on but
whoever makes changes; a minute hand (`backend.queues.minder`) wakes what is due by the mere passing of time.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import text as sql
from sqlmodel import col, select

from backend.agents.live import happen
from backend.agents.machine import Missed, Offered, Withdrawn, WrapUpDone
from backend.agents.models import Agent
from backend.database import AsyncSession, Database, utcnow, write
from backend.events import record
from backend.queues.match import Free, Overflow, QueueRules, Strategy, Waiting, match, next_change
from backend.queues.models import Queue, QueueEntry, QueueMember

ENTRY = "queue.entry"
"""The topic of every change of somebody's stay in a queue."""


@asynccontextmanager
async def floor(db: Database, business_id: str) -> AsyncIterator[AsyncSession]:
    """Change who waits or what agents do; the offers that follow are made in the same transaction."""
    # Whoever waits for their turn here holds no connection meanwhile, which a lease may need to be renewed.
    async with db.turns.setdefault(business_id, asyncio.Lock()), write(db) as session:
        await alone_on(session, business_id)
        yield session
        await session.flush()
        await dispatch(session, business_id)


async def alone_on(session: AsyncSession, business_id: str) -> None:
    """Nobody else changes this business's floor until the transaction ends. SQLite has one writer anyway."""
    if not session.info["database"].sqlite:
        connection = await session.connection()
        await connection.execute(
            sql("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"callweave floor {business_id}"}
        )


def tell(session: AsyncSession, entry: QueueEntry) -> None:
    """Tell the caller's node, the agent and the wall that a stay has changed."""
    record(session, entry.business_id, ENTRY, entry.id, kept=False, queue=entry.queue, state=entry.state)


# --------------------------------------------------------------------------- rows as the match sees them


def rules_of(row: Queue, staffed: bool) -> QueueRules:
    """The rules of a queue."""
    return QueueRules(
        strategy=Strategy(row.strategy),
        last_agent=row.last_agent,
        last_agent_seconds=row.last_agent_seconds,
        skills=row.skills,
        seats=frozenset(row.seats),
        priority=row.priority,
        age_seconds=row.age_seconds,
        overflow=[
            Overflow(str(one["queue"]), float(one.get("after_seconds", 0)), one.get("when", "always"))
            for one in row.overflow
        ],
        staffed=staffed,
    )


def waiting_of(row: QueueEntry) -> Waiting:
    """A caller as the match sees them."""
    return Waiting(
        id=row.id,
        queue=row.queue,
        since=row.place_at.timestamp(),
        priority=row.priority,
        vip=row.vip,
        transferred=row.transferred,
        skills=row.skills,
        wanted=row.wanted,
        last_agent=row.last_agent,
        again={agent: datetime.fromisoformat(at).timestamp() for agent, at in row.tried.items()},
    )


def free_of(row: Agent, queues: Mapping[str, int], now: datetime) -> Free:
    """A ready agent as the match sees them."""
    signed_in = max(1.0, (now - (row.signed_in_at or row.since)).total_seconds())
    return Free(
        id=row.user_id,
        queues=queues,
        idle_since=(row.idle_since or row.since).timestamp(),
        skills=row.skills,
        seat=row.seat,
        calls=row.calls,
        share=row.busy_seconds / signed_in,
    )


async def memberships(
    session: AsyncSession, business_id: str, users: Collection[str] | None = None
) -> dict[str, dict[str, int]]:
    """Ring order by queue name, by agent: of all, or of these."""
    statement = (
        select(QueueMember.user_id, Queue.name, QueueMember.position)
        .join(Queue, col(Queue.id) == col(QueueMember.queue_id))
        .where(QueueMember.business_id == business_id, col(Queue.enabled).is_(True))
    )
    if users is not None:
        statement = statement.where(col(QueueMember.user_id).in_(sorted(users)))
    found: dict[str, dict[str, int]] = {}
    for user, name, position in await session.exec(statement):
        found.setdefault(user, {})[name] = position
    return found


async def all_rules(session: AsyncSession, business_id: str) -> tuple[dict[str, QueueRules], dict[str, Queue]]:
    """The rules of every queue of a business, and their rows."""
    rows = {row.name: row for row in await session.exec(select(Queue).where(Queue.business_id == business_id))}
    # One look for all queues: there are hundreds of agents, and a few queues.
    works = (
        select(QueueMember.user_id)
        .join(Agent, col(Agent.user_id) == col(QueueMember.user_id))
        .where(
            QueueMember.queue_id == Queue.id,
            Agent.business_id == business_id,
            Agent.state != "signed_out",
            col(Agent.enabled).is_(True),
        )
        .exists()
    )
    staffed = set(
        await session.exec(
            select(Queue.name).where(Queue.business_id == business_id, col(Queue.enabled).is_(True), works)
        )
    )
    return {name: rules_of(row, name in staffed) for name, row in rows.items()}, rows


# --------------------------------------------------------------------------- offers


async def dispatch(session: AsyncSession, business_id: str) -> None:
    """Make every offer that can be made now."""
    now = utcnow()
    waiting = list(
        await session.exec(
            select(QueueEntry).where(QueueEntry.business_id == business_id, QueueEntry.state == "waiting")
        )
    )
    later = [entry for entry in waiting if entry.not_before is not None and entry.not_before > now]
    for entry in later:
        entry.due_at = entry.not_before
    waiting = [entry for entry in waiting if entry not in later]
    if not waiting:
        return
    rules, queues = await all_rules(session, business_id)
    waiting = [entry for entry in waiting if not _send_outside(session, entry, queues.get(entry.queue), rules, now)]
    ready = {
        row.user_id: row
        for row in await session.exec(
            select(Agent).where(Agent.business_id == business_id, Agent.state == "ready", col(Agent.enabled).is_(True))
        )
    }
    members = await memberships(session, business_id, ready) if ready else {}
    line = [waiting_of(entry) for entry in waiting]
    free = [free_of(row, members.get(row.user_id, {}), now) for row in ready.values()]
    for row in await _kept_free(session, business_id, waiting):
        ready[row.user_id] = row
        free.append(free_of(row, {}, now))
    entries = {entry.id: entry for entry in waiting}
    for offer in match(line, free, rules, now.timestamp()):
        await _offer(session, entries[offer.waiting], ready[offer.agent], now)
    for one in line:
        entry = entries[one.id]
        if entry.state == "waiting":
            at = next_change(one, rules, now.timestamp())
            entry.due_at = datetime.fromtimestamp(at, UTC) if at is not None else None


async def _kept_free(session: AsyncSession, business_id: str, waiting: Sequence[QueueEntry]) -> list[Agent]:
    """Agents at work after a call who get that very caller back, whom they had handed to a flow."""
    calls = {entry.wanted: entry.call_id for entry in waiting if entry.wanted and entry.transferred and entry.call_id}
    if not calls:
        return []
    rows = await session.exec(
        select(Agent).where(
            Agent.business_id == business_id, Agent.state == "wrap_up", col(Agent.user_id).in_(sorted(calls))
        )
    )
    return [row for row in rows if row.call_id == calls[row.user_id]]


def _send_outside(
    session: AsyncSession, entry: QueueEntry, queue: Queue | None, rules: Mapping[str, QueueRules], now: datetime
) -> bool:
    """Whether a caller goes to the outside number: enough agents did not answer, or nobody is signed in at all."""
    if queue is None or not queue.outside_number or entry.kind != "call" or entry.outside:
        return False
    if entry.offer < max(1, queue.outside_after) and rules[queue.name].staffed:
        return False
    entry.state, entry.outside, entry.agent_id = "offered", queue.outside_number, None
    entry.offer += 1
    entry.offered_at, entry.due_at = now, None
    tell(session, entry)
    return True


async def _offer(session: AsyncSession, entry: QueueEntry, agent: Agent, now: datetime) -> None:
    if agent.state == "wrap_up":
        await happen(session, agent, WrapUpDone(), at=now)
        if agent.state != "ready":
            return
    await happen(session, agent, Offered(), at=now, call_id=entry.call_id, entry_id=entry.id, queue=entry.queue)
    entry.state, entry.agent_id, entry.offered_at, entry.due_at = "offered", agent.user_id, now, None
    entry.offer += 1
    tell(session, entry)


async def take_back(
    session: AsyncSession, entry: QueueEntry, *, missed: bool, again_seconds: float, wait: bool = True
) -> None:
    """An offer came to nothing: the caller waits again in their place, the agent is free again or not ready."""
    now = utcnow()
    agent = await session.get(Agent, entry.agent_id) if entry.agent_id else None
    if agent is not None and agent.state == "offered" and agent.entry_id == entry.id:
        await happen(session, agent, Missed(agent.max_misses) if missed else Withdrawn(), at=now)
    if entry.agent_id is not None and missed:
        entry.tried = {**entry.tried, entry.agent_id: (now + timedelta(seconds=again_seconds)).isoformat()}
    if wait:
        entry.state, entry.agent_id, entry.offered_at, entry.back_until = "waiting", None, None, None
    tell(session, entry)


async def live_entries(session: AsyncSession, business_id: str, states: Sequence[str]) -> list[QueueEntry]:
    """Everybody in the queues of a business now."""
    return list(
        await session.exec(
            select(QueueEntry).where(QueueEntry.business_id == business_id, col(QueueEntry.state).in_(states))
        )
    )
