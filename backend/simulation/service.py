"""Test cases: stored beside their flow, run in virtual time, and demanded before a publish when the flow says so."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlmodel import col, select

from backend.audit.service import note
from backend.database import AsyncSession, Database, locked, read, utcnow, write
from backend.errors import ConflictError, InvalidError, not_found
from backend.events import record
from backend.flows.models import Flow
from backend.flows.service import Compiled, compiled_on, get_flow
from backend.identity.models import Business
from backend.identity.permissions import Actor
from backend.simulation.models import FlowCaseRow
from backend.simulation.reads import reads_for_cases, words_of_prompts
from flows.cases import CaseResult, FlowCase, run_case
from flows.problems import Problem, problem
from nodes.sdk.registry import registry
from nodes.sdk.text import text

MOST_CASES = 500


@dataclass(frozen=True, slots=True)
class RanCase:
    """A stored case and what it came to just now."""

    row: FlowCaseRow
    result: CaseResult


def read_case(data: Any) -> FlowCase:
    """A case from what a person wrote. Raises InvalidError that names the field."""
    try:
        return FlowCase.model_validate(data)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "case"
        raise InvalidError(
            text(f"用例的 {where} 不正确：{first['msg']}", f"{where} of the case is not right: {first['msg']}"),
            field=f"case.{where}" if where != "case" else where,
            remedy=text("请按用例格式改正。", "Correct it as the format of cases says."),
        ) from None


async def list_cases(db: Database, business_id: str, key: str) -> list[FlowCaseRow]:
    """The cases of a flow, by name. Raises NotFoundError."""
    flow = await get_flow(db, business_id, key)
    async with read(db) as session:
        found = select(FlowCaseRow).where(FlowCaseRow.flow_id == flow.id).order_by(col(FlowCaseRow.name))
        return list(await session.exec(found))


async def save_case(db: Database, actor: Actor, key: str, data: Any, *, id: str | None = None) -> FlowCaseRow:
    """Create a case, or change the one with `id`. Its name is its own within the flow."""
    case = read_case(data)
    flow = await get_flow(db, actor.business_id, key)
    async with write(db) as session:
        return await _put_case(session, actor, flow, case, await _cases_of(session, flow), id=id)


async def _cases_of(session: AsyncSession, flow: Flow) -> list[FlowCaseRow]:
    return list(await session.exec(select(FlowCaseRow).where(FlowCaseRow.flow_id == flow.id).with_for_update()))


async def _put_case(
    session: AsyncSession, actor: Actor, flow: Flow, case: FlowCase, mine: Sequence[FlowCaseRow], *, id: str | None
) -> FlowCaseRow:
    row = next((one for one in mine if one.id == id), None)
    if id is not None and row is None:
        raise not_found("用例", "case", id, "id")
    if any(one.name == case.name and one.id != id for one in mine):
        raise ConflictError(
            text(f"用例“{case.name}”已存在", f"there is a case “{case.name}” already"),
            field="case.name",
            remedy=text("请换一个名称。", "Choose another name."),
        )
    if row is None:
        if len(mine) >= MOST_CASES:
            raise ConflictError(
                text(f"一个流程最多 {MOST_CASES} 个用例", f"a flow has {MOST_CASES} cases at most"),
                field="case",
                remedy=text("请先删除不用的用例。", "Delete cases that are not needed first."),
            )
        row = FlowCaseRow(business_id=actor.business_id, flow_id=flow.id, name=case.name, case={})
    row.name, row.case, row.updated_by = case.name, case.model_dump(mode="json", exclude_defaults=True), actor.name
    row.passed, row.result, row.ran_on, row.ran_at = None, None, "", None
    session.add(row)
    record(session, actor.business_id, "flow.case_saved", flow.id, key=flow.key, case=case.name)
    await note(session, actor, "flow.case_saved", flow.key, case=case.name)
    return row


async def delete_case(db: Database, actor: Actor, id: str) -> None:
    """Remove a case. Raises NotFoundError."""
    async with write(db) as session:
        row = await locked(session, FlowCaseRow, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("用例", "case", id, "id")
        flow = await session.get(Flow, row.flow_id)
        await session.delete(row)
        key = flow.key if flow is not None else ""
        record(session, actor.business_id, "flow.case_deleted", row.flow_id, key=key, case=row.name)
        await note(session, actor, "flow.case_deleted", key, case=row.name)


async def run_cases(
    db: Database, business_id: str, key: str, *, on: str = "draft", names: Sequence[str] | None = None
) -> list[RanCase]:
    """Run the cases of a flow (all, or those in `names`) on its draft, an alias or a version; results are kept."""
    rows = await list_cases(db, business_id, key)
    wanted = None if names is None else set(names)
    chosen = [row for row in rows if wanted is None or row.name in wanted]
    missing = (wanted or set()) - {row.name for row in chosen}
    if missing:
        raise not_found("用例", "case", sorted(missing)[0], "names")
    compiled = await compiled_on(db, business_id, key, on)
    results = await _results(db, business_id, compiled, [read_case(row.case) for row in chosen])
    async with write(db) as session:
        for row, result in zip(chosen, results, strict=True):
            kept = await locked(session, FlowCaseRow, row.id)
            if kept is not None:
                kept.passed, kept.result, kept.ran_at = result.passed, result.model_dump(mode="json"), utcnow()
                kept.ran_on = compiled.document_hash
        if chosen:
            record(session, business_id, "flow.cases_ran", chosen[0].flow_id, key=key)
    return [RanCase(row, result) for row, result in zip(chosen, results, strict=True)]


async def _results(db: Database, business_id: str, compiled: Compiled, cases: Sequence[FlowCase]) -> list[CaseResult]:
    reads, spoken = reads_for_cases(db, business_id), await words_of_prompts(db, business_id)
    async with read(db) as session:
        business = await session.get(Business, business_id)
    zone = business.timezone if business is not None else "UTC"

    def one_by_one(case: FlowCase) -> CaseResult:
        return run_case(case, compiled.plan, registry(), kind=compiled.kind, timezone=zone, reads=reads, spoken=spoken)

    # One after the other, each in a thread: others are served meanwhile.
    return [await asyncio.to_thread(one_by_one, case) for case in cases]


async def set_cases_required(db: Database, actor: Actor, key: str, required: bool) -> Flow:
    """Whether this flow is published only while all of its cases are green."""
    flow = await get_flow(db, actor.business_id, key)
    async with write(db) as session:
        row = await locked(session, Flow, flow.id)
        assert row is not None
        row.cases_required = required
        record(session, actor.business_id, "flow.cases_required", row.id, key=key, required=required)
        await note(session, actor, "flow.cases_required", key, required=required)
        return row


async def require_green(db: Database, business_id: str, key: str, compiled: Compiled) -> None:
    """Refuse a publish while a case is red. Raises ConflictError that names the red ones."""
    rows = await list_cases(db, business_id, key)
    results = await _results(db, business_id, compiled, [read_case(row.case) for row in rows])
    red = [result for result in results if not result.passed]
    if rows and not red:
        return
    if not rows:
        raise ConflictError(
            text(
                "此流程须通过用例才能发布，但还没有用例", "this flow is published with green cases only, and has none"
            ),
            field="cases",
            remedy=text("请先添加用例，或取消此要求。", "Add a case first, or lift the demand."),
        )
    names = ", ".join(result.name for result in red[:10])
    first = red[0].failures[0].message
    raise ConflictError(
        text(f"{len(red)} 个用例未通过：{names}。{first.zh}", f"{len(red)} red case(s): {names}. {first.en}"),
        field="cases",
        remedy=text("请改正流程或用例后再发布。", "Correct the flow or the cases, then publish."),
    )


def with_cases(document: Mapping[str, Any], rows: Sequence[FlowCaseRow]) -> dict[str, Any]:
    """A document as it is exported: its cases travel with it."""
    return {**document, "cases": [row.case for row in rows]} if rows else dict(document)


def read_cases(cases: Any) -> list[FlowCase]:
    """The cases that a document brings. Raises InvalidError that names the first wrong field."""
    read, wrong = judge_cases(cases)
    if wrong:
        raise InvalidError(
            wrong[0].message, field=wrong[0].field or "cases", remedy=text("请按用例格式改正。", "Correct it.")
        )
    return read


def judge_cases(cases: Any) -> tuple[list[FlowCase], list[Problem]]:
    """The cases that a document brings, and what is wrong with each. Raises InvalidError for what is no list."""
    if not isinstance(cases, Sequence) or isinstance(cases, str):
        raise InvalidError(
            text("cases 应是列表", "cases must be a list"),
            field="cases",
            remedy=text("请给出用例列表，或去掉它。", "Give a list of cases, or leave it out."),
        )
    if len(cases) > MOST_CASES:
        raise InvalidError(
            text(f"一个流程最多 {MOST_CASES} 个用例", f"a flow has {MOST_CASES} cases at most"),
            field="cases",
            remedy=text("请减少用例。", "Bring fewer cases."),
        )
    read: list[FlowCase] = []
    wrong: list[Problem] = []
    for index, case in enumerate(cases):
        try:
            read.append(read_case(case))
        except InvalidError as error:
            place = error.field.removeprefix("case.")
            wrong.append(problem("bad_field", error.message.zh, error.message.en, field=f"cases.{index}.{place}"))
    return read, wrong


async def put_cases(session: AsyncSession, actor: Actor, flow: Flow, cases: Sequence[FlowCase]) -> None:
    """Store the cases that an imported document brought; one of the same name is replaced."""
    if not cases:
        return
    mine = {row.name: row for row in await _cases_of(session, flow)}
    for case in cases:
        known = mine.get(case.name)
        id = known.id if known is not None else None
        mine[case.name] = await _put_case(session, actor, flow, case, list(mine.values()), id=id)


async def take_cases(db: Database, actor: Actor, key: str, cases: Sequence[FlowCase]) -> None:
    """Store cases of another flow in this one."""
    flow = await get_flow(db, actor.business_id, key)
    async with write(db) as session:
        await put_cases(session, actor, flow, cases)
