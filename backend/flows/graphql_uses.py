"""Where things are used."""

import strawberry

from backend.flows import uses
from backend.graphql.base import FromRow, Info, Words, query
from backend.identity.permissions import Permission


@strawberry.type(name="Use", description="A node that names something; version is null in the draft.")
class UseType(FromRow):
    name: str
    flow_key: str
    flow_name: str
    version: int | None
    aliases: list[str]
    node: str
    node_name: str
    called: Words = strawberry.field(description="The node by the name on its card.")
    field: str


@strawberry.type
class UsesQuery:
    @query(
        Permission.FLOWS_READ,
        "Flows that use a thing of a kind (prompt, calendar, list, query, credential, flow), or all things of it.",
    )
    async def where_used(self, info: Info, kind: str, name: str | None = None) -> list[UseType]:
        found = await uses.where_used(info.context.state.db, info.context.actor.business_id, kind, name)
        return [UseType.of(use) for use in found]
