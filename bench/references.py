"""What the product's figures stand beside: Asterisk's own dialplan, and a minimal application on bare ARI."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path

from bench.calls import write_prompts
from telephony.asterisk.driver import AsteriskDriver
from telephony.asterisk.process import AsteriskProcess
from telephony.asterisk.testing import driver_of, installation, test_config
from telephony.driver import Digit, Event, Incoming

DIALPLAN = """[from-anonymous]
exten => 100,1,Goto(bench-a,s,1)
[bench-a]
exten => s,1,Answer()
 same => n,Background({a})
 same => n,WaitExten(60)
exten => 1,1,Goto(bench-b,s,1)
[bench-b]
exten => s,1,Background({b})
 same => n,WaitExten(60)
exten => 1,1,Goto(bench-a,s,2)
"""


class BareApp:
    """The least that an ARI application can do: answer, play, and on a key play the other prompt."""

    def __init__(self, driver: AsteriskDriver, prompts: tuple[Path, Path]) -> None:
        self._driver = driver
        self._prompts = prompts
        self._turns: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        driver.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        match event:
            case Incoming(channel=channel):
                self._start(self._begin(channel))
            case Digit(channel=channel):
                self._start(self._next(channel))
            case _:
                return

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begin(self, channel: str) -> None:
        self._turns[channel] = 0
        await self._driver.answer(channel)
        await self._driver.play(channel, f"{channel}-0", [self._prompts[0]])

    async def _next(self, channel: str) -> None:
        turn = self._turns[channel] = self._turns[channel] + 1
        await self._driver.stop_playing(f"{channel}-{turn - 1}")
        await self._driver.play(channel, f"{channel}-{turn}", [self._prompts[turn % 2]])


@contextlib.asynccontextmanager
async def _asterisk(folder: Path) -> AsyncIterator[AsteriskProcess]:
    process = AsteriskProcess(test_config(folder), await installation())
    await process.start()
    try:
        yield process
    finally:
        await process.stop()


@contextlib.asynccontextmanager
async def dialplan(folder: Path) -> AsyncIterator[str]:
    """An Asterisk that does it alone; yields the SIP URI to call."""
    folder.mkdir(parents=True, exist_ok=True)
    a, b = write_prompts(folder)
    async with _asterisk(folder) as process:
        text = DIALPLAN.format(a=a.with_suffix(""), b=b.with_suffix(""))
        etc = folder / "etc"
        await asyncio.to_thread((etc / "extensions.conf").write_text, text)
        reload = await asyncio.create_subprocess_exec(
            *process.installation.argv("-C", str(etc / "asterisk.conf"), "-rx", "dialplan reload"),
            stdout=asyncio.subprocess.DEVNULL,
        )
        if await reload.wait():
            raise RuntimeError("the dialplan could not be loaded")
        yield f"sip:100@127.0.0.1:{process.config.sip_port}"


@contextlib.asynccontextmanager
async def bare_ari(folder: Path) -> AsyncIterator[str]:
    """An Asterisk with the least application; yields the SIP URI to call."""
    folder.mkdir(parents=True, exist_ok=True)
    prompts = write_prompts(folder)
    async with _asterisk(folder) as process:
        driver = driver_of(process.config)
        app = BareApp(driver, prompts)
        await driver.connect()
        try:
            yield f"sip:100@127.0.0.1:{process.config.sip_port}"
        finally:
            del app
            await driver.close()
