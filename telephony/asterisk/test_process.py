"""The supervisor's refusals; its life with a real Asterisk is in test_driver_recovery."""

import socket
from pathlib import Path

import pytest

from telephony.asterisk.process import AsteriskProcess, PortTakenError, ProcessError
from telephony.asterisk.testing import installation, test_config

pytestmark = pytest.mark.asterisk


@pytest.mark.parametrize(("field", "kind"), [("sip_port", socket.SOCK_DGRAM), ("ari_port", socket.SOCK_STREAM)])
async def test_a_taken_port_is_named_with_its_setting(tmp_path: Path, field: str, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]
        process = AsteriskProcess(test_config(tmp_path, **{field: port}), await installation())
        with pytest.raises(PortTakenError, match=f"{port}.*{field}") as taken:
            await process.start()
        assert taken.value.port == port and process.pid is None


async def test_an_address_of_another_machine_is_named(tmp_path: Path) -> None:
    process = AsteriskProcess(test_config(tmp_path, sip_host="203.0.113.77"), await installation())
    with pytest.raises(ProcessError, match="sip_host"):
        await process.start()


async def test_stopping_what_never_ran_is_no_error(tmp_path: Path) -> None:
    await AsteriskProcess(test_config(tmp_path), await installation()).stop()
