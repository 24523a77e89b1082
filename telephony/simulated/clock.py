"""An event loop whose clock jumps to the next timer as soon as nobody has anything to do."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_STUCK_SECONDS = 10.0


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """Time starts at 0 and passes only while every task sleeps; an hour of calls takes milliseconds."""

    def __init__(self) -> None:
        self._virtual_now = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self._virtual_now

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._virtual_now += seconds


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualClockLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            # No timer at all: only a thread or a socket can go on from here.
            ready = super().select(_STUCK_SECONDS)
            if not ready:
                raise RuntimeError("nothing left to wait for: every task waits for something that cannot come")
            return ready
        ready = super().select(0)
        if not ready and timeout > 0:
            self._loop.jump(timeout)
        return ready


def run_virtual(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` on a virtual clock."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(work)
