"""Calls through the service hotline while its processes are killed: what is lost, cut, left open or done twice?

Callers walk the hotline with keys and a voice: balance, news, a person, a message, or they leave in the middle. Every
twenty seconds one process of the product (Python, Temporal, Asterisk, drawn at random) is killed with SIGKILL. After
the last call the records are compared with what the callers saw.

- **flows lost**: an answered call without a run, or a run that never ended
- **calls dropped**, by cause; only those whose media died with Asterisk may be
- **records incomplete**: a call, leg, run or step without an end, an answered call without its recording
- **double side effects**: more dials at the far end than the flows made, two messages of one step
"""

import argparse
import asyncio
import json
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import numpy as np
import uvloop
from sqlalchemy import func
from sqlmodel import col, select
from temporalio.client import Client

from backend.calls.models import Call, Leg, Run, TrailEntry
from backend.database import Database, read
from backend.recordings.models import Recording
from backend.runtime.process import ari_password
from backend.runtime.testing import Product, running_product
from backend.voicemails.models import Voicemail
from bench.sip_caller import Address, CallRefusedError, Message, Packet, SipCall, SipCaller
from telephony.free_ports import free_ports
from telephony.speech.audio import alaw_encode

RESULTS = Path(__file__).parent / "results"
PERSON = "+861088880000"
CARDS = (("62220001", "2468"), ("62220002", "1357"), ("62220003", "8642"))
SETTLE_SECONDS = 60.0
SILENCE_SECONDS = 15.0
"""How long a caller who hears nothing at all stays: longer than it is quiet while a message is recorded."""


@dataclass(slots=True)
class Walk:
    """What one caller saw. Times are `time.time` seconds."""

    number: str
    kind: str
    began: float = 0.0
    ended: float = 0.0
    answered: bool = False
    refused: str = ""
    end: str = ""
    """``left`` by the caller's will, ``ended`` by the far end, ``silent`` when nothing was heard any more."""


@dataclass(slots=True)
class Report:
    """What chaos came to."""

    calls: int = 0
    answered: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    causes: dict[str, int] = field(default_factory=dict)
    flows_lost: list[str] = field(default_factory=list)
    dropped_with_asterisk: int = 0
    dropped_otherwise: list[str] = field(default_factory=list)
    records_incomplete: list[str] = field(default_factory=list)
    double_effects: list[str] = field(default_factory=list)
    dials: int = 0
    messages: int = 0
    seconds: float = 0.0
    killed_at: list[str] = field(default_factory=list)
    """Seconds since the beginning, and what."""

    @property
    def faults(self) -> int:
        return sum(map(len, (self.flows_lost, self.dropped_otherwise, self.records_incomplete, self.double_effects)))


# --------------------------------------------------------------------------- people


class BusyPerson(asyncio.DatagramProtocol):
    """The far end of a trunk: everybody is busy. Counts the calls that reached it."""

    def __init__(self) -> None:
        self.call_ids: Counter[str] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        try:
            request = Message.parse(data)
        except ValueError:
            return
        if request.code or request.method == "ACK":
            return
        busy = request.method == "INVITE"
        if busy:
            self.call_ids[request.get("call-id")] += 1
        lines = ["SIP/2.0 486 Busy Here" if busy else "SIP/2.0 200 OK"]
        for name, value in request.headers:
            if name in ("via", "from", "to", "call-id", "cseq"):
                lines.append(f"{name}: {value};tag=busy" if busy and name == "to" else f"{name}: {value}")
        self.transport.sendto("\r\n".join([*lines, "Content-Length: 0", "", ""]).encode(), addr)


def voice(seconds: float) -> bytes:
    """Somebody talking, more or less: a tone in A-law that comes and goes."""
    at = np.arange(int(8000 * seconds)) / 8000
    loud = 0.3 * np.sin(2 * np.pi * 300 * at) * (np.sin(2 * np.pi * 2 * at) > -0.3)
    return alaw_encode((loud * 32767).astype(np.int16))


class _Ear:
    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, packet: Packet) -> None:
        self.last = time.monotonic()


async def walk(caller: SipCaller, uri: str, seen: Walk, chance: random.Random) -> None:
    """One caller's way through the hotline."""
    ear = _Ear()
    seen.began = time.time()
    try:
        call = await caller.call(uri, caller=seen.number, timeout=32, on_packet=ear)
    except CallRefusedError as refusal:
        seen.refused = str(refusal.code)
        return
    except TimeoutError:
        seen.refused = "no answer"
        return
    seen.answered = True
    try:
        async with asyncio.timeout(150):
            seen.end = await _through(call, ear, seen.kind, chance)
    except TimeoutError:
        seen.end = "left"
    await call.hang_up()
    seen.ended = time.time()


async def _through(call: SipCall, ear: _Ear, kind: str, chance: random.Random) -> str:
    ear.last = time.monotonic()

    async def wait(seconds: float) -> str:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if call.ended.is_set():
                return "ended"
            if time.monotonic() - ear.last > SILENCE_SECONDS:
                return "silent"
            await asyncio.sleep(0.1)
        return ""

    card, pin = chance.choice(CARDS)
    keys: dict[str, Sequence[str]] = {
        "balance": ["1", "1", f"{card}#", f"{pin}#", "9"],
        "news": ["2", "2", "9"],
        "person": ["1", "0", "say", "#", "1"],
        "message": ["2", "3", "say", "#", "1"],
        "leaves": ["1", "1"],
    }
    for key in keys[kind]:
        if over := await wait(chance.uniform(2.0, 5.0)):
            return over
        if key == "say":
            call.speak(voice(4.0))
        else:
            await call.press(key)
    if kind == "leaves":
        return await wait(chance.uniform(0.2, 6.0)) or "left"
    return await wait(60) or "left"


# --------------------------------------------------------------------------- faults


async def kill_around(product: Product, every: float, chance: random.Random, done: list[tuple[float, str]]) -> None:
    """Kill a process every so often until cancelled."""
    ways = {"python": product.kill_python, "asterisk": product.kill_asterisk, "temporal": product.kill_temporal}
    while True:
        await asyncio.sleep(every)
        name = chance.choice(list(ways))
        try:
            ways[name]()
        except AssertionError:
            # It is on its way back from the last time.
            continue
        done.append((time.time(), name))


# --------------------------------------------------------------------------- judgement


async def judge(
    product: Product, walks: Sequence[Walk], kills: Sequence[tuple[float, str]], person: BusyPerson, began: float
) -> Report:
    """Compare the records with what the callers saw. `began` is the `time.time` that reports count from."""
    report = Report(calls=len(walks), kills=dict(Counter(name for _, name in kills)))
    report.killed_at = [f"{at - began:.0f} {name}" for at, name in kills]
    report.answered = sum(one.answered for one in walks)
    report.refused = dict(Counter(one.refused for one in walks if one.refused))
    report.ends = dict(Counter(one.end for one in walks if one.answered))
    async with Database(product.settings.database) as db, read(db) as session:
        calls = {row.caller: row for row in await session.exec(select(Call))}
        runs = {row.call_id: row for row in await session.exec(select(Run))}
        legs = list(await session.exec(select(Leg)))
        open_steps = set(await session.exec(select(TrailEntry.run_id).where(col(TrailEntry.left).is_(None))))
        dial_steps = await session.exec(select(func.count()).where(col(TrailEntry.node_type) == "voice.dial"))
        report.dials = dial_steps.one()
        recorded = {row.call_id: row for row in await session.exec(select(Recording))}
        messages = list(await session.exec(select(Voicemail)))
    for seen in walks:
        call = calls.get(seen.number)
        if call is None:
            if seen.answered:
                report.flows_lost.append(f"{seen.number}: no record")
            continue
        run = runs.get(call.id)
        if seen.answered and (run is None or run.state == "running"):
            report.flows_lost.append(f"{seen.number}: {'no run' if run is None else 'the run never ended'}")
        if run is not None and run.state != "running" and run.id in open_steps:
            report.records_incomplete.append(f"{seen.number}: a step of the path has no end")
        if call.state != "ended" or call.ended_at is None or not call.cause:
            report.records_incomplete.append(f"{seen.number}: the call has no end")
        if seen.answered and call.answered_at is not None and call.id not in recorded:
            report.records_incomplete.append(f"{seen.number}: no recording")
        _drop(report, seen, run, call, kills, began)
    for leg in legs:
        if leg.state != "ended":
            report.records_incomplete.append(f"leg {leg.id} is {leg.state}")
    report.outcomes = dict(Counter(run.state for run in runs.values()))
    report.causes = dict(Counter(call.cause for call in calls.values()))
    report.messages = len(messages)
    doubled = [key for key, count in Counter((one.call_id, one.key) for one in messages).items() if count > 1]
    report.double_effects += [f"message of call {call_id} twice" for call_id, _ in doubled]
    if len(person.call_ids) > report.dials:
        report.double_effects.append(f"{len(person.call_ids)} dials arrived for {report.dials} steps that dial")
    return report


def _drop(
    report: Report, seen: Walk, run: Run | None, call: Call, kills: Sequence[tuple[float, str]], began: float
) -> None:
    """A call that ended neither by its caller nor by its flow."""
    if not seen.answered or seen.end == "left":
        return
    if seen.end == "ended" and run is not None and run.state == "completed":
        return
    # A restart of the engine takes a moment to be felt at the far end.
    if any(name == "asterisk" and seen.began - 3 <= at <= seen.ended + 1 for at, name in kills):
        report.dropped_with_asterisk += 1
    else:
        state = f"{run.state} {run.reason}" if run is not None else "without a run"
        report.dropped_otherwise.append(
            f"{seen.number} ({seen.kind}), {seen.began - began:.0f} to {seen.ended - began:.0f} s: "
            f"{seen.end}, the run is {state}, the call ended with {call.cause}"
        )


# --------------------------------------------------------------------------- the whole


async def _prepare(product: Product, port: int) -> str:
    """A trunk to the busy person, whom the hotline calls instead of an extension."""

    async def do(query: str, **variables: Any) -> Any:
        value = next(iter((await product.graphql(query, **variables)).values()))
        assert not value["errors"], value["errors"]
        return value

    told = "errors { field message { en } }"
    trunk = await do(
        "mutation($i: TrunkInput!) { saveTrunk(input: $i) { value { id } " + told + " } }",
        # Its address lets the callers in as well: whom the house does not know may not be put through to a trunk.
        i={
            "name": "person",
            "host": "127.0.0.1",
            "port": port,
            "addresses": ["127.0.0.1"],
            "callerId": "+861012345678",
        },
    )
    for kind in (await product.graphql("{ outboundRules { numberClass } }"))["outboundRules"]:
        await do(
            "mutation($c: String!, $t: String) { saveOutboundRule(numberClass: $c, maxPerHour: 100000, trunkId: $t) { "
            + told
            + " } }",
            c=kind["numberClass"],
            t=trunk["value"]["id"],
        )
    document = (await product.graphql('{ flow(key: "service-hotline") { draft } }'))["flow"]["draft"]
    for variable in document["variables"]:
        if variable["name"] == "agent_number":
            variable["default"] = PERSON
    await do(
        "mutation($d: JSON!) { importFlow(document: $d, replace: true) { " + told + " } }",
        d=document,
    )
    await do('mutation { publishFlow(key: "service-hotline") { ' + told + " } }")
    await _engine_knows(product, "person")
    return f"sip:100@127.0.0.1:{product.sip_port}"


async def _engine_knows(product: Product, trunk: str) -> None:
    """Wait until the engine has taken the trunk over: callers who come before it are strangers."""
    settings = product.settings
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{settings.ari_port}/ari/",
        auth=(settings.ari_user, ari_password(settings)),
        trust_env=False,
    ) as engine:
        for _ in range(150):
            known = [one["resource"] for one in (await engine.get("endpoints")).json()]
            if any(trunk in name for name in known):
                return
            await asyncio.sleep(0.1)
    raise TimeoutError(f"the engine does not take the trunk {trunk} over")


async def run(folder: Path, *, calls: int, at_once: int, every: float, seed: int) -> Report:
    """The whole of it."""
    chance = random.Random(seed)
    kinds = ("balance", "news", "person", "message", "leaves")
    walks = [Walk(number=f"559{number:05d}", kind=kinds[number % len(kinds)]) for number in range(calls)]
    kills: list[tuple[float, str]] = []
    began, clock = time.monotonic(), time.time()
    (port,) = free_ports(1)
    loop = asyncio.get_running_loop()
    transport, person = await loop.create_datagram_endpoint(BusyPerson, local_addr=("127.0.0.1", port))
    async with running_product(folder, {"CALLWEAVE_RTP_PORTS": "20000-21999"}) as product:
        uri = await _prepare(product, port)
        places = asyncio.Semaphore(at_once)

        async def one(caller: SipCaller, seen: Walk) -> None:
            async with places:
                await asyncio.sleep(chance.uniform(0, 1))
                await walk(caller, uri, seen, random.Random(seen.number))

        async with SipCaller() as caller:
            killer = asyncio.create_task(kill_around(product, every, chance, kills))
            try:
                await asyncio.gather(*(one(caller, seen) for seen in walks))
            finally:
                killer.cancel()
        await product.healthy(60)
        await settled(product)
        report = await judge(product, walks, kills, person, clock)
        if report.faults:
            RESULTS.mkdir(exist_ok=True)
            for file in (product.output, *(product.home / "logs").glob("*.log")):
                shutil.copy(file, RESULTS / f"chaos-{file.name}")
    transport.close()
    report.seconds = round(time.monotonic() - began, 1)
    return report


async def settled(product: Product) -> None:
    """Wait until no flow of a call runs any more, at most a minute: what runs then is lost."""
    client = await Client.connect(product.temporal)
    until = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < until:
        running = await client.count_workflows("ExecutionStatus='Running'")
        live = (await product.graphql("{ liveCalls { id } }"))["liveCalls"]
        if not running.count and not live:
            await asyncio.sleep(2)
            return
        await asyncio.sleep(1)


def main() -> None:
    """Run, print, write ``bench/results/chaos.json``; ends with 1 when anything was lost, left open or doubled.

    Then the product's logs stand beside the report.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--at-once", type=int, default=25)
    parser.add_argument("--every", type=float, default=20.0, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        work = run(Path(folder), calls=options.calls, at_once=options.at_once, every=options.every, seed=options.seed)
        report = uvloop.run(work)
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(asdict(report), indent=2)
    (RESULTS / "chaos.json").write_text(text + "\n")
    print(text)
    raise SystemExit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
