"""Customers."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from backend.customers import service
from backend.graphql.base import Connection, Done, FromRow, Info, connection, mutation, query
from backend.identity.permissions import Permission


@strawberry.type(name="Customer", description="A customer. A PIN can be set and is never shown.")
class CustomerType(FromRow):
    id: str
    name: str
    card: str | None
    gender: str
    address: str
    level: str
    language: str
    note: str
    fields: JSON
    wrong_pins: int
    pin_locked_until: datetime | None
    created_at: datetime
    updated_at: datetime

    @query(Permission.CUSTOMERS_READ, "Numbers, the main one first.")
    async def phones(self, info: Info) -> list[str]:
        return await info.context.phones.load(self.id)


@strawberry.input
class CustomerInput:
    """What to set; what is left out stays. fields replaces all own fields."""

    name: str | None = None
    card: str | None = None
    gender: str | None = None
    address: str | None = None
    level: str | None = None
    language: str | None = None
    note: str | None = None
    phones: list[str] | None = None
    fields: JSON | None = None


@strawberry.type
class CustomersQuery:
    @query(Permission.CUSTOMERS_READ, "Customers, newest first; search is the start of a name, card or number.")
    async def customers(
        self, info: Info, first: int = 50, after: str | None = None, search: str = ""
    ) -> Connection[CustomerType]:
        found = await service.list_customers(
            info.context.state.db, info.context.actor.business_id, search=search, first=first, after=after
        )
        return connection(found, CustomerType)

    @query(Permission.CUSTOMERS_READ, "One customer.")
    async def customer(self, info: Info, id: str) -> CustomerType:
        found = await service.get_customer(info.context.state.db, info.context.actor.business_id, id)
        return CustomerType.of(found)


@strawberry.type
class CustomersMutation:
    @mutation(Permission.CUSTOMERS_EDIT, "Create or change a customer.")
    async def save_customer(self, info: Info, input: CustomerInput, id: str | None = None) -> CustomerType:
        changes = {name: value for name, value in vars(input).items() if value is not None}
        saved = await service.save_customer(info.context.state.db, info.context.actor, id=id, changes=changes)
        return CustomerType.of(saved)

    @mutation(Permission.CUSTOMERS_PIN, "Set a customer's PIN; without one the present PIN is unlocked.")
    async def set_customer_pin(self, info: Info, id: str, pin: str | None = None) -> CustomerType:
        return CustomerType.of(await service.set_pin(info.context.state.db, info.context.actor, id, pin))

    @mutation(Permission.CUSTOMERS_EDIT, "Remove a customer; calls keep what they were.")
    async def delete_customer(self, info: Info, id: str) -> Done:
        await service.delete_customer(info.context.state.db, info.context.actor, id)
        return Done()
