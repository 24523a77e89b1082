"""The prompt cache: audio by the hash of everything that went into it."""

import asyncio
import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from telephony import observer
from telephony.errors import SpeechError
from telephony.speech import audio

log = logging.getLogger(__name__)

_TOUCH_SECONDS = 60.0
_EVICTION_SECONDS = 10.0
_STALE_SECONDS = 3600.0

Maker = Callable[[Path], Awaitable[None]]


def cache_key(*inputs: str) -> str:
    """The key of what `inputs` make; no two different lists give the same one."""
    digest = hashlib.sha256()
    for part in inputs:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Cached:
    """A file of the cache: 8 kHz mono WAV."""

    path: Path
    seconds: float


class PromptCache:
    """Content-addressed WAV files in a folder that several processes may share.

    - A file appears whole or not at all: it is made aside and renamed; one that is damaged is made again.
    - Who asks for what is being made waits for it; it goes on when that asker gives up.
    - Over ``max_bytes`` the files unused for longest go, never one used in the last ``keep_seconds``.
    """

    def __init__(self, folder: Path, *, max_bytes: int = 1 << 30, keep_seconds: float = 600.0) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.keep_seconds = keep_seconds
        self._work = folder / "making"
        self._work.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, tuple[Cached, float]] = {}
        self._making: dict[str, asyncio.Task[Cached]] = {}
        self._next_eviction = 0.0
        self._clean_work()
        self._bytes = sum(size for _, _, size in self._files())

    @property
    def bytes_used(self) -> int:
        """Bytes on disk as far as this process knows."""
        return self._bytes

    def path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.wav"

    def get(self, key: str) -> Cached | None:
        """The file of a key, or None when it is not there or damaged."""
        path = self.path(key)
        now = time.time()
        known = self._known.get(key)
        if known is not None and now - known[1] < _TOUCH_SECONDS and path.exists():
            return known[0]
        try:
            info = audio.wav_info(path)
            if not info.playable or not info.frames:
                raise SpeechError("bad_audio", f"{path} is not 8 kHz mono")
        except SpeechError as problem:
            self._known.pop(key, None)
            if path.exists():
                log.warning("a damaged file leaves the prompt cache: %s", problem)
                self._remove(path)
            return None
        # The time of last use is what eviction goes by, for all processes.
        with contextlib.suppress(OSError):
            os.utime(path, (now, now))
        cached = Cached(path, info.seconds)
        self._known[key] = (cached, now)
        return cached

    async def get_or_make(self, key: str, make: Maker) -> Cached:
        """The file of a key; `make` writes it to the path it is given when it is not there."""
        cached = self.get(key)
        observer.current.prompt_found(cached is not None)
        if cached is not None:
            return cached
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(self._make(key, make), name=f"prompt {key[:12]}")
            self._making[key] = task
            task.add_done_callback(lambda done: self._made(key, done))
        # Shielded: one caller who hangs up must not take the prompt from the others who wait for it.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up what is being made."""
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _made(self, key: str, task: "asyncio.Task[Cached]") -> None:
        self._making.pop(key, None)
        if not task.cancelled():
            # Marks the exception as seen: when every asker has gone, nobody else would.
            task.exception()

    async def _make(self, key: str, make: Maker) -> Cached:
        self._work.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._work, ignore_cleanup_errors=True) as folder:
            draft = Path(folder) / "prompt.wav"
            await make(draft)
            info = audio.wav_info(draft)
            if not info.playable or not info.frames:
                raise SpeechError("tts_failed", f"what was made for the cache is no 8 kHz mono sound: {info}")
            path = self.path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            size = draft.stat().st_size
            draft.replace(path)
        self._bytes += size
        cached = Cached(path, info.seconds)
        self._known[key] = (cached, time.time())
        if self._bytes > self.max_bytes and time.monotonic() >= self._next_eviction:
            # When everything is in use nothing can go, and a look at every file each time would be dear.
            self._next_eviction = time.monotonic() + _EVICTION_SECONDS
            await asyncio.to_thread(self.evict)
        return cached

    def evict(self) -> int:
        """Remove the files unused for longest until a tenth of the space is free; returns how many went."""
        files = sorted(self._files())
        total = sum(size for _, _, size in files)
        limit = self.max_bytes * 0.9
        newest = time.time() - self.keep_seconds
        removed = 0
        for used, path, size in files:
            if total <= limit or used > newest:
                break
            if self._remove(path):
                self._known.pop(path.stem, None)
                total -= size
                removed += 1
        self._bytes = total
        return removed

    def _files(self) -> list[tuple[float, Path, int]]:
        found = []
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*.wav"):
            with contextlib.suppress(OSError):
                stat = path.stat()
                found.append((stat.st_mtime, path, stat.st_size))
        return found

    def _remove(self, path: Path) -> bool:
        try:
            path.unlink()
        except OSError:
            return False
        return True

    def _clean_work(self) -> None:
        # What a crash left half made; newer ones may belong to another process that is at work.
        for left in self._work.iterdir():
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                    shutil.rmtree(left, ignore_errors=True)
