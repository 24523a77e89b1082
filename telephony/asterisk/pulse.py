"""Notices within some two seconds that a browser phone has stopped sending: its page is dead, its network is gone.

Browsers send a packet every 20 ms as long as they are in a call, muted ones too: a count that stands still means that
nobody is there. Asterisk counts. It is asked for each phone in a talk once a second, one after the other, so that a
hundred of them are no burst that holds other commands up.
"""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

EVERY = 1.0
"""Seconds between two looks at a phone that sends."""
SOON = 0.5
"""The same when it seems to have stopped, and until it is back."""
LOOKS = 2
"""So many looks in a row that find nothing new mean that it has stopped: 1.5 to 2.5 seconds of silence."""


@dataclass(slots=True)
class Pulse:
    """What is known of one phone's packets."""

    count: int = 0
    still: int = 0
    stopped: bool = False

    def look(self, count: int) -> bool | None:
        """Take the next count. True when its sound has just stopped, False when it is back, None for no change.

        Before its first packet a phone has not begun: sound may still be finding its way.
        """
        moved, self.count = count != self.count, count
        if moved:
            self.still = 0
            back, self.stopped = self.stopped, False
            return False if back else None
        if not count or self.stopped:
            return None
        self.still += 1
        self.stopped = self.still >= LOOKS
        return True if self.stopped else None

    @property
    def pause(self) -> float:
        """Seconds until the next look."""
        return SOON if self.still or self.stopped else EVERY


class PulseWatch:
    """Looks at all phones that are being watched, each when its time has come.

    `count` tells how many packets came from a channel so far, None when that cannot be known now; `tell` is called with
    the channel and whether its sound has stopped.
    """

    def __init__(self, count: Callable[[str], Awaitable[int | None]], tell: Callable[[str, bool], None]) -> None:
        self._count = count
        self._tell = tell
        self._watched: dict[str, Pulse] = {}
        self._due: list[tuple[float, int, str, Pulse]] = []
        self._order = itertools.count()
        self._task: asyncio.Task[None] | None = None

    def watch(self, channel: str) -> None:
        """Look at a phone from now on."""
        if channel not in self._watched:
            self._watched[channel] = Pulse()
            self._plan(channel, self._watched[channel])
            if self._task is None or self._task.done():
                self._task = asyncio.get_running_loop().create_task(self._run(), name="pulse of browser phones")

    def forget(self, channel: str, *, back: bool = False) -> None:
        """Look no more. With `back` one whose sound had stopped is told to be there again."""
        pulse = self._watched.pop(channel, None)
        if back and pulse is not None and pulse.stopped:
            self._tell(channel, False)

    def close(self) -> None:
        """Look at nobody any more, and tell nobody."""
        self._watched.clear()
        if self._task is not None:
            self._task.cancel()

    def _plan(self, channel: str, pulse: Pulse) -> None:
        due = asyncio.get_running_loop().time() + pulse.pause
        heapq.heappush(self._due, (due, next(self._order), channel, pulse))

    async def _run(self) -> None:
        """Ends by itself when nobody is left to look at."""
        while self._due:
            due, _, channel, pulse = self._due[0]
            wait = due - asyncio.get_running_loop().time()
            if wait > 0:
                await asyncio.sleep(min(wait, SOON))
                continue
            heapq.heappop(self._due)
            if self._watched.get(channel) is not pulse:
                continue
            count = await self._count(channel)
            if self._watched.get(channel) is not pulse:
                continue
            if count is not None and (stopped := pulse.look(count)) is not None:
                self._tell(channel, stopped)
            self._plan(channel, pulse)
