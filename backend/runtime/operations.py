"""What the API may ask of the running gateway and of Temporal (`backend.state.Operations`)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from backend.calls.service import get_call, get_run
from backend.database import Database
from backend.errors import ConflictError, DomainError, not_found
from backend.identity.permissions import Actor
from backend.runtime.directory import Directory
from backend.runtime.gateway import Gateway
from nodes.sdk.outcome import NodeError
from nodes.sdk.text import text

TIMEOUT = 5.0


class AwayError(DomainError):
    """A part of the product that the request needs does not run here or now."""

    code = "unavailable"


def gateway_away() -> AwayError:
    return AwayError(
        text("电话网关不在本进程运行", "the telephone gateway does not run in this process"),
        remedy=text("请检查 /healthz。", "Look at /healthz."),
    )


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
        directory: Directory,
        gateway: Callable[[], Gateway | None],
        client: Callable[[], Client | None],
    ) -> None:
        self._db = db
        self._directory = directory
        self._gateway = gateway
        self._client = client

    async def place_call(self, actor: Actor, *, number: str, flow: str, alias: str, caller: str) -> str:
        """Dial `number`; who answers walks `flow`, or talks to another number when `flow` is ``number:<digits>``."""
        gateway = self._gateway()
        if gateway is None or not gateway.connected:
            raise gateway_away()
        other = flow.removeprefix("number:") if flow.startswith("number:") else ""
        target = None if other else await self._directory.flow(actor.business_id, flow, alias or "live")
        if target is None and not other:
            raise not_found("已发布的流程", "published flow", f"{flow}@{alias or 'live'}", "flow")
        try:
            return await gateway.begin_call(
                number, business_id=actor.business_id, target=target, bridge_to=other, caller_id=caller
            )
        except NodeError as problem:
            raise ConflictError(
                text(f"号码 {number} 无法呼叫：{problem.failure.reason}", str(problem)),
                field="number",
                code=problem.failure.reason,
            ) from problem

    async def hang_up(self, actor: Actor, call_id: str) -> None:
        await get_call(self._db, actor.business_id, call_id)
        gateway = self._gateway()
        if gateway is None:
            raise gateway_away()
        call = await gateway.get(call_id)
        if call is None:
            raise not_found("进行中的通话", "live call", call_id)
        await call.cut()

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
