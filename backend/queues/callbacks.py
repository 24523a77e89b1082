"""Calls back whoever left a queue by keeping the place: the agent's phone first, then the number.

The agent has that call as any other: they may hold it, ask somebody, give it on. A number that does not answer is tried
again after a pause, by whoever is free then, and becomes a task of the queue in the end.

An offer of a call-back is claimed by one gateway, by writing the call's id into the place; the id holds the number of
the offer, so that nobody is called twice for one offer.
"""

import asyncio
import logging
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select

from backend.agents.models import Agent
from backend.calls.models import Call, Leg
from backend.database import Database, locked, read, write
from backend.events import Event, EventBus
from backend.queues.desk import BusinessQueues, Watch, phone_of
from backend.queues.dispatch import ENTRY
from backend.queues.models import Queue, QueueEntry
from nodes.sdk.outcome import NodeError

log = logging.getLogger(__name__)

EVERY = 5.0


class Calling(Protocol):
    """What is needed of the gateway."""

    name: str

    @property
    def connected(self) -> bool: ...

    async def way_to(self, business_id: str, number: str) -> tuple[str, str]: ...

    async def dial_for(
        self,
        agent_destination: str,
        to: str,
        *,
        business_id: str,
        call_id: str,
        agent: str = "",
        agent_seconds: float = 40.0,
    ) -> None: ...


class CallBacks:
    """Serves the offers of call-backs while its gateway owns an engine."""

    def __init__(self, db: Database, bus: EventBus, watch: Watch, gateway: Calling) -> None:
        self._db = db
        self._bus = bus
        self._watch = watch
        self._gateway = gateway
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Look at every change of a place, and now and then anyway."""
        while True:
            with self._bus.subscribe(lambda event: event.topic == ENTRY and event.data.get("state") == "offered") as on:
                events = aiter(on)
                while True:
                    try:
                        await self._look()
                        await asyncio.wait_for(anext(events), EVERY)
                    except TimeoutError:
                        break
                    except StopAsyncIteration:
                        break
                    except (SQLAlchemyError, OSError) as problem:
                        log.warning("call-backs are not looked at now: %s", type(problem).__name__)
                        await asyncio.sleep(1)

    async def _look(self) -> None:
        if not self._gateway.connected:
            return
        async with read(self._db) as session:
            found = list(
                await session.exec(
                    select(QueueEntry).where(QueueEntry.kind == "callback", QueueEntry.state == "offered")
                )
            )
        for entry in found:
            if entry.call_id != _call_of(entry) and await self._claim(entry):
                task = asyncio.create_task(self._serve(entry))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _claim(self, seen: QueueEntry) -> bool:
        async with write(self._db) as session:
            entry = await locked(session, QueueEntry, seen.id)
            if entry is None or entry.state != "offered" or entry.offer != seen.offer:
                return False
            if entry.call_id == _call_of(seen):
                return False
            entry.call_id, entry.gateway = _call_of(seen), self._gateway.name
            agent = await session.get(Agent, entry.agent_id) if entry.agent_id else None
            if agent is not None and agent.entry_id == entry.id:
                agent.call_id = entry.call_id
            return True

    async def _serve(self, entry: QueueEntry) -> None:
        call_id, queues = _call_of(entry), BusinessQueues(self._db, entry.business_id, self._watch)
        async with read(self._db) as session:
            agent = await session.get(Agent, entry.agent_id) if entry.agent_id else None
            found = select(Queue).where(Queue.business_id == entry.business_id, Queue.name == entry.queue)
            queue = (await session.exec(found)).first()
        if agent is None:
            return
        with self._bus.subscribe(lambda event: _ends_or_begins(event, call_id)) as events:
            try:
                destination, _ = await self._gateway.way_to(entry.business_id, phone_of(agent))
                await self._gateway.dial_for(
                    destination,
                    entry.number,
                    business_id=entry.business_id,
                    call_id=call_id,
                    agent=agent.user_id,
                    agent_seconds=float(queue.ring_seconds if queue is not None else 20),
                )
            except NodeError as problem:
                log.warning("the call-back to queue %s cannot be made: %s", entry.queue, problem)
                if problem.failure.retryable:
                    await queues.missed(entry.key, entry.offer, "failed")
                else:
                    await queues.leave(entry.key, "failed")
                return
            async for event in events:
                async with read(self._db) as session:
                    call, leg = await session.get(Call, call_id), await session.get(Leg, f"agent-{call_id}")
                if leg is not None and leg.answered_at is not None:
                    await queues.answered(entry.key, entry.offer)
                if event.topic != "call.ended":
                    continue
                if call is not None and call.answered_at is not None:
                    await queues.ended(entry.key, entry.offer, "other")
                elif leg is not None and leg.answered_at is not None:
                    await queues.unreached(entry.key, entry.offer, call.cause if call is not None else "")
                else:
                    await queues.missed(entry.key, entry.offer, "no_answer")
                return


def _call_of(entry: QueueEntry) -> str:
    return f"back-{entry.id}-{entry.offer}"


def _ends_or_begins(event: Event, call_id: str) -> bool:
    return event.subject == call_id and (
        event.topic == "call.ended" or (event.topic == "call.changed" and event.data.get("leg") == f"agent-{call_id}")
    )
