"""Many processes on PostgreSQL: calls on both gateways, and what happens when any process dies or stands still."""

import asyncio
import contextlib
import itertools
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlmodel import col, select
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from backend.calls.models import Call, TrailEntry
from backend.database import Database, read
from backend.security import api_token
from backend.testing_postgres import PostgresServer, running_postgres
from telephony.speech.cache import PromptCache
from telephony.speech.renderer import SpeechRenderer
from telephony.speech.tts import EspeakEngine, at_speed
from tests.journeys.cluster import Cluster, running_cluster, through
from tests.journeys.scenes import until
from tests.journeys.walker import Walker
from tests.phones.phone import Phone

pytestmark = [
    pytest.mark.journey,
    pytest.mark.cluster,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

_numbers = itertools.count(5_570_001)


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cluster(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    async with running_cluster(tmp_path_factory.mktemp("cluster"), postgres) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(cluster: Cluster) -> AsyncIterator[Database]:
    async with Database(cluster.settings.database) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def callers(cluster: Cluster, database: Database, tmp_path: Path) -> AsyncIterator["Callers"]:
    prompts = tmp_path / "prompts"
    renderer = SpeechRenderer(
        EspeakEngine(workers=1, voices=at_speed(cluster.settings.tts_speed)), PromptCache(prompts)
    )
    async with AsyncExitStack() as phones:
        yield Callers(cluster, database, renderer, prompts, tmp_path, phones)
    await renderer.close()


class Callers:
    """Makes callers who dial a gateway by its name."""

    def __init__(
        self,
        cluster: Cluster,
        database: Database,
        renderer: SpeechRenderer,
        prompts: Path,
        folder: Path,
        phones: AsyncExitStack,
    ) -> None:
        self._made = (cluster, database, renderer, prompts, folder, phones)

    async def dial(self, gateway: str, number: str = "100") -> Walker:
        cluster, database, renderer, prompts, folder, phones = self._made
        own = str(next(_numbers))
        walker = Walker(cluster.gateways[gateway], database, renderer, prompts, folder / own, own)
        await phones.enter_async_context(walker)
        await walker.dial(number)
        return walker


@pytest.fixture(autouse=True)
def explain(cluster: Cluster) -> Iterator[None]:
    """A failing test shows what the processes logged."""
    yield
    print(cluster.logs())  # noqa: T201 - pytest shows it with a failure only


async def to_the_end(walker: Walker) -> None:
    """From the menu of the hotline to its goodbye; the records are whole."""
    await walker.press("menu", "9")
    run = await walker.finished()
    assert run.state == "completed"
    call = await walker.record()
    assert call is not None and call.cause == "normal" and call.ended_at is not None
    path = await walker.path()
    assert [node for node, _ in path][:2] == ["answer", "blocked"] or path[0][0] == "answer"
    assert all(port for _, port in path), f"a step never ended: {path}"


async def test_calls_walk_on_both_gateways_and_every_api_knows_them(cluster: Cluster, callers: Callers) -> None:
    walkers = [await callers.dial("a"), await callers.dial("b")]
    for walker in walkers:
        await walker.press("greeting", "2")
    for walker in walkers:
        await to_the_end(walker)
    for client in cluster.apis:
        for name, walker in zip("ab", walkers, strict=True):
            record = await walker.record()
            assert record is not None and record.gateway == name
            found = await through(walker.product, client).graphql(
                "query($id: String!) { call(id: $id) { id state } }", id=record.id
            )
            assert found["call"]["state"].lower() == "ended"


async def test_an_api_shows_a_call_live_that_runs_in_another_process(cluster: Cluster, callers: Callers) -> None:
    port = cluster.apis[1].base_url.port
    headers = {"authorization": f"Bearer {api_token(cluster.settings.home)}", "x-callweave": "1"}
    async with connect(
        f"ws://127.0.0.1:{port}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")], additional_headers=headers
    ) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        walker = await callers.dial("b")
        record = await until(walker.record, "the call on record")
        query = f'subscription {{ trail(callId: "{record.id}") {{ nodeId left }} }}'
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
        await walker.press("greeting", "2")
        async with asyncio.timeout(10):
            seen: list[Any] = []
            while not any('"menu"' in json.dumps(one) for one in seen):
                seen.append(json.loads(await socket.recv()))
    await to_the_end(walker)


async def test_an_order_reaches_the_gateway_that_has_the_call(
    cluster: Cluster, callers: Callers, database: Database, tmp_path: Path
) -> None:
    walker = await callers.dial("b")
    await walker.press("greeting", "2")
    await walker.at("menu")
    record = await walker.record()
    assert record is not None
    answer = await walker.product.graphql(
        "mutation($id: String!) { hangUp(id: $id) { errors { code message { en } } } }", id=record.id
    )
    assert answer["hangUp"]["errors"] == []
    await walker.call.ended(10)
    await walker.closed()

    product = cluster.gateways["a"]
    password = product.first_sign_in()["8001"]
    async with AsyncExitStack() as phones:
        registered = [
            await phones.enter_async_context(
                Phone("8001", folder=tmp_path / name, password=password, registrar=f"127.0.0.1:{one.sip_port}")
            )
            for name, one in cluster.gateways.items()
        ]
        placed = await product.graphql(
            'mutation { placeCall(number: "8001", flow: "service-hotline") { value errors { code } } }'
        )
        assert placed["placeCall"]["errors"] == []
        incoming = [asyncio.create_task(phone.incoming(20)) for phone in registered]
        done, waiting = await asyncio.wait(incoming, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        call = done.pop().result()
        await call.answer()
        await call.confirmed()

        async def walked() -> TrailEntry | None:
            async with read(database) as session:
                query = select(TrailEntry).where(
                    TrailEntry.call_id == placed["placeCall"]["value"], TrailEntry.node_id == "greeting"
                )
                return (await session.exec(query)).first()

        await until(walked, "the greeting of the placed call")
        await call.hang_up()


async def test_a_killed_gateway_is_succeeded_by_its_standby(cluster: Cluster, callers: Callers) -> None:
    owner = cluster.owner("a")
    (standby,) = [one for one in cluster.of("gateway", "a") if one is not owner]
    walker = await callers.dial("a")
    await walker.press("greeting", "2")
    await walker.at("menu")
    owner.signal(signal.SIGKILL)
    await owner.process.wait()
    await cluster.wait_owned("a", standby)
    await asyncio.sleep(3.0)
    await to_the_end(walker)
    again = await callers.dial("a")
    await again.press("greeting", "2")
    await to_the_end(again)


@pytest.mark.soak
async def test_a_frozen_gateway_does_no_harm_when_it_wakes(
    cluster: Cluster, callers: Callers, database: Database
) -> None:
    owner = cluster.owner("b")
    (standby,) = [one for one in cluster.of("gateway", "b") if one is not owner]
    walker = await callers.dial("b")
    await walker.press("greeting", "2")
    await walker.at("menu")
    owner.signal(signal.SIGSTOP)
    try:
        await cluster.wait_owned("b", standby)
        new = await callers.dial("b")
        await new.press("greeting", "2")
        await new.at("menu")
    finally:
        owner.signal(signal.SIGCONT)
    await asyncio.sleep(4.0)
    assert owner.alive and standby.alive
    assert owner.said("owns the gateway b") == 1 and standby.said("owns the gateway b") == 1
    await to_the_end(walker)
    await to_the_end(new)
    async with read(database) as session:
        for one in (walker, new):
            calls = (await session.exec(select(Call).where(Call.caller == one.number))).all()
            assert len(calls) == 1
            steps = await session.exec(select(TrailEntry).where(TrailEntry.call_id == calls[0].id))
            numbers = [step.seq for step in steps.all()]
            assert len(numbers) == len(set(numbers))
    # The one that woke stands by, and succeeds the other.
    standby.signal(signal.SIGKILL)
    await standby.process.wait()
    await cluster.wait_owned("b", owner, times=2)
    last = await callers.dial("b")
    await last.press("greeting", "2")
    await to_the_end(last)


async def test_a_killed_api_and_a_killed_worker_cut_nobody(
    cluster: Cluster, callers: Callers, database: Database
) -> None:
    walker = await callers.dial("a")
    await walker.press("greeting", "2")
    await walker.at("menu")
    for role in ("api", "worker"):
        first = cluster.of(role)[0]
        first.signal(signal.SIGKILL)
        await first.process.wait()
    await to_the_end(walker)
    found = await through(walker.product, cluster.apis[1]).graphql("{ calls(first: 5) { nodes { id } } }")
    assert found["calls"]["nodes"]
    async with read(database) as session:
        left = await session.exec(select(Call).where(col(Call.state) != "ended"))
        assert left.all() == []
