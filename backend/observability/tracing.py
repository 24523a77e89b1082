"""Traces (OpenTelemetry): one for each run of a flow.

The trace id and the id of the flow's own span are made from the run's id. So every process that works on a run, also
one that took it over after a crash, adds its spans to the same trace without a header that travels in histories, and
sampling decides alike everywhere. The flow's span is sent when the run ends; nodes are its children, speech and
database writes theirs. A node's span names the Temporal workflow and activity that ran it.

Spans hold ids, types, ports and codes; never words, keys or values of callers.
"""

import contextlib
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from temporalio import activity

from backend.observability.metrics import TelephonyMetrics, runs_inside
from flows.task import FlowResult, FlowStart, NodeTask, TrailStep
from nodes.sdk.outcome import ERROR, Outcome
from nodes.sdk.registry import Registry
from telephony.observer import Recognised

_ids: ContextVar[tuple[int, int] | None] = ContextVar("callweave_span_ids", default=None)


def ids_of_run(run_id: str) -> tuple[int, int]:
    """Trace id and id of the flow's span of a run."""
    digest = hashlib.sha256(b"callweave run " + run_id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:16], "big") or 1, int.from_bytes(digest[16:24], "big") or 1


class _Ids(IdGenerator):
    """Random ids, but for the one span whose ids are given."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()

    def generate_trace_id(self) -> int:
        given = _ids.get()
        return given[0] if given is not None else self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        given = _ids.get()
        return given[1] if given is not None else self._random.generate_span_id()


def traces_url(endpoint: str) -> str:
    """Where spans go: ``http://host:4318`` stands for ``http://host:4318/v1/traces``."""
    return endpoint.rstrip("/") + "/v1/traces" if urlsplit(endpoint).path in ("", "/") else endpoint


def headers_of(text: str) -> dict[str, str]:
    """``name=value,name=value`` as headers. Raises ValueError when a part is none."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, sign, value = part.partition("=")
        if not sign or not name.strip():
            raise ValueError("headers are written name=value, comma separated")
        found[name.strip()] = value.strip()
    return found


class Tracing:
    """Makes and sends the spans of this process. Sending happens in a thread; a collector that is away costs spans."""

    def __init__(
        self,
        endpoint: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        ratio: float = 1.0,
        service: str = "callweave",
        instance: str = "",
        exporter: SpanExporter | None = None,
    ) -> None:
        self._ratio = TraceIdRatioBased(ratio)
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": service, "service.instance.id": instance}),
            sampler=ParentBased(self._ratio),
            id_generator=_Ids(),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter or OTLPSpanExporter(endpoint=traces_url(endpoint), headers=dict(headers or {}), timeout=5),
                max_queue_size=8192,
                schedule_delay_millis=1000,
            )
        )
        self.tracer = self._provider.get_tracer("callweave")

    def close(self) -> None:
        """Send what waits and end. Blocks for some seconds at most."""
        self._provider.force_flush(3000)
        self._provider.shutdown()

    def context_of(self, run_id: str) -> Context:
        """The flow's span of a run as the parent of others."""
        trace_id, span_id = ids_of_run(run_id)
        sampled = self._ratio.should_sample(None, trace_id, "").decision is Decision.RECORD_AND_SAMPLE
        flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        return trace.set_span_in_context(NonRecordingSpan(SpanContext(trace_id, span_id, True, flags)))

    @contextlib.contextmanager
    def node(self, task: NodeTask) -> Iterator[Span]:
        """Around the execution of a node; speech and writes inside become its children."""
        span = self.tracer.start_span(
            task.node_name or task.node_type,
            self.context_of(task.run_id),
            kind=SpanKind.INTERNAL,
            attributes=_node_attributes(task) | _activity_attributes(),
        )
        # What is raised may quote a caller: only its kind is told.
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield span
            except BaseException as problem:
                span.set_status(Status(StatusCode.ERROR, type(problem).__name__))
                raise

    def node_ended(self, span: Span, outcome: Outcome) -> None:
        """Say by which port a node left."""
        span.set_attribute("callweave.port", outcome.port)
        if outcome.port == ERROR and outcome.failure is not None:
            span.set_attribute("callweave.error", outcome.failure.reason)
            span.set_status(Status(StatusCode.ERROR, outcome.failure.reason))

    def flow(
        self,
        start: FlowStart,
        result: FlowResult,
        steps: Sequence[TrailStep],
        nodes: Registry,
        began: datetime | None,
        ended: datetime,
    ) -> None:
        """The span of a whole run, and those of its nodes inside the workflow, which are no activities."""
        parent = self.context_of(start.run_id)
        begin = min([step.entered for step in steps], default=ended)
        token = _ids.set(ids_of_run(start.run_id))
        try:
            span = self.tracer.start_span(
                f"flow {start.flow_id}",
                Context(),
                kind=SpanKind.SERVER,
                attributes=_run_attributes(start),
                start_time=_nanoseconds(min(began or begin, begin)),
            )
        finally:
            _ids.reset(token)
        for step in steps:
            if runs_inside(step.node_type, nodes):
                inner = self.tracer.start_span(
                    step.node_name or step.node_type,
                    parent,
                    attributes={
                        "callweave.run.id": start.run_id,
                        **({"callweave.call.id": start.call.id} if start.call is not None else {}),
                        "callweave.flow": step.flow_id or start.flow_id,
                        "callweave.node.id": step.node_id,
                        "callweave.node.type": step.node_type,
                        "callweave.step": step.seq,
                        "callweave.port": step.port or "",
                    },
                    start_time=_nanoseconds(step.entered),
                )
                inner.end(_nanoseconds(step.left or ended))
        span.set_attribute("callweave.outcome", result.outcome)
        span.set_attribute("callweave.steps", result.steps)
        if result.outcome == "failed":
            span.set_status(Status(StatusCode.ERROR, result.reason))
        span.end(_nanoseconds(ended))

    def past(self, name: str, seconds: float, attributes: Mapping[str, Any], *, error: str = "") -> None:
        """A child of the span around it that has just ended. Without a span around it nobody asks for one."""
        if not trace.get_current_span().get_span_context().trace_flags.sampled:
            return
        now = time.time_ns()
        span = self.tracer.start_span(name, attributes=dict(attributes), start_time=now - int(seconds * 1e9))
        if error:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(now)


class TracedTelephony(TelephonyMetrics):
    """Writes figures down and makes spans of speech."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def rendered(self, language: str, seconds: float, failure: str = "") -> None:
        super().rendered(language, seconds, failure)
        self._tracing.past("tts", seconds, {"callweave.language": language}, error=failure)

    def recognised(self, language: str, result: Recognised, heard: float, worked: float) -> None:
        super().recognised(language, result, heard, worked)
        self._tracing.past(
            "asr", heard, {"callweave.language": language, "callweave.result": result, "callweave.work": worked}
        )


def _run_attributes(start: FlowStart) -> dict[str, str | int]:
    found: dict[str, str | int] = {
        "callweave.run.id": start.run_id,
        "callweave.flow": start.flow_id,
        "callweave.flow.version": start.version,
        "callweave.kind": start.kind,
        "callweave.business": start.business_id,
        "temporal.workflow.id": start.run_id,
    }
    if start.call is not None:
        found |= {"callweave.call.id": start.call.id, "callweave.gateway": start.call.gateway}
    if start.campaign:
        found["callweave.campaign"] = start.campaign
    return found


def _node_attributes(task: NodeTask) -> dict[str, str | int]:
    found: dict[str, str | int] = {
        "callweave.run.id": task.run_id,
        "callweave.flow": task.flow_id,
        "callweave.flow.version": task.version,
        "callweave.business": task.business_id,
        "callweave.node.id": task.node_id,
        "callweave.node.type": task.node_type,
        "callweave.step": task.step,
        "callweave.attempt": task.attempt,
    }
    if task.call is not None:
        found["callweave.call.id"] = task.call.id
    return found


def _activity_attributes() -> dict[str, str | int]:
    if not activity.in_activity():
        return {}
    info = activity.info()
    return {
        "temporal.workflow.id": info.workflow_id or "",
        "temporal.run.id": info.workflow_run_id or "",
        "temporal.activity.id": info.activity_id,
        "temporal.activity.type": info.activity_type,
        "temporal.attempt": info.attempt,
        "temporal.local": int(info.is_local),
    }


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1e6) * 1000
