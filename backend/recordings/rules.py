"""Which calls are recorded, and how long sound is kept: pure decisions over the rules of a business."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select

from backend.audit.service import changed, note
from backend.database import Database, locked, read, write
from backend.errors import Faults, InvalidError, not_found
from backend.events import record
from backend.identity.permissions import Actor
from backend.recordings.models import RecordingRule, RetentionRule
from nodes.sdk.text import Text, text

SCOPES = ("all", "number", "queue", "agent")
DIRECTIONS = ("", "inbound", "outbound", "internal")
KEPT = {"recording": ("all", "number", "queue", "agent"), "voicemail": ("all", "box")}
_PARTICULAR = {"all": 0, "queue": 1, "box": 1, "number": 2, "agent": 3}


@dataclass(frozen=True, slots=True)
class CallMarks:
    """What rules look at. ``agent_id`` and ``queue`` are known once somebody has answered."""

    call_id: str
    direction: str
    caller: str = ""
    called: str = ""
    queue: str = ""
    agent_id: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to record, by which rule (None: none fits), and what people are told before."""

    record: bool
    rule_id: str | None = None
    announcement: Text | None = None


def fits(rule: RecordingRule, call: CallMarks) -> bool:
    """Whether a rule speaks about a call."""
    if not rule.enabled or (rule.direction and rule.direction != call.direction):
        return False
    match rule.scope:
        case "all":
            return True
        case "number":
            start = rule.value
            return bool(start) and (call.called.startswith(start) or call.caller.startswith(start))
        case "queue":
            return rule.value == call.queue != ""
        case "agent":
            return rule.value == call.agent_id != ""
        case _:
            return False


def drawn(call_id: str, rule_id: str) -> float:
    """A number from 0 to 100 that belongs to this call and rule, the same whenever it is asked."""
    seed = hashlib.blake2b(f"{call_id}/{rule_id}".encode(), digest_size=8).digest()
    return int.from_bytes(seed, "big") / float(1 << 64) * 100


def decide(rules: Sequence[RecordingRule], call: CallMarks, *, default: bool) -> Decision:
    """The first rule that fits decides; without one the installation's setting does."""
    for rule in rules:
        if fits(rule, call):
            chosen = drawn(call.call_id, rule.id) < rule.share
            announcement = text(rule.announcement_zh, rule.announcement_en) if rule.announce and chosen else None
            return Decision(chosen, rule.id, announcement)
    return Decision(default)


def days_kept(rules: Sequence[RetentionRule], *, what: str, **marks: str) -> int | None:
    """How many days something is kept: by the most particular rule that fits, of equals the shortest; None: forever."""
    found = [
        rule
        for rule in rules
        if rule.enabled and rule.what == what and (rule.scope == "all" or _meets(rule, marks.get(rule.scope, "")))
    ]
    if not found:
        return None
    best = max(_PARTICULAR[rule.scope] for rule in found)
    return min(rule.days for rule in found if _PARTICULAR[rule.scope] == best)


def _meets(rule: RetentionRule, mark: str) -> bool:
    return bool(mark) and (mark.startswith(rule.value) if rule.scope == "number" else mark == rule.value)


def is_over(days: int | None, at: datetime, now: datetime) -> bool:
    """Whether the time of something from `at` has passed."""
    return days is not None and at + timedelta(days=days) <= now


# --------------------------------------------------------------------------- stored


async def list_rules(db: Database, business_id: str) -> list[RecordingRule]:
    """The rules of recording in their order."""
    async with read(db) as session:
        found = await session.exec(
            select(RecordingRule)
            .where(RecordingRule.business_id == business_id)
            .order_by(col(RecordingRule.position), col(RecordingRule.id))
        )
        return list(found)


async def save_rule(
    db: Database,
    actor: Actor,
    *,
    id: str | None = None,
    name: str = "",
    scope: str = "all",
    value: str = "",
    direction: str = "",
    share: int = 100,
    announce: bool = False,
    announcement_zh: str = "",
    announcement_en: str = "",
    position: int = 0,
    enabled: bool = True,
) -> RecordingRule:
    """Create or change a rule of recording."""
    faults = Faults()
    value = value.strip()
    _need(faults, scope in SCOPES, "scope", f"可选：{'、'.join(SCOPES)}", f"Choose one of {', '.join(SCOPES)}.")
    _need(faults, scope == "all" or bool(value), "value", "请填写号码、队列或坐席", "Say which number, queue or agent.")
    _need(
        faults,
        direction in DIRECTIONS,
        "direction",
        "inbound、outbound、internal 或空",
        "inbound, outbound, internal or empty.",
    )
    _need(faults, 0 <= share <= 100, "share", "请填写 0 到 100（百分比）", "Choose 0 to 100 per cent.")
    _need(
        faults,
        not announce or bool(announcement_zh.strip() and announcement_en.strip()),
        "announcementZh",
        "请用两种语言填写提示语",
        "Write what is said, in both languages.",
    )
    faults.tell()
    async with write(db) as session:
        row = await locked(session, RecordingRule, id) if id is not None else None
        if id is not None and (row is None or row.business_id != actor.business_id):
            raise not_found("录音规则", "recording rule", id)
        if row is None:
            row = RecordingRule(business_id=actor.business_id)
            session.add(row)
        row.name, row.scope, row.value, row.direction, row.share = name.strip(), scope, value, direction, share
        row.announce, row.position, row.enabled = announce, position, enabled
        row.announcement_zh, row.announcement_en = announcement_zh.strip(), announcement_en.strip()
        said = changed(
            row, "name", "scope", "value", "direction", "share", "announce", "announcement_zh", "announcement_en",
            "position", "enabled",
        )  # fmt: skip
        await session.flush()
        await note(session, actor, "recording_rule.saved", row.name or row.id, **said)
        record(session, actor.business_id, "recording_rules.changed", row.id)
        return row


async def list_retention(db: Database, business_id: str) -> list[RetentionRule]:
    """The rules of keeping."""
    async with read(db) as session:
        found = await session.exec(
            select(RetentionRule)
            .where(RetentionRule.business_id == business_id)
            .order_by(col(RetentionRule.what), col(RetentionRule.scope), col(RetentionRule.id))
        )
        return list(found)


async def save_retention(
    db: Database,
    actor: Actor,
    *,
    id: str | None = None,
    name: str = "",
    what: str = "recording",
    scope: str = "all",
    value: str = "",
    days: int,
    enabled: bool = True,
) -> RetentionRule:
    """Create or change a rule of keeping."""
    faults = Faults()
    value = value.strip()
    _need(faults, what in KEPT, "what", f"可选：{'、'.join(KEPT)}", f"Choose one of {', '.join(KEPT)}.")
    _need(
        faults,
        scope in KEPT.get(what, ()),
        "scope",
        f"可选：{'、'.join(KEPT.get(what, ()))}",
        f"Choose one of {', '.join(KEPT.get(what, ()))}.",
    )
    _need(
        faults,
        scope == "all" or bool(value),
        "value",
        "请填写号码、队列、坐席或信箱",
        "Say which number, queue, agent or box.",
    )
    _need(faults, 1 <= days <= 36_500, "days", "请填写 1 到 36500 天", "Choose 1 to 36500 days.")
    faults.tell()
    async with write(db) as session:
        row = await locked(session, RetentionRule, id) if id is not None else None
        if id is not None and (row is None or row.business_id != actor.business_id):
            raise not_found("保留规则", "rule of keeping", id)
        if row is None:
            row = RetentionRule(business_id=actor.business_id, days=days)
            session.add(row)
        row.name, row.what, row.scope, row.value, row.days = name.strip(), what, scope, value, days
        row.enabled = enabled
        said = changed(row, "name", "what", "scope", "value", "days", "enabled")
        await session.flush()
        await note(session, actor, "retention_rule.saved", row.name or row.id, **said)
        return row


async def delete_one(db: Database, actor: Actor, table: Any, id: str) -> None:
    """Remove a rule of either kind."""
    async with write(db) as session:
        row = await locked(session, table, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("规则", "rule", id)
        await session.delete(row)
        await note(session, actor, f"{table.__tablename__.removesuffix('s')}.deleted", row.name or id)
        record(session, actor.business_id, "recording_rules.changed", id)


def _need(faults: Faults, holds: bool, name: str, zh: str, en: str) -> None:
    if not holds:
        faults.add(
            InvalidError(text("规则不正确", "the rule cannot be like this"), field=name, remedy=text(f"{zh}。", en))
        )
