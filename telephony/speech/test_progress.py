"""The verdict on whole calls: generated tones and greetings spoken by the product's own voices."""

import asyncio

import numpy as np
import pytest

from telephony.call import Detected
from telephony.prompts import Speak
from telephony.speech import audio, signals
from telephony.speech.audio import Samples, silence
from telephony.speech.cache import PromptCache
from telephony.speech.progress import CallProgress
from telephony.speech.renderer import NoLibrary, SpeechRenderer
from telephony.speech.tts import EspeakEngine
from telephony.speech.vad import SileroVad

BEEP = audio.tone([1000.0], 0.4, -16.0)


def heard(*parts: Samples, answered: bool = True, wait_for_beep: bool = False, noise: float | None = -50.0) -> Detected:
    """The verdict on sounds one after the other."""
    progress = CallProgress(SileroVad(), answered=answered, wait_for_beep=wait_for_beep)
    for frame in signals.frames(signals.over_line(np.concatenate(parts), noise=noise)):
        if (found := progress.feed(frame)) is not None:
            return found
    return progress.finish()


@pytest.mark.parametrize(
    ("sound", "kind"),
    [
        (signals.network("busy cn", 6), "busy"),
        (signals.network("busy us", 6), "busy"),
        (signals.network("congestion cn", 8), "sit"),
        (signals.special_information(), "sit"),
        (signals.network("ringback cn", 12), "ringback"),
        (signals.network("ringback us", 12), "ringback"),
        (audio.comfort_music(4), "ringback"),
        (signals.fax_answering(), "fax"),
        (signals.fax_answering(tone=False), "fax"),
        (signals.fax_calling(5), "fax"),
        (np.concatenate([signals.answer_tone(3.5), signals.v21_flags(2)]), "fax"),
        (signals.modem_answering(), "modem"),
        (silence(6), "silence"),
    ],
)
def test_what_is_no_speech(sound: Samples, kind: str) -> None:
    found = heard(silence(0.4), sound)
    assert found.kind == kind and found.cause and 0 < found.confidence <= 1


@pytest.mark.parametrize(
    ("sound", "kind"),
    [
        (signals.network("busy cn", 6), "busy"),
        (signals.special_information(), "sit"),
        (signals.network("ringback cn", 11), "ringback"),
        (audio.comfort_music(3), "ringback"),
        (silence(6), "ringback"),
    ],
)
def test_before_the_answer_it_rings_until_the_network_says_otherwise(sound: Samples, kind: str) -> None:
    assert heard(silence(0.4), sound, answered=False).kind == kind


def test_silence_counts_from_the_answer() -> None:
    progress = CallProgress(SileroVad(), answered=False)
    quiet = [bytes(320)] * 500
    assert all(progress.feed(frame) is None for frame in quiet)
    progress.answered = True
    found = next(found for frame in quiet if (found := progress.feed(frame)) is not None)
    assert found.kind == "silence" and found.milliseconds == pytest.approx(14_000, abs=200)


PEOPLE = [("zh", "喂，你好"), ("en", "Hello?"), ("ko", "여보세요")]
MACHINES = [
    ("zh", "您好，您拨打的电话暂时无人接听，请在提示音后留言。"),
    ("en", "Hello, you have reached the voicemail of John Smith. Please leave a message after the tone."),
    ("ko", "지금은 전화를 받을 수 없습니다. 삐 소리가 나면 메시지를 남겨 주세요."),
]


ANNOUNCEMENT = ("zh", "您拨打的电话正在通话中，请稍后再拨。")


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Samples]:
    """Every text as the product's own voice says it."""

    async def render() -> dict[str, Samples]:
        folder = tmp_path_factory.mktemp("speech")
        async with EspeakEngine(workers=1) as engine:
            renderer = SpeechRenderer(engine, PromptCache(folder), NoLibrary())
            made = {}
            for language, text in (*PEOPLE, *MACHINES, ANNOUNCEMENT):
                [media] = await renderer.render([Speak(text)], language)
                made[text] = audio.read_audio(media.path)
            return made

    return asyncio.run(render())


@pytest.mark.speech
@pytest.mark.parametrize("noise", [None, -40.0])
@pytest.mark.parametrize("text", [text for _, text in PEOPLE])
def test_people(spoken: dict[str, Samples], text: str, noise: float | None) -> None:
    voice = spoken[text]
    assert heard(silence(0.8), voice, silence(3), noise=noise).kind == "person"
    # The call was answered by something on the way, which still rings.
    ringing = signals.network("ringback cn", 5)
    assert heard(ringing, silence(0.3), voice, silence(3), noise=noise).kind == "person"


@pytest.mark.speech
@pytest.mark.parametrize("noise", [None, -40.0])
@pytest.mark.parametrize("text", [text for _, text in MACHINES])
def test_machines_and_their_beep(spoken: dict[str, Samples], text: str, noise: float | None) -> None:
    voice = spoken[text]
    call = [silence(0.8), voice, silence(0.6), BEEP, silence(2)]
    quick = heard(*call, noise=noise)
    assert quick.kind == "machine" and not quick.beep and quick.milliseconds < 5000
    patient = heard(*call, noise=noise, wait_for_beep=True)
    over = (0.8 + len(voice) / audio.RATE + 0.6 + 0.4) * 1000
    assert patient.kind == "machine" and patient.beep and patient.milliseconds == pytest.approx(over, abs=250)
    without = heard(silence(0.8), voice, silence(8), noise=noise, wait_for_beep=True)
    assert without.kind == "machine" and not without.beep and "no beep" in without.cause


@pytest.mark.speech
def test_words_before_the_answer_are_no_person(spoken: dict[str, Samples]) -> None:
    voice = spoken[ANNOUNCEMENT[1]]
    assert heard(voice, silence(2), answered=False).kind == "ringback"
    assert heard(voice, signals.network("busy cn", 5), answered=False).kind == "busy"
