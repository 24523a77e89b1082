"""Items to audio: the real `telephony.prompts.MediaRenderer`."""

import asyncio
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from telephony import observer
from telephony.errors import SpeechError
from telephony.prompts import Audio, Item, Media, Recorded, Speak, Value
from telephony.speech import audio, spoken
from telephony.speech.builtin import shipped_prompts
from telephony.speech.cache import Cached, PromptCache, cache_key
from telephony.speech.normalise import normalise, speakable
from telephony.speech.spoken import base_language
from telephony.speech.tts import MAX_CHARACTERS, Engine

PROCESSING = "8000/pcm16/-20dB/1"
"""Part of every cache key: raise the last figure when trimming, loudness or format change."""

_MERGED_CHARACTERS = 400
_SENTENCE_ENDS = "。！？.!?\n…"


class PromptLibrary(Protocol):
    """The recorded prompts of a business."""

    async def find(self, name: str, language: str) -> Path | str | None:
        """The prompt in a language: a sound file, a text to speak, or None when there is none by that name."""
        ...


class NoLibrary:
    """A library without prompts."""

    async def find(self, name: str, language: str) -> None:
        return None


@dataclass(frozen=True, slots=True)
class _Utterance:
    """Words that one voice says in one breath."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A recorded prompt of the library."""

    path: Path
    name: str


_Piece = _Utterance | _Prompt | Path


class SpeechRenderer:
    """Renders items through the prompt cache.

    - Neighbouring texts and values in one language become one utterance, so that a value has the melody of its
      sentence. A text that ends a sentence stays by itself: it is the same for every caller and stays in the cache.
    - Recorded prompts and the caller's own recordings are files of their own, in their place.
    - Text without anything to say (only punctuation) gives nothing.
    """

    def __init__(self, engine: Engine, cache: PromptCache, library: PromptLibrary | None = None) -> None:
        self.engine = engine
        self.cache = cache
        self.library: PromptLibrary = library if library is not None else NoLibrary()

    async def render(self, items: Sequence[Item], language: str) -> list[Media]:
        """Media in the order of `items`; pieces that are not cached are made side by side."""
        pieces = _merge(await self._pieces(items, language))
        tasks = [asyncio.ensure_future(self._media(piece)) for piece in pieces]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()

    async def speak(self, text: str, language: str) -> Media:
        """One text as one file. Raises `SpeechError` ``bad_value`` when there is nothing to say in it."""
        return await self._speech(_Utterance(text, language))

    async def warm(self, texts: Iterable[tuple[str, str]]) -> list[SpeechError]:
        """Render (text, language) pairs ahead, as a plan's static prompts are; returns what failed.

        One at a time, so that live calls never wait behind a warm-up.
        """
        problems = []
        for text, language in texts:
            try:
                for sentence in _merge([_Utterance(text, language)]):
                    await self._media(sentence)
            except SpeechError as problem:
                problems.append(problem)
        return problems

    async def warm_builtin(self) -> list[SpeechError]:
        """Render the engine's own prompts ahead."""
        return await self.warm(shipped_prompts())

    async def check(self) -> str:
        """Speak a word for real, past the cache; the engine's signature when it works, else `SpeechError`."""
        signature = await self.engine.signature("en")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "check.wav"
            await self.engine.synthesise("check", "en", path)
            if audio.wav_info(path).seconds < 0.1:
                raise SpeechError("tts_failed", "the speech engine makes no sound")
        return signature.split("|")[0]

    async def close(self) -> None:
        await self.cache.close()
        await self.engine.close()

    async def _pieces(self, items: Sequence[Item], language: str) -> list[_Piece]:
        pieces: list[_Piece] = []
        for item in items:
            match item:
                case Speak():
                    pieces.append(_Utterance(item.text, item.language or language))
                case Value():
                    pieces.append(_Utterance(spoken.say(item.value, item.kind, language, item.currency), language))
                case Recorded():
                    found = await self.library.find(item.name, language)
                    if found is None:
                        raise SpeechError(
                            "no_prompt",
                            f"the prompt library has no prompt {item.name!r} in {language!r}: record or write it",
                        )
                    pieces.append(_Prompt(found, item.name) if isinstance(found, Path) else _Utterance(found, language))
                case Audio():
                    pieces.append(item.path)
        return pieces

    async def _media(self, piece: _Piece) -> Media:
        match piece:
            case _Utterance():
                return await self._speech(piece)
            case _Prompt():
                cached = await self._converted(piece.path, loud=True)
                return Media(cached.path, piece.name, cached.seconds)
            case Path():
                return await self._own(piece)

    async def _own(self, path: Path) -> Media:
        # What the caller recorded is played as it is; only a file that a call cannot play is converted.
        try:
            info = audio.wav_info(path)
        except SpeechError:
            info = None
        if info is not None and info.playable and info.frames:
            return Media(path, "", info.seconds)
        cached = await self._converted(path, loud=False)
        return Media(cached.path, "", cached.seconds)

    async def _converted(self, source: Path, *, loud: bool) -> Cached:
        """A sound file of any format as telephone audio, made once for each version of the file."""
        key = cache_key("file", PROCESSING, "loud" if loud else "as is", _file_version(source))

        async def make(path: Path) -> None:
            await asyncio.to_thread(_finish, source, path, loud)

        return await self.cache.get_or_make(key, make)

    async def _speech(self, utterance: _Utterance) -> Media:
        words = normalise(utterance.text, utterance.language)
        if not speakable(words):
            raise SpeechError("bad_value", f"there is nothing to say in {utterance.text[:60]!r}")
        if len(words) > MAX_CHARACTERS:
            raise SpeechError(
                "bad_value",
                f"the text beginning {words[:30]!r} has {len(words)} characters, at most {MAX_CHARACTERS} are spoken",
            )
        signature = await self.engine.signature(utterance.language)
        key = cache_key("speech", PROCESSING, signature, base_language(utterance.language), words)

        async def make(path: Path) -> None:
            raw = path.with_name("raw.wav")
            began = time.perf_counter()
            failure = "cancelled"
            try:
                await self.engine.synthesise(words, utterance.language, raw)
                await asyncio.to_thread(_finish, raw, path, True)
                failure = ""
            except SpeechError as problem:
                failure = problem.reason
                raise
            finally:
                observer.current.rendered(base_language(utterance.language), time.perf_counter() - began, failure)

        cached = await self.cache.get_or_make(key, make)
        return Media(cached.path, " ".join(utterance.text.split()), cached.seconds)


def _file_version(path: Path) -> str:
    try:
        stat = path.stat()
    except OSError as problem:
        raise SpeechError("bad_audio", f"the sound file {path} is not there: {problem.strerror}") from problem
    return f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"


def _finish(source: Path, path: Path, loud: bool) -> None:
    """Any sound as telephone audio; `loud` brings it to the common loudness without silence at its ends."""
    samples = audio.read_audio(source)
    if loud:
        samples = audio.trim(audio.normalise(samples))
    audio.write_wav(path, samples)


def _merge(pieces: Sequence[_Piece]) -> list[_Piece]:
    merged: list[_Piece] = []
    for piece in pieces:
        if isinstance(piece, _Utterance):
            if not speakable(piece.text):
                continue
            last = merged[-1] if merged else None
            if isinstance(last, _Utterance) and _belong_together(last, piece):
                gap = "" if base_language(piece.language) == "zh" else " "
                merged[-1] = _Utterance(last.text.rstrip() + gap + piece.text.lstrip(), last.language)
                continue
        merged.append(piece)
    return merged


def _belong_together(first: _Utterance, second: _Utterance) -> bool:
    return (
        base_language(first.language) == base_language(second.language)
        and not first.text.rstrip().endswith(tuple(_SENTENCE_ENDS))
        and len(first.text) + len(second.text) <= _MERGED_CHARACTERS
    )
