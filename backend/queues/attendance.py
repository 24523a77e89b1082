"""Agents are busy with calls that no queue gave them, and free when a talk goes on without them.

It reads the events of calls: a phone of an agent that talks makes them busy, and when the phone of an agent who served
a caller is gone, be it that they handed the caller on, their work after the call begins.

A colleague to whom a caller is given, or a supervisor who takes over, is offered, talks and works after the call as if
a queue had given it: the caller's stay in the queue becomes theirs. A call that came through no queue gets a stay of
the kind ``transfer`` for them, in no queue.
"""

import asyncio
import logging
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from backend.agents.live import happen
from backend.agents.live import tell as tell_of
from backend.agents.machine import (
    Asked,
    CallBegan,
    CallEnded,
    HandedOn,
    TalkEnded,
    TookOver,
    Withdrawn,
    WrongStateError,
)
from backend.agents.machine import (
    Event as AgentEvent,
)
from backend.agents.models import Agent
from backend.calls.models import Call, Leg, LiveTalk
from backend.customers.models import Customer
from backend.database import AsyncSession, Database, locked, read, utcnow
from backend.events import Event, EventBus
from backend.queues.desk import end, hangs_up_by_hand, live_leg, wrap_up_of
from backend.queues.dispatch import floor, tell
from backend.queues.models import TRANSFER, QueueEntry
from telephony.conversation import THIRD, WATCH

log = logging.getLogger(__name__)

HERE = "extension:"
HANDED = ("third", "supervisor")
"""Legs of people who came into a talk that somebody else began."""
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
            case "talk.changed":
                async with read(self._db) as session:
                    leg = await session.get(Leg, str(event.data["agent"]))
                    agent = await self._whose(session, leg) if leg is not None else None
                if leg is not None and agent is not None:
                    await self._given(event.business_id, agent.user_id, leg.id)
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
            elif agent.state == "busy" and agent.call_id != call_id and await live_leg(session, agent) is None:
                # They were given on, with their phone: the same talk goes on as another call.
                agent.call_id = call_id
                tell_of(session, agent)

    async def _leg(self, business_id: str, leg_id: str) -> None:
        async with read(self._db) as session:
            leg = await session.get(Leg, leg_id)
            if leg is None or leg.business_id != business_id or leg.kind == "caller":
                return
            agent = await self._whose(session, leg)
            if agent is None:
                return
        if leg.state != "ended" and leg.kind in HANDED:
            await self._given(business_id, agent.user_id, leg.id)
        elif leg.state == "up" and agent.state not in ("offered", "talking"):
            await self._busy(business_id, agent.user_id, leg.call_id)
        elif leg.state == "ended":
            await asyncio.sleep(SETTLE)
            await self._left(business_id, agent.user_id, leg)

    async def _whose(self, session: AsyncSession, leg: Leg) -> Agent | None:
        """The agent at whose phone a leg is, wherever that phone may be."""
        if leg.user_id is not None:
            agent = await session.get(Agent, leg.user_id)
            return agent if agent is not None and agent.business_id == leg.business_id else None
        if not leg.destination.startswith(HERE):
            return None
        return await self._at(session, leg.business_id, leg.destination.removeprefix(HERE))

    async def _given(self, business_id: str, user_id: str, leg_id: str) -> None:
        """A colleague's phone rings or talks in a call that somebody else began to serve."""
        async with floor(self._db, business_id) as session:
            leg, agent = await session.get(Leg, leg_id), await locked(session, Agent, user_id)
            call = await session.get(Call, leg.call_id) if leg is not None else None
            if leg is None or agent is None or call is None or "ended" in (leg.state, call.state):
                return
            if leg.kind not in HANDED:
                return
            free = agent.state in ("ready", "not_ready", "wrap_up")
            here = agent.call_id == call.id and agent.state in ("offered", "busy")
            if not free and not here:
                return
            stay = await _stay_of(session, call)
            event: AgentEvent
            if leg.state == "up" and await _is_theirs(session, leg):
                event = TookOver()
                stay = stay or await _new_stay(session, call, leg)
                stay.agent_id, stay.transferred = agent.user_id, True
                tell(session, stay)
            elif leg.state == "up" and here and agent.state == "offered":
                event = Asked()
            elif leg.state == "up" and free:
                event = CallBegan()
            elif free and leg.kind == "third":
                event = HandedOn()
            else:
                return
            entry_id, queue = (stay.id, stay.queue) if stay is not None else ("", "")
            await happen(session, agent, event, call_id=call.id, entry_id=entry_id, queue=queue)

    async def _left(self, business_id: str, user_id: str, leg: Leg) -> None:
        async with read(self._db) as session:
            agent = await session.get(Agent, user_id)
            # Nearly always the node has told by now: nobody else on the floor need wait for this look.
            if agent is None or agent.call_id != leg.call_id:
                return
            if agent.state not in ("busy", "talking") and not (agent.state == "offered" and leg.kind == "third"):
                return
        async with floor(self._db, business_id) as session:
            agent = await locked(session, Agent, user_id)
            if agent is None or agent.call_id != leg.call_id:
                return
            if await live_leg(session, agent) is not None:
                return  # by another phone of theirs
            if agent.state == "busy":
                await happen(session, agent, CallEnded())
            elif agent.state == "offered" and leg.kind == "third":
                entry = await session.get(QueueEntry, agent.entry_id) if agent.entry_id else None
                offered = entry is not None and entry.state == "offered" and entry.agent_id == agent.user_id
                if not offered:  # else the queue offers the caller back to them
                    await happen(session, agent, Withdrawn())
            elif agent.state == "talking" and agent.entry_id:
                entry = await session.get(QueueEntry, agent.entry_id)
                if entry is None or not (leg.kind in HANDED or leg.id == _first_leg(entry)):
                    return
                own = entry.kind == TRANSFER
                if entry.state == "done":  # they have hung up by hand
                    await happen(session, agent, TalkEnded(await wrap_up_of(session, agent, entry, "other")))
                    return
                if leg.cause in ("lost", "engine_lost") and not own:
                    return  # the node gives the caller to somebody else
                if entry.state != "talking" and not own:
                    return  # the node was first
                await happen(session, agent, TalkEnded(await wrap_up_of(session, agent, entry, "other")))
                if own and entry.state == "talking":
                    end(session, entry, "served")

    async def _over(self, business_id: str, call_id: str) -> None:
        """The call is over, with every leg: for talks that a queue gave the node tells."""
        async with read(self._db) as session:
            found = select(Agent.user_id).where(
                Agent.business_id == business_id,
                Agent.call_id == call_id,
                col(Agent.state).in_(("busy", "offered", "talking")),
            )
            users = list(await session.exec(found))
        for user_id in users:
            async with floor(self._db, business_id) as session:
                agent = await locked(session, Agent, user_id)
                if agent is None or agent.call_id != call_id:
                    continue
                entry = await session.get(QueueEntry, agent.entry_id) if agent.entry_id else None
                own = entry is not None and entry.kind == TRANSFER
                if agent.state in ("busy", "talking") and await hangs_up_by_hand(session, agent):
                    if entry is not None and own and entry.state == "talking":
                        end(session, entry, "served")
                    continue
                if agent.state == "busy":
                    await happen(session, agent, CallEnded())
                elif agent.state == "offered" and (entry is None or entry.agent_id != agent.user_id):
                    await happen(session, agent, Withdrawn())
                elif agent.state == "talking" and entry is not None and (own or entry.state == "done"):
                    await happen(session, agent, TalkEnded(await wrap_up_of(session, agent, entry, "caller")))
                    if entry.state != "done":
                        end(session, entry, "served")
        await self._nobody_comes_back(business_id, call_id)

    async def _nobody_comes_back(self, business_id: str, call_id: str) -> None:
        """Agents who were kept free for a caller in a flow go on with the work that every call has after it."""
        kept = (
            Agent.business_id == business_id,
            Agent.call_id == call_id,
            Agent.state == "wrap_up",
            col(Agent.until).is_not(None),
        )
        async with read(self._db) as session:
            users = list(await session.exec(select(Agent.user_id).where(*kept)))
        for user_id in users:
            async with floor(self._db, business_id) as session:
                agent = await locked(session, Agent, user_id)
                if agent is None or agent.state != "wrap_up" or agent.call_id != call_id or agent.until is None:
                    continue
                entry = await session.get(QueueEntry, agent.entry_id) if agent.entry_id else None
                if entry is None:
                    continue
                seconds = await wrap_up_of(session, agent, entry, "caller")
                until = None if seconds is None else max(utcnow(), agent.since + timedelta(seconds=seconds))
                if until is None or until < agent.until:
                    agent.until = until
                    tell_of(session, agent)


def _first_leg(entry: QueueEntry) -> str:
    """The leg by which the agent was reached whom the queue has chosen."""
    return f"agent-{entry.call_id}" if entry.kind == "callback" else f"{entry.key}-{entry.offer}-leg"


async def _stay_of(session: AsyncSession, call: Call) -> QueueEntry | None:
    """The stay in a queue during which people talk in a call now."""
    found = select(QueueEntry).where(QueueEntry.call_id == call.id, QueueEntry.state == "talking")
    return (await session.exec(found.order_by(col(QueueEntry.entered_at).desc()).limit(1))).first()


async def _is_theirs(session: AsyncSession, leg: Leg) -> bool:
    """Whether whoever is at a leg is the customer's party now."""
    talk = await session.get(LiveTalk, leg.call_id)
    return talk is not None and any(
        one["channel"] == leg.id and one["role"] == "agent" for one in talk.state["parties"]
    )


async def _new_stay(session: AsyncSession, call: Call, leg: Leg) -> QueueEntry:
    """The record of a caller who was given on without a queue."""
    customer = await session.get(Customer, call.customer_id) if call.customer_id else None
    outward, now = call.direction != "inbound", utcnow()
    stay = QueueEntry(
        business_id=call.business_id,
        key=f"transfer-{leg.id}",
        kind=TRANSFER,
        queue="",
        call_id=call.id,
        gateway=call.gateway,
        caller=call.called if outward else call.caller,
        called=call.caller if outward else call.called,
        customer_id=call.customer_id,
        customer_name=customer.name if customer is not None else "",
        language=call.language,
        flow=call.flow_key,
        state="talking",
        offer=1,
        place_at=leg.started_at,
        entered_at=leg.started_at,
        offered_at=leg.started_at,
        answered_at=now,
    )
    session.add(stay)
    await session.flush()
    return stay


def _of_calls(event: Event) -> bool:
    if event.topic == "talk.changed":
        # Only who came later may be somebody to whom the call was given.
        return THIRD in str(event.data.get("agent")) or WATCH in str(event.data.get("agent"))
    return event.topic in ("call.started", "call.ended") or (event.topic == "call.changed" and "leg" in event.data)
