"""Start, watch, adopt and stop one private Asterisk."""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import re
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, TextIO

import httpx
import psutil

from telephony.asterisk.config import RELOADABLE, SILENT_SECONDS, TRUNK, AsteriskConfig, is_word, render, run_folder
from telephony.asterisk.install import Installation
from telephony.speech import audio

log = logging.getLogger(__name__)

BOOT_SECONDS = 20.0
STOP_SECONDS = 5.0
BACK_OFF = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
LOG_BYTES = 10_000_000
"""Logs that have grown beyond this are put aside at a start."""
LOCK_SECONDS = 1.0
PORT_SECONDS = 1.0
STEADY_SECONDS = 30.0
"""After this long without a death the back-off begins anew."""
ASK_SECONDS = 5.0
"""How long its command line may take."""

RELOADED = (
    # Whose call it is must be known before the trunk is there, else a call of its far end would be a stranger's.
    "res_pjsip_endpoint_identifier_ip.so",
    "res_pjsip.so",
    "res_pjsip_outbound_registration.so",
    "pbx_config.so",
    "res_musiconhold.so",
)
"""What takes over a changed configuration, in this order."""

_REGISTRATION = re.compile(
    rf"^\s*{TRUNK}(?P<trunk>[A-Za-z0-9_-]+)/.*?\s(?P<status>Registered|Rejected|Unregistered|Stopping|Stopped)\b"
    r"(?:\s*\(exp\. (?P<seconds>-?\d+)s(?P<ago> ago)?\))?",
    re.M,
)


@dataclass(frozen=True, slots=True)
class Registration:
    """How far a trunk has signed in. ``seconds`` are those to its next try; fewer than none while it tries."""

    status: Literal["registered", "failed", "unregistered"]
    seconds: int = 0

    def refused(self, before: "Registration | None", was_refused: bool) -> bool:
        """Whether the far end said no rather than nothing: only the pause before the next try tells them apart.

        `before` is what was told last, and `was_refused` what that came to.
        """
        if self.seconds > SILENT_SECONDS:
            return True
        same_pause = before is not None and self.seconds <= before.seconds
        return same_pause and was_refused


class ProcessError(RuntimeError):
    """Asterisk cannot be started. The message names the cause and the remedy."""


class OwnedElsewhereError(ProcessError):
    """Another process looks after the Asterisk of that folder."""


class PortTakenError(ProcessError):
    """A port is used by another program. ``setting`` names the setting to change."""

    def __init__(self, port: int, setting: str, protocol: str) -> None:
        super().__init__(f"{protocol} port {port} is taken by another program: change the setting {setting}")
        self.port = port
        self.setting = setting


@dataclass(frozen=True, slots=True)
class _Running:
    """A process by its id and its start time, which tells it from a later one with the same id."""

    pid: int
    started: float

    @property
    def alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            if process.create_time() != self.started:
                return False
            # The first thread may be over while others still hold the ports.
            return bool(process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1)
        except psutil.Error:
            return False


class AsteriskProcess:
    """One private Asterisk that outlives this Python process.

    `start` adopts a running one or starts it, then keeps it alive until `detach` (leave it running) or `stop`.
    `on_death` is called each time it is found dead, before it is started again. With `share`, one that another process
    looks after is used as it is, and looked after from the end of that process on.
    """

    def __init__(
        self,
        config: AsteriskConfig,
        installation: Installation,
        *,
        on_death: Callable[[], None] | None = None,
        keep_alive: bool = True,
        share: bool = False,
    ) -> None:
        self.config = config
        self.installation = installation
        self._on_death = on_death
        self._keep_alive = keep_alive
        self._share = share
        self._running: _Running | None = None
        self._watch: asyncio.Task[None] | None = None
        self._lock: TextIO | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the running Asterisk, or None."""
        running = self._running or (self._read_pid() if self._share else None)
        return running.pid if running and running.alive else None

    @property
    def owned(self) -> bool:
        """Whether this process looks after it."""
        return self._lock is not None

    # ----------------------------------------------------------------- start and stop

    async def start(self) -> bool:
        """Make it run and wait until it has booted; True when a running one was adopted.

        An adopted one takes over changed trunks and extensions; one that runs with other ports is replaced.
        """
        try:
            await self._own()
        except OwnedElsewhereError:
            if not self._share:
                raise
            await self._booted_elsewhere()
            self._watch = asyncio.create_task(self._succeed(), name="asterisk-succeed")
            return True
        adopted = await self._adopt()
        if not adopted:
            try:
                await self._launch()
            except BaseException:
                self._disown()
                raise
        if self._keep_alive and self._watch is None:
            self._watch = asyncio.create_task(self._keep_running(), name="asterisk-watch")
        return adopted

    async def apply(self, config: AsteriskConfig) -> None:
        """Take over changed trunks, extensions, music and limits without dropping calls.

        Raises `ProcessError` when another field changed, which needs `stop` and a new start.
        """
        changed = {f.name for f in fields(config) if getattr(config, f.name) != getattr(self.config, f.name)}
        if fixed := changed - RELOADABLE:
            raise ProcessError(f"a new start of Asterisk is needed to change {', '.join(sorted(fixed))}")
        await asyncio.to_thread(prepare, config, self.installation)
        self.config = config
        await self._reload()

    async def detach(self) -> None:
        """Stop watching and leave Asterisk running."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        self._disown()

    async def stop(self) -> None:
        """Stop Asterisk and all its calls; also one that an earlier process of ours left running."""
        if self._watch is not None:
            self._watch.cancel()
        running = self._running or self._read_pid()
        if running is not None:
            await self._kill(running)
        self._running = None
        self._pid_file.unlink(missing_ok=True)
        await self.detach()

    async def healthy(self) -> bool:
        """Whether it has booted and answers."""
        try:
            async with self._http(timeout=2) as http:
                answer = await http.get("asterisk/info", params={"only": "status"})
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    async def registrations(self) -> dict[str, Registration]:
        """How far trunks have signed in at their far ends, by the trunk's name. Raises `ProcessError`."""
        argv = self.installation.argv(
            "-C", str(self.config.folder / "etc" / "asterisk.conf"), "-rx", "pjsip show registrations"
        )
        try:
            child = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as problem:
            raise ProcessError(f"Asterisk cannot be asked: {problem}") from problem
        try:
            told, _ = await asyncio.wait_for(child.communicate(), ASK_SECONDS)
        except TimeoutError as problem:
            raise ProcessError("Asterisk does not say which trunks have registered") from problem
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        return registrations_of(told.decode(errors="replace"))

    # ----------------------------------------------------------------- inside

    async def _own(self) -> None:
        """Be the only one that looks after this folder's Asterisk; the lock goes with this process."""
        if self._lock is not None:
            return
        self.config.folder.mkdir(parents=True, exist_ok=True)
        lock = (self.config.folder / "supervisor.lock").open("w")
        until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > until:
                    lock.close()
                    raise OwnedElsewhereError(
                        f"another process looks after the Asterisk in {self.config.folder}: end it first"
                    ) from None
                await asyncio.sleep(0.05)
            else:
                self._lock = lock
                return

    def _disown(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _pid_file(self) -> Path:
        return self.config.folder / "asterisk.pid"

    def _http(self, timeout: float) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"{self.config.ari_url}/ari/",
            auth=(self.config.ari_user, self.config.ari_password),
            timeout=timeout,
            trust_env=False,
            # Plain HTTP on loopback: loading the certificate authorities would hold every caller for a moment.
            verify=False,  # noqa: S501
        )

    def _read_pid(self) -> _Running | None:
        try:
            facts = json.loads(self._pid_file.read_text())
            running = _Running(int(facts["pid"]), float(facts["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return running if running.alive else None

    async def _adopt(self) -> bool:
        running = self._read_pid()
        if running is None:
            return False
        fixed = self._fixed_part()
        kept = self.config.folder / "fixed.json"
        same = kept.exists() and kept.read_text() == fixed
        if not same or not await self.healthy():
            log.warning("the Asterisk that runs as process %d does not fit or does not answer: replaced", running.pid)
            await self._kill(running)
            return False
        self._running = running
        await asyncio.to_thread(prepare, self.config, self.installation)
        await self._reload()
        log.info("adopted the Asterisk that runs as process %d", running.pid)
        return True

    def _fixed_part(self) -> str:
        """What a running Asterisk cannot take over."""
        files = render(self.config, self.installation)
        parts = {name: files[name] for name in ("http.conf", "ari.conf", "rtp.conf", "sorcery.conf")}
        transports = [s for s in files["pjsip.conf"].split("\n\n") if "\ntype=transport\n" in f"{s}\n"]
        return json.dumps({**parts, "transports": transports}, indent=1)

    async def _launch(self) -> None:
        await asyncio.to_thread(prepare, self.config, self.installation)
        await self._ports_free()
        folder = self.config.folder
        begun = time.monotonic()
        output = folder / "log" / "console.log"
        argv = self.installation.argv("-C", str(folder / "etc" / "asterisk.conf"), "-f", "-n")
        pid = _spawn(argv, output)
        self._running = _Running(pid, psutil.Process(pid).create_time())
        part = self._pid_file.with_suffix(".part")
        part.write_text(json.dumps({"pid": pid, "started": self._running.started}))
        part.replace(self._pid_file)
        (folder / "fixed.json").write_text(self._fixed_part())
        (folder / "fixed.json").chmod(0o600)
        while not await self.healthy():
            _reap(pid)
            if not self._running.alive:
                tail = output.read_text(errors="replace")[-1500:].strip()
                raise ProcessError(f"Asterisk ended while it started; {output} says: {tail or 'nothing'}")
            if time.monotonic() - begun > BOOT_SECONDS:
                await self._kill(self._running)
                raise ProcessError(f"Asterisk has not booted in {BOOT_SECONDS:.0f} s; see {folder / 'log'}")
            await asyncio.sleep(0.02)
        log.info(
            "Asterisk %s runs as process %d after %.2f s", self.installation.version, pid, time.monotonic() - begun
        )

    async def _ports_free(self) -> None:
        """Wait a moment for ports that an ended process still holds; raise when they stay taken."""
        until = time.monotonic() + PORT_SECONDS
        while True:
            try:
                return self._check_ports()
            except PortTakenError:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(0.05)

    def _check_ports(self) -> None:
        config = self.config
        checks = [
            (socket.SOCK_STREAM, "127.0.0.1", config.ari_port, "ari_port (CALLWEAVE_ARI_PORT)", "TCP"),
            (socket.SOCK_DGRAM, config.sip_host, config.sip_port, "sip_port (CALLWEAVE_SIP_PORT)", "UDP"),
            (socket.SOCK_STREAM, config.sip_host, config.sip_port, "sip_port (CALLWEAVE_SIP_PORT)", "TCP"),
        ]
        for kind, host, port, setting, protocol in checks:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family, kind) as probe:
                if kind == socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port))
                except PermissionError as error:
                    raise ProcessError(
                        f"{protocol} port {port} may not be used here: change the setting {setting}"
                    ) from error
                except OSError as error:
                    if error.errno == 99:
                        raise ProcessError(f"{host} is no address of this machine: change sip_host") from error
                    raise PortTakenError(port, setting, protocol) from error

    async def _kill(self, running: _Running) -> None:
        for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
            until = time.monotonic() + seconds
            with contextlib.suppress(ProcessLookupError):
                if running.alive:
                    os.kill(running.pid, number)
            while running.alive and time.monotonic() < until:
                _reap(running.pid)
                await asyncio.sleep(0.02)
            _reap(running.pid)
            if not running.alive:
                return
        raise ProcessError(f"Asterisk (process {running.pid}) cannot be ended")

    async def _gone(self, running: _Running) -> None:
        """Wait until a process has ended, whether it is our child or not."""
        loop = asyncio.get_running_loop()
        try:
            handle = os.pidfd_open(running.pid)
        except (OSError, AttributeError):
            while running.alive:  # noqa: ASYNC110 - the system tells nobody
                await asyncio.sleep(0.2)
            return
        ended = asyncio.Event()
        try:
            if not running.alive:
                return
            loop.add_reader(handle, ended.set)
            await ended.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)
            _reap(running.pid)

    async def _booted_elsewhere(self) -> None:
        until = time.monotonic() + BOOT_SECONDS
        while not await self.healthy():
            if time.monotonic() > until:
                raise ProcessError(
                    f"the Asterisk that another process looks after does not answer: {self.config.folder}"
                )
            await asyncio.sleep(0.1)

    async def _succeed(self) -> None:
        """Wait for the end of the process that looks after it, then do so here."""
        while True:
            try:
                await self._own()
            except OwnedElsewhereError:
                await asyncio.sleep(0.5)
                continue
            break
        log.info("this process looks after the Asterisk in %s now", self.config.folder)
        try:
            if not await self._adopt():
                if self._on_death is not None:
                    self._on_death()
                await self._launch()
        except (ProcessError, httpx.HTTPError, OSError) as problem:
            log.error("Asterisk cannot be taken over: %s", problem)
        await self._keep_running()

    async def _keep_running(self) -> None:
        deaths = 0
        while True:
            running = self._running
            born = time.monotonic()
            if running is not None:
                await self._gone(running)
                log.error("Asterisk (process %d) has died: starting it again", running.pid)
                if self._on_death is not None:
                    self._on_death()
            if time.monotonic() - born > STEADY_SECONDS:
                deaths = 0
            await asyncio.sleep(BACK_OFF[min(deaths, len(BACK_OFF) - 1)])
            deaths += 1
            try:
                await self._launch()
            except (ProcessError, ValueError, OSError) as problem:
                log.error("Asterisk cannot be started again: %s", problem)
                self._running = None

    async def _reload(self) -> None:
        async with self._http(timeout=15) as http:
            for name in RELOADED:
                answer = await http.put(f"asterisk/modules/{name}")
                if answer.status_code >= 400:
                    raise ProcessError(f"Asterisk did not reload {name}: {answer.status_code} {answer.text[:200]}")


def registrations_of(told: str) -> dict[str, Registration]:
    """Trunks in what ``pjsip show registrations`` tells."""
    known: dict[str, Literal["registered", "failed"]] = {"Registered": "registered", "Rejected": "failed"}
    return {
        found["trunk"]: Registration(
            known.get(found["status"], "unregistered"), int(found["seconds"] or 0) * (-1 if found["ago"] else 1)
        )
        for found in _REGISTRATION.finditer(told)
    }


def _spawn(argv: list[str], output: Path) -> int:
    """Start a process in a session of its own, tied to no Python object: it lives on when this process dies."""
    with output.open("ab") as file, Path(os.devnull).open("rb") as nothing:
        return os.posix_spawn(
            argv[0],
            argv,
            os.environ,
            setsid=True,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, nothing.fileno(), 0),
                (os.POSIX_SPAWN_DUP2, file.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, file.fileno(), 2),
            ],
        )


def _reap(pid: int) -> None:
    """Take the exit state of a child of ours, so that it is no zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def prepare(config: AsteriskConfig, installation: Installation) -> None:
    """Write everything that Asterisk reads: folders, links to its data, sounds, configuration."""
    folder = config.folder
    music: list[str] = []
    if config.music_folder is not None and config.music_folder.is_dir():
        kinds = (child for child in config.music_folder.iterdir() if any(child.glob("*.wav")))
        music = sorted(child.name for child in kinds if is_word(child.name))
    files = render(config, installation, music)
    for name in ("etc", "db", "log", "data", "spool/recording", "spool/tmp", "spool/monitor"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for log_file in (folder / "log/messages.log", folder / "log/console.log"):
        if log_file.exists() and log_file.stat().st_size > LOG_BYTES:
            log_file.replace(log_file.with_suffix(".log.1"))
    run_folder(config).mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("documentation", "rest-api", "static-http", "keys"):
        link, target = folder / "data" / name, installation.data / name
        if link.is_symlink() and link.readlink() != target:
            link.unlink()
        if not link.exists() and target.exists():
            link.symlink_to(target)
    for path, make in (
        (folder / "data/sounds/en/beep.wav", audio.beep),
        (folder / "music/default/calm.wav", audio.comfort_music),
    ):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            audio.write_wav(part := path.with_suffix(".part"), make())
            part.replace(path)
    etc = folder / "etc"
    etc.chmod(0o700)
    for name, text in files.items():
        path = etc / name
        if path.exists() and path.read_text() == text:
            continue
        part = path.with_name(f".{name}.part")
        part.touch(mode=0o600)
        part.write_text(text)
        part.replace(path)
