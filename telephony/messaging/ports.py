"""The ports: what a message is, what sends it, and how sending fails."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from telephony.errors import TelephonyError


@dataclass(frozen=True, slots=True)
class Sms:
    """A text message. ``key`` is the same for every try to send it."""

    to: str
    text: str
    key: str
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail. ``key`` is the same for every try to send it; ``sender`` may carry a name: ``Hotline <a@b.c>``."""

    to: Sequence[str]
    subject: str
    text: str
    key: str
    sender: str
    html: str | None = None
    attachments: Sequence[Path] = field(default_factory=tuple)


class MessagingError(TelephonyError):
    """A message could not be sent.

    ``reason``: ``bad_url``, ``bad_message`` (nothing to retry), ``rejected`` (the other side refuses it for good),
    ``sign_in_failed``, ``unavailable`` (try again later) or ``timeout``.
    ``outcome`` tells a retry what it needs to know: ``not_sent`` for certain, or ``unknown`` when the connection
    broke after the message had been handed over.
    """

    def __init__(self, reason: str, message: str, *, outcome: Literal["not_sent", "unknown"] = "not_sent") -> None:
        super().__init__(reason, message)
        self.outcome = outcome


class SmsSender(Protocol):
    """Sends text messages."""

    async def send(self, sms: Sms) -> str:
        """Send and return the other side's id of the message. Raises `MessagingError`."""
        ...

    async def close(self) -> None: ...


class MailSender(Protocol):
    """Sends e-mail."""

    async def send(self, mail: Mail) -> str:
        """Send and return the Message-ID, which follows from the key. Raises `MessagingError`."""
        ...

    async def close(self) -> None: ...
