"""The virtual clock: an event loop whose time jumps to the next timer whenever nothing else is left to do.

Nodes, calls over the simulated driver and ``asyncio.sleep`` run unmodified; an hour of waiting passes in a blink, and
two runs of the same flow take the same path. Nothing in such a loop may wait for sockets: threads of
``run_in_executor`` are waited for, the outside world is not.
"""

import asyncio
import selectors
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from flows.machine import Machine
from flows.plan import Plan
from flows.runner import Environment, run_task
from flows.state import (
    CancelNode,
    CancelTimer,
    Command,
    Event,
    Finish,
    HungUp,
    NodeDone,
    RunNode,
    SignalReceived,
    StartTimer,
    State,
    Stop,
    TimerFired,
    WriteTrail,
)
from flows.task import FlowResult, FlowStart, TrailStep

T = TypeVar("T")

BEGIN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""When virtual time begins unless told: a Monday morning."""
GRACE_SECONDS = 0.02
REAL_LIMIT = 60.0


class NothingLeftError(RuntimeError):
    """Everything waits and no timer will ever end it: in virtual time that is for good."""


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for a timer, moves the clock there."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events or timeout == 0:
            return events
        if self.loop.in_threads:
            # A thread reports through the loop's own pipe; real time passes meanwhile, virtual time does not.
            return super().select(REAL_LIMIT)
        if timeout is None:
            events = super().select(GRACE_SECONDS)
            if not events:
                self.loop.stuck()
            return events
        self.loop.advance(timeout)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time. ``seconds`` tells how much of it has passed."""

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        if selector is None:
            selector = _JumpingSelector()
            selector.loop = self
        self.seconds = 0.0
        self.in_threads = 0
        self.main: asyncio.Task[Any] | None = None
        super().__init__(selector)

    def time(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        # Whole nanoseconds keep the sum from falling just short of the timer.
        self.seconds = round(self.seconds + max(seconds, 1e-9), 9)

    def stuck(self) -> None:
        if self.main is not None and not self.main.done():
            self.main.cancel("nothing is left that could happen: every task waits without a timer")

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        self.in_threads += 1
        future: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: "asyncio.Future[Any]") -> None:
        self.in_threads -= 1


@contextmanager
def _virtual_loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    try:
        yield loop
    finally:
        try:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


def run_in_virtual_time(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function to its end in a virtual loop of its own.

    May be called from anywhere: when this thread has a running loop, a helper thread is used and waited for (call
    it by ``asyncio.to_thread`` to keep that loop going). Raises `NothingLeftError` when everything waits for good.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(main)
    box: list[Callable[[], T]] = []

    def work() -> None:
        try:
            result = _run(main)
        except BaseException as failure:
            raised = failure

            def again() -> T:
                raise raised

            box.append(again)
        else:
            box.append(lambda: result)

    thread = threading.Thread(target=work, name="virtual-time")
    thread.start()
    thread.join()
    return box[0]()


def _run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with _virtual_loop() as loop:
        task = loop.create_task(main())
        loop.main = task
        try:
            return loop.run_until_complete(task)
        except asyncio.CancelledError as cancelled:
            raise NothingLeftError(*cancelled.args) from None


@dataclass(frozen=True, slots=True)
class VirtualRun:
    """What a run in virtual time came to. ``seconds`` is how long it would have taken."""

    result: FlowResult
    trail: list[TrailStep]
    state: State
    seconds: float

    @property
    def path(self) -> list[tuple[str, str | None]]:
        """Node and port of each step."""
        return [(step.node_id, step.port) for step in self.trail]


class VirtualDriver:
    """Drives one run of the machine in the loop it is awaited in. Scripts use it to make things happen."""

    def __init__(self, plan: Plan, start: FlowStart, env: Environment, *, begin: datetime = BEGIN) -> None:
        self.start = start
        self.env = env
        self.machine = Machine(plan, env.registry)
        self.state: State | None = None
        self._begin = begin
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._nodes: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._writes: set[asyncio.Task[None]] = set()
        self._origin = 0.0

    def now(self) -> datetime:
        """The time of the run."""
        return self._begin + timedelta(seconds=asyncio.get_running_loop().time() - self._origin)

    def hang_up(self, cause: str = "normal") -> None:
        """The caller leaves, as the gateway would report it."""
        self._events.put_nowait(HungUp(cause, self.now()))

    def signal(self, name: str, data: dict[str, Any] | None = None) -> None:
        """Someone outside tells the run something."""
        self._events.put_nowait(SignalReceived(name, data or {}, self.now()))

    def stop(self, reason: str = "stopped") -> None:
        """A person ends the run."""
        self._events.put_nowait(Stop(reason, self.now()))

    async def run(self) -> VirtualRun:
        """Carry the run to its end."""
        self._origin = asyncio.get_running_loop().time()
        self.state, commands = self.machine.start(self.start, self.now())
        try:
            while True:
                finish = self._carry_out(commands)
                if finish is not None:
                    break
                event = await self._events.get()
                self.state, commands = self.machine.step(self.state, event)
        finally:
            await self._clear()
        await self.env.trail.finished(self.start, finish.result, finish.steps)
        seconds = asyncio.get_running_loop().time() - self._origin
        return VirtualRun(finish.result, finish.steps, self.state, round(seconds, 6))

    def _carry_out(self, commands: list[Command]) -> Finish | None:
        loop = asyncio.get_running_loop()
        for command in commands:
            match command:
                case RunNode():
                    key = (command.token, command.task.step)
                    self._nodes[key] = loop.create_task(self._execute(command))
                case CancelNode():
                    task = self._nodes.pop((command.token, command.step), None)
                    if task is not None:
                        task.cancel()
                case StartTimer():
                    self._timers[command.timer] = loop.call_later(command.seconds, self._fired, command.timer)
                case CancelTimer():
                    timer = self._timers.pop(command.timer, None)
                    if timer is not None:
                        timer.cancel()
                case WriteTrail():
                    write = loop.create_task(self._write(command))
                    self._writes.add(write)
                    write.add_done_callback(self._writes.discard)
                case Finish():
                    return command
        return None

    def _fired(self, timer: int) -> None:
        self._timers.pop(timer, None)
        self._events.put_nowait(TimerFired(timer, self.now()))

    async def _execute(self, command: RunNode) -> None:
        task = command.task
        outcome = await run_task(task, self.env)
        self._nodes.pop((command.token, task.step), None)
        self._events.put_nowait(NodeDone(command.token, task.step, task.attempt, outcome, self.now()))

    async def _write(self, command: WriteTrail) -> None:
        await self.env.trail.steps(self.start.run_id, command.steps)

    async def _clear(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        left: list[Awaitable[None]] = [*self._nodes.values(), *self._writes]
        for task in self._nodes.values():
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


Script = Callable[[VirtualDriver], Awaitable[None]]


def run_virtual(
    plan: Plan, start: FlowStart, env: Environment, *, script: Script | None = None, begin: datetime = BEGIN
) -> VirtualRun:
    """Run a flow to its end in virtual time.

    ``script`` runs beside it in the same time: it sleeps, then hangs up, signals or stops through the driver.
    """

    async def main() -> VirtualRun:
        driver = VirtualDriver(plan, start, env, begin=begin)
        beside = asyncio.ensure_future(script(driver)) if script is not None else None
        try:
            return await driver.run()
        finally:
            if beside is not None:
                beside.cancel()
                await asyncio.gather(beside, return_exceptions=True)

    return run_in_virtual_time(main)
