"""Sound files that calls need besides prompts: ring-back for a caller who waits for an answer, comfort audio."""

import secrets
import wave
from pathlib import Path

RINGBACK_SECONDS = 5.0
COMFORT_SECONDS = 30.0
OVER_PERIODS, OVER_SECONDS = 20, 14.0
"""Periods of the busy tone in its file, and how long that is at least in any country."""


class Sounds:
    """The sound files in `folder`, made when first asked for. Without a folder they are names only (simulation)."""

    def __init__(self, folder: Path | None, *, country: str = "CN") -> None:
        self.folder = folder
        self.country = country

    @property
    def ringback(self) -> Path:
        """One period of the country's ring-back tone, about five seconds."""
        return self._file("ringback")

    @property
    def comfort(self) -> Path:
        """Calm music without a pause; it loops without a seam."""
        return self._file("comfort")

    @property
    def over(self) -> Path:
        """The country's busy tone for some 14 to 20 seconds: the other side has hung up."""
        return self._file("over")

    def prepare(self) -> None:
        """Make all files now; it takes a moment of computing, better before the first call than during one."""
        for name in ("ringback", "comfort", "over"):
            self._file(name)

    def _file(self, name: str) -> Path:
        if self.folder is None:
            return Path("/sounds") / f"{name}.wav"
        path = self.folder / f"{name}.wav"
        if not path.exists():
            self._make(path)
        return path

    def _make(self, path: Path) -> None:
        # Here, because the engine and the SDK import calls without ever making a sound.
        import numpy as np

        from telephony.speech import audio

        path.parent.mkdir(parents=True, exist_ok=True)
        if path.stem == "ringback":
            samples = audio.ringback(self.country)
        elif path.stem == "over":
            samples = np.tile(audio.busy(self.country), OVER_PERIODS)
        else:
            samples = audio.comfort_music()
        # Written aside and renamed, so that nobody plays half a file; two may be making it at once.
        part = path.with_suffix(f".{secrets.token_hex(4)}.part")
        audio.write_wav(part, samples)
        part.replace(path)


def wav_seconds(path: Path) -> float:
    """Length of a WAV file, 0.0 when it cannot be read."""
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() / file.getframerate()
    except (OSError, EOFError, wave.Error, ZeroDivisionError):
        return 0.0
