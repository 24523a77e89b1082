"""Documents of older formats become documents of today's, step by step.

``spec_version`` is semver: a higher patch or minor version only adds, a higher major version needs a newer engine.
A step is a function from plain data to plain data, registered for the version it leaves. It never mutates its input,
and once released it is never changed: saved documents of every version are kept as fixtures.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from flows.document import SPEC_VERSION
from nodes.sdk.text import Text, text

Data = dict[str, Any]

_SEMVER = re.compile(r"^(\d{1,6})\.(\d{1,6})\.(\d{1,6})$")


class DocumentVersionError(ValueError):
    """A document's format cannot be read here. ``text`` says so in both languages."""

    def __init__(self, told: Text) -> None:
        super().__init__(told.en)
        self.text = told


@dataclass(frozen=True, slots=True)
class Step:
    """One migration."""

    before: str
    after: str
    apply: Callable[[Data], Data]


STEPS: dict[str, Step] = {}


def step(before: str, after: str) -> Callable[[Callable[[Data], Data]], Callable[[Data], Data]]:
    """Register a migration from one version to the next."""

    def register(function: Callable[[Data], Data]) -> Callable[[Data], Data]:
        STEPS[before] = Step(before, after, function)
        return function

    return register


def parse_version(version: Any) -> tuple[int, int, int]:
    """Raises `DocumentVersionError` for anything but ``major.minor.patch``."""
    match = _SEMVER.match(version) if isinstance(version, str) else None
    if match is None:
        raise DocumentVersionError(
            text(
                f"spec_version 应写作“主.次.修订”，例如 {SPEC_VERSION}",
                f"spec_version must be written major.minor.patch, such as {SPEC_VERSION}",
            )
        )
    return int(match[1]), int(match[2]), int(match[3])


def migrate(data: Data) -> Data:
    """The document in today's format. A document without a version is of today's.

    Raises `DocumentVersionError` for a version that is malformed, newer than this engine, or too old to be known.
    """
    version = data.get("spec_version", SPEC_VERSION)
    if parse_version(version) > parse_version(SPEC_VERSION):
        raise DocumentVersionError(
            text(
                f"流程的格式版本 {version} 比本软件（{SPEC_VERSION}）新，请升级软件或从新版导出旧格式",
                f"the flow has format {version}, newer than this installation's {SPEC_VERSION}: upgrade Callweave",
            )
        )
    while version != SPEC_VERSION:
        known = STEPS.get(version)
        if known is None:
            raise DocumentVersionError(
                text(
                    f"不认识流程的格式版本 {version}，可读取：{', '.join([*sorted(STEPS), SPEC_VERSION])}",
                    f"the flow's format {version} is not known; these can be read: "
                    f"{', '.join([*sorted(STEPS), SPEC_VERSION])}",
                )
            )
        try:
            data = known.apply(deepcopy(data))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DocumentVersionError(
                text(
                    f"格式 {version} 的流程不完整，无法转换：{error}",
                    f"the flow does not keep its own format {version} and cannot be converted: {error}",
                )
            ) from None
        data["spec_version"] = version = known.after
    return data


@step("0.8.0", "0.9.0")
def _edges_leave_the_nodes(data: Data) -> Data:
    """0.8 kept connections inside the nodes (``next``: port to node) and a duration in milliseconds as timeout."""
    edges = list(data.get("edges", []))
    for node_id, node in data.get("nodes", {}).items():
        for port, target in (node.pop("next", None) or {}).items():
            edges.append({"from": node_id, "port": port, "to": target})
        if "timeout_ms" in node:
            node.setdefault("policy", {})["timeout"] = node.pop("timeout_ms") / 1000
    data["edges"] = edges
    return data


@step("0.9.0", "1.0.0")
def _handlers_and_shortcuts(data: Data) -> Data:
    """0.9 had ``hangup_to``, ``error_to`` and ``zero_to``, node versions as ``version``, ``start`` and ``layout``."""
    handlers = {name: data.pop(f"{name}_to", None) for name in ("hangup", "error")}
    data.setdefault("handlers", {}).update({name: target for name, target in handlers.items() if target})
    zero = data.pop("zero_to", None)
    if zero:
        data.setdefault("shortcuts", []).append({"key": "0", "to": zero})
    if "start" in data:
        data["entry"] = data.pop("start")
    if "layout" in data:
        data["ui"] = {"positions": data.pop("layout"), **data.get("ui", {})}
    for node in data.get("nodes", {}).values():
        if "version" in node:
            node["type_version"] = node.pop("version")
    return data
