"""Sounds of our own making."""

import struct
import wave
from pathlib import Path

from telephony.sounds import COMFORT_SECONDS, OVER_SECONDS, RINGBACK_SECONDS, Sounds, wav_seconds


def test_sounds_are_made_once_at_telephone_quality(tmp_path: Path) -> None:
    sounds = Sounds(tmp_path / "sounds")
    sounds.prepare()
    first = sounds.comfort.stat().st_mtime_ns
    assert sounds.comfort.stat().st_mtime_ns == first
    assert wav_seconds(sounds.comfort) == COMFORT_SECONDS
    assert wav_seconds(sounds.ringback) == RINGBACK_SECONDS
    assert wav_seconds(sounds.over) == OVER_SECONDS
    with wave.open(str(sounds.comfort)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)


def test_comfort_audio_has_no_gap(tmp_path: Path) -> None:
    with wave.open(str(Sounds(tmp_path).comfort)) as file:
        samples = struct.unpack(f"<{file.getnframes()}h", file.readframes(file.getnframes()))
    windows = [samples[i : i + 2000] for i in range(0, len(samples) - 1999, 2000)]
    assert min(max(abs(x) for x in window) for window in windows) > 500


def test_ringback_is_the_country_s(tmp_path: Path) -> None:
    assert wav_seconds(Sounds(tmp_path, country="US").ringback) == 6.0


def test_a_file_that_is_no_sound_has_no_length(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(b"no")
    assert wav_seconds(tmp_path / "x.wav") == 0.0
