"""When a browser phone counts as having stopped: soon, never too soon, and with few questions."""

import asyncio
import itertools
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from telephony.asterisk.pulse import LOOKS, Pulse, PulseWatch
from telephony.test_live_call import virtual


class Phones:
    """Phones that send 50 packets a second while they live."""

    def __init__(self, lives: Callable[[str, float], bool] = lambda name, at: True) -> None:
        self.lives = lives
        self.asked: list[tuple[float, str]] = []
        self.told: list[tuple[str, bool, float]] = []
        self.away = False
        self.watch = PulseWatch(self._count, self._tell)
        self._packets: dict[str, int] = {}
        self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while True:
            now = asyncio.get_running_loop().time()
            for name in self._packets:
                self._packets[name] += self.lives(name, now)
            await asyncio.sleep(0.02)

    def begin(self, name: str) -> None:
        self._packets[name] = 0
        self.watch.watch(name)

    async def _count(self, name: str) -> int | None:
        self.asked.append((asyncio.get_running_loop().time(), name))
        await asyncio.sleep(0.002)
        return None if self.away else self._packets[name]

    def _tell(self, name: str, stopped: bool) -> None:
        self.told.append((name, stopped, asyncio.get_running_loop().time()))

    def close(self) -> None:
        self.watch.close()
        self._sending.cancel()


@given(st.lists(st.integers(0, 60), max_size=60))
def test_it_stops_after_looks_in_a_row_that_find_nothing_and_is_back_with_the_next_packet(steps: list[int]) -> None:
    pulse, count, stopped, began, still = Pulse(), 0, False, False, 0
    for step in steps:
        count += step
        told = pulse.look(count)
        began, still = began or step > 0, 0 if step else still + 1
        expected = began and still >= LOOKS
        assert told == (expected if expected != stopped else None)
        stopped = expected
        assert pulse.stopped == stopped


@virtual
async def test_a_phone_that_dies_is_noticed_within_two_and_a_half_seconds_and_one_that_lives_never() -> None:
    for after in (0.0, 0.3, 0.7, 0.99):
        died = asyncio.get_running_loop().time() + 30 + after

        def lives(name: str, at: float, died: float = died) -> bool:
            return name != "dead" or at < died or at > died + 6

        phones = Phones(lives)
        phones.begin("dead")
        phones.begin("alive")
        await asyncio.sleep(60)
        phones.close()
        assert [(name, stopped) for name, stopped, _ in phones.told] == [("dead", True), ("dead", False)]
        noticed, back = (at - died for _, _, at in phones.told)
        assert 1.4 < noticed < 2.6 and 6.0 < back < 6.6


@virtual
async def test_a_hundred_phones_cost_a_hundred_questions_a_second_and_never_many_at_once() -> None:
    phones = Phones()
    for number in range(100):
        phones.begin(f"phone{number}")
        await asyncio.sleep(0.013)
    began = asyncio.get_running_loop().time()
    phones.asked.clear()
    await asyncio.sleep(20)
    assert 90 <= len(phones.asked) / 20 <= 101
    # One after the other: no question is asked before the last one is answered.
    times = [at for at, _ in phones.asked]
    assert all(later - earlier >= 0.0019 for earlier, later in itertools.pairwise(times))
    assert times[-1] - began > 19 and phones.told == []
    for number in range(100):
        phones.watch.forget(f"phone{number}")
    phones.asked.clear()
    await asyncio.sleep(3)
    assert phones.asked == []
    phones.close()


@virtual
async def test_what_cannot_be_known_is_no_silence_and_a_phone_on_hold_counts_as_there() -> None:
    phones = Phones(lambda name, at: False)
    phones.begin("never spoke")
    await asyncio.sleep(10)
    assert phones.told == [], "sound may still be finding its way"
    phones.close()

    began = asyncio.get_running_loop().time()
    phones = Phones(lambda name, at: at < began + 5)
    phones.begin("agent")
    await asyncio.sleep(4)
    phones.away = True  # Asterisk does not answer
    await asyncio.sleep(10)
    assert phones.told == []
    phones.away = False
    await asyncio.sleep(3)
    assert [(name, stopped) for name, stopped, _ in phones.told] == [("agent", True)]
    phones.watch.forget("agent", back=True)
    assert [(name, stopped) for name, stopped, _ in phones.told] == [("agent", True), ("agent", False)]
    await asyncio.sleep(5)
    assert len(phones.told) == 2
    phones.close()
