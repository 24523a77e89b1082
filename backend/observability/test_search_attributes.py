"""A server that has never heard of our search attributes learns them, and ops list runs by every one."""

import asyncio
import logging
from pathlib import Path

import pytest
from temporalio.client import Client

from backend.observability.search_attributes import WANTED, missing, register
from flows.memory import MemoryPlans
from flows.task import CallFacts, FlowStart
from flows.temporal import data_converter, start_flow
from flows.testing import temporal_dev_server
from telephony.free_ports import free_port

pytestmark = [pytest.mark.temporal]

START = FlowStart(
    run_id="call-c1",
    business_id="main",
    flow_id="spring-offer",
    version=7,
    plan="0" * 64,
    kind="campaign",
    call=CallFacts(id="c1", gateway="main"),
    campaign="spring",
)


async def test_a_server_without_them_learns_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.search_attributes.SERVER_FLAGS", ())
    with temporal_dev_server(tmp_path) as server:
        client = await Client.connect(server.address, data_converter=data_converter(MemoryPlans()))
        assert await missing(client) == WANTED
        assert await register(client)
        assert await missing(client) == {}
        assert await register(client), "a second process finds them"
        async with asyncio.timeout(20):
            handle = await start_flow(client, START, task_queue="nobody", search_attributes=True)
            for query in (
                "CallweaveFlow = 'spring-offer'",
                "CallweaveVersion = 7",
                "CallweaveVersion > 6",
                "CallweaveKind = 'campaign'",
                "CallweaveBusiness = 'main'",
                "CallweaveCall = 'c1'",
                "CallweaveCampaign = 'spring'",
            ):
                while [found.id async for found in client.list_workflows(query)] != [handle.id]:
                    await asyncio.sleep(0.05)
            assert [found async for found in client.list_workflows("CallweaveCampaign = 'autumn'")] == []


async def test_a_server_that_is_away_is_told_with_the_remedy(caplog: pytest.LogCaptureFixture) -> None:
    client = await Client.connect(f"127.0.0.1:{free_port()}", lazy=True)
    with caplog.at_level(logging.ERROR):
        assert not await register(client)
    assert "search-attribute create" in caplog.text
    assert all(name in caplog.text for name in WANTED)
