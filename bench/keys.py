"""Valid keys, pressed at random: does any lead to the wrong choice, does anybody hear the wrong prompt, is a line left?

The flow is a maze of twelve menus, one for each key of a phone; every key leads from every menu to the menu of that
key, whose prompt is its own. So the path of a run must be exactly the keys that were pressed, and every prompt that is
heard must be the one of the last key.

- **simulated**: the real interpreter, nodes and call book over the simulated driver in virtual time. 150,000 keys
  without a wrong one prove P < 0.00002 at 95 % confidence (the rule of three: 3 / n).
- **real**: SIP and RTP against the running product, under load; each prompt is a tone of its own.
"""

import asyncio
import random
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile

from backend.runtime.process import ari_password
from backend.runtime.testing import Product, running_product
from bench.product import publish, upload
from bench.sip_caller import CallRefusedError, Packet, SipCall, SipCaller
from flows.document import FlowDocument
from flows.memory import MemoryTrail
from flows.plan import Plan, compile_plan
from flows.task import CallFacts, FlowStart
from flows.testing import environment
from flows.virtual import VirtualDriver, run_in_virtual_time
from nodes.sdk.registry import Registry, registry
from telephony.calls import CallBook
from telephony.driver import Incoming
from telephony.live_call import LiveCall
from telephony.simulated import Line, Person, SimulatedDriver
from telephony.sounds import Sounds

KEYS = "0123456789*#"
KEYS_A_CALL = 500
FLOW = "bench-keys"
NUMBER = "191"
PROMPT_SECONDS = 30.0


def maze(prompt: Any) -> dict[str, Any]:
    """The flow; ``prompt(key)`` is what the menu of a key says."""
    names = {key: f"menu_{index}" for index, key in enumerate(KEYS)}
    menu = {
        "choices": [{"key": key, "label": f"key {key}"} for key in KEYS],
        "tries": 9,
        "timeout": 30,
    }
    return {
        "spec_version": "1.0.0",
        "id": FLOW,
        "kind": "ivr",
        "name": "Keys",
        "languages": ["en"],
        "entry": "answer",
        "nodes": {
            "answer": {"type": "voice.answer", "name": "answer"},
            **{
                names[key]: {"type": "voice.menu", "name": key, "config": {"prompt": {"parts": [prompt(key)]}, **menu}}
                for key in KEYS
            },
        },
        "edges": [
            {"from": "answer", "port": "next", "to": names["0"]},
            *({"from": names[a], "port": b, "to": names[b]} for a in KEYS for b in KEYS),
        ],
    }


@dataclass(slots=True)
class Counts:
    """What came of the keys. Everything but `keys` and `calls` must be nought."""

    calls: int = 0
    keys: int = 0
    wrong_choices: int = 0
    wrong_prompts: int = 0
    unheard: int = 0
    lines_left: int = 0
    calls_failed: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        return self.wrong_choices + self.wrong_prompts + self.unheard + self.lines_left + self.calls_failed


# --------------------------------------------------------------------------- simulated


def simulated(keys: int, *, seed: int = 1) -> Counts:
    """Press `keys` valid keys on simulated phones: slowly and fast, during prompts, between them, and ahead."""
    nodes = registry()
    source = FlowDocument.model_validate(
        maze(lambda key: {"kind": "text", "text": {"en": f"This is the menu of key {key}, please choose"}})
    )
    plan = compile_plan(source, nodes, version=1)
    counts = Counts()
    with tempfile.TemporaryDirectory(prefix="bench-keys-") as folder:
        sounds = Sounds(Path(folder))
        while counts.keys < keys:
            many = min(KEYS_A_CALL, keys - counts.keys)
            chance = random.Random(seed * 1_000_003 + counts.calls)
            _one_call(plan, nodes, sounds, chance, many, counts)
    return counts


def _one_call(plan: Plan, nodes: Registry, sounds: Sounds, chance: random.Random, many: int, counts: Counts) -> None:
    pressed: list[str] = []

    async def presses(line: Line) -> None:
        await line.answered()
        while len(pressed) < many:
            await line.wait(chance.choice((0.06, 0.15, 0.4, 1.0, 2.5, 7.0)))
            for _ in range(min(chance.choice((1, 1, 1, 2, 3)), many - len(pressed))):
                key = chance.choice(KEYS)
                pressed.append(key)
                await line.press(key)
                await line.wait(0.05)
        await line.wait(5)
        line.hang_up()

    async def main() -> None:
        driver = SimulatedDriver(latency=0.004)
        began: asyncio.Future[LiveCall] = asyncio.get_running_loop().create_future()

        async def incoming(call: LiveCall, event: Incoming) -> None:
            began.set_result(call)

        book = CallBook(driver, driver.renderer, sounds=sounds, language="en", on_incoming=incoming)
        book.start()
        line = driver.call_in(called=NUMBER, person=Person().does(presses))
        call = await began
        trail = MemoryTrail()
        start = FlowStart(
            run_id="keys",
            business_id="bench",
            flow_id=FLOW,
            version=1,
            plan=plan.hash,
            kind="ivr",
            call=CallFacts(id=call.id, caller="1", called=NUMBER, language="en"),
        )
        run = await VirtualDriver(plan, start, environment(nodes, call, trail=trail)).run()
        _judge(counts, pressed, [(step.node_name, step.port or "", step.said) for step in run.trail], line.failure)
        counts.lines_left += not line.ended
        await book.stop()
        await driver.close()

    run_in_virtual_time(main)
    counts.calls += 1
    counts.keys += len(pressed)


def _judge(counts: Counts, pressed: list[str], steps: list[tuple[str, str, list[str]]], failure: str | None) -> None:
    """Compare the keys with the ports of the path, and the words said with the menu that said them."""
    menus = [step for step in steps if step[0] in KEYS and step[0]]
    ports = [port for _, port, _ in menus if port in KEYS and port]
    if failure or ports != pressed:
        wrong = sum(a != b for a, b in zip(ports, pressed, strict=False)) + abs(len(ports) - len(pressed))
        counts.wrong_choices += max(wrong, 1)
        counts.notes.append(failure or f"{wrong} of {len(pressed)} keys went elsewhere")
    after = ["0", *ports]
    for (name, _, said), expected in zip(menus, after, strict=False):
        counts.wrong_choices += name != expected
        counts.wrong_prompts += any(f"menu of key {name}," not in words for words in said)


# --------------------------------------------------------------------------- real


def hertz(key: str) -> float:
    """The tone of a key's prompt: every step changes the sign at least eight times more often a packet."""
    return 500.0 + 200.0 * KEYS.index(key)


def write_tones(folder: Path) -> list[Path]:
    """The twelve prompts as 8 kHz WAV files."""
    paths = []
    for index, key in enumerate(KEYS):
        at = np.arange(int(8000 * PROMPT_SECONDS)) / 8000
        wave = 0.2 * np.sin(2 * np.pi * hertz(key) * at + np.pi / 4)
        paths.append(folder / f"bench-key-{index}.wav")
        soundfile.write(paths[-1], (wave * 32767).astype(np.int16), 8000)
    return paths


def key_of(payload: bytes) -> str | None:
    """Whose prompt a packet belongs to; None for silence, or for one on the border of two prompts."""
    signs = np.frombuffer(payload, np.uint8) >> 7
    changes = int(np.count_nonzero(np.diff(signs)))
    tone = changes / 2 / (len(payload) / 8000)
    index = round((tone - 500) / 200)
    return KEYS[index] if 0 <= index < len(KEYS) and abs(tone - hertz(KEYS[index])) < 60 else None


class _Ear:
    """Tells which prompt is heard: two packets in a row, so that a border between two tones is none of them."""

    def __init__(self) -> None:
        self.heard: str | None = None
        self.changed = asyncio.Event()
        self._last: str | None = None

    def __call__(self, packet: Packet) -> None:
        key = key_of(packet.payload)
        if key is not None and key == self._last and key != self.heard:
            self.heard = key
            self.changed.set()
        self._last = key

    async def next(self, seconds: float) -> str | None:
        """The next prompt that begins, None when none does in time."""
        self.changed.clear()
        try:
            await asyncio.wait_for(self.changed.wait(), seconds)
        except TimeoutError:
            return None
        return self.heard


async def prepare(product: Product, folder: Path) -> str:
    """Upload the prompts, publish the maze, give it a number; returns the SIP URI to call."""
    await upload(product, write_tones(folder))
    flow = maze(lambda key: {"kind": "recording", "prompt": f"bench-key-{KEYS.index(key)}"})
    return await publish(product, flow, NUMBER)


async def real(folder: Path, keys: int, *, calls: int = 50, keys_per_second: float = 20) -> Counts:
    """Press `keys` keys on real lines of the running product, evenly over `calls` lines that are all up at once."""
    counts = Counts()
    async with running_product(folder, {"CALLWEAVE_RECORD_CALLS": "false"}) as product:
        uri = await prepare(product, folder)
        pressed: dict[str, list[str]] = {}
        async with SipCaller() as caller:
            await asyncio.gather(
                *(
                    _press(caller, uri, number, keys // calls, calls / keys_per_second, counts, pressed)
                    for number in range(calls)
                )
            )
        await _nothing_left(product, counts)
        await _compare_paths(product, pressed, counts)
    return counts


async def _press(
    caller: SipCaller, uri: str, number: int, keys: int, gap: float, counts: Counts, pressed: dict[str, list[str]]
) -> None:
    name = f"557{number:05d}"
    chance = random.Random(number)
    await asyncio.sleep(number / 10)
    ear = _Ear()
    try:
        call: SipCall = await caller.call(uri, caller=name, on_packet=ear)
    except (CallRefusedError, TimeoutError):
        counts.calls_failed += 1
        return
    counts.calls += 1
    mine = pressed[name] = []
    if await ear.next(10) != "0":
        counts.wrong_prompts += 1
    for _ in range(keys):
        await asyncio.sleep(chance.uniform(0.6, 1.4) * gap)
        if call.ended.is_set():
            counts.calls_failed += 1
            return
        # The tone of the same menu again would not tell that it began again.
        key = chance.choice([one for one in KEYS if one != ear.heard])
        mine.append(key)
        counts.keys += 1
        waiting = asyncio.ensure_future(ear.next(5))
        await call.press(key, seconds=0.08)
        heard = await waiting
        if heard is None:
            counts.unheard += 1
        elif heard != key:
            counts.wrong_prompts += 1
    await call.hang_up()


async def _nothing_left(product: Product, counts: Counts) -> None:
    """Lines that are open a while after everybody has hung up, in the engine and in the records."""
    settings = product.settings
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{settings.ari_port}/ari/",
        auth=(settings.ari_user, ari_password(settings)),
        trust_env=False,
    ) as engine:
        left, open_calls = [], []
        for _ in range(50):
            left = (await engine.get("channels")).json()
            open_calls = (await product.graphql("{ liveCalls { id } }"))["liveCalls"]
            if not left and not open_calls:
                return
            await asyncio.sleep(0.2)
    counts.lines_left += max(len(left), len(open_calls))


async def _compare_paths(product: Product, pressed: dict[str, list[str]], counts: Counts) -> None:
    """The path on record of every call must be its keys."""
    for name, keys in pressed.items():
        data = await product.graphql(
            "query($n: String!) { calls(first: 1, filter: { number: $n }) { nodes { trail { nodeName port } } } }",
            n=name,
        )
        steps = data["calls"]["nodes"][0]["trail"]
        ports = [step["port"] for step in steps if step["nodeName"] in KEYS and step["port"] in KEYS]
        if ports != keys:
            counts.wrong_choices += sum(a != b for a, b in zip(ports, keys, strict=False)) + abs(len(ports) - len(keys))


async def main(folder: Path, *, simulated_keys: int = 150_000, real_keys: int = 2_000) -> dict[str, Any]:
    """Both, as plain data."""
    virtual = await asyncio.to_thread(simulated, simulated_keys)
    on_lines = await real(folder, real_keys)
    return {"simulated": asdict(virtual), "real": asdict(on_lines)}
