"""What the driver tells and does when the socket, Asterisk, or its ownership is lost."""

import asyncio
import contextlib
import dataclasses
import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from telephony.asterisk.config import SURPLUS_LINES, AsteriskConfig, Extension, Trunk
from telephony.asterisk.driver import AsteriskDriver
from telephony.asterisk.process import RELOADED, AsteriskProcess, ProcessError, prepare
from telephony.asterisk.testing import (
    Events,
    Sipp,
    driver_of,
    installation,
    running_asterisk,
    test_config,
    tone,
)
from telephony.driver import (
    ConnectionLost,
    ConnectionRestored,
    Hangup,
    Incoming,
    PlaybackFinished,
    RecordingFinished,
)
from telephony.errors import DriverError
from telephony.free_ports import free_port
from telephony.speech.audio import write_wav

pytestmark = pytest.mark.asterisk

HOST = "127.0.0.2"
"""The far end of a trunk."""


class Wire:
    """A wire to Asterisk that can be cut and mended."""

    def __init__(self, port: int) -> None:
        self._far, self.port = port, free_port()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._far)
        self._writers |= {writer, far_writer}

        async def pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(65536):
                    target.write(data)
            for one in (writer, far_writer):
                one.transport.abort()

        await asyncio.gather(pipe(reader, far_writer), pipe(far_reader, writer))
        self._writers -= {writer, far_writer}


async def test_socket_lost_and_restored(asterisk: AsteriskConfig, driver: AsteriskDriver, sounds: Path) -> None:
    await driver.close()
    wire = Wire(asterisk.ari_port)
    await wire.mend()
    near = driver_of(dataclasses.replace(asterisk, ari_port=wire.port))
    events = Events(near)
    await near.connect()
    write_wav(sounds / "short.wav", tone(440, 0.3))
    staying = await Sipp.start("caller", asterisk, service="1")
    leaving = await Sipp.start("caller_leaves", asterisk, service="2", MS=600)
    stays, leaves = await events.wait(Incoming, called="1"), await events.wait(Incoming, called="2")
    for call in (stays, leaves):
        await near.answer(call.channel)
    await near.play(stays.channel, "meanwhile", [sounds / "short.wav"])
    await near.record(leaves.channel, f"meanwhile-{leaves.channel}")
    await wire.cut()
    await events.wait(ConnectionLost)
    with pytest.raises(DriverError) as lost:
        await near.play(stays.channel, "nothing", [sounds / "short.wav"])
    assert lost.value.reason == "lost"
    late = await Sipp.start("caller", asterisk, service="3")
    await leaving.ended()
    await wire.mend()
    restored = await events.wait(ConnectionRestored)
    assert not restored.restarted and stays.channel in restored.channels and leaves.channel not in restored.channels
    assert (await events.wait(Hangup, channel=leaves.channel)).cause == "normal"
    assert not (await events.wait(PlaybackFinished, playback="meanwhile")).failed
    assert (await events.wait(RecordingFinished, channel=leaves.channel)).seconds > 0.2
    # The call that came while nobody was there has been ringing.
    waited = await events.wait(Incoming, called="3")
    await near.answer(waited.channel)
    await near.play(stays.channel, "after", [sounds / "short.wav"])
    await events.wait(PlaybackFinished, playback="after")
    for call in (stays, waited):
        await near.hang_up(call.channel)
        await events.wait(Hangup, channel=call.channel)
    await staying.ended()
    await late.ended()
    await near.close()
    await wire.cut()


async def test_the_second_driver_takes_over_and_the_first_stops(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events
) -> None:
    sipp = await Sipp.start("caller", asterisk)
    call = await events.wait(Incoming)
    await driver.answer(call.channel)
    await driver.tap(call.channel, "paused")
    await driver.pause_recording("paused", True)
    ringing = await Sipp.start("caller", asterisk, service="200")
    unanswered = await events.wait(Incoming, called="200")
    second = driver_of(asterisk)
    seen = Events(second)
    await second.connect()
    await events.wait(ConnectionLost)
    assert driver.replaced and not driver.connected
    with pytest.raises(DriverError) as lost:
        await driver.hang_up(call.channel)
    assert lost.value.reason == "lost"
    await asyncio.sleep(0.5)
    assert second.connected and not second.replaced, "the first one has not come back"
    assert (await seen.wait(Incoming)).channel == unanswered.channel
    assert len(seen.of(Incoming)) == 1, "an answered call is no new one"
    snapshot = await second.snapshot()
    assert set(snapshot.channels) == {call.channel, unanswered.channel}
    assert snapshot.taps == snapshot.paused == {"paused"}
    await second.answer(unanswered.channel)
    await asyncio.sleep(0.1)
    for channel in (call.channel, unanswered.channel):
        await second.hang_up(channel)
        assert (await seen.wait(Hangup, channel=channel)).cause == "normal"
    assert not events.of(Hangup)
    await sipp.ended()
    await ringing.ended()
    await second.close()
    await driver.close()


async def test_kill_9_of_asterisk(tmp_path: Path) -> None:
    config = test_config(tmp_path / "asterisk")
    deaths: list[float] = []
    process = AsteriskProcess(config, await installation(), on_death=lambda: deaths.append(time.monotonic()))
    driver = driver_of(config)
    events = Events(driver)
    try:
        assert not await process.start()
        await driver.connect()
        sipp = await Sipp.start("caller", config)
        call = await events.wait(Incoming)
        await driver.answer(call.channel)
        await driver.record(call.channel, "kept")
        # Asterisk writes a recording in pieces of two seconds.
        await asyncio.sleep(2.6)
        pid, begun = process.pid, time.monotonic()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await events.wait(ConnectionLost)
        restored = await events.wait(ConnectionRestored)
        back = time.monotonic() - begun
        assert restored == ConnectionRestored(frozenset(), restarted=True)
        assert (await events.wait(Hangup)).cause == "engine_lost"
        kept = await events.wait(RecordingFinished, name="kept")
        assert kept.seconds > 0.3 and await driver.recording("kept") == kept.path
        assert back < 30 and len(deaths) == 1 and process.pid not in (None, pid)
        await sipp.kill()
        again = await Sipp.start("caller", config, service="5")
        call = await events.wait(Incoming, called="5")
        await driver.answer(call.channel)
        await asyncio.sleep(0.1)
        await driver.hang_up(call.channel)
        await again.ended()
    finally:
        await driver.close()
        await process.stop()
    assert process.pid is None


async def test_asterisk_outlives_us_is_adopted_and_reloads(tmp_path: Path) -> None:
    config = test_config(tmp_path / "asterisk")
    first = AsteriskProcess(config, await installation())
    await first.start()
    pid = first.pid
    driver = driver_of(config)
    events = Events(driver)
    await driver.connect()
    sipp = await Sipp.start("caller", config)
    call = await events.wait(Incoming)
    await driver.answer(call.channel)
    await first.detach()
    second = AsteriskProcess(config, await installation())
    try:
        assert await second.start()
        assert second.pid == pid
        await second.apply(dataclasses.replace(config, extensions=(Extension("8005", "secret"),)))
        await (await Sipp.start("register", config, service="8005", USER="8005", PASSWORD="secret", CODE=200)).ended()
        await second.apply(config)
        await (await Sipp.start("register_plain", config, service="8005", CODE=403)).ended()
        await a_trunk_is_known_before_it_is_there(
            second, dataclasses.replace(config, trunks=(Trunk("new", "127.0.0.2"),))
        )
        with pytest.raises(ProcessError, match="sip_port"):
            await second.apply(dataclasses.replace(config, sip_port=free_port()))
        assert (await driver.snapshot()).channels[call.channel].up, "no call was dropped"
        await driver.hang_up(call.channel)
        await sipp.ended()
        with pytest.raises(ProcessError, match="looks after"):
            await AsteriskProcess(config, await installation()).start()
        await second.detach()
        third = AsteriskProcess(dataclasses.replace(config, ari_password="another"), await installation())
        assert not await third.start(), "one with another password cannot be adopted"
        assert third.pid != pid
        await third.stop()
    finally:
        await driver.close()
        await second.stop()


async def a_trunk_is_known_before_it_is_there(process: AsteriskProcess, config: AsteriskConfig) -> None:
    """Step by step as `apply` does it: whose calls they are first, so that none is ever taken for a stranger's."""
    await asyncio.to_thread(prepare, config, process.installation)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{config.ari_port}/ari/",
        auth=(config.ari_user, config.ari_password),
        trust_env=False,
    ) as engine:

        async def has(kind: str) -> bool:
            return (await engine.get(f"asterisk/config/dynamic/res_pjsip/{kind}/trunk-new")).status_code == 200

        there = []
        for module in RELOADED:
            (await engine.put(f"asterisk/modules/{module}")).raise_for_status()
            there.append((await has("identify"), await has("endpoint")))
    assert there[0] == (True, False) and there[-1] == (True, True), there


async def test_a_call_rings_while_nobody_is_there(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events
) -> None:
    await driver.close()
    sipp = await Sipp.start("caller", asterisk, service="77")
    await asyncio.sleep(1)
    assert "SIP/2.0 180 Ringing" in sipp.messages()
    late = driver_of(asterisk)
    seen = Events(late)
    await late.connect()
    call = await seen.wait(Incoming, called="77")
    await late.answer(call.channel)
    await asyncio.sleep(0.1)
    await late.hang_up(call.channel)
    await sipp.ended()
    await late.close()


@pytest.mark.slow
async def test_a_call_that_nobody_takes_is_refused(asterisk: AsteriskConfig, driver: AsteriskDriver) -> None:
    await driver.close()
    sipp = await Sipp.start("caller_refused", asterisk, CODE=503)
    begun = time.monotonic()
    await sipp.ended()
    assert time.monotonic() - begun > 18


async def test_more_calls_than_allowed_hear_busy(tmp_path: Path) -> None:
    async with running_asterisk(tmp_path / "asterisk", max_calls=1, anonymous=True) as (config, driver):
        events = Events(driver)
        first = await Sipp.start("caller", config)
        call = await events.wait(Incoming)
        await driver.answer(call.channel)
        # A few at a time are told, so that they can be written down; more than those hear busy at once.
        told, surplus = [], []
        for _ in range(SURPLUS_LINES):
            told.append(await Sipp.start("caller_refused", config, CODE=486))
            surplus.append(await events.wait(Incoming, surplus=True))
        await (await Sipp.start("caller_refused", config, CODE=486)).ended()
        assert len(events.of(Incoming)) == 1 + SURPLUS_LINES and not call.surplus
        for event in surplus:
            await driver.reject(event.channel, "busy")
        for one in told:
            await one.ended()
        await driver.hang_up(call.channel)
        await first.ended()


async def test_without_anonymous_callers_strangers_are_refused(tmp_path: Path) -> None:
    async with running_asterisk(tmp_path / "asterisk", anonymous=False) as (config, driver):
        events = Events(driver)
        await (await Sipp.start("caller_refused", config, CODE=401)).ended()
        assert not events.all


async def test_nothing_answers_at_a_wrong_address(tmp_path: Path) -> None:
    driver = driver_of(test_config(tmp_path))
    with pytest.raises(DriverError) as lost:
        await driver.connect(timeout=0.5)
    assert lost.value.reason == "lost" and "does not answer" in str(lost.value)
