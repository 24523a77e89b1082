"""A simulated call that lives in real time, can be skipped forward, and is led from another loop.

Its time passes like ours while nobody asks otherwise; `PacedLoop.skip` lets some of it pass at once, every timer in
its order, as if it had been waited for.
"""

import asyncio
import selectors
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from flows.simulation import Simulation
from flows.virtual import VirtualLoop

T = TypeVar("T")


class _PacedSelector(selectors.DefaultSelector):
    loop: "PacedLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        loop = self.loop
        if loop.to_skip > 0 and not loop.in_threads:
            events = super().select(0)
            if events or timeout == 0:
                return events
            step = loop.to_skip if timeout is None else min(timeout, loop.to_skip)
            loop.to_skip -= step
            loop.advance(step)
            return []
        began = time.monotonic()
        events = super().select(timeout)
        loop.advance(time.monotonic() - began)
        return events


class PacedLoop(VirtualLoop):
    """An event loop whose time passes like ours, or faster when some of it is skipped."""

    def __init__(self) -> None:
        self.to_skip = 0.0
        selector = _PacedSelector()
        selector.loop = self
        super().__init__(selector)

    def skip(self, seconds: float) -> None:
        """Let `seconds` pass at once; 0 ends a skip that is under way."""
        self.to_skip = max(0.0, seconds)


class LiveSimulation:
    """A `Simulation` in a thread of its own, led from the loop that made it.

    ``changed`` is called in the maker's loop after something happened, not more often than once a turn of that loop.
    """

    def __init__(self, simulation: Simulation, changed: Callable[[], None]) -> None:
        self.simulation = simulation
        self.failure: BaseException | None = None
        self._changed = changed
        self._home = asyncio.get_running_loop()
        self._announced = False
        self._until_more: int | None = None
        self._loop = PacedLoop()
        self._main: asyncio.Task[Any] | None = None
        self._ready = threading.Event()
        simulation.changed = self._noticed
        self._thread = threading.Thread(target=self._run, name="simulation", daemon=True)

    async def start(self) -> None:
        """Begin the call."""
        self._thread.start()
        await asyncio.to_thread(self._ready.wait, 5)

    async def ask(self, work: Callable[[], T]) -> T:
        """Run something in the simulation's loop; a plain function, so that it sees one moment."""

        async def one_moment() -> T:
            return work()

        return await self.do(one_moment)

    async def do(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine function in the simulation's loop."""
        if self._loop.is_closed():
            raise RuntimeError("the simulation is closed")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), self._loop))

    async def skip(self, seconds: float | None) -> None:
        """Let time pass at once; None passes it until something is heard or entered, at most a week."""

        def begin() -> None:
            self._until_more = None if seconds is not None else self._seen()
            self._loop.skip(seconds if seconds is not None else 7 * 86_400)

        await self.ask(begin)
        skipping = True
        while skipping and not self.simulation.over:
            await asyncio.sleep(0.02)
            skipping = await self.ask(lambda: self._loop.to_skip > 0)

    async def close(self) -> None:
        """End the call and its thread."""
        if not self._loop.is_closed() and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end)
        await asyncio.to_thread(self._thread.join, 10)

    # ------------------------------------------------------------------ in the thread

    def _seen(self) -> int:
        return len([told for told in self.simulation.transcript() if told.kind in ("heard", "node")])

    def _noticed(self) -> None:
        if self._until_more is not None and self._seen() != self._until_more:
            self._until_more = None
            self._loop.skip(0)
        if not self._announced:
            self._announced = True
            self._home.call_soon_threadsafe(self._announce)

    def _announce(self) -> None:
        self._announced = False
        self._changed()

    def _end(self) -> None:
        self._loop.skip(0)
        if self._main is not None:
            self._main.cancel()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._main = self._loop.create_task(self._live())
            self._loop.call_soon(self._ready.set)
            self._loop.run_until_complete(self._main)
        except asyncio.CancelledError:
            pass
        finally:
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            if left:
                self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            asyncio.set_event_loop(None)
            self._loop.close()

    async def _live(self) -> None:
        try:
            await self.simulation.run()
        except Exception as problem:
            self.failure = problem
        self._loop.skip(0)
        self._noticed()
        # The call is over, but people still look at it.
        await asyncio.Event().wait()
