"""The outbox."""

from datetime import datetime

import strawberry

from backend.customers.masking import masks
from backend.graphql.base import Connection, FromRow, Info, connection, query
from backend.identity.permissions import Permission
from backend.messages import service


@masks("recipients", "text")
@strawberry.type(name="OutboxMessage")
class OutboxMessageType(FromRow):
    id: str
    channel: str
    recipients: list[str]
    subject: str
    text: str
    state: str
    error: str
    reference: str
    created_at: datetime
    sent_at: datetime | None


@strawberry.type
class MessagesQuery:
    @query(Permission.MESSAGES_READ, "SMS and mail, newest first.")
    async def outbox(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        channel: str | None = None,
        state: str | None = None,
    ) -> Connection[OutboxMessageType]:
        found = await service.list_messages(
            info.context.state.db,
            info.context.actor.business_id,
            channel=channel,
            state=state,
            first=first,
            after=after,
        )
        return connection(found, OutboxMessageType)
