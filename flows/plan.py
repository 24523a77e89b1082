"""The plan: a validated document and its subflows, compiled to what the machine needs and nothing else.

A plan is addressed by the hash of its content. Equal documents over the same node library give equal plans, so
runs of an unchanged flow share one cached plan in every process.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import cached_property
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from flows.configs import check_config
from flows.document import FlowDocument, Policy, Variable
from flows.hints import Path, hints_of
from flows.problems import InvalidFlowError, problem
from nodes.sdk.node import Runs
from nodes.sdk.registry import Registry

PLAN_SPEC = 1
END = "logic.end"
JOIN = "logic.join"
PARALLEL = "logic.parallel"
SUBFLOW = "logic.subflow"
RESERVED = frozenset({END, JOIN, PARALLEL, SUBFLOW})
"""Node types that the machine executes itself; their config classes live in `nodes.logic`."""


class PlanModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlanNode(PlanModel):
    """One node. ``ports`` are the declared ones in order; the first is where ``on_error: ignore`` goes on.

    ``templates`` and ``expressions`` are the places of ``config`` that are computed before the node runs.
    ``subflow`` is the key of the flow that a subflow node runs.
    """

    id: str
    type: str
    version: int = 1
    name: str = ""
    runs: Runs
    effects: bool = False
    terminal: bool = False
    ports: tuple[str, ...] = ()
    config: dict[str, Any] = Field(default_factory=dict)
    templates: tuple[Path, ...] = ()
    expressions: tuple[Path, ...] = ()
    edges: dict[str, str] = Field(default_factory=dict)
    policy: Policy = Field(default_factory=Policy)
    subflow: str = ""


class PlanFlow(PlanModel):
    """One flow of the plan: the root or a subflow."""

    id: str
    version: int
    name: str
    kind: str
    languages: tuple[str, ...]
    entry: str
    inputs: tuple[Variable, ...] = ()
    outputs: tuple[Variable, ...] = ()
    variables: tuple[Variable, ...] = ()
    nodes: dict[str, PlanNode]
    hangup: str | None = None
    error: str | None = None
    shortcuts: dict[str, str] = Field(default_factory=dict)


class Plan(PlanModel):
    """Everything a run needs: the root flow and every subflow at the version it was pinned to."""

    spec: int = PLAN_SPEC
    root: str
    flows: dict[str, PlanFlow]

    @cached_property
    def hash(self) -> str:
        """Address of this plan."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """The stored form; `plan_from_bytes` reads it."""
        return json.dumps(
            self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode()


def plan_from_bytes(data: bytes) -> Plan:
    """Read a stored plan. Raises ValueError for one that this version cannot run."""
    plan = Plan.model_validate_json(data)
    if plan.spec != PLAN_SPEC:
        raise ValueError(
            f"the plan has format {plan.spec}; this version runs format {PLAN_SPEC}: publish the flow again"
        )
    return plan


class ResolvedFlow(BaseModel):
    """A published version that a subflow node refers to."""

    model_config = ConfigDict(frozen=True)

    document: FlowDocument
    version: int


class Resolver(Protocol):
    """Finds the published version behind a subflow reference."""

    def resolve(self, flow: str, reference: str) -> ResolvedFlow | None:
        """`reference` is an alias (``live``) or a version number as text. None when there is none."""
        ...

    def published(self, flow: str) -> bool:
        """Whether the flow has any published version, though perhaps not the one referred to."""
        ...


class MappingResolver:
    """A resolver over what was fetched before. See `gather`."""

    def __init__(
        self, known: Mapping[tuple[str, str], ResolvedFlow] | None = None, others: Collection[str] = ()
    ) -> None:
        self.known = dict(known or {})
        self.flows = frozenset(others) | {flow for flow, _ in self.known}

    def resolve(self, flow: str, reference: str) -> ResolvedFlow | None:
        return self.known.get((flow, reference))

    def published(self, flow: str) -> bool:
        return flow in self.flows


def subflow_reference(config: Mapping[str, Any]) -> tuple[str, str]:
    """Flow id and alias or version that a ``logic.subflow`` config names. A version wins over an alias."""
    version, alias = config.get("version"), config.get("alias")
    reference = version if version not in (None, "", 0) else alias
    return str(config.get("flow") or ""), str(reference if reference not in (None, "") else "live")


def references(document: FlowDocument) -> list[tuple[str, str]]:
    """Every subflow reference of a document, each once, in a stable order."""
    found = {subflow_reference(spec.config) for spec in document.nodes.values() if spec.type == SUBFLOW}
    return sorted(reference for reference in found if reference[0])


async def gather(
    document: FlowDocument,
    fetch: Callable[[str, str], Awaitable[ResolvedFlow | None]],
    published: Callable[[str], Awaitable[bool]] | None = None,
) -> MappingResolver:
    """Fetch every subflow that `document` reaches, each once, so that validation and compiling need no I/O.

    `published` tells of a flow whose reference leads nowhere whether there are other versions of it.
    """
    known: dict[tuple[str, str], ResolvedFlow] = {}
    others: set[str] = set()
    seen: set[tuple[str, str]] = set()
    left = references(document)
    while left:
        reference = left.pop()
        if reference in seen:
            continue
        seen.add(reference)
        found = await fetch(*reference)
        if found is not None:
            known[reference] = found
            left += references(found.document)
        elif published is not None and await published(reference[0]):
            others.add(reference[0])
    return MappingResolver(known, others)


def compile_plan(document: FlowDocument, registry: Registry, *, version: int, resolver: Resolver | None = None) -> Plan:
    """Compile a document that validated without errors.

    Aliases of subflows are resolved now: the plan holds their versions, so a run keeps them to its end.
    Raises `InvalidFlowError` when a node, its config or a subflow cannot be compiled.
    """
    resolver = resolver or MappingResolver()
    flows: dict[str, PlanFlow] = {}
    root = f"{document.id}@{version}"
    left = [(root, document, version)]
    while left:
        key, current, number = left.pop()
        if key in flows:
            continue
        flow, wanted = _compile_flow(current, registry, number, resolver)
        flows[key] = flow
        left += wanted
    return Plan(root=root, flows=dict(sorted(flows.items())))


def _compile_flow(
    document: FlowDocument, registry: Registry, version: int, resolver: Resolver
) -> tuple[PlanFlow, list[tuple[str, FlowDocument, int]]]:
    edges: dict[str, dict[str, str]] = {}
    for edge in document.edges:
        edges.setdefault(edge.source, {})[edge.port] = edge.target
    wanted: list[tuple[str, FlowDocument, int]] = []
    nodes: dict[str, PlanNode] = {}
    for node_id, spec in document.nodes.items():
        try:
            node = registry.get(spec.type, spec.type_version)
        except KeyError as missing:
            told = str(missing.args[0]) if missing.args else spec.type
            raise InvalidFlowError([problem("unknown_node", f"没有节点类型：{told}", told, node=node_id)]) from None
        config, found = check_config(node, spec.config, node_id)
        if config is None:
            raise InvalidFlowError(found)
        places = hints_of(node).find(spec.config)
        subflow = ""
        if spec.type == SUBFLOW:
            resolved = resolver.resolve(*subflow_reference(spec.config))
            if resolved is None:
                name = "@".join(subflow_reference(spec.config))
                raise InvalidFlowError(
                    [
                        problem(
                            "unknown_subflow",
                            f"没有已发布的子流程 {name}",
                            f"no published subflow {name}",
                            node=node_id,
                        )
                    ]
                )
            subflow = f"{resolved.document.id}@{resolved.version}"
            wanted.append((subflow, resolved.document, resolved.version))
        nodes[node_id] = PlanNode(
            id=node_id,
            type=spec.type,
            version=spec.type_version,
            name=spec.name or node.meta.title.in_language((document.languages or ["en"])[0]),
            runs=node.meta.runs,
            effects=node.meta.effects,
            terminal=node.meta.terminal,
            ports=tuple(port.name for port in node.ports(config)),
            config=spec.config,
            templates=tuple(places.templates),
            expressions=tuple(places.expressions),
            edges=edges.get(node_id, {}),
            policy=spec.policy,
            subflow=subflow,
        )
    if document.entry is None or document.entry not in nodes:
        raise InvalidFlowError(
            [
                problem(
                    "no_entry", "流程没有起始节点：请选择一个", "the flow has no entry node: choose one", field="entry"
                )
            ]
        )
    return (
        PlanFlow(
            id=document.id,
            version=version,
            name=document.name,
            kind=document.kind,
            languages=tuple(document.languages or ["zh"]),
            entry=document.entry,
            inputs=tuple(document.inputs),
            outputs=tuple(document.outputs),
            variables=tuple(document.variables),
            nodes=nodes,
            hangup=document.handlers.hangup,
            error=document.handlers.error,
            shortcuts={shortcut.key: shortcut.target for shortcut in document.shortcuts},
        ),
        wanted,
    )
