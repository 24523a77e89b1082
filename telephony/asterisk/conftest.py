"""Fixtures with a real Asterisk: one for the session, a connected driver for each test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from telephony.asterisk.config import AsteriskConfig, Extension, Trunk
from telephony.asterisk.driver import AsteriskDriver
from telephony.asterisk.process import AsteriskProcess
from telephony.asterisk.testing import Events, Sipp, driver_of, installation, test_config


@pytest.fixture(scope="session")
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsteriskConfig]:
    """A running Asterisk with an extension 8001 and a trunk from 127.0.0.2."""
    config = test_config(
        tmp_path_factory.mktemp("asterisk"),
        extensions=(Extension("8001", "secret-8001", "Reception"), Extension("8002", "secret-8002")),
        trunks=(Trunk("city", "127.0.0.2", port=5099),),
    )

    async def start() -> AsteriskProcess:
        process = AsteriskProcess(config, await installation(), keep_alive=False)
        await process.start()
        return process

    # In a thread of its own, so that the tests' event loops stay untouched.
    with ThreadPoolExecutor(1) as thread:
        process = thread.submit(asyncio.run, start()).result()
        yield config
        thread.submit(asyncio.run, process.stop()).result()


@pytest.fixture
async def driver(asterisk: AsteriskConfig) -> AsyncIterator[AsteriskDriver]:
    """A connected driver; calls that a test leaves behind are ended."""
    driver = driver_of(asterisk)
    await driver.connect()
    yield driver
    if not driver.connected:
        return
    left = await driver.snapshot()
    for channel in left.channels:
        await driver.hang_up(channel)
    for bridge in left.bridges:
        await driver.destroy_bridge(bridge)
    await driver.close()


@pytest.fixture
def events(driver: AsteriskDriver) -> Events:
    return Events(driver)


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """A folder for a test's sound files."""
    folder = tmp_path / "sounds"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
async def no_phone_stays() -> AsyncIterator[None]:
    """End the SIPp processes that a failed test leaves behind."""
    yield
    for sipp in list(Sipp.running):
        await sipp.kill()
