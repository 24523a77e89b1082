"""Tones are told by their cadence, whatever the level, the line and small offsets; nothing else is told as a tone."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from telephony.speech import audio, signals
from telephony.speech.audio import RATE, Samples
from telephony.speech.tones import Tone, ToneDetector

LEVELS = st.floats(-35, 0)
PITCH = st.floats(0.985, 1.015)
TEMPO = st.floats(0.93, 1.07)
LAWS = st.sampled_from(["alaw", "ulaw"])
NOISE = st.sampled_from([None, 30.0, 20.0, 15.0])
"""Signal to noise ratio in dB."""
SEEDS = st.integers(0, 1000)

properties = settings(max_examples=25, deadline=None)


def told(samples: Samples, law: str = "alaw", *, level: float = -15.0, snr: float | None = None) -> list[Tone]:
    """What the detector says of audio that came over a line."""
    noise = None if snr is None else level - snr
    detector = ToneDetector()
    whole = np.concatenate([audio.silence(0.2), samples, audio.silence(0.3)])
    found = [detector.feed(frame) for frame in signals.frames(signals.over_line(whole, law, noise=noise))]
    return [tone for tone in found if tone is not None]


@properties
@given(name=st.sampled_from(list(signals.NETWORK)), level=LEVELS, pitch=PITCH, tempo=TEMPO, law=LAWS, snr=NOISE)
def test_network_tones_of_all_countries(
    name: str, level: float, pitch: float, tempo: float, law: str, snr: float | None
) -> None:
    kinds = {
        tone.kind for tone in told(signals.network(name, 7, level, pitch=pitch, tempo=tempo), law, level=level, snr=snr)
    }
    assert name.split()[0] in kinds
    # A burst alone may be a machine's beep; only the cadence tells.
    assert kinds <= {name.split()[0], "beep"}


def test_a_busy_tone_is_told_within_three_periods() -> None:
    [first, *_] = [tone for tone in told(signals.network("busy cn", 5)) if tone.kind == "busy"]
    assert first.at_ms < 200 + 3 * 700 + 100 and abs(first.hertz - 450) < 8
    assert "350 ms on" in first.cause or "360 ms on" in first.cause or "340 ms on" in first.cause


@properties
@given(level=LEVELS, pitch=PITCH, tempo=TEMPO, law=LAWS, snr=NOISE)
def test_special_information(level: float, pitch: float, tempo: float, law: str, snr: float | None) -> None:
    sound = signals.special_information(level, pitch=pitch, tempo=tempo)
    assert [tone.kind for tone in told(sound, law, level=level, snr=snr)] == ["sit"]


@properties
@given(level=LEVELS, pitch=PITCH, law=LAWS, snr=NOISE)
def test_fax_and_modem(level: float, pitch: float, law: str, snr: float | None) -> None:
    def kinds(sound: Samples) -> set[str]:
        return {tone.kind for tone in told(sound, law, level=level, snr=snr)}

    assert kinds(signals.fax_answering(level, pitch=min(pitch, 1.007))) == {"ced", "v21"}
    assert kinds(signals.fax_answering(level, tone=False)) == {"v21"}
    assert kinds(signals.fax_calling(4.5, level, pitch=pitch)) == {"cng"}
    assert kinds(signals.modem_answering(level, pitch=min(pitch, 1.007))) == {"ansam", "modem"}


@properties
@given(level=LEVELS, hertz=st.floats(520, 2000), seconds=st.floats(0.2, 1.5), law=LAWS, snr=NOISE)
@example(level=-20.0, hertz=1000.0, seconds=0.3, law="alaw", snr=None)
def test_a_beep(level: float, hertz: float, seconds: float, law: str, snr: float | None) -> None:
    kinds = [tone.kind for tone in told(audio.tone([hertz], seconds, level + signals.DBFS), law, level=level, snr=snr)]
    assert kinds in (["beep"], ["cng"]) and (kinds == ["beep"] or 1050 < hertz < 1150)


def test_a_beep_in_the_band_of_network_tones_needs_a_long_pause() -> None:
    beep = np.concatenate([audio.tone([440.0], 0.4), audio.silence(1.5)])
    assert [tone.kind for tone in told(beep)] == ["beep"]


@properties
@given(seed=SEEDS, level=st.floats(-35, 0), law=LAWS)
def test_noise_is_no_tone(seed: int, level: float, law: str) -> None:
    noise = np.random.default_rng(seed).standard_normal(5 * RATE) * 10 ** ((level - 10 + signals.DBFS) / 20)
    assert told(noise.astype(np.float32), law) == []


@properties
@given(seed=SEEDS, law=LAWS)
def test_voiced_sounds_are_no_tones(seed: int, law: str) -> None:
    """Gliding harmonics through gliding formants, in syllables: the nearest that speech comes to a tone."""
    assert told(sung(seed), law) == []


def sung(seed: int) -> Samples:
    own = np.random.default_rng(seed)
    syllables: list[Samples] = []
    for _ in range(14):
        at = np.arange(int(own.uniform(0.1, 0.4) * RATE)) / RATE
        pitch = own.uniform(90, 280) * (1 + own.uniform(-0.2, 0.2) * at / at[-1])
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        formants = own.uniform([300, 900, 2200], [800, 1900, 3000])
        wave = sum(
            np.sin(order * phase) * sum(1 / (1 + ((order * pitch - formant) / 90) ** 2) for formant in formants)
            for order in range(1, int(3400 / 330))
        )
        syllables += [(0.1 * wave * np.hanning(len(at))).astype(np.float32), audio.silence(own.uniform(0.0, 0.25))]
    return np.concatenate(syllables)


@pytest.mark.parametrize("length", [0, 1, 319, 321, 640])
def test_odd_frames_do_no_harm(length: int) -> None:
    detector = ToneDetector()
    assert detector.feed(b"\x01" * length) is None and detector.ms == 20
