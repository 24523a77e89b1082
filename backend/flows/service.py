"""Flows: drafts, versions, aliases (FL3, FL9).

The only place where the product meets the engine's parsing, validation and compiling.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import defer
from sqlmodel import col, select

from backend.audit.service import note
from backend.calendars.service import list_calendars
from backend.database import AsyncSession, Database, read, utcnow, write
from backend.datasources.service import list_credentials, list_queries
from backend.errors import ConflictError, DomainError, InvalidError, not_found
from backend.events import record
from backend.flows.models import Flow, FlowAlias, FlowVersion
from backend.identity.permissions import Actor
from backend.lists.service import list_lists
from backend.numbers.models import PhoneNumber
from backend.prompts.service import list_prompts
from flows import problems as engine
from flows.cases import FlowCase
from flows.diff import FlowDiff, diff
from flows.document import FlowDocument, canonical_json, content_hash
from flows.plan import Plan, ResolvedFlow, compile_plan, gather, plan_from_bytes
from flows.problems import Problem, errors_of, problem
from flows.references import Known, check_references
from flows.validation import parse_draft, validate
from nodes.sdk.registry import Registry, registry
from nodes.sdk.text import text

MAX_DOCUMENT_BYTES = 5_000_000
ALIASES = ("live", "test")
_UNREADABLE = frozenset({"not_an_object", "spec_version"})


MOST_IMPORTED = 200
"""So many flows come in at once."""


class InvalidFlowError(DomainError):
    """A document with errors was to be published."""

    code = "invalid_flow"

    def __init__(self, problems: list[Problem], *, importing: bool = False) -> None:
        errors = errors_of(problems) or problems
        first = errors[0]
        super().__init__(
            text(
                f"流程有 {len(errors)} 个错误：{first.message.zh}",
                f"the flow has {len(errors)} error(s): {first.message.en}",
            ),
            field=".".join(part for part in (first.node, first.field) if part) or "document",
            remedy=text("请改正列出的问题后再导入；没有导入任何内容。", "Correct what is listed; nothing was imported.")
            if importing
            else text("请改正列出的问题后再发布。", "Correct the problems listed, then publish again."),
        )
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Saved:
    """A draft as it was stored, and what is wrong with it so far."""

    flow: Flow
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class Published:
    """A new version (or the last one, when nothing had changed) and the warnings it was published with."""

    flow: Flow
    version: FlowVersion
    problems: list[Problem]
    is_new: bool


# --------------------------------------------------------------------------- drafts


def _read_draft(data: Any) -> tuple[FlowDocument, list[Problem]]:
    try:
        size = len(json.dumps(data, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError):
        size = MAX_DOCUMENT_BYTES + 1
    if size > MAX_DOCUMENT_BYTES or not isinstance(data, Mapping):
        raise InvalidError(
            text("这不是流程文档", "this is no flow document"),
            field="document",
            remedy=text(
                f"需要不超过 {MAX_DOCUMENT_BYTES} 字节的 JSON 对象。",
                f"Give a JSON object of {MAX_DOCUMENT_BYTES} bytes at most.",
            ),
        )
    parsed, problems = parse_draft(data)
    unreadable = next((found for found in problems if found.code in _UNREADABLE), None)
    if unreadable is not None:
        # Storing what is left of it would lose the author's work.
        raise InvalidError(
            unreadable.message,
            field="document",
            remedy=text(
                "请用新版本打开，或修正格式版本。", "Open it with a newer release, or correct its format version."
            ),
        )
    return parsed, problems


def _stored(document: FlowDocument) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(canonical_json(document))
    return stored


async def create_flow(db: Database, actor: Actor, document: Any) -> Saved:
    """A new flow from a document (an empty object will do). A key that is in use gets a number behind it."""
    parsed, problems = _read_draft(document)
    async with write(db) as session:
        return Saved(await _create(session, actor, parsed), problems)


async def _create(session: AsyncSession, actor: Actor, parsed: FlowDocument) -> Flow:
    key = await _free_key(session, actor.business_id, parsed.id)
    parsed = parsed.model_copy(update={"id": key})
    flow = Flow(
        business_id=actor.business_id,
        key=key,
        name=parsed.name or key,
        kind=parsed.kind,
        draft=_stored(parsed),
        draft_hash=content_hash(parsed),
        updated_by=actor.name,
    )
    session.add(flow)
    await session.flush()
    record(session, actor.business_id, "flow.created", flow.id, key=key, revision=1)
    await note(session, actor, "flow.created", key)
    return flow


async def _free_key(session: AsyncSession, business_id: str, wanted: str) -> str:
    base = (wanted or "flow")[:120]
    key, number = base, 1
    while (
        await session.exec(select(Flow.id).where(Flow.business_id == business_id, Flow.key == key))
    ).first() is not None:
        number += 1
        key = f"{base}-{number}"
    return key


async def _free_name(session: AsyncSession, business_id: str, wanted: str) -> str:
    """A name that no other flow has: people tell flows apart by their names, not by their keys."""
    name, number = wanted, 1
    while (
        name
        and (await session.exec(select(Flow.id).where(Flow.business_id == business_id, Flow.name == name))).first()
        is not None
    ):
        number += 1
        name = f"{wanted[:190]} ({number})"
    return name


async def save_draft(db: Database, actor: Actor, key: str, document: Any, *, revision: int) -> Saved:
    """Store a draft leniently. `revision` is the one the editor began with; a newer draft refuses the save.

    What is wrong within the nodes and edges is left out and told; a document without any, because they are something
    else altogether, is refused: it would replace the author's work by nothing.
    """
    parsed, problems = _read_draft(document)
    for name, shape in (("nodes", dict), ("edges", list)):
        if not isinstance(document.get(name, shape()), shape):
            raise InvalidError(
                text(f"“{name}”的格式不对，草稿未改动", f"{name} has another form: the draft stays as it was"),
                field=f"document.{name}",
                remedy=text("请发送完整的流程文档。", "Send the whole flow document."),
            )
    async with write(db) as session:
        flow = await _flow(session, actor.business_id, key, lock=True)
        if flow.revision != revision:
            raise ConflictError(
                text(
                    f"草稿已被 {flow.updated_by or '他人'} 修改（第 {flow.revision} 稿）",
                    f"the draft was changed by {flow.updated_by or 'somebody'} meanwhile (revision {flow.revision})",
                ),
                field="revision",
                remedy=text("请载入最新草稿，合并后再保存。", "Load the newest draft, merge, and save again."),
                details=_newest(flow),
            )
        await _store(session, actor, flow, parsed)
        return Saved(flow, problems)


async def _store(session: AsyncSession, actor: Actor, flow: Flow, parsed: FlowDocument) -> None:
    key = flow.key
    parsed = parsed.model_copy(update={"id": key})
    flow.draft, flow.draft_hash = _stored(parsed), content_hash(parsed)
    flow.name, flow.kind = parsed.name or key, parsed.kind
    flow.revision += 1
    flow.updated_at, flow.updated_by = utcnow(), actor.name
    record(session, actor.business_id, "flow.draft_saved", flow.id, key=key, revision=flow.revision, by=actor.name)
    await note(session, actor, "flow.draft_saved", key, revision=flow.revision)


async def check(
    db: Database, business_id: str, document: Any, *, nodes: Registry | None = None, strict: bool = True
) -> list[Problem]:
    """Everything that is wrong with a document, as publishing would find it."""
    parsed, problems = _read_draft(document)
    return problems + await _problems(db, business_id, parsed, nodes or registry(), strict=strict)


async def _problems(
    db: Database, business_id: str, document: FlowDocument, nodes: Registry, *, strict: bool
) -> list[Problem]:
    resolver = await gather(
        document,
        lambda flow, reference: _resolve(db, business_id, flow, reference),
        lambda flow: _published(db, business_id, flow),
    )
    found = validate(document, nodes, resolver=resolver, strict=strict)
    return found + check_references(document, nodes, await _known(db, business_id))


async def _published(db: Database, business_id: str, key: str) -> bool:
    """Whether a flow has any published version."""
    async with read(db) as session:
        found = await session.exec(
            select(FlowVersion.id)
            .join(Flow, col(Flow.id) == col(FlowVersion.flow_id))
            .where(Flow.business_id == business_id, Flow.key == key)
            .limit(1)
        )
        return found.first() is not None


async def _known(db: Database, business_id: str) -> Known:
    """What a flow of that business may use by name."""
    prompts: dict[str, set[str]] = {}
    for one in await list_prompts(db, business_id):
        prompts.setdefault(one.name, set()).add(one.language)
    return Known(
        {
            "calendar": {one.name for one in await list_calendars(db, business_id)},
            "list": {one.name for one in await list_lists(db, business_id)},
            "query": {one.name for one in await list_queries(db, business_id)},
            "credential": {one.name for one in await list_credentials(db, business_id)},
        },
        prompts,
    )


async def _resolve(db: Database, business_id: str, key: str, reference: str) -> ResolvedFlow | None:
    """The published version behind a subflow reference: an alias or a version number."""
    async with read(db) as session:
        version = await _referred(session, business_id, key, reference)
    if version is None:
        return None
    return ResolvedFlow(document=FlowDocument.model_validate(version.document), version=version.number)


async def _referred(session: AsyncSession, business_id: str, key: str, reference: str) -> FlowVersion | None:
    statement = (
        select(FlowVersion)
        .join(Flow, col(Flow.id) == col(FlowVersion.flow_id))
        .where(Flow.business_id == business_id, Flow.key == key)
    )
    if reference.isdecimal():
        statement = statement.where(FlowVersion.number == int(reference))
    else:
        statement = statement.join(FlowAlias, col(FlowAlias.version_id) == col(FlowVersion.id)).where(
            FlowAlias.name == reference
        )
    return (await session.exec(statement)).first()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A draft or version that can be walked."""

    plan: Plan
    kind: str
    document: FlowDocument
    document_hash: str


async def compiled_on(db: Database, business_id: str, key: str, on: str, *, nodes: Registry | None = None) -> Compiled:
    """What stands on ``draft``, an alias or a version number, compiled. Raises InvalidFlowError, NotFoundError."""
    if on == "draft":
        return await compile_document(db, business_id, (await get_flow(db, business_id, key)).draft, nodes=nodes)
    version = await version_behind(db, business_id, key, on)
    document = FlowDocument.model_validate(version.document)
    return Compiled(plan_from_bytes(version.plan), document.kind, document, version.document_hash)


async def compile_document(
    db: Database, business_id: str, document: Any, *, nodes: Registry | None = None, version: int = 0
) -> Compiled:
    """A document that need not be stored, compiled. Raises InvalidFlowError with every problem."""
    nodes = nodes or registry()
    parsed, problems = _read_draft(document)
    problems = problems + await _problems(db, business_id, parsed, nodes, strict=True)
    if errors_of(problems):
        raise InvalidFlowError(problems)
    resolver = await gather(parsed, lambda other, ref: _resolve(db, business_id, other, ref))
    try:
        plan = compile_plan(parsed, nodes, version=version, resolver=resolver)
    except engine.InvalidFlowError as error:
        raise InvalidFlowError(error.problems) from error
    return Compiled(plan, parsed.kind, parsed, content_hash(parsed))


async def flow_diff(
    db: Database, business_id: str, key: str, old: str, new: str, *, nodes: Registry | None = None
) -> FlowDiff:
    """What differs between two states of a flow, each ``draft``, an alias or a version number. Raises NotFoundError."""

    async def document(reference: str) -> FlowDocument:
        if reference == "draft":
            return parse_draft((await get_flow(db, business_id, key)).draft)[0]
        return FlowDocument.model_validate((await version_behind(db, business_id, key, reference)).document)

    return diff(await document(old), await document(new), nodes or registry())


# --------------------------------------------------------------------------- versions and aliases


async def publish(
    db: Database,
    actor: Actor,
    key: str,
    *,
    revision: int | None = None,
    message: str = "",
    alias: str | None = "live",
    nodes: Registry | None = None,
) -> Published:
    """Validate the draft strictly, keep it as a version and point `alias` at it (None moves none).

    An unchanged document makes no new version. Raises InvalidFlowError with every problem.
    """
    nodes = nodes or registry()
    if alias is not None:
        _check_alias(alias)
    async with read(db) as session:
        flow = await _flow(session, actor.business_id, key)
    if revision is not None and flow.revision != revision:
        raise _moved_on(flow)
    document, problems = _read_draft(flow.draft)
    problems = problems + await _problems(db, actor.business_id, document, nodes, strict=True)
    if errors_of(problems):
        raise InvalidFlowError(problems)
    resolver = await gather(document, lambda other, ref: _resolve(db, actor.business_id, other, ref))
    digest = content_hash(document)
    if flow.cases_required:
        # Here, because test cases are a room that leans on this one.
        from backend.simulation.service import require_green

        await require_green(
            db, actor.business_id, key, await compile_document(db, actor.business_id, flow.draft, nodes=nodes)
        )
    for _ in range(5):
        async with read(db) as session:
            last = await _last_version(session, flow.id)
        number = last.number + 1 if last is not None else 1
        try:
            plan = compile_plan(document, nodes, version=number, resolver=resolver)
            unchanged = last is not None and last.document_hash == digest
            if unchanged and last is not None:
                # The same document can still compile to another plan: a subflow or a node type has moved on.
                same = compile_plan(document, nodes, version=last.number, resolver=resolver)
                unchanged = same.hash == last.plan_hash
        except engine.InvalidFlowError as error:
            raise InvalidFlowError(error.problems) from error
        async with write(db) as session:
            flow = await _flow(session, actor.business_id, key, lock=True)
            if revision is not None and flow.revision != revision:
                raise _moved_on(flow)
            newest = await _last_version(session, flow.id)
            if (newest.number if newest else 0) != number - 1:
                continue
            version = newest
            if not unchanged or version is None:
                version = FlowVersion(
                    business_id=actor.business_id,
                    flow_id=flow.id,
                    number=number,
                    document=_stored(document),
                    document_hash=digest,
                    plan=plan.to_bytes(),
                    plan_hash=plan.hash,
                    author=actor.name,
                    note=message[:2000],
                )
                session.add(version)
                await session.flush()
                record(session, actor.business_id, "flow.published", flow.id, key=key, version=number)
                await note(session, actor, "flow.published", key, version=number, note=message)
            if alias is not None:
                await _point(session, actor, flow, alias, version)
            return Published(flow, version, problems, not unchanged)
    raise ConflictError(
        text("他人正在发布此流程", "somebody else is publishing this flow"),
        field="key",
        remedy=text("请稍后再试。", "Try again in a moment."),
    )


def _moved_on(flow: Flow) -> ConflictError:
    return ConflictError(
        text(f"草稿已是第 {flow.revision} 稿", f"the draft is at revision {flow.revision} by now"),
        field="revision",
        remedy=text("请载入最新草稿再发布。", "Load the newest draft, then publish."),
        details=_newest(flow),
    )


def _newest(flow: Flow) -> dict[str, Any]:
    """What a dialog about a conflict shows of the draft that is there now."""
    return {"revision": flow.revision, "by": flow.updated_by, "at": flow.updated_at.isoformat()}


def _check_alias(alias: str) -> None:
    if alias not in ALIASES:
        raise InvalidError(
            text(f"没有别名“{alias}”", f"there is no alias '{alias}'"),
            field="alias",
            remedy=text("可选 live、test。", "Choose live or test."),
        )


async def move_alias(db: Database, actor: Actor, key: str, *, alias: str, version: int) -> FlowAlias:
    """Point an alias at a version: how a flow is put live, and rolled back."""
    _check_alias(alias)
    async with write(db) as session:
        flow = await _flow(session, actor.business_id, key, lock=True)
        found = select(FlowVersion).where(FlowVersion.flow_id == flow.id, FlowVersion.number == version)
        target = (await session.exec(found)).first()
        if target is None:
            raise not_found("版本", "version", str(version), "version")
        return await _point(session, actor, flow, alias, target)


async def _point(session: AsyncSession, actor: Actor, flow: Flow, name: str, version: FlowVersion) -> FlowAlias:
    found = select(FlowAlias).where(FlowAlias.flow_id == flow.id, FlowAlias.name == name).with_for_update()
    row = (await session.exec(found)).first()
    if row is None:
        row = FlowAlias(business_id=actor.business_id, flow_id=flow.id, name=name, version_id=version.id)
        session.add(row)
    elif row.version_id == version.id:
        return row
    row.version_id, row.moved_at, row.moved_by = version.id, utcnow(), actor.name
    await session.flush()
    record(session, actor.business_id, "flow.alias_moved", flow.id, key=flow.key, alias=name, version=version.number)
    await note(session, actor, "flow.alias_moved", flow.key, alias=name, version=version.number)
    return row


async def _last_version(session: AsyncSession, flow_id: str) -> FlowVersion | None:
    found = select(FlowVersion).where(FlowVersion.flow_id == flow_id).order_by(col(FlowVersion.number).desc()).limit(1)
    return (await session.exec(found)).first()


# --------------------------------------------------------------------------- import, export, archive


async def import_flow(db: Database, actor: Actor, document: Any, *, replace: bool = False) -> Saved:
    """Take a document from a file, with the test cases under ``cases``.

    With `replace` a flow of the same key gets it as its draft, and cases of the same name are replaced. Unlike a draft
    that is being drawn a file is taken whole or not at all: what cannot be read of it, and of its cases, is told.
    Raises InvalidFlowError with everything that is wrong.
    """
    parsed, cases, wrong = _judge(document)
    if wrong:
        raise InvalidFlowError(wrong, importing=True)
    async with write(db) as session:
        return await _take(session, actor, parsed, cases, replace=replace)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A document from a file. With `replace` a flow of the same key gets it as its draft."""

    document: Any
    replace: bool = False


async def import_flows(db: Database, actor: Actor, incoming: Sequence[Incoming]) -> list[Saved]:
    """Take several documents in one step: all of them, or none.

    Raises InvalidFlowError with everything that is wrong with any of them; fields begin with ``flows.<index>``.
    """
    if not 0 < len(incoming) <= MOST_IMPORTED:
        raise InvalidError(
            text(f"一次可导入 1 到 {MOST_IMPORTED} 个流程", f"1 to {MOST_IMPORTED} flows are imported at once"),
            field="flows",
            remedy=text("请分批导入。", "Import them in parts."),
        )
    wrong: list[Problem] = []
    taken: list[tuple[FlowDocument, list[FlowCase], bool]] = []
    replaced: set[str] = set()
    for index, one in enumerate(incoming):
        try:
            parsed, cases, found = _judge(one.document)
        except InvalidError as error:
            wrong.append(problem("bad_field", error.message.zh, error.message.en, field=f"flows.{index}.{error.field}"))
            continue
        if one.replace and parsed.id in replaced:
            zh, en = f"“{parsed.id}”要被替换两次，请去掉一个", f"{parsed.id} would be replaced twice: leave one out"
            found = [*found, problem("bad_field", zh, en, field="id")]
        if one.replace:
            replaced.add(parsed.id)
        for each in found:
            place = f"flows.{index}.{each.field}" if each.field else f"flows.{index}"
            wrong.append(each.model_copy(update={"field": place}))
        taken.append((parsed, cases, one.replace))
    if wrong:
        raise InvalidFlowError(wrong, importing=True)
    async with write(db) as session:
        return [await _take(session, actor, parsed, cases, replace=replace) for parsed, cases, replace in taken]


def _judge(document: Any) -> tuple[FlowDocument, list[FlowCase], list[Problem]]:
    """What a file holds, and everything that is wrong with it."""
    from backend.simulation.service import judge_cases

    cases: list[FlowCase] = []
    wrong: list[Problem] = []
    if isinstance(document, Mapping) and "cases" in document:
        document = dict(document)
        cases, wrong = judge_cases(document.pop("cases"))
    parsed, found = _read_draft(document)
    return parsed, cases, found + wrong


async def _take(
    session: AsyncSession, actor: Actor, parsed: FlowDocument, cases: Sequence[FlowCase], *, replace: bool
) -> Saved:
    from backend.simulation.service import put_cases

    flow: Flow | None = None
    if replace:
        found = select(Flow).where(Flow.business_id == actor.business_id, Flow.key == parsed.id).with_for_update()
        flow = (await session.exec(found)).first()
    if flow is None:
        parsed = parsed.model_copy(update={"name": await _free_name(session, actor.business_id, parsed.name)})
        flow = await _create(session, actor, parsed)
    else:
        await _store(session, actor, flow, parsed)
    await put_cases(session, actor, flow, cases)
    return Saved(flow, [])


async def export_flow(db: Database, business_id: str, key: str, *, version: int | None = None) -> dict[str, Any]:
    """The draft with its test cases, or a version, as one JSON document."""
    from backend.simulation.service import list_cases, with_cases

    if version is None:
        return with_cases((await get_flow(db, business_id, key)).draft, await list_cases(db, business_id, key))
    return (await get_version(db, business_id, key, version)).document


async def set_archived(db: Database, actor: Actor, key: str, archived: bool) -> Flow:
    """Put a flow away, or bring it back. A flow that a number leads to stays."""
    async with write(db) as session:
        flow = await _flow(session, actor.business_id, key, lock=True)
        if archived:
            used = select(PhoneNumber.number).where(PhoneNumber.flow_id == flow.id)
            numbers = (await session.exec(used)).all()
            if numbers:
                raise ConflictError(
                    text(f"号码 {numbers[0]} 仍指向该流程", f"the number {numbers[0]} leads to this flow"),
                    field="key",
                    remedy=text("请先让号码指向别的流程。", "Point the number elsewhere first."),
                )
        flow.archived = archived
        record(session, actor.business_id, "flow.archived" if archived else "flow.restored", flow.id, key=key)
        await note(session, actor, "flow.archived" if archived else "flow.restored", key)
        return flow


# --------------------------------------------------------------------------- reading


async def _flow(session: AsyncSession, business_id: str, key: str, *, lock: bool = False) -> Flow:
    found = select(Flow).where(Flow.business_id == business_id, Flow.key == key)
    flow = (await session.exec(found.with_for_update() if lock else found)).first()
    if flow is None:
        raise not_found("流程", "flow", key, "key")
    return flow


async def get_flow(db: Database, business_id: str, key: str) -> Flow:
    """A flow by its key. Raises NotFoundError."""
    async with read(db) as session:
        return await _flow(session, business_id, key)


async def list_flows(db: Database, business_id: str, *, archived: bool = False, kind: str | None = None) -> list[Flow]:
    """Flows of a business, by name, without their drafts."""
    statement = (
        select(Flow).where(Flow.business_id == business_id, col(Flow.archived).is_(archived)).options(defer(Flow.draft))  # type: ignore[arg-type]
    )
    if kind is not None:
        statement = statement.where(Flow.kind == kind)
    async with read(db) as session:
        return list(await session.exec(statement.order_by(col(Flow.name), col(Flow.key))))


async def list_versions(db: Database, business_id: str, key: str) -> list[FlowVersion]:
    """Versions of a flow, newest first, without their documents and plans."""
    async with read(db) as session:
        flow = await _flow(session, business_id, key)
        found = (
            select(FlowVersion)
            .where(FlowVersion.flow_id == flow.id)
            .options(defer(FlowVersion.document), defer(FlowVersion.plan))  # type: ignore[arg-type]
        )
        return list(await session.exec(found.order_by(col(FlowVersion.number).desc())))


async def get_version(db: Database, business_id: str, key: str, number: int) -> FlowVersion:
    """Raises NotFoundError."""
    async with read(db) as session:
        version = await _referred(session, business_id, key, str(number))
    if version is None:
        raise not_found("版本", "version", f"{key}@{number}", "version")
    return version


async def version_behind(db: Database, business_id: str, key: str, reference: str = "live") -> FlowVersion:
    """The version that an alias or a number names: what a new run begins with. Raises NotFoundError."""
    async with read(db) as session:
        version = await _referred(session, business_id, key, reference)
    if version is None:
        raise not_found("已发布的版本", "published version", f"{key}@{reference}", "flow")
    return version


async def aliases_of(session: AsyncSession, flow_ids: list[str]) -> dict[str, dict[str, int]]:
    """Version numbers by alias, for many flows at once."""
    found = await session.exec(
        select(FlowAlias.flow_id, FlowAlias.name, FlowVersion.number)
        .join(FlowVersion, col(FlowVersion.id) == col(FlowAlias.version_id))
        .where(col(FlowAlias.flow_id).in_(flow_ids))
    )
    aliases: dict[str, dict[str, int]] = {}
    for flow_id, name, number in found:
        aliases.setdefault(flow_id, {})[name] = number
    return aliases


class VersionPlans:
    """Compiled plans by content hash (`flows.task.PlanStore`), out of the published versions."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def load(self, plan_hash: str) -> bytes:
        """Raises KeyError."""
        async with read(self._db) as session:
            found = await session.exec(select(FlowVersion.plan).where(FlowVersion.plan_hash == plan_hash).limit(1))
            plan = found.first()
        if plan is None:
            raise KeyError(plan_hash)
        return plan
