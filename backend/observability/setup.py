"""Puts metrics and traces around one process, and takes them off again."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select
from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError

from backend.calls.models import Call, Run
from backend.database import Database, read
from backend.events import EventRow
from backend.identity.models import Business
from backend.observability import metrics
from backend.observability.database import watch
from backend.observability.interceptor import Observing
from backend.observability.tracing import TracedTelephony, Tracing, headers_of
from backend.observability.web import exposition
from backend.settings import Settings
from nodes.sdk.registry import Registry
from telephony import observer

log = logging.getLogger(__name__)

SAMPLE_SECONDS = 15.0
FOLLOW_SECONDS = 5.0


class Observability:
    """Of one process, from its start to its end.

    - `temporal` are the options for `Client.connect`
    - `read` says how a gauge of `metrics.Readings` is read
    """

    def __init__(self, config: Settings, db: Database, nodes: Registry, *, instance: str = "") -> None:
        self._db = db
        self._counts: dict[str, float] = {}
        self.tracing: Tracing | None = None
        if config.otlp_endpoint:
            self.tracing = Tracing(
                config.otlp_endpoint,
                headers=headers_of(config.otlp_headers.get_secret_value()),
                ratio=config.trace_ratio,
                instance=instance,
            )
        self.temporal: dict[str, Any] = {}
        if not config.metrics and self.tracing is None:
            return
        self.temporal["interceptors"] = [Observing(nodes, self.tracing, self._started_at)]
        watch(db, self.tracing)
        observer.observe_with(TracedTelephony(self.tracing) if self.tracing else metrics.TelephonyMetrics())
        if config.metrics:
            runtime = _runtime()
            if runtime is not None:
                self.temporal["runtime"], url = runtime
                exposition.others = [url]

    def read(self, name: str, reading: Callable[[], float]) -> None:
        """How a gauge is read when somebody asks."""
        metrics.readings.read(name, reading)

    async def sample(self) -> None:
        """Count what only the database knows, again and again, until cancelled."""
        for name in ("flows_running", "calls_open", "outbox_events"):
            self.read(name, lambda name=name: self._counts[name])  # type: ignore[misc]
        while True:
            with contextlib.suppress(SQLAlchemyError, OSError):
                self._counts = await counts(self._db)
            await asyncio.sleep(SAMPLE_SECONDS)

    async def follow(self, client: Callable[[], Client | None]) -> None:
        """Ask every few seconds whether Temporal answers, until cancelled."""
        answers = False
        self.read("temporal_connected", lambda: answers)
        while True:
            found = client()
            try:
                async with asyncio.timeout(FOLLOW_SECONDS):
                    answers = found is not None and await found.service_client.check_health()
            except (RPCError, RuntimeError, OSError, TimeoutError):
                answers = False
            await asyncio.sleep(FOLLOW_SECONDS if answers else 1.0)

    async def close(self) -> None:
        """Send the last spans, listen no more."""
        metrics.readings.forget()
        exposition.others = []
        observer.observe_with(observer.Nobody())
        if self.tracing is not None:
            await asyncio.to_thread(self.tracing.close)

    async def _started_at(self, run_id: str) -> datetime | None:
        async with read(self._db) as session:
            return (await session.exec(select(Run.started_at).where(Run.id == run_id))).first()


async def counts(db: Database) -> dict[str, float]:
    """Runs and calls that are open, and how far the outbox has come. All from indexes."""
    businesses = select(Business.id)
    async with read(db) as session:
        runs = await session.exec(
            select(func.count()).select_from(Run).where(col(Run.business_id).in_(businesses), Run.state == "running")
        )
        calls = await session.exec(select(func.count()).select_from(Call).where(col(Call.state).in_(("ringing", "up"))))
        newest = await session.exec(select(func.max(EventRow.seq)))
        return {
            "flows_running": float(runs.one()),
            "calls_open": float(calls.one()),
            "outbox_events": float(newest.one() or 0),
        }


def _runtime() -> tuple[Runtime, str] | None:
    """A runtime of Temporal's SDK that shows its figures on a port of loopback, and where; None when it will not."""
    for _ in range(5):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        try:
            # The port is free now; in the rare case that another takes it meanwhile, a next one is tried.
            telemetry = TelemetryConfig(
                metrics=PrometheusConfig(
                    bind_address=address, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
                )
            )
            return Runtime(telemetry=telemetry), f"http://{address}/metrics"
        except (RuntimeError, ValueError, OSError) as problem:
            log.warning("Temporal's own figures are not shown at %s: %s", address, problem)
    return None
