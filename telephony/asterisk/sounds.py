"""The two sounds that an engine cannot do without, made here: a beep, and a calm tune for callers on hold."""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 8000

_Samples = npt.NDArray[np.float64]


def write_wav(path: Path, samples: _Samples) -> None:
    """Write samples between -1 and 1 as 8 kHz mono; the file appears complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with wave.open(str(part), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    part.replace(path)


def beep() -> _Samples:
    """A quarter of a second of 1000 Hz with soft edges."""
    time = np.arange(int(0.25 * RATE)) / RATE
    edges = np.minimum(1, np.minimum(time, time[::-1]) / 0.01)
    return np.asarray(0.4 * np.sin(2 * np.pi * 1000 * time) * edges)


def tune() -> _Samples:
    """About forty seconds of slow broken chords on a plucked string, which loop without a seam."""
    chords = ((57, 60, 64, 69), (53, 57, 60, 65), (48, 55, 60, 64), (55, 59, 62, 67))
    melody = (76, 72, 74, 71, 72, 69, 71, 67)
    beat = 0.625
    bars = 16
    out = np.zeros(int(bars * 4 * beat * RATE))
    for bar in range(bars):
        chord = chords[bar % 4]
        for step in range(4):
            at = (bar * 4 + step) * beat
            _add(out, at, chord[(0, 2, 1, 3)[step]], 0.16)
            _add(out, at + beat / 2, chord[(1, 3, 2, 1)[step]], 0.09)
        _add(out, bar * 4 * beat, melody[(bar * 3) % 8], 0.14, length=2.4)
        _add(out, (bar * 4 + 2) * beat, melody[(bar * 5 + 2) % 8], 0.10, length=2.0)
    return out


def _add(out: _Samples, at: float, note: int, loudness: float, length: float = 1.6) -> None:
    """Mix one note in at a time in seconds; what runs over the end goes to the beginning."""
    time = np.arange(int(length * RATE)) / RATE
    pitch = 440 * 2 ** ((note - 69) / 12)
    tone = sum(np.sin(2 * np.pi * pitch * k * time) * np.exp(-time * (1.8 + 0.9 * k)) / k for k in (1, 2, 3))
    attack = np.minimum(1, time / 0.008)
    release = np.minimum(1, time[::-1] / 0.05)
    places = (np.arange(time.size) + int(at * RATE)) % out.size
    out[places] += loudness * np.asarray(tone) * attack * release
