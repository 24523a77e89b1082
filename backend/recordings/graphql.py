"""Recordings, their rules and second copies. The audio itself comes over REST."""

from datetime import datetime
from typing import Any

import strawberry

from backend.customers.graphql import CustomerType
from backend.customers.masking import home_of, shown
from backend.errors import ForbiddenError
from backend.graphql.base import Connection, Done, FromRow, Info, Words, connection, mutation, query
from backend.identity.permissions import Permission
from backend.recordings import copies, rules, service
from backend.recordings.models import CopyTarget, Recording, RecordingRule, RetentionRule
from nodes.sdk.text import text


@strawberry.type(name="Recording", description="Played from url; downloaded from url with ?download=true, by right.")
class RecordingType(FromRow):
    id: str
    call_id: str | None
    seconds: float
    bytes: int
    complete: bool
    direction: str
    agent_id: str | None
    queue: str
    customer_id: str | None
    result: str = strawberry.field(description="How the call ended: its flow's outcome, else the cause.")
    kept: bool = strawberry.field(description="Kept whatever the rules of keeping say.")
    created_at: datetime
    row: strawberry.Private[Recording]

    @classmethod
    def of(cls, row: Recording) -> "RecordingType":
        names = [name for name in cls.__annotations__ if name != "row"]
        return cls(row=row, **{name: getattr(row, name) for name in names})

    @query(Permission.RECORDINGS_OWN, "The calling number.")
    async def caller(self, info: Info) -> str:
        return shown(info, self.row.caller)

    @query(Permission.RECORDINGS_OWN, "The called number.")
    async def called(self, info: Info) -> str:
        return shown(info, self.row.called)

    @query(Permission.RECORDINGS_OWN, "Where the outside number belongs to, in a few words.")
    async def region(self, info: Info) -> Words | None:
        return await home_of(info, self.row.called if self.direction == "outbound" else self.row.caller)

    @query(Permission.RECORDINGS_OWN, "Who talked, of the house.")
    async def agent_name(self, info: Info) -> str:
        user = await info.context.users.load(self.agent_id) if self.agent_id else None
        return (user.display_name or user.name) if user is not None else ""

    @query(Permission.CUSTOMERS_READ, "Whom it is with.")
    async def customer(self, info: Info) -> CustomerType | None:
        return CustomerType.maybe(await info.context.customers.load(self.customer_id)) if self.customer_id else None

    @query(Permission.RECORDINGS_OWN, "Where to play it.")
    async def url(self, info: Info) -> str:
        return f"/files/recordings/{self.id}"

    @query(Permission.RECORDINGS_OWN, "Its shape: JSON {seconds, peaks: [0..1]}; ?count=800 for so many parts.")
    async def peaks_url(self, info: Info) -> str:
        return f"/files/recordings/{self.id}/peaks"


@strawberry.type(name="RecordingRule", description="The first rule that fits a call decides, by position.")
class RecordingRuleType(FromRow):
    id: str
    name: str
    scope: str = strawberry.field(description="all, number (its start), queue or agent.")
    value: str
    direction: str
    share: int = strawberry.field(description="Per cent of the calls that fit.")
    announce: bool
    announcement_zh: str
    announcement_en: str
    position: int
    enabled: bool


@strawberry.type(name="RetentionRule", description="How many days sound is kept; the most particular rule decides.")
class RetentionRuleType(FromRow):
    id: str
    name: str
    what: str = strawberry.field(description="recording or voicemail.")
    scope: str = strawberry.field(description="all, number, queue, agent; of voicemail all or box.")
    value: str
    days: int
    enabled: bool
    deleted: int
    ran_at: datetime | None


@strawberry.type(name="CopyTarget", description="Where second copies go. The secret key is never shown.")
class CopyTargetType:
    id: str
    name: str
    kind: str
    folder: str
    endpoint: str
    secure: bool
    region: str
    bucket: str
    prefix: str
    access_key: str
    enabled: bool
    error: str
    copied_at: datetime | None
    waiting: int
    done: int
    failed: int

    @classmethod
    def of(cls, row: CopyTarget, found: dict[tuple[str, str], int]) -> "CopyTargetType":
        own: dict[str, Any] = {name: getattr(row, name) for name in cls.__annotations__ if hasattr(row, name)}
        own |= {state: found.get((row.id, state), 0) for state in ("waiting", "done", "failed")}
        return cls(**own)


@strawberry.input
class RecordingFilterInput:
    """number is the start of the calling or called one."""

    call_id: str | None = None
    customer_id: str | None = None
    number: str = ""
    agent_id: str | None = None
    queue: str | None = None
    result: str | None = None
    direction: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None


@strawberry.input
class RecordingRuleInput:
    name: str = ""
    scope: str = "all"
    value: str = ""
    direction: str = ""
    share: int = 100
    announce: bool = False
    announcement_zh: str = ""
    announcement_en: str = ""
    position: int = 0
    enabled: bool = True


@strawberry.input
class RetentionRuleInput:
    name: str = ""
    what: str = "recording"
    scope: str = "all"
    value: str = ""
    days: int
    enabled: bool = True


@strawberry.input
class CopyTargetInput:
    """kind is folder or s3. Leave the secret key out to keep it."""

    name: str
    kind: str
    folder: str = ""
    endpoint: str = ""
    secure: bool = True
    region: str = ""
    bucket: str = ""
    prefix: str = ""
    access_key: str = ""
    secret_key: str | None = None
    enabled: bool = True


@strawberry.type
class RecordingsQuery:
    @query(Permission.RECORDINGS_OWN, "Recordings, newest first; agents find their own talks.")
    async def recordings(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        call_id: str | None = None,
        filter: RecordingFilterInput | None = None,
    ) -> Connection[RecordingType]:
        actor = info.context.actor
        given = vars(filter).copy() if filter is not None else {}
        if call_id is not None:
            given["call_id"] = call_id
        if not actor.may(Permission.RECORDINGS_LISTEN):
            if actor.user_id is None:
                raise ForbiddenError(text("没有权限", "this needs the permission recordings.listen"))
            given["agent_id"] = actor.user_id
        found = await service.list_recordings(
            info.context.state.db,
            actor.business_id,
            service.RecordingFilter(**given),
            people=actor.people,
            first=first,
            after=after,
        )
        return connection(found, RecordingType)

    @query(Permission.RECORDING_RULES, "Rules of recording in their order.")
    async def recording_rules(self, info: Info) -> list[RecordingRuleType]:
        found = await rules.list_rules(info.context.state.db, info.context.actor.business_id)
        return [RecordingRuleType.of(row) for row in found]

    @query(Permission.RECORDING_RULES, "Rules of keeping.")
    async def retention_rules(self, info: Info) -> list[RetentionRuleType]:
        found = await rules.list_retention(info.context.state.db, info.context.actor.business_id)
        return [RetentionRuleType.of(row) for row in found]

    @query(Permission.RECORDING_RULES, "Where second copies go, and how far they are.")
    async def copy_targets(self, info: Info) -> list[CopyTargetType]:
        db, business = info.context.state.db, info.context.actor.business_id
        found = await copies.counts(db, business)
        return [CopyTargetType.of(row, found) for row in await copies.list_targets(db, business)]


@strawberry.type
class RecordingsMutation:
    @mutation(Permission.RECORDINGS_DELETE, "Delete a recording, its file and its copies.")
    async def delete_recording(self, info: Info, id: str) -> Done:
        state = info.context.state
        await service.delete_recording(state.db, state.settings.recordings, info.context.actor, id, box=state.secrets)
        return Done()

    @mutation(Permission.RECORDINGS_DELETE, "Keep a recording whatever the rules say, or leave it to them again.")
    async def keep_recording(self, info: Info, id: str, kept: bool) -> RecordingType:
        return RecordingType.of(await service.keep_recording(info.context.state.db, info.context.actor, id, kept))

    @mutation(Permission.RECORDING_RULES, "Create or change a rule of recording.")
    async def save_recording_rule(
        self, info: Info, input: RecordingRuleInput, id: str | None = None
    ) -> RecordingRuleType:
        saved = await rules.save_rule(info.context.state.db, info.context.actor, id=id, **vars(input))
        return RecordingRuleType.of(saved)

    @mutation(Permission.RECORDING_RULES, "Remove a rule of recording.")
    async def delete_recording_rule(self, info: Info, id: str) -> Done:
        await rules.delete_one(info.context.state.db, info.context.actor, RecordingRule, id)
        return Done()

    @mutation(Permission.RECORDING_RULES, "Create or change a rule of keeping.")
    async def save_retention_rule(
        self, info: Info, input: RetentionRuleInput, id: str | None = None
    ) -> RetentionRuleType:
        saved = await rules.save_retention(info.context.state.db, info.context.actor, id=id, **vars(input))
        return RetentionRuleType.of(saved)

    @mutation(Permission.RECORDING_RULES, "Remove a rule of keeping.")
    async def delete_retention_rule(self, info: Info, id: str) -> Done:
        await rules.delete_one(info.context.state.db, info.context.actor, RetentionRule, id)
        return Done()

    @mutation(Permission.SYSTEM, "Create or change a target of second copies; what exists is copied too.")
    async def save_copy_target(self, info: Info, input: CopyTargetInput, id: str | None = None) -> CopyTargetType:
        state, actor = info.context.state, info.context.actor
        saved = await copies.save_target(state.db, state.secrets, actor, id=id, **vars(input))
        return CopyTargetType.of(saved, await copies.counts(state.db, actor.business_id))

    @mutation(Permission.SYSTEM, "Forget a target; the copies that are there stay.")
    async def delete_copy_target(self, info: Info, id: str) -> Done:
        await copies.delete_target(info.context.state.db, info.context.actor, id)
        return Done()

    @mutation(Permission.SYSTEM, "Try a target out: write, read, delete.")
    async def probe_copy_target(self, info: Info, id: str) -> Done:
        state = info.context.state
        await copies.probe_target(state.db, state.secrets, info.context.actor, id)
        return Done()
