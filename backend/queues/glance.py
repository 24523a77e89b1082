"""One look at the queues for everybody who looks at the same moment: a hundred consoles cost what one does."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from backend.events import EventBus

T = TypeVar("T")

FRESH = 1.0
"""Seconds after which a look is old even when nothing has happened: some figures change by time alone."""


@dataclass(frozen=True, slots=True)
class _Look(Generic[T]):
    published: int
    at: float
    task: "asyncio.Task[T]"


class Glance(Generic[T]):
    """Looks by key. Whoever asks gets a look that began after every event published before they asked."""

    def __init__(self, bus: EventBus, look: Callable[[str], Awaitable[T]]) -> None:
        self._bus = bus
        self._look = look
        self._looks: dict[str, _Look[T]] = {}

    async def at(self, key: str) -> T:
        """The newest look, begun now unless one that is as good is under way or just over."""
        found = self._looks.get(key)
        if (
            found is None
            or found.published != self._bus.published
            or time.monotonic() - found.at > FRESH
            or (found.task.done() and (found.task.cancelled() or found.task.exception() is not None))
        ):
            found = self._looks[key] = _Look(
                self._bus.published, time.monotonic(), asyncio.ensure_future(self._of(key))
            )
        # Whoever goes away takes the look away from nobody.
        return await asyncio.shield(found.task)

    async def _of(self, key: str) -> T:
        return await self._look(key)
