"""The whole product for tests: started by its command line in a folder of its own, on free ports.

    async with running_product(tmp_path) as product:
        async with ProbePhone("127.0.0.1", product.sip_port) as phone:
            await phone.call("100")

Only processes of this product are ever signalled, by their pid files.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from backend.runtime.children import Identity, PidFile
from backend.runtime.supervisor import app_pid_file, asterisk_pid_file
from backend.security import api_token
from backend.settings import Settings
from backend.testing_postgres import running_postgres
from telephony.free_ports import free_ports, free_range

START_SECONDS = 120.0
SPEED = 140
"""Prompts are spoken at this many per cent of their usual rate: journeys listen to all of them."""


@dataclass
class Product:
    """A running product."""

    home: Path
    environment: dict[str, str]
    settings: Settings
    http_url: str
    http_port: int
    sip_port: int
    temporal_port: int
    process: asyncio.subprocess.Process
    output: Path
    client: httpx.AsyncClient

    @property
    def temporal(self) -> str:
        return f"127.0.0.1:{self.temporal_port}"

    async def graphql(self, query: str, **variables: Any) -> Any:
        """Ask the API as the command line; the data, or an AssertionError with the errors."""
        reply = await self.client.post("/graphql", json={"query": query, "variables": variables})
        answer = reply.json()
        assert not answer.get("errors"), answer["errors"]
        return answer["data"]

    async def cli(self, *arguments: str, check: bool = True) -> str:
        """Run ``callweave`` with this product's settings; its output."""
        process = await asyncio.create_subprocess_exec(
            *callweave(),
            *arguments,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        text = out.decode()
        assert not check or process.returncode == 0, f"callweave {' '.join(arguments)}: {text}"
        return text

    def first_sign_in(self) -> dict[str, str]:
        """Administrator's password (``admin``) and the extensions' passwords by number."""
        found: dict[str, str] = {}
        for line in (self.home / "first-sign-in.txt").read_text().splitlines():
            words = line.split()
            if words[0] == "Password":
                found["admin"] = words[1]
            elif words[0] == "Extension":
                found[words[1]] = words[3]
        return found

    async def healthy(self, timeout: float = 30.0) -> None:
        """Wait until every part is well."""
        end = time.monotonic() + timeout
        state: Any = None
        while time.monotonic() < end:
            with contextlib.suppress(httpx.HTTPError, ValueError):
                state = (await self.client.get("/healthz")).json()
                if state["status"] == "ok":
                    return
            await asyncio.sleep(0.1)
        raise AssertionError(f"not healthy after {timeout} s: {state}")

    def _signal(self, file: PidFile, number: int) -> Identity:
        identity = file.read()
        assert identity is not None, f"{file.path} names no live process"
        identity.signal(number)
        return identity

    def kill_python(self) -> Identity:
        """``kill -9`` of the Python process; the supervisor starts it again."""
        return self._signal(app_pid_file(self.settings), signal.SIGKILL)

    def kill_asterisk(self) -> Identity:
        return self._signal(asterisk_pid_file(self.settings), signal.SIGKILL)

    def kill_temporal(self) -> Identity:
        return self._signal(PidFile(self.home / "run" / "temporal.pid"), signal.SIGKILL)

    @contextlib.contextmanager
    def temporal_away(self) -> Any:
        """Temporal answers nothing inside the block: its process stands still."""
        identity = self._signal(PidFile(self.home / "run" / "temporal.pid"), signal.SIGSTOP)
        try:
            yield
        finally:
            identity.signal(signal.SIGCONT)

    def log(self) -> str:
        """Everything that was printed and logged, for a failing test."""
        files = [self.output, *sorted((self.home / "logs").glob("*.log"))]
        return "\n".join(f"== {file.name}\n{file.read_text(errors='replace')[-6000:]}" for file in files)


def callweave() -> list[str]:
    """The command line of this checkout."""
    return [sys.executable, "-c", "from backend.cli import main; main()"]


@asynccontextmanager
async def running_product(
    folder: Path, environment: Mapping[str, str] | None = None, *, told: Callable[[str], None] | None = None
) -> AsyncIterator[Product]:
    """Start the product with ``callweave up``, wait until it is well, stop it at the end.

    `environment` adds or overrides settings (``CALLWEAVE_...``). With CALLWEAVE_TEST_DATABASE=postgresql its data lies
    on a PostgreSQL server of its own, unless a database is named there.
    """
    given = environment or {}
    if os.environ.get("CALLWEAVE_TEST_DATABASE") == "postgresql" and "CALLWEAVE_DATABASE_URL" not in given:
        with running_postgres() as postgres:
            named = {**given, "CALLWEAVE_DATABASE_URL": postgres.database()}
            async with running_product(folder, named, told=told) as product:
                yield product
        return
    home = folder / "home"
    output = folder / "up.log"
    http, sip, temporal, ui, ari = free_ports(5)
    low, high = free_range()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CALLWEAVE_")}
    cache = os.environ.get("CALLWEAVE_CACHE")
    env = {
        **kept,
        **({"CALLWEAVE_CACHE": cache} if cache else {}),
        "CALLWEAVE_HOME": str(home),
        "CALLWEAVE_HTTP_PORT": str(http),
        "CALLWEAVE_SIP_HOST": "127.0.0.1",
        "CALLWEAVE_SIP_PORT": str(sip),
        "CALLWEAVE_TEMPORAL_PORT": str(temporal),
        "CALLWEAVE_TEMPORAL_UI_PORT": str(ui),
        "CALLWEAVE_ARI_PORT": str(ari),
        "CALLWEAVE_RTP_PORTS": f"{low}-{high}",
        "CALLWEAVE_ASR_PRELOAD": "false",
        "CALLWEAVE_TTS_SPEED": str(SPEED),
        "PYTHONUNBUFFERED": "1",
        **(environment or {}),
    }
    fields = {
        name.removeprefix("CALLWEAVE_").lower(): value for name, value in env.items() if name.startswith("CALLWEAVE_")
    }
    settings = Settings.model_validate(fields)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    with output.open("wb") as file:
        process = await asyncio.create_subprocess_exec(*callweave(), "up", env=env, stdout=file, stderr=file)
    try:
        await wait_running(process, output)
        if told is not None:
            told(output.read_text())
        token = api_token(home)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{http}",
            headers={"authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=10,
        ) as client:
            yield Product(
                home=home,
                environment=env,
                settings=settings,
                http_url=f"http://127.0.0.1:{http}",
                http_port=http,
                sip_port=sip,
                temporal_port=temporal,
                process=process,
                output=output,
                client=client,
            )
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(process.wait(), 40)
            except TimeoutError:
                process.kill()
                await process.wait()
        # Whatever a failed test left behind goes too.
        ending = await asyncio.create_subprocess_exec(
            *callweave(), "down", env=env, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        await ending.wait()


async def wait_running(process: asyncio.subprocess.Process, output: Path) -> None:
    """Wait for the words that `up` prints when everything is well."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        text = await asyncio.to_thread(output.read_text)
        if "Callweave is running" in text:
            return
        if process.returncode is not None:
            raise AssertionError(f"callweave up ended with {process.returncode}: {text}")
        await asyncio.sleep(0.1)
    raise AssertionError(
        f"callweave up is not ready after {START_SECONDS} s: {await asyncio.to_thread(output.read_text)}"
    )
