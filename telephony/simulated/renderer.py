"""Prompts without sound: the words and how long they would take to say."""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from telephony.errors import SpeechError
from telephony.prompts import Audio, Item, Media, Recorded, Speak, Value
from telephony.sounds import COMFORT_SECONDS, OVER_SECONDS, RINGBACK_SECONDS, wav_seconds

_WIDE_SECONDS = 0.22
_NARROW_SECONDS = 0.065
_PAUSE_SECONDS = 0.2


def estimate_seconds(text: str) -> float:
    """How long a voice needs for a text, roughly: a Chinese character takes as long as three Latin letters."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return round(_PAUSE_SECONDS + wide * _WIDE_SECONDS + (len(text) - wide) * _NARROW_SECONDS, 3)


class SimulatedRenderer:
    """A `MediaRenderer` whose files do not exist; only the simulated driver can play them.

    `recorded` are the library's prompts by name with the words they say; with None every name exists.
    `languages` are those with a voice; with None every language has one.
    """

    def __init__(self, *, recorded: Mapping[str, str] | None = None, languages: Iterable[str] | None = None) -> None:
        self.recorded = recorded
        self.languages = None if languages is None else frozenset(languages)
        self._known: dict[Path, Media] = {}

    async def render(self, items: Sequence[Item], language: str) -> list[Media]:
        return [self._render(item, language) for item in items]

    def know(self, path: Path, text: str, seconds: float) -> Media:
        """Tell what a file holds."""
        media = self._known[path] = Media(path, text, seconds)
        return media

    def media_of(self, path: Path) -> Media | None:
        """What a file holds, None when nobody knows."""
        known = self._known.get(path)
        if known is not None:
            return known
        made = {"ringback": RINGBACK_SECONDS, "comfort": COMFORT_SECONDS, "over": OVER_SECONDS}.get(path.stem)
        if made is not None:
            return Media(path, f"♪ {path.stem}", made)
        seconds = wav_seconds(path)
        return Media(path, f"[{path.stem}]", seconds) if seconds else None

    def _render(self, item: Item, language: str) -> Media:
        match item:
            case Speak(text=text, language=own):
                spoken = own or language
                if self.languages is not None and spoken not in self.languages:
                    raise SpeechError("no_voice", f"no voice speaks {spoken!r}")
                return self._say(text, spoken)
            case Recorded(name=name):
                if self.recorded is None:
                    return self._say(f"[{name}]", language)
                if name not in self.recorded:
                    raise SpeechError("no_prompt", f"no prompt is named {name!r}")
                return self._say(self.recorded[name], language)
            case Value(value=value, kind=kind, currency=currency):
                return self._say(f"{value} {currency}" if kind == "money" else str(value), language)
            case Audio(path=path):
                return self.media_of(path) or Media(path, f"[{path.stem}]", 1.0)

    def _say(self, text: str, language: str) -> Media:
        name = hashlib.sha256(f"{language}\n{text}".encode()).hexdigest()[:16]
        return self.know(Path("/simulated") / f"{name}.wav", text, estimate_seconds(text))
