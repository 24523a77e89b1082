from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from telephony.errors import SpeechError
from telephony.speech import audio


def spectrum_peak(samples: audio.Samples) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * audio.RATE / len(samples))


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=200))
def test_g711_loses_little(values: list[int]) -> None:
    pcm = np.array(values, dtype=np.int16)
    for encode, decode in ((audio.ulaw_encode, audio.ulaw_decode), (audio.alaw_encode, audio.alaw_decode)):
        back = decode(encode(pcm))
        clipped = np.clip(pcm.astype(np.int32), -32635, 32635)
        assert np.all(np.abs(back - clipped) <= np.abs(clipped) * 0.035 + 16)


def test_g711_codes_survive_a_round_trip() -> None:
    # µ-law has two zeros (0x7F, 0xFF), all other codes are their own.
    ulaw = np.frombuffer(audio.ulaw_encode(audio.ulaw_decode(bytes(range(256)))), np.uint8)
    assert [code for code in range(256) if ulaw[code] != code] == [0x7F]
    assert audio.alaw_encode(audio.alaw_decode(bytes(range(256)))) == bytes(range(256))
    # Well-known values: silence and full scale.
    assert audio.ulaw_encode(np.array([0], np.int16)) == b"\xff"
    assert audio.alaw_encode(np.array([0], np.int16)) == b"\xd5"
    assert audio.ulaw_decode(b"\x00\x80").tolist() == [-32124, 32124]
    assert audio.alaw_decode(b"\x2a\xaa").tolist() == [-32256, 32256]


def test_wav_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    audio.write_wav(path, audio.tone([440], 0.5))
    info = audio.wav_info(path)
    assert info.playable
    assert info.seconds == pytest.approx(0.5)
    samples, rate = audio.read_wav(path)
    assert rate == 8000
    assert spectrum_peak(samples) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_uploads_of_any_kind_become_telephone_audio(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"up.{suffix}"
    soundfile.write(path, np.stack([audio.tone([600], 1.0, rate=44100)] * 2, axis=1), 44100)
    samples = audio.read_audio(path)
    assert len(samples) / audio.RATE == pytest.approx(1.0, abs=0.1)
    assert spectrum_peak(samples) == pytest.approx(600, abs=3)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not sound at all" * 10])
def test_what_is_no_sound_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    for read in (audio.wav_info, audio.read_audio):
        with pytest.raises(SpeechError, match=r"bad\.wav") as caught:
            read(path)
        assert caught.value.reason == "bad_audio"


def test_a_file_cut_short_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    audio.write_wav(path, audio.tone([440], 0.5))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(SpeechError, match="cut short"):
        audio.wav_info(path)


@given(st.floats(-50, -3), st.floats(200, 3000))
def test_normalising_brings_every_level_to_the_same(level: float, frequency: float) -> None:
    out = audio.normalise(audio.tone([frequency], 0.5, level))
    assert audio.loudness(out) == pytest.approx(audio.LOUDNESS_DB, abs=1.0)
    assert np.abs(out).max() <= 10 ** (audio.PEAK_DB / 20) + 1e-6


def test_silence_stays_silence() -> None:
    quiet = audio.silence(1.0)
    assert np.array_equal(audio.normalise(quiet), quiet)
    assert np.array_equal(audio.trim(quiet), quiet)


def test_ends_are_trimmed() -> None:
    padded = np.concatenate([audio.silence(1.0), audio.tone([500], 0.5), audio.silence(2.0)])
    out = audio.trim(padded)
    assert len(out) / audio.RATE == pytest.approx(0.05 + 0.5 + 0.15, abs=0.03)
    assert np.abs(out[-int(0.1 * audio.RATE) :]).max() == 0


def test_a_short_tail_is_filled() -> None:
    assert len(audio.trim(audio.tone([500], 0.5))) / audio.RATE == pytest.approx(0.65, abs=0.03)


def test_tones() -> None:
    cn = audio.ringback("CN")
    assert len(cn) == 5 * audio.RATE
    assert spectrum_peak(cn[: audio.RATE]) == pytest.approx(450, abs=2)
    us = np.abs(np.fft.rfft(audio.ringback("US")[: audio.RATE]))
    assert set(np.argsort(us)[-2:].tolist()) == {440, 480}
    assert spectrum_peak(audio.beep()) == pytest.approx(1000, abs=5)
    assert audio.loudness(audio.tone([440, 480], 1.0, -16)) == pytest.approx(-16, abs=0.3)


def test_comfort_music_is_music_and_loops(tmp_path: Path) -> None:
    music = audio.comfort_music()
    assert len(music) == 30 * audio.RATE
    assert audio.loudness(music) == pytest.approx(-24, abs=1)
    seconds = music.reshape(30, -1)
    assert min(float(np.sqrt(np.mean(second**2))) for second in seconds) > 0.01  # no second is silent
    # The seam is no louder a step than any other step.
    assert abs(float(music[0] - music[-1])) <= float(np.abs(np.diff(music)).max())
    audio.write_comfort_music(tmp_path / "1.wav")
    audio.write_comfort_music(tmp_path / "2.wav")
    assert (tmp_path / "1.wav").read_bytes() == (tmp_path / "2.wav").read_bytes()
