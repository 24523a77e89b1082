"""Agents are busy with calls that no queue gave them, and free when a talk goes on without them.

It reads the events of calls: a phone of an agent that talks makes them busy, and when the phone of an agent who served
a caller is gone, be it that they handed the caller on, their work after the call begins.
"""

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from backend.agents.live import happen
from backend.agents.machine import CallBegan, CallEnded, TalkEnded, WrongStateError
from backend.agents.models import Agent
from backend.calls.models import Call, Leg
from backend.database import AsyncSession, Database, locked, read
from backend.events import Event, EventBus
from backend.queues.desk import wrap_up_of
from backend.queues.dispatch import floor
from backend.queues.models import QueueEntry

log = logging.getLogger(__name__)

HERE = "extension:"
SETTLE = 0.3
"""The node itself tells the end of a talk first; this waits for it."""


class Attendance:
    """Follows the calls of all businesses."""

    def __init__(self, db: Database, bus: EventBus) -> None:
        self._db = db
        self._bus = bus
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Follow for ever; whoever loses the thread picks it up at the next event, the minder frees who is left."""
        while True:
            with self._bus.subscribe(_of_calls, size=10_000) as events:
                async for event in events:
                    task = asyncio.create_task(self._guarded(event))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(0.1)

    async def _guarded(self, event: Event) -> None:
        try:
            await self.take(event)
        except WrongStateError:
            return
        except SQLAlchemyError as problem:
            log.warning("an agent's state is not followed: %s", type(problem).__name__)

    async def take(self, event: Event) -> None:
        """Let one event have its effect."""
        match event.topic:
            case "call.started":
                await self._started(event)
            case "call.ended":
                await self._over(event.business_id, event.subject)
            case _:
                if leg := event.data.get("leg"):
                    await self._leg(event.business_id, str(leg))

    async def _started(self, event: Event) -> None:
        async with read(self._db) as session:
            call = await session.get(Call, event.subject)
            if call is None or call.direction == "outbound" or call.trunk or call.anonymous:
                return
            agent = await self._at(session, event.business_id, call.caller)
        if agent is not None:
            await self._busy(event.business_id, agent.user_id, event.subject)

    async def _at(self, session: AsyncSession, business_id: str, extension: str) -> Agent | None:
        found = select(Agent).where(Agent.business_id == business_id, Agent.extension == extension)
        return (await session.exec(found.limit(1))).first() if extension else None

    async def _busy(self, business_id: str, user_id: str, call_id: str) -> None:
        async with floor(self._db, business_id) as session:
            agent = await locked(session, Agent, user_id)
            call = await session.get(Call, call_id)
            if agent is None or call is None or call.state == "ended":
                return
            if agent.state in ("ready", "not_ready", "wrap_up"):
                await happen(session, agent, CallBegan(), call_id=call_id, entry_id="", queue="")

    async def _leg(self, business_id: str, leg_id: str) -> None:
        async with read(self._db) as session:
            leg = await session.get(Leg, leg_id)
            if leg is None or leg.business_id != business_id or leg.kind == "caller":
                return
            if not leg.destination.startswith(HERE):
                return
            agent = await self._at(session, business_id, leg.destination.removeprefix(HERE))
            if agent is None:
                return
        if leg.state == "up" and agent.state not in ("offered", "talking"):
            await self._busy(business_id, agent.user_id, leg.call_id)
        elif leg.state == "ended":
            await asyncio.sleep(SETTLE)
            await self._left(business_id, agent.user_id, leg)

    async def _left(self, business_id: str, user_id: str, leg: Leg) -> None:
        async with read(self._db) as session:
            agent = await session.get(Agent, user_id)
            # Nearly always the node has told by now: nobody else on the floor need wait for this look.
            if agent is None or agent.call_id != leg.call_id or agent.state not in ("busy", "talking"):
                return
        async with floor(self._db, business_id) as session:
            agent = await locked(session, Agent, user_id)
            if agent is None or agent.call_id != leg.call_id:
                return
            if agent.state == "busy":
                await happen(session, agent, CallEnded())
            elif agent.state == "talking" and agent.entry_id:
                entry = await session.get(QueueEntry, agent.entry_id)
                if entry is None or leg.id != f"{entry.key}-{entry.offer}-leg" or entry.state != "talking":
                    return
                if leg.cause in ("lost", "engine_lost"):
                    return  # the node gives the caller to somebody else
                await happen(session, agent, TalkEnded(await wrap_up_of(session, agent, entry, "other")))

    async def _over(self, business_id: str, call_id: str) -> None:
        async with read(self._db) as session:
            found = select(Agent.user_id).where(
                Agent.business_id == business_id, Agent.call_id == call_id, col(Agent.state) == "busy"
            )
            users = list(await session.exec(found))
        for user_id in users:
            async with floor(self._db, business_id) as session:
                agent = await locked(session, Agent, user_id)
                if agent is not None and agent.state == "busy" and agent.call_id == call_id:
                    await happen(session, agent, CallEnded())


def _of_calls(event: Event) -> bool:
    return event.topic in ("call.started", "call.ended") or (event.topic == "call.changed" and "leg" in event.data)
