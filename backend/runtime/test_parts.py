"""Small parts: processes by identity, ports, back-off, the probe phone's codec and digest."""

import asyncio
import os
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.runtime.children import Identity, PidFile, demand_free_port, port_taken, spawn, stop
from backend.runtime.errors import ProductError
from backend.runtime.probe_phone import Message, ProbePhone, ulaw_decode, ulaw_encode
from backend.runtime.supervisor import BackOff, HomeLock
from backend.runtime.temporal_server import command_line
from backend.settings import Settings


async def test_a_child_is_adopted_by_pid_and_start_time(tmp_path: Path) -> None:
    file = PidFile(tmp_path / "run" / "child.pid")
    child = spawn(["sleep", "30"], log=tmp_path / "child.log", pid_file=file)
    identity = file.read()
    assert identity is not None
    assert os.getsid(identity.pid) == identity.pid, "a session of its own: Ctrl-C does not reach it"
    file.write(Identity(identity.pid, identity.started - 100))
    assert file.read() is None, "another process with the same pid is not ours"
    await stop(identity)
    assert not identity.alive
    child.wait()


def test_a_missing_program_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ProductError, match="does not start"):
        spawn(["/nonexistent/program"], log=tmp_path / "x.log")


def test_a_taken_port_names_its_setting() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert port_taken("127.0.0.1", port)
        with pytest.raises(ProductError, match="CALLWEAVE_HTTP_PORT"):
            demand_free_port("127.0.0.1", port, "CALLWEAVE_HTTP_PORT", "web server")
    assert not port_taken("127.0.0.1", port)


def test_one_home_has_one_supervisor(tmp_path: Path) -> None:
    first, second = HomeLock(tmp_path), HomeLock(tmp_path)
    first.take()
    with pytest.raises(ProductError, match="already running"):
        second.take()
    first.free()
    second.take()
    second.free()


def test_the_first_restart_comes_at_once_and_later_ones_wait() -> None:
    pauses = BackOff()
    assert [pauses.next(1.0) for _ in range(4)] == [0.0, 0.5, 1.0, 2.0]
    assert max(pauses.next(1.0) for _ in range(20)) == 30.0
    assert pauses.next(120.0) == 0.0, "a steady run begins anew"


def test_what_had_come_up_is_started_again_at_once_however_often_it_is_killed() -> None:
    pauses = BackOff()
    assert [pauses.next(20.0) for _ in range(5)] == [0.0] * 5


def test_temporal_gets_the_measured_flags(tmp_path: Path) -> None:
    command = " ".join(command_line(Path("temporal"), Settings(home=tmp_path)))
    for flag in ("transferProcessorMaxPollRPS=5000", "journal_mode=WAL", "CallweaveCall=Keyword", "--ip 127.0.0.1"):
        assert flag in command


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=200))
def test_ulaw_keeps_the_sound(values: list[int]) -> None:
    samples = np.array(values, dtype=np.int16)
    heard = ulaw_decode(ulaw_encode(samples)).astype(np.int32)
    wide = np.clip(samples.astype(np.int32), -32124, 32124)
    assert np.all(np.abs(heard - wide) <= np.maximum(np.abs(wide) // 16, 12))
    assert ulaw_encode(ulaw_decode(bytes(range(256)))).replace(b"\x7f", b"\xff") == bytes(range(256)).replace(
        b"\x7f", b"\xff"
    )


async def test_the_digest_answer_is_the_one_of_the_standard() -> None:
    async with ProbePhone("127.0.0.1", 5060, user="bob", password="zanzibar") as phone:
        phone._uri = "sip:biloxi.example"
        head = (
            'SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="biloxi.example", nonce="dcd98b7102dd2f0e"\r\n'
        )
        line = phone._credentials(Message.parse(f"{head}\r\n".encode()))
        assert line.startswith("Authorization: Digest ")
        from hashlib import md5

        secret = md5(b"bob:biloxi.example:zanzibar").hexdigest()
        target = md5(b"INVITE:sip:biloxi.example").hexdigest()
        wanted = md5(f"{secret}:dcd98b7102dd2f0e:{target}".encode()).hexdigest()
        assert f'response="{wanted}"' in line
    await asyncio.sleep(0)
