"""Voicemail."""

from datetime import datetime

import strawberry

from backend.graphql.base import Connection, Done, FromRow, Info, connection, mutation, query
from backend.identity.permissions import Permission
from backend.voicemails import service


@strawberry.type(name="Voicemail")
class VoicemailType(FromRow):
    id: str
    box: str
    call_id: str | None
    caller: str
    callback_number: str | None
    seconds: float
    bytes: int
    complete: bool
    state: str
    handled_by: str | None
    created_at: datetime

    @query(Permission.VOICEMAILS, "Where to play or download it.")
    async def url(self, info: Info) -> str:
        return f"/files/voicemails/{self.id}"


@strawberry.type
class VoicemailsQuery:
    @query(Permission.VOICEMAILS, "Messages, newest first.")
    async def voicemails(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        box: str | None = None,
        state: str | None = None,
        call_id: str | None = None,
    ) -> Connection[VoicemailType]:
        found = await service.list_voicemails(
            info.context.state.db,
            info.context.actor.business_id,
            box=box,
            state=state,
            call_id=call_id,
            first=first,
            after=after,
        )
        return connection(found, VoicemailType)


@strawberry.type
class VoicemailsMutation:
    @mutation(Permission.VOICEMAILS, "Mark a message as heard, accepted or done.")
    async def set_voicemail_state(self, info: Info, id: str, state: str) -> VoicemailType:
        return VoicemailType.of(await service.set_state(info.context.state.db, info.context.actor, id, state))

    @mutation(Permission.VOICEMAILS_DELETE, "Delete a message and its file.")
    async def delete_voicemail(self, info: Info, id: str) -> Done:
        state = info.context.state
        await service.delete_voicemail(state.db, state.settings.recordings, info.context.actor, id)
        return Done()
