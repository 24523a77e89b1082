import asyncio
import os
import time
from pathlib import Path

import pytest

from telephony.errors import SpeechError
from telephony.speech import audio
from telephony.speech.cache import PromptCache, cache_key

SECOND = audio.tone([440], 1.0)


class Maker:
    """Makes one second of tone and counts how often it was asked."""

    def __init__(self, delay: float = 0.0) -> None:
        self.made = 0
        self.delay = delay

    async def __call__(self, path: Path) -> None:
        self.made += 1
        await asyncio.sleep(self.delay)
        audio.write_wav(path, SECOND)


def key(name: object) -> str:
    return cache_key("test", str(name))


def age(cache: PromptCache, name: object, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(cache.path(key(name)), (then, then))


async def test_made_once_then_found(tmp_path: Path) -> None:
    cache, make = PromptCache(tmp_path), Maker()
    first = await cache.get_or_make(key("a"), make)
    second = await cache.get_or_make(key("a"), make)
    assert first == second
    assert first.seconds == pytest.approx(1.0)
    assert make.made == 1
    # Another process, or this one after a restart, finds it too.
    assert await PromptCache(tmp_path).get_or_make(key("a"), make) == first
    assert make.made == 1


async def test_many_askers_one_maker(tmp_path: Path) -> None:
    cache, make = PromptCache(tmp_path), Maker(0.05)
    found = await asyncio.gather(*(cache.get_or_make(key("a"), make) for _ in range(50)))
    assert len({item.path for item in found}) == 1
    assert make.made == 1


async def test_one_asker_who_gives_up_takes_it_from_nobody(tmp_path: Path) -> None:
    cache, make = PromptCache(tmp_path), Maker(0.1)
    first = asyncio.create_task(cache.get_or_make(key("a"), make))
    second = asyncio.create_task(cache.get_or_make(key("a"), make))
    await asyncio.sleep(0.02)
    first.cancel()
    assert (await second).path.exists()
    assert first.cancelled() or first.done()
    assert make.made == 1


async def test_a_failure_is_told_to_all_and_not_remembered(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path)

    async def fail(path: Path) -> None:
        await asyncio.sleep(0.01)
        path.write_bytes(b"half")
        raise SpeechError("tts_failed", "no")

    results = await asyncio.gather(*(cache.get_or_make(key("a"), fail) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(result, SpeechError) for result in results)
    assert cache.get(key("a")) is None
    assert list((tmp_path / "making").iterdir()) == []
    assert (await cache.get_or_make(key("a"), Maker())).path.exists()


@pytest.mark.parametrize("damage", [b"", b"RIFF\x00", None])
async def test_a_damaged_file_is_made_again(tmp_path: Path, damage: bytes | None) -> None:
    made = await PromptCache(tmp_path).get_or_make(key("a"), Maker())
    whole = made.path.read_bytes()
    made.path.write_bytes(whole[:5000] if damage is None else damage)
    make = Maker()
    again = await PromptCache(tmp_path).get_or_make(key("a"), make)
    assert make.made == 1
    assert again.path.read_bytes() == whole


async def test_a_file_deleted_by_others_is_made_again(tmp_path: Path) -> None:
    cache, make = PromptCache(tmp_path), Maker()
    made = await cache.get_or_make(key("a"), make)
    made.path.unlink()
    assert (await cache.get_or_make(key("a"), make)).path.exists()
    assert make.made == 2


async def test_only_telephone_audio_gets_in(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path)

    async def wide(path: Path) -> None:
        audio.write_wav(path, SECOND, 16000)

    with pytest.raises(SpeechError, match="8 kHz"):
        await cache.get_or_make(key("a"), wide)
    assert cache.get(key("a")) is None


async def test_over_the_limit_the_least_used_go(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, max_bytes=85_000)  # five files of 16 KB fit
    for name in range(5):
        await cache.get_or_make(key(name), Maker())
    for name in range(5):
        age(cache, name, 10_000 - name * 1000)
    # Using the oldest makes it the newest.
    assert PromptCache(tmp_path).get(key(0)) is not None
    await cache.get_or_make(key("new"), Maker())
    left = {name for name in (0, 1, 2, 3, 4, "new") if cache.path(key(name)).exists()}
    assert left == {0, 3, 4, "new"}
    assert cache.bytes_used <= 85_000 * 0.9


async def test_what_calls_may_be_playing_is_never_removed(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, max_bytes=20_000)
    made = [await cache.get_or_make(key(name), Maker()) for name in range(4)]
    assert all(item.path.exists() for item in made)


async def test_a_crash_leaves_nothing_behind(tmp_path: Path) -> None:
    left = tmp_path / "making" / "tmpabc"
    left.mkdir(parents=True)
    (left / "prompt.wav").write_bytes(b"half")
    fresh = tmp_path / "making" / "tmpnew"
    fresh.mkdir()
    os.utime(left, (time.time() - 7200,) * 2)
    PromptCache(tmp_path)
    assert not left.exists()
    assert fresh.exists()  # another process may be at work on it


async def test_closing_gives_up_what_is_being_made(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path)
    task = asyncio.create_task(cache.get_or_make(key("a"), Maker(30)))
    await asyncio.sleep(0.02)
    await cache.close()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_keys_tell_all_inputs_apart() -> None:
    assert cache_key("ab", "c") != cache_key("a", "bc")
    assert cache_key("a") != cache_key("a", "")
    assert cache_key("a", "b") == cache_key("a", "b")
