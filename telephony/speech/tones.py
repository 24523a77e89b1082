"""Network and machine tones in telephone audio: ring-back, busy, congestion, SIT, fax, modem, beeps.

Audio comes as frames of 20 ms (160 samples of 16 bit, 8 kHz). Each frame is looked at through a Hann window of
40 ms and a spectrum (`Spectrum.look`); looks are joined into segments; segments are judged by frequency, length and
cadence (`ToneDetector`). Tolerances are wide enough for every country's variant of a tone, because what a tone
means follows from its cadence: see ITU-T E.180 (supplement 2, tones by country), E.182 (special information tone),
T.30 (CNG, CED, V.21 preamble), V.8 and V.25 (ANSam).
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

RATE = 8000
FRAME_SAMPLES = 160
FRAME_BYTES = 2 * FRAME_SAMPLES
FRAME_MS = 20

ToneKind = Literal["ringback", "busy", "congestion", "dial", "sit", "cng", "ced", "ansam", "v21", "modem", "beep"]

DBM0 = 16140.0
"""RMS of 16-bit samples at 0 dBm0: a sine at G.711's overload point (+3.14 dBm0) has full scale."""

_WINDOW_SAMPLES = 320
_BINS = 512
_HERTZ = RATE / _BINS
_HANN = np.hanning(_WINDOW_SAMPLES)
_HANN_POWER = float(np.sum(_HANN**2))
_REACH = 4
"""Bins to each side that hold the main lobe of one sine."""

QUIET_DBM0 = -45.0
_PURE = 0.82
_REST = ("quiet", "other")
_SLACK_MS = 60
"""Shorter interruptions inside a tone (a lost packet, a phase reversal) do not end it."""

_LOW = (385.0, 515.0)
"""All ring-back, busy and congestion tones: 400 (Japan, UK), 425 (Europe), 440+480 (North America), 450 (China)."""

_SIT = ((950.0, 60.0), (1400.0, 60.0), (1777.0, 60.0))


@dataclass(frozen=True, slots=True)
class Look:
    """What one frame sounds like. Level in dBm0, frequencies in Hz (0 when there is none).

    ``tonal`` is the share of the two strongest lines in the energy: 1 for tones, about 0.2 for hiss.
    """

    kind: Literal["quiet", "pure", "dual", "v21", "other"]
    level: float
    frequency: float = 0.0
    second: float = 0.0
    tonal: float = 0.0


class Spectrum:
    """Looks at frames, each together with the one before it."""

    def __init__(self) -> None:
        self._samples = np.zeros(_WINDOW_SAMPLES)

    def look(self, frame: bytes) -> Look:
        """One frame of 320 bytes; a shorter one is filled with silence."""
        pcm = np.frombuffer(frame[: len(frame) // 2 * 2], dtype="<i2")[:FRAME_SAMPLES]
        self._samples[:FRAME_SAMPLES] = self._samples[FRAME_SAMPLES:]
        self._samples[FRAME_SAMPLES : FRAME_SAMPLES + len(pcm)] = pcm
        self._samples[FRAME_SAMPLES + len(pcm) :] = 0
        windowed = self._samples * _HANN
        power = float(windowed @ windowed) / _HANN_POWER
        level = 10 * np.log10(power / DBM0**2 + 1e-12)
        if level < QUIET_DBM0:
            return Look("quiet", level)
        spectrum = np.fft.rfft(windowed, _BINS)
        energy = spectrum.real**2 + spectrum.imag**2
        return _look(energy, level)


def _look(energy: NDArray[np.float64], level: float) -> Look:
    # Mains hum and the direct current of bad converters say nothing.
    energy[:8] = 0.0
    total = float(energy.sum()) + 1e-9
    peak = int(energy.argmax())
    first, share = _lobe(energy, peak)
    # The flags before a fax's first message are 300 bit/s between 1650 and 1850 Hz: one band, but never one line.
    band = float(energy[95:127].sum()) if 100 <= peak <= 122 else 0.0
    if band > _PURE * total and share < 0.93 * band:
        return Look("v21", level, 1750.0, tonal=1.0)
    if share > _PURE * total:
        return Look("pure", level, first, tonal=1.0)
    rest = energy.copy()
    rest[max(0, peak - _REACH) : peak + _REACH + 1] = 0.0
    other = int(rest.argmax())
    second, more = _lobe(rest, other)
    if share + more > _PURE * total and more > 0.1 * total:
        return Look("dual", level, min(first, second), max(first, second), tonal=1.0)
    return Look("other", level, tonal=(share + more) / total)


def _lobe(energy: NDArray[np.float64], peak: int) -> tuple[float, float]:
    """Centre of gravity in Hz and energy of the main lobe around a bin."""
    begin = max(0, peak - _REACH)
    lobe = energy[begin : peak + _REACH + 1]
    mass = float(lobe.sum())
    return (begin + float(np.arange(len(lobe)) @ lobe) / (mass + 1e-9)) * _HERTZ, mass


@dataclass(slots=True)
class Segment:
    """Neighbouring frames that sound alike. ``breaks`` counts short interruptions inside it."""

    kind: Literal["quiet", "pure", "dual", "v21", "other"]
    frames: int = 0
    breaks: int = 0
    frequencies: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)

    @property
    def ms(self) -> int:
        return self.frames * FRAME_MS

    @property
    def hertz(self) -> float:
        """The frequency, the lower one of two; 0 for what is no tone."""
        return float(np.median(self.frequencies)) if self.frequencies else 0.0

    @property
    def second(self) -> float:
        return float(np.median(self.seconds)) if self.seconds else 0.0

    @property
    def level(self) -> float:
        return float(np.median(self.levels)) if self.levels else -120.0

    def steady(self, hertz: float, decibels: float) -> bool:
        """Whether frequency and level stay within these bounds of their median, but for the edges."""
        inside = slice(1, -1) if len(self.levels) > 3 else slice(None)
        frequencies, levels = np.asarray(self.frequencies[inside]), np.asarray(self.levels[inside])
        if not len(frequencies):
            return False
        return bool(
            np.abs(frequencies - np.median(frequencies)).max() <= hertz
            and np.abs(levels - np.median(levels)).max() <= decibels
        )

    def add(self, look: Look) -> None:
        self.frames += 1
        self.levels.append(look.level)
        if look.frequency:
            self.frequencies.append(look.frequency)
        if look.second:
            self.seconds.append(look.second)
        if len(self.levels) > 300:
            del self.levels[:100], self.frequencies[:100], self.seconds[:100]


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone that was recognised, `at_ms` after the first frame. Frequency in Hz of its first part."""

    kind: ToneKind
    at_ms: int
    hertz: float
    cause: str


class ToneDetector:
    """Feed frames of 20 ms; each returns a tone when one was recognised with that frame.

    - A continuing tone is told once, a cadence again with each period; ``ansam`` and ``ced`` after one second.
    - ``beep`` is any other steady single tone of 0.18 to 2.5 s that has ended.
    - Speech is never told as a tone: tones must be steady in pitch and level, and their cadence regular.
    """

    def __init__(self) -> None:
        self.look = Look("quiet", -120.0)
        """The latest frame."""

        self._spectrum = Spectrum()
        self._past: deque[Segment] = deque(maxlen=10)
        self._now = Segment("quiet")
        self._aside: list[Look] = []
        self._told: set[ToneKind] = set()
        self._frames = 0

    @property
    def ms(self) -> int:
        """How much was fed."""
        return self._frames * FRAME_MS

    @property
    def in_tone(self) -> bool:
        """Whether the latest frames are one steady tone."""
        return self._now.kind in ("pure", "dual") and self._now.frames >= 4 and self._now.steady(30, 4)

    def feed(self, frame: bytes) -> Tone | None:
        self._frames += 1
        look = self.look = self._spectrum.look(frame)
        if self._belongs(look):
            self._take_back(look)
            return self._while_sounding()
        self._aside.append(look)
        # A change counts when it lasts; what falls silent at once is an end, so that short gaps are seen.
        if len(self._aside) * FRAME_MS <= (_SLACK_MS if self._now.kind in ("pure", "dual", "v21") else FRAME_MS):
            return None
        return self._turn()

    def _belongs(self, look: Look) -> bool:
        now = self._now
        if now.kind in ("pure", "dual") and _both_low(look) and _low(now):
            return True
        if look.kind in _REST and now.kind in _REST:
            return True
        if look.kind != now.kind:
            return False
        return look.kind not in ("pure", "dual") or not now.frequencies or abs(look.frequency - now.hertz) < 40

    def _take_back(self, look: Look) -> None:
        """The sound goes on; what was set aside was a short break in it."""
        if self._aside:
            self._now.frames += len(self._aside)
            self._now.breaks += 1
            self._aside.clear()
        self._now.add(look)

    def _turn(self) -> Tone | None:
        """Another sound has begun: judge what is over."""
        over = self._now
        aside, self._aside = self._aside, []
        last = aside[-1]
        begin = Segment(last.kind)
        # The frames on the edge between two sounds belong to neither kind; they count as the new one's time.
        for look in aside:
            begin.frames += 1
            if look.kind == last.kind and abs(look.frequency - last.frequency) < 40:
                begin.levels.append(look.level)
                begin.frequencies.extend([look.frequency] if look.frequency else [])
                begin.seconds.extend([look.second] if look.second else [])
        self._now = begin
        self._told.clear()
        self._past.append(over)
        return self._when_over()

    # ----------------------------------------------------------------- judging

    def _tone(self, kind: ToneKind, segment: Segment, cause: str) -> Tone:
        return Tone(kind, self.ms, round(segment.hertz, 1), cause)

    def _once(self, kind: ToneKind, segment: Segment, cause: str) -> Tone | None:
        if kind in self._told:
            return None
        self._told.add(kind)
        return self._tone(kind, segment, cause)

    def _while_sounding(self) -> Tone | None:
        now = self._now
        if now.kind == "v21" and now.ms >= 400:
            return self._once("v21", now, "V.21 flags of a fax machine")
        if now.kind == "pure" and now.ms >= 1000 and now.frames % 5 == 0:
            hertz = now.hertz
            if 2065 <= hertz <= 2136 and not self._told & {"ced", "ansam"}:
                if now.breaks >= 2 or _am_15(now.levels):
                    return self._once("ansam", now, "answer tone of a modem (2100 Hz, modulated)")
                return self._once("ced", now, "answer tone of a fax machine (2100 Hz)")
            if 2190 <= hertz <= 2285 and now.steady(15, 3):
                return self._once("modem", now, f"carrier of a modem ({hertz:.0f} Hz)")
        if _low(now) and now.ms >= 800 and now.steady(30, 4):
            # The burst of a busy tone is over by now.
            tone = self._once("ringback", now, f"ring-back tone ({now.hertz:.0f} Hz)")
            if tone is not None:
                return tone
        if now.ms >= 3000 and (_low(now) or _is_dual(now, 350, 440)) and now.steady(30, 4):
            return self._once("dial", now, "dial tone")
        if now.kind in _REST and now.ms >= 1000:
            return self._after_low_burst()
        return None

    def _after_low_burst(self) -> Tone | None:
        """A short burst in the band of network tones means something only by the long pause after it."""
        past = list(self._past)
        if not past or not _low(past[-1]) or not 120 <= past[-1].ms <= 780 or self._now.level > past[-1].level - 10:
            return None
        burst = past[-1]
        if len(past) >= 3 and _low(past[-3]) and past[-2].ms <= 300 and abs(past[-3].ms - burst.ms) <= 100:
            return self._once("ringback", burst, f"ring-back tone, two bursts ({burst.hertz:.0f} Hz)")
        alone = len(past) < 3 or not (_low(past[-3]) and past[-3].ms >= 120 and past[-2].ms < 1000)
        if burst.kind == "pure" and burst.steady(8, 3) and alone:
            return self._once("beep", burst, f"beep of {burst.hertz:.0f} Hz, {burst.ms} ms")
        return None

    def _when_over(self) -> Tone | None:
        over = self._past[-1]
        if over.kind == "pure":
            if _near(over, *_SIT[2]) and over.ms >= 180 and self._sit():
                return self._tone("sit", self._before(2), "special information tone")
            if 1058 <= over.hertz <= 1142 and 380 <= over.ms <= 640 and over.steady(20, 3):
                return self._tone("cng", over, "calling tone of a fax machine (1100 Hz)")
        if (_low(over) or _is_dual(over, 480, 620)) and (cadence := self._cadence()) is not None:
            return cadence
        return self._beep(over)

    def _before(self, back: int) -> Segment:
        """The tone before the last one, and so on; pauses between do not count."""
        return [one for one in self._past if one.kind == "pure"][-1 - back]

    def _sit(self) -> bool:
        tones = [one for one in self._past if one.kind == "pure"]
        if len(tones) < 3:
            return False
        return all(
            _near(one, hertz, tolerance) and 180 <= one.ms <= 560
            for one, (hertz, tolerance) in zip(tones[-3:], _SIT, strict=True)
        )

    def _cadence(self) -> Tone | None:
        """Busy and congestion: three equal bursts with equal pauses; double ring: two bursts, then a long pause."""
        past = list(self._past)
        over = past[-1]
        if len(past) < 5:
            return None
        bursts, gaps = [past[-5], past[-3], over], [past[-4], past[-2]]
        same = all(one.kind in ("pure", "dual") and abs(one.hertz - over.hertz) < 30 for one in bursts)
        quiet = all(gap.kind in _REST and gap.level < over.level - 6 for gap in gaps)
        if not (same and quiet and all(one.steady(40, 4) for one in bursts)):
            return None
        on, off = [one.ms for one in bursts], [gap.ms for gap in gaps]
        mean_on, mean_off = sum(on) / 3, sum(off) / 2
        if max(on) - min(on) > 60 + 0.15 * mean_on or abs(off[0] - off[1]) > 60 + 0.15 * mean_off:
            return None
        if not (0.55 <= mean_on / max(mean_off, 1) <= 1.8 and 160 <= mean_on <= 780):
            return None
        what = f"{over.hertz:.0f} Hz, {mean_on:.0f} ms on, {mean_off:.0f} ms off"
        # China's congestion tone is 0.7 s, those of Europe and North America 0.2 to 0.25 s.
        if mean_on < 300 or mean_on > 620:
            return self._tone("congestion", over, f"congestion tone ({what})")
        return self._tone("busy", over, f"busy tone ({what})")

    def _beep(self, over: Segment) -> Tone | None:
        sounds = over.kind == "pure" and 180 <= over.ms <= 2500 and 350 <= over.hertz <= 2600 and over.steady(8, 3)
        # Speech or a melody goes over into the next sound; a beep ends in a pause.
        ends = self._now.kind in _REST and self._now.level < over.level - 10
        if sounds and ends and not _low(over):
            return self._tone("beep", over, f"beep of {over.hertz:.0f} Hz, {over.ms} ms")
        return None


def _low(segment: Segment) -> bool:
    if segment.kind == "pure":
        return _LOW[0] <= segment.hertz <= _LOW[1]
    return segment.kind == "dual" and _LOW[0] <= segment.hertz and segment.second <= _LOW[1] + 15


def _both_low(look: Look) -> bool:
    """Two tones 40 Hz apart are seen as one or as two, from frame to frame."""
    if look.kind == "pure":
        return _LOW[0] <= look.frequency <= _LOW[1]
    return look.kind == "dual" and _LOW[0] <= look.frequency and look.second <= _LOW[1] + 15


def _near(segment: Segment, hertz: float, tolerance: float) -> bool:
    return segment.kind == "pure" and abs(segment.hertz - hertz) <= tolerance


def _is_dual(segment: Segment, low: float, high: float) -> bool:
    return segment.kind == "dual" and abs(segment.hertz - low) <= 35 and abs(segment.second - high) <= 35


def _am_15(levels: list[float]) -> bool:
    """Whether the level swings with 15 Hz (V.8: by 20 % of the amplitude)."""
    last = np.asarray(levels[-50:])[2:]
    if len(last) < 40:
        return False
    amplitude = 10 ** ((last - np.median(last)) / 20)
    at = np.arange(len(last)) * FRAME_MS / 1000
    swing = np.abs(np.mean((amplitude - amplitude.mean()) * np.exp(-2j * np.pi * 15.0 * at))) * 2
    return bool(swing > 0.06)
