"""Orders to a gateway: in this process by a call, in another one by a short workflow on that gateway's queue.

Only the owner of a telephony engine works on its queue, so an order reaches whoever owns it at that moment. An order
carried out twice after a crash finds the call that the first one began.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.service import RPCError

with workflow.unsafe.imports_passed_through():
    from sqlmodel import col, select

    from backend.calls.models import Call
    from backend.database import Database, new_id, read, utcnow
    from backend.errors import ConflictError, DomainError, NotFoundError, not_found
    from backend.leases.models import Lease
    from backend.phones.service import BrowserPhone
    from backend.runtime.directory import Directory
    from backend.runtime.gateway import Gateway
    from backend.runtime.steering import no_way, steer
    from nodes.sdk.outcome import NodeError
    from nodes.sdk.text import Text, text

LEASE = "gateway-"
PATIENCE = timedelta(seconds=10)
NAME = "gateway.order"


class AwayError(DomainError):
    """A part of the product that the request needs does not run here or now."""

    code = "unavailable"


def gateway_away() -> AwayError:
    return AwayError(
        text("电话网关暂不可用", "no telephone gateway can be reached now"),
        remedy=text("请检查 /healthz。", "Look at /healthz."),
    )


class Order(BaseModel):
    """What a gateway is to do.

    ``flow`` may be ``number:<digits>``: who answers talks to that number; or ``trial:<id>``: they try a flow out.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["place_call", "hang_up", "open_phone", "dial_for", "control"]
    business_id: str
    call_id: str
    number: str = ""
    flow: str = ""
    alias: str = ""
    caller: str = ""
    name: str = ""
    display: str = ""
    period: int = 0
    action: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict)


class Done(BaseModel):
    """What came of an order; a refusal has a code."""

    code: str = ""
    message: Text = Field(default_factory=lambda: text("", ""))
    remedy: Text = Field(default_factory=lambda: text("", ""))
    field: str = ""


class Orders:
    """Carries out the orders of the gateway of this process."""

    def __init__(self, db: Database, directory: Directory, gateway: Callable[[], Gateway | None]) -> None:
        self._db = db
        self._directory = directory
        self._gateway = gateway

    async def carry_out(self, order: Order) -> Done:
        """Do it; a refusal is an answer, too."""
        try:
            match order.kind:
                case "place_call":
                    await self._place(order)
                case "hang_up":
                    await self._hang_up(order)
                case "open_phone":
                    await self._open_phone(order)
                case "dial_for":
                    await self._dial_for(order)
                case "control":
                    await steer(self._own(), order)
        except DomainError as problem:
            return Done(code=problem.code, message=problem.message, remedy=problem.remedy, field=problem.field)
        return Done()

    async def _place(self, order: Order) -> None:
        gateway = self._gateway()
        if gateway is None or not gateway.connected:
            raise gateway_away()
        async with read(self._db) as session:
            if await session.get(Call, order.call_id) is not None:
                return
        other = order.flow.removeprefix("number:") if order.flow.startswith("number:") else ""
        alias = order.alias or "live"
        trial = order.flow.removeprefix("trial:") if order.flow.startswith("trial:") else ""
        target = None
        if trial:
            target = await self._directory.trial(order.business_id, trial)
        elif not other:
            target = await self._directory.flow(order.business_id, order.flow, alias)
        if target is None and not other:
            raise not_found("已发布的流程", "published flow", f"{order.flow}@{alias}", "flow")
        try:
            await gateway.begin_call(
                order.number,
                call_id=order.call_id,
                business_id=order.business_id,
                target=target,
                bridge_to=other,
                caller_id=order.caller,
            )
        except NodeError as problem:
            raise no_way(order.number, problem) from problem

    def _own(self) -> Gateway:
        gateway = self._gateway()
        if gateway is None or not gateway.connected:
            raise gateway_away()
        return gateway

    async def _dial_for(self, order: Order) -> None:
        async with read(self._db) as session:
            if await session.get(Call, order.call_id) is not None:
                return
        try:
            await self._own().dial_for(
                order.name,
                order.number,
                business_id=order.business_id,
                call_id=order.call_id,
                caller_id=order.caller,
            )
        except NodeError as problem:
            raise no_way(order.number, problem) from problem

    async def _open_phone(self, order: Order) -> None:
        await self._own().open_phone(BrowserPhone(order.name, order.number, order.display), order.period)

    async def _hang_up(self, order: Order) -> None:
        gateway = self._gateway()
        if gateway is None or not gateway.connected:
            raise gateway_away()
        call = await gateway.get(order.call_id)
        if call is None:
            raise not_found("进行中的通话", "live call", order.call_id)
        await call.cut()

    @activity.defn(name=NAME)
    async def work(self, order: Order) -> Done:
        """The order as a local activity of the gateway's own worker."""
        return await self.carry_out(order)


@workflow.defn(name=NAME)
class OrderWorkflow:
    """Brings one order to a gateway."""

    @workflow.run
    async def run(self, order: Order) -> Done:
        return await workflow.execute_local_activity_method(
            Orders.work, order, start_to_close_timeout=PATIENCE, retry_policy=RetryPolicy(maximum_attempts=1)
        )


async def gateways(db: Database) -> list[str]:
    """Names of the gateways that some process owns now."""
    async with read(db) as session:
        found = await session.exec(
            select(Lease.name).where(col(Lease.name).startswith(LEASE), col(Lease.expires_at) > utcnow())
        )
        return [name.removeprefix(LEASE) for name in found]


async def any_gateway(db: Database) -> str:
    """One of them; raises `AwayError` when there is none."""
    names = await gateways(db)
    if not names:
        raise gateway_away()
    return random.choice(names)


async def send(client: Client, gateway: str, order: Order) -> Done:
    """Have another process carry it out; raises `AwayError` when nobody does in time."""
    try:
        return await client.execute_workflow(
            OrderWorkflow.run,
            order,
            id=f"order-{new_id()}",
            task_queue=LEASE + gateway,
            execution_timeout=PATIENCE,
            rpc_timeout=PATIENCE + timedelta(seconds=2),
        )
    except (WorkflowFailureError, RPCError, TimeoutError) as problem:
        raise gateway_away() from problem


_REFUSALS: dict[str, type[DomainError]] = {NotFoundError.code: NotFoundError, AwayError.code: AwayError}


def refuse(done: Done) -> None:
    """Raise what an order was refused for, if it was."""
    if done.code:
        kind = _REFUSALS.get(done.code, ConflictError)
        raise kind(done.message, field=done.field, remedy=done.remedy, code=done.code)
