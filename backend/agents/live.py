"""The state of an agent in the database: every change goes through the machine, into the log and out as an event."""

from datetime import datetime
from typing import Any

from sqlmodel import col, select

from backend.agents.machine import Desk, Event, State, Wish, WrongStateError, step
from backend.agents.models import Agent, AgentStateLog
from backend.database import AsyncSession, utcnow
from backend.events import record

CHANGED = "agent.changed"
ON_A_CALL = ("offered", "talking", "busy")


def desk_of(row: Agent) -> Desk:
    """The machine's view of a row."""
    return Desk(
        state=State(row.state),
        since=row.since,
        reason=row.reason,
        wish=Wish(State(row.wish), row.wish_reason) if row.wish else None,
        until=row.until,
        idle_since=row.idle_since,
        signed_in_at=row.signed_in_at,
        misses=row.misses,
        calls=row.calls,
        busy_seconds=row.busy_seconds,
    )


async def happen(
    session: AsyncSession, row: Agent, event: Event, *, by: str = "", at: datetime | None = None, **links: Any
) -> None:
    """Let an event happen to an agent whose row is locked. Raises `WrongStateError`.

    ``links`` are ``call_id``, ``entry_id`` and ``queue`` of the new state, kept as long as it is a call's.
    """
    now = at or utcnow()
    before = desk_of(row)
    after = step(before, event, now)
    row.state, row.since, row.reason = after.state.value, after.since, after.reason
    row.wish = after.wish.state.value if after.wish else ""
    row.wish_reason = after.wish.reason if after.wish else ""
    row.until, row.idle_since, row.signed_in_at = after.until, after.idle_since, after.signed_in_at
    row.misses, row.calls, row.busy_seconds = after.misses, after.calls, after.busy_seconds
    if row.state not in (*ON_A_CALL, "wrap_up"):
        row.call_id = row.entry_id = row.queue = ""
        if row.help_call or row.state == State.SIGNED_OUT:
            help_over(row)
    for name, value in links.items():
        setattr(row, name, value)
    if (before.state, before.reason) != (after.state, after.reason) or before.since != after.since:
        await _log(session, row, now, by)
    tell(session, row)


def help_over(row: Agent) -> None:
    """Nobody needs to come any more."""
    row.help_since, row.help_note, row.help_call, row.help_by = None, "", "", None


def tell(session: AsyncSession, row: Agent) -> None:
    """Tell everybody who watches that something about an agent has changed."""
    record(session, row.business_id, CHANGED, row.user_id, kept=False, state=row.state)


async def _log(session: AsyncSession, row: Agent, now: datetime, by: str) -> None:
    open_ones = select(AgentStateLog).where(AgentStateLog.user_id == row.user_id, col(AgentStateLog.ended_at).is_(None))
    for stretch in await session.exec(open_ones):
        stretch.ended_at = now
        stretch.seconds = max(0.0, (now - stretch.began_at).total_seconds())
    if row.state == State.SIGNED_OUT:
        return
    session.add(
        AgentStateLog(
            business_id=row.business_id,
            user_id=row.user_id,
            state=row.state,
            reason=row.reason,
            team=row.team,
            queue=row.queue,
            call_id=row.call_id,
            by=by[:64],
            began_at=now,
        )
    )


__all__ = ["CHANGED", "WrongStateError", "desk_of", "happen", "help_over", "tell"]
