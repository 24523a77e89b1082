"""Voicemail."""

from collections.abc import AsyncIterator
from datetime import datetime

import strawberry

from backend.customers.graphql import CustomerType
from backend.customers.masking import home_of, shown
from backend.errors import ConflictError
from backend.events import Event
from backend.graphql.base import (
    Connection,
    Done,
    FromRow,
    Info,
    Words,
    connection,
    mutation,
    query,
    subscription,
)
from backend.identity.permissions import Permission
from backend.voicemails import service
from backend.voicemails.models import Voicemail
from nodes.sdk.text import text


@strawberry.type(name="Voicemail")
class VoicemailType(FromRow):
    id: str
    box: str
    call_id: str | None
    seconds: float
    bytes: int
    complete: bool
    state: str = strawberry.field(description="new, heard, accepted or done.")
    assigned_to: str | None
    handled_by: str | None
    customer_id: str | None
    note: str
    created_at: datetime
    row: strawberry.Private[Voicemail]

    @classmethod
    def of(cls, row: Voicemail) -> "VoicemailType":
        names = [name for name in cls.__annotations__ if name != "row"]
        return cls(row=row, **{name: getattr(row, name) for name in names})

    @query(Permission.VOICEMAILS, "Who called.")
    async def caller(self, info: Info) -> str:
        return shown(info, self.row.caller)

    @query(Permission.VOICEMAILS, "Where the caller's number belongs to, in a few words.")
    async def region(self, info: Info) -> Words | None:
        return await home_of(info, self.row.caller)

    @query(Permission.VOICEMAILS, "Where they want to be called back, when they left a number.")
    async def callback_number(self, info: Info) -> str | None:
        return shown(info, self.row.callback_number) or None

    @query(Permission.VOICEMAILS, "Name of the person it was given to.")
    async def assigned_name(self, info: Info) -> str:
        user = await info.context.users.load(self.assigned_to) if self.assigned_to else None
        return (user.display_name or user.name) if user is not None else ""

    @query(Permission.VOICEMAILS, "Name of the person who accepted it.")
    async def handled_name(self, info: Info) -> str:
        user = await info.context.users.load(self.handled_by) if self.handled_by else None
        return (user.display_name or user.name) if user is not None else ""

    @query(Permission.CUSTOMERS_READ, "Who that is, when known.")
    async def customer(self, info: Info) -> CustomerType | None:
        return CustomerType.maybe(await info.context.customers.load(self.customer_id)) if self.customer_id else None

    @query(Permission.VOICEMAILS, "Where to play it; ?download=true to download.")
    async def url(self, info: Info) -> str:
        return f"/files/voicemails/{self.id}"

    @query(Permission.VOICEMAILS, "Its shape: JSON {seconds, peaks: [0..1]}; ?count=800 for so many parts.")
    async def peaks_url(self, info: Info) -> str:
        return f"/files/voicemails/{self.id}/peaks"


@strawberry.type(name="VoicemailBox", description="id is null for a box that nobody has defined yet.")
class VoicemailBoxType:
    id: str | None
    name: str
    label: Words
    queue: str
    members: list[str] = strawberry.field(description="User ids; empty for everybody who handles voicemail.")
    create_task: bool
    new: int
    total: int

    @classmethod
    def of(cls, one: service.BoxState) -> "VoicemailBoxType":
        row = one.row
        return cls(
            id=row.id if row else None,
            name=one.name,
            label=Words(zh=(row.label_zh if row else "") or one.name, en=(row.label_en if row else "") or one.name),
            queue=row.queue if row else "",
            members=list(row.members) if row else [],
            create_task=row.create_task if row else False,
            new=one.new,
            total=one.total,
        )


@strawberry.type(name="CallBack", description="The call that was placed, and the message it answers.")
class CallBackType:
    call_id: str
    voicemail: VoicemailType


@strawberry.type(name="VoicemailEvent", description="A message came or was changed; deleted ones have no voicemail.")
class VoicemailEvent:
    what: str
    voicemail_id: str
    voicemail: VoicemailType | None


@strawberry.input
class VoicemailFilterInput:
    """number is the start of the caller's, search a part of the note."""

    box: str | None = None
    state: str | None = None
    call_id: str | None = None
    customer_id: str | None = None
    assigned_to: str | None = None
    number: str = ""
    search: str = ""
    since: datetime | None = None
    until: datetime | None = None


@strawberry.input
class VoicemailBoxInput:
    name: str
    label_zh: str = ""
    label_en: str = ""
    queue: str = ""
    members: list[str] = strawberry.field(default_factory=list)
    create_task: bool = False


@strawberry.type
class VoicemailsQuery:
    @query(Permission.VOICEMAILS, "Messages of the boxes that are open to the asker, newest first.")
    async def voicemails(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        box: str | None = None,
        state: str | None = None,
        call_id: str | None = None,
        filter: VoicemailFilterInput | None = None,
    ) -> Connection[VoicemailType]:
        given = vars(filter).copy() if filter is not None else {}
        given |= {k: v for k, v in {"box": box, "state": state, "call_id": call_id}.items() if v is not None}
        found = await service.list_voicemails(
            info.context.state.db, info.context.actor, service.VoicemailFilter(**given), first=first, after=after
        )
        return connection(found, VoicemailType)

    @query(Permission.VOICEMAILS, "One message.")
    async def voicemail(self, info: Info, id: str) -> VoicemailType:
        return VoicemailType.of(await service.hear(info.context.state.db, info.context.actor, id))

    @query(Permission.VOICEMAILS, "Boxes with their counts.")
    async def voicemail_boxes(self, info: Info) -> list[VoicemailBoxType]:
        return [VoicemailBoxType.of(one) for one in await service.boxes(info.context.state.db, info.context.actor)]


@strawberry.type
class VoicemailsMutation:
    @mutation(Permission.VOICEMAILS, "Mark a message as new, heard, accepted or done; of two who accept one gets it.")
    async def set_voicemail_state(self, info: Info, id: str, state: str) -> VoicemailType:
        return VoicemailType.of(await service.set_state(info.context.state.db, info.context.actor, id, state))

    @mutation(Permission.VOICEMAILS, "Give a message to somebody, or with a box move it there.")
    async def assign_voicemail(
        self, info: Info, id: str, user_id: str | None = None, box: str | None = None
    ) -> VoicemailType:
        return VoicemailType.of(await service.assign(info.context.state.db, info.context.actor, id, user_id, box))

    @mutation(Permission.VOICEMAILS, "Write down what a message says.")
    async def note_voicemail(self, info: Info, id: str, note: str) -> VoicemailType:
        return VoicemailType.of(await service.write_note(info.context.state.db, info.context.actor, id, note))

    @mutation(Permission.VOICEMAILS, "Accept a message and call back: the caller's phone first, then extension.")
    async def call_back_voicemail(self, info: Info, id: str, extension: str) -> CallBackType:
        state, actor = info.context.state, info.context.actor
        row = await service.hear(state.db, actor, id)
        if state.operations is None:
            raise ConflictError(
                text("此进程不能拨号", "this process places no calls"),
                code="unavailable",
                remedy=text("请使用完整的服务。", "Ask a process of the running product."),
            )
        accepted = await service.set_state(state.db, actor, id, "accepted")
        call = await state.operations.place_call(
            actor, number=row.callback_number or row.caller, flow=f"number:{extension}", alias="live", caller=""
        )
        return CallBackType(call_id=call, voicemail=VoicemailType.of(accepted))

    @mutation(Permission.VOICEMAILS_DELETE, "Delete a message, its file and its copies.")
    async def delete_voicemail(self, info: Info, id: str) -> Done:
        state = info.context.state
        await service.delete_voicemail(state.db, state.settings.recordings, info.context.actor, id, box=state.secrets)
        return Done()

    @mutation(Permission.VOICEMAILS_DELETE, "Define a box, or change the one of that name.")
    async def save_voicemail_box(self, info: Info, input: VoicemailBoxInput) -> VoicemailBoxType:
        saved = await service.save_box(info.context.state.db, info.context.actor, **vars(input))
        found = await service.boxes(info.context.state.db, info.context.actor)
        return VoicemailBoxType.of(next(one for one in found if one.name == saved.name))

    @mutation(Permission.VOICEMAILS_DELETE, "Forget a box; its messages stay.")
    async def delete_voicemail_box(self, info: Info, id: str) -> Done:
        await service.delete_box(info.context.state.db, info.context.actor, id)
        return Done()


@strawberry.type
class VoicemailsSubscription:
    @subscription(Permission.VOICEMAILS)
    async def voicemail_events(self, info: Info) -> AsyncIterator[VoicemailEvent]:
        """Messages that come into or change in the boxes that are open to the reader."""
        state, actor = info.context.state, info.context.actor
        topics = {"voicemail.saved": "saved", "voicemail.changed": "changed"}

        def wanted(event: Event) -> bool:
            return event.topic in topics and event.business_id == actor.business_id

        with state.bus.subscribe(wanted) as events:
            async for event in events:
                gone = event.data.get("state") == "deleted"
                row = None if gone else await service.heard_by(state.db, actor, event.subject)
                if gone or row is not None:
                    what = "deleted" if gone else topics[event.topic]
                    yield VoicemailEvent(what=what, voicemail_id=event.subject, voicemail=VoicemailType.maybe(row))
