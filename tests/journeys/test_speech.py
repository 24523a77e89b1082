"""Callers who speak, in Korean: menus by word or key, answers, silence; and who answers when we call.

The language pack is the one that the tests install; the callers' words are the product's own voice, as real RTP.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import soundfile

from backend.runtime.testing import Product
from telephony.prompts import Speak
from telephony.speech import audio, signals
from telephony.speech.audio import RATE, Samples, silence
from telephony.speech.renderer import SpeechRenderer
from tests.journeys import scenes
from tests.journeys.scenes import document, node, words
from tests.journeys.walker import Caller, Walker
from tests.phones.phone import Phone

pytestmark = [pytest.mark.journey, pytest.mark.speech, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def colleague(product: Product, tmp_path: Path) -> AsyncIterator[Phone]:
    """A phone registered as extension 8002."""
    password = product.first_sign_in()["8002"]
    registrar = f"127.0.0.1:{product.sip_port}"
    async with Phone("8002", folder=tmp_path / "8002", password=password, registrar=registrar) as phone:
        yield phone


async def say(walker: Walker, speaker: SpeechRenderer, text: str, language: str = "ko") -> None:
    """The caller says something."""
    media = (await speaker.render([Speak(text, language)], language))[0]
    await walker.call.play(media.path)


def choices(said: Mapping[str, Sequence[str]], language: str = "ko") -> list[dict[str, object]]:
    return [{"key": key, "label": key, "words": {language: list(some)}} for key, some in said.items()]


KOREAN = document(
    "korean",
    {
        "answer": node("voice.answer"),
        "menu": node(
            "voice.menu",
            prompt=words("예약은 일 번, 보험은 이 번, 음악은 삼 번을 누르시거나 말씀해 주세요.", "ko"),
            choices=choices({"1": ["예약"], "2": ["보험"], "3": ["음악"]}),
            timeout_prompt=words("다시 말씀해 주세요.", "ko"),
            invalid_prompt=words("다시 말씀해 주세요.", "ko"),
            timeout=5,
            tries=2,
        ),
        "sure": node(
            "voice.listen",
            prompt=words("확인할까요?", "ko"),
            expected={"ko": ["네", "아니요"]},
            again_prompt=words("다시 말씀해 주세요.", "ko"),
            timeout=5,
            tries=2,
        ),
        "tell": node("voice.say", prompt=words("{{ nodes.sure.words }} 감사합니다.", "ko")),
        "bye": node("voice.hangup"),
    },
    ["answer.next>menu", "menu.1>sure", "menu.2>sure", "menu.3>sure", "menu.timeout>bye", "menu.invalid>bye",
     "sure.next>tell", "sure.silence>bye", "sure.no_match>bye", "tell.next>bye"],
    languages=["ko"],
)  # fmt: skip


async def test_a_caller_walks_a_flow_by_speaking(product: Product, caller: Caller, speaker: SpeechRenderer) -> None:
    await scenes.put_live(product, KOREAN, "770", language="ko")
    walker = await caller()
    await walker.dial("770")
    await walker.at("menu")
    await asyncio.sleep(1.0)
    await say(walker, speaker, "보험")
    await walker.at("sure")
    await asyncio.sleep(2.5)
    await say(walker, speaker, "네")
    assert (await walker.finished()).state == "completed"
    assert await walker.path() == [
        ("answer", "next"),
        ("menu", "2"),
        ("sure", "next"),
        ("tell", "next"),
        ("bye", "next"),
    ]
    by_node = {step.node_id: step for step in await walker.steps()}
    assert by_node["menu"].outputs["words"] == "보험"
    assert by_node["sure"].outputs["words"] == "네" and by_node["sure"].outputs["confidence"] > 0.5
    assert by_node["tell"].said == ["네 감사합니다."]


async def test_keys_count_beside_words_and_silence_has_its_port(product: Product, caller: Caller) -> None:
    await scenes.put_live(product, KOREAN, "770", language="ko")
    walker = await caller()
    await walker.dial("770")
    await walker.press("menu", "3")
    assert (await walker.finished()).state == "completed"
    assert await walker.path() == [("answer", "next"), ("menu", "3"), ("sure", "silence"), ("bye", "next")]


async def test_a_language_without_a_pack_takes_keys_and_says_what_is_missing(product: Product, caller: Caller) -> None:
    flow = document(
        "no-pack",
        {
            "answer": node("voice.answer"),
            "menu": node("voice.menu", prompt=words("Press or say one."), choices=choices({"1": ["one"]}, "en")),
            "city": node("voice.listen", prompt=words("Which city?")),
            "sorry": node("voice.say", prompt=words("Sorry.")),
            "bye": node("voice.hangup"),
        },
        ["answer.next>menu", "menu.1>city", "menu.timeout>bye", "menu.invalid>bye", "city.next>bye",
         "city.error>sorry", "sorry.next>bye"],
    )  # fmt: skip
    await scenes.put_live(product, flow, "771")
    walker = await caller()
    await walker.dial("771")
    await walker.press("menu", "1")
    assert (await walker.finished()).state == "completed"
    steps = {step.node_id: step for step in await walker.steps()}
    assert (steps["menu"].port, steps["city"].port, steps["sorry"].port) == ("1", "error", "next")
    assert steps["city"].outputs["error"] == "no_language_pack"
    assert "CALLWEAVE_ASR_MODELS=en=" in str(steps["city"].error_message)


# --------------------------------------------------------------------------- who answers

SCREENED = document(
    "screened",
    {
        "answer": node("voice.answer"),
        "dial": node("voice.dial", number="8002", only_people=True, ring_seconds=10, announcement={"parts": []}),
        "machine": node("voice.say", prompt=words("That was a machine.")),
        "bye": node("voice.hangup"),
    },
    ["answer.next>dial", "dial.done>bye", "dial.busy>bye", "dial.no_answer>bye", "dial.failed>bye",
     "dial.machine>machine", "machine.next>bye"],
)  # fmt: skip


@pytest.mark.parametrize(
    ("greeting", "port", "answered_by"),
    [
        ("Hello?", "done", "person"),
        (
            "You have reached the mailbox of the Lee family. We are not at home at the moment, please leave a message.",
            "machine",
            "machine",
        ),
        pytest.param(signals.fax_answering(), "machine", "fax", marks=pytest.mark.soak),
        pytest.param(signals.network("busy cn", 6), "busy", "busy", marks=pytest.mark.soak),
        (signals.special_information(), "failed", "sit"),
        pytest.param(signals.network("ringback cn", 12), "no_answer", "ringback", marks=pytest.mark.soak),
    ],
    ids=["person", "machine", "fax", "busy", "unreachable", "ringing"],
)
async def test_only_people_are_connected(
    greeting: str | Samples,
    port: str,
    answered_by: str,
    product: Product,
    caller: Caller,
    colleague: Phone,
    speaker: SpeechRenderer,
    tmp_path: Path,
) -> None:
    await scenes.put_live(product, SCREENED, "772")
    sound = tmp_path / "greeting.wav"
    if isinstance(greeting, str):
        samples, rate = audio.read_wav((await speaker.render([Speak(greeting, "en")], "en"))[0].path)
        assert rate == RATE
    else:
        samples = greeting
    soundfile.write(sound, np.concatenate([silence(0.4), samples]), RATE, subtype="PCM_16")
    walker = await caller()
    await walker.dial("772")
    call = await colleague.incoming(timeout=20)
    await call.answer()
    await call.confirmed()
    playing = asyncio.create_task(call.play(sound))
    if port == "done":
        await playing
        await asyncio.sleep(2.5)
        await call.hang_up()
    await walker.finished()
    playing.cancel()
    step = next(step for step in await walker.steps() if step.node_id == "dial")
    assert (step.port, step.outputs["answered_by"]) == (port, answered_by)
    if port == "done":
        assert step.outputs["seconds"] > 0.5
    await call.ended()
