"""The dashboard and the alarms as tests read them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "ops" / "grafana" / "callweave.json"
ALERTS = ROOT / "ops" / "prometheus" / "alerts.yml"
RUNBOOK = ROOT / "docs" / "runbook.md"

_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan", "group_left", "group_right"})


def metrics_of(query: str) -> set[str]:
    """The metrics that a PromQL query asks for."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", query)
    bare = re.sub(r"\{[^{}]*\}|\[[^\[\]]*\]", " ", bare)
    bare = re.sub(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)", " ", bare)
    bare = re.sub(r"\$\w+", " ", bare)
    found = re.findall(r"(?<![\w.:])([a-zA-Z_:][\w:]*)\b(?!\s*\()", bare)
    return {name for name in found if name.lower() not in _WORDS}


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel, those inside rows too."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", ())


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def dashboard_queries() -> list[str]:
    """Every query of the dashboard, those of its variables too."""
    board = dashboard()
    queries = [target["expr"] for panel in panels(board) for target in panel.get("targets", ())]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            asked = variable["query"]["query"] if isinstance(variable["query"], dict) else variable["query"]
            inner = re.fullmatch(r"label_values\((.+),\s*\w+\)", asked)
            queries.append(inner.group(1) if inner else asked)
    return queries


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule of the alarms."""

    name: str
    query: str
    severity: str
    hold: str
    summary: str
    summary_zh: str
    runbook: str


def alerts() -> list[Alert]:
    """Every rule, in its order."""
    return [
        Alert(
            name=rule["alert"],
            query=rule["expr"],
            severity=rule["labels"]["severity"],
            hold=rule.get("for", "0s"),
            summary=rule["annotations"]["summary"],
            summary_zh=rule["annotations"]["summary_zh"],
            runbook=rule["annotations"]["runbook"],
        )
        for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]
