"""Which flow answers a number, or runs for a call that we place."""

from dataclasses import dataclass

from sqlmodel import col, select

from backend.database import Database, read
from backend.flows.models import Flow, FlowAlias, FlowVersion
from backend.identity.service import first_business
from backend.numbers.models import Trunk
from backend.numbers.service import NoRoute, route_call
from backend.phones.models import TrialCall
from backend.phones.service import dialled_trial, get_trial


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes. ``plan`` is empty when no published flow answers; ``reason`` says why."""

    business_id: str
    flow_key: str = ""
    version: int = 0
    plan: str = ""
    kind: str = ""
    alias: str = ""
    language: str = ""
    reason: str = ""


class Directory:
    """Numbers and flows by the database."""

    def __init__(self, db: Database, country: str) -> None:
        self._db = db
        self._country = country

    async def find(self, called: str) -> Target:
        """The flow behind a number. A number that nobody has belongs to the first business, without a flow."""
        route = await route_call(self._db, called, country=self._country)
        if isinstance(route, NoRoute):
            business = route.business_id or (await first_business(self._db)).id
            return Target(business, reason=route.reason)
        return Target(
            route.business_id,
            route.flow_key,
            route.version,
            route.plan_hash,
            route.kind,
            route.alias,
            route.language,
        )

    async def arrives(self, called: str, to: str, trunk: str) -> tuple[Target, str]:
        """The flow behind a call that came in, and the number that was called.

        A provider that calls the account of a trunk asks for the account and puts the number into ``To`` only.
        """
        asked = await self.find(called)
        if not trunk or not to or to == called:
            return asked, called
        async with read(self._db) as session:
            username = (await session.exec(select(Trunk.username).where(Trunk.name == trunk))).first() or ""
        account = called == username.partition("@")[0]
        if asked.plan and not account:
            return asked, called
        meant = await self.find(to)
        return (meant, to) if meant.plan or (account and not asked.plan) else (asked, called)

    async def trial(self, business_id: str, id: str) -> Target:
        """What a test call walks. Raises NotFoundError."""
        return _of_trial(await get_trial(self._db, business_id, id))

    async def dialled_trial(self, dialled: str, call_id: str) -> tuple[Target, str] | None:
        """What the test call walks that a browser has dialled, and the number it pretends to call from."""
        row = await dialled_trial(self._db, dialled, call_id)
        return None if row is None else (_of_trial(row), row.caller)

    async def flow(self, business_id: str, key: str, alias: str = "live") -> Target | None:
        """A published flow by its key."""
        async with read(self._db) as session:
            found = await session.exec(
                select(Flow.kind, FlowVersion.number, FlowVersion.plan_hash)
                .join(FlowAlias, col(FlowAlias.flow_id) == Flow.id)
                .join(FlowVersion, col(FlowVersion.id) == FlowAlias.version_id)
                .where(Flow.business_id == business_id, Flow.key == key, FlowAlias.name == alias)
            )
            row = found.first()
        return None if row is None else Target(business_id, key, row[1], row[2], row[0], alias)


def _of_trial(row: TrialCall) -> Target:
    return Target(row.business_id, row.flow_key, row.version, row.plan_hash, row.kind, row.standing, row.language)
