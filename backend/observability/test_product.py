"""The running product as ops see it: one call, and its figures, spans, log lines and search attributes."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families
from temporalio.client import Client

from backend.observability.testing import alerts, dashboard_queries, metrics_of
from backend.observability.tracing import ids_of_run
from backend.runtime.probe_phone import ProbePhone
from backend.runtime.process import QuietServer
from backend.runtime.test_product import ended_run, plant
from backend.runtime.testing import Product, running_product
from telephony.free_ports import free_ports

pytestmark = [pytest.mark.asterisk, pytest.mark.temporal, pytest.mark.slow, pytest.mark.timeout(240)]


class Collector:
    """A collector of traces: takes OTLP over HTTP and keeps the spans."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.spans: list[Span] = []
        self.services: set[str] = set()
        app = FastAPI()

        @app.post("/v1/traces")
        async def take(request: Request) -> Response:
            assert request.headers["content-type"] == "application/x-protobuf"
            body = await request.body()
            if request.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.services |= {
                    one.value.string_value for one in resource.resource.attributes if one.key == "service.name"
                }
                for scope in resource.scope_spans:
                    self.spans += scope.spans
            return Response(b"", media_type="application/x-protobuf")

        config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False)
        self._server = QuietServer(config)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Collector"]:
        serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.02)
        try:
            yield self
        finally:
            self._server.should_exit = True
            await serving

    async def trace_of(self, run_id: str, timeout: float = 15.0) -> list[Span]:
        """The spans of a run, when the flow's own has come."""
        trace_id, flow = (ids_of_run(run_id)[0].to_bytes(16, "big"), ids_of_run(run_id)[1].to_bytes(8, "big"))
        async with asyncio.timeout(timeout):
            while not any(span.span_id == flow for span in self.spans):
                await asyncio.sleep(0.1)
        await asyncio.sleep(1.5)
        return [span for span in self.spans if span.trace_id == trace_id]


def attributes(span: Span) -> dict[str, Any]:
    """A span's attributes as plain values."""
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


async def walk(product: Product, folder: Path) -> dict[str, Any]:
    """One call through the tiny flow; its run as the command line shows it."""
    await plant(product, folder)
    async with ProbePhone("127.0.0.1", product.sip_port) as phone:
        await phone.call("700")
        assert await phone.hears_sound(0.5, 10)
        await phone.press("1")
        assert await phone.wait_ended(15)
    told = await ended_run(product)
    assert told["run"]["state"] == "completed"
    return told


@pytest.mark.soak
async def test_a_call_is_seen_by_ops(tmp_path: Path) -> None:
    collecting, _ = free_ports(2)
    async with Collector(collecting).running() as collector:
        environment = {
            "CALLWEAVE_OTLP_ENDPOINT": collector.endpoint,
            "CALLWEAVE_LOG_FORMAT": "json",
            "CALLWEAVE_LOG_LEVEL": "debug",
            "CALLWEAVE_METRICS_TOKEN": "metrics-token-for-this-test",
        }
        async with running_product(tmp_path, environment) as product:
            try:
                told = await walk(product, tmp_path)
                await figures(product)
                await figures_are_guarded(product)
                await spans(collector, told)
                await attributes_of_the_run(product, told)
            except BaseException:
                print(product.log())  # noqa: T201  what went wrong is in there
                raise
        lines(product, told)


async def figures(product: Product) -> None:
    text = (await product.client.get("/metrics")).text
    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }

    def value(metric: str, **labels: str) -> float:
        return found[(f"callweave_{metric}", *sorted(labels.items()))]

    assert value("calls_offered_total", direction="inbound") == 1
    assert value("calls_answered_total", direction="inbound") == 1
    assert value("calls_ended_total", direction="inbound", cause="normal") == 1
    assert value("calls_live") == 0
    assert value("call_answer_seconds_count", direction="inbound") == 1
    assert value("key_to_prompt_seconds_count") == 1
    assert 0 < value("key_to_prompt_seconds_sum") < 5
    assert value("flows_started_total", kind="ivr") == 1
    assert value("flows_finished_total", kind="ivr", outcome="completed") == 1
    assert value("flow_steps_sum") == 4
    for kind in ("voice.answer", "voice.menu", "voice.say", "voice.hangup"):
        assert value("nodes_entered_total", type=kind) == 1
        assert value("node_seconds_count", type=kind) == 1
    assert value("node_seconds_sum", type="voice.menu") > 0.3
    assert value("prompts_total", cache="miss") >= 2
    assert value("tts_seconds_count", language="en") >= 2
    assert value("tts_workers") >= 1
    assert value("event_lag_seconds_count") >= 3
    assert value("database_write_seconds_count") > 3
    assert value("lease_held", name="gateway-main") == 1
    assert value("gateway_connected") == 1
    assert value("temporal_connected") == 1
    assert value("workers_running") == 2
    assert value("event_loop_lag_seconds_count") > 3
    assert found[("process_cpu_seconds_total",)] > 0
    known = {str(name[0]) for name in found}
    asked = {metric for query in dashboard_queries() for metric in metrics_of(query)}
    asked |= {metric for alert in alerts() for metric in metrics_of(alert.query)}
    temporal = {name for name in asked if name.startswith("temporal_")}
    assert temporal, "Temporal's own figures are on the dashboard"
    assert temporal <= known, f"{sorted(temporal - known)} are not among {sorted(n for n in known if n[0] == 't')}"
    call_ids = {row["id"] for row in json.loads(await product.cli("run", "list", "--flow", "tiny", "--json"))}
    assert not any(one in text for one in call_ids), "ids are no labels"


async def figures_are_guarded(product: Product) -> None:
    async with httpx.AsyncClient(base_url=product.http_url, trust_env=False) as stranger:
        assert (await stranger.get("/metrics")).status_code == 200, "from this machine itself"
        through_a_proxy = {"x-forwarded-for": "203.0.113.7"}
        assert (await stranger.get("/metrics", headers=through_a_proxy)).status_code == 403
        token = {"authorization": "Bearer metrics-token-for-this-test"}
        assert (await stranger.get("/metrics", headers={**through_a_proxy, **token})).status_code == 200
        assert (await stranger.get("/metrics", headers={"host": "rebound.example:80"})).status_code == 403


async def spans(collector: Collector, told: dict[str, Any]) -> None:
    run_id, call_id = told["run"]["id"], told["run"]["call_id"]
    found = await collector.trace_of(run_id)
    flow_id = ids_of_run(run_id)[1].to_bytes(8, "big")
    (flow,) = [span for span in found if span.span_id == flow_id]
    assert collector.services == {"callweave"}
    assert flow.name == "flow tiny"
    assert not flow.parent_span_id
    assert attributes(flow)["callweave.outcome"] == "completed"
    assert attributes(flow)["callweave.call.id"] == call_id
    nodes = [span for span in found if span.parent_span_id == flow_id]
    steps = sorted((attributes(span) for span in nodes), key=lambda one: one["callweave.step"])
    assert [(one["callweave.node.id"], one["callweave.port"]) for one in steps] == [
        ("answer", "next"),
        ("menu", "1"),
        ("one", "next"),
        ("bye", "next"),
    ]
    for one in steps:
        assert (one["callweave.run.id"], one["callweave.call.id"]) == (run_id, call_id)
        assert one["temporal.workflow.id"] == run_id
        assert one["temporal.activity.type"] == one["callweave.node.type"]
    inside = {span.name: span.parent_span_id for span in found if span not in nodes and span is not flow}
    by_id = {span.span_id: span for span in nodes}
    assert by_id[inside["tts"]].name in ("Menu", "One"), "a prompt that was made belongs to the node that says it"
    for span in found:
        assert flow.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert "press" not in str(span), "what is said is nobody's business here"


async def attributes_of_the_run(product: Product, told: dict[str, Any]) -> None:
    run_id, call_id = told["run"]["id"], told["run"]["call_id"]
    client = await Client.connect(product.temporal)
    queries = [
        "CallweaveFlow = 'tiny'",
        "CallweaveVersion = 1",
        "CallweaveKind = 'ivr'",
        "CallweaveBusiness = 'main'",
        f"CallweaveCall = '{call_id}'",
        "CallweaveOutcome = 'completed'",
        f"CallweaveFlow = 'tiny' AND CallweaveOutcome = 'completed' AND CallweaveCall = '{call_id}'",
    ]
    for query in queries:
        async with asyncio.timeout(10):
            while run_id not in [found.id async for found in client.list_workflows(query)]:
                await asyncio.sleep(0.1)
    assert [found async for found in client.list_workflows("CallweaveOutcome = 'failed'")] == []
    assert [found async for found in client.list_workflows("CallweaveCampaign = 'none'")] == []


def lines(product: Product, told: dict[str, Any]) -> None:
    """Every line is JSON, and those of the call carry its ids."""
    text = (product.home / "logs" / "callweave.log").read_text()
    records = [json.loads(line) for line in text.splitlines()]
    assert records
    run_id, call_id = told["run"]["id"], told["run"]["call_id"]
    mine = [one for one in records if one.get("run") == run_id]
    assert {one["message"] for one in mine} >= {
        "a call to 700 begins",
        "the call has ended: normal",
        "the run has ended: completed after 4 steps",
    }
    assert {one["call"] for one in mine if "call" in one} == {call_id}
    left = [(one["node"], one["flow"]) for one in mine if " left by " in one["message"]]
    assert left == [("answer", "tiny"), ("menu", "tiny"), ("one", "tiny"), ("bye", "tiny")]
    foreign = [one for one in records if call_id in json.dumps(one) and one.get("call") != call_id]
    assert not [one for one in foreign if one["logger"].startswith(("backend.", "flows.", "nodes."))], foreign
    for secret in ("metrics-token-for-this-test", product.first_sign_in()["admin"], "api_key="):
        assert secret not in text
