"""Real speech by the real engine in real processes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from telephony.errors import SpeechError
from telephony.prompts import Media, Speak, Value
from telephony.speech import audio
from telephony.speech.cache import PromptCache
from telephony.speech.renderer import SpeechRenderer
from telephony.speech.tts import EspeakEngine, Voice, at_speed

pytestmark = pytest.mark.speech


@pytest.fixture
async def engine() -> AsyncIterator[EspeakEngine]:
    async with EspeakEngine(workers=2, timeout=5) as made:
        yield made


@pytest.fixture
def renderer(engine: EspeakEngine, tmp_path: Path) -> SpeechRenderer:
    return SpeechRenderer(engine, PromptCache(tmp_path / "cache"))


def check(media: Media, least: float, most: float) -> audio.Samples:
    """The file is playable telephone audio, sounds, is neither clipped nor padded, and has a sane length."""
    info = audio.wav_info(media.path)
    assert info.playable
    assert info.seconds == media.seconds
    assert least <= media.seconds <= most, media
    samples, _ = audio.read_wav(media.path)
    assert audio.loudness(samples) == pytest.approx(audio.LOUDNESS_DB, abs=1.5)
    assert np.abs(samples).max() < 0.95
    assert np.abs(samples[-int(0.1 * audio.RATE) :]).max() < 0.02  # the quiet tail
    return samples


@pytest.mark.parametrize(
    ("language", "items", "text", "least", "most"),
    [
        ("zh", [Speak("您好，欢迎致电")], "您好，欢迎致电", 1.0, 3.5),
        ("zh", [Speak("余额"), Value(1234.5, "money")], "余额一千二百三十四元五角", 2.0, 5.0),
        ("en", [Speak("Your balance is"), Value(12, "money", "USD")], "Your balance is twelve dollars", 1.2, 3.5),
        ("ko", [Speak("잔액은"), Value(12000, "money", "KRW")], "잔액은 만 이천 원", 1.0, 4.0),
    ],
)
async def test_speaks(
    renderer: SpeechRenderer, language: str, items: list[Speak | Value], text: str, least: float, most: float
) -> None:
    [media] = await renderer.render(items, language)
    assert media.text == text
    check(media, least, most)
    assert await renderer.render(items, language) == [media]


async def test_english_words_in_chinese_are_said_by_the_english_voice(renderer: SpeechRenderer) -> None:
    plain = await renderer.speak("欢迎致电客服", "zh")
    mixed = await renderer.speak("欢迎致电Callweave客服", "zh")
    assert mixed.seconds > plain.seconds + 0.3
    check(mixed, 1.5, 4.0)


async def test_what_differs_sounds_different(renderer: SpeechRenderer) -> None:
    one, two = [audio.read_wav((await renderer.speak(text, "zh")).path)[0] for text in ("请按一", "请按二")]
    assert len(one) != len(two) or not np.allclose(one, two)
    # More syllables take longer.
    lengths = [(await renderer.speak(text, "zh")).seconds for text in ("行", "银行", "银行转账")]
    assert lengths == sorted(lengths)
    assert lengths[0] * 2 < lengths[2]


async def test_fifty_at_once_and_twice(renderer: SpeechRenderer, engine: EspeakEngine) -> None:
    async def all_of_them() -> list[Media]:
        return await asyncio.gather(*(renderer.speak(f"{number}号客户请到窗口", "zh") for number in range(1, 51)))

    first = await all_of_them()
    assert len({media.path for media in first}) == 50
    for media in first:
        check(media, 1.0, 4.0)
    assert await all_of_them() == first
    assert len(engine.pids) <= 2


async def test_a_frozen_child_is_replaced(tmp_path: Path) -> None:
    async with EspeakEngine(workers=1, timeout=0.5) as engine:
        renderer = SpeechRenderer(engine, PromptCache(tmp_path))
        await renderer.speak("warm", "en")
        [frozen] = engine.pids
        os.kill(frozen, signal.SIGSTOP)
        check(await renderer.speak("after the freeze", "en"), 0.5, 2.5)
        assert engine.pids != [frozen]
        assert not psutil.pid_exists(frozen)


async def test_a_killed_child_is_replaced(tmp_path: Path) -> None:
    async with EspeakEngine(workers=1) as engine:
        renderer = SpeechRenderer(engine, PromptCache(tmp_path))
        await renderer.speak("warm", "en")
        for word in ("one", "two", "three"):
            [pid] = engine.pids
            os.kill(pid, signal.SIGKILL)
            check(await renderer.speak(f"number {word}", "en"), 0.4, 2.0)


async def test_killed_in_the_middle_of_much_work(renderer: SpeechRenderer, engine: EspeakEngine) -> None:
    await renderer.speak("warm", "en")
    work = [asyncio.create_task(renderer.speak(f"sentence number {number}", "en")) for number in range(20)]
    await asyncio.sleep(0.05)
    for pid in engine.pids:
        os.kill(pid, signal.SIGKILL)
    assert len({media.path for media in await asyncio.gather(*work)}) == 20


async def test_a_cancelled_utterance_never_reaches_the_next_one(tmp_path: Path) -> None:
    async with EspeakEngine(workers=1) as engine:
        path, other = tmp_path / "a.wav", tmp_path / "b.wav"
        await engine.synthesise("warm", "en", path)
        for _ in range(5):
            long = asyncio.create_task(engine.synthesise("a very long sentence " * 50, "en", path))
            await asyncio.sleep(0.005)
            long.cancel()
            await asyncio.gather(long, return_exceptions=True)
            await engine.synthesise("yes", "en", other)
            assert audio.wav_info(other).seconds < 2


async def test_children_are_recycled(tmp_path: Path) -> None:
    async with EspeakEngine(workers=1, recycle=3) as engine:
        seen = set()
        for number in range(7):
            await engine.synthesise(f"number {number}", "en", tmp_path / "a.wav")
            seen |= set(engine.pids)
        assert len(seen) == 3


async def test_closing_leaves_no_process(tmp_path: Path) -> None:
    engine = EspeakEngine(workers=2)
    await asyncio.gather(*(engine.synthesise(f"word {n}", "en", tmp_path / f"{n}.wav") for n in range(4)))
    pids = engine.pids
    assert pids
    await engine.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    with pytest.raises(SpeechError, match="closed"):
        await engine.synthesise("more", "en", tmp_path / "a.wav")


async def test_a_child_ends_with_its_parent() -> None:
    """The parent is killed hard: its input ends, and so does the child."""
    code = (
        "import asyncio, os, signal, sys\n"
        "from telephony.speech.tts import EspeakEngine\n"
        "async def main():\n"
        "    engine = EspeakEngine(workers=1)\n"
        "    await engine.signature('en')\n"
        "    print(engine.pids[0], flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    out, _ = await parent.communicate()
    child = int(out)
    for _ in range(100):
        if not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE:
            return
        await asyncio.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the child outlived its parent")


@pytest.mark.parametrize(
    "text",
    [
        '<speak><break time="600s"/>hello</speak>',
        "[[h@'loU]] hello",
        "hello\x00 world",
        "hello \x01+10P \x1b[31m world",
        "{{ hello }} $(reboot) `reboot` ; reboot",
        "-w /tmp/stolen.wav hello",
        "https://example.com/?q=hello%20world&x=1",
        "hello 😀 wörld ∑ ﷽",
        "\u202ehello\u202c",
    ],
)
async def test_markup_and_tricks_are_only_words(renderer: SpeechRenderer, text: str) -> None:
    for language in ("en", "zh"):
        check(await renderer.speak(text, language), 0.3, 25.0)


async def test_long_texts_are_bounded(renderer: SpeechRenderer, engine: EspeakEngine, tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="10000") as caught:
        await renderer.speak("长" * 10_000, "zh")
    assert caught.value.reason == "bad_value"
    with pytest.raises(SpeechError, match="10000"):
        await engine.synthesise("x" * 10_000, "en", tmp_path / "a.wav")
    check(await renderer.speak("这是一句比较长的提示语，" * 80, "zh"), 60, 400)


async def test_a_language_without_a_voice_is_named(renderer: SpeechRenderer) -> None:
    with pytest.raises(SpeechError, match=r"'tlh'.*zh, en, ko") as caught:
        await renderer.speak("nuqneH", "tlh")
    assert caught.value.reason == "no_voice"


async def test_languages_that_espeak_knows_need_no_set_up(renderer: SpeechRenderer) -> None:
    check(await renderer.speak("Bonjour, bienvenue.", "fr-FR"), 0.7, 3.0)


async def test_a_missing_voice_says_what_to_install() -> None:
    async with EspeakEngine(workers=1, voices={"zh": Voice("sit/not-there", 160)}) as engine:
        with pytest.raises(SpeechError, match=r"sit/not-there.*apt-get install espeak-ng") as caught:
            await engine.signature("zh")
        assert caught.value.reason == "no_voice"
        assert await engine.languages() == []


async def test_a_missing_espeak_says_what_to_install(tmp_path: Path) -> None:
    """Import of pyttsx3's driver fails as it does without the library: a stub in its place raises the same error."""
    package = tmp_path / "pyttsx3"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('you probably do not have eSpeak-ng installed!')\n")
    environment = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])}
    async with EspeakEngine(workers=1, environment=environment) as engine:
        with pytest.raises(SpeechError, match="apt-get install espeak-ng") as caught:
            await engine.signature("zh")
        assert caught.value.reason == "no_voice"


@pytest.mark.parametrize("code", ["raise SystemExit('cannot load')", "print('nonsense', flush=True)"])
async def test_a_child_that_does_not_start_is_an_error_not_a_hang(code: str) -> None:
    async with EspeakEngine(workers=1, command=(sys.executable, "-c", code)) as engine:
        with pytest.raises(SpeechError, match="does not start"):
            await engine.signature("zh")


async def test_a_child_that_hangs_at_start_is_given_up() -> None:
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    async with EspeakEngine(workers=1, command=command, start_timeout=0.3) as engine:
        with pytest.raises(SpeechError, match="timed out") as caught:
            await engine.signature("zh")
        assert caught.value.reason == "tts_failed"


async def test_failing_twice_is_an_error(tmp_path: Path) -> None:
    code = (
        "import json, sys\n"
        "print(json.dumps(dict(ready=True, engine='x', voices=['gmw/en-us'])), flush=True)\n"
        "sys.stdin.readline()\n"
        "print(json.dumps(dict(error='no breath')), flush=True)\n"
    )
    async with EspeakEngine(workers=1, command=(sys.executable, "-c", code)) as engine:
        with pytest.raises(SpeechError, match=r"failed twice.*no breath") as caught:
            await engine.synthesise("hello", "en", tmp_path / "a.wav")
        assert caught.value.reason == "tts_failed"


async def test_the_health_check_speaks(renderer: SpeechRenderer) -> None:
    assert "espeak-ng-" in await renderer.check()


async def test_a_higher_speed_says_the_same_in_less_time(tmp_path: Path) -> None:
    seconds = {}
    for percent in (100, 150):
        async with EspeakEngine(workers=1, voices=at_speed(percent)) as engine:
            made = SpeechRenderer(engine, PromptCache(tmp_path / f"{percent}"))
            (media,) = await made.render([Speak("您的余额是一千二百三十四元五角。", "zh")], "zh")
            seconds[percent] = media.seconds
    assert 0.55 < seconds[150] / seconds[100] < 0.8, "a pause does not shrink as words do"
