"""Disposition codes and wrap-ups over the API."""

from datetime import datetime

import strawberry

from backend.graphql.base import Connection, Done, FromRow, Info, Words, connection, mutation, query
from backend.identity.permissions import Permission
from backend.tasks.graphql import PersonType, person
from backend.wrapup import service
from backend.wrapup.models import Disposition


@strawberry.type(name="Disposition", description="A result that an agent can choose; two levels at most.")
class DispositionType:
    id: str
    code: str
    label: Words
    parent_id: str | None
    queue: str = strawberry.field(description="Empty for all queues.")
    needs_next_contact: bool
    needs_note: bool
    success: bool | None
    position: int
    enabled: bool

    @classmethod
    def of(cls, row: Disposition) -> "DispositionType":
        return cls(
            id=row.id,
            code=row.code,
            label=Words(zh=row.label_zh, en=row.label_en),
            parent_id=row.parent_id,
            queue=row.queue,
            needs_next_contact=row.needs_next_contact,
            needs_note=row.needs_note,
            success=row.success,
            position=row.position,
            enabled=row.enabled,
        )


@strawberry.type(name="WrapUp", description="What one agent made of one call.")
class WrapUpType(FromRow):
    id: str
    call_id: str
    user_id: str
    queue: str
    disposition_id: str | None
    code: str
    note: str
    next_contact_at: datetime | None
    customer_id: str | None
    task_id: str | None
    saved_at: datetime

    @query(Permission.CALLS_READ, "Whose it is.")
    async def agent(self, info: Info) -> PersonType | None:
        return await person(info, self.user_id)


@strawberry.input
class DispositionInput:
    code: str
    label_zh: str
    label_en: str
    parent_id: str | None = None
    queue: str = ""
    needs_next_contact: bool = False
    needs_note: bool = False
    success: bool | None = None
    position: int = 0
    enabled: bool = True


@strawberry.input
class WrapUpInput:
    """The whole wrap-up: saving again replaces it."""

    disposition_id: str | None = None
    note: str = ""
    next_contact_at: datetime | None = None
    next_contact_note: str = ""
    next_assignee: str | None = None
    queue: str = ""
    customer_id: str | None = None


@strawberry.type
class WrapUpQuery:
    @query(Permission.CALLS_READ, "Codes in their order; of a queue its own and those of all; all with everything.")
    async def dispositions(
        self, info: Info, queue: str | None = None, everything: bool = False
    ) -> list[DispositionType]:
        found = await service.list_dispositions(
            info.context.state.db, info.context.actor.business_id, queue=queue, everything=everything
        )
        return [DispositionType.of(row) for row in found]

    @query(Permission.CALLS_READ, "What each agent made of a call.")
    async def wrap_ups_of_call(self, info: Info, call_id: str) -> list[WrapUpType]:
        found = await service.wrap_ups_of(info.context.state.db, info.context.actor.business_id, call_id)
        return [WrapUpType.of(row) for row in found]

    @query(Permission.CALLS_READ, "Wrap-ups, newest first; agents see their own.")
    async def wrap_ups(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        user_id: str | None = None,
        codes: list[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Connection[WrapUpType]:
        actor = info.context.actor
        found = await service.list_wrap_ups(
            info.context.state.db,
            actor.business_id,
            user_id=user_id if actor.may(Permission.TASKS_ALL) else actor.user_id,
            codes=codes or (),
            since=since,
            until=until,
            first=first,
            after=after,
        )
        return connection(found, WrapUpType)


@strawberry.type
class WrapUpMutation:
    @mutation(Permission.WRAP_UP, "Save what one made of a call; again to change it. A next contact makes a task.")
    async def save_wrap_up(self, info: Info, call_id: str, input: WrapUpInput) -> WrapUpType:
        given = vars(input).copy()
        words = given.pop("note")
        saved = await service.save_wrap_up(info.context.state.db, info.context.actor, call_id, words=words, **given)
        return WrapUpType.of(saved)

    @mutation(Permission.DISPOSITIONS, "Create or change a code.")
    async def save_disposition(self, info: Info, input: DispositionInput, id: str | None = None) -> DispositionType:
        saved = await service.save_disposition(info.context.state.db, info.context.actor, id=id, **vars(input))
        return DispositionType.of(saved)

    @mutation(Permission.DISPOSITIONS, "Remove a code and those below it; wrap-ups keep its text.")
    async def delete_disposition(self, info: Info, id: str) -> Done:
        await service.delete_disposition(info.context.state.db, info.context.actor, id)
        return Done()
