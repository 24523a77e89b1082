"""Voice detectors over frames."""

from pathlib import Path

import numpy as np
import pytest

from telephony.prompts import Speak
from telephony.speech import audio, signals
from telephony.speech.cache import PromptCache
from telephony.speech.renderer import NoLibrary, SpeechRenderer
from telephony.speech.tts import EspeakEngine
from telephony.speech.vad import SileroVad, Vad, WebrtcVad

VADS = [SileroVad, WebrtcVad]


@pytest.mark.parametrize("make", VADS)
def test_silence_and_broken_frames_are_no_speech(make: type[SileroVad] | type[WebrtcVad]) -> None:
    vad: Vad = make()
    assert not any(vad.feed(frame) for frame in [bytes(320)] * 100)
    assert not any(vad.feed(bytes(length)) for length in (0, 1, 100, 640))


def test_silero_tells_noise_and_music_from_speech() -> None:
    noise = np.random.default_rng(3).standard_normal(16000).astype(np.float32) * 0.05
    for sound in (noise, audio.comfort_music(4), signals.network("busy cn", 4)):
        vad = SileroVad()
        flags = [vad.feed(frame) for frame in signals.frames(signals.over_line(sound))]
        assert np.mean(flags) < 0.15


@pytest.mark.speech
@pytest.mark.parametrize("make", VADS)
async def test_speech_is_heard(make: type[SileroVad] | type[WebrtcVad], tmp_path: Path) -> None:
    async with EspeakEngine(workers=1) as engine:
        renderer = SpeechRenderer(engine, PromptCache(tmp_path), NoLibrary())
        [media] = await renderer.render([Speak("您好，请问您找谁")], "zh")
    spoken = audio.read_audio(media.path)
    whole = np.concatenate([audio.silence(1.0), spoken, audio.silence(1.0)])
    vad: Vad = make()
    flags = [vad.feed(frame) for frame in signals.frames(signals.over_line(whole, noise=-45))]
    middle = flags[55 : 50 + round(len(spoken) / 160) - 10]
    assert np.mean(middle) > 0.7 and np.mean(flags[:45]) < 0.1 and np.mean(flags[-30:]) < 0.1
