"""What listening to a call means: the port between `LiveCall` and whatever turns sound into words or verdicts.

`telephony.speech.ears` is the real one (vosk, tones, Silero), `telephony.simulated.ears` the one of scripted people.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from telephony.call import Detected
from telephony.errors import SpeechError

FRAME_SECONDS = 0.02

FRAMES_AT_ONCE = 5
"""A tenth of a second: late enough to be cheap, early enough for somebody who waits for a reply."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Where a recognition stands.

    ``speech``   milliseconds of speech so far, ``silence`` those since the speech ended (or the beginning)
    ``partial``  the words so far, which may still change
    """

    speech: int = 0
    silence: int = 0
    partial: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What was understood in the end. ``confidence`` is from 0 to 1; ``heard`` and ``worked`` are seconds."""

    text: str
    confidence: float
    heard: float = 0.0
    worked: float = 0.0


class Recognition(Protocol):
    """Listens to one line for one answer."""

    async def hear(self, frames: Sequence[bytes]) -> Heard:
        """The next frames of 20 ms, and where the recognition stands after them."""
        ...

    async def finish(self) -> Words:
        """What was said. Afterwards it may listen on, as if anew."""
        ...

    def close(self) -> None: ...


class ProgressEar(Protocol):
    """Listens to one line until it is known who or what is there."""

    async def hear(self, frames: Sequence[bytes]) -> Detected | None: ...

    def finish(self) -> Detected:
        """The verdict when nobody wants to listen longer."""
        ...

    def close(self) -> None: ...


class Ears(Protocol):
    """Makes what listens to a line."""

    def understands(self, language: str) -> bool:
        """Whether there is a language pack."""
        ...

    async def recognise(self, language: str, phrases: Sequence[str]) -> Recognition:
        """Begin to recognise; with `phrases` only those are expected.

        Raises `SpeechError` (``no_language_pack``), with what to do in its message.
        """
        ...

    def progress(self, *, wait_for_beep: bool) -> ProgressEar: ...


class Deaf:
    """Hears nothing; what a process without speech recognition has."""

    def understands(self, language: str) -> bool:
        return False

    async def recognise(self, language: str, phrases: Sequence[str]) -> Recognition:
        raise SpeechError("no_language_pack", "this process has no speech recognition")

    def progress(self, *, wait_for_beep: bool) -> ProgressEar:
        raise SpeechError("no_hearing", "this process cannot listen to calls")


# --------------------------------------------------------------------------- pure


def plain(words: str) -> str:
    """Words as they are compared: no case, marks or double spaces, and none between Chinese characters."""
    kept = "".join(
        char if unicodedata.category(char)[0] in "LNM" else " " for char in unicodedata.normalize("NFKC", words)
    ).casefold()
    pieces = kept.split()
    joined = pieces[0] if pieces else ""
    for piece in pieces[1:]:
        joined += piece if _wide(joined[-1]) and _wide(piece[0]) else f" {piece}"
    return joined


def _wide(char: str) -> bool:
    return "\u2e80" <= char <= "\ua4cf" or "\uf900" <= char <= "\ufaff"


def phrase_in(words: str, phrases: Sequence[str]) -> str | None:
    """The phrase that was said: the whole of it, or else the longest that the words hold.

    Two of the same length, neither of them part of the other, leave open what was meant: None.
    """
    said = plain(words)
    found = {phrase: plain(phrase) for phrase in phrases}
    for phrase, form in found.items():
        if form and form == said:
            return phrase
    inside = sorted(
        ((len(form), phrase) for phrase, form in found.items() if form and _holds(said, form)), reverse=True
    )
    if not inside or (len(inside) > 1 and inside[0][0] == inside[1][0]):
        return None
    return inside[0][1]


def _holds(said: str, form: str) -> bool:
    """Whether words hold a phrase: anywhere in Chinese, which has no gaps between words, else as whole words."""
    if _wide(form[0]) and _wide(form[-1]):
        return form in said
    return f" {form} " in f" {said} "
