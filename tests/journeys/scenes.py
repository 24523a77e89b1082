"""Flows that journeys make for themselves, and what they ask of the product while and after calls walk them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import soundfile
from sqlmodel import col, select

from backend.calls.models import Call
from backend.database import Database, read
from backend.recordings.models import Recording
from backend.runtime.process import ari_password
from backend.runtime.testing import Product
from telephony.errors import SpeechError
from telephony.prompts import Speak
from telephony.speech.audio import RATE
from telephony.speech.cache import PromptCache
from telephony.speech.renderer import SpeechRenderer
from telephony.speech.tts import Engine
from tests.journeys.walker import CHINESE, Walker
from tests.phones.audio import Match, Samples, find, load, longest_silence
from tests.phones.phone import Auto, Phone, PhoneCall

T = TypeVar("T")

Document = dict[str, Any]

ERRORS = "errors { code field message { en } }"

LIKE = 0.65
"""How alike a prompt and what a phone heard of it are at least. On a busy machine packets slip; other words score
below 0.4."""
LIKE_PIECES = 0.65
"""The same second by second, on average; a second that is out of its place counts nothing."""


def words(text: str, language: str = "en") -> dict[str, Any]:
    """A prompt that says the same in every language of the flow."""
    return {"parts": [{"kind": "text", "text": {language: text}}]}


def node(kind: str, **config: Any) -> dict[str, Any]:
    """A node of a document."""
    return {"type": kind, "name": kind, "config": config}


def document(key: str, nodes: Mapping[str, dict[str, Any]], edges: Sequence[str], **more: Any) -> Document:
    """A flow; its edges are written ``node.port>node``, and the first node is its entry."""
    ends = [edge.split(">") for edge in edges]
    return {
        "id": key,
        "kind": "ivr",
        "name": key,
        "languages": ["en"],
        "entry": next(iter(nodes)),
        "nodes": dict(nodes),
        "edges": [
            {"from": start.rpartition(".")[0], "port": start.rpartition(".")[2], "to": end} for start, end in ends
        ],
        **more,
    }


async def put_live(product: Product, flow: Document, number: str = "", *, language: str = "en") -> None:
    """Import and publish a flow through the API, and give it a number whose callers hear a language."""
    errors = "errors { code field node message { en } }"
    saved = await product.graphql(
        f"mutation($d: JSON!) {{ importFlow(document: $d, replace: true) {{ {errors} }} }}", d=flow
    )
    assert saved["importFlow"]["errors"] == [], saved
    published = await product.graphql(f"mutation($k: String!) {{ publishFlow(key: $k) {{ {errors} }} }}", k=flow["id"])
    assert published["publishFlow"]["errors"] == [], published
    if number:
        known = await product.graphql("{ phoneNumbers { id number } }")
        given = await product.graphql(
            "mutation($n: String!, $k: String!, $i: String, $l: String!)"
            f" {{ savePhoneNumber(number: $n, flow: $k, language: $l, id: $i) {{ {errors} }} }}",
            n=number,
            l=language,
            k=flow["id"],
            i=next((one["id"] for one in known["phoneNumbers"] if one["number"] == number), None),
        )
        assert given["savePhoneNumber"]["errors"] == []


def tone(path: Path, hertz: float, seconds: float) -> Path:
    """A WAV file that holds one tone."""
    at = np.arange(int(RATE * seconds)) / RATE
    soundfile.write(path, (0.3 * 32767 * np.sin(2 * np.pi * hertz * at)).astype(np.int16), RATE)
    return path


async def until(what: Callable[[], Awaitable[T | None]], name: str, timeout: float = 15.0, every: float = 0.1) -> T:
    """Ask again and again until there is an answer."""
    end = time.monotonic() + timeout
    while True:
        answer = await what()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{name}: not within {timeout:g} s; the last answer was {answer!r}")
        await asyncio.sleep(every)


class _OnlyKnown:
    """A voice that has lost its tongue: only what the product has said before can be had."""

    def __init__(self, engine: Engine) -> None:
        self.signature = engine.signature

    async def synthesise(self, text: str, language: str, path: Path) -> None:
        raise SpeechError("tts_failed", f"the product has not said {text!r}")

    async def close(self) -> None: ...


async def spoken(walker: Walker, text: str, timeout: float = 15.0) -> Samples:
    """The product's own audio of a sentence, once it is rendered: the voice never says the same twice alike."""
    assert isinstance(walker.renderer, SpeechRenderer)
    language = "zh" if CHINESE.search(text) else "en"
    known = SpeechRenderer(_OnlyKnown(walker.renderer.engine), PromptCache(walker.prompts))

    async def rendered() -> Path | None:
        await walker.sync_prompts()
        try:
            media = await known.render([Speak(text, language)], language)
        except SpeechError:
            return None
        return media[0].path

    return await asyncio.to_thread(load, await until(rendered, f"the product says {text!r}", timeout, every=0.25))


async def hears_words(
    walker: Walker, text: str, *, after: float = 0.0, timeout: float = 25.0, call: PhoneCall | None = None
) -> Match:
    """Wait until the caller (or another phone's call) has heard a sentence to its end."""
    sound = await spoken(walker, text, timeout)
    return await hears(call or walker.call, sound, after=after, timeout=timeout)


def second_by_second(wanted: Samples, recorded: Samples, *, after: float = 0.0) -> Match | None:
    """Where a sentence was heard whose packets slipped further and further on a busy machine.

    Each of its seconds is looked for alone; most of them have to be where the sentence has them.
    """
    count = len(wanted) // RATE
    if count < 2:
        return None
    found = [find(wanted[at * RATE : (at + 1) * RATE], recorded, after=after) for at in range(count)]
    starts = [match.start - at for at, match in enumerate(found)]
    middle = float(np.median(starts))
    alike = [match.score for match, start in zip(found, starts, strict=True) if abs(start - middle) < 0.5]
    score = sum(alike) / count
    return Match(middle, score) if score >= LIKE_PIECES else None


async def hears(
    call: PhoneCall, sound: Path | Samples, *, after: float = 0.0, timeout: float = 15.0, least: float = LIKE
) -> Match:
    """Wait until a phone has heard a sound to its end, in what it recorded from second `after` on."""
    wanted = await asyncio.to_thread(load, sound)
    length, since, best = len(wanted) / RATE, after, Match(0.0, 0.0)

    def look() -> Match | None:
        nonlocal since, best
        recorded = load(call.heard)
        seconds = len(recorded) / RATE
        if seconds < since + length:
            return None
        match = find(wanted, recorded, after=since)
        best = max(best, match, key=lambda one: one.score)
        if match.score < least and (pieces := second_by_second(wanted, recorded, after=since)):
            return pieces
        # What ended before this look is not in what comes; a sentence that slipped is longer by a second or two.
        since = max(since, seconds - length - 2.0)
        return match if match.score >= least else None

    async def heard() -> Match | None:
        return await asyncio.to_thread(look)

    try:
        return await until(heard, f"the phone {call.phone.user} hears the sound", timeout, every=0.2)
    except AssertionError as problem:
        raise AssertionError(
            f"{problem}; most like it ({best.score:.2f}) is what it heard at {best.start:.1f} s, looked for from "
            f"{after:.1f} s on in {len(load(call.heard)) / RATE:.1f} s; the longest silence is "
            f"{longest_silence(call.heard, after=after):.1f} s"
        ) from None


def in_recording(call: PhoneCall, at: float | None = None) -> float:
    """Where a moment of the wall clock (now) lies in what a phone records, in seconds."""
    return (time.time() if at is None else at) - call.listening_since


async def both_talk(caller: PhoneCall, person: PhoneCall, folder: Path) -> None:
    """Caller and person hear each other."""
    at_caller, at_person = in_recording(caller), in_recording(person)
    await asyncio.gather(
        caller.play(tone(folder / "caller.wav", 600, 2)), person.play(tone(folder / "person.wav", 1000, 2))
    )
    await hears(person, load(folder / "caller.wav")[RATE // 2 : 3 * RATE // 2], after=at_person)
    await hears(caller, load(folder / "person.wav")[RATE // 2 : 3 * RATE // 2], after=at_caller)


async def calls_of(database: Database, number: str) -> Sequence[Call]:
    """All calls of a caller, the newest first."""
    async with read(database) as session:
        query = select(Call).where(Call.caller == number).order_by(col(Call.started_at).desc())
        return (await session.exec(query)).all()


async def recording_of(product: Product, database: Database, call_id: str, timeout: float = 15.0) -> Samples:
    """What the product recorded of a whole call, as soon as it has."""

    async def saved() -> Recording | None:
        async with read(database) as session:
            return (await session.exec(select(Recording).where(Recording.call_id == call_id))).first()

    row = await until(saved, f"the recording of {call_id}", timeout)
    return await asyncio.to_thread(load, product.home / "recordings" / row.path)


@asynccontextmanager
async def engine(product: Product) -> AsyncIterator[httpx.AsyncClient]:
    """Asterisk's own interface, to ask it what is left of a call."""
    settings = product.settings
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{settings.ari_port}/ari/",
        auth=(settings.ari_user, ari_password(settings)),
        trust_env=False,
        timeout=10,
    ) as client:
        yield client


async def change(product: Product, mutation: str, **variables: Any) -> Any:
    """A mutation that must succeed; its value."""
    (result,) = (await product.graphql(mutation, **variables)).values()
    assert not result["errors"], result["errors"]
    return result.get("value")


@asynccontextmanager
async def provider(product: Product, folder: Path, *, auto: Auto) -> AsyncIterator[Phone]:
    """The far end of a trunk, which the engine has taken over: whoever is called outside rings there."""
    async with Phone("provider", folder=folder / "provider", host="127.0.0.2", auto=auto) as phone:
        trunk = await change(
            product,
            f"mutation($t: TrunkInput!) {{ saveTrunk(input: $t) {{ value {{ id }} {ERRORS} }} }}",
            t={"name": "lines", "host": "127.0.0.2", "port": phone.port},
        )
        try:
            async with engine(product) as asterisk:

                async def known() -> bool:
                    # Its list of endpoints keeps those of a trunk that another test has removed.
                    found = await asterisk.get("asterisk/config/dynamic/res_pjsip/aor/trunk-lines")
                    return found.status_code == 200 and f":{phone.port}" in found.text

                await until(known, "Asterisk has taken the trunk over", 30)
            yield phone
        finally:
            await change(product, f"mutation($i: String!) {{ deleteTrunk(id: $i) {{ {ERRORS} }} }}", i=trunk["id"])


async def no_channels(product: Product, timeout: float = 15.0) -> None:
    """Wait until Asterisk has no channel and no bridge left."""
    async with engine(product) as client:
        left: dict[str, Any] = {}

        async def empty() -> bool:
            for name in ("channels", "bridges"):
                reply = await client.get(name)
                if reply.status_code != 200:  # it is just taking over a changed configuration
                    return False
                left[name] = [one["id"] for one in reply.json()]
            return not any(left.values())

        try:
            await until(empty, "no channel is left", timeout)
        except AssertionError:
            raise AssertionError(f"Asterisk still has {left}") from None
