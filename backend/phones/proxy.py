"""The way of a browser phone's SIP to Asterisk: ``/sip`` on our own host, for people who are signed in.

Asterisk's own WebSocket listens on loopback only; what passes here is checked for who sends it, not for what it says:
the phone proves itself to Asterisk by the password of the hour.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from starlette.requests import HTTPConnection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from backend.identity.permissions import Actor
from backend.identity.rights import other_rights
from backend.phones.service import may_use_a_phone
from backend.state import AppState

log = logging.getLogger(__name__)

PATH = "/sip"
PROTOCOL = "sip"
LONGEST = 64 * 1024
AGAIN_SECONDS = 30.0
"""How often it is asked whether the person is still signed in."""
SIGNED_OUT, TOO_LONG, AWAY = 4401, 1009, 1013


def add_sip(app: FastAPI, state: AppState, actor_of: Callable[[HTTPConnection], Awaitable[Actor | None]]) -> None:
    """Serve ``/sip``. `actor_of` raises when the page that asks is not ours."""

    @app.websocket(PATH)
    async def sip(browser: WebSocket) -> None:
        actor = await actor_of(browser)
        if actor is None or not may_use_a_phone(actor) or PROTOCOL not in browser.scope.get("subprotocols", []):
            # Before the handshake is done this is a plain 403.
            await browser.close(SIGNED_OUT)
            return
        try:
            engine = await connect(
                state.settings.phone_socket,
                subprotocols=[Subprotocol(PROTOCOL)],
                proxy=None,
                compression=None,
                open_timeout=5,
                ping_interval=None,
                max_size=LONGEST,
            )
        except (OSError, WebSocketException, TimeoutError) as problem:
            log.warning("a browser phone finds no Asterisk: %s", problem)
            await browser.accept(PROTOCOL)
            await browser.close(AWAY, "the telephone engine does not answer")
            return
        await browser.accept(PROTOCOL)
        async with engine:
            await _carry(browser, engine, _signed_out(state, actor, lambda: actor_of(browser)))


async def _carry(browser: WebSocket, engine: ClientConnection, signed_out: Coroutine[Any, Any, int]) -> None:
    """Until one side leaves, or the person has signed out."""
    works = [asyncio.create_task(work) for work in (_up(browser, engine), _down(browser, engine), signed_out)]
    try:
        done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        code = next((task.result() for task in done if task.exception() is None), AWAY)
    finally:
        for task in works:
            task.cancel()
        await asyncio.gather(*works, return_exceptions=True)
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await browser.close(code)


async def _up(browser: WebSocket, engine: ClientConnection) -> int:
    while True:
        try:
            message = await browser.receive()
        except (WebSocketDisconnect, RuntimeError):
            return 1000
        if message["type"] == "websocket.disconnect":
            return 1000
        text = message.get("text")
        if text is None:
            text = (message.get("bytes") or b"").decode("utf-8", "replace")
        if len(text) > LONGEST:
            return TOO_LONG
        try:
            await engine.send(text)
        except WebSocketException:
            return AWAY


async def _down(browser: WebSocket, engine: ClientConnection) -> int:
    try:
        async for message in engine:
            await browser.send_text(message if isinstance(message, str) else message.decode("utf-8", "replace"))
    except (WebSocketException, WebSocketDisconnect, RuntimeError):
        pass
    return AWAY


async def _signed_out(state: AppState, actor: Actor, who: Callable[[], Awaitable[Actor | None]]) -> int:
    """Wait until the person may use no phone here any more. A session that was not used ends without a word."""
    while True:
        now: Actor | None = actor
        with contextlib.suppress(TimeoutError):
            now = await asyncio.wait_for(other_rights(state.bus, actor, who), AGAIN_SECONDS)
        if now is actor:
            now = await who()
        if now is None or not may_use_a_phone(now):
            return SIGNED_OUT
        actor = now
