"""Child processes that outlive the process that started them.

A child runs in a session of its own, so that neither Ctrl-C nor the end of its parent reaches it. Its pid file
holds the pid and the start time of the process: a pid that the system gave to another program is never taken
for the child, and never signalled.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from backend.runtime.errors import ProductError

LOG_LIMIT = 20 * 1024 * 1024


def start_time(pid: int) -> float | None:
    """When the process started, or None when there is no such live process."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.Error:
        return None


@dataclass(frozen=True, slots=True)
class Identity:
    """One process for sure: the pid alone may be given away again."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        started = start_time(pid)
        return None if started is None else cls(pid, started)

    @property
    def alive(self) -> bool:
        started = start_time(self.pid)
        return started is not None and abs(started - self.started) < 0.5

    def signal(self, number: int) -> None:
        """Signal it if it is still the same process."""
        if self.alive:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


class PidFile:
    """Where a process is written down for those who come after."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Identity | None:
        """The live process the file names, or None."""
        try:
            data = json.loads(self.path.read_text())
            identity = Identity(int(data["pid"]), float(data["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return identity if identity.alive else None

    def write(self, identity: Identity) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps({"pid": identity.pid, "started": identity.started}))
        draft.replace(self.path)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def open_log(path: Path) -> int:
    """A file descriptor that appends to a log; a log over the limit becomes ``<name>.1`` first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_name(path.name + ".1"))
    except OSError:
        pass
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)


def last_lines(path: Path, count: int = 3) -> str:
    """The end of a log, for an error message."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 4096))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return " | ".join(line.strip() for line in lines[-count:])


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    pid_file: PidFile | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, with its output in a log."""
    descriptor = open_log(log)
    try:
        process = subprocess.Popen(
            list(command),
            stdin=stdin,
            stdout=descriptor,
            stderr=descriptor,
            env=dict(environment) if environment is not None else None,
            start_new_session=True,
        )
    except OSError as problem:
        raise ProductError(f"{command[0]} does not start: {problem.strerror}") from problem
    finally:
        os.close(descriptor)
    identity = Identity.of(process.pid)
    if pid_file is not None and identity is not None:
        pid_file.write(identity)
    return process


async def stop(identity: Identity, *, patience: float = 10.0, number: int = signal.SIGTERM) -> None:
    """Ask a process to end; end it by force when it does not."""
    identity.signal(number)
    if await gone(identity, patience):
        return
    identity.signal(signal.SIGKILL)
    await gone(identity, 5.0)


async def gone(identity: Identity, patience: float) -> bool:
    """Wait until a process has ended; False when it has not in that time."""
    end = time.monotonic() + patience
    while identity.alive:
        reap(identity.pid)
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.02)
    return True


def reap(pid: int) -> None:
    """Collect a child of ours that has ended; nothing for the children of others."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def port_taken(host: str, port: int, *, udp: bool = False) -> bool:
    """Whether another program holds the port."""
    kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if not udp:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def demand_free_port(host: str, port: int, setting: str, what: str, *, udp: bool = False) -> None:
    """Raise a problem that names the setting when the port is taken."""
    if port_taken(host, port, udp=udp):
        raise ProductError(
            f"port {port} ({what}) is taken by another program",
            f"Stop that program, or set {setting} to a free port",
        )
