"""Who is signed in, and what they may see, follows every change of it, also on what is open already.

A connection knows its actor from its beginning. When a change touches what the actor of some connections may do (a
session ended, another role, another team), it is recorded, and each of them asks once more who it belongs to: one
that belongs to somebody else by then, or to nobody, is to be ended. Whoever connects again has the rights of now.
"""

import asyncio
from collections.abc import Awaitable, Callable

from backend.database import AsyncSession
from backend.events import Event, EventBus, record
from backend.identity.permissions import Actor
from backend.identity.scope import Scope

RIGHTS = "rights.changed"
"""The topic of such a change; its subject is the user, or empty for everybody whose reach is a team."""


def rights_changed(session: AsyncSession, business_id: str, user_id: str = "") -> None:
    """Sessions of a user have ended; without a user, agents have changed their teams."""
    record(session, business_id, RIGHTS, user_id, kept=False)


async def other_rights(bus: EventBus, actor: Actor, who: Callable[[], Awaitable[Actor | None]]) -> Actor | None:
    """Wait until a connection of `actor` belongs to somebody with other rights; `who` tells to whom it belongs now."""

    def touches(event: Event) -> bool:
        if event.topic != RIGHTS or event.business_id != actor.business_id:
            return False
        return event.subject == actor.user_id if event.subject else actor.scope is Scope.GROUP

    while True:
        with bus.subscribe(touches) as events:
            # They may have changed since the connection began.
            if (now := await who()) != actor:
                return now
            async for _ in events:
                if (now := await who()) != actor:
                    return now
        await asyncio.sleep(0.1)
