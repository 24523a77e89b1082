"""A whole floor of agents under load: real SIP calls queue for a hundred registered phones, while a wall watches.

Callers come at the rate on average, three of four in a burst of twenty seconds each minute: now everybody is served at
once, and now people wait. Every caller and every agent says a tone of their own. Measured:

- **free to ring**: an agent becomes free while somebody waits, until the INVITE arrives at the phone. Twice: from the
  moment that the product wrote down, and from when the work after the call was over by its own clock
- **call to ring**: somebody calls while an agent is free
- **answer to sound**: the agent picks up, until the agent hears the caller, and the caller the agent
- **wall lag**: something changes, until a supervisor's wall (a subscription by WebSocket) has it
- **lost**: callers who neither reached an agent nor left by themselves; records without an end
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import uvloop
from rich.console import Console
from rich.table import Table
from sqlmodel import col, select
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from backend.agents.models import AgentStateLog
from backend.calls.models import Call, Leg, Run, TrailEntry
from backend.database import Database, read
from backend.queues.models import QueueEntry
from backend.recordings.models import Recording
from backend.runtime.testing import Product, running_product
from backend.security import api_token
from bench.chaos import settled
from bench.figures import Spread, spread
from bench.load import cpu_of, processes
from bench.phones import AGENT_TONES, CALLER_TONES, Exchange, LightCall
from bench.product import publish
from bench.sip_caller import CallRefusedError

RESULTS = Path(__file__).parent / "results"
QUEUE, NUMBER, PASSWORD = "floor", "7300", "orbit-lantern-4711"
FIRST_EXTENSION = 2001
BURST_EVERY, BURST_SECONDS, BURST_SHARE = 60.0, 20.0, 0.75
IMPATIENT = 40
"""Every so manieth caller hangs up after a few seconds in line."""
RING_SECONDS = 0.3
TARGETS = {"free_to_ring": 500.0, "answer_to_sound": 2000.0, "wall_lag": 1000.0}

_WALL = """
subscription Floor {
  floor {
    full removedAgents at
    agents {
      userId name displayName team extension phoneKind seat state reason since until wish calls busySeconds queues
      helpSince helpNote helpBy helpByName
      call { entryId callId queue queueLabel { zh en } caller customerName vip since }
    }
    queues {
      name label { zh en } waiting longest longestSince expected talking ready signedIn offered answered abandoned
      serviceLevel serviceLevelTarget averageWait alerts
      callers { entryId callId place state kind number customerName vip wanted agentId since }
    }
  }
}
"""
_CONSOLE = (
    "subscription { myQueues { name label { zh en } waiting longestSince ready allBusy } }",
    "subscription { myAgentChanges { userId state since call { entryId callId queue caller since } } }",
    "subscription { myCalls { callId legId role state direction number parties { channel role number up } } }",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How heavy the load is. ``talk`` is the mean of the talks, which last half to one and a half of it."""

    minutes: float = 10.0
    agents: int = 100
    rate: float = 2.0
    talk: float = 36.0
    wrap_up: int = 3
    walls: int = 1
    consoles: int = 0
    record: bool = True
    seed: int = 1


@dataclass(slots=True)
class Caller:
    """What one caller saw. Times are `time.time` seconds, 0 for what did not happen."""

    number: str
    tone: int
    talk: float
    ends: str
    """Who is to end the talk: ``caller`` or ``agent``; ``leaves`` hangs up in line."""
    called: float = 0.0
    answered: float = 0.0
    rang: float = 0.0
    taken: float = 0.0
    agent_hears: float = 0.0
    hears_agent: float = 0.0
    extension: str = ""
    rings: int = 0
    last_heard: bool = False
    """Both heard each other still at the end of the talk."""
    end: str = ""


@dataclass(slots=True)
class Report:
    """What a run came to. Spreads are in milliseconds, ``cpu`` is per cent of one core by process."""

    plan: dict[str, Any]
    calls: int = 0
    served: int = 0
    left: int = 0
    waited: int = 0
    free_to_ring: Spread | None = None
    free_by_clock_to_ring: Spread | None = None
    call_to_ring: Spread | None = None
    answer_to_sound: Spread | None = None
    agent_hears: Spread | None = None
    wall_lag: Spread | None = None
    wall_messages: int = 0
    busy_share: float = 0.0
    most_busy: int = 0
    most_waiting: int = 0
    cpu: dict[str, float] = field(default_factory=dict)
    busy_by_minute: list[float] = field(default_factory=list)
    waiting_by_minute: list[int] = field(default_factory=list)
    late_sending: float = 0.0
    load_before: float = 0.0
    failures: list[str] = field(default_factory=list)

    @property
    def missed(self) -> list[str]:
        """Targets that were not held, and everything that was lost."""
        told = list(self.failures)
        for name, limit in TARGETS.items():
            found: Spread | None = getattr(self, name)
            if found is None:
                told.append(f"{name} was not measured")
            # Sound must be there for everybody in time; the others are about the 95th of a hundred.
            elif (found.most if name == "answer_to_sound" else found.p95) >= limit:
                told.append(f"{name}: {found} against {limit:g} ms")
        return told


# --------------------------------------------------------------------------- people


class Wall:
    """A supervisor's wall: keeps the floor as the page does, and notes how late each change came."""

    def __init__(self) -> None:
        self.lags: list[float] = []
        self.messages = 0
        self.agents: dict[str, dict[str, Any]] = {}
        self.waiting = 0
        self._callers: set[str] = set()

    def take(self, change: dict[str, Any], now: float) -> None:
        """One message."""
        self.messages += 1
        for agent in change["agents"]:
            known = self.agents.get(agent["userId"])
            if not change["full"] and known is not None and known["since"] != agent["since"]:
                self.lags.append(now - datetime.fromisoformat(agent["since"]).timestamp())
            self.agents[agent["userId"]] = agent
        callers = {one["entryId"]: one for queue in change["queues"] for one in queue["callers"]}
        if not change["full"]:
            fresh = callers.keys() - self._callers
            self.lags += [now - datetime.fromisoformat(callers[one]["since"]).timestamp() for one in fresh]
        self._callers = set(callers)
        self.waiting = sum(one["state"] == "waiting" for one in callers.values())

    @property
    def busy(self) -> int:
        """Agents who ring, talk or work after a call."""
        return sum(one["state"] in ("offered", "talking", "wrap_up", "busy") for one in self.agents.values())


async def subscribe(product: Product, queries: Sequence[str], token: str, take: Any) -> None:
    """Hold subscriptions on one socket until cancelled; `take` gets the data of each message and its time."""
    async with connect(
        f"ws://127.0.0.1:{product.http_port}/graphql",
        subprotocols=[Subprotocol("graphql-transport-ws")],
        additional_headers={"authorization": f"Bearer {token}", "x-callweave": "1"},
        max_size=None,
    ) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        for number, query in enumerate(queries, 1):
            await socket.send(json.dumps({"id": str(number), "type": "subscribe", "payload": {"query": query}}))
        while True:
            text = await socket.recv()
            now = time.time()
            if take is None:
                continue
            message = json.loads(text)
            if message["type"] == "ping":
                await socket.send(json.dumps({"type": "pong"}))
            elif message["type"] == "next":
                assert not message["payload"].get("errors"), message["payload"]["errors"]
                take(message["payload"]["data"]["floor"], now)
            elif message["type"] in ("error", "complete"):
                raise RuntimeError(f"a subscription ended: {text!r}")


class Floor:
    """The phones of one run."""

    def __init__(self, plan: Plan, uri: str) -> None:
        self.plan = plan
        self.uri = uri
        self.callers: dict[str, Caller] = {}
        self.strays: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.exchange = Exchange(self._rings)

    def _rings(self, call: LightCall) -> None:
        """A phone of an agent rings."""
        seen = self.callers.get(call.number)
        if seen is None:
            self.strays.append(f"{call.extension} rang for {call.number!r}, who did not call")
            call.busy()
            return
        task = asyncio.create_task(self._serve(call, seen))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, call: LightCall, seen: Caller) -> None:
        """An agent who answers by themselves, and now and then ends the talk."""
        seen.rings += 1
        seen.rang, seen.extension = call.rang_at, call.extension
        call.ring()
        await asyncio.sleep(RING_SECONDS)
        if call.cancelled:
            return
        accepting = asyncio.create_task(call.accept(AGENT_TONES[int(call.extension) % len(AGENT_TONES)]))
        await asyncio.sleep(0)
        assert call.voice is not None
        seen.taken = call.taken_at
        seen.agent_hears = await call.voice.hears(seen.tone, 10.0) or 0.0
        await accepting
        if seen.ends == "agent":
            await _until_over(call, seen.talk)
            if not call.ended.is_set():
                seen.last_heard = await call.voice.hears(seen.tone, 1.0) is not None
                seen.end = seen.end or "agent"
                await call.hang_up()

    async def caller(self, seen: Caller) -> None:
        """One caller from the first ring to the end."""
        seen.called = time.time()
        try:
            call = await self.exchange.place(self.uri, caller=seen.number, hertz=seen.tone)
        except (CallRefusedError, TimeoutError) as refusal:
            seen.end = f"refused {refusal}"
            return
        seen.answered = time.time()
        assert call.voice is not None
        if seen.ends == "leaves":
            await self._waits(call, seen, 4.0)
            if not seen.rang:
                seen.end = "left"
                await call.hang_up()
                return
            seen.ends = "caller"
        await self._hears_somebody(call, seen)
        if not seen.hears_agent:
            seen.end = "ended unheard" if call.ended.is_set() else "silence"
            await call.hang_up()
            return
        if seen.ends == "caller":
            await _until_over(call, seen.talk)
            if not call.ended.is_set():
                seen.last_heard = await call.voice.hears(_tone_of(seen.extension), 1.0) is not None
                seen.end = "caller"
                await call.hang_up()
        else:
            try:
                await asyncio.wait_for(call.ended.wait(), 2 * self.plan.talk + 30)
            except TimeoutError:
                seen.end = "never ended"
                await call.hang_up()
        seen.end = seen.end or "ended by the house"

    async def _waits(self, call: LightCall, seen: Caller, seconds: float) -> None:
        """Stay in line until somebody rings for the caller, the time is up or the call is over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not seen.rang and not call.ended.is_set():
            # Nothing but music can be heard, so nobody listens.
            await asyncio.sleep(0.02)

    async def _hears_somebody(self, call: LightCall, seen: Caller) -> None:
        until = time.monotonic() + 300
        await self._waits(call, seen, 300)
        while time.monotonic() < until and not call.ended.is_set():
            assert call.voice is not None
            if at := await call.voice.hears(_tone_of(seen.extension), 5.0):
                seen.hears_agent = at
                return


def _tone_of(extension: str) -> int:
    return AGENT_TONES[int(extension) % len(AGENT_TONES)]


async def _until_over(call: LightCall, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(call.ended.wait(), seconds)


def arrivals(plan: Plan) -> list[float]:
    """When each caller calls, in seconds from the beginning: bursts and quieter times that make up the rate."""
    found: list[float] = []
    quiet, each = BURST_EVERY - BURST_SECONDS, plan.rate * BURST_EVERY
    begin = 0.0
    while begin < plan.minutes * 60:
        calm, burst = round(each * (1 - BURST_SHARE)), round(each * BURST_SHARE)
        found += [begin + quiet * number / calm for number in range(calm)]
        found += [begin + quiet + BURST_SECONDS * number / burst for number in range(burst)]
        begin += BURST_EVERY
    return [at for at in found if at < plan.minutes * 60]


# --------------------------------------------------------------------------- the installation


async def _do(product: Product, mutation: str, declared: str, **variables: Any) -> Any:
    told = await product.graphql(f"mutation({declared}) {{ {mutation} }}", **variables)
    (result,) = told.values()
    assert not result["errors"], result["errors"]
    return result.get("value")


_ERRORS = "errors { code field message { en } }"


def flow(key: str = "bench-floor", queue: str = QUEUE, **more: Any) -> dict[str, Any]:
    """Answer, wait for a person, hang up."""
    config = {"queue": queue, "welcome": {"parts": []}, "offers": [], "longest_wait": 600, **more}

    def node(kind: str, name: str, config: dict[str, Any]) -> dict[str, Any]:
        return {"type": kind, "type_version": 1, "name": name, "config": config}

    return {
        "spec_version": "1.0.0",
        "id": key,
        "kind": "ivr",
        "name": key,
        "languages": ["en"],
        "entry": "answer",
        "nodes": {
            "answer": node("voice.answer", "Answer", {}),
            "wait": node("queue.enter", "Wait", config),
            "bye": node("voice.hangup", "Bye", {}),
        },
        "edges": [
            {"from": "answer", "port": "next", "to": "wait"},
            *({"from": "wait", "port": port, "to": "bye"} for port in ("done", "timeout", "full", "closed")),
        ],
    }


async def staff(
    product: Product,
    exchange: Exchange,
    agents: int,
    *,
    queue: str = QUEUE,
    wrap_up: int = 3,
    record: bool = True,
    first: int = FIRST_EXTENSION,
    ready: bool = True,
) -> list[dict[str, str]]:
    """Make agents with registered phones, all members of the queue; their ``user`` ids and ``extension`` numbers."""
    people: list[dict[str, str]] = []
    for number in range(first, first + agents):
        user = await _do(
            product,
            'createUser(name: $n, password: $p, role: "agent", mustChangePassword: false)'
            f" {{ value {{ id }} {_ERRORS} }}",
            "$n: String!, $p: String!",
            n=f"bench{number}",
            p=PASSWORD,
        )
        people.append({"user": user["id"], "extension": str(number)})
        await _do(
            product,
            f"saveExtension(number: $n, userId: $u, password: $p) {{ {_ERRORS} }}",
            "$n: String!, $u: String!, $p: String!",
            n=str(number),
            u=user["id"],
            p=PASSWORD,
        )
        await _do(
            product,
            f"saveAgent(userId: $u, agent: $a) {{ {_ERRORS} }}",
            "$u: String!, $a: AgentInput!",
            u=user["id"],
            a={"extension": str(number), "phoneKind": "sip", "maxMisses": 0, "wrapUpSeconds": wrap_up},
        )
    await _do(
        product,
        f"saveQueue(queue: $q) {{ {_ERRORS} }}",
        "$q: QueueInput!",
        q={"name": queue, "labelZh": "热线", "labelEn": "Hotline", "record": record, "wrapUpSeconds": wrap_up},
    )
    await _do(
        product,
        f"setQueueMembers(name: $n, userIds: $u) {{ {_ERRORS} }}",
        "$n: String!, $u: [String!]!",
        n=queue,
        u=[one["user"] for one in people],
    )
    registrar = ("127.0.0.1", product.sip_port)
    for one in people:
        for attempt in range(60):
            try:
                await exchange.register(one["extension"], PASSWORD, registrar)
                break
            except (PermissionError, TimeoutError):
                # The engine has not taken the extension over yet.
                if attempt == 59:
                    raise
                await asyncio.sleep(0.5)
    if ready:
        for one in people:
            await become(product, one["user"], "ready")
    return people


async def become(product: Product, user: str, state: str) -> None:
    """Set an agent's state, as a supervisor does."""
    await _do(
        product,
        f"forceAgentState(userId: $u, state: $s) {{ {_ERRORS} }}",
        "$u: String!, $s: String!",
        u=user,
        s=state,
    )


# --------------------------------------------------------------------------- judgement


async def judge(product: Product, floor: Floor, wall: Wall, report: Report) -> None:
    """Compare what the phones saw with what was written down."""
    callers = list(floor.callers.values())
    report.calls = len(callers)
    report.served = sum(bool(one.agent_hears and one.hears_agent) for one in callers)
    report.left = sum(one.end == "left" for one in callers)
    report.failures += floor.strays
    ends = ("caller", "agent")
    for one in callers:
        if one.end == "left":
            continue
        if one.end not in ends or not one.agent_hears or not one.hears_agent:
            report.failures.append(f"lost {one.number}: {one.end}, rang at {one.extension or 'nobody'}")
        elif not one.last_heard:
            report.failures.append(f"{one.number}: no sound at the end of the talk with {one.extension}")
    async with Database(product.settings.database) as db, read(db) as session:
        numbers = set(floor.callers)
        calls = {row.caller: row for row in await session.exec(select(Call)) if row.caller in numbers}
        runs = {row.call_id: row for row in await session.exec(select(Run))}
        legs = list(await session.exec(select(Leg)))
        steps = set(await session.exec(select(TrailEntry.run_id).where(col(TrailEntry.left).is_(None))))
        stays = {row.caller: row for row in await session.exec(select(QueueEntry))}
        stretches = list(await session.exec(select(AgentStateLog).order_by(col(AgentStateLog.began_at))))
        recorded = set(await session.exec(select(Recording.call_id)))
    for one in callers:
        call, stay = calls.get(one.number), stays.get(one.number)
        if call is None or stay is None:
            report.failures.append(f"{one.number}: no record of the {'call' if call is None else 'stay in the queue'}")
            continue
        run = runs.get(call.id)
        if call.state != "ended" or call.ended_at is None or not call.cause:
            report.failures.append(f"{one.number}: the call has no end")
        if run is None or run.state == "running" or run.id in steps:
            report.failures.append(f"{one.number}: the run has no end")
        expected = "abandoned" if one.end == "left" else "served"
        if stay.state != "done" or stay.outcome != expected:
            report.failures.append(f"{one.number}: the stay is {stay.state} {stay.outcome}, not {expected}")
        if floor.plan.record and call.answered_at is not None and call.id not in recorded:
            report.failures.append(f"{one.number}: no recording")
    report.failures += [f"leg {one.id} is {one.state}" for one in legs if one.state != "ended"]
    _speeds(report, callers, stays, stretches)
    if wall.lags:
        report.wall_lag = spread(wall.lags)
    report.wall_messages = wall.messages


def _speeds(
    report: Report, callers: Sequence[Caller], stays: dict[str, QueueEntry], stretches: Sequence[AgentStateLog]
) -> None:
    """From free or called to ringing, and from answered to heard."""
    of: dict[str, list[AgentStateLog]] = {}
    for one in stretches:
        of.setdefault(one.user_id, []).append(one)
    free: list[float] = []
    clock: list[float] = []
    called: list[float] = []
    for seen in callers:
        stay = stays.get(seen.number)
        if stay is None or not seen.rang or stay.agent_id is None:
            continue
        own = of[stay.agent_id]
        at = next((n for n, one in enumerate(own) if one.state == "offered" and one.call_id == stay.call_id), None)
        if at is None:
            continue
        # Ready in the same transaction as the offer leaves no stretch of its own worth naming.
        ready = own[at - 1].began_at if at and own[at - 1].state == "ready" else own[at].began_at
        if stay.entered_at < ready:
            report.waited += 1
            free.append(seen.rang - ready.timestamp())
            work = next((one for one in reversed(own[:at]) if one.state == "wrap_up"), None)
            if work is not None and work.ended_at == ready:
                clock.append(seen.rang - work.began_at.timestamp() - report.plan["wrap_up"])
        else:
            called.append(seen.rang - seen.called)
    sound = [seen.agent_hears - seen.taken for seen in callers if seen.agent_hears]
    both = [max(seen.agent_hears, seen.hears_agent) - seen.taken for seen in callers if seen.hears_agent]
    for name, values in (
        ("free_to_ring", free), ("free_by_clock_to_ring", clock), ("call_to_ring", called),
        ("agent_hears", sound), ("answer_to_sound", both),
    ):  # fmt: skip
        if values:
            setattr(report, name, spread(values))


# --------------------------------------------------------------------------- the whole


async def _watch(wall: Wall, report: Report, agents: int) -> None:
    """Note once a second how busy the floor is."""
    shares: list[float] = []
    minute: list[float] = []
    waiting = 0
    try:
        while True:
            await asyncio.sleep(1.0)
            if not wall.agents:
                continue
            minute.append(wall.busy / agents)
            waiting = max(waiting, wall.waiting)
            report.most_busy = max(report.most_busy, wall.busy)
            report.most_waiting = max(report.most_waiting, wall.waiting)
            if len(minute) == 60:
                shares += minute
                report.busy_by_minute.append(round(sum(minute) / 60, 2))
                report.waiting_by_minute.append(waiting)
                minute, waiting = [], 0
    finally:
        shares += minute
        report.busy_share = round(sum(shares) / max(1, len(shares)), 3)


async def measure(folder: Path, plan: Plan, told: Any = print) -> Report:
    """Run one load."""
    report = Report(plan=asdict(plan), load_before=round(os.getloadavg()[0], 2))
    low = 20_000
    environment = {
        "CALLWEAVE_RECORD_CALLS": "true" if plan.record else "false",
        "CALLWEAVE_MAX_CALLS": "1000",
        "CALLWEAVE_RTP_PORTS": f"{low}-{low + 10 * plan.agents + 400}",
    }
    chance = random.Random(plan.seed)
    async with running_product(folder, environment) as product:
        floor = Floor(plan, await publish(product, flow(), NUMBER))
        wall = Wall()
        async with floor.exchange as exchange:
            began = time.monotonic()
            await staff(product, exchange, plan.agents, wrap_up=plan.wrap_up, record=plan.record)
            told(f"{plan.agents} agents are ready after {time.monotonic() - began:.0f} s")
            token = api_token(product.home)
            walls = [
                asyncio.create_task(subscribe(product, [_WALL], token, (wall if n == 0 else Wall()).take))
                for n in range(plan.walls)
            ]
            while not wall.agents:
                await asyncio.sleep(0.1)
                for task in walls:
                    if task.done():
                        task.result()
            watching = asyncio.create_task(_watch(wall, report, plan.agents))
            watched = processes(product) | {"bench": psutil.Process()}
            before, since = dict(cpu_of(watched)), time.monotonic()
            placed: list[asyncio.Task[None]] = []
            start = time.monotonic()
            for index, at in enumerate(arrivals(plan)):
                await asyncio.sleep(max(0.0, start + at - time.monotonic()))
                seen = Caller(
                    number=f"1390{index:07d}",
                    tone=CALLER_TONES[index % len(CALLER_TONES)],
                    talk=plan.talk * chance.uniform(0.5, 1.5),
                    ends="leaves" if index % IMPATIENT == IMPATIENT - 1 else ("caller", "agent")[index % 2],
                )
                floor.callers[seen.number] = seen
                placed.append(asyncio.create_task(floor.caller(seen)))
            passed = time.monotonic() - since
            report.cpu = {
                name: round((spent - before[name]) / passed * 100, 1)
                for name, spent in cpu_of(watched)
                if name in before
            }
            watching.cancel()
            await asyncio.gather(*placed)
            for task in walls:
                if task.done():
                    report.failures.append(f"a wall is gone: {task.exception()!r}")
                task.cancel()
            await asyncio.gather(*walls, return_exceptions=True)
            report.late_sending = round(exchange.air.latest, 3)
            await settled(product)
        await judge(product, floor, wall, report)
    return report


def table(report: Report) -> Table:
    """The report on the screen."""
    shown = Table(title="A floor of agents under load", title_justify="left")
    for column in ("what", "median", "p95", "most", "count", "target"):
        shown.add_column(column, justify="left" if column == "what" else "right")
    for name, title in (
        ("free_to_ring", "agent free, somebody waits → phone rings, ms"),
        ("free_by_clock_to_ring", "  the same from the end of the work after the call"),
        ("call_to_ring", "call → the phone of a free agent rings, ms"),
        ("agent_hears", "agent answers → hears the caller, ms"),
        ("answer_to_sound", "agent answers → both hear each other, ms"),
        ("wall_lag", "change → on the wall, ms"),
    ):
        one: Spread | None = getattr(report, name)
        target = f"{'all' if name == 'answer_to_sound' else 'p95'} < {TARGETS[name]:g}" if name in TARGETS else ""
        cells = (f"{one.median:g}", f"{one.p95:g}", f"{one.most:g}", str(one.count)) if one else ("-", "-", "-", "0")
        shown.add_row(title, *cells, target)
    return shown


def main() -> None:
    """Measure, print, write ``bench/results/floor.json``; ends with 1 when a target was missed or a call lost."""
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m bench.floor", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=usual.minutes)
    parser.add_argument("--agents", type=int, default=usual.agents)
    parser.add_argument("--rate", type=float, default=usual.rate, help="calls a second on average")
    parser.add_argument("--talk", type=float, default=usual.talk, help="seconds of a talk on average")
    parser.add_argument("--wrap-up", type=int, default=usual.wrap_up, help="seconds of work after a call")
    parser.add_argument("--walls", type=int, default=usual.walls, help="supervisors who watch; the first is measured")
    parser.add_argument("--no-record", dest="record", action="store_false", help="do not record the calls")
    parser.add_argument("--seed", type=int, default=usual.seed)
    plan = Plan(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="floor-") as folder:
        report = uvloop.run(measure(Path(folder), plan))
    missed = report.missed
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "floor.json").write_text(json.dumps({**asdict(report), "missed": missed}, indent=2) + "\n")
    console = Console()
    console.print(table(report))
    console.print(
        f"{report.calls} calls: {report.served} served, {report.waited} of them had waited, {report.left} left by "
        f"themselves; agents busy {report.busy_share:.0%} of the time, {report.most_busy} at most, "
        f"{report.most_waiting} callers waiting at most"
    )
    console.print(f"CPU, per cent of one core: {report.cpu}   load of the machine before: {report.load_before}")
    console.print("missed: " + ("; ".join(missed) or "nothing"), style="red" if missed else "green")
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
