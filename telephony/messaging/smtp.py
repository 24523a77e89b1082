"""E-mail over SMTP."""

import asyncio
import hashlib
import mimetypes
import re
import ssl
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib

from telephony.messaging.ports import Mail, MessagingError

MAX_ATTACHMENT_BYTES = 20 * 1024 * 1024

_REMEDY = "use smtp://, smtps:// or smtp+starttls:// as in smtps://user:password@mail.example.com:465"
_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_LOCAL = {"localhost", "127.0.0.1", "::1"}
_ADDRESS = re.compile(r"[^@\s<>(),;:\"\\\[\]]+@[^@\s<>(),;:\"\\\[\]]+")


@dataclass(frozen=True)
class SmtpSender:
    """Sends each mail over a connection of its own; safe to use concurrently.

    - ``smtps``: TLS from the start. ``smtp+starttls``: TLS after STARTTLS, or no mail. ``smtp``: STARTTLS if offered.
    - A password is never sent in the clear, except to this machine.
    - The Message-ID follows from the key, so that a mail sent twice after a crash is one mail to its readers' programs.
    """

    host: str
    port: int
    security: Literal["auto", "tls", "starttls"] = "auto"
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 20.0
    certificates: Path | None = None

    @classmethod
    def from_url(cls, url: str) -> Self:
        """``smtp[s]://user:password@host:port?timeout=20&certificates=/path/ca.pem``; raises ``bad_url``."""
        try:
            parts = urlsplit(url.strip())
            port = parts.port
            options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
            timeout = float(options.pop("timeout", "20"))
            certificates = options.pop("certificates", None)
        except ValueError as problem:
            # The problem's own words may quote the password.
            raise MessagingError("bad_url", f"the SMTP address cannot be read: {_REMEDY}") from problem
        if parts.scheme not in _PORTS or not parts.hostname:
            raise MessagingError("bad_url", f"{parts.scheme or 'nothing'}:// is no SMTP address: {_REMEDY}")
        if options or parts.path not in ("", "/") or not 0 < timeout <= 600:
            raise MessagingError("bad_url", "an SMTP address takes the options timeout (seconds) and certificates only")
        security: Literal["auto", "tls", "starttls"] = "auto"
        if parts.scheme != "smtp":
            security = "tls" if parts.scheme == "smtps" else "starttls"
        return cls(
            host=parts.hostname,
            port=port or _PORTS[parts.scheme],
            security=security,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            timeout=timeout,
            certificates=Path(certificates) if certificates else None,
        )

    async def send(self, mail: Mail) -> str:
        message = await asyncio.to_thread(compose, mail)
        client = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            timeout=self.timeout,
            use_tls=self.security == "tls",
            start_tls={"auto": None, "tls": False, "starttls": True}[self.security],
            tls_context=self._tls(),
        )
        where = f"the mail server {self.host}:{self.port}"
        handed_over = False
        try:
            async with asyncio.timeout(self.timeout * 3):
                await client.connect()
                await self._sign_in(client, where)
                handed_over = True
                refused, _ = await client.send_message(message)
        except MessagingError:
            raise
        except aiosmtplib.SMTPAuthenticationError as problem:
            raise MessagingError("sign_in_failed", f"{where} refuses the sign-in: {_words(problem)}") from problem
        except aiosmtplib.SMTPRecipientsRefused as problem:
            why = "; ".join(f"{one.recipient}: {one.code} {one.message}" for one in problem.recipients)
            reason = "unavailable" if all(400 <= one.code < 500 for one in problem.recipients) else "rejected"
            raise MessagingError(reason, f"{where} refuses the recipients: {why}") from problem
        except (aiosmtplib.SMTPTimeoutError, TimeoutError) as problem:
            raise MessagingError(
                "timeout", f"{where} does not answer in time", outcome="unknown" if handed_over else "not_sent"
            ) from problem
        except aiosmtplib.SMTPResponseException as problem:
            reason = "rejected" if problem.code >= 500 else "unavailable"
            raise MessagingError(reason, f"{where} refuses the mail: {_words(problem)}") from problem
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as problem:
            raise MessagingError(
                "unavailable",
                f"{where} cannot be reached or broke off: {problem}",
                outcome="unknown" if handed_over else "not_sent",
            ) from problem
        finally:
            client.close()
        if refused:
            why = "; ".join(f"{to}: {code} {words}" for to, (code, words) in refused.items())
            raise MessagingError("rejected", f"{where} took the mail, but not for {why}", outcome="unknown")
        return str(message["Message-ID"])

    async def close(self) -> None:
        """Nothing stays open between mails."""

    async def _sign_in(self, client: aiosmtplib.SMTP, where: str) -> None:
        if not self.user:
            return
        transport = client.transport
        safe = transport is not None and transport.get_extra_info("ssl_object") is not None
        if not safe and self.host not in _LOCAL:
            raise MessagingError(
                "sign_in_failed", f"{where} offers no TLS and a password is not sent in the clear: use smtps://"
            )
        await client.login(self.user, self.password)

    def _tls(self) -> ssl.SSLContext | None:
        if self.certificates is None:
            return None
        try:
            return ssl.create_default_context(cafile=str(self.certificates))
        except OSError as problem:
            raise MessagingError("bad_url", f"no certificates can be read from {self.certificates}") from problem


def _words(problem: aiosmtplib.SMTPResponseException) -> str:
    return f"{problem.code} {problem.message}"


def message_id(key: str, sender: str) -> str:
    """The Message-ID of a key: always the same, and no key can be told from it."""
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"


def compose(mail: Mail) -> EmailMessage:
    """The MIME message of a mail. Raises `MessagingError` ``bad_message`` naming the field."""
    try:
        return _compose(mail)
    except ValueError as problem:
        raise MessagingError("bad_message", f"the mail cannot be written as one: {problem}") from problem


def _one_line(text: str) -> bool:
    # A header ends at more signs than \r and \n, U+0085 and U+2028 among them.
    return len(text.splitlines()) <= 1 and not any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text)


def _compose(mail: Mail) -> EmailMessage:
    message = EmailMessage(policy=SMTP_POLICY)
    if not mail.key:
        raise MessagingError("bad_message", "key: a mail needs one, it makes sending idempotent")
    message["From"] = _address(mail.sender, "sender")
    message["To"] = _addresses(mail.to)
    if not _one_line(mail.subject):
        raise MessagingError("bad_message", "subject: it must be a single line")
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = message_id(mail.key, mail.sender)
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    total = 0
    for path in mail.attachments:
        total += _attach(message, path)
        if total > MAX_ATTACHMENT_BYTES:
            limit = MAX_ATTACHMENT_BYTES // 2**20
            raise MessagingError("bad_message", f"attachments: together they are larger than {limit} MB")
    return message


def _addresses(addresses: Sequence[str]) -> tuple[Address, ...]:
    if not addresses:
        raise MessagingError("bad_message", "to: a mail needs a recipient")
    return tuple(_address(address, "to") for address in addresses)


def _address(address: str, field_name: str) -> Address:
    name, plain = parseaddr(address)
    if not _ADDRESS.fullmatch(plain) or not _one_line(address):
        raise MessagingError("bad_message", f"{field_name}: {address!r} is no e-mail address")
    user, _, domain = plain.rpartition("@")
    return Address(display_name=name, username=user, domain=domain)


def _attach(message: EmailMessage, path: Path) -> int:
    try:
        size = path.stat().st_size
        if size > MAX_ATTACHMENT_BYTES:
            return size
        data = path.read_bytes()
    except OSError as problem:
        raise MessagingError("bad_message", f"attachments: {path.name} cannot be read: {problem.strerror}") from problem
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    main, _, sub = kind.partition("/")
    message.add_attachment(data, maintype=main, subtype=sub, filename=path.name)
    return len(data)
