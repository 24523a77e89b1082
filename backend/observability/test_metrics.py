"""Figures: what is counted, that labels stay bounded, who may read them, and that the files for ops use what exists."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.app import create_app
from backend.database import read, write
from backend.events import record
from backend.identity.permissions import Actor
from backend.observability import metrics
from backend.observability.database import watch
from backend.observability.setup import counts
from backend.observability.testing import (
    RUNBOOK,
    alerts,
    dashboard,
    dashboard_queries,
    metrics_of,
    panels,
)
from backend.state import AppState
from backend.testing import ApiClient
from flows.task import FlowResult, FlowStart, NodeTask, TrailStep
from nodes.sdk.node import Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.registry import registry
from telephony.observer import Observer

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def value(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(f"callweave_{name}", labels) or 0.0


def task(kind: str = "voice.menu", **more: Any) -> NodeTask:
    given: dict[str, Any] = {"run_id": "r", "business_id": "b", "flow_id": "f", "version": 1, "step": 1, "attempt": 1}
    given |= {"node_id": "n", "node_type": kind, "runs": Runs.ON_CALL, "config": {}, "now": NOW}
    return NodeTask(**(given | more))


def test_nodes_are_counted_with_their_errors_and_retries() -> None:
    kind = "test.counted"
    metrics.node_began(task(kind), 1)
    metrics.node_ended(task(kind), Outcome(port="next"), 0.2)
    metrics.node_began(task(kind, attempt=2), 1)
    metrics.node_ended(task(kind, attempt=2), Outcome.error("refused"), 0.1)
    metrics.node_began(task(kind), 3)
    metrics.node_ended(task(kind), None, 0.1)
    assert value("nodes_entered_total", type=kind) == 3
    assert value("node_seconds_count", type=kind) == 3
    assert value("node_seconds_sum", type=kind) == pytest.approx(0.4)
    assert value("node_errors_total", type=kind, code="refused") == 1
    assert value("node_errors_total", type=kind, code="cut_off") == 1
    assert value("node_retries_total", type=kind, by="policy") == 1
    assert value("node_retries_total", type=kind, by="fault") == 1


def test_the_end_of_a_run_counts_what_ran_inside_the_workflow() -> None:
    start = FlowStart(run_id="r", business_id="b", flow_id="f", version=1, plan="p", kind="ticket")
    steps = [
        TrailStep(seq=1, node_id="a", node_type="logic.branch", entered=NOW, left=NOW, port="next"),
        TrailStep(seq=2, node_id="b", node_type="voice.menu", entered=NOW, left=NOW, port="1"),
        TrailStep(
            seq=3, node_id="c", node_type="logic.wait", entered=NOW, left=NOW + timedelta(seconds=7), port="next"
        ),
    ]
    before = {name: value("nodes_entered_total", type=name) for name in ("logic.branch", "logic.wait", "voice.menu")}
    limit, failed = value("flow_step_limit_hits_total"), value("flows_failed_total", code="step_limit")
    waited = value("node_seconds_sum", type="logic.wait")
    result = FlowResult(outcome="failed", reason="step_limit", steps=3)
    metrics.flow_finished(start, result, steps, registry())
    assert value("nodes_entered_total", type="logic.branch") == before["logic.branch"] + 1
    assert value("nodes_entered_total", type="logic.wait") == before["logic.wait"] + 1
    assert value("nodes_entered_total", type="voice.menu") == before["voice.menu"], "its activity is counted"
    assert value("node_seconds_sum", type="logic.wait") == pytest.approx(waited + 7)
    assert value("flow_step_limit_hits_total") == limit + 1
    assert value("flows_failed_total", code="step_limit") == failed + 1
    assert value("flows_finished_total", kind="ticket", outcome="failed") >= 1


def test_telephony_and_speech_are_counted() -> None:
    listener: Observer = metrics.TelephonyMetrics()
    before = value("calls_ended_total", direction="outbound", cause="busy")
    keys, worked = value("key_to_prompt_seconds_count"), value("asr_worked_seconds_total", language="ko")
    listener.call_offered("outbound")
    listener.call_ended("outbound", "busy", 3.0)
    listener.key_answered(0.02)
    listener.recognised("ko", "match", 2.0, 0.5)
    listener.rendered("xx", 0.0, "no_voice")
    assert value("calls_ended_total", direction="outbound", cause="busy") == before + 1
    assert value("key_to_prompt_seconds_count") == keys + 1
    assert value("asr_worked_seconds_total", language="ko") == pytest.approx(worked + 0.5)
    assert value("asr_real_time_factor_bucket", language="ko", le="0.3") >= 1
    assert value("tts_failures_total", reason="no_voice") >= 1
    assert not value("tts_seconds_count", language="xx")


def test_labels_stay_bounded() -> None:
    bounded = metrics.Bounded(3)
    assert [bounded(name) for name in ("a", "b", "c", "d", "a", "x" * 65)] == ["a", "b", "c", "other", "a", "other"]
    for number in range(2 * metrics.MOST):
        metrics.node_ended(task("test.bounded"), Outcome.error(f"invented-{number}"), 0.0)
    codes = {
        sample.labels["code"]
        for family in metrics.REGISTRY.collect()
        if family.name == "callweave_node_errors"
        for sample in family.samples
        if sample.labels.get("type") == "test.bounded"
    }
    assert len(codes) <= metrics.MOST + 1
    assert metrics.OTHER in codes


def test_counting_a_step_costs_next_to_nothing() -> None:
    step, outcome = task("test.cheap"), Outcome(port="next")
    began = time.process_time()
    for _ in range(2000):
        metrics.node_began(step, 1)
        metrics.node_ended(step, outcome, 0.01)
    assert (time.process_time() - began) / 2000 < 0.0005, "a few microseconds on a quiet machine"


def test_a_reading_that_fails_is_left_out() -> None:
    found = metrics.Readings()
    found.read("calls_live", lambda: 3)
    found.read("tts_workers", lambda: 1 / 0)
    assert [(one.name, one.samples[0].value) for one in found.collect()] == [("callweave_calls_live", 3.0)]
    with pytest.raises(KeyError, match="no gauge"):
        found.read("invented", lambda: 1)
    found.forget()
    assert list(found.collect()) == []


async def test_writes_events_and_open_runs(state: AppState, actor: Actor) -> None:
    watch(state.db)
    writes, waits, lag = (value(f"{name}_count") for name in ("database_write_seconds", "database_write_wait_seconds",
                                                               "event_lag_seconds"))  # fmt: skip
    async with write(state.db) as session:
        record(session, actor.business_id, "test.happened", "x")
    assert value("database_write_seconds_count") == writes + 1
    assert value("database_write_wait_seconds_count") == waits + 1
    assert value("event_lag_seconds_count") == lag + 1
    async with read(state.db):
        pass
    assert value("database_write_seconds_count") == writes + 1, "readers are not counted"
    found = await counts(state.db)
    assert found["outbox_events"] >= 1
    assert (found["flows_running"], found["calls_open"]) == (0, 0)


# --------------------------------------------------------------------------- who may read


async def asked(app: FastAPI, address: str, **headers: str) -> int:
    transport = httpx.ASGITransport(app=app, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        return (await client.get("/metrics", headers=headers)).status_code


async def test_only_this_machine_the_token_and_administrators_read_metrics(state: AppState, client: ApiClient) -> None:
    app = create_app(state)
    assert await asked(app, "127.0.0.1") == 200
    assert await asked(app, "192.0.2.9") == 403
    assert await asked(app, "127.0.0.1", **{"x-forwarded-for": "192.0.2.9"}) == 403
    assert await asked(app, "127.0.0.1", host="rebound.example") == 403
    assert await asked(app, "192.0.2.9", authorization="Bearer ") == 403
    assert await asked(app, "192.0.2.9", authorization=f"Bearer {state.token}") == 200, "the command line is one"
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
    assert await asked(app, "192.0.2.9", cookie=cookies) == 200, "a signed-in administrator"
    state.settings.metrics_token = type(state.settings.metrics_token)("scrape-me-4711")
    assert await asked(app, "192.0.2.9", authorization="Bearer scrape-me-4711") == 200
    assert await asked(app, "192.0.2.9", authorization="Bearer scrape-me-4712") == 403
    state.settings.metrics = False
    assert await asked(create_app(state), "127.0.0.1") == 404


# --------------------------------------------------------------------------- dashboard, alarms, runbook


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('sum by (le, type) (rate(a_b_bucket{x="y{z}", i=~"$i"}[5m])) > 1', {"a_b_bucket"}),
        ('a / on(instance) group_left(x) b unless c{d="e"} offset 5m', {"a", "b", "c"}),
        ("histogram_quantile(0.95, sum without(x) (rate(m[$__rate_interval]))) > 2e9 and up == 0", {"m", "up"}),
    ],
)
def test_metrics_of_a_query(query: str, found: set[str]) -> None:
    assert metrics_of(query) == found


def known() -> set[str]:
    """What queries may use; figures of Temporal's SDK are checked against a running product."""
    return {*metrics.names(), "up"}


def test_every_metric_of_the_dashboard_exists() -> None:
    queries = dashboard_queries()
    assert len(queries) > 50
    asked = {name for query in queries for name in metrics_of(query) if not name.startswith("temporal_")}
    assert asked <= known(), asked - known()
    covered = {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked}
    every = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known() if name.startswith("callweave_")}
    for_alarms_and_details = {
        "callweave_asr_heard_seconds_total",
        "callweave_asr_worked_seconds_total",
        "callweave_engine_events_refused_total",
        "callweave_event_overruns_total",
        "callweave_lease_fencing_number",
        "callweave_workers_running",
    }
    assert every - covered == for_alarms_and_details, "a new figure belongs on the dashboard"


def test_the_dashboard_can_be_imported() -> None:
    board = dashboard()
    assert board["uid"] == "callweave" and board["title"] and board["schemaVersion"] >= 36
    assert "id" not in board, "Grafana gives it"
    ids = [panel["id"] for panel in panels(board)]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
        if panel["type"] != "row":
            assert panel["targets"] and all(target["expr"] for target in panel["targets"])
            assert panel["datasource"]["uid"] == "${datasource}", "whoever imports it chooses"
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_every_alarm_uses_metrics_that_exist_and_is_in_the_runbook() -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (Callweave\w+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    found = alerts()
    assert {alert.severity for alert in found} == {"critical", "warning", "info"}
    assert len({alert.name for alert in found}) == len(found)
    for alert in found:
        asked = {name for name in metrics_of(alert.query) if not name.startswith("temporal_")}
        assert asked <= known(), (alert.name, asked - known())
        assert re.fullmatch(r"\d+[smh]", alert.hold)
        assert alert.summary.isascii() and re.search(r"[\u4e00-\u9fff]", alert.summary_zh)
        assert alert.runbook == f"docs/runbook.md#{alert.name.lower()}"
        section = sections[alert.name]
        assert f"*{alert.severity}*" in section
        for part in ("**What it means.**", "**What to do.**", "**含义。**", "**处理。**"):
            assert part in section, (alert.name, part)
        assert section.count("\n1. ") == 2, f"{alert.name} says what to do in both languages"
    assert set(sections) == {alert.name for alert in found}, "no section without its alarm"


def test_settings_that_the_runbook_names_exist() -> None:
    from backend.settings import Settings

    text = RUNBOOK.read_text(encoding="utf-8") + Path(RUNBOOK.parents[1] / "ops/prometheus/alerts.yml").read_text()
    named = {name.lower() for name in re.findall(r"CALLWEAVE_([A-Z_]+)", text)}
    assert named and named <= set(Settings.model_fields), named - set(Settings.model_fields)
