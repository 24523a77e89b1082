"""``/metrics``: the figures of this process, with those of Temporal's SDK.

Who may read them: this machine itself (not through a proxy), whoever sends the token of the settings, and an
administrator who is signed in. Nobody else, unless a port of its own is opened to others by the settings.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import httpx
from fastapi import FastAPI, Request, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from backend.observability.metrics import REGISTRY
from backend.security import same
from backend.settings import Settings

log = logging.getLogger(__name__)

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")

Allowed = Callable[[Request], Awaitable[bool]]


class Exposition:
    """The text that Prometheus reads. `others` are addresses of this process's own that have more of it."""

    def __init__(self) -> None:
        self.others: list[str] = []

    async def text(self) -> bytes:
        # In a thread: many hundred lines would hold up callers for milliseconds.
        parts = [await asyncio.to_thread(generate_latest, REGISTRY)]
        if self.others:
            async with httpx.AsyncClient(trust_env=False, timeout=1.0) as client:
                for url in self.others:
                    try:
                        reply = await client.get(url)
                        parts.append(reply.raise_for_status().content)
                    except httpx.HTTPError as problem:
                        log.debug("figures at %s cannot be read: %s", url, problem)
        return b"".join(part if part.endswith(b"\n") else part + b"\n" for part in parts)


exposition = Exposition()
"""Of this process."""


def add_metrics(app: FastAPI, settings: Settings, administrator: Allowed | None = None) -> None:
    """Serve ``/metrics`` when the settings say so. `administrator` tells whether a request is one's."""
    if not settings.metrics:
        return

    @app.get("/metrics", include_in_schema=False)
    async def figures(request: Request) -> Response:
        if not await _may_read(request, settings, administrator):
            return Response(
                "metrics are for this machine, for CALLWEAVE_METRICS_TOKEN and for administrators\n",
                403,
                media_type="text/plain",
            )
        return Response(
            await exposition.text(),
            headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"},
        )


async def _may_read(request: Request, settings: Settings, administrator: Allowed | None) -> bool:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    wanted = settings.metrics_token.get_secret_value()
    if wanted and kind.lower() == "bearer" and same(token.strip(), wanted):
        return True
    if local(request):
        return True
    return administrator is not None and await administrator(request)


def local(request: Request) -> bool:
    """Whether a request comes from this machine itself: not through a proxy, not by a foreign name."""
    host = request.client.host if request.client is not None else ""
    if host not in _LOOPBACK or any(name in request.headers for name in _FORWARDED):
        return False
    # A page that a browser of this machine shows may not reach us by a name of its own (DNS rebinding).
    asked = request.url.hostname or ""
    return asked in (*_LOOPBACK, "localhost")


def metrics_app(settings: Settings) -> FastAPI:
    """The web server of a worker or gateway that runs without the API: ``/metrics`` and nothing else."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_metrics(app, settings)
    return app
