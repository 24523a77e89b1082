"""What lines and machines send: network tones of several countries, fax, modem. For tests, benchmarks and simulation.

Samples are ``float32`` between -1 and 1 at 8 kHz; levels are in dBm0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from telephony.speech import audio
from telephony.speech.audio import RATE, Samples

DBFS = -6.15
"""RMS in dBFS of a tone at 0 dBm0."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """Sines that sound together, and seconds on, off, on, off ... over and over; without ``pattern`` for ever."""

    hertz: tuple[float, ...]
    pattern: tuple[float, ...] = ()


NETWORK: Mapping[str, Cadence] = {
    "ringback cn": Cadence((450,), (1.0, 4.0)),
    "ringback us": Cadence((440, 480), (2.0, 4.0)),
    "ringback kr": Cadence((440, 480), (1.0, 2.0)),
    "ringback eu": Cadence((425,), (1.0, 4.0)),
    "ringback uk": Cadence((400, 450), (0.4, 0.2, 0.4, 2.0)),
    "ringback jp": Cadence((400,), (1.0, 2.0)),
    "busy cn": Cadence((450,), (0.35, 0.35)),
    "busy us": Cadence((480, 620), (0.5, 0.5)),
    "busy eu": Cadence((425,), (0.5, 0.5)),
    "busy uk": Cadence((400,), (0.375, 0.375)),
    "congestion cn": Cadence((450,), (0.7, 0.7)),
    "congestion us": Cadence((480, 620), (0.25, 0.25)),
    "congestion eu": Cadence((425,), (0.2, 0.2)),
}
"""ITU-T E.180, supplement 2."""


def network(name: str, seconds: float, level: float = -15.0, *, pitch: float = 1.0, tempo: float = 1.0) -> Samples:
    """A network tone; `pitch` and `tempo` bend frequencies and times, 1.0 is nominal."""
    tone = NETWORK[name]
    return cadence([hertz * pitch for hertz in tone.hertz], [part * tempo for part in tone.pattern], seconds, level)


def cadence(hertz: Sequence[float], pattern: Sequence[float], seconds: float, level: float = -15.0) -> Samples:
    """Sines of equal strength, `level` together, on and off by turns."""
    if not pattern:
        return audio.tone(hertz, seconds, level + DBFS)
    parts: list[Samples] = []
    length = 0
    while length < seconds * RATE:
        on = len(parts) % 2 == 0
        part = pattern[len(parts) % len(pattern)]
        parts.append(audio.tone(hertz, part, level + DBFS) if on else audio.silence(part))
        length += len(parts[-1])
    return np.concatenate(parts)[: int(seconds * RATE)]


def special_information(level: float = -15.0, *, pitch: float = 1.0, tempo: float = 1.0) -> Samples:
    """Three rising tones of a third of a second (ITU-T E.180): the number cannot be reached, and a voice says why."""
    tones = [audio.tone([hertz * pitch], 0.33 * tempo, level + DBFS) for hertz in (950.0, 1400.0, 1800.0)]
    return np.concatenate([*tones, audio.silence(1.0)])


def fax_calling(seconds: float, level: float = -15.0, *, pitch: float = 1.0) -> Samples:
    """CNG: 1100 Hz for half a second, every 3.5 s (ITU-T T.30)."""
    return cadence([1100.0 * pitch], [0.5, 3.0], seconds, level)


def fax_answering(level: float = -15.0, *, pitch: float = 1.0, tone: bool = True) -> Samples:
    """CED of 3 s, then the flags of the first message (ITU-T T.30); some machines leave the tone out."""
    parts = [audio.tone([2100.0 * pitch], 3.0, level + DBFS), audio.silence(0.075)] if tone else []
    return np.concatenate([*parts, v21_flags(2.0, level)])


def v21_flags(seconds: float, level: float = -15.0) -> Samples:
    """HDLC flags in V.21's upper channel: 300 bit/s, a one is 1650 Hz, a zero 1850 Hz."""
    bits = np.tile([0, 1, 1, 1, 1, 1, 1, 0], int(seconds * 300 / 8) + 1)
    hertz = np.where(bits[(np.arange(int(seconds * RATE)) * 300 // RATE) % len(bits)], 1650.0, 1850.0)
    return _at(np.sin(2 * np.pi * np.cumsum(hertz) / RATE), level)


def answer_tone(seconds: float, level: float = -15.0, *, pitch: float = 1.0, modulated: bool = True) -> Samples:
    """ANSam of V.8: 2100 Hz that turns its phase every 0.45 s, its amplitude swinging by 20 % with 15 Hz."""
    at = np.arange(int(seconds * RATE)) / RATE
    swing = 1 + 0.2 * np.sin(2 * np.pi * 15 * at) if modulated else 1.0
    turned = np.where((at // 0.45) % 2, np.pi, 0.0)
    return _at(swing * np.sin(2 * np.pi * 2100 * pitch * at + turned), level)


def modem_answering(level: float = -15.0, *, pitch: float = 1.0) -> Samples:
    """The answer tone of V.8, a pause, then the carrier of V.22."""
    carrier = audio.tone([2250.0 * pitch], 3.0, level + DBFS)
    return np.concatenate([answer_tone(3.5, level, pitch=pitch), audio.silence(0.075), carrier])


def _at(wave: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", level: float) -> Samples:
    gain = 10 ** ((level + DBFS) / 20) / float(np.sqrt(np.mean(np.square(wave))))
    return np.asarray(wave * gain, dtype=np.float32)


def speech_at(samples: Samples, level: float) -> Samples:
    """Speech brought to a level: that of its loud parts."""
    return audio.normalise(samples, level + DBFS)


def over_line(samples: Samples, law: str = "alaw", *, noise: float | None = None, seed: int = 0) -> bytes:
    """What arrives over a G.711 line (``alaw`` or ``ulaw``) as 16-bit samples; `noise` is white, in dBm0."""
    if noise is not None:
        hiss = np.random.default_rng(seed).standard_normal(len(samples)) * 10 ** ((noise + DBFS) / 20)
        samples = samples + hiss.astype(np.float32)
    pcm = audio.to_pcm(samples)
    heard = audio.ulaw_decode(audio.ulaw_encode(pcm)) if law == "ulaw" else audio.alaw_decode(audio.alaw_encode(pcm))
    return heard.astype("<i2").tobytes()


def frames(pcm: bytes) -> list[bytes]:
    """Frames of 20 ms; a rest at the end is dropped."""
    return [pcm[at : at + 320] for at in range(0, len(pcm) - 319, 320)]
