"""The ears of the journeys: they find what is there and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from telephony.speech.audio import RATE, alaw_decode, alaw_encode, from_pcm, to_pcm, tone, ulaw_decode, ulaw_encode
from telephony.speech.audio import write_wav as write
from tests.phones import audio

rng = np.random.default_rng(7)


def speechlike(seconds: float, seed: int) -> audio.Samples:
    """Noise with the slow ups and downs of speech: as unlike to another seed as two sentences are."""
    own = np.random.default_rng(seed)
    noise = own.standard_normal(round(seconds * RATE))
    noise = np.convolve(noise, np.ones(6) / 6, mode="same")
    steps = np.repeat(own.uniform(0.05, 1.0, int(seconds * 8) + 1), RATE // 8)[: len(noise)]
    return (0.15 * noise * steps).astype(np.float32)


def over_the_line(samples: audio.Samples, law: str) -> audio.Samples:
    pcm = to_pcm(samples)
    return from_pcm(ulaw_decode(ulaw_encode(pcm)) if law == "ulaw" else alaw_decode(alaw_encode(pcm)))


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
@pytest.mark.parametrize("gain", [0.4, 1.0])
def test_a_prompt_is_found_where_it_is(law: str, gain: float) -> None:
    prompt, other = speechlike(1.5, 1), speechlike(2.0, 2)
    quiet = np.zeros(RATE, np.float32)
    heard = over_the_line(np.concatenate([quiet, other, quiet, prompt, quiet]) * np.float32(gain), law)
    match = audio.find(prompt, heard)
    assert match.score > 0.95
    assert match.start == pytest.approx(4.0, abs=0.02)


def test_what_is_not_there_is_not_found() -> None:
    heard = np.concatenate([speechlike(2, 2), np.zeros(RATE, np.float32), speechlike(2, 3)])
    assert audio.find(speechlike(1.5, 1), heard).score < 0.4
    assert not audio.contains(speechlike(1.5, 1), np.zeros(4 * RATE, np.float32))
    assert audio.find(speechlike(1.5, 1), heard[:100]).score == 0.0


def test_a_slipped_packet_does_not_hide_a_prompt() -> None:
    prompt, other = speechlike(3, 1), speechlike(3, 2)
    slipped = np.concatenate([other, prompt[:9000], prompt[8840:15000], prompt[15320:], other])
    match = audio.find(prompt, slipped)
    assert match.score > 0.8 and match.start == pytest.approx(3.0, abs=0.2)
    assert audio.find(speechlike(3, 3), slipped).score < 0.4


def test_order_and_repetition_matter() -> None:
    one, two = speechlike(1, 1), speechlike(1, 2)
    heard = np.concatenate([one, two, one])
    assert [round(m.start, 1) for m in audio.in_order([one, two, one], heard)] == [0.0, 1.0, 2.0]
    with pytest.raises(AssertionError, match="number 2 was not heard"):
        audio.in_order([one, two, two], heard)


def test_silence_is_measured(tmp_path: Path) -> None:
    faint = (rng.standard_normal(RATE) * 1e-4).astype(np.float32)
    write(tmp_path / "a.wav", np.concatenate([speechlike(1, 1), faint, speechlike(1, 2)]))
    ((begin, end),) = audio.silences(tmp_path / "a.wav")
    assert begin == pytest.approx(1, abs=0.05) and end == pytest.approx(2, abs=0.05)
    assert audio.longest_silence(tmp_path / "a.wav") == pytest.approx(1, abs=0.05)


def test_tones_are_told_apart() -> None:
    sound = over_the_line(tone([440, 480], 1.0), "ulaw")
    assert audio.has_tone(sound, 440) and audio.has_tone(sound, 480)
    assert not audio.has_tone(sound, 600)
    assert audio.tones(np.zeros(RATE, np.float32)) == []


def test_a_file_still_being_written_can_be_heard(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", speechlike(1, 1))
    raw = bytearray((tmp_path / "a.wav").read_bytes())
    raw[40:44] = bytes(4)
    (tmp_path / "a.wav").write_bytes(raw)
    assert len(audio.load(tmp_path / "a.wav")) == RATE
