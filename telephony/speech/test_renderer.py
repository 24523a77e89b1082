"""The renderer over an engine of twenty lines, which also shows that another engine is one class."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import soundfile

from telephony.errors import SpeechError
from telephony.prompts import Audio, Recorded, Speak, Value
from telephony.speech import audio
from telephony.speech.builtin import BUILTIN, builtin, shipped_prompts
from telephony.speech.cache import PromptCache
from telephony.speech.renderer import SpeechRenderer


class ToneEngine:
    """Says every text as a tone of its own, a tenth of a second a character."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.version = "tone-1"

    async def signature(self, language: str) -> str:
        if language.startswith("xx"):
            raise SpeechError("no_voice", "there is no voice for xx")
        return self.version

    async def synthesise(self, text: str, language: str, path: Path) -> None:
        self.said.append((text, language))
        await asyncio.sleep(0)
        frequency = 300 + int(hashlib.sha256(text.encode()).hexdigest(), 16) % 2000
        audio.write_wav(path, audio.tone([frequency], 0.1 * len(text), -35, rate=16000), 16000)

    async def close(self) -> None:
        return None


class Library(dict[tuple[str, str], Path | str]):
    async def find(self, name: str, language: str) -> Path | str | None:
        return self.get((name, language))


@pytest.fixture
def engine() -> ToneEngine:
    return ToneEngine()


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
async def renderer(tmp_path: Path, engine: ToneEngine, library: Library) -> AsyncIterator[SpeechRenderer]:
    made = SpeechRenderer(engine, PromptCache(tmp_path / "cache"), library)
    yield made
    await made.close()


async def test_a_text_and_its_value_are_one_utterance(renderer: SpeechRenderer, engine: ToneEngine) -> None:
    media = await renderer.render([Speak("您的余额是"), Value(1234.5, "money"), Speak("。")], "zh")
    assert [piece.text for piece in media] == ["您的余额是一千二百三十四元五角"]
    assert engine.said == [("您的余额是一千二百三十四元五角", "zh")]


async def test_a_finished_sentence_stays_in_the_cache(renderer: SpeechRenderer, engine: ToneEngine) -> None:
    for balance in (1, 2):
        await renderer.render([Speak("Welcome back."), Speak("You have"), Value(balance, "money", "USD")], "en")
    assert [text for text, _ in engine.said].count("Welcome back.") == 1
    assert engine.said[-1] == ("You have two dollars", "en")


async def test_languages_do_not_mix(renderer: SpeechRenderer, engine: ToneEngine) -> None:
    await renderer.render([Speak("您好"), Speak("hello", "en-US"), Speak("there", "en-GB"), Value(3, "number")], "zh")
    assert engine.said == [("您好", "zh"), ("hello there", "en-US"), ("三", "zh")]


async def test_recordings_keep_their_place(
    renderer: SpeechRenderer, engine: ToneEngine, library: Library, tmp_path: Path
) -> None:
    studio = tmp_path / "studio.flac"
    soundfile.write(studio, audio.tone([700], 1.0, -45, rate=48000), 48000)
    library["balance", "zh"] = studio
    media = await renderer.render([Speak("您好"), Recorded("balance"), Value(2, "money"), Recorded("balance")], "zh")
    assert [piece.text for piece in media] == ["您好", "balance", "两元", "balance"]
    assert media[1].path == media[3].path
    assert all(audio.wav_info(piece.path).playable for piece in media)
    # Spoken and recorded parts come out equally loud, however they went in.
    for piece in media:
        assert audio.loudness(audio.read_wav(piece.path)[0]) == pytest.approx(audio.LOUDNESS_DB, abs=1.5)


async def test_a_changed_recording_is_heard(renderer: SpeechRenderer, library: Library, tmp_path: Path) -> None:
    path = tmp_path / "news.wav"
    library["news", "zh"] = path
    audio.write_wav(path, audio.tone([700], 1.0))
    [before] = await renderer.render([Recorded("news")], "zh")
    audio.write_wav(path, audio.tone([900], 2.0))
    [after] = await renderer.render([Recorded("news")], "zh")
    assert after.seconds == pytest.approx(before.seconds + 1, abs=0.1)


async def test_a_prompt_may_be_text(renderer: SpeechRenderer, engine: ToneEngine, library: Library) -> None:
    library["hello", "en"] = "Hello there."
    [piece] = await renderer.render([Recorded("hello")], "en")
    assert piece.text == "Hello there."
    assert engine.said == [("Hello there.", "en")]


async def test_what_the_caller_recorded_is_played_as_it_is(renderer: SpeechRenderer, tmp_path: Path) -> None:
    own = tmp_path / "voicemail.wav"
    audio.write_wav(own, audio.tone([500], 1.5, -40))
    [piece] = await renderer.render([Audio(own)], "zh")
    assert piece.path == own
    assert piece.seconds == pytest.approx(1.5)


async def test_a_recording_of_another_format_is_converted(renderer: SpeechRenderer, tmp_path: Path) -> None:
    own = tmp_path / "wide.wav"
    soundfile.write(own, audio.tone([500], 1.5, rate=44100), 44100, subtype="PCM_24")
    [piece] = await renderer.render([Audio(own)], "zh")
    assert piece.path != own
    assert audio.wav_info(piece.path).playable
    assert piece.seconds == pytest.approx(1.5, abs=0.01)


async def test_missing_and_broken_things_are_named(renderer: SpeechRenderer, library: Library, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound")
    library["broken", "zh"] = broken
    library["gone", "zh"] = tmp_path / "gone.wav"
    for items, reason, words in (
        ([Recorded("nothing")], "no_prompt", "'nothing'"),
        ([Recorded("broken")], "bad_audio", "broken.wav"),
        ([Recorded("gone")], "bad_audio", "gone.wav"),
        ([Audio(tmp_path / "none.wav")], "bad_audio", "none.wav"),
        ([Value(None, "money")], "bad_value", "None"),
        ([Speak("x" * 5000)], "bad_value", "5000"),
        ([Speak("hi", "xx")], "no_voice", "xx"),
    ):
        with pytest.raises(SpeechError, match=words) as caught:
            await renderer.render(items, "zh")
        assert caught.value.reason == reason


async def test_nothing_to_say_gives_nothing(renderer: SpeechRenderer) -> None:
    assert await renderer.render([], "zh") == []
    assert await renderer.render([Speak("……"), Speak(" \n")], "zh") == []
    with pytest.raises(SpeechError, match="nothing to say"):
        await renderer.speak("...", "zh")


async def test_a_new_engine_version_speaks_anew(renderer: SpeechRenderer, engine: ToneEngine) -> None:
    one = await renderer.speak("您好", "zh")
    assert await renderer.speak(" 您好 ", "zh-CN") == one
    assert len(engine.said) == 1
    engine.version = "tone-2"
    assert (await renderer.speak("您好", "zh")).path != one.path


async def test_warming_renders_ahead_and_tells_what_failed(renderer: SpeechRenderer, engine: ToneEngine) -> None:
    problems = await renderer.warm([("您好", "zh"), ("hi", "xx"), ("...", "zh"), ("Hello.", "en")])
    assert [problem.reason for problem in problems] == ["no_voice"]
    before = len(engine.said)
    await renderer.render([Speak("您好"), Speak("Hello.", "en")], "zh")
    assert len(engine.said) == before


async def test_the_built_in_prompts_exist_in_every_language(renderer: SpeechRenderer, engine: ToneEngine) -> None:
    assert await renderer.warm_builtin() == []
    assert len(engine.said) == len(list(shipped_prompts())) == 3 * len(BUILTIN)
    assert builtin("goodbye", "zh-CN") == "感谢您的来电，再见。"
    assert builtin("goodbye", "fr").startswith("Thank you")
