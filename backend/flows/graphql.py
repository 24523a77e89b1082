"""Flows, versions, aliases, node types."""

import dataclasses
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import strawberry
from sqlalchemy import inspect
from strawberry.scalars import JSON

from backend.flows import listing, presence, service, templates
from backend.graphql.base import Connection, Done, FromRow, Info, Words, mutation, query, subscription
from backend.identity.permissions import Permission
from flows.catalogue import CATALOGUE
from flows.diff import FieldChange, FlowDiff
from flows.problems import Problem
from nodes.sdk.registry import describe, registry


@strawberry.type(name="FlowProblem", description="Something wrong with a document: where, what and how grave.")
class FlowProblem:
    code: str
    severity: str
    node: str | None
    field: str | None
    message: Words
    title: Words = strawberry.field(description="What kind of problem it is.")
    remedy: Words = strawberry.field(description="What helps.")

    @classmethod
    def of(cls, found: Problem) -> "FlowProblem":
        kind = CATALOGUE[found.code]
        return cls(
            code=found.code,
            severity=found.severity,
            node=found.node,
            field=found.field,
            message=Words.of(found.message),
            title=Words.of(kind.title),
            remedy=Words.of(kind.remedy),
        )


@strawberry.type(name="FlowVersion")
class FlowVersionType(FromRow):
    id: str
    number: int
    document_hash: str
    plan_hash: str
    author: str | None
    note: str
    created_at: datetime

    @query(Permission.FLOWS_READ, "The document, fetched only when asked for.")
    async def document(self, info: Info) -> JSON:
        return JSON(await info.context.loader("version_documents", listing.documents_of, dict).load(self.id))


@strawberry.type(name="FlowAlias")
class FlowAliasType:
    name: str
    version: int


@strawberry.type(name="FlowCaseSummary", description="Test cases by what they came to; stale ran on another draft.")
class CaseSummaryType(FromRow):
    total: int
    green: int
    red: int
    never_ran: int
    stale: int


@strawberry.type(name="FlowNumber", description="A number that leads to a flow.")
class FlowNumberType(FromRow):
    id: str
    number: str
    name: str
    alias: str
    version: int | None
    enabled: bool


@strawberry.type(name="ProblemCounts", description="How much is wrong with a draft.")
class ProblemCountsType(FromRow):
    errors: int
    warnings: int


@strawberry.type(name="Flow")
class FlowType(FromRow):
    id: str
    key: str
    name: str
    kind: str
    folder: str
    tags: list[str]
    revision: int
    archived: bool
    cases_required: bool
    created_at: datetime
    updated_at: datetime
    updated_by: str | None

    draft_hash: strawberry.Private[str]
    document: strawberry.Private[dict[str, Any] | None] = None

    @classmethod
    def of(cls, row: Any) -> "FlowType":
        """The type's instance for a row, whose draft need not be loaded."""
        absent = inspect(row).unloaded
        names = [field.name for field in dataclasses.fields(cls) if field.init and field.name != "document"]
        return cls(
            **{name: getattr(row, name) for name in names}, document=None if "draft" in absent else dict(row.draft)
        )

    @query(Permission.FLOWS_READ, "The document that people edit, fetched only when asked for.")
    async def draft(self, info: Info) -> JSON:
        if self.document is None:
            self.document = await info.context.loader("drafts", listing.drafts_of, dict).load(self.id)
        return JSON(self.document)

    @query(Permission.FLOWS_READ, "Whether the draft differs in meaning from what is live, or nothing is live.")
    async def draft_ahead(self, info: Info) -> bool:
        live = await info.context.loader("live_hashes", listing.live_hashes, str).load(self.id)
        own = self.draft_hash or listing.hash_of(
            self.document or await info.context.loader("drafts", listing.drafts_of, dict).load(self.id)
        )
        return live != own

    @query(Permission.FLOWS_READ, "Its test cases in figures.")
    async def cases(self, info: Info) -> CaseSummaryType:
        found = info.context.loader("case_summaries", listing.case_summaries, listing.CaseSummary)
        return CaseSummaryType.of(await found.load(self.id))

    @query(Permission.FLOWS_READ, "Numbers that lead to it.")
    async def numbers(self, info: Info) -> list[FlowNumberType]:
        found = await info.context.loader("flow_numbers", listing.numbers_of, list).load(self.id)
        return [FlowNumberType.of(number) for number in found]

    @query(Permission.FLOWS_READ, "How much is wrong with the draft, as publishing would find it.")
    async def problem_counts(self, info: Info) -> ProblemCountsType:
        state = info.context.state
        found = await listing.problem_counts(state.db, info.context.actor.business_id, self.key, self.revision)
        return ProblemCountsType.of(found)

    @query(Permission.FLOWS_READ, "Which version each alias points at.")
    async def aliases(self, info: Info) -> list[FlowAliasType]:
        found = await info.context.aliases.load(self.id)
        return [FlowAliasType(name=name, version=number) for name, number in sorted(found.items())]

    @query(Permission.FLOWS_READ, "Versions, newest first.")
    async def versions(self, info: Info) -> list[FlowVersionType]:
        found = await service.list_versions(info.context.state.db, info.context.actor.business_id, self.key)
        return [FlowVersionType.of(version) for version in found]


@strawberry.type(description="A stored draft and what is wrong with it so far.")
class SavedFlow:
    flow: FlowType
    problems: list[FlowProblem]

    @classmethod
    def of(cls, saved: service.Saved) -> "SavedFlow":
        return cls(flow=FlowType.of(saved.flow), problems=[FlowProblem.of(found) for found in saved.problems])


@strawberry.type(description="A published version, with the warnings it was published with.")
class PublishedFlow:
    flow: FlowType
    version: FlowVersionType
    problems: list[FlowProblem]
    is_new: bool = strawberry.field(description="False when nothing had changed since the last version.")


@strawberry.type(description="A node type as the designer shows it: titles, ports, and the form as JSON Schema.")
class NodeType:
    type: str
    version: int
    family: str
    definition: JSON


@strawberry.type(name="FieldChange", description="A value that differs, by its path: added, removed or changed.")
class FieldChangeType:
    field: str
    title: Words
    kind: str
    old: JSON | None
    new: JSON | None

    @classmethod
    def of(cls, change: FieldChange) -> "FieldChangeType":
        return cls(field=change.field, title=Words.of(change.title), kind=change.kind, old=change.old, new=change.new)


@strawberry.type(name="NodeChange", description="A node that came, went, or is not what it was.")
class NodeChangeType:
    node: str
    kind: str
    type: str
    name: str
    renamed: bool
    fields: list[FieldChangeType]


@strawberry.type(name="WireChange", description="A port that leads elsewhere.")
class WireChangeType:
    node: str
    port: str
    old: str | None
    new: str | None


@strawberry.type(name="FlowDiff", description="What differs in meaning; layout does not count.")
class FlowDiffType:
    nodes: list[NodeChangeType]
    wires: list[WireChangeType]
    flow: list[FieldChangeType]

    @classmethod
    def of(cls, found: FlowDiff) -> "FlowDiffType":
        return cls(
            nodes=[
                NodeChangeType(
                    node=one.node,
                    kind=one.kind,
                    type=one.type,
                    name=one.name,
                    renamed=one.renamed,
                    fields=[FieldChangeType.of(field) for field in one.fields],
                )
                for one in found.nodes
            ],
            wires=[WireChangeType(node=one.node, port=one.port, old=one.old, new=one.new) for one in found.wires],
            flow=[FieldChangeType.of(field) for field in found.flow],
        )


@strawberry.type(description="A draft was saved.")
class DraftChange:
    key: str
    revision: int
    by: str


@strawberry.type(name="FlowPresent", description="Somebody who has the flow open; me is the asker's own tab.")
class PresentType(FromRow):
    client: str
    user_id: str | None
    name: str
    since: datetime
    me: bool


@strawberry.type(name="FlowDeed", description="Who did what to a flow; saves in a row are told as one.")
class FlowDeedType:
    seq: int
    at: datetime
    since: datetime = strawberry.field(description="When the first of the saves in a row was made.")
    times: int
    actor: str
    action: str
    details: JSON
    text: Words


@strawberry.type(name="FlowTemplate", description="A flow to begin from; cases is how many test cases come with it.")
class FlowTemplateType:
    key: str
    kind: str
    title: Words
    description: Words
    document: JSON
    cases: int


@strawberry.type(name="FlowLabels", description="What flows are sorted by.")
class FlowLabels:
    folders: list[str]
    tags: list[str]


@strawberry.type(name="VersionCount")
class VersionCount:
    version: int
    count: int


@strawberry.type(name="AliasImpact", description="What moving an alias touches; runs stay on their version.")
class AliasImpactType:
    alias: str
    version: int | None
    calls: list[VersionCount] = strawberry.field(description="Calls in progress by version.")
    runs: list[VersionCount] = strawberry.field(description="Other runs in progress by version.")
    numbers: list[FlowNumberType] = strawberry.field(description="Numbers that follow the alias.")
    flows: list[str] = strawberry.field(description="Keys of flows whose drafts run it as a subflow by the alias.")
    rules: list[str] = strawberry.field(description="Names of rules that start it by the alias.")


def _by_version(found: dict[int, int]) -> list[VersionCount]:
    return [VersionCount(version=version, count=count) for version, count in sorted(found.items())]


@strawberry.type
class FlowsQuery:
    @query(Permission.FLOWS_READ, "What differs between two states of a flow: draft, an alias or a version number.")
    async def flow_diff(self, info: Info, key: str, old: str = "live", new: str = "draft") -> FlowDiffType:
        found = await service.flow_diff(info.context.state.db, info.context.actor.business_id, key, old, new)
        return FlowDiffType.of(found)

    @query(Permission.FLOWS_READ, "Flows by name.")
    async def flows(self, info: Info, archived: bool = False, kind: str | None = None) -> list[FlowType]:
        found = await service.list_flows(
            info.context.state.db, info.context.actor.business_id, archived=archived, kind=kind
        )
        return [FlowType.of(flow) for flow in found]

    @query(Permission.FLOWS_READ, "One flow by its key.")
    async def flow(self, info: Info, key: str) -> FlowType:
        return FlowType.of(await service.get_flow(info.context.state.db, info.context.actor.business_id, key))

    @query(Permission.FLOWS_READ, "One version of a flow.")
    async def flow_version(self, info: Info, key: str, number: int) -> FlowVersionType:
        found = await service.get_version(info.context.state.db, info.context.actor.business_id, key, number)
        return FlowVersionType.of(found)

    @query(Permission.FLOWS_READ, "What moving an alias would touch now.")
    async def alias_impact(self, info: Info, key: str, alias: str = "live") -> AliasImpactType:
        found = await listing.alias_impact(info.context.state.db, info.context.actor.business_id, key, alias)
        return AliasImpactType(
            alias=alias,
            version=found.version,
            calls=_by_version(found.calls),
            runs=_by_version(found.runs),
            numbers=[FlowNumberType.of(number) for number in found.numbers],
            flows=found.flows,
            rules=found.rules,
        )

    @query(Permission.FLOWS_READ, "Who changed what of a flow, newest first.")
    async def flow_history(
        self, info: Info, key: str, first: int = 50, after: str | None = None
    ) -> Connection[FlowDeedType]:
        found = await listing.history(
            info.context.state.db, info.context.actor.business_id, key, first=first, after=after
        )
        return Connection(
            nodes=[
                FlowDeedType(
                    seq=deed.seq,
                    at=deed.at,
                    since=deed.since,
                    times=deed.times,
                    actor=deed.actor,
                    action=deed.action,
                    details=JSON(deed.details),
                    text=Words.of(deed.text),
                )
                for deed in found.items
            ],
            cursors=list(found.cursors),
            end_cursor=found.end,
            has_next=found.has_next,
        )

    @query(Permission.FLOWS_READ, "Flows to begin from, simple ones first.")
    async def flow_templates(self, info: Info) -> list[FlowTemplateType]:
        return [
            FlowTemplateType(
                key=one.key,
                kind=one.kind,
                title=Words.of(one.title),
                description=Words.of(one.description),
                document=JSON(dict(one.document)),
                cases=len(one.cases),
            )
            for one in templates.templates()
        ]

    @query(Permission.FLOWS_READ, "Folders and tags in use.")
    async def flow_labels(self, info: Info) -> FlowLabels:
        folders, tags = await listing.labels(info.context.state.db, info.context.actor.business_id)
        return FlowLabels(folders=folders, tags=tags)

    @query(Permission.FLOWS_READ, "The draft, or a version, as one JSON document.")
    async def export_flow(self, info: Info, key: str, version: int | None = None) -> JSON:
        state = info.context.state
        document: Any = await service.export_flow(state.db, info.context.actor.business_id, key, version=version)
        return JSON(document)

    @query(Permission.FLOWS_READ, "Everything wrong with a document, as publishing would find it.")
    async def check_flow(self, info: Info, document: JSON) -> list[FlowProblem]:
        found = await service.check(info.context.state.db, info.context.actor.business_id, document)
        return [FlowProblem.of(problem) for problem in found]

    @query(Permission.FLOWS_READ, "Every node type, by family.")
    async def node_types(self, info: Info) -> list[NodeType]:
        return [
            NodeType(
                type=node.meta.type, version=node.meta.version, family=node.meta.family, definition=JSON(describe(node))
            )
            for nodes in registry().families().values()
            for node in nodes
        ]


@strawberry.input
class FlowToImport:
    """A document from a file. With `replace` a flow of its key gets it as its draft."""

    document: JSON
    replace: bool = False


@strawberry.type
class FlowsMutation:
    @mutation(Permission.FLOWS_EDIT, "A new flow from a document; a key in use gets a number behind it.")
    async def create_flow(self, info: Info, document: JSON) -> SavedFlow:
        return SavedFlow.of(await service.create_flow(info.context.state.db, info.context.actor, document))

    @mutation(Permission.FLOWS_EDIT, "Save a draft; refused when somebody saved a newer one.")
    async def save_draft(self, info: Info, key: str, document: JSON, revision: int) -> SavedFlow:
        saved = await service.save_draft(info.context.state.db, info.context.actor, key, document, revision=revision)
        return SavedFlow.of(saved)

    @mutation(Permission.FLOWS_EDIT, "Take a document from a file, into the flow of its key with replace.")
    async def import_flow(self, info: Info, document: JSON, replace: bool = False) -> SavedFlow:
        saved = await service.import_flow(info.context.state.db, info.context.actor, document, replace=replace)
        return SavedFlow.of(saved)

    @mutation(Permission.FLOWS_EDIT, "Take several documents from files in one step: all of them, or none.")
    async def import_flows(self, info: Info, flows: list[FlowToImport]) -> list[SavedFlow]:
        incoming = [service.Incoming(one.document, one.replace) for one in flows]
        saved = await service.import_flows(info.context.state.db, info.context.actor, incoming)
        return [SavedFlow.of(one) for one in saved]

    @mutation(Permission.FLOWS_PUBLISH, "Validate the draft, keep it as a version, point the alias at it.")
    async def publish_flow(
        self, info: Info, key: str, revision: int | None = None, note: str = "", alias: str | None = "live"
    ) -> PublishedFlow:
        done = await service.publish(
            info.context.state.db, info.context.actor, key, revision=revision, message=note, alias=alias
        )
        return PublishedFlow(
            flow=FlowType.of(done.flow),
            version=FlowVersionType.of(done.version),
            problems=[FlowProblem.of(found) for found in done.problems],
            is_new=done.is_new,
        )

    @mutation(Permission.FLOWS_PUBLISH, "Point an alias at a version: put live, or roll back.")
    async def move_alias(self, info: Info, key: str, alias: str, version: int) -> FlowAliasType:
        await service.move_alias(info.context.state.db, info.context.actor, key, alias=alias, version=version)
        return FlowAliasType(name=alias, version=version)

    @mutation(Permission.FLOWS_EDIT, "A new flow from a template, with its test cases.")
    async def create_from_template(self, info: Info, key: str, name: str = "") -> SavedFlow:
        return SavedFlow.of(await templates.create_from(info.context.state.db, info.context.actor, key, name=name))

    @mutation(Permission.FLOWS_EDIT, "Put a flow into a folder (a/b), tag it; what is left out stays.")
    async def update_flow_meta(
        self, info: Info, key: str, folder: str | None = None, tags: list[str] | None = None
    ) -> FlowType:
        changed = await listing.update_meta(info.context.state.db, info.context.actor, key, folder=folder, tags=tags)
        return FlowType.of(changed)

    @mutation(Permission.FLOWS_EDIT, "A copy of a flow's draft with its test cases, folder and tags.")
    async def duplicate_flow(self, info: Info, key: str, name: str = "") -> SavedFlow:
        return SavedFlow.of(await listing.duplicate(info.context.state.db, info.context.actor, key, name=name))

    @mutation(Permission.FLOWS_PUBLISH, "Delete a flow that nothing points at and that is not running.")
    async def delete_flow(self, info: Info, key: str) -> Done:
        await listing.delete_flow(info.context.state.db, info.context.actor, key)
        return Done()

    @mutation(Permission.FLOWS_EDIT, "Put a flow away, or bring it back.")
    async def archive_flow(self, info: Info, key: str, archived: bool = True) -> FlowType:
        return FlowType.of(await service.set_archived(info.context.state.db, info.context.actor, key, archived))


@strawberry.type
class FlowsSubscription:
    @subscription(Permission.FLOWS_READ)
    async def flow_presence(self, info: Info, key: str) -> AsyncIterator[list[PresentType]]:
        """Who has this flow open, whenever that changes. Being subscribed is being here."""
        await service.get_flow(info.context.state.db, info.context.actor.business_id, key)
        async for present in presence.attend(info.context.state, info.context.actor, key):
            yield [PresentType.of(one) for one in present]

    @subscription(Permission.FLOWS_READ)
    async def flow_draft(self, info: Info, key: str) -> AsyncIterator[DraftChange]:
        """Each save of a flow's draft, by whom."""
        business = info.context.actor.business_id
        with info.context.state.bus.subscribe(
            lambda event: (
                event.business_id == business and event.topic == "flow.draft_saved" and event.data["key"] == key
            )
        ) as events:
            async for event in events:
                yield DraftChange(key=key, revision=event.data["revision"], by=event.data["by"])
