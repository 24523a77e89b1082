"""Recognition with a real language pack (Korean) of words spoken by the product's own voice, over G.711."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest

from telephony.errors import SpeechError
from telephony.hearing import Words
from telephony.prompts import Speak
from telephony.speech import audio, signals
from telephony.speech.asr import LanguagePacks, VoskRecogniser, find_packs
from telephony.speech.audio import Samples, silence
from telephony.speech.cache import PromptCache
from telephony.speech.ears import SpeechEars
from telephony.speech.renderer import NoLibrary, SpeechRenderer
from telephony.speech.tts import EspeakEngine

pytestmark = [pytest.mark.speech]

WORDS = ["네", "아니요", "예약", "확인", "비밀번호", "보험", "음악"]


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> LanguagePacks:
    folder = tmp_path_factory.mktemp("asr")
    return LanguagePacks(find_packs("", folder), folder)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Samples]:
    """Each word as a phone hears it, between two silences."""

    async def say() -> dict[str, Samples]:
        cache = PromptCache(tmp_path_factory.mktemp("speech"))
        renderer = SpeechRenderer(EspeakEngine(workers=1), cache, NoLibrary())
        made = {word: (await renderer.render([Speak(word, "ko")], "ko"))[0].path for word in WORDS}
        await renderer.close()
        return {word: audio.read_wav(path)[0] for word, path in made.items()}

    return asyncio.run(say())


@pytest.fixture
async def ears(packs: LanguagePacks) -> AsyncIterator[SpeechEars]:
    ears = SpeechEars(packs)
    yield ears
    ears.close()


def line(*parts: Samples, noise: float | None = -55.0) -> Iterator[bytes]:
    return iter(signals.frames(signals.over_line(np.concatenate(parts), noise=noise)))


def understood(packs: LanguagePacks, phrases: list[str], *parts: Samples) -> Words:
    recogniser = VoskRecogniser(packs.load("ko"), phrases)
    for frame in line(*parts):
        recogniser.feed([frame])
    return recogniser.finish()


@pytest.mark.parametrize("word", WORDS)
def test_words_of_a_grammar_are_understood(packs: LanguagePacks, spoken: dict[str, Samples], word: str) -> None:
    words = understood(packs, WORDS, silence(0.5), spoken[word], silence(0.7))
    assert words.text == word and words.confidence > 0.5
    assert words.heard > 1.2 and words.worked > 0


def test_the_partial_result_comes_before_the_end_and_silence_is_counted(
    packs: LanguagePacks, spoken: dict[str, Samples]
) -> None:
    recogniser = VoskRecogniser(packs.load("ko"), WORDS)
    for frame in line(silence(0.5)):
        heard = recogniser.feed([frame])
    assert (heard.speech, heard.partial) == (0, "") and heard.silence >= 300
    for frame in line(spoken["예약"], silence(0.6)):
        heard = recogniser.feed([frame])
    assert heard.partial == "예약" and heard.speech >= 200 and heard.silence >= 300
    assert recogniser.finish().text == "예약"
    for frame in line(silence(0.3), spoken["보험"], silence(0.6)):
        heard = recogniser.feed([frame])
    assert heard.partial == recogniser.finish().text == "보험", "a second answer begins anew"


def test_without_phrases_everything_is_understood(packs: LanguagePacks, spoken: dict[str, Samples]) -> None:
    said = [spoken["보험"], silence(0.3), spoken["예약"]]
    assert understood(packs, [], silence(0.4), *said, silence(0.8)).text != ""


def test_silence_and_noise_are_no_words(packs: LanguagePacks) -> None:
    for phrases in (WORDS, []):
        words = understood(packs, phrases, silence(3))
        assert (words.text, words.confidence) == ("", 0.0)


async def test_many_lines_at_once_are_kept_apart(ears: SpeechEars, spoken: dict[str, Samples]) -> None:
    async def answer(word: str) -> str:
        recognition = await ears.recognise("ko-KR", WORDS)
        frames = list(line(silence(0.4), spoken[word], silence(0.6)))
        for begin in range(0, len(frames), 5):
            await recognition.hear(frames[begin : begin + 5])
        try:
            return (await recognition.finish()).text
        finally:
            recognition.close()

    assert await asyncio.gather(*map(answer, WORDS * 3)) == WORDS * 3


# --------------------------------------------------------------------------- language packs


async def test_a_language_without_a_pack_says_what_to_do(ears: SpeechEars, packs: LanguagePacks) -> None:
    assert ears.understands("ko-KR") and not ears.understands("zh")
    with pytest.raises(SpeechError) as told:
        await ears.recognise("zh-CN", [])
    assert told.value.reason == "no_language_pack"
    assert str(packs.folder / "zh") in str(told.value) and "CALLWEAVE_ASR_MODELS=zh=" in str(told.value)


def test_packs_are_found_by_package_folder_and_setting(tmp_path: Path, packs: LanguagePacks) -> None:
    package = packs.packs["ko"]
    assert find_packs("", tmp_path / "nothing") == {"ko": package}
    own = tmp_path / "asr" / "ko" / "vosk-model-small-ko-0.22"
    own.parent.mkdir(parents=True)
    own.symlink_to(package)
    (tmp_path / "asr" / "notes.txt").write_text("no pack")
    (tmp_path / "asr" / "zh").mkdir()
    assert find_packs("", tmp_path / "asr") == {"ko": own}
    found = find_packs(f"zh={package}, KO={package}", tmp_path / "asr")
    assert found == {"ko": package, "zh": package}


@pytest.mark.parametrize("setting", ["/opt/model", "zh=", "zh=/nowhere", "=/opt"])
def test_a_setting_that_names_no_pack_is_refused(setting: str, tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="asr_models") as told:
        find_packs(setting, tmp_path)
    assert told.value.reason == "bad_language_pack"


def test_a_broken_pack_is_told(tmp_path: Path) -> None:
    (tmp_path / "am").mkdir()
    (tmp_path / "am" / "final.mdl").write_bytes(b"no model")
    with pytest.raises(SpeechError, match="cannot be used"):
        LanguagePacks({"xx": tmp_path}, tmp_path).load("xx")
