"""Answers by voice over the simulated engine and a virtual clock."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.driver import FrameHandler
from telephony.errors import DriverError, HungUp, SpeechError
from telephony.hearing import Heard, Recognition, Words, phrase_in, plain
from telephony.prompts import Speak
from telephony.simulated import Callee, Person, SimulatedDriver, SimulatedEars, run_virtual
from telephony.test_live_call import WELCOME, Hall, hall, now, virtual

QUESTION = [Speak("What may we do for you today, dear caller?")]
KEYS = frozenset("12")


def listening(driver: SimulatedDriver | None = None) -> Hall:
    made = hall(driver)
    made.book.ears = SimulatedEars()
    return made


# --------------------------------------------------------------------------- phrases


@pytest.mark.parametrize(
    ("words", "phrases", "phrase"),
    [
        ("yes", ["yes", "no"], "yes"),
        ("Yes, please!", ["yes", "no"], "yes"),
        ("yes no", ["yes", "no"], "yes"),
        ("nothing", ["no"], None),
        ("我要 查 余额", ["余额", "人工"], "余额"),
        ("请转人工客服", ["人工", "人工客服"], "人工客服"),
        ("ＹＥＳ", ["yes"], "yes"),
        ("네 아니요", ["네", "아니요"], "아니요"),
        ("余额人工", ["余额", "人工"], None),
        ("", ["yes"], None),
        ("yes", [], None),
        ("yes", ["", "…"], None),
    ],
)
def test_the_phrase_that_was_said(words: str, phrases: list[str], phrase: str | None) -> None:
    assert phrase_in(words, phrases) == phrase


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6, unique_by=plain))
def test_every_phrase_is_understood_as_itself(phrases: list[str]) -> None:
    for phrase in phrases:
        if plain(phrase):
            assert phrase_in(phrase, phrases) == phrase


@given(st.text(max_size=40))
def test_plain_words_stay_plain(words: str) -> None:
    assert plain(plain(words)) == plain(words)


# --------------------------------------------------------------------------- listening


@virtual
async def test_an_answer_is_understood_soon_after_its_end() -> None:
    h = listening()
    call, _ = await h.call(Person().hears("today").waits(1).speaks(1.2, "the balance please"))
    said = await call.listen(QUESTION, phrases=["balance", "a person"], first_timeout=5)
    assert (said.words, said.ended_by) == ("balance", "speech")
    assert said.texts == ["What may we do for you today, dear caller?"]
    # A whole phrase ends after a short pause, free speech after the pause that was asked for.
    ended = now()
    call, _ = await h.call(Person().speaks(1.2, "it rains"))
    said = await call.listen([], first_timeout=5, pause=1.5)
    assert (said.words, said.ended_by) == ("it rains", "speech")
    assert 1.2 + 1.5 <= now() - ended < 1.2 + 1.5 + 0.3


@virtual
async def test_speech_stops_the_prompt() -> None:
    h = listening()
    call, line = await h.call(Person().hears("What may", whole=False).waits(0.3).speaks(1.0, "no"))
    said = await call.listen(QUESTION, phrases=["yes", "no"], first_timeout=5)
    assert said.words == "no" and not line.heard[0].whole


@virtual
async def test_without_barge_in_the_prompt_goes_on_and_what_was_said_over_it_is_nothing() -> None:
    h = listening()
    call, line = await h.call(Person().hears("What may", whole=False).speaks(0.6, "yes").hears("today").speaks(1, "no"))
    said = await call.listen(QUESTION, phrases=["yes", "no"], first_timeout=5, barge_in=False)
    assert said.words == "no" and line.heard[0].whole


@virtual
async def test_a_key_answers_too_and_other_keys_are_dropped() -> None:
    h = listening()
    call, line = await h.call(Person().hears("What may", whole=False).presses("92"))
    said = await call.listen(QUESTION, phrases=["yes"], keys=KEYS, first_timeout=5)
    assert (said.digit, said.ended_by, said.words) == ("2", "key", "")
    assert not line.heard[0].whole and call.pending_keys == ""


@virtual
async def test_nobody_says_anything() -> None:
    h = listening()
    call, _ = await h.call()
    began = now()
    assert (await call.listen([], phrases=["yes"], first_timeout=4)).ended_by == "silence"
    assert now() - began == pytest.approx(4, abs=0.1)


class LateEars(SimulatedEars):
    """Ears whose language pack is still being loaded when the first caller comes."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def recognise(self, language: str, phrases: Sequence[str]) -> Recognition:
        await asyncio.sleep(self.seconds)
        return await super().recognise(language, phrases)


@virtual
async def test_words_said_while_the_language_pack_is_loaded_count_as_soon_as_it_is() -> None:
    h = listening()
    h.book.ears = LateEars(12)
    call, _ = await h.call(Person().waits(2).speaks(0.8, "yes"))
    said = await call.listen([], phrases=["yes"], first_timeout=5)
    assert (said.words, said.ended_by) == ("yes", "speech")
    call, _ = await h.call(Person().waits(6).presses("2"))
    assert (await call.listen([], phrases=["yes"], keys=KEYS, first_timeout=5)).digit == "2"


@virtual
async def test_whoever_is_silent_while_the_language_pack_is_loaded_is_silent_for_no_longer_than_that() -> None:
    h = listening()
    h.book.ears = LateEars(12)
    call, _ = await h.call()
    began = now()
    assert (await call.listen([], phrases=["yes"], first_timeout=5)).ended_by == "silence"
    assert now() - began == pytest.approx(12, abs=0.2)
    h.book.ears = LateEars(1000)
    with pytest.raises(SpeechError) as told:
        await call.listen([], phrases=["yes"], first_timeout=5)
    assert told.value.reason == "asr_failed"


@virtual
async def test_the_time_for_an_answer_begins_when_the_line_is_listened_to() -> None:
    h = listening()
    listen = h.driver.listen

    async def late(channel: str, stream: str, handler: FrameHandler) -> None:
        await asyncio.sleep(3)
        await listen(channel, stream, handler)

    h.driver.listen = late  # type: ignore[method-assign]
    call, _ = await h.call(Person().waits(6).speaks(0.8, "yes"))
    assert (await call.listen([], phrases=["yes"], first_timeout=5)).words == "yes"


class SlowRecognition:
    """Takes its time, and cannot do two things at once."""

    def __init__(self, inner: Recognition) -> None:
        self._inner = inner
        self._busy = False

    async def _alone(self, seconds: float) -> None:
        assert not self._busy, "a recognition was asked for two things at once"
        self._busy = True
        await asyncio.sleep(seconds)
        self._busy = False

    async def hear(self, frames: Sequence[bytes]) -> Heard:
        await self._alone(0.03)
        return await self._inner.hear(frames)

    async def finish(self) -> Words:
        await self._alone(0.5)
        return await self._inner.finish()

    def close(self) -> None:
        self._inner.close()


class SlowEars(SimulatedEars):
    async def recognise(self, language: str, phrases: Sequence[str]) -> Recognition:
        return SlowRecognition(await super().recognise(language, phrases))


@virtual
async def test_a_recognition_that_finishes_hears_nothing_meanwhile_and_goes_on_afterwards() -> None:
    h = listening()
    h.book.ears = SlowEars()
    call, _ = await h.call(Person().waits(1).speaks(0.2, "ahem").waits(2).speaks(0.8, "yes"))
    assert (await call.listen([], phrases=["yes"], first_timeout=5)).words == "yes"


@virtual
async def test_other_words_are_no_match_and_a_cough_is_nothing() -> None:
    h = listening()
    call, _ = await h.call(Person().speaks(1.0, "mumble"))
    said = await call.listen([], phrases=["yes"], first_timeout=5)
    assert (said.words, said.ended_by) == ("", "speech")
    call, _ = await h.call(Person().waits(1).speaks(0.2, "ahem").waits(2).speaks(0.8, "yes"))
    assert (await call.listen([], phrases=["yes"], first_timeout=5)).words == "yes"


@virtual
async def test_whoever_talks_without_end_is_cut() -> None:
    h = listening()
    call, _ = await h.call(Person().speaks(600, "blah"))
    began = now()
    said = await call.listen([], first_timeout=5, max_seconds=10)
    assert said.words == "blah" and now() - began < 11


@virtual
async def test_the_hang_up_ends_listening_and_nothing_stays() -> None:
    h = listening()
    call, _ = await h.call(Person().waits(1).hangs_up())
    with pytest.raises(HungUp):
        await call.listen([], phrases=["yes"], first_timeout=60)
    await asyncio.sleep(5)
    assert h.driver._streams == {}


@virtual
async def test_a_language_without_a_pack_is_told_before_anything_is_said() -> None:
    h = hall()
    call, line = await h.call()
    assert not call.understands()
    with pytest.raises(SpeechError) as told:
        await call.listen(WELCOME, first_timeout=5)
    assert told.value.reason == "no_language_pack" and line.heard == []


@virtual
async def test_an_engine_that_gives_no_sound_is_told() -> None:
    h = listening()
    call, _ = await h.call()
    h.driver.fail("listen", DriverError("refused", "no sound"))
    with pytest.raises(SpeechError, match="no sound"):
        await call.listen([], first_timeout=5)


# --------------------------------------------------------------------------- who is there


@pytest.mark.parametrize(
    ("person", "kind"),
    [
        (Person().waits(0.5).speaks(0.8, "Hello?"), "person"),
        (Person().waits(0.5).speaks(5, "You have reached the mailbox of the Lee family"), "machine"),
        (Person().speaks(3, "♪ fax"), "fax"),
        (Person().speaks(3, "♪ busy"), "busy"),
        (Person().speaks(3, "♪ sit"), "sit"),
        (Person(), "silence"),
    ],
)
def test_who_is_there(person: Person, kind: str) -> None:
    async def work() -> None:
        h = listening()
        call, _ = await h.call(person)
        assert (await call.detect(max_seconds=10)).kind == kind

    run_virtual(work())


@virtual
async def test_a_leg_is_listened_to_before_it_is_joined() -> None:
    greeting = Person().waits(0.5).speaks(4, "Nobody is at home").speaks(0.5, "♪ beep")
    h = listening(SimulatedDriver(callees={"extension:8001": Callee(person=greeting)}))
    call, _ = await h.call()
    leg = f"{call.id}-leg"
    with pytest.raises(DriverError):
        await call.detect(leg, max_seconds=5)
    await call.dial(leg, "extension:8001", caller_id="100", ring_seconds=20)
    found = await call.detect(leg, max_seconds=20, wait_for_beep=True)
    assert found.kind == "machine" and found.beep


@virtual
async def test_a_leg_that_leaves_while_we_listen_is_told() -> None:
    h = listening(SimulatedDriver(callees={"extension:8001": Callee(person=Person().waits(1).hangs_up())}))
    call, _ = await h.call()
    leg = f"{call.id}-leg"
    await call.dial(leg, "extension:8001", caller_id="100", ring_seconds=20)
    with pytest.raises(DriverError, match="has ended"):
        await call.detect(leg, max_seconds=20)


@virtual
async def test_patience_ends() -> None:
    h = listening()
    call, _ = await h.call(Person().speaks(30, "♪ music"))
    began = now()
    assert (await call.detect(max_seconds=2)).kind in ("unsure", "machine")
    assert now() - began < 3
