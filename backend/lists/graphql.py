"""Black, white and VIP lists."""

from datetime import datetime

import strawberry

from backend.customers.masking import masks
from backend.graphql.base import Connection, Done, FromRow, Info, Words, connection, mutation, query
from backend.identity.permissions import Permission
from backend.lists import imports, service


@masks("number")
@strawberry.type(name="ListEntry")
class ListEntryType(FromRow):
    id: str
    number: str
    note: str
    until: datetime | None
    created_at: datetime


@strawberry.type(name="NumberList")
class NumberListType(FromRow):
    id: str
    name: str
    kind: str
    created_at: datetime

    @query(Permission.LISTS_READ, "How many numbers are on it.")
    async def size(self, info: Info) -> int:
        return await info.context.loader("list_sizes", service.sizes, int).load(self.id)

    @query(Permission.LISTS_READ, "Numbers on the list, in order; search is any part of a number or of a note.")
    async def entries(
        self, info: Info, first: int = 50, after: str | None = None, search: str = ""
    ) -> Connection[ListEntryType]:
        found = await service.list_entries(
            info.context.state.db, info.context.actor, self.id, search=search, first=first, after=after
        )
        return connection(found, ListEntryType)


@strawberry.input
class ListEntryInput:
    number: str
    note: str = ""
    until: datetime | None = None


@strawberry.type(name="RefusedLine", description="A line of an import that was not taken.")
class RefusedLine:
    line: int
    content: str
    field: str
    message: Words
    remedy: Words


@strawberry.type(name="ListImport", description="What an import came to; repeated numbers stood in it more than once.")
class ListImportType:
    added: int
    updated: int
    repeated: int
    refused: list[RefusedLine]


@strawberry.type
class ListsQuery:
    @query(Permission.LISTS_READ, "Lists by name.")
    async def number_lists(self, info: Info) -> list[NumberListType]:
        found = await service.list_lists(info.context.state.db, info.context.actor.business_id)
        return [NumberListType.of(row) for row in found]

    @query(Permission.LISTS_READ, "One list.")
    async def number_list(self, info: Info, id: str) -> NumberListType:
        return NumberListType.of(await service.get_list(info.context.state.db, info.context.actor.business_id, id))


@strawberry.type
class ListsMutation:
    @mutation(Permission.LISTS, "Create or change a list; kind is black, white or vip.")
    async def save_number_list(self, info: Info, name: str, kind: str, id: str | None = None) -> NumberListType:
        saved = await service.save_list(info.context.state.db, info.context.actor, id=id, name=name, kind=kind)
        return NumberListType.of(saved)

    @mutation(Permission.LISTS, "Remove a list with its numbers.")
    async def delete_number_list(self, info: Info, id: str) -> Done:
        await service.delete_list(info.context.state.db, info.context.actor, id)
        return Done()

    @mutation(Permission.LISTS, "Put numbers on a list; returns how many are new. One bad number refuses them all.")
    async def add_list_entries(self, info: Info, list_id: str, entries: list[ListEntryInput]) -> int:
        wanted = [service.EntryInput(**vars(entry)) for entry in entries]
        return await service.add_entries(info.context.state.db, info.context.actor, list_id, wanted)

    @mutation(
        Permission.LISTS,
        "Put the numbers of a text on a list; a line holds a number, a note and an end. Sound lines are taken.",
    )
    async def import_list_entries(
        self, info: Info, list_id: str, text: str, check_only: bool = False
    ) -> ListImportType:
        found = await imports.import_entries(
            info.context.state.db, info.context.actor, list_id, text, check_only=check_only
        )
        return ListImportType(
            added=found.added,
            updated=found.updated,
            repeated=found.repeated,
            refused=[
                RefusedLine(
                    line=one.line,
                    content=one.content,
                    field=one.field,
                    message=Words.of(one.message),
                    remedy=Words.of(one.remedy),
                )
                for one in found.refused
            ],
        )

    @mutation(Permission.LISTS, "Take a number off its list.")
    async def remove_list_entry(self, info: Info, id: str) -> Done:
        await service.remove_entry(info.context.state.db, info.context.actor, id)
        return Done()
