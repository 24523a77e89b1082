"""Every figure that ``/metrics`` shows (Prometheus), and who writes them down.

Labels are bounded: types, outcomes and codes, never ids. Names that could grow without end (codes that node authors
invent, languages) keep their first `MOST` values, later ones are ``other``. Writing a figure costs about a
microsecond; figures that can be read when somebody asks (live calls, queues) are read then.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Literal, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from flows.task import FlowResult, FlowStart, NodeTask, TrailStep
from nodes.sdk.node import Runs
from nodes.sdk.outcome import ERROR, Outcome
from nodes.sdk.registry import Registry
from telephony.observer import Direction, Recognised

REGISTRY = CollectorRegistry(auto_describe=True)
"""Only what this module and the process say; libraries do not add to it."""

MOST = 64
OTHER = "other"

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0)
_SLOW = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(f"callweave_{name}", meaning, labels, registry=REGISTRY)


def _gauge(name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(f"callweave_{name}", meaning, labels, registry=REGISTRY)


def _histogram(name: str, meaning: str, *labels: str, buckets: Sequence[float] = _FAST) -> Histogram:
    return Histogram(f"callweave_{name}", meaning, labels, buckets=buckets, registry=REGISTRY)


FLOWS_STARTED = _counter("flows_started_total", "Runs of flows that this process started", "kind")
FLOWS_FINISHED = _counter("flows_finished_total", "Runs that ended, by outcome", "kind", "outcome")
FLOWS_FAILED = _counter("flows_failed_total", "Runs that failed, by the code of the reason", "code")
FLOW_STEP_LIMIT = _counter("flow_step_limit_hits_total", "Runs that ended at their step limit")
FLOW_STEPS = _histogram(
    "flow_steps", "Steps of the runs that ended", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000)
)

NODES_ENTERED = _counter("nodes_entered_total", "Executions of nodes that began; those inside workflows: ended", "type")
NODE_SECONDS = _histogram("node_seconds", "Duration of node executions, waiting for people included", "type",
                          buckets=_SLOW)  # fmt: skip
NODE_ERRORS = _counter("node_errors_total", "Executions that left by the error port, by code", "type", "code")
NODE_RETRIES = _counter(
    "node_retries_total", "Executions that were further attempts: the flow's own policy or after a fault", "type", "by"
)

CALLS_OFFERED = _counter("calls_offered_total", "Calls that came in or were placed", "direction")
CALLS_ANSWERED = _counter("calls_answered_total", "Calls that were answered", "direction")
CALLS_ENDED = _counter("calls_ended_total", "Calls that ended, by cause", "direction", "cause")
CALL_ANSWER_SECONDS = _histogram(
    "call_answer_seconds", "From the beginning of a call to its answer", "direction", buckets=(*_FAST, 10.0, 30.0, 60.0)
)
CALL_SECONDS = _histogram(
    "call_seconds", "Length of ended calls", "direction", buckets=(1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
)
KEY_TO_PROMPT = _histogram("key_to_prompt_seconds", "From the event of a deciding key to the next play command")
ENGINE_EVENTS_REFUSED = _counter("engine_events_refused_total", "Senseless messages of the telephony engine", "why")

PROMPTS_WANTED = _counter("prompts_total", "Prompts wanted: found in the cache (hit) or made (miss)", "cache")
TTS_SECONDS = _histogram("tts_seconds", "Time to synthesise an utterance", "language", buckets=_SLOW)
TTS_FAILURES = _counter("tts_failures_total", "Utterances that could not be synthesised", "reason")
TTS_PROCESSES = _counter("tts_processes_total", "TTS child processes: started, or failed at an utterance", "event")

ASR_RECOGNITIONS = _counter("asr_recognitions_total", "Recognitions, by result", "language", "result")
ASR_HEARD_SECONDS = _counter("asr_heard_seconds_total", "Seconds of audio that were recognised", "language")
ASR_WORKED_SECONDS = _counter("asr_worked_seconds_total", "Seconds of work for recognition", "language")
ASR_FACTOR = _histogram(
    "asr_real_time_factor", "Work divided by audio, for each recognition", "language",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0),
)  # fmt: skip

EVENT_LAG = _histogram("event_lag_seconds", "From a change to the publication of its event")
EVENT_OVERRUNS = _counter("event_overruns_total", "Subscriptions that lost their place because their reader was slow")

DATABASE_WAIT = _histogram("database_write_wait_seconds", "Wait of a writer for its turn")
DATABASE_WRITE = _histogram("database_write_seconds", "Length of write transactions, from BEGIN to COMMIT")
DATABASE_ERRORS = _counter("database_errors_total", "Statements that the database refused or lost", "kind")

LEASE_HELD = _gauge("lease_held", "Whether this process holds a lease", "name")
LEASE_FENCING = _gauge("lease_fencing_number", "The fencing number of the lease while it is held", "name")
LEASE_LOST = _counter("lease_lost_total", "Leases that this process held and lost", "name")

LOOP_LAG = _histogram("event_loop_lag_seconds", "How late the event loop ran a timer, measured four times a second")

ProcessCollector(registry=REGISTRY)


class Bounded:
    """Keeps the number of values of a label in check."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: set[str] = set()

    def __call__(self, value: str) -> str:
        if value in self._known:
            return value
        if len(self._known) >= self._most or len(value) > 64:
            return OTHER
        self._known.add(value)
        return value


_code, _cause, _language, _type, _lease = Bounded(), Bounded(), Bounded(16), Bounded(512), Bounded(256)


# --------------------------------------------------------------------------- flows and nodes


def flow_started(kind: str) -> None:
    """A run began."""
    FLOWS_STARTED.labels(kind).inc()


def node_began(task: NodeTask, try_: int) -> None:
    """An execution of a node begins; `try_` counts Temporal's own attempts from 1."""
    kind = _type(task.node_type)
    NODES_ENTERED.labels(kind).inc()
    if try_ > 1:
        NODE_RETRIES.labels(kind, "fault").inc()
    elif task.attempt > 1:
        NODE_RETRIES.labels(kind, "policy").inc()


def node_ended(task: NodeTask, outcome: Outcome | None, seconds: float) -> None:
    """An execution ended; without an outcome it was cut off or its infrastructure failed."""
    kind = _type(task.node_type)
    NODE_SECONDS.labels(kind).observe(seconds)
    if outcome is None:
        NODE_ERRORS.labels(kind, "cut_off").inc()
    elif outcome.port == ERROR:
        NODE_ERRORS.labels(kind, _code(outcome.failure.reason if outcome.failure else "unknown")).inc()


def flow_finished(start: FlowStart, result: FlowResult, steps: Sequence[TrailStep], nodes: Registry) -> None:
    """A run ended. Nodes that run inside the workflow are counted here, from the path."""
    FLOWS_FINISHED.labels(start.kind, result.outcome).inc()
    FLOW_STEPS.observe(result.steps)
    if result.outcome == "failed":
        code = _code(result.reason.partition(":")[0].strip() or "unknown")
        FLOWS_FAILED.labels(code).inc()
        if code == "step_limit":
            FLOW_STEP_LIMIT.inc()
    for step in steps:
        if runs_inside(step.node_type, nodes):
            kind = _type(step.node_type)
            NODES_ENTERED.labels(kind).inc()
            if step.left is not None:
                NODE_SECONDS.labels(kind).observe(max(0.0, (step.left - step.entered).total_seconds()))
            if step.port == ERROR:
                NODE_ERRORS.labels(kind, _code(step.error or "unknown")).inc()


_inside: dict[str, bool] = {}


def runs_inside(node_type: str, nodes: Registry) -> bool:
    """Whether nodes of this type run inside the workflow and are no activities."""
    known = _inside.get(node_type)
    if known is None:
        if len(_inside) > 10_000:
            _inside.clear()
        known = _inside[node_type] = any(
            node.meta.type == node_type and node.meta.runs is Runs.IN_WORKFLOW for node in nodes.all()
        )
    return known


# --------------------------------------------------------------------------- telephony and speech


class TelephonyMetrics:
    """`telephony.observer.Observer`: writes down what calls and speech tell."""

    def call_offered(self, direction: Direction) -> None:
        CALLS_OFFERED.labels(direction).inc()

    def call_answered(self, direction: Direction, seconds: float) -> None:
        CALLS_ANSWERED.labels(direction).inc()
        CALL_ANSWER_SECONDS.labels(direction).observe(seconds)

    def call_ended(self, direction: Direction, cause: str, seconds: float) -> None:
        CALLS_ENDED.labels(direction, _cause(cause)).inc()
        CALL_SECONDS.labels(direction).observe(seconds)

    def key_answered(self, seconds: float) -> None:
        KEY_TO_PROMPT.observe(seconds)

    def prompt_found(self, cached: bool) -> None:
        PROMPTS_WANTED.labels("hit" if cached else "miss").inc()

    def rendered(self, language: str, seconds: float, failure: str = "") -> None:
        if failure:
            TTS_FAILURES.labels(_code(failure)).inc()
        else:
            TTS_SECONDS.labels(_language(language)).observe(seconds)

    def speech_process(self, event: Literal["started", "failed"]) -> None:
        TTS_PROCESSES.labels(event).inc()

    def recognised(self, language: str, result: Recognised, heard: float, worked: float) -> None:
        spoken = _language(language)
        ASR_RECOGNITIONS.labels(spoken, result).inc()
        ASR_HEARD_SECONDS.labels(spoken).inc(max(0.0, heard))
        ASR_WORKED_SECONDS.labels(spoken).inc(max(0.0, worked))
        if heard > 0:
            ASR_FACTOR.labels(spoken).observe(worked / heard)

    def event_refused(self, kind: str) -> None:
        ENGINE_EVENTS_REFUSED.labels(_code(kind)).inc()


# --------------------------------------------------------------------------- events, database, leases


class _Happened(Protocol):
    @property
    def at(self) -> datetime: ...


def events_published(events: Sequence[_Happened]) -> None:
    """Events reach their readers; the oldest of a batch waited longest."""
    if events:
        EVENT_LAG.observe(max(0.0, (datetime.now(UTC) - events[0].at).total_seconds()))


def lease_state(name: str, fencing: int) -> None:
    """This process holds a lease with that fencing number; 0 while it does not."""
    kept = _lease(name)
    LEASE_HELD.labels(kept).set(1 if fencing else 0)
    LEASE_FENCING.labels(kept).set(fencing)


def lease_lost(name: str) -> None:
    """A lease that was held is gone."""
    LEASE_LOST.labels(_lease(name)).inc()
    lease_state(name, 0)


# --------------------------------------------------------------------------- what is read when somebody asks


Reading = Callable[[], float]


class Readings(Collector):
    """Gauges that are read at the moment they are asked for. A reading that fails is left out."""

    GAUGES: ClassVar[Mapping[str, str]] = {
        "calls_live": "Calls that are up or ring now",
        "gateway_connected": "Whether the gateway owns its telephony engine and is connected with it",
        "gateway_standby": "Whether another process owns the telephony engine",
        "tts_workers": "TTS child processes that run now",
        "journal_waiting": "Records of calls and runs that wait to be written",
        "event_readers": "Subscriptions to events",
        "flows_running": "Runs on record that have not ended (whole installation)",
        "calls_open": "Calls on record that have not ended (whole installation)",
        "outbox_events": "Newest sequence number of the outbox (whole installation)",
        "temporal_connected": "Whether this process has a client of Temporal",
        "workers_running": "Task queues that this process works on",
        "asyncio_tasks": "Tasks of the event loop",
    }
    """Every gauge with its meaning, whether this process reads it or not."""

    def __init__(self) -> None:
        self._readings: dict[str, Reading] = {}

    def read(self, name: str, reading: Reading) -> None:
        """From now on the gauge is read so; the latest one counts."""
        if name not in self.GAUGES:
            raise KeyError(f"{name} is no gauge of {type(self).__name__}.GAUGES")
        self._readings[name] = reading

    def forget(self) -> None:
        """Read nothing any more: the process around it is gone."""
        self._readings.clear()

    def collect(self) -> Iterable[Metric]:
        for name, reading in list(self._readings.items()):
            try:
                value = float(reading())
            except Exception:  # noqa: S112  a part that is going away shows nothing
                continue
            yield GaugeMetricFamily(f"callweave_{name}", self.GAUGES[name], value=value)

    def describe(self) -> Iterable[Metric]:
        return [GaugeMetricFamily(f"callweave_{name}", meaning) for name, meaning in self.GAUGES.items()]


readings = Readings()
REGISTRY.register(readings)
readings.read("asyncio_tasks", lambda: len(asyncio.all_tasks()))


def names() -> frozenset[str]:
    """Every name that a query may use, with the suffixes of histograms and counters."""
    found: set[str] = set()
    for family in [*REGISTRY.collect(), *readings.describe()]:
        base = family.name
        match family.type:
            case "counter":
                found.add(f"{base}_total")
            case "histogram":
                found |= {f"{base}_bucket", f"{base}_sum", f"{base}_count"}
            case _:
                found.add(base)
    return frozenset(found)
