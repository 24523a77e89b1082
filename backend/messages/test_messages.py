"""The outbox: written first, sent once at most."""

import pytest

from backend.calls.facts import CallStarted, Steps, write_facts
from backend.customers.service import save_customer
from backend.customers.timeline import timeline
from backend.database import locked, utcnow, write
from backend.errors import InvalidError
from backend.identity.permissions import Actor
from backend.messages import service
from backend.messages.models import OutboxMessage
from backend.messages.service import NotSentError
from backend.state import AppState
from flows.task import CallFacts, FlowStart, TrailStep


async def queue(state: AppState, key: str = "k", to: str = "13800000001") -> OutboxMessage:
    return await service.queue_message(
        state.db, "main", key=key, channel="sms", recipients=[to], text_body="您的余额为 5 元"
    )


async def test_the_same_key_is_the_same_message(state: AppState) -> None:
    first = await queue(state)
    assert (await queue(state)).id == first.id
    assert first.recipients == ["+8613800000001"] and first.state == "queued"
    assert (await service.deliver(state.db, first.id, None)).state == "queued"


async def test_a_message_is_found_with_its_customer(state: AppState, actor: Actor) -> None:
    wang = await save_customer(state.db, actor, changes={"name": "王芳", "phones": ["13800000001"]})
    li = await save_customer(state.db, actor, changes={"name": "李雷", "phones": ["13900000002"]})
    assert (await queue(state, "number")).customer_id == wang.id
    assert (await queue(state, "nobody", "13700000003")).customer_id is None
    run = FlowStart(
        run_id="call-c1", business_id="main", flow_id="hotline", version=1, plan="p" * 64, kind="ivr",
        call=CallFacts(id="c1"), alias="live",
    )  # fmt: skip
    await write_facts(state.db, [CallStarted("c1", "main", "g", "+8613800000001", "100", run=run)])

    async def mail(key: str) -> str | None:
        row = await service.queue_message(
            state.db, "main", key=key, channel="mail", recipients=["a@b.cn"], text_body="x", run_id="call-c1"
        )
        return row.customer_id

    assert await mail("caller") == wang.id
    met = TrailStep(
        seq=1,
        node_id="n",
        node_type="customer.find",
        node_name="n",
        entered=utcnow(),
        changes={"customer": {"id": li.id}},
    )
    await write_facts(state.db, [Steps("call-c1", [met])])
    assert await mail("flow") == li.id
    found = await timeline(state.db, "main", li.id)
    assert [one.kind for one in found.items] == ["message"]


async def test_a_message_is_sent_once(state: AppState) -> None:
    sent: list[str] = []

    async def send(message: OutboxMessage) -> str:
        sent.append(message.text)
        return "ref-1"

    row = await queue(state)
    for _ in range(3):
        done = await service.deliver(state.db, row.id, send)
    assert (done.state, done.reference, len(sent)) == ("sent", "ref-1", 1) and done.sent_at is not None


async def test_a_refused_message_may_be_tried_again(state: AppState) -> None:
    async def refuse(_: OutboxMessage) -> str:
        raise NotSentError("busy")

    async def send(_: OutboxMessage) -> str:
        return "ok"

    row = await queue(state)
    failed = await service.deliver(state.db, row.id, refuse)
    assert (failed.state, failed.error) == ("failed", "busy")
    assert (await service.deliver(state.db, row.id, send)).state == "sent"


async def test_a_message_lost_in_the_act_is_unknown_and_never_repeated(state: AppState) -> None:
    async def send(_: OutboxMessage) -> str:
        raise ConnectionError("cut")

    row = await queue(state)
    with pytest.raises(ConnectionError):
        await service.deliver(state.db, row.id, send)
    assert (await service.deliver(state.db, row.id, send)).state == "unknown"
    killed = await queue(state, "k2")
    async with write(state.db) as session:
        found = await locked(session, OutboxMessage, killed.id)
        assert found is not None
        found.state = "sending"
    assert (await service.deliver(state.db, killed.id, send)).state == "unknown"


@pytest.mark.parametrize(
    "to", ["nobody", "a@b", "x y@example.com", "a@example.com\r\nBcc: z@example.com", "@example.com"]
)
async def test_bad_addresses_are_refused(state: AppState, to: str) -> None:
    with pytest.raises(InvalidError) as refused:
        await service.queue_message(state.db, "main", key="m", channel="mail", recipients=[to], text_body="x")
    assert refused.value.field == "to.0"
