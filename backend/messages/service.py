"""The outbox: a message is written down before it is sent, and sent once at most."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Literal

from sqlmodel import col, select, update

from backend.calls.models import Call, Run, TrailEntry
from backend.customers.models import Customer
from backend.customers.service import with_number
from backend.database import AsyncSession, Database, locked, read, utcnow, write
from backend.errors import InvalidError, not_found
from backend.events import record
from backend.identity.models import Business
from backend.messages.models import OutboxMessage
from backend.numbers.phone import normalise
from backend.paging import Page, page
from nodes.sdk.text import text

Channel = Literal["sms", "mail"]
Send = Callable[[OutboxMessage], Awaitable[str]]
"""Sends one message and returns the carrier's reference. Raises an exception when it was surely not sent."""


class NotSentError(Exception):
    """The message surely did not leave the house; another try can do no harm."""


async def queue_message(
    db: Database,
    business_id: str,
    *,
    key: str,
    channel: Channel,
    recipients: Sequence[str],
    text_body: str,
    subject: str = "",
    html: str | None = None,
    attachments: Sequence[str] = (),
    customer_id: str = "",
    run_id: str = "",
) -> OutboxMessage:
    """Write a message down. The same `key` returns the first message, whatever it says now.

    It is about `customer_id`, else about whom the run `run_id` serves, else about who has the number it goes to.
    """
    async with write(db) as session:
        found = select(OutboxMessage).where(OutboxMessage.business_id == business_id, OutboxMessage.key == key)
        known = (await session.exec(found)).first()
        if known is not None:
            return known
        business = await session.get(Business, business_id)
        assert business is not None
        checked = [_recipient(to, channel, business.country, i) for i, to in enumerate(recipients)]
        if not checked:
            raise InvalidError(
                text("没有收件人", "a message needs a recipient"),
                field="to",
                remedy=text("请填写收件人。", "Give at least one."),
            )
        row = OutboxMessage(
            business_id=business_id,
            key=key,
            channel=channel,
            recipients=checked,
            subject=subject[:500],
            text=text_body,
            html=html,
            attachments=list(attachments),
            customer_id=await _about(session, business_id, customer_id, run_id, checked if channel == "sms" else ()),
        )
        session.add(row)
        record(session, business_id, "message.queued", row.id, channel=channel)
        return row


async def _about(
    session: AsyncSession, business_id: str, customer_id: str, run_id: str, numbers: Sequence[str]
) -> str | None:
    """The customer of a message: the one given, the run's, its call's, or who has a number."""
    known, caller = [customer_id], ""
    run = await session.get(Run, run_id) if run_id else None
    if run is not None and run.business_id == business_id:
        trail = select(TrailEntry.changes).where(TrailEntry.run_id == run_id).order_by(col(TrailEntry.seq).desc())
        met = [changes["customer"] for changes in await session.exec(trail) if (changes or {}).get("customer")]
        known += [str(met[0].get("id") or "") if met else "", str(run.inputs.get("customer_id") or "")]
        call = await session.get(Call, run.call_id) if run.call_id else None
        if call is not None:
            known.append(call.customer_id or "")
            caller = call.called if call.direction == "outbound" else call.caller
    for id in known:
        row = await session.get(Customer, id) if id else None
        if row is not None and row.business_id == business_id:
            return row.id
    for number in (*numbers[:1], caller):
        if found := await with_number(session, business_id, number):
            return found
    return None


def _recipient(to: str, channel: Channel, country: str, index: int) -> str:
    if channel == "sms":
        return normalise(to, country, field=f"to.{index}")
    name, at, host = to.strip().rpartition("@")
    if not (name and at and ("." in host or host == "localhost")) or any(sign in to for sign in "\r\n,;<> "):
        raise InvalidError(
            text(f"“{to}”不是邮箱地址", f"'{to}' is not a mail address"),
            field=f"to.{index}",
            remedy=text("例如 name@example.com。", "Write name@example.com."),
        )
    return to.strip()


async def deliver(db: Database, message_id: str, send: Send | None) -> OutboxMessage:
    """Send a queued message once. With no sender it stays in the outbox.

    A message whose sender was lost in the act is left ``unknown`` and never repeated by itself.
    """
    async with write(db) as session:
        row = await locked(session, OutboxMessage, message_id)
        if row is None:
            raise not_found("消息", "message", message_id)
        if row.state == "sending":
            row.state, row.error = "unknown", "its sender was lost while sending"
            record(session, row.business_id, "message.changed", row.id, state=row.state)
            return row
        if row.state not in ("queued", "failed") or send is None:
            return row
        row.state, row.error = "sending", ""
    state, error, reference = "sent", "", ""
    try:
        reference = await send(row)
    except NotSentError as refused:
        state, error = "failed", str(refused)[:1000]
    except BaseException as lost:
        await _settle(db, message_id, "unknown", f"{type(lost).__name__}: {lost}"[:1000], "")
        raise
    return await _settle(db, message_id, state, error, reference)


async def _settle(db: Database, message_id: str, state: str, error: str, reference: str) -> OutboxMessage:
    async with write(db) as session:
        row = await locked(session, OutboxMessage, message_id)
        assert row is not None
        row.state, row.error, row.reference = state, error, reference[:255]
        row.sent_at = utcnow() if state == "sent" else row.sent_at
        record(session, row.business_id, "message.changed", row.id, state=state)
        return row


async def close_lost(db: Database, *, older_than: timedelta) -> None:
    """At start: what a dead process was sending is ``unknown``."""
    async with write(db) as session:
        await session.exec(
            update(OutboxMessage)
            .where(col(OutboxMessage.state) == "sending", col(OutboxMessage.created_at) < utcnow() - older_than)
            .values(state="unknown", error="its sender was lost while sending")
        )


async def list_messages(
    db: Database,
    business_id: str,
    *,
    channel: str | None = None,
    state: str | None = None,
    first: int = 50,
    after: str | None = None,
) -> Page[OutboxMessage]:
    """Messages, newest first."""
    statement = select(OutboxMessage).where(OutboxMessage.business_id == business_id)
    if channel is not None:
        statement = statement.where(OutboxMessage.channel == channel)
    if state is not None:
        statement = statement.where(OutboxMessage.state == state)
    async with read(db) as session:
        return await page(
            session,
            statement,
            by=(col(OutboxMessage.created_at), col(OutboxMessage.id)),
            keys=lambda row: (row.created_at, row.id),
            first=first,
            after=after,
        )
