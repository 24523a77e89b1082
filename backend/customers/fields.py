"""Fields that a business adds to its customers, its levels, and the channels that the trade knows."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from sqlmodel import col, select

from backend.audit.service import changed, note
from backend.customers.models import Customer, CustomerField, CustomerLevel
from backend.database import AsyncSession, Database, locked, read, taken, write
from backend.errors import ConflictError, Faults, InvalidError, not_found
from backend.events import record
from backend.identity.permissions import Actor
from nodes.sdk.text import Text, text

KEY = re.compile(r"[a-z_][a-z0-9_]{0,63}")
MAX_TEXT = 4000

CHANNELS: Mapping[str, Text] = {
    "newspaper": text("报纸", "Newspaper"),
    "tv": text("电视", "TV"),
    "radio": text("广播", "Radio"),
    "web": text("网络", "Web"),
    "114": text("114", "114 directory"),
    "friend": text("朋友介绍", "Friend"),
    "outdoor": text("户外", "Outdoor"),
    "bus": text("公交车体", "Bus"),
    "taxi": text("出租车体/停靠站", "Taxi or stop"),
    "light_box": text("灯箱", "Light box"),
    "event": text("活动", "Event"),
    "lecture": text("讲座", "Lecture"),
    "print": text("印刷品", "Print"),
    "gift": text("礼物", "Gift"),
    "other": text("其他", "Other"),
}


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    LONG = "long"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes_no"
    CHOICE = "choice"
    CHOICES = "choices"
    PHONE = "phone"
    MAIL = "mail"
    URL = "url"


_WANTED: Mapping[Kind, Text] = {
    Kind.TEXT: text("最多 200 字的文本", "text of 200 signs at most"),
    Kind.LONG: text("最多 4000 字的文本", "text of 4000 signs at most"),
    Kind.NUMBER: text("数字", "a number"),
    Kind.DATE: text("日期，例如 2026-11-25", "a date such as 2026-11-25"),
    Kind.YES_NO: text("是或否", "yes or no"),
    Kind.CHOICE: text("可选值之一", "one of the choices"),
    Kind.CHOICES: text("若干可选值", "some of the choices"),
    Kind.PHONE: text("电话号码", "a telephone number"),
    Kind.MAIL: text("邮箱地址", "a mail address"),
    Kind.URL: text("http(s) 网址", "an http(s) address"),
}


def accepts(kind: Kind, value: Any, choices: Sequence[str] = ()) -> bool:
    """Whether a field of that kind can hold the value. Nothing is always accepted here; ``required`` is asked apart."""
    if value is None or value == "":
        return True
    match kind:
        case Kind.TEXT | Kind.LONG:
            return isinstance(value, str) and len(value) <= (200 if kind is Kind.TEXT else MAX_TEXT)
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Kind.DATE:
            try:
                date.fromisoformat(value)
            except (TypeError, ValueError):
                return False
            return True
        case Kind.YES_NO:
            return isinstance(value, bool)
        case Kind.CHOICE:
            return value in choices
        case Kind.CHOICES:
            return isinstance(value, list) and all(one in choices for one in value)
        case Kind.PHONE:
            return isinstance(value, str) and re.fullmatch(r"\+?[\d ()-]{2,24}", value) is not None
        case Kind.MAIL:
            return isinstance(value, str) and re.fullmatch(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+", value) is not None
        case Kind.URL:
            return isinstance(value, str) and re.fullmatch(r"https?://\S{1,500}", value) is not None


def check(fields: Sequence[CustomerField], values: Mapping[str, Any], *, complete: bool) -> None:
    """Raise InvalidError for values that their fields cannot hold; with `complete` also for what is missing.

    Values without a field of that name are let pass: flows keep what they like.
    """
    faults = Faults()
    for one in fields:
        if not one.enabled:
            continue
        value = values.get(one.key)
        kind = Kind(one.kind)
        if not accepts(kind, value, [choice["value"] for choice in one.choices]):
            wanted = _WANTED[kind]
            faults.add(
                InvalidError(
                    text(f"字段“{one.label_zh}”的值不正确", f"the field '{one.label_en}' cannot hold this"),
                    field=f"fields.{one.key}",
                    code="bad_field",
                    remedy=text(f"需要：{wanted.zh}。", f"It takes {wanted.en}."),
                )
            )
        if complete and one.required and value in (None, "", []):
            faults.add(
                InvalidError(
                    text(f"请填写“{one.label_zh}”", f"the field '{one.label_en}' must be filled"),
                    field=f"fields.{one.key}",
                    code="required",
                    remedy=text("这是必填字段。", "The business asks for it."),
                )
            )
    faults.tell()


async def fields_of(session: AsyncSession, business_id: str) -> list[CustomerField]:
    """The fields of a business in their order."""
    found = await session.exec(
        select(CustomerField)
        .where(CustomerField.business_id == business_id)
        .order_by(col(CustomerField.position), col(CustomerField.key))
    )
    return list(found)


async def list_fields(db: Database, business_id: str) -> list[CustomerField]:
    """The fields of a business in their order."""
    async with read(db) as session:
        return await fields_of(session, business_id)


async def save_field(
    db: Database,
    actor: Actor,
    *,
    id: str | None = None,
    key: str,
    label_zh: str,
    label_en: str,
    kind: str,
    required: bool = False,
    choices: Sequence[Mapping[str, str]] = (),
    position: int = 0,
    enabled: bool = True,
) -> CustomerField:
    """Create or change a field. Its key stays what it was."""
    faults = Faults()
    if kind not in set(Kind):
        faults.add(_bad("kind", f"可选：{'、'.join(Kind)}", f"Choose one of {', '.join(Kind)}."))
    if not KEY.fullmatch(key) or key in Customer.model_fields:
        faults.add(
            _bad(
                "key",
                "请使用小写字母、数字和下划线，且不与固有字段重名",
                "Use small letters, figures and _, and no name of a standard field.",
            )
        )
    label_zh, label_en = label_zh.strip() or label_en.strip(), label_en.strip() or label_zh.strip()
    if not label_zh:
        faults.add(_bad("labelZh", "请填写名称", "Give it a label."))
    clean: list[dict[str, str]] = []
    with faults.gathered():
        clean = [_choice(choice) for choice in choices]
        if kind in (Kind.CHOICE, Kind.CHOICES) and not clean:
            raise _bad("choices", "请至少填写一个可选值", "Give at least one choice.")
    faults.tell()
    async with write(db) as session:
        row = await locked(session, CustomerField, id) if id is not None else None
        if id is not None and (row is None or row.business_id != actor.business_id):
            raise not_found("字段", "field", id)
        if row is None:
            await _free(session, CustomerField, actor, key)
            row = CustomerField(business_id=actor.business_id, key=key, label_zh=label_zh, label_en=label_en)
            session.add(row)
        row.label_zh, row.label_en, row.kind, row.required = label_zh, label_en, kind, required
        row.choices, row.position, row.enabled = clean, position, enabled
        said = changed(row, "label_zh", "label_en", "kind", "required", "position", "enabled")
        await note(session, actor, "customer_field.saved", row.key, **said)
        return row


async def delete_field(db: Database, actor: Actor, id: str) -> None:
    """Remove a field. Customers keep the values."""
    async with write(db) as session:
        row = await locked(session, CustomerField, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("字段", "field", id)
        await session.delete(row)
        await note(session, actor, "customer_field.deleted", row.key)


def _choice(choice: Mapping[str, str]) -> dict[str, str]:
    value = str(choice.get("value", "")).strip()
    if not value or len(value) > 100:
        raise _bad("choices", "每个可选值应为 1 到 100 字", "Each choice has a value of 1 to 100 signs.")
    zh, en = str(choice.get("zh", "")).strip(), str(choice.get("en", "")).strip()
    return {"value": value, "zh": zh or en or value, "en": en or zh or value}


async def list_levels(db: Database, business_id: str) -> list[CustomerLevel]:
    """The levels of a business in their order."""
    async with read(db) as session:
        found = await session.exec(
            select(CustomerLevel)
            .where(CustomerLevel.business_id == business_id)
            .order_by(col(CustomerLevel.position), col(CustomerLevel.key))
        )
        return list(found)


async def save_level(
    db: Database,
    actor: Actor,
    *,
    id: str | None = None,
    key: str,
    label_zh: str,
    label_en: str,
    vip: bool = False,
    priority: int = 0,
    colour: str = "",
    position: int = 0,
) -> CustomerLevel:
    """Create or change a level. Its key, which customers hold, stays what it was."""
    key = key.strip()
    faults = Faults()
    if not key or len(key) > 32:
        faults.add(_bad("key", "请使用 1 到 32 个字符", "Use 1 to 32 signs."))
    if not 0 <= priority <= 100:
        faults.add(_bad("priority", "请填写 0 到 100", "Choose 0 to 100."))
    if colour and not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        faults.add(_bad("colour", "例如 #d48806", "Write it like #d48806."))
    faults.tell()
    label_zh, label_en = label_zh.strip() or label_en.strip() or key, label_en.strip() or label_zh.strip() or key
    async with write(db) as session:
        row = await locked(session, CustomerLevel, id) if id is not None else None
        if id is not None and (row is None or row.business_id != actor.business_id):
            raise not_found("级别", "level", id)
        if row is None:
            await _free(session, CustomerLevel, actor, key)
            row = CustomerLevel(business_id=actor.business_id, key=key, label_zh=label_zh, label_en=label_en)
            session.add(row)
        row.label_zh, row.label_en, row.vip, row.priority = label_zh, label_en, vip, priority
        row.colour, row.position = colour, position
        said = changed(row, "label_zh", "label_en", "vip", "priority", "colour", "position")
        await note(session, actor, "customer_level.saved", row.key, **said)
        record(session, actor.business_id, "customer_levels.changed", row.id)
        return row


async def delete_level(db: Database, actor: Actor, id: str) -> None:
    """Remove a level. Customers keep its key."""
    async with write(db) as session:
        row = await locked(session, CustomerLevel, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("级别", "level", id)
        await session.delete(row)
        await note(session, actor, "customer_level.deleted", row.key)
        record(session, actor.business_id, "customer_levels.changed", id)


async def _free(session: AsyncSession, table: Any, actor: Actor, key: str) -> None:
    if await taken(session, table.id, None, table.business_id == actor.business_id, table.key == key):
        raise ConflictError(
            text(f"“{key}”已存在", f"'{key}' exists already"),
            field="key",
            remedy=text("请换一个代码。", "Choose another key."),
        )


def _bad(field: str, zh: str, en: str) -> InvalidError:
    return InvalidError(
        text("此值不可用", "this cannot be used"), field=field, remedy=text(f"{zh}。".replace("。。", "。"), en)
    )
