"""Sounds that are made, not spoken: ring-back for a caller who waits for an answer, and comfort audio."""

import math
import struct
import wave
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

RATE = 8000
RINGBACK_SECONDS = 5.0
COMFORT_SECONDS = 8.0

_RINGBACK_HZ = 450.0
_MELODY_HZ = (392.0, 440.0, 523.25, 440.0, 349.23, 392.0, 329.63, 392.0)


class Sounds:
    """The sound files in `folder`, made when first asked for. Without a folder they are names only (simulation)."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    @property
    def ringback(self) -> Path:
        """One second of 450 Hz, four of silence."""
        return self._file("ringback", chain(_tone(_RINGBACK_HZ, 1.0, 6000), repeat(0, 4 * RATE)))

    @property
    def comfort(self) -> Path:
        """Eight soft notes without a pause."""
        return self._file("comfort", chain.from_iterable(_tone(hz, 1.0, 3000) for hz in _MELODY_HZ))

    def _file(self, name: str, samples: Iterator[int]) -> Path:
        if self.folder is None:
            return Path("/sounds") / f"{name}.wav"
        path = self.folder / f"{name}.wav"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            # Written aside and renamed, so that nobody plays half a file.
            part = path.with_suffix(".part")
            data = list(samples)
            with wave.open(str(part), "wb") as out:
                out.setnchannels(1)
                out.setsampwidth(2)
                out.setframerate(RATE)
                out.writeframes(struct.pack(f"<{len(data)}h", *data))
            part.replace(path)
        return path


def _tone(hertz: float, seconds: float, level: int) -> Iterator[int]:
    """A tone with soft edges."""
    total = int(seconds * RATE)
    edge = RATE // 50
    for i in range(total):
        fade = min(1.0, (i + 1) / edge, (total - i) / edge)
        yield round(level * fade * math.sin(2 * math.pi * hertz * i / RATE))


def wav_seconds(path: Path) -> float:
    """Length of a WAV file, 0.0 when it cannot be read."""
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() / file.getframerate()
    except (OSError, EOFError, wave.Error, ZeroDivisionError):
        return 0.0
