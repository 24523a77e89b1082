"""The ARI client: one WebSocket that carries events, and REST requests as well."""

import asyncio
import contextlib
import itertools
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from telephony import observer
from telephony.errors import DriverError

log = logging.getLogger(__name__)

BACK_OFF = (0.05, 0.1, 0.2, 0.3, 0.5)
REQUEST_SECONDS = 10.0
PATIENCE_SECONDS = 2.0
"""How long a request waits for a socket that is being opened again."""

MAX_MESSAGE = 64 * 1024 * 1024
"""Bytes of one message; the list of a thousand channels has about two million."""
QUIET_SECONDS = 10.0
"""Between two words in the log about messages that make no sense."""

Method = Literal["GET", "POST", "PUT", "DELETE"]
Value = str | int | float | bool | None


class AriError(DriverError):
    """Asterisk answered a request with an error. ``status`` is its HTTP code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__("not_found" if status == 404 else "refused", f"Asterisk answered {status}: {message}")
        self.status = status


class AriClient:
    """One application's socket to one Asterisk.

    - `on_event` gets every event, in order, from the event loop; it must not block.
    - `on_connected` runs each time the socket is open, before requests of others get through; if it raises
      `DriverError` the socket is closed and opened again.
    - `on_lost` runs when an open socket is gone. The client then tries again until `close`.
    - Nothing is sent while `may_act` says no.
    - When another socket takes the application over, the client stops for good: nothing is sent any more and
      `on_replaced` runs.
    - What Asterisk sends is not trusted to make sense: a message that does not is counted and left aside, an answer
      that does not fails its request, and whatever breaks a socket, the client opens another one.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        app: str,
        *,
        on_event: Callable[[dict[str, Any]], None],
        on_connected: Callable[[], Awaitable[None]],
        on_lost: Callable[[], None],
        on_replaced: Callable[[], None],
        may_act: Callable[[], bool] = lambda: True,
    ) -> None:
        parts = urlsplit(url)
        scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
        path = parts.path.rstrip("/").removesuffix("/ari")
        query = urlencode({"app": app, "api_key": f"{user}:{password}"})
        self._url = f"{scheme}://{parts.netloc}{path}/ari/events?{query}"
        self._where = f"{parts.scheme}://{parts.netloc}"
        self._media = f"{scheme}://{parts.netloc}{path}/media/"
        self._on_event, self._on_connected = on_event, on_connected
        self._on_lost, self._on_replaced = on_lost, on_replaced
        self._may_act = may_act
        self._socket: ClientConnection | None = None
        self._ready = asyncio.Event()
        self._pending: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._ids = itertools.count(1)
        self._task: asyncio.Task[None] | None = None
        self._problem = ""
        self._tries = 0
        self._senseless = 0
        self._quiet_until = 0.0
        self.replaced = False
        self.closed = False

    @property
    def connected(self) -> bool:
        return self._ready.is_set()

    async def open(self, timeout: float) -> None:
        """Open the socket and keep it open; raises `DriverError` (``lost``) when that takes longer than `timeout`."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="ari")
        try:
            await asyncio.wait_for(self._ready.wait(), timeout)
        except TimeoutError:
            await self.close()
            raise DriverError("lost", f"Asterisk does not answer at {self._where}: {self._problem}") from None

    async def close(self) -> None:
        """Close the socket. Calls stay as they are."""
        self.closed = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    # ----------------------------------------------------------------- requests

    async def request(
        self,
        method: Method,
        *path: str,
        body: Mapping[str, Any] | None = None,
        **query: Value,
    ) -> Any:
        """One REST request; its JSON answer, or None. Parts of the path are quoted.

        Raises `AriError`, or `DriverError` with ``lost`` when the socket is gone, ``timeout`` when no answer comes.
        """
        if not self._ready.is_set():
            await self._wait_ready()
        return await self._send(method, path, body, query)

    async def _wait_ready(self) -> None:
        if self.replaced:
            raise DriverError("lost", "another gateway has taken this Asterisk over")
        if self.closed or self._task is None:
            raise DriverError("lost", "the connection to Asterisk is closed")
        try:
            await asyncio.wait_for(self._ready.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            raise DriverError("lost", f"Asterisk cannot be reached: {self._problem or 'the socket is gone'}") from None
        if self.replaced:
            raise DriverError("lost", "another gateway has taken this Asterisk over")

    async def send_now(self, method: Method, *path: str, body: Mapping[str, Any] | None = None, **query: Value) -> Any:
        """A request while the socket is being set up (for `on_connected`)."""
        return await self._send(method, path, body, query)

    async def _send(
        self,
        method: Method,
        path: tuple[str, ...],
        body: Mapping[str, Any] | None,
        query: Mapping[str, Value],
    ) -> Any:
        socket = self._socket
        if socket is None or self.replaced:
            raise DriverError("lost", "the connection to Asterisk is gone")
        if not self._may_act():
            raise DriverError("lost", "this process does not own this Asterisk any more")
        request_id = str(next(self._ids))
        message: dict[str, Any] = {
            "type": "RESTRequest",
            "transaction_id": request_id,
            "request_id": request_id,
            "method": method,
            "uri": "/".join(quote(part, safe="") for part in path),
            "query_strings": [{"name": k, "value": _text(v)} for k, v in query.items() if v is not None],
        }
        if body is not None:
            message |= {"content_type": "application/json", "message_body": json.dumps(body)}
        answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[request_id] = answered
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await socket.send(json.dumps(message))
                answer = await answered
        except TimeoutError:
            raise DriverError("timeout", f"Asterisk did not answer {method} {message['uri']}") from None
        except WebSocketException as error:
            raise DriverError("lost", "the connection to Asterisk broke") from error
        finally:
            self._pending.pop(request_id, None)
        text = answer.get("message_body") or ""
        status = answer.get("status_code")
        if type(status) is not int or not isinstance(text, str):
            # Whether the order was taken is unknown, as when no answer comes.
            raise DriverError("timeout", f"Asterisk's answer to {method} {message['uri']} makes no sense")
        content: Any = text
        with contextlib.suppress(ValueError, RecursionError):
            content = json.loads(text) if text else None
        if status >= 400:
            reason = content.get("message") or content.get("error") if isinstance(content, dict) else text
            raise AriError(status, f"{reason or answer.get('reason_phrase')} ({method} {message['uri']})")
        return content

    async def open_media(self, place: str) -> ClientConnection:
        """The WebSocket of a media channel (`chan_websocket`), by the id that Asterisk gave it.

        Raises `DriverError` (``lost``) when it cannot be opened.
        """
        try:
            return await connect(
                self._media + quote(place, safe=""),
                subprotocols=[Subprotocol("media")],
                compression=None,
                open_timeout=3,
                close_timeout=1,
                ping_interval=None,
                proxy=None,
            )
        except (OSError, TimeoutError, WebSocketException) as error:
            raise DriverError("lost", f"the sound of a call cannot be had from {self._where}: {error}") from error

    # ----------------------------------------------------------------- the socket

    async def _run(self) -> None:
        while not self.replaced:
            try:
                async with connect(
                    self._url,
                    max_size=MAX_MESSAGE,
                    compression=None,
                    ping_interval=5,
                    ping_timeout=10,
                    open_timeout=5,
                    close_timeout=1,
                    proxy=None,
                ) as socket:
                    await self._serve(socket)
            except InvalidStatus as error:
                self._problem = {
                    401: "user or password is wrong",
                    403: "the user may not do that",
                    404: "it has no ARI",
                    503: "it is starting",
                }.get(error.response.status_code, f"HTTP {error.response.status_code}")
            except (OSError, WebSocketException, DriverError) as error:
                self._problem = str(error) or type(error).__name__
            except Exception as error:
                # Without this socket no call would ever be heard of again.
                problem = f"{type(error).__name__}: {error}"
                if problem != self._problem:
                    log.exception("the connection to Asterisk failed; it is opened again")
                self._problem = problem
            if not self.replaced:
                await asyncio.sleep(BACK_OFF[min(self._tries, len(BACK_OFF) - 1)])
                self._tries += 1

    async def _serve(self, socket: ClientConnection) -> None:
        """Read one socket to its end."""
        self._socket = socket
        reader = asyncio.create_task(self._read(socket), name="ari-read")
        setup = asyncio.ensure_future(self._on_connected())
        was_ready = False
        try:
            await asyncio.wait({reader, setup}, return_when=asyncio.FIRST_COMPLETED)
            if setup.done() and not self.replaced:
                setup.result()
                self._problem = ""
                self._tries = 0
                self._ready.set()
                was_ready = True
                await reader
        finally:
            self._socket = None
            self._ready.clear()
            for task in (reader, setup):
                task.cancel()
            await asyncio.gather(reader, setup, return_exceptions=True)
            for answered in self._pending.values():
                if not answered.done():
                    answered.set_exception(DriverError("lost", "the connection to Asterisk broke"))
            self._pending.clear()
            if was_ready and not self.closed:
                self._on_lost()
            if self.replaced:
                self._on_replaced()

    async def _read(self, socket: ClientConnection) -> None:
        async for text in socket:
            try:
                message = json.loads(text)
            except (ValueError, RecursionError):
                message = None
            kind = message.get("type") if isinstance(message, dict) else None
            if not isinstance(message, dict) or not isinstance(kind, str):
                self._leave_aside("unreadable", repr(text[:80]))
            elif kind == "RESTResponse":
                answered = self._pending.get(str(message.get("request_id", "")))
                if answered is not None and not answered.done():
                    answered.set_result(message)
            elif kind == "ApplicationReplaced":
                # From here on nothing may be sent: the other socket's owner has the calls.
                self.replaced = True
                self._socket = None
                self._ready.clear()
                log.warning("another gateway has taken over the application at %s", self._where)
                return
            else:
                try:
                    self._on_event(message)
                except Exception as error:
                    self._leave_aside("failed", repr(kind[:80]), error)

    def _leave_aside(self, why: str, what: str, error: Exception | None = None) -> None:
        """Count a message that cannot be used; the log tells of some of them only, for there may be thousands.

        What a readable message holds stays out of the log: it may be a key of a PIN.
        """
        self._senseless += 1
        observer.current.event_refused(why)
        now = asyncio.get_running_loop().time()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_SECONDS
            log.error(
                "messages of Asterisk could not be used, %d so far; the latest is %s",
                self._senseless,
                what,
                exc_info=error,
            )


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
