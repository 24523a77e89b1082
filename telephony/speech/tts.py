"""Text to speech: the port, and the engine that ships (pyttsx3 over espeak-ng in child processes)."""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self

import numpy as np

from telephony import observer
from telephony.errors import SpeechError
from telephony.speech import audio
from telephony.speech.scripts import LEXICON, Run, Script, pinyin, runs
from telephony.speech.spoken import base_language

log = logging.getLogger(__name__)

MAX_CHARACTERS = 3000
"""More than ten minutes of speech in one utterance is a mistake, not a prompt."""


class Engine(Protocol):
    """A TTS engine. One class is all it takes to add another voice; the cache and the renderer stay as they are."""

    async def signature(self, language: str) -> str:
        """Everything but the words that shapes the sound: engine, versions, voice, rate. Part of the cache key.

        Raises `SpeechError` ``no_voice`` with the remedy when the language cannot be spoken.
        """
        ...

    async def synthesise(self, text: str, language: str, path: Path) -> None:
        """Write `text` (already normalised) as a mono WAV of any rate to `path`, which ends in ``.wav``.

        Safe to call concurrently. Raises `SpeechError` ``no_voice`` or ``tts_failed``.
        """
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Voice:
    """An espeak-ng voice by its file name, and words a minute."""

    name: str
    rate: int


VOICES: dict[str, Voice] = {
    "zh": Voice("sit/cmn-latn-pinyin", 165),
    "en": Voice("gmw/en-us", 160),
    "ko": Voice("ko", 150),
}


def at_speed(percent: int) -> dict[str, Voice]:
    """The voices at `percent` of their own rate (100: as they are)."""
    return {language: Voice(voice.name, round(voice.rate * percent / 100)) for language, voice in VOICES.items()}


_SCRIPT: dict[str, Script] = {"zh": "han", "ko": "hangul"}
_SCRIPT_LANGUAGE: dict[Script, str] = {"han": "zh", "hangul": "ko", "latin": "en"}
_REMEDY = "install espeak-ng (Debian, Ubuntu: apt-get install espeak-ng; macOS: brew install espeak-ng)"


@dataclass(frozen=True, slots=True)
class Ready:
    """What a child says when it has started."""

    engine: str
    voices: frozenset[str]


class ChildError(Exception):
    """The child died, hung or refused; a fresh one may do better."""


class _Child:
    """One process with pyttsx3 in it, used by one task at a time."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = command
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._stderr: IO[bytes] | None = None
        self.ready: Ready | None = None
        self.served = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None and self.ready is not None

    async def start(self, timeout: float) -> Ready:
        """Start the process and wait for its first line."""
        await self.kill()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        # A session of its own: Ctrl-C in a terminal ends the service, which then ends its children in order.
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._stderr,
            env=dict(self._environment),
            start_new_session=True,
        )
        try:
            hello = await self._read(timeout)
        except ChildError as problem:
            why = self._last_words() or problem
            await self.kill()
            if isinstance(problem.__cause__, TimeoutError):
                raise
            raise SpeechError("no_voice", f"the speech engine does not start ({why}): {_REMEDY}") from problem
        except BaseException:
            await self.kill()
            raise
        if "fatal" in hello:
            await self.kill()
            raise SpeechError("no_voice", f"the speech engine does not start ({hello['fatal']}): {_REMEDY}")
        self.ready = Ready(hello["engine"], frozenset(hello["voices"]))
        self.served = 0
        return self.ready

    async def ask(self, request: Mapping[str, Any], timeout: float) -> None:
        """Have one utterance written. Anything but success leaves no process behind."""
        self.served += 1
        try:
            assert self._process is not None
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            await asyncio.wait_for(self._process.stdin.drain(), timeout)
            reply = await self._read(timeout + 0.5)
            if "error" in reply:
                raise ChildError(reply["error"])
        except (OSError, TimeoutError) as problem:
            await self.kill()
            raise ChildError(f"cannot be written to: {problem!r}") from problem
        except BaseException:
            # A cancelled request would leave its answer in the pipe for the next one.
            await self.kill()
            raise

    async def _read(self, timeout: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), timeout)
        except TimeoutError as problem:
            raise ChildError(f"timed out after {timeout:g} s") from problem
        except ValueError as problem:
            raise ChildError("wrote a line without end") from problem
        if not line:
            raise ChildError("died")
        try:
            reply = json.loads(line)
        except ValueError as problem:
            raise ChildError(f"wrote {line[:80]!r}") from problem
        return dict(reply)

    def _last_words(self) -> str:
        if self._stderr is None:
            return ""
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else ""

    async def kill(self) -> None:
        """End the process for certain, stopped or not, and reap it."""
        process, self._process, self.ready = self._process, None, None
        if process is not None:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            # Reading to the end closes the pipes' transports; a killed process has nothing more to say.
            await process.communicate()
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None


@dataclass
class EspeakEngine:
    """pyttsx3 over espeak-ng.

    - ``workers`` child processes, started when first needed, each used by one utterance at a time.
    - An utterance has ``timeout`` seconds, more for long texts; a child that misses it is killed.
    - After a failure the utterance is tried once more in a fresh child, then `SpeechError` ``tts_failed``.
    - A child is replaced after ``recycle`` utterances.
    """

    workers: int = 2
    timeout: float = 10.0
    start_timeout: float = 20.0
    recycle: int = 500
    voices: Mapping[str, Voice] = field(default_factory=lambda: dict(VOICES))
    command: Sequence[str] = (sys.executable, "-m", "telephony.speech.tts_child")
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        root = str(Path(__file__).resolve().parents[2])
        inherited = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**inherited, "PYTHONPATH": os.pathsep.join(paths), **self.environment}
        self._children = [_Child(self.command, environment) for _ in range(max(1, self.workers))]
        self._idle: asyncio.LifoQueue[_Child] = asyncio.LifoQueue()
        for child in reversed(self._children):
            self._idle.put_nowait(child)
        self._ready: Ready | None = None
        self._starting = asyncio.Lock()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def pids(self) -> list[int]:
        """Process ids of the children that run now."""
        return [child.pid for child in self._children if child.pid is not None and child.alive]

    async def signature(self, language: str) -> str:
        ready = await self._hello()
        voice = self._voice(language, ready)
        parts = [ready.engine, f"{voice.name}@{voice.rate}"]
        # Foreign words in a text are said by their own language's voice.
        parts += [f"{other}={self.voices[other].name}@{self.voices[other].rate}" for other in sorted(self.voices)]
        parts.append(_LEXICON_VERSION)
        return "|".join(parts)

    async def languages(self) -> list[str]:
        """The configured languages that can be spoken here."""
        ready = await self._hello()
        return [language for language, voice in self.voices.items() if voice.name in ready.voices]

    async def synthesise(self, text: str, language: str, path: Path) -> None:
        if len(text) > MAX_CHARACTERS:
            raise SpeechError(
                "bad_value", f"the text has {len(text)} characters, {MAX_CHARACTERS} can be spoken at once: split it"
            )
        ready = await self._hello()
        voice = self._voice(language, ready)
        base = base_language(language)
        pieces = runs(text, _SCRIPT.get(base, "latin"))
        spoken = [request for run in pieces if (request := self._request(run, base, voice, ready))[1]]
        if not spoken:
            raise SpeechError("bad_value", f"there is nothing to say in {text[:60]!r}")
        parts = [path.with_name(f"{path.stem}.{at}.wav") for at in range(len(spoken))]
        try:
            for (piece_voice, words), part in zip(spoken, parts, strict=True):
                await self._say(words, piece_voice, part)
            if len(parts) == 1:
                parts[0].replace(path)
            else:
                await asyncio.to_thread(_splice, parts, path)
        finally:
            for part in parts:
                part.unlink(missing_ok=True)

    async def close(self) -> None:
        """End all children. The engine cannot be used afterwards."""
        self._closed = True
        await asyncio.gather(*(child.kill() for child in self._children))

    async def _hello(self) -> Ready:
        """What the engine can do, learnt from the first child."""
        if self._ready is None:
            async with self._starting:
                if self._ready is None:
                    child = await self._idle.get()
                    try:
                        await self._start(child)
                    finally:
                        self._idle.put_nowait(child)
        assert self._ready is not None
        return self._ready

    async def _start(self, child: _Child) -> None:
        if self._closed:
            raise SpeechError("tts_failed", "the speech engine is closed")
        observer.current.speech_process("started")
        try:
            self._ready = await child.start(self.start_timeout)
        except ChildError:
            log.warning("a speech process did not start in %g s; trying once more", self.start_timeout)
            try:
                self._ready = await child.start(self.start_timeout)
            except ChildError as problem:
                raise SpeechError("tts_failed", f"the speech process {problem}: is the machine busy?") from problem

    def _voice(self, language: str, ready: Ready) -> Voice:
        base = base_language(language)
        voice = self.voices.get(base)
        if voice is None:
            # espeak-ng names its voices family/language.
            names = sorted(name for name in ready.voices if base and name.rsplit("/", 1)[-1] == base)
            if not names:
                known = ", ".join(self.voices)
                raise SpeechError("no_voice", f"there is no voice for the language {language!r}: use one of {known}")
            return Voice(names[0], 160)
        if voice.name not in ready.voices:
            raise SpeechError("no_voice", f"{ready.engine} lacks the voice {voice.name} for {base!r}: {_REMEDY}")
        return voice

    def _request(self, run: Run, base: str, voice: Voice, ready: Ready) -> tuple[Voice, str]:
        """The voice that says a run, and what it is given to read."""
        own = run.script == _SCRIPT.get(base, "latin")
        if not own:
            foreign = self.voices.get(_SCRIPT_LANGUAGE[run.script])
            if foreign is None or foreign.name not in ready.voices:
                own = True
            else:
                voice = foreign
        reads_pinyin = voice.name.endswith("pinyin")
        words = pinyin(run.text) if reads_pinyin else run.text.translate(_PLAIN_PUNCTUATION)
        return voice, words.strip()

    async def _say(self, words: str, voice: Voice, path: Path) -> None:
        timeout = self.timeout + 0.01 * len(words)
        request = {"text": words, "voice": voice.name, "rate": voice.rate, "path": str(path), "timeout": timeout}
        child = await self._idle.get()
        try:
            for attempt in (1, 2):
                if not child.alive or child.served >= self.recycle or attempt == 2:
                    await self._start(child)
                try:
                    await child.ask(request, timeout)
                    return
                except ChildError as problem:
                    observer.current.speech_process("failed")
                    log.warning("speech process failed (try %d): %s", attempt, problem)
                    if attempt == 2:
                        raise SpeechError(
                            "tts_failed", f"the speech engine failed twice on {words[:60]!r}: {problem}"
                        ) from problem
        finally:
            self._idle.put_nowait(child)


_PLAIN_PUNCTUATION = str.maketrans("，。！？；：、（）", ",.!?;:,()")
_LEXICON_VERSION = "lexicon-" + hashlib.sha256(json.dumps(LEXICON, sort_keys=True).encode()).hexdigest()[:12]


def _splice(parts: Sequence[Path], path: Path) -> None:
    """Join pieces said by different voices at one loudness, with the short gap of a change of voice."""
    rate = audio.wav_info(parts[0]).rate
    pieces: list[audio.Samples] = []
    for part in parts:
        samples, own_rate = audio.read_wav(part)
        level = audio.normalise(audio.resample(samples, own_rate, rate), rate=rate)
        pieces.append(audio.trim(level, head=0.02, tail=0.07, rate=rate))
    audio.write_wav(path, np.concatenate(pieces), rate)
