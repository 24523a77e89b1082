"""A real Asterisk for tests, and SIPp as its far end. Tests of other rooms may use it too."""

import asyncio
import contextlib
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

from telephony.asterisk.config import AsteriskConfig
from telephony.asterisk.driver import AsteriskDriver
from telephony.asterisk.install import Installation, resolve
from telephony.asterisk.process import AsteriskProcess
from telephony.driver import Event
from telephony.free_ports import free_port, free_ports, free_range
from telephony.speech import audio

CACHE = Path.home() / ".cache" / "callweave"
SCENARIOS = Path(__file__).parent / "scenarios"
PASSWORD = "test-password"  # noqa: S105

E = TypeVar("E")


def test_config(folder: Path, **changes: Any) -> AsteriskConfig:
    """A configuration on free ports of loopback."""
    sip, ari = free_ports(2)
    values: dict[str, Any] = {"sip_port": sip, "ari_port": ari, "rtp_ports": free_range(600)}
    return AsteriskConfig(folder=folder, ari_password=PASSWORD, **(values | changes))


test_config.__test__ = False  # type: ignore[attr-defined]


async def installation() -> Installation:
    """The Asterisk of the usual cache, fetched when missing."""
    return await asyncio.to_thread(resolve, CACHE)


def driver_of(config: AsteriskConfig, **more: Any) -> AsteriskDriver:
    """A driver, not yet connected, for an Asterisk of that configuration."""
    return AsteriskDriver(
        config.ari_url,
        config.ari_user,
        config.ari_password,
        app=config.app,
        recordings=config.recordings,
        sip_address=f"{config.sip_host}:{config.sip_port}",
        **more,
    )


@contextlib.asynccontextmanager
async def running_asterisk(folder: Path, **changes: Any) -> AsyncIterator[tuple[AsteriskConfig, AsteriskDriver]]:
    """An Asterisk of its own and a connected driver; both end with the block."""
    config = test_config(folder, **changes)
    process = AsteriskProcess(config, await installation())
    driver = driver_of(config)
    try:
        await process.start()
        await driver.connect()
        yield config, driver
    finally:
        await driver.close()
        await process.stop()


class Events:
    """Keeps a driver's events; each wait goes on where the last one found its event."""

    def __init__(self, driver: AsteriskDriver) -> None:
        self.all: list[Event] = []
        self._seen: set[int] = set()
        self._changed = asyncio.Event()
        driver.subscribe(self._add)

    def _add(self, event: Event) -> None:
        self.all.append(event)
        self._changed.set()

    async def wait(self, kind: type[E], timeout: float = 30, **fields: Any) -> E:
        """The first event of that kind and with those fields that no wait has returned yet."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    for index, event in enumerate(self.all):
                        fits = all(getattr(event, name, None) == value for name, value in fields.items())
                        if index not in self._seen and isinstance(event, kind) and fits:
                            self._seen.add(index)
                            return event
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            callers = [told for one in Sipp.running if (told := one.trouble())]
            raise AssertionError(f"no {kind.__name__} {fields} among {self.all}; SIPp: {callers}") from None

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.all if isinstance(event, kind)]


class Sipp:
    """One SIPp that runs one call of a scenario; words in capitals between @ are replaced in its file."""

    running: ClassVar[set["Sipp"]] = set()

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, port: int) -> None:
        self._process, self._folder, self.port = process, folder, port
        self.running.add(self)

    @classmethod
    async def start(
        cls,
        scenario: str,
        config: AsteriskConfig,
        *,
        service: str = "100",
        host: str = "127.0.0.1",
        port: int = 0,
        calls: int = 1,
        arguments: Sequence[str] = (),
        **words: str | int | Path,
    ) -> "Sipp":
        folder = Path(tempfile.mkdtemp(prefix="sipp-"))
        text = (SCENARIOS / f"{scenario}.xml").read_text()
        words.setdefault("AUDIO", folder / "silence.al")
        (folder / "silence.al").write_bytes(b"\xd5" * 8000)
        for word, value in words.items():
            text = text.replace(f"@{word}@", str(value))
        (folder / "scenario.xml").write_text(text)
        port = port or free_port()
        media = free_port()
        target = [] if scenario.startswith("callee") else [f"127.0.0.1:{config.sip_port}"]
        process = await asyncio.create_subprocess_exec(
            *("sipp", "-sf", "scenario.xml", "-i", host, "-p", str(port), "-mp", str(media - media % 2)),
            *("-s", service, "-m", str(calls), "-timeout", "25", "-timeout_error", "-nostdin", "-trace_err"),
            *("-trace_msg", "-message_file", "messages.log", "-error_file", "errors.log"),
            *arguments,
            *target,
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        sipp = cls(process, folder, port)
        if not target:
            await sipp._listening(host)
        return sipp

    async def _listening(self, host: str) -> None:
        for _ in range(200):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind((host, self.port))
                except OSError:
                    return
            await asyncio.sleep(0.02)
        raise AssertionError("SIPp does not listen")

    @property
    def uri(self) -> str:
        return f"sip:callee@127.0.0.1:{self.port}"

    def messages(self) -> str:
        """All SIP messages so far."""
        path = self._folder / "messages.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def trouble(self) -> str:
        """What went wrong; empty as long as it runs or when it ended well."""
        code = self._process.returncode
        if not code:
            return ""
        errors = self._folder / "errors.log"
        text = errors.read_text(errors="replace")[-3000:] if errors.exists() else self.messages()[-3000:]
        return f"SIPp ended with {code}: {text}"

    async def ended(self) -> None:
        """Wait until the scenario has run; raises with what went wrong."""
        await self._process.wait()
        self.running.discard(self)
        if trouble := self.trouble():
            raise AssertionError(trouble)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def kill(self) -> None:
        """End it in the middle of its call."""
        self.running.discard(self)
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def tone(hertz: float, seconds: float, level: float = 0.3) -> audio.Samples:
    """A sine tone at 8 kHz."""
    wave = level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * audio.RATE)) / audio.RATE)
    return np.asarray(wave, dtype=np.float32)


def alaw(samples: audio.Samples) -> bytes:
    """Samples between -1 and 1 as G.711 A-law."""
    return audio.alaw_encode(audio.to_pcm(samples))


def loudness(samples: audio.Samples, hertz: float) -> float:
    """How strong a tone is in a piece of audio, 0 to 1."""
    time = np.arange(samples.size) / audio.RATE
    return float(2 * abs(np.mean(samples * np.exp(-2j * np.pi * hertz * time))))


def read_wav(path: Path) -> audio.Samples:
    """The samples of an 8 kHz mono WAV between -1 and 1."""
    samples, rate = audio.read_wav(path)
    assert rate == audio.RATE
    return samples
