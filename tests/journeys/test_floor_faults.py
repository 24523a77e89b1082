"""Processes are killed while some talk and others wait: talks go on, and whoever waits keeps their place.

The phones are light ones, seventy of them in the soak; each says a tone of its own, and hears all the time whether the
other one is still there.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlmodel import col, select

from backend.calls.models import Call, Leg, Run
from backend.database import Database, read
from backend.queues.models import QueueEntry
from backend.runtime.testing import Product, running_product
from backend.testing_postgres import running_postgres
from bench.floor import flow, staff
from bench.phones import AGENT_TONES, CALLER_TONES, Exchange, LightCall
from bench.product import publish
from tests.journeys.cluster import Cluster, Member, running_cluster, through
from tests.journeys.scenes import until

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]

GAP_SECONDS = 1.0
"""The longest that two who talk may not hear each other; on a machine under load packets are late."""
BACK_SECONDS = 40.0
CALM = {"tell_place": False, "tell_wait": False}

Kill = Callable[[], Awaitable[None]]


@dataclass
class Pair:
    """Two who talk."""

    caller: LightCall
    agent: LightCall

    async def hear_each_other(self) -> None:
        assert self.caller.voice is not None and self.agent.voice is not None
        heard = await asyncio.gather(
            self.caller.voice.hears(self.agent.hertz, 5.0), self.agent.voice.hears(self.caller.hertz, 5.0)
        )
        assert all(heard), f"{self.agent.number} and {self.agent.extension}: {heard}"


@dataclass
class Floor:
    """Callers and agents of one queue."""

    product: Product
    queue: str
    first: int
    number: str
    exchange: Exchange = field(init=False)
    uri: str = ""
    callers: dict[str, LightCall] = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)
    rang: list[LightCall] = field(default_factory=list)
    _answering: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.exchange = Exchange(self._rings)

    def _rings(self, call: LightCall) -> None:
        call.ring()
        self.rang.append(call)
        task = asyncio.create_task(call.accept(AGENT_TONES[int(call.extension) % len(AGENT_TONES)]))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def caller(self, number: str) -> LightCall:
        """Somebody calls; returns when the house has answered."""
        tone = CALLER_TONES[len(self.callers) % len(CALLER_TONES)]
        call = self.callers[number] = await self.exchange.place(self.uri, caller=number, hertz=tone)
        return call

    async def talk_of(self, call: LightCall, number: str) -> Pair:
        """The talk of a caller, as soon as both hear each other."""

        async def theirs() -> LightCall | None:
            return next((one for one in self.rang if one.number == number and one.taken_at), None)

        pair = Pair(call, await until(theirs, f"somebody takes {number}", BACK_SECONDS))
        await pair.hear_each_other()
        self.pairs.append(pair)
        return pair

    async def line(self) -> list[str]:
        """Who waits, in order, as the product tells it."""
        told = await self.product.graphql("{ queuesLive { name callers { caller place state } } }")
        callers = next(one["callers"] for one in told["queuesLive"] if one["name"] == self.queue)
        assert [one["place"] for one in callers] == list(range(1, len(callers) + 1))
        return [str(one["caller"]) for one in callers if one["state"] == "waiting"]

    @asynccontextmanager
    async def undisturbed(self) -> AsyncIterator[None]:
        """Whoever talks hears the other one all the time inside the block."""
        over = asyncio.Event()
        ears = [
            (one.agent.number, asyncio.create_task(voice.longest_gap(hertz, over)))
            for one in self.pairs
            for voice, hertz in ((one.caller.voice, one.agent.hertz), (one.agent.voice, one.caller.hertz))
            if voice is not None
        ]
        yield
        over.set()
        gaps = {(number, index): await ear for index, (number, ear) in enumerate(ears)}
        worst = max(gaps.values())
        print(f"{len(ears)} ears, the longest silence {worst * 1000:.0f} ms")  # noqa: T201
        assert worst < GAP_SECONDS, {who: gap for who, gap in gaps.items() if gap >= GAP_SECONDS}

    async def next_is_served(self, waiting: list[str]) -> None:
        """An agent becomes free: whoever waits first rings there."""
        before = len(self.rang)
        pair = self.pairs.pop(0)
        await pair.agent.hang_up()

        async def rings() -> LightCall | None:
            return self.rang[before] if len(self.rang) > before else None

        call = await until(rings, "the free agent's phone rings", BACK_SECONDS)
        assert (call.number, call.extension) == (waiting[0], pair.agent.extension)
        await self.talk_of(self.callers[waiting[0]], waiting[0])
        waiting.pop(0)

    async def end(self, database: Database) -> None:
        """Everybody leaves; no record stays open."""
        for call in self.callers.values():
            await call.hang_up()

        async def closed() -> bool:
            async with read(database) as session:
                rows = await session.exec(select(Call).where(col(Call.caller).in_(self.callers)))
                calls = {row.id: row for row in rows}
                legs = await session.exec(select(Leg.id).where(col(Leg.call_id).in_(calls), Leg.state != "ended"))
                runs = await session.exec(select(Run.id).where(col(Run.call_id).in_(calls), Run.state == "running"))
                stays = await session.exec(
                    select(QueueEntry.id).where(col(QueueEntry.call_id).in_(calls), QueueEntry.state != "done")
                )
                left = [*legs, *runs, *stays, *(row.id for row in calls.values() if row.state != "ended")]
                return len(calls) == len(self.callers) and not left

        await until(closed, "every record is closed", 60.0, every=0.5)
        async with read(database) as session:
            found = await session.exec(
                select(QueueEntry.outcome).where(
                    col(QueueEntry.caller).in_(self.callers), QueueEntry.queue == self.queue
                )
            )
            outcomes = sorted(found)
        served = len({one.number for one in self.rang if one.taken_at})
        assert outcomes == ["abandoned"] * (len(self.callers) - served) + ["served"] * served


async def happens(
    product: Product, database: Database, kills: list[Kill], *, queue: str, first: int, talking: int, waiting: int
) -> None:
    """Some talk, some wait, and one after the other of these happens to the product."""
    floor = Floor(product, queue, first, str(first - 1))
    floor.uri = await publish(product, flow(f"bench-{queue}", queue, **CALM), floor.number)
    async with floor.exchange as exchange:
        await staff(product, exchange, talking, queue=queue, wrap_up=1, first=first)
        for number in range(talking):
            caller = f"1371{first}{number:03d}"
            await floor.talk_of(await floor.caller(caller), caller)
        for number in range(waiting):
            await floor.caller(f"1372{first}{number:03d}")
            await asyncio.sleep(0.1)

        async def all_wait() -> list[str] | None:
            found = await floor.line()
            return found if len(found) == waiting else None

        line = await until(all_wait, f"{waiting} wait", 30.0)
        assert line == list(floor.callers)[talking:]
        for kill in kills:
            async with floor.undisturbed():
                await kill()
                assert await floor.line() == line
                # The talks are looked after again, not only left alone.
                await asyncio.sleep(3.0)
            assert await floor.line() == line
            await floor.next_is_served(line)
            await floor.next_is_served(line)
        for pair in floor.pairs:
            await pair.hear_each_other()
        assert all(not call.ended.is_set() for call in (floor.callers[number] for number in line))
        await floor.end(database)


async def test_talks_go_on_and_the_line_stays_when_the_process_is_killed(product: Product, database: Database) -> None:
    async def python() -> None:
        product.kill_python()
        await product.healthy(60)

    await happens(product, database, [python], queue="killed", first=4201, talking=3, waiting=4)


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_twenty_talk_and_fifty_wait_through_every_kill(tmp_path: Path) -> None:
    async with (
        running_product(tmp_path, {"CALLWEAVE_RTP_PORTS": "20000-21999"}) as product,
        Database(product.settings.database) as database,
    ):

        async def python() -> None:
            product.kill_python()
            await product.healthy(90)

        async def temporal() -> None:
            product.kill_temporal()
            await asyncio.sleep(1.0)
            await product.healthy(90)

        await happens(product, database, [python, temporal, python], queue="many", first=4301, talking=20, waiting=50)


async def _killed(member: Member) -> None:
    member.signal(signal.SIGKILL)
    await member.process.wait()


@pytest.mark.soak
@pytest.mark.cluster
@pytest.mark.timeout(1200)
async def test_twenty_talk_and_fifty_wait_through_every_kill_in_a_cluster(tmp_path: Path) -> None:
    with running_postgres() as postgres:
        async with running_cluster(tmp_path, postgres) as cluster, Database(cluster.settings.database) as database:
            # The first API is to die.
            product = through(cluster.gateways["a"], cluster.apis[1])
            await happens(product, database, _members_of(cluster), queue="many", first=4401, talking=20, waiting=50)


def _members_of(cluster: Cluster) -> list[Kill]:
    async def worker() -> None:
        await _killed(cluster.of("worker")[0])

    async def gateway() -> None:
        owner = cluster.owner("a")
        (standby,) = [one for one in cluster.of("gateway", "a") if one is not owner]
        await _killed(owner)
        await cluster.wait_owned("a", standby)

    async def api() -> None:
        await _killed(cluster.of("api")[0])

    return [worker, gateway, api]
