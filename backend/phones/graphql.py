"""The phone in the browser, and calls that try a flow."""

from datetime import datetime

import strawberry

from backend.calls.graphql import operations
from backend.database import utcnow
from backend.errors import InvalidError
from backend.graphql.base import FromRow, Info, mutation, query
from backend.identity.permissions import Permission
from backend.phones import service
from backend.phones.models import TrialCall
from nodes.sdk.text import text


@strawberry.type(description="A STUN or TURN server for calls that cross a router.")
class IceServer:
    urls: str
    username: str
    credential: str


@strawberry.type(description="What a browser needs to be a phone, until expiresAt; then ask again.")
class WebPhone:
    uri: str
    user: str
    password: str
    ws_path: str = strawberry.field(description="Where to open the WebSocket, on the host of this page.")
    number: str = strawberry.field(description="The extension; empty for a phone that only makes test calls.")
    display_name: str
    ice_servers: list[IceServer]
    expires_at: datetime


@strawberry.type(name="TestCall", description="A call that tries a flow; follow it by its call's trail.")
class TestCallType(FromRow):
    __test__ = False

    id: str
    flow_key: str
    version: int = strawberry.field(description="0 for the draft.")
    number: str
    created_at: datetime
    state: str = strawberry.field(description="waiting until the browser has dialled, then begun.")
    call_id: str | None
    dial: str | None = strawberry.field(default=None, description="What the browser phone dials, once.")


def _shown(row: TrialCall, dial: str = "") -> TestCallType:
    return TestCallType(
        id=row.id,
        flow_key=row.flow_key,
        version=row.version,
        number=row.number,
        created_at=row.created_at,
        state="begun" if row.call_id else "waiting",
        call_id=row.call_id or None,
        dial=dial or None,
    )


@strawberry.type
class PhonesQuery:
    @query(Permission.FLOWS_EDIT, "A test call as it stands; it has a call once the browser has dialled.")
    async def test_call(self, info: Info, id: str) -> TestCallType:
        return _shown(await service.get_trial(info.context.state.db, info.context.actor.business_id, id))


@strawberry.type
class PhonesMutation:
    @mutation(Permission.SIGNED_IN, "Make a phone of this browser: credentials for an hour at most.")
    async def web_phone(self, info: Info) -> WebPhone:
        state, actor = info.context.state, info.context.actor
        phone = await service.browser_phone(state.db, actor)
        period = service.period_of(utcnow())
        await operations(info).open_phone(actor, phone, period)
        return WebPhone(
            uri=f"sip:{phone.name}@{service.DOMAIN}",
            user=phone.name,
            password=service.password_of(state.secrets, phone.name, period),
            ws_path="/sip",
            number=phone.number,
            display_name=phone.display,
            ice_servers=[IceServer(**one) for one in service.ice_servers(state.settings.ice_servers)],
            expires_at=service.expires_at(period),
        )

    @mutation(
        Permission.FLOWS_EDIT,
        "Try a flow: on is draft, an alias or a version number. Give a number to ring, or web: true and dial what "
        "comes back. caller is who the flow believes to be calling from the browser.",
    )
    async def start_test_call(
        self,
        info: Info,
        flow_key: str,
        on: str = "draft",
        number: str | None = None,
        web: bool = False,
        caller: str = "",
        language: str = "",
    ) -> TestCallType:
        state, actor = info.context.state, info.context.actor
        if bool(number) == web:
            raise InvalidError(
                text("请填写号码或选择网页电话之一", "give a number or choose the browser, one of both"),
                field="number",
                remedy=text("填写 number，或 web: true。", "Give number, or web: true."),
            )
        work = operations(info)
        row, dial = await service.prepare_trial(
            state.db, actor, flow_key, on=on, number=number or "", caller=caller, language=language
        )
        if number:
            row.call_id = await work.place_call(actor, number=number, flow=f"trial:{row.id}", alias="", caller="")
            await service.begin_trial(state.db, row.id, row.call_id)
        return _shown(row, dial)
