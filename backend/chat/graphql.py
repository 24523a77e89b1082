"""Messages between people, announcements and the running line over the API."""

from collections.abc import AsyncIterator
from datetime import datetime

import strawberry

from backend.chat import service
from backend.events import Event
from backend.graphql.base import Connection, Done, FromRow, Info, connection, mutation, query, subscription
from backend.identity.permissions import Permission
from backend.tasks.graphql import PersonType, person


@strawberry.type(name="ChatMessage", description="A message; channel is person:<id>:<id>, team:<name> or all.")
class ChatMessageType(FromRow):
    id: str
    channel: str
    sender_id: str
    text: str
    urgent: bool
    sent_at: datetime

    @query(Permission.CHAT, "Who wrote it.")
    async def sender(self, info: Info) -> PersonType | None:
        return await person(info, self.sender_id)


@strawberry.type(name="ChatChannel", description="A conversation of the asker.")
class ChatChannelType:
    name: str
    other: PersonType | None = strawberry.field(description="The other person of a conversation of two.")
    last: ChatMessageType | None
    unread: int


@strawberry.type(name="Announcement", description="kind is announcement, or line for the running line.")
class AnnouncementType(FromRow):
    id: str
    kind: str
    title: str
    text: str
    team: str
    urgent: bool
    from_at: datetime
    until_at: datetime
    created_by: str | None
    created_at: datetime

    @query(Permission.ANNOUNCE, "How many people have confirmed it.")
    async def seen_by(self, info: Info) -> int:
        found = await service.seen_by(info.context.state.db, info.context.actor.business_id, [self.id])
        return found.get(self.id, 0)


@strawberry.type(name="CurrentAnnouncement")
class CurrentAnnouncement:
    announcement: AnnouncementType
    confirmed: bool


@strawberry.input
class AnnouncementInput:
    kind: str = "announcement"
    title: str = ""
    text: str
    team: str = ""
    urgent: bool = False
    from_at: datetime | None = None
    until_at: datetime


@strawberry.type(
    name="HouseNews", description="What happened: sent with its message, read with its channel, announced."
)
class HouseNews:
    what: str
    channel: str | None
    message: ChatMessageType | None


@strawberry.type
class ChatQuery:
    @query(Permission.CHAT, "Conversations with their unread messages, the newest first.")
    async def chat_channels(self, info: Info) -> list[ChatChannelType]:
        return [
            ChatChannelType(
                name=one.name,
                other=await person(info, one.other),
                last=ChatMessageType.maybe(one.last),
                unread=one.unread,
            )
            for one in await service.channels(info.context.state.db, info.context.actor)
        ]

    @query(Permission.CHAT, "Messages of a channel, newest first.")
    async def chat_messages(
        self, info: Info, channel: str, first: int = 50, after: str | None = None
    ) -> Connection[ChatMessageType]:
        found = await service.history(info.context.state.db, info.context.actor, channel, first=first, after=after)
        return connection(found, ChatMessageType)

    @query(Permission.CHAT, "Whom one can write to, and hand tasks to.")
    async def colleagues(self, info: Info) -> list[PersonType]:
        found = await service.people(info.context.state.db, info.context.actor)
        return [PersonType(id=row.id, name=row.display_name or row.name) for row in found]

    @query(Permission.CHAT, "What is announced now, newest first.")
    async def current_announcements(self, info: Info) -> list[CurrentAnnouncement]:
        found = await service.current(info.context.state.db, info.context.actor, "announcement")
        return [CurrentAnnouncement(announcement=AnnouncementType.of(row), confirmed=seen) for row, seen in found]

    @query(Permission.CHAT, "The texts that run along every console now.")
    async def running_lines(self, info: Info) -> list[AnnouncementType]:
        found = await service.current(info.context.state.db, info.context.actor, "line")
        return [AnnouncementType.of(row) for row, _ in found]

    @query(Permission.ANNOUNCE, "All announcements and running lines, past and coming, newest first.")
    async def announcements(
        self, info: Info, first: int = 50, after: str | None = None
    ) -> Connection[AnnouncementType]:
        found = await service.list_announcements(
            info.context.state.db, info.context.actor.business_id, first=first, after=after
        )
        return connection(found, AnnouncementType)


@strawberry.type
class ChatMutation:
    @mutation(Permission.CHAT, "Write to a person (to), a team (channel team:<name>) or everybody (channel all).")
    async def send_chat_message(
        self, info: Info, text: str, to: str | None = None, channel: str = "", urgent: bool = False
    ) -> ChatMessageType:
        sent = await service.send(
            info.context.state.db, info.context.actor, channel=channel, to=to, words=text, urgent=urgent
        )
        return ChatMessageType.of(sent)

    @mutation(Permission.CHAT, "Everything in a channel is read.")
    async def mark_chat_read(self, info: Info, channel: str) -> Done:
        await service.mark_read(info.context.state.db, info.context.actor, channel)
        return Done()

    @mutation(Permission.CHAT, "One has seen an announcement.")
    async def confirm_announcement(self, info: Info, id: str) -> AnnouncementType:
        return AnnouncementType.of(await service.confirm(info.context.state.db, info.context.actor, id))

    @mutation(Permission.ANNOUNCE, "Announce something, or set a running line, for a while.")
    async def save_announcement(self, info: Info, input: AnnouncementInput, id: str | None = None) -> AnnouncementType:
        given = vars(input).copy()
        words = given.pop("text")
        saved = await service.save_announcement(info.context.state.db, info.context.actor, id=id, words=words, **given)
        return AnnouncementType.of(saved)

    @mutation(Permission.ANNOUNCE, "Take an announcement back.")
    async def delete_announcement(self, info: Info, id: str) -> Done:
        await service.delete_announcement(info.context.state.db, info.context.actor, id)
        return Done()


@strawberry.type
class ChatSubscription:
    @subscription(Permission.CHAT)
    async def house_news(self, info: Info) -> AsyncIterator[HouseNews]:
        """Messages to the reader as they come, channels read at another window of theirs, announcements changed."""
        state, actor = info.context.state, info.context.actor
        topics = ("chat.sent", "chat.read", "announcement.changed")

        def wanted(event: Event) -> bool:
            return event.topic in topics and event.business_id == actor.business_id

        with state.bus.subscribe(wanted) as events:
            async for event in events:
                match event.topic:
                    case "chat.sent":
                        row = await service.get_message(state.db, actor, event.subject)
                        if row is not None:
                            yield HouseNews(what="sent", channel=row.channel, message=ChatMessageType.of(row))
                    case "chat.read":
                        if event.data.get("user_id") == actor.user_id:
                            yield HouseNews(what="read", channel=event.subject, message=None)
                    case _:
                        yield HouseNews(what="announced", channel=None, message=None)
