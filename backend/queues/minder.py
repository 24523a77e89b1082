"""The minute hand of the queues: what is due by the mere passing of time, and what a dead process left behind.

Any number of processes may run it: each act looks at the row again under its lock. It does

- end wrap-ups whose time is over
- match again where an overflow opens or an agent may be tried again
- take back offers that nobody pursues, because the process that rang has died with its call
- close stays whose call is over, and free agents whose call is
"""

import asyncio
import logging
import time
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import func
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import and_, col, not_, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.agents.live import happen
from backend.agents.machine import CallEnded, Missed, TalkEnded, Withdrawn, WrapUpDone, WrongStateError
from backend.agents.models import Agent
from backend.calls.models import Call
from backend.database import AsyncSession, Database, locked, read, utcnow
from backend.queues.desk import close, live_leg, not_reached
from backend.queues.dispatch import floor, take_back
from backend.queues.models import LIVE, QueueEntry
from telephony.live_call import STAY_SECONDS

T = TypeVar("T")
log = logging.getLogger(__name__)

TICK = 0.5
SOONEST = 0.02
"""Who is free at about the same time is freed together."""
STALE = timedelta(seconds=200)
"""No phone rings longer than this; an offer that old is nobody's."""
STAY = timedelta(seconds=STAY_SECONDS + 10)
"""No phone that is hung up by hand stays longer than this after its talk."""
SWEEP_EVERY = 5.0
"""Seconds between two looks for what dead processes left."""


async def mind(db: Database) -> None:
    """Run for ever."""
    swept = float("-inf")
    while True:
        sweep = time.monotonic() - swept >= SWEEP_EVERY
        if sweep:
            swept = time.monotonic()
        try:
            await turn(db, sweep=sweep)
        except (SQLAlchemyError, OSError) as problem:
            log.warning("the queues are not minded now: %s", type(problem).__name__)
            await asyncio.sleep(2)
        await asyncio.sleep(await _pause(db))


async def _pause(db: Database) -> float:
    """Until the next look: a tick, or less when something is due before."""
    now = utcnow()
    soon = now + timedelta(seconds=TICK)
    try:
        async with read(db) as session:
            wrapped = select(func.min(Agent.until)).where(Agent.state == "wrap_up", col(Agent.until) <= soon)
            opens = select(func.min(QueueEntry.due_at)).where(
                QueueEntry.state == "waiting", col(QueueEntry.due_at) > now, col(QueueEntry.due_at) <= soon
            )
            times = [(await session.exec(wrapped)).one(), (await session.exec(opens)).one()]
    except (SQLAlchemyError, OSError):
        return TICK
    first = min((one for one in times if one is not None), default=soon)
    return min(TICK, max(SOONEST, (first - utcnow()).total_seconds()))


async def turn(db: Database, *, sweep: bool = True) -> None:
    """One look."""
    now = utcnow()
    async with read(db) as session:
        due = set(
            await session.exec(
                select(Agent.business_id).where(Agent.state == "wrap_up", col(Agent.until) <= now).distinct()
            )
        )
        due |= set(
            await session.exec(
                select(QueueEntry.business_id)
                .where(QueueEntry.state == "waiting", col(QueueEntry.due_at) <= now)
                .distinct()
            )
        )
        if sweep:
            due |= set(await session.exec(_left_behind(select(QueueEntry.business_id)).distinct()))
            due |= set(
                await session.exec(
                    select(Agent.business_id).where(col(Agent.state).in_(("offered", "talking", "busy"))).distinct()
                )
            )
    for business_id in sorted(due):
        async with floor(db, business_id) as session:
            await _end_wrap_ups(session, business_id)
            if sweep:
                await _sweep(session, business_id)


def _left_behind(statement: SelectOfScalar[T]) -> SelectOfScalar[T]:
    """Stays whose call is over, or whose offer is older than any ringing."""
    ended = select(Call.id).where(Call.id == QueueEntry.call_id, Call.state == "ended").exists()
    stale = and_(col(QueueEntry.state) == "offered", col(QueueEntry.offered_at) < utcnow() - STALE)
    # A call-back that waits again has had a call before.
    waits = and_(col(QueueEntry.kind) == "callback", col(QueueEntry.state) == "waiting")
    return statement.where(col(QueueEntry.state).in_(LIVE), not_(waits), or_(ended, stale))


async def _end_wrap_ups(session: AsyncSession, business_id: str) -> None:
    over = await session.exec(
        select(Agent.user_id).where(
            Agent.business_id == business_id, Agent.state == "wrap_up", col(Agent.until) <= utcnow()
        )
    )
    for user_id in list(over):
        agent = await locked(session, Agent, user_id)
        if agent is not None and agent.state == "wrap_up" and agent.until is not None and agent.until <= utcnow():
            await happen(session, agent, WrapUpDone())


async def _sweep(session: AsyncSession, business_id: str) -> None:
    found = _left_behind(select(QueueEntry).where(QueueEntry.business_id == business_id))
    for entry in list(await session.exec(found)):
        call = await session.get(Call, entry.call_id) if entry.call_id else None
        if call is not None and call.state == "ended":
            # The node itself tells first; this is for one that died.
            if call.ended_at is not None and utcnow() - call.ended_at < timedelta(seconds=5):
                continue
            if entry.kind == "callback" and entry.state == "offered":
                await take_back(session, entry, missed=True, again_seconds=10)
                continue
            if entry.kind == "callback" and call.answered_at is None:
                await not_reached(session, entry, call.cause)
                continue
            log.info("call %s has left queue %s while nobody watched", entry.call_id, entry.queue)
            await close(session, entry, "abandoned")
        elif entry.state == "offered":
            await take_back(session, entry, missed=True, again_seconds=10)
    await session.flush()
    agents = select(Agent).where(Agent.business_id == business_id, col(Agent.state).in_(("offered", "talking", "busy")))
    for agent in list(await session.exec(agents)):
        await _free(session, agent)


async def _in_call(session: AsyncSession, agent: Agent) -> bool:
    """Whether a phone of an agent is in a call that goes on, be it that a colleague gives it to them."""
    call = await session.get(Call, agent.call_id) if agent.call_id else None
    if call is None or await live_leg(session, agent) is None:
        return False
    # Who hangs up by hand may take their time.
    by_hand = not agent.auto_release and call.ended_at is not None and utcnow() - call.ended_at < STAY
    return call.state != "ended" or by_hand


async def _free(session: AsyncSession, agent: Agent) -> None:
    """Let an agent go whose call is no more."""
    entry = await session.get(QueueEntry, agent.entry_id) if agent.entry_id else None
    live = entry is not None and entry.state in LIVE and entry.agent_id == agent.user_id
    if agent.state != "busy" and not live and await _in_call(session, agent):
        return
    try:
        if agent.state == "busy":
            call = await session.get(Call, agent.call_id) if agent.call_id else None
            if call is not None and call.state == "ended" and not await _in_call(session, agent):
                await happen(session, agent, CallEnded())
        elif agent.state == "offered" and not live:
            await happen(session, agent, Withdrawn() if entry is not None else Missed())
        elif agent.state == "talking" and not live:
            await happen(session, agent, TalkEnded(0.0))
    except WrongStateError as problem:
        log.warning("agent %s cannot be freed: %s", agent.user_id, problem)
