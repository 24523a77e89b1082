"""Where things are used: which flows name a prompt, calendar, list, query, credential or another flow."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import defer
from sqlmodel import col, select

from backend.database import Database, read
from backend.errors import InvalidError
from backend.flows.models import Flow, FlowAlias, FlowVersion
from flows.document import FlowDocument
from flows.naming import node_name
from flows.references import uses
from flows.validation import parse_draft
from nodes.sdk.registry import registry
from nodes.sdk.text import Text, text

KINDS = ("prompt", "calendar", "list", "query", "credential", "flow")


@dataclass(frozen=True, slots=True)
class FoundUse:
    """A node of a flow that names something. ``version`` is None in the draft; ``aliases`` point at the version.

    ``called`` is the node by the name on its card.
    """

    name: str
    flow_key: str
    flow_name: str
    version: int | None
    node: str
    node_name: str
    called: Text
    field: str
    aliases: Sequence[str] = ()


async def where_used(db: Database, business_id: str, kind: str, name: str | None = None) -> list[FoundUse]:
    """Uses in drafts and in versions that an alias points at, by flow. Raises InvalidError for an unknown kind."""
    if kind not in KINDS:
        raise InvalidError(
            text(f"没有类型“{kind}”", f"there is no kind '{kind}'"),
            field="kind",
            remedy=text(f"可选 {'、'.join(KINDS)}。", f"Choose one of {', '.join(KINDS)}."),
        )
    async with read(db) as session:
        drafts = list(await session.exec(select(Flow).where(Flow.business_id == business_id).order_by(col(Flow.name))))
        pointed = list(
            await session.exec(
                select(FlowAlias.name, FlowVersion)
                .join(FlowVersion, col(FlowVersion.id) == col(FlowAlias.version_id))
                .where(FlowAlias.business_id == business_id)
                .options(defer(FlowVersion.plan))  # type: ignore[arg-type]
            )
        )
    versions: dict[str, tuple[FlowVersion, list[str]]] = {}
    for alias, version in pointed:
        versions.setdefault(version.id, (version, []))[1].append(alias)
    found: list[FoundUse] = []
    for flow in drafts:
        found += _in(flow, parse_draft(flow.draft)[0], None, [], kind, name)
        for version, aliases in versions.values():
            if version.flow_id == flow.id:
                found += _in(flow, parse_draft(version.document)[0], version.number, sorted(aliases), kind, name)
    return found


def _in(
    flow: Flow, document: FlowDocument, version: int | None, aliases: list[str], kind: str, name: str | None
) -> list[FoundUse]:
    return [
        FoundUse(
            name=use.name,
            flow_key=flow.key,
            flow_name=flow.name,
            version=version,
            node=use.node,
            node_name=document.nodes[use.node].name,
            called=_called(document, use.node),
            field=use.field,
            aliases=aliases,
        )
        for use in uses(document, registry())
        if use.kind == kind and name in (None, use.name)
    ]


def _called(document: FlowDocument, node: str) -> Text:
    spec = document.nodes[node]
    known = spec.type in registry()
    return node_name(spec.name, registry().get(spec.type).meta.title if known else None, node)
