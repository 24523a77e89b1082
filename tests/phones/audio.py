"""Listening to recordings: where a prompt is in what a phone heard, silence, tones.

Samples are ``float32`` arrays between -1 and 1 at 8 kHz, as in `telephony.speech.audio`.
"""

import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from telephony.speech.audio import RATE, from_pcm, resample

Samples = NDArray[np.float32]
Sound = Path | Samples

QUIET_DB = -50.0
"""Below this level a window is silence."""

_CLEAR = 0.9
_PIECE = 3200
_BLOCK = 160
_SLIP = 0.15


@dataclass(frozen=True, slots=True)
class Match:
    """A reference found in a recording: where it begins and how alike they are (1.0 is the same)."""

    start: float
    score: float


def load(sound: Sound) -> Samples:
    """8 kHz samples of a WAV file. A header that was not completed, as of a phone still recording, is no harm."""
    if not isinstance(sound, Path):
        return sound
    raw = sound.read_bytes()
    try:
        with wave.open(str(sound), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
    except (wave.Error, EOFError):
        rate, channels, width = RATE, 1, 2
    if width != 2:
        raise ValueError(f"{sound}: {8 * width} bit samples; only 16 bit can be compared")
    start = raw.find(b"data", 12) + 8 if raw[:4] == b"RIFF" else 0
    body = raw[start:]
    samples = from_pcm(body[: len(body) // (2 * channels) * 2 * channels])
    if channels > 1:
        samples = samples.reshape(-1, channels).mean(axis=1, dtype=np.float32)
    return samples if rate == RATE else resample(samples, rate)


def find(reference: Sound, recording: Sound, *, after: float = 0.0) -> Match:
    """Where `reference` is in `recording` best: normalised cross-correlation by FFT.

    The score tells apart: the same audio over G.711 gives above 0.9, other speech below 0.6.
    Silence at the ends of the reference does not count. A busy machine slips or doubles a packet now and then;
    then the reference is compared in pieces that may be up to 0.15 s out of place.
    """
    wanted, offset = _core(load(reference))
    heard = load(recording)[round(after * RATE) :]
    if len(wanted) == 0:
        raise ValueError("the reference holds no sound")
    if len(heard) < len(wanted):
        return Match(0.0, 0.0)
    scores = _correlate(wanted, heard)
    best = int(np.argmax(scores))
    start, score = best, float(scores[best])
    if score < _CLEAR and len(wanted) > 2 * _PIECE:
        pieced = _in_pieces(wanted, heard)
        if pieced[1] > score:
            start, score = pieced
    return Match(start / RATE - offset + after, score)


def _correlate(wanted: Samples, heard: Samples) -> NDArray[np.float64]:
    """The likeness of `wanted` with each stretch of `heard`."""
    a = wanted.astype(np.float64) - float(wanted.mean())
    b = heard.astype(np.float64)
    size = 1 << (len(a) + len(b) - 1).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)[: len(b) - len(a) + 1]
    sums, squares = np.cumsum(np.r_[0.0, b]), np.cumsum(np.r_[0.0, b * b])
    n = len(a)
    energy = (squares[n:] - squares[:-n]) - (sums[n:] - sums[:-n]) ** 2 / n
    # Where nothing is heard there is nothing to compare; without the floor, noise would score.
    floor = n * 10 ** (QUIET_DB / 10) * 0.5
    return np.asarray(correlation / np.sqrt(np.maximum(energy, floor) * max(float(a @ a), floor)))


def _in_pieces(wanted: Samples, heard: Samples) -> tuple[int, float]:
    """Start and score when each piece may slip; pieces count by their energy."""
    count = len(wanted) // _PIECE
    blocks = (len(heard) - len(wanted)) // _BLOCK + 1
    reach = round(_SLIP * RATE) // _BLOCK
    total, weights = np.zeros(blocks), 0.0
    for index in range(count):
        piece = wanted[index * _PIECE : (index + 1) * _PIECE]
        weight = float(piece.astype(np.float64) @ piece)
        lead = min(reach * _BLOCK, index * _PIECE)
        stretch = heard[index * _PIECE - lead : index * _PIECE + (blocks + reach) * _BLOCK + _PIECE]
        scores = _correlate(piece, stretch)
        peaks = scores[: len(scores) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).max(axis=1)
        padded = np.r_[np.full(reach - lead // _BLOCK, -1.0), peaks, np.full(blocks + 2 * reach, -1.0)]
        near = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)[:blocks].max(axis=1)
        total += weight * np.maximum(near, 0.0)
        weights += weight
    best = int(np.argmax(total))
    return best * _BLOCK, float(total[best] / weights) if weights else 0.0


def contains(reference: Sound, recording: Sound, *, after: float = 0.0, least: float = 0.8) -> bool:
    """Whether a prompt was heard."""
    return find(reference, recording, after=after).score >= least


def in_order(references: Iterable[Sound], recording: Sound, *, least: float = 0.8) -> list[Match]:
    """Find prompts one after the other; raises AssertionError with the first that is missing."""
    recording = load(recording)
    matches: list[Match] = []
    after = 0.0
    for index, reference in enumerate(references):
        match = find(reference, recording, after=after)
        name = reference if isinstance(reference, Path) else f"number {index}"
        assert match.score >= least, f"prompt {name} was not heard after {after:.2f} s (score {match.score:.2f})"
        matches.append(match)
        after = match.start + len(load(reference)) / RATE * 0.9
    return matches


def levels(sound: Sound, window: float = 0.02) -> NDArray[np.float64]:
    """Level of each window in dB below full scale."""
    samples = load(sound)
    size = round(window * RATE)
    count = len(samples) // size
    blocks = samples[: count * size].reshape(count, size).astype(np.float64)
    return np.asarray(20 * np.log10(np.sqrt((blocks**2).mean(axis=1)) + 1e-9))


def silences(sound: Sound, *, least: float = 0.5, quiet_db: float = QUIET_DB) -> list[tuple[float, float]]:
    """Stretches of silence of at least `least` seconds, as (begin, end)."""
    window = 0.02
    found: list[tuple[float, float]] = []
    begin: int | None = None
    quiet = [*(levels(sound, window) < quiet_db).tolist(), False]
    for index, silent in enumerate(quiet):
        if silent and begin is None:
            begin = index
        elif not silent and begin is not None:
            if (index - begin) * window >= least:
                found.append((begin * window, index * window))
            begin = None
    return found


def longest_silence(sound: Sound, *, after: float = 0.0) -> float:
    """The longest silence in seconds."""
    samples = load(sound)[round(after * RATE) :]
    return max((end - begin for begin, end in silences(samples, least=0.02)), default=0.0)


def tones(sound: Sound, *, within_db: float = 20.0) -> list[float]:
    """Frequencies of the strong tones, strongest first, in Hz."""
    samples = load(sound).astype(np.float64)
    if len(samples) < RATE // 20:
        return []
    window = np.hanning(len(samples))
    spectrum = np.abs(np.fft.rfft(samples * window)) / (window.sum() / 2)
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    decibels = 20 * np.log10(spectrum + 1e-9)
    found: list[float] = []
    limit = max(float(decibels.max()) - within_db, QUIET_DB)
    for index in np.argsort(spectrum)[::-1]:
        if decibels[index] < limit or len(found) >= 8:
            break
        if frequencies[index] > 40 and all(abs(frequencies[index] - one) > 40 for one in found):
            found.append(float(frequencies[index]))
    return found


def has_tone(sound: Sound, hertz: float, *, tolerance: float = 10.0) -> bool:
    """Whether a tone is among the strong ones."""
    return any(abs(one - hertz) <= tolerance for one in tones(sound))


def _core(samples: Samples) -> tuple[Samples, float]:
    """The samples without silence at both ends, and the seconds cut from the front."""
    size = round(0.02 * RATE)
    loud = np.flatnonzero(levels(samples) >= QUIET_DB)
    if len(loud) == 0:
        return samples[:0], 0.0
    first, last = int(loud[0]) * size, (int(loud[-1]) + 1) * size
    return samples[first:last], first / RATE
