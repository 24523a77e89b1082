"""A trunk over TLS with encrypted sound, through a real Asterisk: to a far end that only listens to what it is told,
and to another Asterisk."""

import asyncio
import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from telephony.asterisk.config import Trunk
from telephony.asterisk.process import AsteriskProcess
from telephony.asterisk.testing import (
    Events,
    driver_of,
    installation,
    loudness,
    read_wav,
    running_asterisk,
    test_config,
    tone,
)
from telephony.driver import Answered, Hangup, Incoming, RecordingFinished
from telephony.free_ports import free_port
from telephony.speech.audio import RATE, write_wav

pytestmark = pytest.mark.asterisk


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for this machine that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(
            subject, subject, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days=2)
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / f"{name}.pem", folder / f"{name}.key"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, secret


async def test_calls_leave_by_tls_with_keys_for_the_sound_and_only_to_who_is_trusted(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path, "carrier")
    stranger, _ = certificate(tmp_path, "stranger")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    told: asyncio.Queue[str] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = b""
        while chunk := await reader.read(4096):
            heard += chunk
            if b"m=audio" in heard:
                told.put_nowait(heard.decode())
                heard = b""
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]

        def trunk(name: str, trusted: Path, *, verify: bool) -> Trunk:
            return Trunk(
                name,
                "127.0.0.1",
                port,
                transport="tls",
                encryption="srtp",
                verify=verify,
                authority=trusted.read_text(),
            )

        config = test_config(
            tmp_path / "engine",
            trunks=(
                trunk("good", chain, verify=True),
                trunk("wrong", stranger, verify=True),
                trunk("blind", stranger, verify=False),
            ),
        )
        process = AsteriskProcess(config, await installation(), keep_alive=False)
        await process.start()
        driver = driver_of(config)
        try:
            await driver.connect()
            for name in ("good", "blind"):
                await driver.originate(f"to-{name}", f"trunk:{name}:13800138000", caller_id="100", timeout=5)
                invite = await asyncio.wait_for(told.get(), 10)
                assert "SIP/2.0/TLS" in invite and "RTP/SAVP" in invite and "a=crypto:1" in invite
                await driver.hang_up(f"to-{name}")
            await driver.originate("to-wrong", "trunk:wrong:13800138000", caller_id="100", timeout=3)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(told.get(), 3)
        finally:
            await driver.close()
            await process.stop()


async def test_both_sides_hear_each_other_through_a_trunk_that_is_encrypted(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path, "carrier")
    far_port = free_port()
    authority = chain.read_text()
    async with (
        running_asterisk(
            tmp_path / "far",
            tls_certificate=chain,
            tls_key=key,
            tls_port=far_port,
            anonymous=False,
            trunks=(Trunk("house", "127.0.0.1", transport="tls", encryption="srtp", authority=authority),),
        ) as (_, far),
        running_asterisk(
            tmp_path / "near",
            trunks=(Trunk("carrier", "127.0.0.1", far_port, transport="tls", encryption="srtp", authority=authority),),
        ) as (_, near),
    ):
        there, here = Events(far), Events(near)
        await near.originate("out", "trunk:carrier:13800138000", caller_id="100", timeout=10)
        came = await there.wait(Incoming, trunk="house", called="13800138000")
        await far.answer(came.channel)
        await here.wait(Answered, channel="out")
        ways = ((far, came.channel, near, "out", here, 620), (near, "out", far, came.channel, there, 910))
        for speaks, mouth, listens, ear, events, hertz in ways:
            path = tmp_path / f"{hertz}.wav"
            write_wav(path, tone(hertz, 2))
            await speaks.play(mouth, f"tone-{hertz}", [path])
            await listens.record(ear, f"heard-{hertz}", max_seconds=1)
            heard = read_wav((await events.wait(RecordingFinished)).path)[-RATE // 2 :]
            assert loudness(heard, hertz) > 0.05 > 5 * loudness(heard, 1530 - hertz)
        await near.hang_up("out")
        assert (await there.wait(Hangup, channel=came.channel)).cause == "normal"
