"""What a simulated call may read of the business: calendars, lists, customers, queries, and the words of prompts."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

from sqlmodel import select

from backend.database import Database, read
from backend.datasources.service import QueryRunner
from backend.prompts.models import Prompt
from backend.runtime.services import BusinessCalendars, BusinessCustomers, BusinessLists, BusinessQueries
from nodes.sdk.outcome import NodeError
from nodes.sdk.services import Customer, HoursState, PinCheck

T = TypeVar("T")


class Bridge:
    """Reads in the product's own loop, for a simulation that runs in a thread and a time of its own."""

    def __init__(self) -> None:
        self._home = asyncio.get_running_loop()

    async def __call__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(work(), self._home).result(10))


class ReadCalendars:
    """`nodes.sdk.services.Calendars`: the business's own."""

    def __init__(self, bridge: Bridge, calendars: BusinessCalendars) -> None:
        self._bridge, self._calendars = bridge, calendars

    async def state(self, calendar: str, at: datetime) -> HoursState:
        return await self._bridge(lambda: self._calendars.state(calendar, at))


class ReadLists:
    """`nodes.sdk.services.NumberLists`: the business's own."""

    def __init__(self, bridge: Bridge, lists: BusinessLists) -> None:
        self._bridge, self._lists = bridge, lists

    async def match(self, list_name: str, number: str) -> bool:
        return await self._bridge(lambda: self._lists.match(list_name, number))


class ReadCustomers:
    """`nodes.sdk.services.Customers`: found for real, changed in this call only; every PIN of a known card is right."""

    def __init__(self, bridge: Bridge, customers: BusinessCustomers) -> None:
        self._bridge, self._customers = bridge, customers
        self._changed: dict[str, Customer] = {}

    async def find(self, *, by: Literal["phone", "card", "id"], value: str) -> Customer | None:
        found = await self._bridge(lambda: self._customers.find(by=by, value=value))
        return self._changed.get(found.id, found) if found is not None else None

    async def update(self, customer_id: str, changes: Mapping[str, Any]) -> Customer:
        known = await self.find(by="id", value=customer_id)
        if known is None:
            raise NodeError("not_found", f"there is no customer {customer_id}")
        own = {name: value for name, value in changes.items() if name in Customer.model_fields}
        fields = {name: value for name, value in changes.items() if name not in Customer.model_fields}
        changed = known.model_copy(update={**own, "fields": {**known.fields, **fields}})
        self._changed[customer_id] = changed
        return changed

    async def check_pin(self, *, card: str, pin: str, tries: int, key: str) -> PinCheck:
        found = await self.find(by="card", value=card)
        return PinCheck(result="ok" if found is not None else "unknown", left=tries, customer=found)


class ReadQueries:
    """`nodes.sdk.services.Queries`: registered queries only read anyway."""

    def __init__(self, bridge: Bridge, queries: BusinessQueries) -> None:
        self._bridge, self._queries = bridge, queries

    async def run(self, name: str, parameters: Mapping[str, Any], *, limit: int) -> list[dict[str, Any]]:
        return await self._bridge(lambda: self._queries.run(name, parameters, limit=limit))


def reads_for_cases(db: Database, business_id: str) -> dict[str, Any]:
    """Services by name for test cases: calendars and lists. Data comes from the case, so that it is the same always."""
    bridge = Bridge()
    return {
        "calendars": ReadCalendars(bridge, BusinessCalendars(db, business_id)),
        "lists": ReadLists(bridge, BusinessLists(db, business_id)),
    }


def reads_for_people(db: Database, queries: QueryRunner, business_id: str) -> dict[str, Any]:
    """Services by name for a person who tries a flow: all that can be read."""
    bridge = Bridge()
    return {
        **reads_for_cases(db, business_id),
        "customers": ReadCustomers(bridge, BusinessCustomers(db, business_id)),
        "queries": ReadQueries(bridge, BusinessQueries(queries, business_id)),
    }


async def words_of_prompts(db: Database, business_id: str) -> dict[str, str]:
    """What each prompt of the library says, as far as it was written down; else its name."""
    async with read(db) as session:
        found = await session.exec(select(Prompt.name, Prompt.text).where(Prompt.business_id == business_id))
        words: dict[str, str] = {}
        for name, said in found:
            words[name] = words.get(name) or said or name
        return words
