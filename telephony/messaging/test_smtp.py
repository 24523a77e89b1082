"""Mail through a real SMTP server in this process."""

import asyncio
import datetime as dt
import email
import email.policy
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from telephony.messaging.ports import Mail, MailSender, MessagingError
from telephony.messaging.smtp import SmtpSender, compose, message_id


class Inbox:
    """An SMTP server's handler that keeps mail, or answers what a test told it to."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.sessions: list[Session] = []
        self.answer = "250 OK"
        self.answers: dict[str, str] = {}
        self.delay = 0.0

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self.answers.get(address, "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.delay)
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.mails.append(message)
            self.envelopes.append(envelope)
            self.sessions.append(session)
        return self.answer


Serve = Callable[..., Awaitable[tuple[Inbox, int]]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start SMTP servers on free ports: ``await serve(**options of the server)`` gives (inbox, port)."""
    running: list[asyncio.Server] = []
    protocols: list[SMTP] = []

    async def start(tls: ssl.SSLContext | None = None, **options: Any) -> tuple[Inbox, int]:
        inbox = Inbox()
        loop = asyncio.get_running_loop()

        def protocol() -> SMTP:
            protocols.append(SMTP(inbox, loop=loop, **options))
            return protocols[-1]

        server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls)
        running.append(server)
        return inbox, server.sockets[0].getsockname()[1]

    yield start
    for server in running:
        server.close()
        await server.wait_closed()
    for one in protocols:
        if one.transport is not None:
            one.transport.close()
    await asyncio.sleep(0.02)  # the loop's turns in which connections close


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost: the file to trust, and the server's context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", context


def mail(**changes: Any) -> Mail:
    fields: dict[str, Any] = {
        "to": ["customer@example.com"],
        "subject": "您的工单 T-1",
        "text": "您好，已处理。\n",
        "key": "run-1/step-2",
        "sender": "热线 <hotline@example.org>",
    }
    return Mail(**(fields | changes))


async def test_a_mail_arrives_whole(serve: Serve, tmp_path: Path) -> None:
    inbox, port = await serve()
    sound = tmp_path / "留言.wav"
    sound.write_bytes(b"RIFF\x00\r\n.\r\n\xff")
    sender: MailSender = SmtpSender.from_url(f"smtp://127.0.0.1:{port}")
    identity = await sender.send(
        mail(html="<p>您好</p>", attachments=[sound], to=["a@example.com", "B <b@example.com>"])
    )
    [got] = inbox.mails
    assert inbox.envelopes[0].rcpt_tos == ["a@example.com", "b@example.com"]
    assert got["Subject"] == "您的工单 T-1"
    assert got["From"] == "热线 <hotline@example.org>"
    assert got["Message-ID"] == identity
    text, html = got.get_body(("plain",)), got.get_body(("html",))
    assert text is not None and text.get_content().splitlines() == ["您好，已处理。"]
    assert html is not None and html.get_content().strip() == "<p>您好</p>"
    [attachment] = got.iter_attachments()
    assert attachment.get_filename() == "留言.wav"
    assert attachment.get_content() == b"RIFF\x00\r\n.\r\n\xff"


async def test_the_same_key_is_the_same_mail(serve: Serve) -> None:
    inbox, port = await serve()
    sender = SmtpSender.from_url(f"smtp://127.0.0.1:{port}")
    first, again = await asyncio.gather(sender.send(mail()), sender.send(mail()))
    other = await sender.send(mail(key="run-1/step-3"))
    assert first == again != other
    assert [got["Message-ID"] for got in inbox.mails] == [first, again, other]
    assert "run-1" not in first


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls", "smtp"])
async def test_tls(serve: Serve, certificate: tuple[Path, ssl.SSLContext], scheme: str) -> None:
    trusted, context = certificate
    inbox, port = await serve(tls=context) if scheme == "smtps" else await serve(tls_context=context)
    await SmtpSender.from_url(f"{scheme}://localhost:{port}?certificates={trusted}").send(mail())
    assert len(inbox.mails) == 1
    assert scheme == "smtps" or inbox.sessions[0].ssl is not None
    with pytest.raises(MessagingError, match="certificate") as caught:
        await SmtpSender.from_url(f"{scheme}://localhost:{port}").send(mail())
    assert caught.value.reason == "unavailable"
    assert len(inbox.mails) == 1


async def test_starttls_is_not_given_up_silently(serve: Serve) -> None:
    inbox, port = await serve()
    with pytest.raises(MessagingError, match="STARTTLS"):
        await SmtpSender.from_url(f"smtp+starttls://127.0.0.1:{port}").send(mail())
    assert inbox.mails == []


def _only_right(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"bot@x", b"p:w/d")
    return AuthResult(success=right, handled=False)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_sign_in(serve: Serve) -> None:
    inbox, port = await serve(authenticator=_only_right, auth_required=True, auth_require_tls=False)
    await SmtpSender.from_url(f"smtp://bot%40x:p%3Aw%2Fd@127.0.0.1:{port}").send(mail())
    assert len(inbox.mails) == 1
    with pytest.raises(MessagingError) as caught:
        await SmtpSender.from_url(f"smtp://bot%40x:wrong@127.0.0.1:{port}").send(mail())
    assert caught.value.reason == "sign_in_failed"
    assert "wrong" not in str(caught.value)


async def test_a_password_never_goes_in_the_clear_to_another_machine(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, port = await serve(authenticator=_only_right, auth_require_tls=False)
    monkeypatch.setattr("telephony.messaging.smtp._LOCAL", set())
    with pytest.raises(MessagingError, match="use smtps://") as caught:
        await SmtpSender.from_url(f"smtp://bot%40x:p%3Aw%2Fd@127.0.0.1:{port}").send(mail())
    assert caught.value.reason == "sign_in_failed"
    assert inbox.mails == []


@pytest.mark.parametrize(
    ("answer", "reason"), [("550 spam", "rejected"), ("451 later", "unavailable"), ("552 full", "rejected")]
)
async def test_refused_mail(serve: Serve, answer: str, reason: str) -> None:
    inbox, port = await serve()
    inbox.answer = answer
    with pytest.raises(MessagingError, match=answer[4:]) as caught:
        await SmtpSender.from_url(f"smtp://127.0.0.1:{port}").send(mail())
    assert (caught.value.reason, caught.value.outcome) == (reason, "not_sent")


async def test_refused_recipients(serve: Serve) -> None:
    inbox, port = await serve()
    inbox.answers = {"gone@example.com": "550 no such user", "busy@example.com": "450 mailbox busy"}
    sender = SmtpSender.from_url(f"smtp://127.0.0.1:{port}")
    for to, reason, outcome in (
        (["gone@example.com"], "rejected", "not_sent"),
        (["busy@example.com"], "unavailable", "not_sent"),
        (["gone@example.com", "ok@example.com"], "rejected", "unknown"),
    ):
        with pytest.raises(MessagingError, match=to[0]) as caught:
            await sender.send(mail(to=to))
        assert (caught.value.reason, caught.value.outcome) == (reason, outcome)


async def test_a_server_that_stalls_after_the_mail_leaves_it_unknown(serve: Serve) -> None:
    inbox, port = await serve()
    inbox.delay = 1.0
    with pytest.raises(MessagingError) as caught:
        await SmtpSender.from_url(f"smtp://127.0.0.1:{port}?timeout=0.2").send(mail())
    assert (caught.value.reason, caught.value.outcome) == ("timeout", "unknown")


async def test_no_server_and_a_mute_server() -> None:
    gone = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        gone.set()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(MessagingError) as caught:
        await SmtpSender.from_url(f"smtp://127.0.0.1:{port}?timeout=0.2").send(mail())
    assert (caught.value.reason, caught.value.outcome) == ("timeout", "not_sent")
    await asyncio.wait_for(gone.wait(), 30)
    server.close()
    with pytest.raises(MessagingError, match=str(port)) as caught:
        await SmtpSender.from_url(f"smtp://127.0.0.1:{port}?timeout=0.2").send(mail())
    assert (caught.value.reason, caught.value.outcome) == ("unavailable", "not_sent")


@pytest.mark.parametrize(
    "url", ["", "mail.example.com", "http://x", "smtp://", "smtp://h:port", "smtp://h?x=1", "smtp://h?timeout=soon"]
)
def test_bad_addresses_of_servers(url: str) -> None:
    with pytest.raises(MessagingError) as caught:
        SmtpSender.from_url(url)
    assert caught.value.reason == "bad_url"


def test_addresses_of_servers() -> None:
    assert SmtpSender.from_url("smtp://mx").port == 25
    assert SmtpSender.from_url("smtps://u:geheim@mx").port == 465
    assert SmtpSender.from_url("smtp+starttls://mx").port == 587
    assert "geheim" not in repr(SmtpSender.from_url("smtps://u:geheim@mx"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": []}, "to"),
        ({"to": ["nobody"]}, "to"),
        ({"to": ["a@b.c\r\nBcc: x@y.z"]}, "to"),
        ({"sender": "x"}, "sender"),
        ({"subject": "hi\r\nBcc: x@y.z"}, "subject"),
        ({"subject": "hi\u2028Bcc: x@y.z"}, "subject"),
        ({"text": "\ud800"}, "the mail"),
        ({"attachments": [Path("/no/such/file")]}, "attachments"),
        ({"key": ""}, "key"),
    ],
)
def test_bad_mail_names_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MessagingError, match=f"^{field}") as caught:
        compose(mail(**changes))
    assert caught.value.reason == "bad_message"


def test_attachments_are_bounded(tmp_path: Path) -> None:
    big = tmp_path / "big.bin"
    with big.open("wb") as file:
        file.truncate(21 * 1024 * 1024)
    with pytest.raises(MessagingError, match="20 MB"):
        compose(mail(attachments=[big]))


@given(st.text(), st.text())
def test_no_subject_or_address_adds_a_header(subject: str, address: str) -> None:
    try:
        raw = compose(mail(subject=subject, to=[address])).as_bytes()
    except MessagingError:
        return
    back = email.message_from_bytes(raw)
    assert set(back.keys()) <= {
        "From", "To", "Subject", "Date", "Message-ID", "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    }  # fmt: skip
    assert len(back.keys()) == len(set(back.keys()))


@given(st.text(min_size=1), st.text(min_size=1))
def test_message_ids_follow_from_keys(one: str, two: str) -> None:
    assert (message_id(one, "a@b.c") == message_id(two, "a@b.c")) == (one == two)
