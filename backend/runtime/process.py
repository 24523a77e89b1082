"""One Python process of the product: api, worker and gateway together, or each alone.

Order of the start: database, first start, speech, telephony engine, then side by side the gateway, the workers and
the web server. The end goes the other way round; Temporal's clients are gone before the interpreter ends.
"""

import argparse
import asyncio
import contextlib
import gc
import importlib
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import httpx
import uvicorn
import uvloop
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import configure_mappers
from temporalio.client import Client

from backend.app import create_app
from backend.database import Database, alone
from backend.datasources.service import QueryRunner
from backend.errors import DomainError
from backend.events import EventBus
from backend.health import ComponentHealth, HealthRegistry, HealthState
from backend.migrations import head_revision, upgrade
from backend.numbers.service import list_extensions, list_trunks
from backend.observability import logs, metrics
from backend.observability.search_attributes import register as register_search_attributes
from backend.observability.setup import Observability
from backend.observability.web import metrics_app
from backend.outbox import Outbox
from backend.queues.attendance import Attendance
from backend.queues.callbacks import CallBacks
from backend.queues.minder import mind
from backend.runtime.children import Identity
from backend.runtime.directory import Directory
from backend.runtime.errors import ProductError
from backend.runtime.first_start import first_start
from backend.runtime.gateway import Connection, Gateway
from backend.runtime.journal import Journal
from backend.runtime.keeper import Keeper
from backend.runtime.ledger import Ledger
from backend.runtime.operations import LiveOperations
from backend.runtime.orders import Orders
from backend.runtime.plans import DatabasePlans
from backend.runtime.services import ServiceBook
from backend.runtime.tasks import end
from backend.runtime.trunks import TrunkWatch
from backend.runtime.worker import FLOWS_QUEUE, Workers, connect, identity
from backend.security import SealError, SecretBox, api_token, create_private_file
from backend.settings import Settings, settings
from backend.state import AppState
from backend.tls import TlsError, uvicorn_options
from flows.runner import Environment
from nodes.sdk.registry import registry
from telephony.asterisk.config import AsteriskConfig, ConfigError, Extension, Trunk
from telephony.asterisk.install import InstallError, resolve
from telephony.asterisk.process import AsteriskProcess, ProcessError
from telephony.errors import SpeechError
from telephony.speech.asr import LanguagePacks, find_packs
from telephony.speech.cache import PromptCache
from telephony.speech.ears import SpeechEars
from telephony.speech.renderer import SpeechRenderer
from telephony.speech.tts import EspeakEngine, at_speed

log = logging.getLogger(__name__)

Role = Literal["api", "worker", "gateway"]
ALL: tuple[Role, ...] = get_args(Role)
PROBLEM_FILE = "problem.txt"
PLAN_SECONDS = 2.0


class Process:
    """What the roles of one process share, and its life from start to end."""

    def __init__(self, config: Settings, roles: Sequence[Role]) -> None:
        self.settings = config
        self.roles = tuple(roles)
        self.db = Database(config.database)
        self.box = SecretBox.at(config.home)
        self.bus = EventBus(self.db)
        self.plans = DatabasePlans(self.db)
        self.journal = Journal(self.db)
        self.services = ServiceBook(config, self.db, self.box, self.bus)
        self.directory = Directory(self.db, config.country)
        self.observability = Observability(config, self.db, registry(), instance=identity(config))
        self.orders = Orders(self.db, self.directory, lambda: self.gateway)
        self.operations = LiveOperations(self.db, self.orders, lambda: self.gateway, lambda: self.client)
        self.services.place_call = self.operations.call_once
        self.client: Client | None = None
        self.gateway: Gateway | None = None
        self.workers: Workers | None = None
        self.asterisk: AsteriskProcess | None = None
        self.renderer: SpeechRenderer | None = None
        self.ears: SpeechEars | None = None
        self.speech = "starting"
        self.hearing = "starting"
        self.stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[Any]] = []

    # ------------------------------------------------------------------ life

    async def run(self) -> None:
        """Start, serve until asked to stop, end. Raises `ProductError` when something cannot start."""
        config = self.settings
        for folder in (config.home, config.home / "run", config.home / "logs", config.recordings):
            folder.mkdir(parents=True, exist_ok=True)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.db.close)
            stack.push_async_callback(self.observability.close)
            watching = asyncio.create_task(self._watch_loop())
            stack.callback(watching.cancel)
            await upgrade(self.db)
            async with alone(self.db, "first start"):
                await first_start(config, self.db, self.box)
            others = asyncio.create_task(Outbox(self.db, self.bus).run())
            stack.callback(others.cancel)
            logs.hide(ari_password(config), api_token(config.home))
            self._show_figures()
            following = asyncio.create_task(self.observability.follow(lambda: self.client))
            stack.callback(following.cancel)
            self.services.watch.start()
            stack.push_async_callback(self.services.watch.stop)
            for work in (mind(self.db), Attendance(self.db, self.bus).run()):
                stack.callback(asyncio.create_task(work).cancel)
            if "gateway" in self.roles:
                await self._start_speech(stack)
                await self._start_gateway(stack)
            self.journal.start()
            stack.push_async_callback(self.journal.stop)
            stack.push_async_callback(self.services.close)
            environment = Environment(
                registry=registry(),
                services_for=self.services,
                calls=self,
                ledger=Ledger(self.db),
                trail=self.journal,
                apologise=self.gateway.apologise if self.gateway is not None else None,
            )
            self.workers = Workers(config, environment)
            stack.push_async_callback(self._end_tasks)
            self._go(self._connect(), "temporal")
            if self.gateway is not None:
                self._go(self._work_on_calls(self.gateway), "calls")
                self._go(self.gateway.run(), "gateway")
                calling = CallBacks(self.db, self.bus, self.services.watch, self.gateway).run()
                stack.callback(asyncio.create_task(calling).cancel)
                trunks = TrunkWatch(self.db, self.gateway, self.asterisk).run()
                stack.callback(asyncio.create_task(trunks).cancel)
            if "worker" in self.roles:
                self._go(self._work_on_flows(), "flows")
                self._go(Keeper(config, self.db, self.box, lambda: self.client).run(), "keeper")
            if "api" in self.roles:
                self._go(self._serve_web(), "api")
                counting = asyncio.create_task(self.observability.sample())
                stack.callback(counting.cancel)
            elif config.metrics and config.metrics_port:
                self._go(self._serve_metrics(), "api")
            await self._until_stopped()
            self.client = None

    async def _watch_loop(self) -> None:
        """Tell when something held the event loop: every caller waits that long."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.25)
            late = time.monotonic() - before - 0.25
            metrics.LOOP_LAG.observe(max(0.0, late))
            if late > 0.3:
                log.warning("the event loop was held for %.2f s", late)

    def _go(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _until_stopped(self) -> None:
        """Wait for the order to stop, or for a part that ended by itself: then the whole process is at fault."""
        stop = asyncio.create_task(self.stopping.wait())
        try:
            lasting = [task for task in self._tasks if task.get_name() != "temporal"]
            done, _ = await asyncio.wait({stop, *lasting}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stop}:
                task.result()
                if not self.stopping.is_set():
                    raise ProductError(f"the part {task.get_name()!r} ended by itself")
        finally:
            stop.cancel()

    async def _end_tasks(self) -> None:
        """End the parts, the web server first and the workers before what they lean on."""
        self.stopping.set()
        order = ("api", "keeper", "flows", "calls", "gateway", "temporal")
        for task in sorted(self._tasks, key=lambda task: order.index(task.get_name())):
            if task.get_name() == "api":
                with contextlib.suppress(TimeoutError, asyncio.CancelledError, Exception):
                    await asyncio.wait_for(asyncio.shield(task), 3)
            began = time.monotonic()
            await end(task)
            log.debug("the part %s ended in %.2f s", task.get_name(), time.monotonic() - began)

    # ------------------------------------------------------------------ Temporal

    async def _connect(self) -> None:
        last = ""

        def told(problem: str) -> None:
            nonlocal last
            if problem != last:
                log.warning("Temporal at %s does not answer: %s", self.settings.temporal, problem)
            last = problem

        client = await connect(self.settings, self.plans, told=told, **self.observability.temporal)
        await register_search_attributes(client)
        self.client = client
        log.info("Temporal answers at %s", self.settings.temporal)

    async def _temporal(self) -> Client:
        while self.client is None:  # noqa: ASYNC110  set by a task that lives as long as this one
            await asyncio.sleep(0.02)
        return self.client

    async def _work_on_calls(self, gateway: Gateway) -> None:
        """Run the gateway's queue whenever it owns its engine and knows every live call."""
        assert self.workers is not None
        while True:
            await gateway.adopted.wait()
            client = await self._temporal()
            gateway.idle.clear()
            try:
                await self.workers.serve(client, self.settings.gateway_queue, gateway.disowned.wait, orders=self.orders)
            finally:
                gateway.idle.set()

    async def _work_on_flows(self) -> None:
        assert self.workers is not None
        await self.workers.serve(await self._temporal(), FLOWS_QUEUE, self.stopping.wait)

    async def get(self, call_id: str) -> Any:
        """`flows.task.Calls`."""
        return await self.gateway.get(call_id) if self.gateway is not None else None

    # ------------------------------------------------------------------ speech and telephony

    async def _start_speech(self, stack: AsyncExitStack) -> None:
        config = self.settings
        engine = EspeakEngine(workers=config.tts_workers, voices=at_speed(config.tts_speed))
        cache = await asyncio.to_thread(PromptCache, config.home / "speech")
        renderer = self.renderer = SpeechRenderer(engine, cache, self.services.prompt_library())
        stack.push_async_callback(renderer.close)

        async def warm() -> None:
            try:
                await renderer.check()
                self.speech = "ok"
            except Exception as problem:
                self.speech = str(problem)
                log.error("speech does not work: %s", problem)
                return
            for failed in await renderer.warm_builtin():
                log.warning("a built-in prompt cannot be spoken: %s", failed)

        task = asyncio.create_task(warm())
        stack.callback(task.cancel)
        try:
            packs = await asyncio.to_thread(find_packs, config.asr_models, config.home / "asr")
        except SpeechError as problem:
            raise ProductError("a language pack cannot be used", f"CALLWEAVE_ASR_MODELS: {problem}") from problem
        ears = self.ears = SpeechEars(LanguagePacks(packs, config.home / "asr"), threads=config.asr_threads)
        stack.callback(ears.close)
        loading = asyncio.create_task(self._load_packs(ears, sorted(packs) if config.asr_preload else []))
        stack.callback(loading.cancel)

    async def _load_packs(self, ears: SpeechEars, languages: Sequence[str]) -> None:
        for language in languages:
            try:
                await ears.load(language)
            except SpeechError as problem:
                self.hearing = str(problem)
                log.error("speech cannot be recognised: %s", problem)
                return
        self.hearing = "ok"

    async def _start_gateway(self, stack: AsyncExitStack) -> None:
        config = self.settings
        assert self.renderer is not None
        if config.ari_url:
            password = config.ari_password.get_secret_value()
            if not password:
                raise ProductError("the password of the telephony engine is missing", "Set CALLWEAVE_ARI_PASSWORD")
            connection = Connection(
                url=config.ari_url,
                user=config.ari_user,
                password=password,
                recordings=config.engine_folder / "spool" / "recording",
                sip_address=f"{config.sip_reached_at}:{config.sip_port}",
            )
        else:
            connection = await self._private_asterisk(stack)
        self.gateway = Gateway(
            config,
            self.db,
            connection=connection,
            renderer=self.renderer,
            ears=self.ears,
            directory=self.directory,
            services_for=self.services,
            client=lambda: self.client,
            journal=self.journal,
            box=self.box,
        )

    async def _private_asterisk(self, stack: AsyncExitStack) -> Connection:
        try:
            installation = await asyncio.to_thread(resolve, self.settings.cache)
            wanted = await self.engine_config()
            engine = self.asterisk = AsteriskProcess(
                wanted, installation, on_death=self._engine_died, share=not self.db.sqlite
            )
            adopted = await engine.start()
        except (InstallError, ProcessError) as problem:
            raise ProductError("the telephony engine does not start", str(problem)) from problem
        stack.push_async_callback(engine.detach)
        following = asyncio.create_task(self._follow_number_plan(engine))
        stack.callback(following.cancel)
        log.info("Asterisk %s %s", installation.version, "goes on" if adopted else "runs")

        def started() -> datetime | None:
            identity = Identity.of(engine.pid) if engine.pid is not None else None
            return None if identity is None else datetime.fromtimestamp(identity.started, UTC)

        return Connection(
            url=wanted.ari_url,
            user=wanted.ari_user,
            password=wanted.ari_password,
            recordings=wanted.recordings,
            sip_address=f"{self.settings.sip_reached_at}:{wanted.sip_port}",
            engine_started=started,
        )

    def _engine_died(self) -> None:
        if self.gateway is not None:
            self.gateway.engine_died()

    async def engine_config(self) -> AsteriskConfig:
        """What the settings and the number plan make of the private Asterisk."""
        config, reveal = self.settings, self.box.reveal
        low, high = (int(part) for part in config.rtp_ports.split("-"))
        trunks = [
            Trunk(
                name=row.name,
                host=row.host,
                port=row.port,
                username=row.username,
                password=reveal(row.password) if row.password else "",
                register=row.registers,
                codecs=tuple(row.codecs),
                transport=row.transport,  # type: ignore[arg-type]
                addresses=tuple(row.addresses),
                from_user=row.caller_id,
                encryption=row.encryption,  # type: ignore[arg-type]
                verify=row.verify,
                authority=row.authority,
                # Whether one that registers is there shows in its registration.
                qualify=not row.registers,
            )
            for row in await list_trunks(self.db)
            if row.enabled
        ]
        extensions = [
            Extension(number=row.number, password=reveal(row.password), name=row.name)
            for row in await list_extensions(self.db)
            if row.enabled
        ]
        return AsteriskConfig(
            folder=config.engine_folder,
            system="callweave" if config.name == "main" else f"callweave-{config.name}",
            ari_password=ari_password(config),
            ari_user=config.ari_user,
            ari_port=config.ari_port,
            sip_host=config.sip_host,
            sip_port=config.sip_port,
            rtp_ports=(low, high),
            external_address=config.external_address,
            local_address=config.sip_reached_locally if config.external_address else "",
            local_networks=tuple(part.strip() for part in config.local_networks.split(",") if part.strip()),
            max_calls=config.max_calls,
            trunks=tuple(trunks),
            extensions=tuple(extensions),
            music_folder=config.home / "music",
        )

    async def _follow_number_plan(self, engine: AsteriskProcess) -> None:
        """When trunks or extensions change, the engine takes them over without dropping a call."""
        while True:
            await asyncio.sleep(PLAN_SECONDS)
            try:
                wanted = await self.engine_config()
                if engine.owned and wanted != engine.config and engine.pid is not None:
                    await engine.apply(wanted)
                    log.info(
                        "Asterisk has taken over %d trunks, %d extensions", len(wanted.trunks), len(wanted.extensions)
                    )
            except (ProcessError, ConfigError, SealError, SQLAlchemyError, httpx.HTTPError, OSError) as problem:
                log.error("changed trunks or extensions are not in force: %s", problem)
                await asyncio.sleep(10)

    # ------------------------------------------------------------------ health

    def health(self) -> HealthRegistry:
        """What each part of this process says of itself; parts that run elsewhere are ``off``."""
        checks = HealthRegistry()

        async def temporal() -> ComponentHealth:
            if self.client is None or not await self.client.service_client.check_health():
                return ComponentHealth("down", f"Temporal at {self.settings.temporal} does not answer")
            return ComponentHealth("ok")

        async def worker() -> ComponentHealth:
            running = sorted(self.workers.running) if self.workers is not None else []
            wanted = "worker" not in self.roles or FLOWS_QUEUE in running
            state: HealthState = "ok" if running and wanted else "down"
            return ComponentHealth(state, "" if state == "ok" else "waits for Temporal", {"queues": ", ".join(running)})

        async def gateway() -> ComponentHealth:
            assert self.gateway is not None
            if self.gateway.standby:
                return ComponentHealth("degraded", "another process owns the telephony engine; this one stands by")
            working = self.settings.gateway_queue in (self.workers.running if self.workers is not None else ())
            if not self.gateway.connected or not working:
                return ComponentHealth("down", "not ready for calls yet")
            return ComponentHealth("ok", details={"calls": self.gateway.live})

        async def engine() -> ComponentHealth:
            if self.gateway is None or not (self.gateway.connected or self.gateway.standby):
                return ComponentHealth("down", "Asterisk does not answer")
            return ComponentHealth("ok")

        async def tts() -> ComponentHealth:
            match self.speech:
                case "ok":
                    return ComponentHealth("ok")
                case "starting":
                    return ComponentHealth("down", "starting")
                case problem:
                    return ComponentHealth("down", problem)

        async def asr() -> ComponentHealth:
            languages = ", ".join(sorted(self.ears.packs.packs)) if self.ears is not None else ""
            match self.hearing:
                case "ok":
                    return ComponentHealth("ok", details={"languages": languages or "none"})
                case "starting":
                    return ComponentHealth("degraded", "language packs are being loaded")
                case problem:
                    return ComponentHealth("degraded", problem)

        if {"worker", "gateway"} & set(self.roles):
            checks.register("temporal", temporal)
            checks.register("worker", worker)
        if "gateway" in self.roles:
            checks.register("gateway", gateway)
            checks.register("asterisk", engine)
            checks.register("tts", tts)
            checks.register("asr", asr)
        return checks

    # ------------------------------------------------------------------ web

    def _show_figures(self) -> None:
        """What `/metrics` reads from this process at the moment it is asked."""
        show, loop = self.observability.read, asyncio.get_running_loop()
        show("asyncio_tasks", lambda: len(asyncio.all_tasks(loop)))
        show("journal_waiting", lambda: self.journal.waiting)
        show("event_readers", lambda: self.bus.readers)
        show("workers_running", lambda: len(self.workers.running) if self.workers is not None else 0)
        if "gateway" in self.roles:
            show("calls_live", lambda: self.gateway.live if self.gateway is not None else 0)
            show("gateway_connected", lambda: self.gateway is not None and self.gateway.connected)
            show("gateway_standby", lambda: self.gateway is not None and self.gateway.standby)
            show("tts_workers", lambda: len(self._tts_pids()))

    def _tts_pids(self) -> Sequence[int]:
        engine = self.renderer.engine if self.renderer is not None else None
        return engine.pids if isinstance(engine, EspeakEngine) else ()

    async def _serve_metrics(self) -> None:
        """`/metrics` on a port of its own, for a process without the API."""
        config = self.settings
        server = QuietServer(
            uvicorn.Config(
                metrics_app(config),
                host=config.metrics_host,
                port=config.metrics_port,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=2,
            )
        )

        async def end() -> None:
            await self.stopping.wait()
            server.should_exit = True

        ending = asyncio.create_task(end())
        try:
            await server.serve()
        finally:
            ending.cancel()
        if not server.started and not self.stopping.is_set():
            raise ProductError(f"metrics cannot use port {config.metrics_port}", "Set CALLWEAVE_METRICS_PORT")

    async def _serve_web(self) -> None:
        config = self.settings
        state = AppState(
            settings=config,
            db=self.db,
            bus=self.bus,
            secrets=self.box,
            queries=QueryRunner(self.db, self.box),
            health=self.health(),
            token=api_token(config.home),
            operations=self.operations,
            renderer=self.renderer,
        )
        app = create_app(state)
        try:
            options = uvicorn_options(config)
        except TlsError as problem:
            raise ProductError("HTTPS cannot be served", str(problem)) from problem
        server = QuietServer(
            uvicorn.Config(
                app,
                host=config.http_host,
                port=config.http_port,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=2,
                **options,
            )
        )

        async def end() -> None:
            await self.stopping.wait()
            server.should_exit = True

        ending = asyncio.create_task(end())
        try:
            await server.serve()
        finally:
            ending.cancel()
            state.bus.close()
            await state.queries.close()
        if not server.started and not self.stopping.is_set():
            raise ProductError(f"the web server cannot use port {config.http_port}", "Set CALLWEAVE_HTTP_PORT")


class QuietServer(uvicorn.Server):
    """Leaves signals to this process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def ari_password(config: Settings) -> str:
    """The ARI password of the settings, else one made at the first start."""
    chosen = config.ari_password.get_secret_value()
    if chosen:
        return chosen
    made = create_private_file(config.home / "ari.key", lambda: secrets.token_urlsafe(24).encode())
    return made.decode().strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m backend.runtime.process [--wait] [--roles role ...]``; the supervisor starts it so."""
    parser = argparse.ArgumentParser(prog="callweave process")
    parser.add_argument("--wait", action="store_true", help="do the imports, then begin when a line arrives")
    parser.add_argument("--roles", nargs="+", choices=ALL, default=list(ALL))
    options = parser.parse_args(arguments)
    if options.wait:
        warm_up()
        if not sys.stdin.readline():
            return 0
    return serve(options.roles)


LATE_IMPORTS = (
    "aiosqlite",
    "anyio._backends._asyncio",
    "httpcore",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)
"""Modules that libraries import when they are first used."""


def warm_up() -> None:
    """What costs time at the first use and needs no decision: done by the spare before it is needed."""
    registry()
    head_revision()
    configure_mappers()
    for name in LATE_IMPORTS:
        importlib.import_module(name)


def serve(roles: Sequence[Role]) -> int:
    """Run roles in this process until it is told to stop; the exit code."""
    config = settings()
    logs.set_up(config)
    log.info("begins as process %d: %s", os.getpid(), ", ".join(roles))
    problem_file = config.home / "run" / PROBLEM_FILE
    problem_file.unlink(missing_ok=True)

    async def run() -> None:
        process = Process(config, roles)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, process.stopping.set)
        code = 0
        try:
            await process.run()
        except (ProductError, DomainError) as problem:
            log.error("%s", problem)
            problem_file.parent.mkdir(parents=True, exist_ok=True)
            problem_file.write_text(str(problem))
            code = 1
        # Everything is closed and written. The interpreter's own end would wait seconds for native threads of the
        # Temporal SDK that have nothing left to do.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)

    # What is imported stays for ever: collecting it again and again costs calls tens of milliseconds.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    uvloop.run(run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
