"""Which flow answers a number that somebody dialled."""

import time
from dataclasses import dataclass

import phonenumbers
from sqlmodel import col, select

from backend.database import Database, read
from backend.flows.models import Flow, FlowAlias, FlowVersion
from backend.identity.models import Business
from backend.numbers.models import PhoneNumber

FRESH = 1.0
"""Seconds a found number is believed: a burst of calls asks the database once, a publish counts at once enough."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes. ``plan`` is empty when no published flow answers the number."""

    business_id: str
    flow_key: str = ""
    version: int = 0
    plan: str = ""
    kind: str = ""
    alias: str = ""
    language: str = ""


def spellings(number: str, country: str) -> list[str]:
    """A dialled number as the records may hold it: as it came, and in E.164."""
    found = [number]
    if number.startswith("00"):
        found.append("+" + number[2:])
    try:
        parsed = phonenumbers.parse(number, country)
        if phonenumbers.is_possible_number(parsed):
            found.append(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    except phonenumbers.NumberParseException:
        pass
    return list(dict.fromkeys(found))


class Directory:
    """Numbers and flows by the database."""

    def __init__(self, db: Database, country: str) -> None:
        self._db = db
        self._country = country
        self._found: dict[str, tuple[float, Target]] = {}

    async def find(self, called: str) -> Target:
        """The flow behind a number. A number that nobody has belongs to the first business, without a flow."""
        now = time.monotonic()
        known = self._found.get(called)
        if known is not None and now - known[0] < FRESH:
            return known[1]
        target = await self._look_up(called)
        if len(self._found) > 10_000:
            self._found.clear()
        self._found[called] = (now, target)
        return target

    async def _look_up(self, called: str) -> Target:
        wanted = spellings(called, self._country)
        async with read(self._db) as session:
            rows = (await session.exec(select(PhoneNumber).where(col(PhoneNumber.number).in_(wanted)))).all()
            number = min(rows, key=lambda row: wanted.index(row.number), default=None)
            if number is None:
                business = (await session.exec(select(Business).order_by(col(Business.created_at)).limit(1))).first()
                return Target(business.id if business is not None else "")
            if number.flow_id is None or not number.enabled:
                return Target(number.business_id, language=number.language)
            flow_id, alias, version = number.flow_id, number.alias, number.version
            language = number.language
            statement = select(Flow.key, Flow.kind, FlowVersion.number, FlowVersion.plan_hash).where(
                Flow.id == flow_id, FlowVersion.flow_id == flow_id
            )
            if version is not None:
                statement = statement.where(FlowVersion.number == version)
            else:
                statement = statement.join(FlowAlias, col(FlowAlias.version_id) == FlowVersion.id).where(
                    FlowAlias.flow_id == flow_id, FlowAlias.name == alias
                )
            row = (await session.exec(statement)).first()
        if row is None:
            return Target(number.business_id, language=language)
        key, kind, found, plan = row
        return Target(number.business_id, key, found, plan, kind, "" if version is not None else alias, language)

    async def flow(self, business_id: str, key: str, alias: str = "live") -> Target | None:
        """A flow by its key, for calls that are placed."""
        async with read(self._db) as session:
            statement = (
                select(Flow.kind, FlowVersion.number, FlowVersion.plan_hash)
                .join(FlowAlias, col(FlowAlias.flow_id) == Flow.id)
                .join(FlowVersion, col(FlowVersion.id) == FlowAlias.version_id)
                .where(Flow.business_id == business_id, Flow.key == key, FlowAlias.name == alias)
            )
            row = (await session.exec(statement)).first()
        return None if row is None else Target(business_id, key, row[1], row[2], row[0], alias)
