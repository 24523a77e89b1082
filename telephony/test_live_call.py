"""What nodes do with a call, over the simulated engine and a virtual clock."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.call import Call, DialResult, Keys, Said, Talk
from telephony.calls import CallBook, CallEnd
from telephony.comfort import GuardTimes, offer_fallback
from telephony.driver import Hangup, Incoming
from telephony.errors import DriverError, HungUp, SpeechError
from telephony.live_call import MAX_KEYS, LiveCall
from telephony.prompts import Audio, Recorded, Speak
from telephony.simulated import Callee, Line, Person, SimulatedDriver, SimulatedRenderer, estimate_seconds, run_virtual
from telephony.sounds import Sounds

T = TypeVar("T")

WELCOME = [Speak("Welcome to the hotline.")]
LENGTH = estimate_seconds("Welcome to the hotline.")
NEVER = GuardTimes(comfort=1e9, apology=1e9)


@dataclass
class Hall:
    """A driver, a book and what they told."""

    driver: SimulatedDriver
    book: CallBook
    ends: list[CallEnd] = field(default_factory=list)
    came: "asyncio.Queue[LiveCall]" = field(default_factory=asyncio.Queue)

    async def call(self, person: Person | None = None, answer: bool = True) -> tuple[LiveCall, Line]:
        line = self.driver.call_in(person)
        call = await self.came.get()
        if answer:
            await call.answer()
        return call, line


def hall(
    driver: SimulatedDriver | None = None,
    *,
    guard: GuardTimes = NEVER,
    on_silence: Callable[[LiveCall], Awaitable[None]] | None = None,
) -> Hall:
    driver = driver or SimulatedDriver()
    book = CallBook(driver, driver.renderer, sounds=Sounds(None), language="en", guard=guard, on_silence=on_silence)
    made = Hall(driver, book)

    async def incoming(call: LiveCall, event: Incoming) -> None:
        made.came.put_nowait(call)

    async def ended(call: LiveCall, end: CallEnd) -> None:
        made.ends.append(end)

    book.on_incoming, book.on_ended = incoming, ended
    book.start()
    return made


def now() -> float:
    return asyncio.get_running_loop().time()


def virtual(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run an async test on the virtual clock."""

    def run() -> None:
        run_virtual(test())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


def a_live_call_is_a_call(call: LiveCall) -> Call:
    """The type checker proves that the implementation keeps the contract."""
    return call


# --------------------------------------------------------------------------- answer and end


@virtual
async def test_answer_and_hang_up_are_idempotent() -> None:
    h = hall()
    call, line = await h.call(answer=False)
    assert not call.answered
    await call.answer()
    await call.answer()
    assert [name for _, name, _ in h.driver.commands] == ["answer"]
    await call.hang_up()
    await call.hang_up()
    assert call.ended and line.ended
    await asyncio.sleep(2)
    assert await h.book.get(call.id) is None
    assert [end.cause for end in h.ends] == ["normal"]
    with pytest.raises(HungUp):
        await call.say(WELCOME)


@virtual
async def test_reject_gives_the_cause_to_the_caller_and_the_records() -> None:
    h = hall()
    call, line = await h.call(answer=False)
    await call.reject("busy")
    await call.reject("busy")
    assert (line.cause, line.sip_code) == ("busy", 486)
    await asyncio.sleep(2)
    assert [(end.cause, end.sip_code, end.answered_seconds) for end in h.ends] == [("busy", 486, 0.0)]


@virtual
async def test_the_end_is_told_once_with_times_and_legs() -> None:
    driver = SimulatedDriver(callees={"extension:8001": Callee(after=3, person=Person().waits(10).hangs_up())})
    h = hall(driver)
    call, line = await h.call()
    assert (await call.dial("leg-1", "extension:8001", caller_id="100", ring_seconds=20)).result == "answered"
    await call.talk("leg-1")
    await asyncio.sleep(5)
    line.hang_up()
    await asyncio.sleep(3)
    (end,) = h.ends
    assert end.cause == "normal"
    assert end.seconds == pytest.approx(18.1)
    (leg,) = end.legs
    assert (leg.result, leg.destination) == ("answered", "extension:8001")
    assert leg.talk_seconds == pytest.approx(10)


@virtual
async def test_two_calls_do_not_share_keys() -> None:
    h = hall()
    one, first = await h.call()
    two, second = await h.call()
    await first.press("1")
    await second.press("2")
    both = [call.collect([], maximum=1, first_timeout=1, digit_timeout=1) for call in (two, one)]
    assert [keys.digits for keys in await asyncio.gather(*both)] == ["2", "1"]


# --------------------------------------------------------------------------- saying


@virtual
async def test_say_plays_to_the_end_and_tells_the_words() -> None:
    h = hall()
    call, line = await h.call()
    began = now()
    said = await call.say([*WELCOME, Recorded("hours")])
    assert said == Said(["Welcome to the hotline.", "[hours]"])
    assert now() - began == pytest.approx(LENGTH + estimate_seconds("[hours]"))
    assert line.texts == said.texts and all(heard.whole for heard in line.heard)


@virtual
async def test_a_key_cuts_the_prompt_at_once_and_is_consumed() -> None:
    h = hall()
    call, line = await h.call(Person().hears("Welcome", whole=False).waits(0.5).presses("90"))
    began = now()
    said = await call.say([*WELCOME, Speak("More words.")], barge_in=frozenset("9"))
    assert said == Said(["Welcome to the hotline."], "9")
    assert now() - began == pytest.approx(0.5)
    await asyncio.sleep(1)
    assert call.pending_keys == "0"
    assert line.heard[0].until == pytest.approx(began + 0.5) and not line.heard[0].whole


@virtual
async def test_other_keys_wait_for_the_next_question() -> None:
    h = hall()
    call, line = await h.call(Person().hears("Welcome", whole=False).presses("12#", gap=0.1))
    assert await call.say(WELCOME, barge_in=frozenset("0")) == Said(["Welcome to the hotline."])
    keys = await call.collect([Speak("Your card?")], maximum=9, first_timeout=5, digit_timeout=3)
    assert keys == Keys("12", "terminator", [])
    assert "Your card?" not in line.texts


@virtual
async def test_a_barge_in_key_inside_a_number_typed_ahead_is_part_of_the_number() -> None:
    h = hall()
    call, _ = await h.call(Person().hears("Welcome", whole=False).presses("1203#", gap=0.1))
    assert (await call.say(WELCOME, barge_in=frozenset("0"))).digit is None
    assert (await call.collect([], maximum=9, first_timeout=5, digit_timeout=3)).digits == "1203"


@virtual
async def test_a_kept_key_cuts_the_prompt_and_is_the_choice_after_it() -> None:
    h = hall()
    call, _ = await h.call(Person().hears("Welcome", whole=False).presses("1"))
    said = await call.say(WELCOME, barge_in=frozenset("1"), keep_key=True)
    assert said.digit == "1"
    assert (await call.collect([], maximum=1, first_timeout=0.1, digit_timeout=1)).digits == "1"
    assert call.pending_keys == ""


@virtual
async def test_keys_ahead_are_bounded() -> None:
    h = hall()
    call, line = await h.call()
    await line.press("1" * MAX_KEYS + "2", gap=0)
    await asyncio.sleep(0.1)
    assert call.pending_keys == "1" * MAX_KEYS


@virtual
async def test_a_prompt_that_cannot_be_rendered_or_played_is_an_error() -> None:
    h = hall(SimulatedDriver(SimulatedRenderer(languages=["zh"], recorded={})))
    call, _ = await h.call()
    with pytest.raises(SpeechError) as no_voice:
        await call.say(WELCOME)
    assert no_voice.value.reason == "no_voice"
    h.driver.renderer.media_of = lambda path: None  # type: ignore[method-assign]
    with pytest.raises(SpeechError) as unplayable:
        await call.say([Audio(Path("/none.wav"))])
    assert unplayable.value.reason == "playback_failed"
    assert not call.ended


@virtual
async def test_a_lost_connection_delays_a_prompt_but_does_not_fail_it() -> None:
    h = hall()
    call, line = await h.call()
    h.driver.lose_connection()
    asyncio.get_running_loop().call_later(3, h.driver.restore_connection)
    said = await call.say(WELCOME)
    assert said.texts == ["Welcome to the hotline."]
    assert [heard.text for heard in line.heard] == said.texts


@virtual
async def test_a_playback_whose_end_was_lost_does_not_hang_the_call() -> None:
    h = hall()
    call, _ = await h.call()
    saying = asyncio.create_task(call.say(WELCOME))
    await asyncio.sleep(0.2)
    h.driver.lose_connection()
    await asyncio.sleep(LENGTH)
    h.driver.restore_connection()
    assert (await asyncio.wait_for(saying, 15)).texts == ["Welcome to the hotline."]


@virtual
async def test_prefetched_prompts_are_rendered_while_another_one_plays() -> None:
    rendered: list[str] = []

    class Slow(SimulatedRenderer):
        async def render(self, items: Any, language: str) -> Any:
            rendered.extend(item.text for item in items)
            return await super().render(items, language)

    h = hall(SimulatedDriver(Slow()))
    call, _ = await h.call()
    saying = asyncio.create_task(call.say(WELCOME))
    await asyncio.sleep(0.1)
    call.prefetch([Speak("Next.")])
    await asyncio.sleep(0.1)
    assert rendered == ["Welcome to the hotline.", "Next."] and not saying.done()
    await saying


# --------------------------------------------------------------------------- digits


@virtual
async def test_first_timeout_runs_from_the_end_of_the_prompt() -> None:
    h = hall()
    call, _ = await h.call()
    began = now()
    keys = await call.collect(WELCOME, maximum=4, first_timeout=5, digit_timeout=2)
    assert keys == Keys("", "timeout", ["Welcome to the hotline."])
    assert now() - began == pytest.approx(LENGTH + 5)


@virtual
async def test_digit_timeout_runs_from_the_last_digit() -> None:
    h = hall()
    call, _ = await h.call(Person().hears("Welcome").waits(4).presses("12", gap=1.9))
    began = now()
    keys = await call.collect(WELCOME, maximum=4, first_timeout=5, digit_timeout=2)
    assert (keys.digits, keys.ended_by) == ("12", "timeout")
    assert now() - began == pytest.approx(LENGTH + 4 + 1.9 + 2)


@virtual
async def test_without_barge_in_the_prompt_is_heard_whole_and_the_keys_count_after_it() -> None:
    h = hall()
    call, line = await h.call(Person().hears("Welcome", whole=False).presses("12", gap=0.1))
    began = now()
    keys = await call.collect(WELCOME, maximum=4, first_timeout=5, digit_timeout=2, barge_in=False)
    assert (keys.digits, keys.ended_by) == ("12", "timeout")
    assert line.heard[0].whole
    assert now() - began == pytest.approx(LENGTH + 2)


@virtual
async def test_keys_that_do_not_count_are_dropped_and_do_not_stop_the_prompt() -> None:
    h = hall()
    call, line = await h.call(Person().hears("Welcome", whole=False).presses("*7").hears("Welcome").presses("7*2"))
    keys = await call.collect(WELCOME, maximum=1, first_timeout=5, digit_timeout=2, keys=frozenset("12"))
    assert keys.digits == "2" and line.heard[0].whole


@virtual
async def test_the_terminator_after_a_full_entry_is_not_the_next_answer() -> None:
    h = hall()
    call, _ = await h.call(Person().presses("1234#", gap=0.3).waits(5).presses("#"))
    await asyncio.sleep(0.1)
    assert (await call.collect([], maximum=4, first_timeout=5, digit_timeout=3)).ended_by == "full"
    began = now()
    keys = await call.collect([], maximum=4, first_timeout=9, digit_timeout=3)
    assert keys.ended_by == "terminator" and now() - began > 4


def test_no_digits_wanted_is_refused() -> None:
    async def ask() -> None:
        call, _ = await hall().call()
        with pytest.raises(ValueError, match="maximum"):
            await call.collect([], maximum=0, first_timeout=1, digit_timeout=1)

    run_virtual(ask())


keys_and_gaps = st.lists(
    st.tuples(st.sampled_from("0123456789*#"), st.floats(0, LENGTH * 2).map(lambda x: round(x, 3))), max_size=24
)


@given(presses=keys_and_gaps, barge_in=st.booleans(), maximum=st.integers(1, 6), latency=st.sampled_from([0.0, 0.02]))
@settings(max_examples=150, deadline=None)
def test_no_key_is_ever_lost_or_doubled(
    presses: list[tuple[str, float]], barge_in: bool, maximum: int, latency: float
) -> None:
    """Whatever the timing of keys and prompt ends: the entries, put together, are the keys that were pressed."""

    async def run() -> None:
        h = hall(SimulatedDriver(latency=latency))
        call, line = await h.call()

        async def press() -> None:
            for key, gap in presses:
                await asyncio.sleep(gap)
                await line.press(key)
            await asyncio.sleep(0.1)  # the last key travels too

        pressing = asyncio.create_task(press())
        got = ""
        while not pressing.done() or call.pending_keys:
            said = await call.say([Speak("Hm.")], barge_in=frozenset("5"))
            got += said.digit or ""
            keys = await call.collect(
                WELCOME, maximum=maximum, first_timeout=0.5, digit_timeout=0.5, terminators="", barge_in=barge_in
            )
            assert len(keys.digits) <= maximum
            assert (len(keys.digits) == maximum) == (keys.ended_by == "full")
            got += keys.digits
        assert got == "".join(key for key, _ in presses)

    run_virtual(run())


@given(
    entries=st.lists(st.text("0123456789", max_size=4), min_size=1, max_size=5),
    gap=st.sampled_from([0.0, 0.05, 0.4]),
    before=st.floats(0, 3 * LENGTH),
)
@settings(max_examples=100, deadline=None)
def test_entries_ended_by_a_terminator_come_apart_where_the_caller_ended_them(
    entries: list[str], gap: float, before: float
) -> None:
    """Also when they are typed ahead, over the prompts, and when an entry is full before its terminator."""

    async def run() -> None:
        h = hall()
        call, line = await h.call()
        typing = asyncio.create_task(_type(line, "#".join(entries) + "#", gap, before))
        got = [(await call.collect(WELCOME, maximum=4, first_timeout=30, digit_timeout=1.5)).digits for _ in entries]
        await typing
        await asyncio.sleep(0.1)
        assert got == entries and call.pending_keys == ""

    run_virtual(run())


async def _type(line: Line, keys: str, gap: float, before: float) -> None:
    await asyncio.sleep(before)
    await line.press(keys, gap=gap)


# --------------------------------------------------------------------------- recording


@virtual
async def test_a_recording_ends_by_key_silence_or_limit() -> None:
    h = hall()
    call, line = await h.call(
        Person().hears("beep").speaks(4).waits(0.5).presses("5#").hears("beep").speaks(3).hears("beep").speaks(99)
    )
    by_key = await call.record("one", max_seconds=60, max_silence=5)
    assert (by_key.ended_by, by_key.digit) == ("key", "#") and by_key.seconds == pytest.approx(4.75)
    by_silence = await call.record("two", max_seconds=60, max_silence=5)
    assert by_silence.ended_by == "silence" and by_silence.seconds == pytest.approx(8)
    by_limit = await call.record("three", max_seconds=10, max_silence=5)
    assert by_limit.ended_by == "limit" and by_limit.seconds == pytest.approx(10)
    assert line.failure is None and call.pending_keys == ""


@virtual
async def test_keys_pressed_before_the_beep_do_not_end_the_recording() -> None:
    h = hall()
    call, line = await h.call()
    await line.press("#1")
    recording = await call.record("one", max_seconds=5, max_silence=0)
    assert recording.ended_by == "limit"


@virtual
async def test_a_hang_up_keeps_what_was_recorded() -> None:
    h = hall()
    call, _ = await h.call(Person().hears("beep").speaks(3).hangs_up())
    with pytest.raises(HungUp):
        await call.record("one", max_seconds=60, max_silence=5)
    kept = await call.recorded("one")
    assert kept is not None and kept.seconds == pytest.approx(3) and kept.ended_by == "stopped"
    assert await call.recorded("two") is None


@virtual
async def test_the_same_name_finds_the_same_recording_after_a_restart() -> None:
    driver = SimulatedDriver()
    before = hall(driver)
    call, line = await before.call()
    recording = asyncio.create_task(call.record("one", max_seconds=60, max_silence=0))
    await asyncio.sleep(4)
    await before.book.stop()
    with pytest.raises(HungUp):
        await recording
    after = hall(driver)
    (again,) = await after.book.adopt()
    assert again.id == call.id and again.answered and again.adopted
    asyncio.get_running_loop().call_later(3, driver.key, call.id, "#")
    attached = await again.record("one", max_seconds=60, max_silence=0)
    assert attached.seconds == pytest.approx(7) and attached.digit == "#"
    assert (await again.record("one", max_seconds=60, max_silence=0)).path == attached.path
    assert [name for _, name, _ in driver.commands].count("record") == 2
    del line


@virtual
async def test_after_a_restart_the_whole_call_is_recorded_whether_that_had_begun_or_not() -> None:
    for began in (True, False):
        driver = SimulatedDriver()
        before = hall(driver)
        call, _ = await before.call()
        await call.answer()
        if began:
            await call.start_recording()
        await before.book.stop()
        (again,) = await hall(driver).book.adopt()
        assert again.recording_state == ("on" if began else "off")
        await again.start_recording()
        assert again.recording_state == "on"
        assert [name for _, name, _ in driver.commands].count("tap") == 1


@virtual
async def test_the_recording_of_the_whole_call_is_paused_for_a_pin() -> None:
    h = hall()
    call, line = await h.call()
    await call.pause_recording(True)
    await call.start_recording()
    await asyncio.sleep(5)
    await call.pause_recording(True)
    await call.pause_recording(True)
    await asyncio.sleep(20)
    await call.pause_recording(False)
    await asyncio.sleep(5)
    line.hang_up()
    await asyncio.sleep(0.1)
    tap = await call.recorded(call.tap_name)
    assert tap is not None and tap.seconds == pytest.approx(10)


# --------------------------------------------------------------------------- other parties


@pytest.mark.parametrize(
    ("callee", "expected"),
    [
        (Callee("busy"), ("busy", 486)),
        (Callee("rejected"), ("rejected", 603)),
        (Callee("no_answer"), ("no_answer", 0)),
        (Callee("unknown_number"), ("failed", 404)),
        (Callee("congestion"), ("failed", 503)),
        (Callee("answered", after=60), ("no_answer", 0)),
        (None, ("failed", 404)),
    ],
)
def test_results_of_dialling(callee: Callee | None, expected: tuple[str, int]) -> None:
    async def run() -> None:
        driver = SimulatedDriver(callees={"extension:8001": callee} if callee else {})
        h = hall(driver)
        call, line = await h.call()
        began = now()
        result = await call.dial("leg", "extension:8001", caller_id="100", ring_seconds=12)
        assert (result.result, result.sip_code) == expected
        assert now() - began <= 12.5
        # A retry of the infrastructure gets the same answer without a second dial.
        assert await call.dial("leg", "extension:8001", caller_id="100", ring_seconds=12) == result
        assert len(driver.dialled) == 1
        assert (await call.leg("leg")) == "gone"
        await asyncio.sleep(0.1)
        assert line.heard[-1].until is not None

    run_virtual(run())


@virtual
async def test_the_caller_hears_ringback_until_the_answer_and_then_the_other_party() -> None:
    agent = Person().waits(1).speaks(2, "How can I help?").waits(1).hangs_up()
    h = hall(SimulatedDriver(callees={"extension:8001": Callee(after=7, person=agent)}))
    call, line = await h.call()
    assert (await call.dial("leg", "extension:8001", caller_id="100", ring_seconds=30)).result == "answered"
    talk = await call.talk("leg")
    assert talk.ended_by == "other" and talk.seconds == pytest.approx(4)
    assert {heard.kind for heard in line.heard} == {"ringback", "speech"}
    assert "How can I help?" in line.texts
    assert not call.ended
    await asyncio.sleep(0.1)
    assert (await h.driver.snapshot()).bridges == {}
    assert (await call.say(WELCOME)).texts


@virtual
async def test_an_unanswered_caller_hears_ringing_and_a_caller_may_hear_music_instead() -> None:
    h = hall(SimulatedDriver(callees={"extension:8001": Callee("busy")}))
    call, line = await h.call(answer=False)
    await call.dial("leg-1", "extension:8001", caller_id="100", ring_seconds=30)
    assert [heard.kind for heard in line.heard] == ["ringback"] and not call.answered
    await call.answer()
    await call.dial("leg-2", "extension:8001", caller_id="100", ring_seconds=30, ringback=False)
    await asyncio.sleep(0.1)
    assert line.heard[-1].kind == "music" and line.heard[-1].until is not None


@virtual
async def test_ringing_that_outlives_its_process_goes_on_and_stops_with_the_answer() -> None:
    agent = Person().waits(1).speaks(2, "Good that you waited.").waits(60)
    driver = SimulatedDriver(callees={"extension:8001": Callee(after=20, person=agent)})
    before = hall(driver, guard=GuardTimes())
    call, line = await before.call()
    leg = f"call-{call.id}-7-1-leg"
    dialling = asyncio.create_task(call.dial(leg, "extension:8001", caller_id="100", ring_seconds=40))
    await asyncio.sleep(5)
    # The process dies: nothing tidies up, and nothing it still tries reaches the engine.
    assert before.book._unsubscribe is not None
    before.book._unsubscribe()
    before.book.driver = SimulatedDriver()
    call._driver = before.book.driver
    dialling.cancel()
    await asyncio.gather(dialling, return_exceptions=True)
    after = hall(driver, guard=GuardTimes())
    (again,) = await after.book.adopt()
    assert await again.leg(leg) == "ringing"
    result = await again.dial(leg, "extension:8001", caller_id="100", ring_seconds=40)
    assert result.result == "answered" and len(driver.dialled) == 1
    talking = asyncio.create_task(again.talk(leg))
    await asyncio.sleep(10)
    rang = [one for one in line.heard if one.kind == "ringback"]
    assert [one.at for one in rang] == [0, 5, 10, 15, 20], "one tone, begun once"
    assert rang[-1].until == pytest.approx(20, abs=0.5), "it stops with the answer"
    assert "Good that you waited." in line.texts
    talking.cancel()
    await asyncio.gather(talking, return_exceptions=True)


def dies(before: Hall, call: LiveCall) -> None:
    """The process of a call dies: nothing tidies up, and nothing it still tries reaches the engine."""
    assert before.book._unsubscribe is not None
    before.book._unsubscribe()
    before.book.driver = SimulatedDriver()
    call._driver = before.book.driver


@virtual
async def test_a_prompt_that_outlives_its_process_is_heard_until_the_next_command_and_holds_up_nothing() -> None:
    driver = SimulatedDriver()
    before = hall(driver, guard=GuardTimes())
    call, line = await before.call()
    long = [Speak(f"This is sentence number {number} of a long text.") for number in range(20)]
    for _ in range(6):
        await call.say(WELCOME)
    saying = asyncio.create_task(call.say(long))
    await asyncio.sleep(5)
    dies(before, call)
    saying.cancel()
    await asyncio.gather(saying, return_exceptions=True)
    after = hall(driver, guard=GuardTimes())
    (again,) = await after.book.adopt()
    await asyncio.sleep(4)
    assert line.heard[-1].until is None and line.heard[-1].kind == "prompt", "it goes on, no comfort is due"
    began = now()
    await again.say(WELCOME)
    assert now() - began == pytest.approx(LENGTH, abs=0.1)
    assert line.heard[-1].text == "Welcome to the hotline." and line.heard[-1].at == pytest.approx(began, abs=0.1)
    # What is over makes room for comfort as ever.
    await asyncio.sleep(5)
    assert [one.kind for one in line.heard][-1] == "comfort"


@virtual
async def test_comfort_follows_a_prompt_that_outlives_its_process() -> None:
    driver = SimulatedDriver()
    before = hall(driver, guard=GuardTimes())
    call, line = await before.call()
    saying = asyncio.create_task(call.say([Speak("This is a text of some length, longer than a moment.")]))
    await asyncio.sleep(0.5)
    dies(before, call)
    saying.cancel()
    await asyncio.gather(saying, return_exceptions=True)
    after = hall(driver, guard=GuardTimes())
    await after.book.adopt()
    await asyncio.sleep(15)
    assert [one.kind for one in line.heard] == ["prompt", "comfort"]
    assert line.heard[0].whole and line.heard[0].until == pytest.approx(line.heard[1].at, abs=0.1)


@virtual
async def test_the_release_key_ends_the_talk_and_other_keys_mean_nothing() -> None:
    h = hall(SimulatedDriver(callees={"extension:8001": Callee(after=1, person=Person())}))
    call, line = await h.call()
    await line.press("7")
    await call.dial("leg", "extension:8001", caller_id="100", ring_seconds=30)
    talking = asyncio.create_task(call.talk("leg", release_key="*"))
    await asyncio.sleep(5)
    await line.press("12*", gap=0.1)
    talk = await talking
    assert (talk.ended_by, talk.digit) == ("key", "*")
    await asyncio.sleep(0.1)
    assert h.driver.lines["leg"].ended and not call.ended and call.pending_keys == ""
    assert await call.talk("leg") == Talk(0.0, "other")


@virtual
async def test_when_the_caller_leaves_the_talk_the_other_party_is_hung_up() -> None:
    h = hall(SimulatedDriver(callees={"extension:8001": Callee(after=1, person=Person())}))
    call, line = await h.call()
    await call.dial("leg", "extension:8001", caller_id="100", ring_seconds=30)
    talking = asyncio.create_task(call.talk("leg"))
    await asyncio.sleep(5)
    line.hang_up()
    with pytest.raises(HungUp):
        await talking
    await asyncio.sleep(0.1)
    assert h.driver.lines["leg"].ended
    assert (await h.driver.snapshot()).bridges == {}


@virtual
async def test_when_the_caller_leaves_while_it_rings_the_leg_is_cancelled() -> None:
    h = hall(SimulatedDriver(callees={"extension:8001": Callee(after=20)}))
    call, _ = await h.call(Person().waits(4).hangs_up())
    with pytest.raises(HungUp):
        await call.dial("leg", "extension:8001", caller_id="100", ring_seconds=30)
    await asyncio.sleep(2)
    assert h.driver.lines["leg"].cause == "cancelled"
    (end,) = h.ends
    assert end.legs[0].result == "no_answer"


@virtual
async def test_a_conversation_survives_a_restart_and_is_joined_again() -> None:
    driver = SimulatedDriver(callees={"extension:8001": Callee(after=1, person=Person().waits(30).hangs_up())})
    before = hall(driver)
    call, line = await before.call()
    leg = f"call-{call.id}-7-1-leg"
    await call.dial(leg, "extension:8001", caller_id="100", ring_seconds=30)
    talking = asyncio.create_task(call.talk(leg))
    await asyncio.sleep(10)
    # The process dies: nothing tidies up.
    assert before.book._unsubscribe is not None
    before.book._unsubscribe()
    talking.cancel()
    await asyncio.gather(talking, return_exceptions=True)
    after = hall(driver, guard=GuardTimes())
    (again,) = await after.book.adopt()
    assert await again.leg(leg) == "up"
    result = await again.dial(leg, "extension:8001", caller_id="100", ring_seconds=30)
    assert result.result == "answered" and len(driver.dialled) == 1
    talk = await again.talk(leg)
    assert talk.ended_by == "other"
    assert not line.ended and not any(heard.kind == "comfort" for heard in line.heard)


@virtual
async def test_a_leg_that_no_call_claims_is_hung_up() -> None:
    driver = SimulatedDriver(callees={"extension:8001": Callee(after=1, person=Person())})
    await driver.originate("stray", "extension:8001", caller_id="1", timeout=30)
    h = hall(driver)
    assert await h.book.adopt(calls=[]) == []
    await asyncio.sleep(65)
    assert driver.lines["stray"].ended


@virtual
async def test_a_placed_call_runs_like_one_that_came_in() -> None:
    driver = SimulatedDriver(
        callees={"trunk:t:10086": Callee(after=2, person=Person().hears("Welcome").hangs_up()), "sip:x": Callee("busy")}
    )
    h = hall(driver)
    call, result = await h.book.place("out-1", "trunk:t:10086", caller_id="100", ring_seconds=20)
    assert call is not None and result.result == "answered" and call.caller == "10086" and call.answered
    with pytest.raises(HungUp):
        await call.collect(WELCOME, maximum=1, first_timeout=9, digit_timeout=9)
    nobody, result = await h.book.place("out-2", "sip:x", caller_id="100", ring_seconds=20)
    assert nobody is None and (result.result, result.sip_code) == ("busy", 486)


# --------------------------------------------------------------------------- the end of the call, everywhere


async def _everything(call: LiveCall) -> None:
    """Every method once, with waits inside."""
    await call.answer()
    await call.start_recording()
    await call.say(WELCOME, barge_in=frozenset("1"))
    await call.collect(WELCOME, maximum=3, first_timeout=1, digit_timeout=1)
    await call.pause_recording(True)
    await call.record("take", max_seconds=2, max_silence=0)
    await call.dial("busy", "extension:8002", caller_id="1", ring_seconds=5)
    await call.dial("leg", "extension:8001", caller_id="1", ring_seconds=5, ringback=False)
    await call.leg("leg")
    await call.talk("leg", release_key="*")
    await call.say(WELCOME)


CALLEES = {
    "extension:8001": Callee(after=1, person=Person().waits(2).hangs_up()),
    "extension:8002": Callee("busy", after=1),
}
ALL_SECONDS = 2 * LENGTH + 1 + 2 + 1 + 1 + 2 + LENGTH + 1


@given(at=st.floats(0, ALL_SECONDS).map(lambda x: round(x, 3)), latency=st.sampled_from([0.0, 0.05]))
@settings(max_examples=150, deadline=None)
def test_a_hang_up_at_any_moment_ends_the_wait_at_once_and_leaves_nothing_behind(at: float, latency: float) -> None:
    async def run() -> None:
        h = hall(SimulatedDriver(callees=CALLEES, latency=latency))
        call, line = await h.call(answer=False)
        working = asyncio.create_task(_everything(call))
        asyncio.get_running_loop().call_later(at, line.hang_up)
        done, _ = await asyncio.wait([working], timeout=ALL_SECONDS + 30)
        assert done
        error = working.exception()
        if error is not None:
            assert isinstance(error, HungUp), error
            assert line.ended_at is not None and now() == line.ended_at
        await call.hang_up()
        await asyncio.sleep(3)
        left = await h.driver.snapshot()
        assert left.channels == {} and left.bridges == {}
        assert len(h.ends) == 1 and not h.book.live
        assert not call._waiters and not h.book._tasks

    run_virtual(run())


@given(at=st.integers(0, 120), latency=st.sampled_from([0.0, 0.01]))
@settings(max_examples=120, deadline=None)
def test_a_cancelled_node_leaves_the_call_quiet_and_usable(at: int, latency: float) -> None:
    """Cancelled at every point where the loop turns: playback and recording stop, nothing rings on."""

    async def run() -> None:
        h = hall(SimulatedDriver(callees=CALLEES, latency=latency))
        call, line = await h.call(answer=False)
        working = asyncio.create_task(_everything(call))
        for _ in range(at):
            await asyncio.sleep(0.1)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await asyncio.sleep(0.5)
        talking = any(leg.up for leg in call.legs.values())
        assert all(heard.until is not None for heard in line.heard if heard.kind != "speech")
        assert not any(leg.ended_at is None and not leg.up for leg in call.legs.values())
        if not talking:
            await call.answer()
            assert (await call.say([Speak("Still here.")])).texts == ["Still here."]
        assert not call.ended

    run_virtual(run())


@virtual
async def test_hang_up_reaches_every_wait_within_one_turn_of_the_loop() -> None:
    h = hall()
    call, _ = await h.call()
    waits: list[Coroutine[Any, Any, Any]] = [
        call.say(WELCOME),
        call.collect([], maximum=1, first_timeout=99, digit_timeout=9),
        call.wait_answered() if not call.answered else asyncio.sleep(0),
    ]
    tasks = [asyncio.create_task(wait) for wait in waits[:2]]
    waits[2].close()
    await asyncio.sleep(0.3)
    h.book.ended(call, Hangup(call.id, "normal"))
    for _ in range(2):
        await asyncio.sleep(0)
    assert all(task.done() and isinstance(task.exception(), HungUp) for task in tasks)


@virtual
async def test_a_command_on_a_channel_that_is_gone_is_a_hang_up_not_an_error() -> None:
    h = hall()
    call, line = await h.call()
    h.driver._handlers.clear()
    line.hang_up()
    with pytest.raises(HungUp):
        await call.say(WELCOME)
    assert call.ended and await h.book.get(call.id) is None


@virtual
async def test_a_killed_engine_ends_every_call_with_the_true_cause() -> None:
    h = hall()
    calls = [(await h.call())[0] for _ in range(3)]
    waits = [asyncio.create_task(call.collect([], maximum=1, first_timeout=99, digit_timeout=9)) for call in calls]
    await asyncio.sleep(1)
    h.driver.lose_connection()
    await asyncio.sleep(2)
    h.driver.restore_connection(restarted=True)
    results = await asyncio.gather(*waits, return_exceptions=True)
    assert [getattr(error, "cause", None) for error in results] == ["engine_lost"] * 3
    await asyncio.sleep(2)
    assert [end.cause for end in h.ends] == ["engine_lost"] * 3
    assert (await h.call())[0].answered


@virtual
async def test_a_call_that_ended_while_the_engine_was_away_is_closed() -> None:
    h = hall()
    call, line = await h.call()
    stays, _ = await h.call()
    h.driver.lose_connection()
    line.hang_up()
    await asyncio.sleep(1)
    h.driver.restore_connection()
    await asyncio.sleep(0.1)
    assert call.ended and call.cause == "normal" and not stays.ended


@virtual
async def test_an_engine_that_stays_away_fails_commands_after_a_while() -> None:
    h = hall()
    call, _ = await h.call()
    h.driver.lose_connection()
    began = now()
    with pytest.raises(DriverError):
        await call.say(WELCOME)
    assert 29 < now() - began < 32


# --------------------------------------------------------------------------- silence


@virtual
async def test_a_caller_whose_flow_is_slow_is_never_in_silence_for_two_seconds() -> None:
    h = hall(guard=GuardTimes())
    call, line = await h.call()
    for pause in (0.5, 5, 1.2, 12):
        await call.say(WELCOME)
        await asyncio.sleep(pause)
    await call.say(WELCOME)
    line.hang_up()
    assert line.longest_silence() < 2
    comforts = [heard for heard in line.heard if heard.kind == "comfort"]
    assert len(comforts) == 2  # in the pauses of five and of twelve seconds
    prompts = [heard for heard in line.heard if heard.kind == "prompt"]
    assert all(comfort.until is not None for comfort in comforts)
    assert not any(c.at < p.at < (c.until or 0) for c, p in itertools.product(comforts, prompts))


@virtual
async def test_waiting_for_digits_is_no_silence_to_be_filled() -> None:
    h = hall(guard=GuardTimes())
    call, line = await h.call()
    await call.collect([], maximum=1, first_timeout=20, digit_timeout=1)
    assert line.heard == []


@virtual
async def test_an_adopted_caller_hears_something_at_once() -> None:
    driver = SimulatedDriver()
    before = hall(driver)
    _, line = await before.call()
    await before.book.stop()
    after = hall(driver, guard=GuardTimes())
    began = now()
    await after.book.adopt()
    await asyncio.sleep(0.1)
    assert [heard.kind for heard in line.heard] == ["comfort"] and line.heard[0].at - began < 0.05


@virtual
async def test_a_recording_that_was_paused_is_known_to_the_next_process_and_goes_on_when_asked() -> None:
    driver = SimulatedDriver()
    before = hall(driver)
    call, _ = await before.call()
    await call.start_recording()
    await call.pause_recording(True)
    await before.book.stop()
    [adopted] = await hall(driver).book.adopt()
    assert adopted.recording_state == "paused"
    await adopted.pause_recording(False)
    assert (await driver.snapshot()).paused == set()


def _fallback(destination: str = "extension:8001") -> Callable[[LiveCall], Awaitable[None]]:
    async def on_silence(call: LiveCall) -> None:
        await offer_fallback(call, [Speak("Sorry.")], destination, caller_id="100", ring_seconds=10)

    return on_silence


@virtual
async def test_after_thirty_seconds_an_apology_and_a_person() -> None:
    agent = Person().speaks(2, "Can I help?").waits(3).hangs_up()
    driver = SimulatedDriver(callees={"extension:8001": Callee(after=3, person=agent)})
    h = hall(driver, guard=GuardTimes(), on_silence=_fallback())
    _, line = await h.call()
    await line.wait_ended(within=60)
    assert line.texts == ["Sorry.", "Can I help?"]
    assert next(heard.at for heard in line.heard if heard.text == "Sorry.") == pytest.approx(30, abs=0.1)
    # While the two talk, a pause of theirs is their own.
    assert max(b.at - (a.until or 0) for a, b in itertools.pairwise(line.heard)) < 2


@virtual
async def test_when_nobody_answers_the_fallback_the_caller_hears_comfort_and_one_apology_only() -> None:
    h = hall(SimulatedDriver(), guard=GuardTimes(), on_silence=_fallback())
    call, line = await h.call()
    await asyncio.sleep(300)
    assert not call.ended and line.texts == ["Sorry."] and line.longest_silence() < 2
    assert (await call.say(WELCOME)).texts
    await call.hang_up()


@virtual
async def test_a_flow_that_comes_back_stops_the_apology_but_not_a_conversation() -> None:
    agent = Person().waits(20).hangs_up()
    driver = SimulatedDriver(callees={"extension:8001": Callee(after=8, person=agent)})
    h = hall(driver, guard=GuardTimes(), on_silence=_fallback())
    ringing, line = await h.call()
    await asyncio.sleep(33)
    assert (await ringing.say(WELCOME)).texts
    await asyncio.sleep(0.1)
    assert all(one.ended for name, one in driver.lines.items() if name.endswith("-fallback"))
    assert not ringing.ended
    line.hang_up()
    talking, _ = await h.call()
    await asyncio.sleep(45)
    assert talking.taken_over
    with pytest.raises(HungUp):
        await talking.say(WELCOME)
    (fallback,) = [one for name, one in driver.lines.items() if name == f"{talking.id}-fallback"]
    assert fallback.ended_at is not None and fallback.answered_at is not None
    assert fallback.ended_at - fallback.answered_at == pytest.approx(20)


@virtual
async def test_a_supervisor_cuts_a_conversation_with_the_fallback_person() -> None:
    driver = SimulatedDriver(callees={"extension:8001": Callee(after=1, person=Person())})
    h = hall(driver, guard=GuardTimes(), on_silence=_fallback())
    call, line = await h.call()
    await asyncio.sleep(40)
    assert call.taken_over
    await call.cut()
    assert line.ended and call.ended


def test_dial_result_is_exact() -> None:
    assert DialResult("busy", "x", 486) == DialResult("busy", "x", 486, "")
