"""The virtual clock."""

import asyncio
import time

import pytest

from flows.testing import compiled, document, environment, sample_registry, start_of
from flows.virtual import NothingLeftError, run_in_virtual_time, run_virtual


def test_a_day_passes_in_a_blink() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(asyncio.sleep(86_400), asyncio.sleep(3_600))
        return loop.time() - began

    began = time.process_time()
    assert run_in_virtual_time(main) == pytest.approx(86_400)
    assert time.process_time() - began < 1


def test_timers_fire_in_order() -> None:
    async def main() -> list[int]:
        order: list[int] = []

        async def later(number: int) -> None:
            await asyncio.sleep(number)
            order.append(number)

        await asyncio.gather(*(later(number) for number in (5, 1, 3)))
        return order

    assert run_in_virtual_time(main) == [1, 3, 5]


def test_timeouts_work() -> None:
    async def main() -> None:
        async with asyncio.timeout(10):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run_in_virtual_time(main)


def test_waiting_for_nothing_is_told() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(NothingLeftError, match="every task waits"):
        run_in_virtual_time(main)


def test_a_thread_is_waited_for_without_time_passing() -> None:
    def work() -> str:
        time.sleep(0.05)
        return "done"

    async def main() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        alarm = asyncio.ensure_future(asyncio.sleep(3_600))
        result = await asyncio.to_thread(work)
        passed = loop.time()
        alarm.cancel()
        return result, passed

    assert run_in_virtual_time(main) == ("done", 0.0)


async def test_it_runs_beside_a_real_loop() -> None:
    async def main() -> str:
        await asyncio.sleep(1_000)
        return "done"

    assert await asyncio.to_thread(run_in_virtual_time, main) == "done"
    assert run_in_virtual_time(main) == "done"


def test_a_flow_that_waits_for_good_is_told() -> None:
    registry = sample_registry()
    plan = compiled(document({"w": ("test.wait", {"signal": "never"})}), registry)
    with pytest.raises(NothingLeftError):
        run_virtual(plan, start_of(plan), environment(registry))


def test_hundreds_of_runs_a_second() -> None:
    registry = sample_registry()
    plan = compiled(
        document({"a": "test.quick", "w": ("test.wait", {"seconds": 3_600}), "b": "test.act"}, "a>w w.timeout>b"),
        registry,
    )
    began = time.process_time()
    for number in range(200):
        assert run_virtual(plan, start_of(plan, f"run-{number}"), environment(registry)).seconds == 3_600
    assert time.process_time() - began < 10
