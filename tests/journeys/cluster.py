"""Callweave as a cluster on this machine: PostgreSQL, two APIs, two workers, two gateways with a standby each.

Every member is a process of its own, started by its own command. They share a home (keys, recordings, prompts).
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from backend.runtime.children import PidFile, stop
from backend.runtime.temporal_server import command_line, find_binary, reachable
from backend.runtime.testing import SPEED, Product, callweave
from backend.security import api_token
from backend.settings import Settings
from backend.testing_postgres import PostgresServer
from telephony.free_ports import free_ports, free_range

START_SECONDS = 180.0


@dataclass
class Member:
    """One process of the cluster."""

    role: str
    name: str
    process: asyncio.subprocess.Process
    log: Path

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    def said(self, words: str) -> int:
        """How often the member has logged these words."""
        return self.log.read_text(errors="replace").count(words)


@dataclass
class Cluster:
    """All members. ``gateways`` are the products that phones call, by name; their API is the first one."""

    settings: Settings
    members: list[Member] = field(default_factory=list)
    gateways: dict[str, Product] = field(default_factory=dict)
    apis: list[httpx.AsyncClient] = field(default_factory=list)
    engines: list[Settings] = field(default_factory=list)
    """Settings of the gateways whose Asterisks outlive them."""

    def of(self, role: str, name: str = "") -> list[Member]:
        """Live members of a role."""
        return [one for one in self.members if one.role == role and one.alive and name in ("", one.name)]

    def owner(self, name: str) -> Member:
        """The process that owns a gateway's engine: the live one that said so last."""
        return max(self.of("gateway", name), key=lambda one: _owned_at(one, name))

    async def wait_owned(self, name: str, by: Member, times: int = 1, timeout: float = 30.0) -> None:
        """Wait until a member owns a gateway, for the so-manieth time."""
        end = time.monotonic() + timeout
        while by.said(f"owns the gateway {name}") < times:
            assert time.monotonic() < end, f"never owned {name}: {by.log.read_text(errors='replace')[-3000:]}"
            await asyncio.sleep(0.05)

    def logs(self) -> str:
        """The end of every log, for a failing test."""
        return "\n".join(f"== {one.log.name}\n{one.log.read_text(errors='replace')[-4000:]}" for one in self.members)


def _owned_at(member: Member, name: str) -> str:
    lines = [line for line in member.log.read_text(errors="replace").splitlines() if f"owns the gateway {name}" in line]
    return lines[-1] if lines else ""


@asynccontextmanager
async def running_cluster(
    folder: Path, postgres: PostgresServer, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Cluster]:
    """Start everything, wait until both gateways take calls, end everything. `environment` adds settings for all."""
    home = folder / "home"
    home.mkdir(parents=True)
    temporal, ui, *https = free_ports(4)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CALLWEAVE_")}
    cache = os.environ.get("CALLWEAVE_CACHE")
    common = {
        **kept,
        **({"CALLWEAVE_CACHE": cache} if cache else {}),
        "CALLWEAVE_HOME": str(home),
        "CALLWEAVE_DATABASE_URL": postgres.database(),
        "CALLWEAVE_TEMPORAL_PORT": str(temporal),
        "CALLWEAVE_TEMPORAL_UI_PORT": str(ui),
        "CALLWEAVE_SIP_HOST": "127.0.0.1",
        "CALLWEAVE_ASR_PRELOAD": "false",
        "CALLWEAVE_TTS_SPEED": str(SPEED),
        "PYTHONUNBUFFERED": "1",
        **(environment or {}),
    }
    settings = _settings(common)
    async with AsyncExitStack() as stack:
        cluster = Cluster(settings)
        stack.push_async_callback(_end, cluster)
        with (folder / "temporal.log").open("wb") as file:
            server = await asyncio.create_subprocess_exec(
                *command_line(find_binary(), settings), stdout=file, stderr=file
            )
        cluster.members.append(Member("temporal", "", server, folder / "temporal.log"))
        while not await reachable(settings):
            await asyncio.sleep(0.1)

        async def start(role: str, name: str, own: Mapping[str, str]) -> Member:
            log = folder / f"{role}-{name}-{len(cluster.members)}.log"
            with log.open("wb") as file:
                process = await asyncio.create_subprocess_exec(
                    *callweave(), role, env={**common, **own}, stdout=file, stderr=file
                )
            cluster.members.append(Member(role, name, process, log))
            return cluster.members[-1]

        for number, http in enumerate(https, 1):
            await start("api", str(number), {"CALLWEAVE_HTTP_PORT": str(http)})
            await start("worker", str(number), {})
        products: dict[str, tuple[dict[str, str], Member]] = {}
        for index, name in enumerate("ab"):
            sip, ari = free_ports(2)
            low, high = free_range()
            own = {
                "CALLWEAVE_NAME": name,
                "CALLWEAVE_SIP_PORT": str(sip),
                "CALLWEAVE_ARI_PORT": str(ari),
                "CALLWEAVE_RTP_PORTS": f"{low + 300 * index}-{high + 300 * index}",
            }
            first = await start("gateway", name, own)
            products[name] = (own, first)
            cluster.engines.append(_settings({**common, **own}))
        for name, (_, first) in products.items():
            await cluster.wait_owned(name, first, timeout=START_SECONDS)
        for name, (own, _) in products.items():
            await start("gateway", name, own)
        token = api_token(home)
        for http in https:
            client = await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=f"http://127.0.0.1:{http}",
                    headers={"authorization": f"Bearer {token}"},
                    trust_env=False,
                    timeout=15,
                )
            )
            await _answers(client, cluster)
            cluster.apis.append(client)
        for name, (own, first) in products.items():
            whole = {**common, **own}
            cluster.gateways[name] = Product(
                home=home,
                environment=whole,
                settings=_settings(whole),
                http_url=str(cluster.apis[0].base_url),
                http_port=https[0],
                sip_port=int(own["CALLWEAVE_SIP_PORT"]),
                temporal_port=temporal,
                process=first.process,
                output=first.log,
                client=cluster.apis[0],
            )
        yield cluster


def through(product: Product, client: httpx.AsyncClient) -> Product:
    """The same gateway, asked through another API."""
    return replace(product, client=client)


def _settings(environment: Mapping[str, str]) -> Settings:
    return Settings.model_validate(
        {
            name.removeprefix("CALLWEAVE_").lower(): value
            for name, value in environment.items()
            if name.startswith("CALLWEAVE_")
        }
    )


async def _answers(client: httpx.AsyncClient, cluster: Cluster) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if (await client.get("/healthz")).status_code == 200:
                return
        assert time.monotonic() < end, f"the API does not answer: {cluster.logs()}"
        await asyncio.sleep(0.1)


async def _stop_engine(settings: Settings) -> None:
    """End the private Asterisk of a gateway, which outlives it."""
    file = PidFile(settings.engine_folder / "asterisk.pid")
    identity = file.read()
    if identity is not None:
        await stop(identity, patience=5)


async def _end(cluster: Cluster) -> None:
    # Temporal last: the others say goodbye to it.
    for member in reversed(cluster.members):
        if member.alive and member.role != "temporal":
            with contextlib.suppress(ProcessLookupError):
                member.signal(signal.SIGCONT)
                member.signal(signal.SIGTERM)
    for member in reversed(cluster.members):
        if member.role == "temporal":
            member.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(member.process.wait(), 15)
        except TimeoutError:
            member.process.kill()
            await member.process.wait()
    # Not before: a gateway starts a dead Asterisk again.
    for settings in cluster.engines:
        await _stop_engine(settings)
