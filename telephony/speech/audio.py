"""Audio at telephone quality: WAV files, G.711, loudness, tones and music of our own.

Samples are one-dimensional ``float32`` arrays between -1 and 1. What callers hear is 8 kHz mono 16-bit WAV:
Asterisk plays it from disk without a codec module and turns it into G.711 with a table look-up.
"""

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from telephony.errors import SpeechError

RATE = 8000
LOUDNESS_DB = -20.0
PEAK_DB = -1.0
TAIL_SECONDS = 0.15
HEAD_SECONDS = 0.05
MAX_SECONDS = 3600.0

Samples = NDArray[np.float32]

# --------------------------------------------------------------------------- files


@dataclass(frozen=True, slots=True)
class WavInfo:
    """What a WAV file says about itself, checked against its size."""

    rate: int
    channels: int
    width: int
    frames: int

    @property
    def seconds(self) -> float:
        return self.frames / self.rate

    @property
    def playable(self) -> bool:
        """Whether it can go to a call as it is: 8 kHz, mono, 16 bit."""
        return (self.rate, self.channels, self.width) == (RATE, 1, 2)


def wav_info(path: Path) -> WavInfo:
    """The format of a PCM WAV file. Raises `SpeechError` ``bad_audio`` for anything else or a file cut short."""
    try:
        size = path.stat().st_size
        with wave.open(str(path), "rb") as file:
            info = WavInfo(file.getframerate(), file.getnchannels(), file.getsampwidth(), file.getnframes())
    except (OSError, EOFError, wave.Error) as problem:
        raise SpeechError("bad_audio", f"{path} is no PCM WAV file: {problem}") from problem
    if info.rate <= 0 or info.frames * info.channels * info.width > size - 44:
        raise SpeechError("bad_audio", f"{path} is cut short: its header promises {info.frames} frames")
    return info


def read_audio(path: Path) -> Samples:
    """Any sound file as 8 kHz mono (WAV, FLAC, OGG, MP3 ...). Raises `SpeechError` ``bad_audio``."""
    try:
        with soundfile.SoundFile(str(path)) as file:
            rate = int(file.samplerate)
            if file.frames > MAX_SECONDS * rate:
                raise SpeechError("bad_audio", f"{path} is longer than {MAX_SECONDS:.0f} seconds")
            data = file.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError, RuntimeError, TypeError) as problem:
        raise SpeechError("bad_audio", f"{path} cannot be read as sound: {problem}") from problem
    if not len(data):
        raise SpeechError("bad_audio", f"{path} holds no sound")
    return resample(data.mean(axis=1, dtype=np.float32), rate)


def read_wav(path: Path) -> tuple[Samples, int]:
    """The samples of a 16-bit WAV file, first channel, and its rate."""
    info = wav_info(path)
    if info.width != 2:
        raise SpeechError("bad_audio", f"{path} has {info.width * 8} bits a sample, not 16")
    with wave.open(str(path), "rb") as file:
        pcm = np.frombuffer(file.readframes(info.frames), dtype="<i2")
    return from_pcm(pcm[:: info.channels]), info.rate


def resample(samples: Samples, rate: int, to: int = RATE) -> Samples:
    """The same sound at another sample rate."""
    if rate == to:
        return samples
    return np.asarray(soxr.resample(samples, rate, to), dtype=np.float32)


def write_wav(path: Path, samples: Samples, rate: int = RATE) -> None:
    """Write 16-bit mono WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(to_pcm(samples).tobytes())


def to_pcm(samples: Samples) -> NDArray[np.int16]:
    """Float samples as 16-bit ones, clipped."""
    return np.asarray(np.clip(np.rint(samples * 32767.0), -32768, 32767), dtype="<i2")


def from_pcm(data: bytes | NDArray[np.int16]) -> Samples:
    """16-bit samples as float ones."""
    pcm = np.frombuffer(data, dtype="<i2") if isinstance(data, bytes) else data
    return (pcm.astype(np.float32) / 32768.0).astype(np.float32)


# --------------------------------------------------------------------------- loudness and silence


def _envelope(samples: Samples, rate: int) -> Samples:
    """RMS of each 10 ms."""
    frame = max(1, rate // 100)
    whole = samples[: len(samples) // frame * frame].reshape(-1, frame)
    return np.sqrt(np.mean(np.square(whole), axis=1, dtype=np.float32))


def loudness(samples: Samples, rate: int = RATE) -> float:
    """RMS in dBFS over the parts that are not silent; -inf for silence."""
    envelope = _envelope(samples, rate)
    if not len(envelope) or (top := float(envelope.max())) < 1e-4:
        return float("-inf")
    active = envelope[envelope > top * 10 ** (-30 / 20)]
    return float(20 * np.log10(np.sqrt(np.mean(np.square(active)))))


def normalise(samples: Samples, target_db: float = LOUDNESS_DB, rate: int = RATE) -> Samples:
    """Bring speech to one loudness. Peaks stay under -1 dBFS; silence is left alone."""
    level = loudness(samples, rate)
    if level == float("-inf"):
        return samples
    gain = 10 ** (np.clip(target_db - level, -40, 30) / 20)
    ceiling = 10 ** (PEAK_DB / 20)
    louder = samples * np.float32(gain)
    # The few peaks above the ceiling are bent with tanh, so that one loud plosive does not make a whole prompt quiet.
    knee = np.float32(ceiling * 0.7)
    over = np.abs(louder) > knee
    bent = np.sign(louder) * (knee + (ceiling - knee) * np.tanh((np.abs(louder) - knee) / (ceiling - knee)))
    return np.where(over, bent, louder).astype(np.float32)


def trim(samples: Samples, head: float = HEAD_SECONDS, tail: float = TAIL_SECONDS, rate: int = RATE) -> Samples:
    """Cut silence at both ends to `head` and `tail` seconds; sound that is silent throughout stays as it is."""
    envelope = _envelope(samples, rate)
    if not len(envelope) or (top := float(envelope.max())) < 1e-4:
        return samples
    loud = np.flatnonzero(envelope > max(top * 10 ** (-45 / 20), 5e-4))
    frame = max(1, rate // 100)
    start = max(0, int(loud[0]) * frame - int(head * rate))
    end = (int(loud[-1]) + 1) * frame
    padded = np.concatenate([samples, np.zeros(int(tail * rate), dtype=np.float32)])
    return padded[start : end + int(tail * rate)]


def silence(seconds: float, rate: int = RATE) -> Samples:
    return np.zeros(int(seconds * rate), dtype=np.float32)


# --------------------------------------------------------------------------- G.711

_PCM = np.arange(-32768, 32768, dtype=np.int32)


def _ulaw_tables() -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    biased = np.minimum(np.abs(_PCM), 32635) + 0x84
    exponent = np.floor(np.log2(biased)).astype(np.int32) - 7
    mantissa = (biased >> (exponent + 3)) & 0x0F
    encode = (~(((_PCM < 0).astype(np.int32) << 7) | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    code = ~np.arange(256) & 0xFF
    value = ((((code & 0x0F) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return encode, np.where(code & 0x80, -value, value).astype(np.int16)


def _alaw_tables() -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    magnitude = np.minimum(np.where(_PCM < 0, ~_PCM, _PCM) >> 3, 0xFFF)
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    mantissa = (magnitude >> np.maximum(exponent, 1)) & 0x0F
    sign = np.where(_PCM < 0, 0, 0x80)
    encode = ((sign | (exponent << 4) | mantissa) ^ 0x55).astype(np.uint8)
    code = np.arange(256) ^ 0x55
    segment = (code >> 4) & 7
    value = ((code & 0x0F) << 4) + 8
    value = np.where(segment == 0, value, (value + 0x100) << np.maximum(segment - 1, 0))
    return encode, np.where(code & 0x80, value, -value).astype(np.int16)


_ULAW_ENCODE, _ULAW_DECODE = _ulaw_tables()
_ALAW_ENCODE, _ALAW_DECODE = _alaw_tables()


def ulaw_encode(pcm: NDArray[np.int16]) -> bytes:
    """G.711 µ-law (PCMU)."""
    return _ULAW_ENCODE[pcm.astype(np.int32) + 32768].tobytes()


def ulaw_decode(data: bytes) -> NDArray[np.int16]:
    return _ULAW_DECODE[np.frombuffer(data, np.uint8)]


def alaw_encode(pcm: NDArray[np.int16]) -> bytes:
    """G.711 A-law (PCMA)."""
    return _ALAW_ENCODE[pcm.astype(np.int32) + 32768].tobytes()


def alaw_decode(data: bytes) -> NDArray[np.int16]:
    return _ALAW_DECODE[np.frombuffer(data, np.uint8)]


# --------------------------------------------------------------------------- tones and music


def tone(frequencies: Sequence[float], seconds: float, level_db: float = -16.0, rate: int = RATE) -> Samples:
    """Sines of equal strength that together have `level_db` RMS, with 5 ms edges so that they do not click."""
    if not frequencies or seconds <= 0:
        return silence(max(0.0, seconds), rate)
    time = np.arange(int(seconds * rate)) / rate
    mixed = np.sum([np.sin(2 * np.pi * f * time) for f in frequencies], axis=0)
    mixed *= 10 ** (level_db / 20) * np.sqrt(2 / len(frequencies))
    edge = min(len(mixed) // 2, int(0.005 * rate))
    if edge:
        ramp = np.linspace(0, 1, edge)
        mixed[:edge] *= ramp
        mixed[-edge:] *= ramp[::-1]
    return np.asarray(mixed, dtype=np.float32)


_RINGBACK = {"CN": ((450.0,), 1.0, 4.0), "US": ((440.0, 480.0), 2.0, 4.0), "KR": ((440.0, 480.0), 1.0, 2.0)}
_BUSY = {"CN": ((450.0,), 0.35, 0.35), "US": ((480.0, 620.0), 0.5, 0.5), "KR": ((480.0, 620.0), 0.5, 0.5)}


def ringback(country: str = "CN") -> Samples:
    """One period of the ring-back tone: 450 Hz, 1 s in 5, in China; 440+480 Hz, 2 s in 6, as in the US."""
    frequencies, on, off = _RINGBACK.get(country.upper(), _RINGBACK["US"])
    return np.concatenate([tone(frequencies, on), silence(off)])


def busy(country: str = "CN") -> Samples:
    """One period of the busy tone."""
    frequencies, on, off = _BUSY.get(country.upper(), _BUSY["US"])
    return np.concatenate([tone(frequencies, on), silence(off)])


def beep(seconds: float = 0.3) -> Samples:
    """The tone before a recording: 1000 Hz, which no fax or network tone uses."""
    return tone([1000.0], seconds)


_BAR_SECONDS = 2.5
# Chords as MIDI notes, a calm turn through C: Cmaj7 Am7 Fmaj7 G6, twice over, then Em7 Am7 Dm7 G7.
_CHORDS = (
    (48, 55, 64, 71),
    (45, 55, 60, 64),
    (41, 53, 57, 64),
    (43, 50, 59, 64),
    (48, 55, 64, 71),
    (45, 55, 60, 64),
    (41, 53, 57, 64),
    (43, 50, 59, 64),
    (52, 55, 59, 62),
    (45, 55, 60, 64),
    (50, 53, 57, 60),
    (43, 53, 59, 62),
)
_TUNE = (
    76, 74, 72, 71, 72, 67, 69, 72, 69, 67, 64, 67, 71, 69, 67, 62, 76, 79, 76, 74, 72, 74, 76, 72,
    69, 72, 69, 65, 67, 71, 74, 71, 71, 67, 64, 67, 69, 72, 76, 72, 74, 69, 65, 69, 71, 74, 77, 74,
)  # fmt: skip


def comfort_music(bars: int = len(_CHORDS), rate: int = RATE) -> Samples:
    """Calm music made of sines, 2.5 s a bar, 30 s by default; it loops without a seam.

    Every note's tail that passes the end is folded back onto the beginning, which is what a loop sounds like.
    """
    total = int(bars * _BAR_SECONDS * rate)
    mix = np.zeros(total, dtype=np.float64)

    def add(note: int, start: float, length: float, strength: float, attack: float) -> None:
        time = np.arange(int(length * rate)) / rate
        frequency = 440.0 * 2 ** ((note - 69) / 12)
        wave_form = np.zeros_like(time)
        for harmonic, share in ((1, 1.0), (2, 0.35), (3, 0.12)):
            if frequency * harmonic < rate * 0.42:
                wave_form += share * np.sin(2 * np.pi * frequency * harmonic * time)
        shape = np.minimum(time / attack, 1.0) * np.exp(-time * 2.2 / length)
        shape *= np.minimum((length - time) / 0.05, 1.0)
        first = int(start * rate)
        np.add.at(mix, (first + np.arange(len(time))) % total, strength * shape * wave_form)

    for bar in range(bars):
        begin = bar * _BAR_SECONDS
        for note in _CHORDS[bar % len(_CHORDS)]:
            add(note + 12, begin, _BAR_SECONDS * 1.3, 0.10, 0.25)
        for beat in range(4):
            add(_TUNE[(bar * 4 + beat) % len(_TUNE)], begin + beat * _BAR_SECONDS / 4, 1.1, 0.12, 0.02)
    return normalise(mix.astype(np.float32), target_db=-24.0, rate=rate)


def write_comfort_music(path: Path) -> None:
    """Write the music-on-hold loop as 8 kHz WAV; the same bytes each time."""
    write_wav(path, comfort_music())
