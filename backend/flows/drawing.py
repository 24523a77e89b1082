"""What an editor asks while a flow is drawn: shapes of nodes, names for expressions, values of the last run."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from backend.calls.models import Call, Run, TrailEntry
from backend.customers.models import CustomerField
from backend.database import AsyncSession, Database, read
from backend.errors import InvalidError, not_found
from backend.flows.models import Flow, FlowVersion
from backend.flows.service import _read_draft, _resolve, get_flow
from backend.identity.models import Business
from flows.document import FlowDocument, Variable
from flows.expressions import ExpressionError, Scope, evaluate, render
from flows.machine import zone_of
from flows.plan import SUBFLOW, MappingResolver, gather, subflow_reference
from flows.scope import Located, ScopeName, check_text, output_of, scope_of
from flows.shapes import Shape, shape_of, summary_of
from flows.values import ValueTypeError, coerce
from nodes.sdk.registry import registry
from nodes.sdk.text import Text, text

MOST_NODES = 5_000
_SEALED = re.compile(r"enc:v1:[\w=+/-]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A node as it stands in the editor. ``id`` comes back with its shape."""

    id: str
    type: str
    version: int | None
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Its shape; None for a type that is not installed. ``inputs`` are those of the flow that a subflow node runs."""

    id: str
    type: str
    shape: Shape | None
    inputs: list[Variable] | None = None
    runs: str | None = None


async def shapes(db: Database, business_id: str, asked: Sequence[Asked]) -> list[Drawn]:
    """The shapes of many nodes at once, sound or not."""
    if len(asked) > MOST_NODES:
        raise InvalidError(
            text(f"一次最多 {MOST_NODES} 个节点", f"at most {MOST_NODES} nodes at once"),
            field="nodes",
            remedy=text("请分批查询。", "Ask in parts."),
        )
    wanted = {subflow_reference(one.config) for one in asked if one.type == SUBFLOW}
    below = {reference: await _resolve(db, business_id, *reference) for reference in wanted if reference[0]}

    def draw(one: Asked) -> Drawn:
        try:
            node = registry().get(one.type, one.version)
        except KeyError:
            return Drawn(one.id, one.type, None)
        shape = shape_of(node, one.config, one.id)
        found = below.get(subflow_reference(one.config)) if one.type == SUBFLOW else None
        if found is None:
            return Drawn(one.id, one.type, shape)
        outputs = [output_of(variable) for variable in found.document.outputs]
        line = summary_of(node, {**one.config, "flow": found.document.name})
        shape = Shape(shape.ports, outputs, line, shape.sound, shape.problems)
        return Drawn(one.id, one.type, shape, list(found.document.inputs), f"{found.document.id}@{found.version}")

    if len(asked) < 50:
        return [draw(one) for one in asked]
    return await asyncio.to_thread(lambda: [draw(one) for one in asked])


# --------------------------------------------------------------------------- expressions


async def document_of(db: Database, business_id: str, document: Any, key: str | None) -> FlowDocument:
    """The document an editor sends, or the stored draft of a key. Raises InvalidError, NotFoundError."""
    if document is None and key is None:
        raise InvalidError(
            text("缺少流程", "no flow is given"),
            field="document",
            remedy=text("请给出 document 或 key。", "Give a document or a key."),
        )
    data = document if document is not None else (await get_flow(db, business_id, key or "")).draft
    return _read_draft(data)[0]


async def _resolver(db: Database, business_id: str, document: FlowDocument) -> MappingResolver:
    return await gather(document, lambda flow, reference: _resolve(db, business_id, flow, reference))


async def expression_scope(db: Database, business_id: str, document: FlowDocument, node: str | None) -> list[ScopeName]:
    """Names for an expression at a node, with the business's own customer fields."""
    found = scope_of(document, node, registry(), await _resolver(db, business_id, document))
    async with read(db) as session:
        own = (
            select(CustomerField)
            .where(CustomerField.business_id == business_id, col(CustomerField.enabled))
            .order_by(col(CustomerField.key))
        )
        for one in await session.exec(own):
            found.append(
                ScopeName(
                    f"customer.fields.{one.key}",
                    "customer",
                    "any",
                    text(one.label_zh, one.label_en),
                )
            )
    return found


async def check_expression(
    db: Database, business_id: str, document: FlowDocument, source: str, *, template: bool
) -> list[Located]:
    """What is wrong with an expression that is being typed, and where."""
    return check_text(document, source, registry(), await _resolver(db, business_id, document), template=template)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an expression came to with the values of a run, or why it came to nothing."""

    run_id: str
    call_id: str | None
    at: datetime
    value: Any
    text: str
    problem: Text | None


async def preview(
    db: Database, business_id: str, key: str, node: str, source: str, *, template: bool, run_id: str | None = None
) -> Preview | None:
    """The value of an expression as the node would have seen it in its last run; None when it never ran."""
    async with read(db) as session:
        entry = await _last_visit(session, business_id, key, node, run_id)
        if entry is None:
            if run_id is not None:
                raise not_found("运行", "run of this node", run_id, "runId")
            return None
        scope = await _scope_at(session, business_id, entry)
    value: Any = None
    problem: Text | None = None
    try:
        value = _veiled(render(source, scope) if template else evaluate(source, scope))
    except ExpressionError as error:
        problem = text(f"无法计算：{error}", f"it cannot be computed: {error}")
    told = "" if value is None else value if isinstance(value, str) else render("{{ vars.v }}", _one(value, scope))
    return Preview(entry.run_id, entry.call_id, entry.entered, value, told, problem)


def _one(value: Any, scope: Scope) -> Scope:
    return Scope({"vars": {"v": value}}, scope.language, scope.zone)


async def _last_visit(
    session: AsyncSession, business_id: str, key: str, node: str, run_id: str | None
) -> TrailEntry | None:
    statement = select(TrailEntry).where(
        TrailEntry.business_id == business_id, TrailEntry.flow_key == key, TrailEntry.node_id == node
    )
    if run_id is not None:
        statement = statement.where(TrailEntry.run_id == run_id)
    return (await session.exec(statement.order_by(col(TrailEntry.entered).desc()).limit(1))).first()


async def _scope_at(session: AsyncSession, business_id: str, entry: TrailEntry) -> Scope:
    """The names as they were when the run came to that step."""
    run = await session.get(Run, entry.run_id)
    call = await session.get(Call, entry.call_id) if entry.call_id else None
    business = await session.get(Business, business_id)
    earlier = list(
        await session.exec(
            select(TrailEntry)
            .where(TrailEntry.run_id == entry.run_id, TrailEntry.seq < entry.seq)
            .order_by(col(TrailEntry.seq))
        )
    )
    variables = await _first_values(session, business_id, run, entry.flow_key)
    nodes: dict[str, Any] = {}
    caller: dict[str, Any] = {}
    customer: dict[str, Any] = {}
    if call is not None:
        caller = {name: getattr(call, name) for name in ("id", "gateway", "caller", "called", "language", "anonymous")}
    for step in earlier:
        changes = step.changes
        caller |= changes.get("call") or {}
        customer = changes.get("customer") or customer
        if step.flow_key == entry.flow_key:
            variables |= changes.get("variables") or {}
            nodes[step.node_id] = dict(step.outputs) | ({"error": step.error} if step.error else {})
    return Scope.of(
        now=entry.entered,
        language=str(caller.get("language") or (business.language if business is not None else "zh")),
        zone=zone_of(business.timezone if business is not None else "UTC"),
        call=caller,
        customer=customer,
        vars=variables,
        nodes=nodes,
    )


async def _first_values(session: AsyncSession, business_id: str, run: Run | None, key: str) -> dict[str, Any]:
    """Inputs and defaults with which the run of a flow began; a subflow's inputs are not on record."""
    values: dict[str, Any] = {}
    if run is None:
        return values
    document: FlowDocument | None = None
    if run.flow_key == key:
        found = await session.exec(
            select(FlowVersion.document)
            .join(Flow, col(Flow.id) == col(FlowVersion.flow_id))
            .where(Flow.business_id == business_id, Flow.key == key, FlowVersion.number == run.flow_version)
        )
        data = found.first()
        document = FlowDocument.model_validate(data) if data is not None else None
    for variable in (*document.variables, *document.inputs, *document.outputs) if document is not None else ():
        given = run.inputs.get(variable.name, variable.default)
        try:
            values[variable.name] = coerce(given, variable.type)
        except ValueTypeError:
            values[variable.name] = given
    return values


def _veiled(value: Any) -> Any:
    """Confidential values stay so."""
    match value:
        case str():
            return _SEALED.sub("•••", value)
        case dict():
            return {name: _veiled(each) for name, each in value.items()}
        case list():
            return [_veiled(each) for each in value]
        case _:
            return value
