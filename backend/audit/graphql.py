"""The audit trail."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from backend.audit import service
from backend.graphql.base import Connection, FromRow, Info, connection, query
from backend.identity.permissions import Permission


@strawberry.type(name="AuditEntry")
class AuditEntryType(FromRow):
    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: JSON
    address: str
    hash: str


@strawberry.type(description="Whether the chain of hashes holds; brokenAt is the first changed or missing row.")
class AuditCheck:
    rows: int
    broken_at: int | None


@strawberry.type
class AuditQuery:
    @query(Permission.AUDIT, "Who did what, newest first.")
    async def audit(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        actor: str | None = None,
        action: str | None = None,
    ) -> Connection[AuditEntryType]:
        found = await service.list_entries(
            info.context.state.db,
            info.context.actor.business_id,
            actor=actor,
            action=action,
            first=first,
            after=after,
        )
        return connection(found, AuditEntryType)

    @query(Permission.AUDIT, "Walk the whole chain.")
    async def audit_check(self, info: Info) -> AuditCheck:
        found = await service.check_chain(info.context.state.db, info.context.actor.business_id)
        return AuditCheck(rows=found.rows, broken_at=found.broken_at)
