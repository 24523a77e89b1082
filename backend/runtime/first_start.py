"""What a new installation begins with: an administrator, two phones, sample data and the example flows.

Each thing is made when it is missing; nothing that people made or changed is touched. The format of
``examples/seed.json`` is described in ``examples/README.md``.
"""

import asyncio
import json
import logging
import os
import sqlite3
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlmodel import select

from backend.agents.service import AgentInput, ReasonInput, list_reasons, save_agent, save_reason
from backend.calendars.service import list_calendars, save_calendar
from backend.callbacks.service import list_rules, save_rule
from backend.customers import service as customers
from backend.customers.fields import list_levels, save_level
from backend.database import Database, read
from backend.datasources.service import list_queries, list_sources, save_query, save_source
from backend.errors import DomainError
from backend.flows.models import Flow
from backend.flows.service import InvalidFlowError, import_flow, publish
from backend.identity.passwords import make_password
from backend.identity.permissions import Actor, system_actor
from backend.identity.service import create_user, ensure_first_admin
from backend.lists.service import EntryInput, add_entries, list_lists, save_list
from backend.numbers.service import ensure_extensions, list_numbers, save_number
from backend.queues.service import QueueInput, list_queues, save_queue
from backend.runtime.supervisor import FIRST_SIGN_IN
from backend.security import SecretBox
from backend.settings import Settings
from backend.wrapup.service import list_dispositions, save_disposition

log = logging.getLogger(__name__)

EXTENSIONS = ("8001", "8002")


class SeedModel(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SeedCalendar(SeedModel):
    name: str
    week: dict[str, Any] = {}
    days: list[Any] = []
    timezone: str = ""


class SeedEntry(SeedModel):
    number: str
    note: str = ""


class SeedList(SeedModel):
    name: str
    kind: str
    entries: list[SeedEntry] = []


class SeedCustomer(SeedModel):
    name: str
    card: str = ""
    pin: str = ""
    phones: list[str] = []
    level: str = ""
    language: str = ""
    fields: dict[str, Any] = {}


class SeedSource(SeedModel):
    name: str
    tables: dict[str, list[dict[str, Any]]]


class SeedQuery(SeedModel):
    name: str
    source: str
    sql: str
    parameters: list[str] = []
    description: str = ""


class SeedNumber(SeedModel):
    number: str
    name: str = ""
    flow: str
    alias: str = "live"
    language: str = ""


class SeedRule(SeedModel):
    name: str
    event: str
    flow: str
    filter: dict[str, Any] = {}
    inputs: dict[str, Any] = {}


class SeedLevel(SeedModel):
    key: str
    zh: str
    en: str
    vip: bool = False
    priority: int = 0
    colour: str = ""


class SeedDisposition(SeedModel):
    code: str
    zh: str
    en: str
    needs_next_contact: bool = False
    needs_note: bool = False
    success: bool | None = None
    below: list["SeedDisposition"] = []


class SeedQueue(SeedModel):
    name: str
    zh: str
    en: str
    strategy: str = "longest_idle"


class SeedReason(SeedModel):
    key: str
    zh: str
    en: str
    paid: bool = True


class SeedAgent(SeedModel):
    user: str
    name: str
    extension: str
    queues: list[str] = []


class Seed(SeedModel):
    """``examples/seed.json``."""

    calendars: list[SeedCalendar] = []
    lists: list[SeedList] = []
    customers: list[SeedCustomer] = []
    sources: list[SeedSource] = []
    queries: list[SeedQuery] = []
    numbers: list[SeedNumber] = []
    levels: list[SeedLevel] = []
    dispositions: list[SeedDisposition] = []
    rules: list[SeedRule] = []
    queues: list[SeedQueue] = []
    reasons: list[SeedReason] = []
    agents: list[SeedAgent] = []


async def first_start(settings: Settings, db: Database, box: SecretBox) -> None:
    """Make what is missing. A new installation also writes down how to sign in."""
    made = await ensure_first_admin(db, settings)
    if not made.created:
        return
    actor = system_actor(made.business_id)
    phones = await ensure_extensions(db, box, actor, EXTENSIONS)
    folder = Path(str(files("examples")))
    await plant(settings, db, box, actor, folder)
    lines = [f"Administrator   {made.user_name}"]
    lines.append(f"Password        {made.password or '(as set by CALLWEAVE_ADMIN_PASSWORD)'}")
    agents = await ensure_agents(db, actor, folder)
    lines += [f"Agent {name}  password {password}" for name, password in agents]
    lines += [f"Extension {number}  password {password}" for number, password in phones]
    write_private(settings.home / FIRST_SIGN_IN, "\n".join(lines) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    path.chmod(0o600)


async def plant(settings: Settings, db: Database, box: SecretBox, actor: Actor, folder: Path) -> None:
    """Sample data, flows and numbers of an examples folder. What cannot be planted is logged and passed over."""
    text = await asyncio.to_thread((folder / "seed.json").read_text) if (folder / "seed.json").exists() else "{}"
    seed = Seed.model_validate_json(text)
    await plant_data(settings, db, box, actor, seed)
    await plant_queues(db, actor, seed)
    for file in sorted((folder / "flows").glob("*.json")):
        await publish_file(db, actor, file)
    known = {row.number for row in await list_numbers(db, actor.business_id)}
    for number in seed.numbers:
        if number.number in known:
            continue
        try:
            await save_number(
                db,
                actor,
                number=number.number,
                name=number.name,
                flow=number.flow,
                alias=number.alias,
                language=number.language,
            )
        except DomainError as problem:
            log.warning("the number %s is not planted: %s", number.number, problem)

    await plant_rules(db, actor, seed.rules)


async def plant_queues(db: Database, actor: Actor, seed: Seed) -> None:
    """Queues and reasons for not being ready, when they are missing."""
    known = {row.name for row in await list_queues(db, actor.business_id)}
    for queue in seed.queues:
        if queue.name not in known:
            given = QueueInput(name=queue.name, label_zh=queue.zh, label_en=queue.en, strategy=queue.strategy)
            await save_queue(db, actor, given)
    if not await list_reasons(db, actor.business_id):
        for position, reason in enumerate(seed.reasons):
            await save_reason(db, actor, ReasonInput(reason.key, reason.zh, reason.en, reason.paid, position=position))


async def ensure_agents(db: Database, actor: Actor, folder: Path) -> list[tuple[str, str]]:
    """The sample agents, each with a password of the first day; names and passwords of those made."""
    file = folder / "seed.json"
    seed = Seed.model_validate_json(await asyncio.to_thread(file.read_text) if file.exists() else "{}")
    made: list[tuple[str, str]] = []
    for agent in seed.agents:
        password = make_password()
        try:
            user = await create_user(
                db, actor, name=agent.user, display_name=agent.name, role="agent", password=password
            )
            await save_agent(
                db, actor, user.id, AgentInput(extension=agent.extension, phone_kind="browser", queues=agent.queues)
            )
        except DomainError as problem:
            log.warning("the agent %s is not planted: %s", agent.user, problem)
            continue
        made.append((agent.user, password))
    return made


async def plant_rules(db: Database, actor: Actor, rules: Sequence[SeedRule]) -> None:
    """Rules that start flows, switched off: people decide when they begin."""
    known = {row.name for row in await list_rules(db, actor.business_id)}
    for rule in rules:
        if rule.name in known:
            continue
        try:
            await save_rule(db, actor, **rule.model_dump(), enabled=False)
        except DomainError as problem:
            log.warning("the rule %s is not planted: %s", rule.name, problem)


async def plant_people(db: Database, actor: Actor, seed: Seed) -> None:
    """Levels of customers and disposition codes, when there are none."""
    if not await list_levels(db, actor.business_id):
        for position, level in enumerate(seed.levels):
            await save_level(
                db,
                actor,
                key=level.key,
                label_zh=level.zh,
                label_en=level.en,
                vip=level.vip,
                priority=level.priority,
                colour=level.colour,
                position=position,
            )
    if not await list_dispositions(db, actor.business_id, everything=True):
        await plant_dispositions(db, actor, seed.dispositions, None)


async def plant_dispositions(
    db: Database, actor: Actor, codes: Sequence[SeedDisposition], parent_id: str | None
) -> None:
    """Codes in their order, each with those below it."""
    for position, code in enumerate(codes):
        row = await save_disposition(
            db,
            actor,
            code=code.code,
            label_zh=code.zh,
            label_en=code.en,
            parent_id=parent_id,
            needs_next_contact=code.needs_next_contact,
            needs_note=code.needs_note,
            success=code.success,
            position=position,
        )
        await plant_dispositions(db, actor, code.below, row.id)


async def plant_data(settings: Settings, db: Database, box: SecretBox, actor: Actor, seed: Seed) -> None:
    """Calendars, lists, customers, sources and queries that are not there yet."""
    business = actor.business_id
    calendars = {row.name for row in await list_calendars(db, business)}
    for calendar in seed.calendars:
        if calendar.name not in calendars:
            zone = calendar.timezone or settings.timezone
            await save_calendar(db, actor, name=calendar.name, timezone=zone, week=calendar.week, days=calendar.days)
    await plant_people(db, actor, seed)
    lists = {row.name for row in await list_lists(db, business)}
    for one in seed.lists:
        if one.name not in lists:
            row = await save_list(db, actor, name=one.name, kind=one.kind)
            await add_entries(db, actor, row.id, [EntryInput(entry.number, entry.note) for entry in one.entries])
    for person in seed.customers:
        if person.card and await customers.find(db, business, by="card", value=person.card) is not None:
            continue
        changes: dict[str, Any] = {
            "name": person.name,
            "level": person.level,
            "language": person.language,
            "phones": person.phones,
            **{f"fields.{name}": value for name, value in person.fields.items()},
        }
        if person.card:
            changes["card"] = person.card
        await customers.save_customer(db, actor, pin=person.pin or None, changes=changes)
    sources = {row.name for row in await list_sources(db, business)}
    for source in seed.sources:
        if source.name not in sources:
            path = settings.home / "sources" / f"{source.name}.db"
            await asyncio.to_thread(make_source, path, source)
            await save_source(db, box, actor, name=source.name, url=f"sqlite:///{path.resolve()}")
    queries = {row.name for row in await list_queries(db, business)}
    for query in seed.queries:
        if query.name not in queries:
            await save_query(
                db, box, actor, name=query.name, source=query.source, sql=query.sql, description=query.description
            )


def make_source(path: Path, source: SeedSource) -> None:
    """A small SQLite file with the rows of a sample source."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        for table, rows in source.tables.items():
            columns = list(dict.fromkeys(name for row in rows for name in row))
            names = ", ".join(quoted(name) for name in columns)
            connection.execute(f"CREATE TABLE IF NOT EXISTS {quoted(table)} ({names})")
            marks = ", ".join("?" for _ in columns)
            connection.executemany(
                f"INSERT INTO {quoted(table)} ({names}) VALUES ({marks})",  # noqa: S608  names are quoted
                [[row.get(name) for name in columns] for row in rows],
            )
    connection.close()


def quoted(name: str) -> str:
    """A SQL name in quotes."""
    return '"' + name.replace('"', '""') + '"'


async def publish_file(db: Database, actor: Actor, file: Path) -> None:
    """Import one document and put it live, when no flow has its key yet."""
    try:
        document = json.loads(await asyncio.to_thread(file.read_text))
        async with read(db) as session:
            found = select(Flow.id).where(Flow.business_id == actor.business_id, Flow.key == document["id"])
            if (await session.exec(found)).first() is not None:
                return
        cases = file.parent.parent / "cases" / file.name
        if await asyncio.to_thread(cases.exists):
            document["cases"] = json.loads(await asyncio.to_thread(cases.read_text))
        saved = await import_flow(db, actor, document)
        await publish(db, actor, saved.flow.key, message=f"From {file.name}")
    except (InvalidFlowError, DomainError, OSError, ValueError, KeyError) as problem:
        log.error("the example %s is not published: %s", file.name, problem)
        if isinstance(problem, InvalidFlowError):
            for each in problem.problems:
                log.error("  %s", each)
