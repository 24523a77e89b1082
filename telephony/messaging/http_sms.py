"""Text messages through an HTTP gateway."""

import hashlib
import re
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from telephony.messaging.ports import MessagingError, Sms

_PLACES = {"to", "key"}
_ID_FIELDS = ("id", "message_id", "messageId", "sid")


class HttpSmsSender:
    """POSTs ``{"to", "text", "key", "from"}`` as JSON to a URL, which may contain ``{to}`` and ``{key}``.

    - The key also goes as the header ``Idempotency-Key``, by which gateways drop a repeated request.
    - User and password in the URL become basic authentication. Redirects are not followed.
    - 2xx is success; the id is the reply's ``id``, ``message_id``, ``messageId`` or ``sid``, else the key.
    """

    def __init__(self, url: str, *, timeout: float = 15.0, headers: dict[str, str] | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise MessagingError("bad_url", "the SMS address must begin with http:// or https:// and name a host")
        unknown = set(re.findall(r"\{(.*?)\}", url)) - _PLACES
        if unknown:
            raise MessagingError("bad_url", f"the SMS address knows {{to}} and {{key}}, not {sorted(unknown)}")
        self._url = url
        # The address may hold a password or token, so messages name the host alone.
        self._where = f"the SMS gateway {parts.hostname}"
        self._client = httpx.AsyncClient(timeout=timeout, headers=headers, follow_redirects=False)

    def __repr__(self) -> str:
        return f"HttpSmsSender({self._where})"

    async def send(self, sms: Sms) -> str:
        if not re.fullmatch(r"\+?\d{2,20}", sms.to):
            raise MessagingError("bad_message", f"to: {sms.to!r} is no phone number")
        if not sms.text.strip():
            raise MessagingError("bad_message", "text: a message needs one")
        if not sms.key:
            raise MessagingError("bad_message", "key: a message needs one, it makes sending idempotent")
        key = header_key(sms.key)
        url = self._url.replace("{to}", quote(sms.to, safe="")).replace("{key}", quote(key, safe=""))
        body = {"to": sms.to, "text": sms.text, "key": key}
        if sms.sender:
            body["from"] = sms.sender
        try:
            reply = await self._client.post(url, json=body, headers={"Idempotency-Key": key})
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as problem:
            raise MessagingError("unavailable", f"{self._where} cannot be reached: {_words(problem)}") from problem
        except httpx.TimeoutException as problem:
            raise MessagingError("timeout", f"{self._where} does not answer in time", outcome="unknown") from problem
        except httpx.HTTPError as problem:
            raise MessagingError(
                "unavailable", f"{self._where} broke off: {_words(problem)}", outcome="unknown"
            ) from problem
        self._check(reply)
        return _id(reply) or key

    async def close(self) -> None:
        await self._client.aclose()

    def _check(self, reply: httpx.Response) -> None:
        if reply.is_success:
            return
        said = f"{self._where} answers {reply.status_code}: {' '.join(reply.text.split())[:200]}"
        if reply.status_code in (401, 403, 407):
            raise MessagingError("sign_in_failed", said)
        if reply.status_code in (408, 425, 429, 503):
            raise MessagingError("unavailable", said)
        if reply.status_code >= 500:
            raise MessagingError("unavailable", said, outcome="unknown")
        raise MessagingError("rejected", said)


def header_key(key: str) -> str:
    """A key as it may stand in a header: itself when it is short and plain, else its hash."""
    if re.fullmatch(r"[\x21-\x7e]{1,200}", key):
        return key
    return "sha256-" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _words(problem: Exception) -> str:
    return str(problem) or type(problem).__name__


def _id(reply: httpx.Response) -> str:
    try:
        body: Any = reply.json()
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    return next((str(body[name]) for name in _ID_FIELDS if isinstance(body.get(name), str | int) and body[name]), "")
