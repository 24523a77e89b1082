"""What the doctor finds wrong, and the remedy that it names."""

import asyncio
import socket
from pathlib import Path

from backend.cli import doctor
from backend.settings import Settings
from backend.tls import ensure_certificate


def settings(tmp_path: Path, **changes: object) -> Settings:
    return Settings.model_validate({"home": tmp_path / "home", **changes})


async def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file is in the way")
    (found,) = await doctor.home(settings(tmp_path))
    assert not found.ok and "CALLWEAVE_HOME" in found.remedy


async def test_a_sender_that_answers_and_one_that_does_not(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        there = server.sockets[0].getsockname()[1]
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # nobody listens
            away = taken.getsockname()[1]
            mail, sms = await doctor.senders(
                settings(tmp_path, smtp_url=f"smtp://127.0.0.1:{there}", sms_url=f"http://127.0.0.1:{away}/send")
            )
    assert mail.ok and not sms.ok and "CALLWEAVE_SMS_URL" in sms.remedy
    assert all(one.ok and "outbox" in one.text for one in await doctor.senders(settings(tmp_path)))


def test_ports_of_sound(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        (found,) = doctor.sound_ports(settings(tmp_path, rtp_ports=f"{port}-{port + 1}", sip_host="127.0.0.1"))
        assert not found.ok and str(port) in found.text and "CALLWEAVE_RTP_PORTS" in found.remedy
    (found,) = doctor.sound_ports(settings(tmp_path, rtp_ports="9-8"))
    assert not found.ok


async def test_certificate_and_web_app(tmp_path: Path) -> None:
    certificate, key = ensure_certificate(tmp_path / "tls", ["localhost"])
    pages = tmp_path / "pages"
    pages.mkdir()
    files = {"https": "files", "tls_certificate": certificate, "tls_key": key, "web_folder": pages}
    valid, app = await doctor.web(settings(tmp_path, **files))
    assert valid.ok and not app.ok and app.remedy
    (pages / "index.html").write_text("<!doctype html>")
    key.unlink()
    broken, app = await doctor.web(settings(tmp_path, **files))
    assert not broken.ok and "CALLWEAVE_TLS_KEY" in broken.remedy and app.ok
    certificate.write_text("no certificate")
    key.write_text("no key")
    assert not (await doctor.web(settings(tmp_path, **files)))[0].ok
