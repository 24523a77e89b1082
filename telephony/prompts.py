"""Playable things before they are audio: text to speak, recordings by name, values to read aloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

ValueKind = Literal["text", "number", "money", "date", "time", "datetime", "digits", "phone"]


@dataclass(frozen=True, slots=True)
class Speak:
    """Text for the TTS voice. ``language`` wins over the call's language when it is set."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A prompt of the library by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Value:
    """A value read aloud in the caller's language: ``1234.5`` as money, ``2026-11-22`` as a date ..."""

    value: Any
    kind: ValueKind = "text"
    currency: str = "CNY"


@dataclass(frozen=True, slots=True)
class Audio:
    """A file of the caller's own, such as the message just recorded (absolute path of a WAV file)."""

    path: Path


Item = Speak | Recorded | Value | Audio


@dataclass(frozen=True, slots=True)
class Media:
    """One rendered piece: a file that the driver can play and the words it says (for trail and simulator)."""

    path: Path
    text: str
    seconds: float


class MediaRenderer(Protocol):
    """Turns items into audio. `telephony.speech` has the real one, `telephony.simulated` one without sound."""

    async def render(self, items: Sequence[Item], language: str) -> list[Media]:
        """Media in the order of `items`; cached pieces cost no synthesis.

        Raises `telephony.errors.SpeechError` when a language has no voice or a prompt is missing.
        """
        ...
