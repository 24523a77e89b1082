"""Recordings. The audio itself comes over REST."""

from datetime import datetime

import strawberry

from backend.graphql.base import Connection, Done, FromRow, Info, connection, mutation, query
from backend.identity.permissions import Permission
from backend.recordings import service


@strawberry.type(name="Recording")
class RecordingType(FromRow):
    id: str
    call_id: str | None
    seconds: float
    bytes: int
    complete: bool
    created_at: datetime

    @query(Permission.RECORDINGS_LISTEN, "Where to play or download it.")
    async def url(self, info: Info) -> str:
        return f"/files/recordings/{self.id}"


@strawberry.type
class RecordingsQuery:
    @query(Permission.RECORDINGS_LISTEN, "Recordings, newest first.")
    async def recordings(
        self, info: Info, first: int = 50, after: str | None = None, call_id: str | None = None
    ) -> Connection[RecordingType]:
        found = await service.list_recordings(
            info.context.state.db, info.context.actor.business_id, call_id=call_id, first=first, after=after
        )
        return connection(found, RecordingType)


@strawberry.type
class RecordingsMutation:
    @mutation(Permission.RECORDINGS_DELETE, "Delete a recording and its file.")
    async def delete_recording(self, info: Info, id: str) -> Done:
        state = info.context.state
        await service.delete_recording(state.db, state.settings.recordings, info.context.actor, id)
        return Done()
