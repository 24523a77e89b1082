"""SQL sources, named queries, credentials. Addresses and values can be set and are never shown."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from backend.datasources import service
from backend.graphql.base import Done, FromRow, Info, mutation, query
from backend.identity.permissions import Permission


@strawberry.type(name="DataSource")
class DataSourceType(FromRow):
    id: str
    name: str
    created_at: datetime


@strawberry.type(name="NamedQuery")
class NamedQueryType(FromRow):
    id: str
    source_id: str
    name: str
    sql: str
    parameters: list[str]
    timeout: float
    description: str
    updated_at: datetime


@strawberry.type(name="HttpCredential", description="The names of its headers and query fields, without values.")
class HttpCredentialType:
    id: str
    name: str
    headers: list[str]
    query: list[str]
    hosts: list[str]
    updated_at: datetime

    @classmethod
    def of(cls, row: Any) -> "HttpCredentialType":
        return cls(
            id=row.id,
            name=row.name,
            headers=sorted(row.headers),
            query=sorted(row.query),
            hosts=row.hosts,
            updated_at=row.updated_at,
        )


@strawberry.input
class SecretPair:
    """A name and the value to seal."""

    name: str
    value: str


@strawberry.type
class DataSourcesQuery:
    @query(Permission.SOURCES_READ, "SQL sources by name.")
    async def data_sources(self, info: Info) -> list[DataSourceType]:
        found = await service.list_sources(info.context.state.db, info.context.actor.business_id)
        return [DataSourceType.of(row) for row in found]

    @query(Permission.SOURCES_READ, "Named queries by name.")
    async def named_queries(self, info: Info) -> list[NamedQueryType]:
        found = await service.list_queries(info.context.state.db, info.context.actor.business_id)
        return [NamedQueryType.of(row) for row in found]

    @query(Permission.SOURCES, "Try a named query.")
    async def try_query(self, info: Info, name: str, parameters: JSON, limit: int = 20) -> JSON:
        given: Any = parameters
        found: Any = await info.context.state.queries.run(
            info.context.actor.business_id, name, given if isinstance(given, dict) else {}, limit=max(1, limit)
        )
        return JSON(found)

    @query(Permission.SOURCES_READ, "Credentials for outgoing HTTP.")
    async def http_credentials(self, info: Info) -> list[HttpCredentialType]:
        found = await service.list_credentials(info.context.state.db, info.context.actor.business_id)
        return [HttpCredentialType.of(row) for row in found]


@strawberry.type
class DataSourcesMutation:
    @mutation(Permission.SOURCES, "Create or change a source; leave the URL out to keep it.")
    async def save_data_source(
        self, info: Info, name: str, id: str | None = None, url: str | None = None
    ) -> DataSourceType:
        state = info.context.state
        saved = await service.save_source(state.db, state.secrets, info.context.actor, id=id, name=name, url=url)
        return DataSourceType.of(saved)

    @mutation(Permission.SOURCES, "Remove a source that no query uses.")
    async def delete_data_source(self, info: Info, id: str) -> Done:
        await service.delete_source(info.context.state.db, info.context.actor, id)
        return Done()

    @mutation(Permission.SOURCES, "Create or change a query: one SELECT with :parameters; source is a source's name.")
    async def save_named_query(
        self,
        info: Info,
        name: str,
        source: str,
        sql: str,
        id: str | None = None,
        timeout: float = 5.0,
        description: str = "",
    ) -> NamedQueryType:
        state = info.context.state
        saved = await service.save_query(
            state.db,
            state.secrets,
            info.context.actor,
            id=id,
            name=name,
            source=source,
            sql=sql,
            timeout=timeout,
            description=description,
        )
        return NamedQueryType.of(saved)

    @mutation(Permission.SOURCES, "Remove a query.")
    async def delete_named_query(self, info: Info, id: str) -> Done:
        await service.delete_query(info.context.state.db, info.context.actor, id)
        return Done()

    @mutation(Permission.SOURCES, "Create or change a credential; what is left out stays.")
    async def save_http_credential(
        self,
        info: Info,
        name: str,
        hosts: list[str],
        id: str | None = None,
        headers: list[SecretPair] | None = None,
        query: list[SecretPair] | None = None,
    ) -> HttpCredentialType:
        state = info.context.state
        saved = await service.save_credential(
            state.db,
            state.secrets,
            info.context.actor,
            id=id,
            name=name,
            hosts=hosts,
            headers=None if headers is None else {pair.name: pair.value for pair in headers},
            query=None if query is None else {pair.name: pair.value for pair in query},
        )
        return HttpCredentialType.of(saved)

    @mutation(Permission.SOURCES, "Remove a credential.")
    async def delete_http_credential(self, info: Info, id: str) -> Done:
        await service.delete_credential(info.context.state.db, info.context.actor, id)
        return Done()
