"""What the API may ask of the running gateway and of Temporal (`backend.state.Operations`)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from backend.calls.service import get_call, get_run
from backend.database import Database, new_id
from backend.errors import not_found
from backend.identity.permissions import Actor
from backend.phones.service import BrowserPhone
from backend.runtime.gateway import Gateway
from backend.runtime.orders import AwayError, Order, Orders, any_gateway, refuse, send
from nodes.sdk.text import text

TIMEOUT = 5.0


def temporal_away() -> AwayError:
    return AwayError(
        text("流程引擎 Temporal 暂不可用", "Temporal cannot be reached now"),
        remedy=text("请稍后再试，并检查 /healthz。", "Try again, and look at /healthz."),
    )


class LiveOperations:
    """Acts on live calls and runs."""

    def __init__(
        self,
        db: Database,
        orders: Orders,
        gateway: Callable[[], Gateway | None],
        client: Callable[[], Client | None],
    ) -> None:
        self._db = db
        self._orders = orders
        self._gateway = gateway
        self._client = client

    async def place_call(self, actor: Actor, *, number: str, flow: str, alias: str, caller: str) -> str:
        """Dial `number`; who answers walks `flow`, or talks to another number when `flow` is ``number:<digits>``."""
        gateway = self._gateway()
        own = gateway is not None and gateway.connected
        order = Order(
            kind="place_call",
            business_id=actor.business_id,
            call_id=f"out-{new_id()}",
            number=number,
            flow=flow,
            alias=alias,
            caller=caller,
        )
        await self._have_done(gateway.name if own and gateway is not None else await any_gateway(self._db), order)
        return order.call_id

    async def call_once(self, business_id: str, call_id: str, *, number: str, flow: str, caller: str) -> None:
        """As `place_call`, under an id that is given: a call that is on record already is not placed again."""
        gateway = self._gateway()
        own = gateway is not None and gateway.connected
        order = Order(
            kind="place_call",
            business_id=business_id,
            call_id=call_id,
            number=number,
            flow=flow,
            alias="live",
            caller=caller,
        )
        await self._have_done(gateway.name if own and gateway is not None else await any_gateway(self._db), order)

    async def dial_for(self, actor: Actor, call_id: str, phone: str, number: str, caller_id: str) -> str:
        gateway = self._gateway()
        own = gateway is not None and gateway.connected
        order = Order(
            kind="dial_for",
            business_id=actor.business_id,
            call_id=call_id,
            number=number,
            name=phone,
            caller=caller_id,
        )
        await self._have_done(gateway.name if own and gateway is not None else await any_gateway(self._db), order)
        return call_id

    async def control(
        self, actor: Actor, gateway: str, call_id: str, action: str, arguments: Mapping[str, Any]
    ) -> None:
        order = Order(
            kind="control", business_id=actor.business_id, call_id=call_id, action=action, arguments=dict(arguments)
        )
        await self._have_done(gateway, order)

    async def open_phone(self, actor: Actor, phone: BrowserPhone, period: int) -> None:
        gateway = self._gateway()
        own = gateway is not None and gateway.connected
        order = Order(
            kind="open_phone",
            business_id=actor.business_id,
            call_id="",
            number=phone.number,
            name=phone.name,
            display=phone.display,
            period=period,
        )
        await self._have_done(gateway.name if own and gateway is not None else await any_gateway(self._db), order)

    async def hang_up(self, actor: Actor, call_id: str) -> None:
        call = await get_call(self._db, actor.business_id, call_id)
        await self._have_done(call.gateway, Order(kind="hang_up", business_id=actor.business_id, call_id=call_id))

    async def _have_done(self, name: str, order: Order) -> None:
        """Have a gateway carry an order out, in this process or wherever it runs."""
        gateway = self._gateway()
        if gateway is not None and gateway.name == name and gateway.connected:
            refuse(await self._orders.carry_out(order))
        else:
            refuse(await send(self._connected(), name, order))

    async def stop_run(self, actor: Actor, run_id: str) -> None:
        await get_run(self._db, actor.business_id, run_id)
        client = self._connected()
        await self._ask(run_id, lambda: client.get_workflow_handle(run_id).signal("stop", f"stopped by {actor.name}"))

    async def run_state(self, actor: Actor, run_id: str) -> Mapping[str, Any]:
        await get_run(self._db, actor.business_id, run_id)
        client = self._connected()
        view = await self._ask(run_id, lambda: client.get_workflow_handle(run_id).query("state"))
        return dict(view) if isinstance(view, Mapping) else {"state": view}

    def _connected(self) -> Client:
        client = self._client()
        if client is None:
            raise temporal_away()
        return client

    async def _ask(self, run_id: str, work: Callable[[], Awaitable[Any]]) -> Any:
        try:
            async with asyncio.timeout(TIMEOUT):
                return await work()
        except RPCError as problem:
            if problem.status == RPCStatusCode.NOT_FOUND:
                raise not_found("进行中的流程", "live run", run_id) from problem
            raise temporal_away() from problem
        except TimeoutError as problem:
            raise temporal_away() from problem
