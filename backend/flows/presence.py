"""Who has a flow open now. Nothing is stored: everybody who is there says so every few seconds.

Each subscription tells the others by passing events (of this process, and through the outbox of every process), keeps
its own picture of them, and greets whoever is new, so that a newcomer sees all within moments.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backend.database import new_id, utcnow, write
from backend.events import Event, record
from backend.identity.permissions import Actor
from backend.state import AppState

TOPIC = "flow.presence"
BEAT = 3.0
"""Seconds between two signs of life."""
GONE = 9.0
"""Seconds of silence after which somebody is taken to have left."""


@dataclass(frozen=True, slots=True)
class Present:
    """One open editor. ``me`` is the asker's own."""

    client: str
    user_id: str | None
    name: str
    since: datetime
    me: bool = False


async def _tell(state: AppState, actor: Actor, key: str, **data: Any) -> None:
    if state.db.sqlite:
        # One process: no transaction, so that open editors never stand in the way of writers.
        state.bus.publish([Event(actor.business_id, TOPIC, key, data)])
        return
    async with write(state.db) as session:
        record(session, actor.business_id, TOPIC, key, kept=False, **data)


async def attend(state: AppState, actor: Actor, key: str) -> AsyncGenerator[list[Present], None]:
    """Be there until closed; yields everybody who is, oneself first, then by arrival."""
    me = Present(new_id(), actor.user_id, actor.name, utcnow(), me=True)
    others: dict[str, tuple[Present, float]] = {}

    async def beat(here: bool = True) -> None:
        await _tell(
            state, actor, key, client=me.client, user=me.user_id, name=me.name, since=me.since.isoformat(), here=here
        )

    def picture() -> list[Present]:
        return [me, *sorted((one for one, _ in others.values()), key=lambda one: (one.since, one.client))]

    with state.bus.subscribe(
        lambda event: (
            event.business_id == actor.business_id
            and event.topic == TOPIC
            and event.subject == key
            and event.data["client"] != me.client
        )
    ) as events:
        try:
            await beat()
            due = time.monotonic() + BEAT
            yield picture()
            told = picture()
            reader = aiter(events)
            waiting: asyncio.Task[Event] | None = None
            try:
                while True:
                    if waiting is None:
                        waiting = asyncio.ensure_future(anext(reader))
                    await asyncio.wait({waiting}, timeout=max(0.0, due - time.monotonic()))
                    now = time.monotonic()
                    if waiting.done():
                        try:
                            event = waiting.result()
                        except StopAsyncIteration:
                            return
                        waiting = None
                        if _take(event, others, now):
                            await beat()
                    if now >= due:
                        await beat()
                        due = now + BEAT
                    for client in [client for client, (_, seen) in others.items() if now - seen > GONE]:
                        del others[client]
                    if picture() != told:
                        told = picture()
                        yield told
            finally:
                if waiting is not None:
                    waiting.cancel()
        finally:
            await beat(here=False)


def _take(event: Event, others: dict[str, tuple[Present, float]], now: float) -> bool:
    """Bring the picture up to date; True for somebody new, who is to be greeted."""
    client = str(event.data["client"])
    if not event.data["here"]:
        others.pop(client, None)
        return False
    is_new = client not in others
    since = datetime.fromisoformat(str(event.data["since"]))
    others[client] = (Present(client, event.data["user"], str(event.data["name"]), since), now)
    return is_new
