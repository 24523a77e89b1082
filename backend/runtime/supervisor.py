"""`callweave up`: a small process that keeps Temporal and the Python process of one home alive.

The Python process (api + worker + gateway) keeps Asterisk alive in turn, since it renders its configuration. All of
them outlive this supervisor: after a crash of its own, `up` adopts what survived. A spare Python process that has its
imports done stands by, so that a killed one is replaced in well under a second.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from backend.runtime.children import Identity, PidFile, demand_free_port, last_lines, spawn, stop
from backend.runtime.errors import ProductError
from backend.runtime.temporal_server import TemporalServer
from backend.settings import Settings
from telephony.asterisk.install import InstallError, resolve

Print = Callable[[str], None]

POLL = 0.05
ANY = "0.0.0.0"  # noqa: S104  only compared with
STEADY = 10.0
"""Seconds. What lived for so long had come up; callers wait for it, so it is started again at once."""
LONGEST_PAUSE = 30.0
WELL = ("ok", "off", "degraded")
FIRST_SIGN_IN = "first-sign-in.txt"


@dataclass(slots=True)
class BackOff:
    """Pauses between restarts: none after a steady run, then doubling."""

    failures: int = 0
    pauses: list[float] = field(default_factory=list)

    def next(self, lived: float) -> float:
        """How long to wait before the next start of something that lived for so many seconds."""
        if lived >= STEADY:
            self.failures = 0
        pause = 0.0 if self.failures == 0 else min(LONGEST_PAUSE, 0.5 * 2 ** (self.failures - 1))
        self.failures += 1
        return pause


class HomeLock:
    """One home, one supervisor."""

    def __init__(self, home: Path) -> None:
        self._path = home / "run" / "lock"
        self._descriptor = -1

    def take(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            os.close(self._descriptor)
            self._descriptor = -1
            raise ProductError(
                f"Callweave is already running in {self._path.parent.parent}",
                "Stop it with 'callweave down', or set CALLWEAVE_HOME to another folder",
            ) from problem

    def free(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def app_pid_file(settings: Settings) -> PidFile:
    """Where the Python process of the embedded mode is written down."""
    return PidFile(settings.home / "run" / "app.pid")


def asterisk_pid_file(settings: Settings) -> PidFile:
    """Where `telephony.asterisk.process` writes down the Asterisk that it runs."""
    return PidFile(settings.engine_folder / "asterisk.pid")


def supervisor_pid_file(settings: Settings) -> PidFile:
    return PidFile(settings.home / "run" / "supervisor.pid")


def with_bytecode(settings: Settings) -> dict[str, str]:
    """The environment of Python children: compiled modules are kept, whatever the shell or a read-only place says.

    Compiling everything anew costs several seconds, in which a caller waits after a crash.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(settings.cache / "bytecode")}


class App:
    """The Python process, and the spare one that waits with its imports done."""

    def __init__(self, settings: Settings) -> None:
        self.log = settings.home / "logs" / "callweave.log"
        self._environment = with_bytecode(settings)
        self._pid_file = app_pid_file(settings)
        self._spare: subprocess.Popen[bytes] | None = None
        self._children: list[subprocess.Popen[bytes]] = []
        self.started = 0.0

    def running(self) -> Identity | None:
        for child in self._children:
            child.poll()
        return self._pid_file.read()

    def _spawn(self) -> subprocess.Popen[bytes]:
        # The spare begins when a line arrives, and ends when the pipe closes with us.
        process = spawn(
            [sys.executable, "-m", "backend.runtime.process", "--wait"],
            log=self.log,
            environment=self._environment,
            stdin=subprocess.PIPE,
        )
        self._children.append(process)
        return process

    def start(self) -> Identity:
        """Start it, from the spare when there is one."""
        process = self._spare if self._spare is not None and self._spare.poll() is None else self._spawn()
        self._spare = None
        identity = Identity.of(process.pid)
        if identity is None or process.stdin is None:
            raise ProductError("the Python process ended at once", f"See {self.log}: {last_lines(self.log)}")
        self._pid_file.write(identity)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(b"go\n")
            process.stdin.close()
        self.started = time.monotonic()
        return identity

    def keep_spare(self) -> None:
        """Have a spare ready for the next start."""
        self._children = [child for child in self._children if child.poll() is None]
        if self._spare is None or self._spare.poll() is not None:
            self._spare = self._spawn()

    async def stop(self) -> None:
        if self._spare is not None:
            if self._spare.stdin is not None:
                self._spare.stdin.close()
            self._spare.terminate()
            self._spare = None
        running = self.running()
        if running is not None:
            await stop(running, patience=15)
        self._pid_file.remove()


class Supervisor:
    """Starts everything, tells the person at the terminal, watches, and stops everything."""

    def __init__(self, settings: Settings, tell: Print) -> None:
        self.settings = settings
        self.tell = tell
        self.temporal = TemporalServer(settings) if not settings.temporal_address else None
        self.app = App(settings)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Run until a signal asks to stop. Raises `ProductError` when something cannot start."""
        settings = self.settings
        for folder in ("run", "logs"):
            (settings.home / folder).mkdir(parents=True, exist_ok=True)
        lock = HomeLock(settings.home)
        lock.take()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stopping.set)
        identity = Identity.of(os.getpid())
        if identity is not None:
            supervisor_pid_file(settings).write(identity)
        try:
            try:
                await self._start()
            except BaseException:
                await self._stop(quiet=True)
                raise
            if not self._stopping.is_set():
                await self._watch()
            await self._stop()
        finally:
            supervisor_pid_file(settings).remove()
            lock.free()

    # ------------------------------------------------------------------ start

    async def _start(self) -> None:
        settings = self.settings
        adopted = self.app.running()
        if adopted is None:
            demand_free_port(settings.http_host, settings.http_port, "CALLWEAVE_HTTP_PORT", "web server")
        if not settings.ari_url:
            if asterisk_pid_file(settings).read() is None:
                demand_free_port("127.0.0.1", settings.ari_port, "CALLWEAVE_ARI_PORT", "Asterisk's ARI")
                demand_free_port(settings.sip_host, settings.sip_port, "CALLWEAVE_SIP_PORT", "SIP", udp=True)
            await self._find_asterisk()
        if self.temporal is not None:
            known = self.temporal.running()
            await self.temporal.start()
            self.tell("Temporal      found running" if known else f"Temporal      port {settings.temporal_port}")
            await self.temporal.wait_ready()
        signed_in = settings.home / FIRST_SIGN_IN
        first = not signed_in.exists()
        if adopted is None:
            self.tell("Callweave     starting (api, worker, gateway)")
            self.app.start()
        else:
            self.tell("Callweave     found running")
            self.app.started = time.monotonic()
        if await self._wait_healthy():
            self._announce(signed_in if first else None)

    async def _find_asterisk(self) -> None:
        loop = asyncio.get_running_loop()

        def progress(line: str) -> None:
            loop.call_soon_threadsafe(self.tell, f"Asterisk      {line}")

        try:
            found = await asyncio.to_thread(resolve, self.settings.cache, progress=progress)
        except InstallError as problem:
            raise ProductError("there is no Asterisk", str(problem)) from problem
        self.tell(f"Asterisk      {found.version} ({found.kind}), SIP port {self.settings.sip_port}")

    async def _wait_healthy(self, timeout: float = 90.0) -> bool:
        """Wait until every part says that it is well; False when a stop came first."""
        end = time.monotonic() + timeout
        last: dict[str, str] = {}
        while not self._stopping.is_set():
            if self.app.running() is None:
                raise ProductError("Callweave ended while starting", self._reason())
            state = await health(self.settings)
            if state is not None and all(value in WELL for value in state.values()):
                return True
            last = state or last
            if time.monotonic() > end:
                bad = ", ".join(f"{name} {value}" for name, value in last.items() if value not in WELL)
                raise ProductError(
                    f"not everything is well after {timeout:g} s: {bad or 'the web server does not answer'}",
                    f"See {self.app.log}: {last_lines(self.app.log)}",
                )
            await asyncio.sleep(0.1)
        return False

    def _reason(self) -> str:
        """What the process wrote for people before it ended, else the end of its log."""
        told = self.settings.home / "run" / "problem.txt"
        with contextlib.suppress(OSError):
            return told.read_text().strip()
        return f"See {self.app.log}: {last_lines(self.app.log)}"

    def _announce(self, first_sign_in: Path | None) -> None:
        settings = self.settings
        self.tell("")
        self.tell("Callweave is running")
        self.tell(f"  Web and API   {settings.base_url}  (GraphQL at {settings.base_url}/graphql)")
        if self.temporal is not None:
            self.tell(f"  Temporal UI   {self.temporal.ui_url}")
        self.tell(f"  Call          sip:100@{settings.sip_reached_at}:{settings.sip_port}")
        if first_sign_in is not None and first_sign_in.exists():
            self.tell("")
            for line in first_sign_in.read_text().splitlines():
                self.tell(f"  {line}")
            self.tell(f"  (kept in {first_sign_in})")
        else:
            self.tell(f"  Sign-in       see {settings.home / FIRST_SIGN_IN}")
        self.tell("")
        self.tell("Ctrl-C stops everything.")

    # ------------------------------------------------------------------ watch and stop

    async def _watch(self) -> None:
        app_pauses, temporal_pauses = BackOff(), BackOff()
        temporal_started = time.monotonic()
        app_due = temporal_due = 0.0
        spare_due = time.monotonic()
        while not self._stopping.is_set():
            now = time.monotonic()
            if self.app.running() is None:
                if not app_due:
                    app_due = now + app_pauses.next(now - self.app.started)
                    self.tell(f"Callweave     ended unexpectedly: {last_lines(self.app.log, 1)[:200]}; starting again")
                if now >= app_due:
                    with contextlib.suppress(ProductError):
                        self.app.start()
                    app_due, spare_due = 0.0, now + 1.5
            elif now >= spare_due:
                self.app.keep_spare()
                spare_due = now + 5.0
            if self.temporal is not None and self.temporal.running() is None:
                if not temporal_due:
                    temporal_due = now + temporal_pauses.next(now - temporal_started)
                    self.tell("Temporal      ended unexpectedly; starting again")
                if now >= temporal_due:
                    try:
                        await self.temporal.start(patience=5.0)
                    except ProductError as problem:
                        self.tell(f"Temporal      {problem}")
                    temporal_started, temporal_due = now, 0.0
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), POLL)

    async def _stop(self, quiet: bool = False) -> None:
        if not quiet:
            self.tell("Stopping ...")
        await self.app.stop()
        await stop_children(self.settings)
        if not quiet:
            self.tell("Callweave has stopped")


async def stop_children(settings: Settings) -> None:
    """End Asterisk and Temporal of this home, whoever started them."""
    asterisk = asterisk_pid_file(settings)
    running = asterisk.read()
    if running is not None:
        await stop(running)
    asterisk.remove()
    await TemporalServer(settings).stop()


async def down(settings: Settings) -> bool:
    """Stop all processes of this home; False when none was running."""
    found = False
    supervisor = supervisor_pid_file(settings).read()
    if supervisor is not None:
        found = True
        await stop(supervisor, patience=40)
    app = app_pid_file(settings).read()
    if app is not None:
        found = True
        await stop(app, patience=15)
    found = found or asterisk_pid_file(settings).read() is not None or TemporalServer(settings).running() is not None
    await stop_children(settings)
    return found


async def health(settings: Settings) -> dict[str, str] | None:
    """Each part's state by ``/healthz``, or None when nobody answers."""
    host = "127.0.0.1" if settings.http_host in (ANY, "::") else settings.http_host
    scheme = "http" if settings.https == "off" else "https"
    url = f"{scheme}://{host}:{settings.http_port}/healthz"
    try:
        # The certificate may be the installation's own; the question holds no secret.
        async with httpx.AsyncClient(verify=False, trust_env=False, timeout=5) as client:  # noqa: S501
            reply = await client.get(url)
            parts = reply.json().get("components", {})
    except (httpx.HTTPError, ValueError, AttributeError):
        return None
    if not isinstance(parts, dict):
        return None
    return {name: str(value.get("state", "") if isinstance(value, dict) else value) for name, value in parts.items()}
