"""`telephony.hearing.Ears` with vosk and the call-progress detectors, in threads beside the event loop."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from telephony.call import Detected
from telephony.hearing import Heard, ProgressEar, Recognition, Words
from telephony.speech.asr import LanguagePacks, VoskRecogniser
from telephony.speech.progress import CallProgress
from telephony.speech.vad import SileroVad, Vad, WebrtcVad

MOST_NETWORKS = 10
"""Lines that Silero listens to at once, about 40 % of a core; further ones get WebRTC's detector."""


class SpeechEars:
    """Listens to lines. `close` ends the threads."""

    def __init__(self, packs: LanguagePacks, *, threads: int = 2) -> None:
        self.packs = packs
        self.networks = 0
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="ear")

    def understands(self, language: str) -> bool:
        return self.packs.language_of(language) is not None

    async def load(self, language: str) -> None:
        """Load a language pack ahead of the first call that needs it; raises `SpeechError`."""
        await asyncio.get_running_loop().run_in_executor(self.threads, self.packs.load, language)

    async def recognise(self, language: str, phrases: Sequence[str]) -> Recognition:
        def make() -> VoskRecogniser:
            return VoskRecogniser(self.packs.load(language), phrases)

        return _Recognition(self, await asyncio.get_running_loop().run_in_executor(self.threads, make))

    def progress(self, *, wait_for_beep: bool) -> ProgressEar:
        return _Progress(self, wait_for_beep)

    def close(self) -> None:
        self.threads.shutdown(wait=False, cancel_futures=True)


class _Recognition:
    def __init__(self, ears: SpeechEars, recogniser: VoskRecogniser) -> None:
        self._ears, self._recogniser = ears, recogniser

    async def hear(self, frames: Sequence[bytes]) -> Heard:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._ears.threads, self._recogniser.feed, list(frames))

    async def finish(self) -> Words:
        return await asyncio.get_running_loop().run_in_executor(self._ears.threads, self._recogniser.finish)

    def close(self) -> None:
        pass


class _Progress:
    def __init__(self, ears: SpeechEars, wait_for_beep: bool) -> None:
        self._ears = ears
        self._counted = ears.networks < MOST_NETWORKS
        ears.networks += self._counted
        vad: Vad = SileroVad() if self._counted else WebrtcVad()
        self._progress = CallProgress(vad, answered=True, wait_for_beep=wait_for_beep)

    async def hear(self, frames: Sequence[bytes]) -> Detected | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._ears.threads, self._feed, list(frames))

    def _feed(self, frames: Sequence[bytes]) -> Detected | None:
        for frame in frames:
            if (found := self._progress.feed(frame)) is not None:
                return found
        return None

    def finish(self) -> Detected:
        return self._progress.finish()

    def close(self) -> None:
        self._ears.networks -= self._counted
        self._counted = False
