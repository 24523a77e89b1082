"""Customers: find, keep, and check their PINs (VO3)."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import or_, true
from sqlmodel import col, delete, select

from backend.audit.service import note
from backend.calls.models import Call
from backend.calls.service import with_people
from backend.customers.fields import CHANNELS, check, fields_of
from backend.customers.models import Customer, CustomerNote, CustomerPhone, PinTry
from backend.database import AsyncSession, Database, locked, read, utcnow, write
from backend.errors import ConflictError, Faults, InvalidError, not_found
from backend.events import record
from backend.identity.models import Business
from backend.identity.permissions import Actor
from backend.identity.scope import People, only
from backend.numbers.phone import normalise, normalise_or_keep
from backend.paging import Page, page, starts_with
from backend.security import hash_secret, verify_secret
from backend.tasks.models import Task
from backend.voicemails.models import Voicemail
from nodes.sdk import services as sdk
from nodes.sdk.text import text

PIN_LOCK = timedelta(hours=24)
KEEP_TRIES = timedelta(days=30)
PLAIN_FIELDS = {
    "name": 200,
    "gender": 16,
    "address": 500,
    "level": 32,
    "language": 16,
    "note": 2000,
    "background": 4000,
}
_OWN_FIELD = re.compile(r"[a-z_][a-z0-9_]{0,63}")
_CLOSED = frozenset(
    {"id", "business_id", "pin", "pin_hash", "wrong_pins", "pin_locked_until", "created_at", "updated_at"}
)
MAX_FIELDS_BYTES = 20_000


# --------------------------------------------------------------------------- reading


async def find(
    db: Database, business_id: str, *, by: Literal["phone", "card", "id"], value: str
) -> sdk.Customer | None:
    """The customer as flows see it, or None."""
    async with read(db) as session:
        row: Customer | None
        match by:
            case "id":
                row = await session.get(Customer, value)
                row = row if row is not None and row.business_id == business_id else None
            case "card":
                statement = select(Customer).where(Customer.business_id == business_id, Customer.card == value.strip())
                row = (await session.exec(statement)).first()
            case "phone":
                business = await session.get(Business, business_id)
                plain = normalise_or_keep(value, business.country if business else "CN")
                row = (
                    await session.exec(
                        select(Customer)
                        .join(CustomerPhone, col(CustomerPhone.customer_id) == col(Customer.id))
                        .where(CustomerPhone.business_id == business_id, CustomerPhone.number == plain)
                        .order_by(col(Customer.updated_at).desc())
                        .limit(1)
                    )
                ).first()
        return await _as_flows_see(session, row) if row is not None else None


async def with_number(session: AsyncSession, business_id: str, number: str) -> str | None:
    """The id of the customer who has a number, in whatever form it is written; the last changed of several."""
    if not number:
        return None
    business = await session.get(Business, business_id)
    plain = normalise_or_keep(number, business.country if business else "CN")
    found = await session.exec(
        select(Customer.id)
        .join(CustomerPhone, col(CustomerPhone.customer_id) == col(Customer.id))
        .where(CustomerPhone.business_id == business_id, CustomerPhone.number == plain)
        .order_by(col(Customer.updated_at).desc())
        .limit(1)
    )
    return found.first()


async def sole_owners(session: AsyncSession, numbers: Sequence[str], business_id: str) -> dict[str, Customer | None]:
    """Customers by number, in whatever form it is written: of numbers that belong to exactly one customer."""
    business = await session.get(Business, business_id)
    country = business.country if business else "CN"
    plain = {number: normalise_or_keep(number, country) for number in numbers if number}
    found = await session.exec(
        select(CustomerPhone.number, Customer)
        .join(Customer, col(Customer.id) == col(CustomerPhone.customer_id))
        .where(CustomerPhone.business_id == business_id, col(CustomerPhone.number).in_(set(plain.values())))
    )
    owners: dict[str, dict[str, Customer]] = {}
    for number, customer in found:
        owners.setdefault(number, {})[customer.id] = customer
    return {
        number: next(iter(owners[form].values())) for number, form in plain.items() if len(owners.get(form, {})) == 1
    }


async def _as_flows_see(session: AsyncSession, row: Customer) -> sdk.Customer:
    phones = (await phones_of(session, [row.id])).get(row.id, [])
    return sdk.Customer(
        id=row.id,
        name=row.name,
        card=row.card or "",
        phones=phones,
        level=row.level,
        language=row.language,
        fields=row.fields,
    )


async def phones_of(session: AsyncSession, ids: Sequence[str]) -> dict[str, list[str]]:
    """Numbers of many customers at once, in their order."""
    found = await session.exec(
        select(CustomerPhone)
        .where(col(CustomerPhone.customer_id).in_(ids))
        .order_by(col(CustomerPhone.position), col(CustomerPhone.number))
    )
    numbers: dict[str, list[str]] = {}
    for phone in found:
        numbers.setdefault(phone.customer_id, []).append(phone.number)
    return numbers


def of_people(people: People) -> Any:
    """A condition on customers: one of these people talked with them, or has a task or a message of theirs."""
    if people is None:
        return true()
    known = select(Call.customer_id).where(with_people(people))
    numbers = (
        select(CustomerPhone.customer_id)
        .join(Call, or_(col(Call.caller) == CustomerPhone.number, col(Call.called) == CustomerPhone.number))
        .where(Call.business_id == CustomerPhone.business_id, with_people(people))
    )
    tasks = select(Task.customer_id).where(only(people, Task.assignee, Task.done_by))
    messages = select(Voicemail.customer_id).where(only(people, Voicemail.assigned_to, Voicemail.handled_by))
    return or_(*(col(Customer.id).in_(ids) for ids in (known, numbers, tasks, messages)))


async def seen_by(session: AsyncSession, actor: Actor, id: str) -> bool:
    """Whether there is such a customer within the reach of somebody."""
    found = select(Customer.id).where(
        Customer.id == id, Customer.business_id == actor.business_id, of_people(actor.people)
    )
    return (await session.exec(found)).first() is not None


async def get_customer(db: Database, business_id: str, id: str, *, people: People = None) -> Customer:
    """A customer of `people`. Raises NotFoundError."""
    async with read(db) as session:
        found = select(Customer).where(Customer.id == id, Customer.business_id == business_id, of_people(people))
        row = (await session.exec(found)).first()
    if row is None:
        raise not_found("客户", "customer", id)
    return row


async def list_customers(
    db: Database,
    business_id: str,
    *,
    search: str = "",
    level: str | None = None,
    people: People = None,
    first: int = 50,
    after: str | None = None,
) -> Page[Customer]:
    """Customers of `people`, newest first. `search` is the start of a name, a card or a number."""
    statement = select(Customer).where(Customer.business_id == business_id, of_people(people))
    if level is not None:
        statement = statement.where(Customer.level == level)
    word = search.strip()
    async with read(db) as session:
        if word:
            business = await session.get(Business, business_id)
            plain = normalise_or_keep(word, business.country if business else "CN")
            starts = [
                select(Customer.id).where(Customer.business_id == business_id, starts_with(session, column, word))
                for column in (col(Customer.name), col(Customer.card))
            ]
            numbers = select(CustomerPhone.customer_id).where(
                CustomerPhone.business_id == business_id, starts_with(session, col(CustomerPhone.number), plain)
            )
            statement = statement.where(or_(*(col(Customer.id).in_(ids) for ids in (*starts, numbers))))
        return await page(
            session,
            statement,
            by=(col(Customer.created_at), col(Customer.id)),
            keys=lambda row: (row.created_at, row.id),
            first=first,
            after=after,
        )


# --------------------------------------------------------------------------- writing


def _apply(row: Customer, changes: Mapping[str, Any]) -> Sequence[str] | None:
    """Set fields; returns the phones when they are among the changes. Raises InvalidError ``bad_field``."""
    own = dict(row.fields)
    phones: Sequence[str] | None = None
    for name, value in changes.items():
        if name in PLAIN_FIELDS:
            if not isinstance(value, str) or len(value) > PLAIN_FIELDS[name]:
                raise _bad_field(
                    name, f"最多 {PLAIN_FIELDS[name]} 个字符的文本", f"text of {PLAIN_FIELDS[name]} signs at most"
                )
            setattr(row, name, value)
        elif name == "card":
            if value is not None and not (isinstance(value, str) and re.fullmatch(r"[0-9A-Za-z-]{1,64}", value)):
                raise _bad_field(name, "1 到 64 位字母或数字", "1 to 64 letters or figures")
            row.card = value
        elif name == "channels":
            if not isinstance(value, list | tuple) or any(one not in CHANNELS for one in value):
                raise _bad_field(name, f"{'、'.join(CHANNELS)} 中的若干个", f"some of {', '.join(CHANNELS)}")
            row.channels = list(dict.fromkeys(value))
        elif name == "gift_consent":
            if value is not None and not isinstance(value, bool):
                raise _bad_field(name, "是或否", "yes or no")
            row.gift_consent = value
        elif name == "phones":
            if not isinstance(value, list | tuple) or not all(isinstance(number, str) for number in value):
                raise _bad_field(name, "号码列表", "a list of numbers")
            phones = value
        elif name == "fields":
            if not isinstance(value, Mapping):
                raise _bad_field(name, "字段表", "a table of fields")
            own = {_own_name(str(key)): item for key, item in value.items()}
        else:
            own[_own_name(name)] = value
    try:
        size = len(json.dumps(own, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError):
        raise _bad_field("fields", "可以写成 JSON 的值", "values that JSON can hold") from None
    if size > MAX_FIELDS_BYTES:
        raise _bad_field("fields", f"总共不超过 {MAX_FIELDS_BYTES} 字节", f"{MAX_FIELDS_BYTES} bytes in all")
    row.fields = own
    row.updated_at = utcnow()
    return phones


def _own_name(name: str) -> str:
    plain = name.removeprefix("fields.")
    if plain in _CLOSED or not _OWN_FIELD.fullmatch(plain):
        raise _bad_field(name, "小写字母开头的自定义字段名", "a field of the business: small letters, figures and _")
    return plain


def _bad_field(name: str, zh: str, en: str) -> InvalidError:
    return InvalidError(
        text(f"字段“{name}”不可用", f"the field '{name}' cannot be set so"),
        field=name,
        code="bad_field",
        remedy=text(f"需要：{zh}。", f"It takes {en}."),
    )


async def _normal(session: AsyncSession, row: Customer, phones: Sequence[str], faults: Faults) -> list[str]:
    """Numbers in their one form; what is none is told at its place."""
    business = await session.get(Business, row.business_id)
    assert business is not None
    numbers: list[str] = []
    for place, number in enumerate(phones):
        with faults.gathered():
            numbers.append(normalise(number, business.country, field=f"phones.{place}"))
    return numbers


async def _set_phones(session: AsyncSession, row: Customer, numbers: Sequence[str]) -> None:
    await session.exec(delete(CustomerPhone).where(col(CustomerPhone.customer_id) == row.id))
    for position, number in enumerate(dict.fromkeys(numbers)):
        session.add(CustomerPhone(business_id=row.business_id, customer_id=row.id, number=number, position=position))


async def _check_card_free(session: AsyncSession, row: Customer) -> None:
    if row.card is None:
        return
    with session.no_autoflush:
        taken = (
            await session.exec(
                select(Customer.id).where(
                    Customer.business_id == row.business_id, Customer.card == row.card, Customer.id != row.id
                )
            )
        ).first()
    if taken is not None:
        raise ConflictError(
            text(f"卡号 {row.card} 已属于另一客户", f"the card {row.card} belongs to another customer"),
            field="card",
            remedy=text("请检查卡号。", "Check the card number."),
        )


async def update(db: Database, business_id: str, customer_id: str, changes: Mapping[str, Any]) -> sdk.Customer:
    """Set fields from a flow; idempotent. Names that the product does not know are the business's own fields.

    Raises NotFoundError, or InvalidError ``bad_field``.
    """
    async with write(db) as session:
        row = await locked(session, Customer, customer_id)
        if row is None or row.business_id != business_id:
            raise not_found("客户", "customer", customer_id)
        await _change(session, row, changes)
        return await _as_flows_see(session, row)


async def _change(session: AsyncSession, row: Customer, changes: Mapping[str, Any], *, complete: bool = False) -> None:
    faults = Faults()
    with session.no_autoflush:
        phones = _apply(row, changes)
        with faults.gathered():
            check(await fields_of(session, row.business_id), row.fields, complete=complete)
        with faults.gathered():
            await _check_card_free(session, row)
        numbers = await _normal(session, row, phones or (), faults)
    faults.tell()
    await session.flush()
    if phones is not None:
        await _set_phones(session, row, numbers)
    await session.flush()
    record(session, row.business_id, "customer.changed", row.id)


async def save_customer(
    db: Database,
    actor: Actor,
    *,
    id: str | None = None,
    pin: str | None = None,
    changes: Mapping[str, Any],
    complete: bool = False,
) -> Customer:
    """Create or change a customer. A `pin` is stored as a hash only; `complete` demands every required own field."""
    hashed = await asyncio.to_thread(hash_secret, check_pin_form(pin)) if pin is not None else None
    async with write(db) as session:
        row = await locked(session, Customer, id) if id is not None else None
        if id is not None and (row is None or not await seen_by(session, actor, id)):
            raise not_found("客户", "customer", id)
        if row is None:
            row = Customer(business_id=actor.business_id)
            session.add(row)
        await _change(session, row, changes, complete=complete)
        if hashed is not None:
            _new_pin(row, hashed)
        await note(
            session, actor, "customer.saved", row.id, fields=sorted(changes) or None, pin_set=hashed is not None or None
        )
        return row


async def delete_customer(db: Database, actor: Actor, id: str) -> None:
    """Remove a customer with numbers and PIN tries. Calls keep what they were."""
    async with write(db) as session:
        row = await locked(session, Customer, id)
        if row is None or not await seen_by(session, actor, id):
            raise not_found("客户", "customer", id)
        for owned in (CustomerPhone, CustomerNote, PinTry):
            await session.exec(delete(owned).where(col(owned.customer_id) == id))
        await session.delete(row)
        await note(session, actor, "customer.deleted", id)


# --------------------------------------------------------------------------- PINs


def check_pin_form(pin: str) -> str:
    """Raise InvalidError unless it is a PIN that can be typed on a phone and is not one digit repeated."""
    if not re.fullmatch(r"\d{4,12}", pin) or len(set(pin)) == 1:
        raise InvalidError(
            text("PIN 不可用", "this PIN cannot be used"),
            field="pin",
            code="weak_pin",
            remedy=text("请使用 4 到 12 位数字，且不全相同。", "Use 4 to 12 figures that are not all the same."),
        )
    return pin


def _new_pin(row: Customer, hashed: str) -> None:
    row.pin_hash, row.wrong_pins, row.pin_locked_until = hashed, 0, None


async def set_pin(db: Database, actor: Actor, customer_id: str, pin: str | None) -> Customer:
    """Set a customer's PIN, or with None only unlock the present one."""
    hashed = await asyncio.to_thread(hash_secret, check_pin_form(pin)) if pin is not None else None
    async with write(db) as session:
        row = await locked(session, Customer, customer_id)
        if row is None or not await seen_by(session, actor, customer_id):
            raise not_found("客户", "customer", customer_id)
        _new_pin(row, hashed if hashed is not None else row.pin_hash or "")
        row.pin_hash = row.pin_hash or None
        await note(session, actor, "customer.pin_set" if hashed else "customer.pin_unlocked", customer_id)
        return row


async def check_pin(
    db: Database, business_id: str, *, card: str, pin: str, tries: int, key: str, lock: timedelta = PIN_LOCK
) -> sdk.PinCheck:
    """Compare a PIN with the stored hash; `tries` wrong ones in a row lock the card for `lock`.

    A try is counted before it is judged, so that tries made at once cannot outrun the lock. The same `key` counts
    once and always gives the same result.
    """
    async with write(db) as session:
        now = utcnow()
        row = (
            await session.exec(
                select(Customer)
                .where(Customer.business_id == business_id, Customer.card == card.strip())
                .with_for_update()
            )
        ).first()
        known = await session.get(PinTry, (business_id, key))
        if known is not None and known.result != "pending":
            return await _pin_result(session, row, known)
        if known is None:
            await session.exec(delete(PinTry).where(col(PinTry.at) < now - KEEP_TRIES))
            known = PinTry(business_id=business_id, key=key, customer_id=row.id if row else None, result="pending")
            session.add(known)
            if row is None or row.pin_hash is None:
                known.result = "unknown"
                hashed = None
            else:
                if row.pin_locked_until is not None and row.pin_locked_until <= now:
                    row.wrong_pins, row.pin_locked_until = 0, None
                if row.pin_locked_until is not None or row.wrong_pins >= tries:
                    row.pin_locked_until = row.pin_locked_until or now + lock
                    known.result = "locked"
                    return await _pin_result(session, row, known)
                row.wrong_pins += 1
                if row.wrong_pins >= tries:
                    row.pin_locked_until = now + lock
                known.left = max(0, tries - row.wrong_pins)
                hashed = row.pin_hash
        else:
            hashed = row.pin_hash if row is not None else None
    right = await asyncio.to_thread(verify_secret, hashed, pin)
    async with write(db) as session:
        row = await locked(session, Customer, row.id) if row is not None else None
        known = await locked(session, PinTry, (business_id, key))
        assert known is not None
        if known.result == "pending":
            if right and row is not None:
                row.wrong_pins, row.pin_locked_until = 0, None
                known.result, known.left = "ok", tries
            else:
                known.result = "wrong" if known.left else "locked"
        if row is not None:
            record(session, business_id, "customer.pin_checked", row.id, result=known.result)
        return await _pin_result(session, row, known)


async def _pin_result(session: AsyncSession, row: Customer | None, known: PinTry) -> sdk.PinCheck:
    ok = known.result == "ok" and row is not None
    return sdk.PinCheck.model_validate(
        {
            "result": known.result,
            "left": known.left,
            "customer": await _as_flows_see(session, row) if ok and row is not None else None,
        }
    )
