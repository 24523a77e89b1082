"""Hearing without sound: a `SpokenFrame` carries the words that it stands for.

A person who speaks is understood word for word. Words that begin with ``♪`` are a sound: ``♪ fax``, ``♪ busy``,
``♪ ringback``, ``♪ sit``, ``♪ modem`` and ``♪ beep``.
"""

from collections.abc import Sequence
from typing import cast

from telephony.call import Detected, DetectedKind
from telephony.errors import SpeechError
from telephony.hearing import Heard, ProgressEar, Recognition, Words, phrase_in
from telephony.simulated.driver import SpokenFrame
from telephony.speech.amd import Greeting

_FRAME_MS = 20
_TONES: frozenset[str] = frozenset({"fax", "modem", "busy", "ringback", "sit"})


class SimulatedEars:
    """Understands every language, or only those given."""

    def __init__(self, languages: frozenset[str] | None = None) -> None:
        self.languages = languages

    def understands(self, language: str) -> bool:
        return self.languages is None or language.partition("-")[0] in self.languages

    async def recognise(self, language: str, phrases: Sequence[str]) -> Recognition:
        if not self.understands(language):
            raise SpeechError("no_language_pack", f"there is no language pack for {language!r}")
        return _Recognition(phrases)

    def progress(self, *, wait_for_beep: bool) -> ProgressEar:
        return _Progress(wait_for_beep)


class _Recognition:
    def __init__(self, phrases: Sequence[str]) -> None:
        self._phrases = list(phrases)
        self._said: list[str] = []
        self._speech = self._silence = self._frames = 0

    async def hear(self, frames: Sequence[bytes]) -> Heard:
        for frame in frames:
            self._frames += 1
            if isinstance(frame, SpokenFrame) and not frame.words.startswith("♪"):
                if not self._said or (self._silence and self._said[-1] != frame.words):
                    self._said.append(frame.words)
                self._speech += _FRAME_MS
                self._silence = 0
            else:
                self._silence += _FRAME_MS
        return Heard(self._speech, self._silence, self._text())

    def _text(self) -> str:
        said = " ".join(self._said)
        return said if not self._phrases else phrase_in(said, self._phrases) or ""

    async def finish(self) -> Words:
        words = Words(self._text(), 1.0 if self._said else 0.0, self._frames * _FRAME_MS / 1000)
        self._said.clear()
        self._speech = self._silence = self._frames = 0
        return words

    def close(self) -> None:
        pass


class _Progress:
    def __init__(self, wait_for_beep: bool) -> None:
        self._greeting = Greeting()
        self._wait_for_beep = wait_for_beep
        self._machine: Detected | None = None
        self._quiet = self._ms = 0

    async def hear(self, frames: Sequence[bytes]) -> Detected | None:
        for frame in frames:
            if (found := self._hear(frame.words if isinstance(frame, SpokenFrame) else "")) is not None:
                return found
        return None

    def _hear(self, words: str) -> Detected | None:
        self._ms += _FRAME_MS
        self._quiet = 0 if words else self._quiet + _FRAME_MS
        sound = words.removeprefix("♪").strip() if words.startswith("♪") else ""
        if sound in _TONES:
            return Detected(cast(DetectedKind, sound), 1.0, f"the sound of {sound}", self._ms)
        if self._machine is not None:
            if sound == "beep" or self._quiet >= 4000:
                return Detected("machine", 1.0, self._machine.cause, self._ms, beep=sound == "beep")
            return None
        guess = self._greeting.feed(bool(words))
        if guess is None:
            return None
        found = Detected(guess.kind, 1.0, guess.cause, self._ms)
        if guess.kind == "machine" and self._wait_for_beep:
            self._machine = found
            return None
        return found

    def finish(self) -> Detected:
        return self._machine or Detected("unsure", 0.3, "the greeting was not over", self._ms)

    def close(self) -> None:
        pass
