"""The list of flows: folders and tags, figures beside each flow, what points at it, who changed it (FL3, FL9)."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, delete, select

from backend.audit.models import AuditEntry
from backend.audit.service import changed, note
from backend.callbacks.models import FlowRule
from backend.calls.models import Run
from backend.database import AsyncSession, Database, read, write
from backend.errors import ConflictError, InvalidError
from backend.events import record
from backend.flows.models import Flow, FlowAlias, FlowVersion
from backend.flows.service import Saved, _flow, check, create_flow, get_flow
from backend.identity.permissions import Actor
from backend.numbers.models import PhoneNumber
from backend.paging import Page, page
from flows.document import content_hash
from flows.plan import SUBFLOW, subflow_reference
from flows.validation import parse_draft
from nodes.sdk.text import Text, text

MAX_TAGS = 20
MAX_TAG = 40
MAX_FOLDER = 200

# --------------------------------------------------------------------------- loaders: many flows at once


async def drafts_of(session: AsyncSession, ids: list[str], business: str) -> dict[str, dict[str, Any]]:
    """Drafts by flow id."""
    found = await session.exec(select(Flow.id, Flow.draft).where(Flow.business_id == business, col(Flow.id).in_(ids)))
    return {id: dict(draft) for id, draft in found}


async def documents_of(session: AsyncSession, ids: list[str], business: str) -> dict[str, dict[str, Any]]:
    """Documents by version id."""
    wanted = select(FlowVersion.id, FlowVersion.document).where(
        FlowVersion.business_id == business, col(FlowVersion.id).in_(ids)
    )
    return {id: dict(document) for id, document in await session.exec(wanted)}


async def live_hashes(session: AsyncSession, ids: list[str], _business: str) -> dict[str, str]:
    """The content hash of the live version by flow id."""
    found = await session.exec(
        select(FlowAlias.flow_id, FlowVersion.document_hash)
        .join(FlowVersion, col(FlowVersion.id) == col(FlowAlias.version_id))
        .where(col(FlowAlias.flow_id).in_(ids), FlowAlias.name == "live")
    )
    return {flow: digest for flow, digest in found}  # noqa: C416  rows are no pairs to mypy


def hash_of(draft: dict[str, Any]) -> str:
    """The content hash of a stored draft."""
    return content_hash(parse_draft(draft)[0])


@dataclass(slots=True)
class CaseSummary:
    """Test cases of a flow by what they came to last. ``stale`` ones ran on something else than the draft."""

    total: int = 0
    green: int = 0
    red: int = 0
    never_ran: int = 0
    stale: int = 0


async def case_summaries(session: AsyncSession, ids: list[str], business: str) -> dict[str, CaseSummary]:
    """Summaries by flow id."""
    from backend.simulation.models import FlowCaseRow

    fresh = col(FlowCaseRow.ran_on) == col(Flow.draft_hash)
    found = await session.exec(
        select(FlowCaseRow.flow_id, col(FlowCaseRow.passed), fresh, func.count())
        .join(Flow, col(Flow.id) == col(FlowCaseRow.flow_id))
        .where(FlowCaseRow.business_id == business, col(FlowCaseRow.flow_id).in_(ids))
        .group_by(col(FlowCaseRow.flow_id), col(FlowCaseRow.passed), fresh)
    )
    summaries: dict[str, CaseSummary] = {}
    for flow, passed, is_fresh, count in found:
        one = summaries.setdefault(flow, CaseSummary())
        one.total += count
        if passed is None:
            one.never_ran += count
            continue
        if passed:
            one.green += count
        else:
            one.red += count
        if not is_fresh:
            one.stale += count
    return summaries


async def numbers_of(session: AsyncSession, ids: list[str], business: str) -> dict[str, list[PhoneNumber]]:
    """Numbers by the flow they lead to."""
    found: dict[str, list[PhoneNumber]] = {}
    wanted = select(PhoneNumber).where(PhoneNumber.business_id == business, col(PhoneNumber.flow_id).in_(ids))
    for number in await session.exec(wanted.order_by(col(PhoneNumber.number))):
        found.setdefault(number.flow_id or "", []).append(number)
    return found


@dataclass(frozen=True, slots=True)
class ProblemCounts:
    """How much is wrong with a draft."""

    errors: int
    warnings: int


_COUNTED: dict[tuple[int, str, str, int], tuple[float, ProblemCounts]] = {}
_COUNTED_SECONDS = 30.0
_COUNTED_MOST = 2_000


async def problem_counts(db: Database, business_id: str, key: str, revision: int) -> ProblemCounts:
    """Counted anew for a new revision, and now and then for what a draft leans on (prompts, calendars, subflows)."""
    place, now = (id(db), business_id, key, revision), time.monotonic()
    known = _COUNTED.get(place)
    if known is not None and now - known[0] < _COUNTED_SECONDS:
        return known[1]
    found = await check(db, business_id, (await get_flow(db, business_id, key)).draft)
    errors = sum(problem.severity == "error" for problem in found)
    counts = ProblemCounts(errors, len(found) - errors)
    if len(_COUNTED) >= _COUNTED_MOST:
        _COUNTED.clear()
    _COUNTED[place] = (now, counts)
    return counts


# --------------------------------------------------------------------------- folders and tags


def _folder(folder: str) -> str:
    parts = [part.strip() for part in folder.split("/") if part.strip()]
    wanted = "/".join(parts)
    if len(wanted) > MAX_FOLDER or len(parts) > 5 or any(not part.isprintable() for part in parts):
        raise InvalidError(
            text("文件夹名称不可用", "this folder cannot be used"),
            field="folder",
            remedy=text(
                f"最多五层，共 {MAX_FOLDER} 个字符，用 / 分隔。",
                f"Five levels at most, {MAX_FOLDER} characters, parted by /.",
            ),
        )
    return wanted


def _tags(tags: Sequence[str]) -> list[str]:
    wanted = sorted({tag.strip() for tag in tags if tag.strip()})
    if len(wanted) > MAX_TAGS or any(len(tag) > MAX_TAG or not tag.isprintable() for tag in wanted):
        raise InvalidError(
            text("标签不可用", "these tags cannot be used"),
            field="tags",
            remedy=text(
                f"最多 {MAX_TAGS} 个，每个不超过 {MAX_TAG} 个字符。",
                f"{MAX_TAGS} at most, each of {MAX_TAG} characters at most.",
            ),
        )
    return wanted


async def update_meta(
    db: Database, actor: Actor, key: str, *, folder: str | None = None, tags: Sequence[str] | None = None
) -> Flow:
    """Sort a flow into a folder and tag it. The draft and its revision stay."""
    async with write(db) as session:
        flow = await _flow(session, actor.business_id, key, lock=True)
        flow.folder = flow.folder if folder is None else _folder(folder)
        flow.tags = flow.tags if tags is None else _tags(tags)
        record(session, actor.business_id, "flow.sorted", flow.id, key=key)
        await note(session, actor, "flow.sorted", key, **changed(flow, "folder", "tags"))
        return flow


async def labels(db: Database, business_id: str) -> tuple[list[str], list[str]]:
    """Folders and tags in use, sorted."""
    async with read(db) as session:
        rows = list(await session.exec(select(Flow.folder, Flow.tags).where(Flow.business_id == business_id)))
    return sorted({folder for folder, _ in rows if folder}), sorted({tag for _, tags in rows for tag in tags})


# --------------------------------------------------------------------------- copies and deletion


async def duplicate(db: Database, actor: Actor, key: str, *, name: str = "") -> Saved:
    """A copy of the draft with its test cases, in the same folder with the same tags."""
    from backend.simulation.service import list_cases, read_case, take_cases

    flow = await get_flow(db, actor.business_id, key)
    cases = await list_cases(db, actor.business_id, key)
    name = name.strip()[:200] or f"{flow.name[:190]} (2)"
    saved = await create_flow(db, actor, {**flow.draft, "name": name})
    if flow.folder or flow.tags:
        await update_meta(db, actor, saved.flow.key, folder=flow.folder, tags=flow.tags)
    if cases:
        await take_cases(db, actor, saved.flow.key, [read_case(row.case) for row in cases])
    return Saved(await get_flow(db, actor.business_id, saved.flow.key), saved.problems)


@dataclass(slots=True)
class Pointers:
    """What leads to a flow: numbers, other flows (their drafts and versions in use), rules, runs in progress."""

    numbers: list[PhoneNumber] = field(default_factory=list)
    flows: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    running: int = 0


def _runs_as_subflow(document: Mapping[str, Any], key: str, alias: str | None) -> bool:
    for spec in (document.get("nodes") or {}).values():
        if spec.get("type") != SUBFLOW:
            continue
        flow, reference = subflow_reference(spec.get("config") or {})
        if flow == key and alias in (None, reference):
            return True
    return False


async def _pointers(session: AsyncSession, business_id: str, flow: Flow, alias: str | None = None) -> Pointers:
    found = Pointers()
    numbers = select(PhoneNumber).where(PhoneNumber.flow_id == flow.id).order_by(col(PhoneNumber.number))
    for number in await session.exec(numbers):
        if alias is None or (number.version is None and number.alias == alias):
            found.numbers.append(number)
    drafts = select(Flow.key, Flow.draft).where(Flow.business_id == business_id, col(Flow.id) != flow.id)
    found.flows = sorted(key for key, draft in await session.exec(drafts) if _runs_as_subflow(draft, flow.key, alias))
    rules = select(FlowRule).where(FlowRule.business_id == business_id, FlowRule.flow == flow.key)
    found.rules = sorted(rule.name for rule in await session.exec(rules) if alias in (None, rule.alias))
    running = select(func.count()).where(
        Run.business_id == business_id, Run.state == "running", Run.flow_key == flow.key
    )
    found.running = (await session.exec(running)).one()
    return found


async def delete_flow(db: Database, actor: Actor, key: str) -> None:
    """Delete a flow with its versions and cases. Raises ConflictError while something points at it or runs on it.

    What its runs did stays on record.
    """
    from backend.simulation.models import FlowCaseRow

    async with write(db) as session:
        flow = await _flow(session, actor.business_id, key, lock=True)
        used = await _pointers(session, actor.business_id, flow)
        reasons = [
            *(text(f"号码 {one.number}", f"the number {one.number}") for one in used.numbers),
            *(text(f"流程 {one}", f"the flow {one}") for one in used.flows),
            *(text(f"规则“{one}”", f"the rule “{one}”") for one in used.rules),
        ]
        if used.running:
            reasons.append(text(f"{used.running} 个正在运行的流程", f"{used.running} run(s) in progress"))
        if reasons:
            zh, en = "、".join(one.zh for one in reasons[:5]), ", ".join(one.en for one in reasons[:5])
            raise ConflictError(
                text(f"仍在使用：{zh}", f"still in use by {en}"),
                field="key",
                remedy=text("请先解除使用，或改为归档。", "Release it there first, or archive it instead."),
                details={
                    "numbers": [one.number for one in used.numbers],
                    "flows": used.flows,
                    "rules": used.rules,
                    "running": used.running,
                },
            )
        await session.exec(delete(FlowCaseRow).where(col(FlowCaseRow.flow_id) == flow.id))
        await session.exec(delete(FlowAlias).where(col(FlowAlias.flow_id) == flow.id))
        await session.exec(delete(FlowVersion).where(col(FlowVersion.flow_id) == flow.id))
        await session.delete(flow)
        record(session, actor.business_id, "flow.deleted", flow.id, key=key)
        await note(session, actor, "flow.deleted", key, name=flow.name)


# --------------------------------------------------------------------------- what an alias touches


@dataclass(frozen=True, slots=True)
class AliasImpact:
    """What moving an alias touches. Runs in progress stay on their version; new ones follow."""

    version: int | None
    calls: dict[int, int]
    runs: dict[int, int]
    numbers: list[PhoneNumber]
    flows: list[str]
    rules: list[str]


async def alias_impact(db: Database, business_id: str, key: str, alias: str) -> AliasImpact:
    """Runs in progress by version, and what follows the alias. Raises NotFoundError."""
    async with read(db) as session:
        flow = await _flow(session, business_id, key)
        pointed = await session.exec(
            select(FlowVersion.number)
            .join(FlowAlias, col(FlowAlias.version_id) == col(FlowVersion.id))
            .where(FlowAlias.flow_id == flow.id, FlowAlias.name == alias)
        )
        version = pointed.first()
        on_call = col(Run.call_id).is_not(None)
        found = await session.exec(
            select(Run.flow_version, on_call, func.count())
            .where(Run.business_id == business_id, Run.state == "running", Run.flow_key == key)
            .group_by(col(Run.flow_version), on_call)
        )
        calls: dict[int, int] = {}
        runs: dict[int, int] = {}
        for number, has_call, count in found:
            (calls if has_call else runs)[number] = count
        used = await _pointers(session, business_id, flow, alias)
    return AliasImpact(version, calls, runs, used.numbers, used.flows, used.rules)


# --------------------------------------------------------------------------- history


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done to a flow. Saves in a row by one person are one: ``times`` of them since ``since``."""

    seq: int
    at: datetime
    since: datetime
    times: int
    actor: str
    action: str
    details: dict[str, Any]
    text: Text


_SAVED = "flow.draft_saved"


def _told(action: str, details: dict[str, Any]) -> Text:
    version, alias, case = details.get("version", "?"), details.get("alias", "?"), details.get("case", "?")
    match action:
        case "flow.created":
            return text("创建了流程", "created the flow")
        case "flow.draft_saved":
            return text("修改了草稿", "changed the draft")
        case "flow.published":
            return text(f"发布了第 {version} 版", f"published version {version}")
        case "flow.alias_moved":
            named = {"live": "线上", "test": "测试"}.get(alias, alias)
            return text(f"将“{named}”指向第 {version} 版", f"pointed “{alias}” at version {version}")
        case "flow.archived":
            return text("归档了流程", "archived the flow")
        case "flow.restored":
            return text("恢复了流程", "brought the flow back")
        case "flow.sorted":
            return text("调整了文件夹或标签", "changed folder or tags")
        case "flow.deleted":
            return text("删除了流程", "deleted the flow")
        case "flow.case_saved":
            return text(f"保存了用例“{case}”", f"saved the test case “{case}”")
        case "flow.case_deleted":
            return text(f"删除了用例“{case}”", f"deleted the test case “{case}”")
        case "flow.cases_required":
            return text("修改了发布要求", "changed what publishing demands")
        case _:
            return text(action, action)


async def history(db: Database, business_id: str, key: str, *, first: int = 50, after: str | None = None) -> Page[Deed]:
    """Who did what to a flow, newest first. Raises NotFoundError."""
    statement = select(AuditEntry).where(
        AuditEntry.business_id == business_id, AuditEntry.subject == key, col(AuditEntry.action).startswith("flow.")
    )
    async with read(db) as session:
        await _flow(session, business_id, key)
        found = await page(
            session, statement, by=(col(AuditEntry.seq),), keys=lambda row: (row.seq,), first=first, after=after
        )
    deeds: list[Deed] = []
    cursors: list[str] = []
    for row, cursor in zip(found.items, found.cursors, strict=True):
        last = deeds[-1] if deeds else None
        if last is not None and row.action == _SAVED and (last.action, last.actor) == (_SAVED, row.actor):
            deeds[-1] = Deed(
                last.seq, last.at, row.at, last.times + 1, last.actor, last.action, last.details, last.text
            )
            cursors[-1] = cursor
            continue
        deeds.append(
            Deed(row.seq, row.at, row.at, 1, row.actor, row.action, row.details, _told(row.action, row.details))
        )
        cursors.append(cursor)
    return Page(deeds, cursors, found.has_next)
