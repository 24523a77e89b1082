"""Which browser phone somebody may use, its password of the hour, and test calls."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete
from sqlmodel import col, select

from backend.audit.service import note
from backend.database import AsyncSession, Database, read, utcnow, write
from backend.errors import DomainError, ForbiddenError, InvalidError, not_found
from backend.flows.service import compiled_on, get_flow, version_behind
from backend.identity.models import User
from backend.identity.permissions import Actor, Permission
from backend.numbers.models import Extension
from backend.phones.models import TrialCall
from backend.security import SecretBox, token_digest
from nodes.sdk.text import text
from telephony.asterisk.config import USER, WEB

PERIOD = timedelta(minutes=30)
"""Passwords of browser phones change so often; one stays good for a period after its own."""
TRIAL = "test-"
"""What a browser dials to try a flow begins so."""
TRIAL_MINUTES = 10
KEPT_DAYS = 8
"""Plans of test calls stay longer than Temporal keeps finished runs."""
DOMAIN = "callweave.invalid"


@dataclass(frozen=True, slots=True)
class BrowserPhone:
    """A phone that somebody's browser may be. ``number`` is the extension's, empty for one that only tries flows."""

    name: str
    number: str
    display: str

    @property
    def dials(self) -> bool:
        return bool(self.number)


def may_use_a_phone(actor: Actor) -> bool:
    """Whether somebody may have a phone in the browser at all."""
    return actor.may(Permission.PHONE) or actor.may(Permission.FLOWS_EDIT)


async def browser_phone(db: Database, actor: Actor) -> BrowserPhone:
    """The phone of a person: of their extension, else one for test calls. Raises ForbiddenError."""
    if not may_use_a_phone(actor) or actor.user_id is None:
        raise ForbiddenError(
            text("没有使用网页电话的权限", "you may not use a phone in the browser"),
            remedy=text("请联系管理员分配分机。", "Ask an administrator for an extension."),
        )
    async with read(db) as session:
        user = await session.get(User, actor.user_id)
        extension = await _extension_of(session, actor) if actor.may(Permission.PHONE) else None
    if extension is not None:
        shown = extension.name or (user.display_name if user is not None else "")
        return BrowserPhone(WEB + extension.number, extension.number, _plain(shown))
    if not actor.may(Permission.FLOWS_EDIT):
        raise ForbiddenError(
            text("您还没有分机", "you have no extension yet"),
            code="no_extension",
            remedy=text("请联系管理员分配分机。", "Ask an administrator for an extension."),
        )
    return BrowserPhone(
        f"{USER}{actor.user_id}"[:40], "", _plain(user.display_name if user is not None else actor.name)
    )


async def _extension_of(session: AsyncSession, actor: Actor) -> Extension | None:
    found = select(Extension).where(
        Extension.business_id == actor.business_id,
        Extension.user_id == actor.user_id,
        col(Extension.enabled).is_(True),
    )
    return (await session.exec(found.order_by(col(Extension.number)).limit(1))).first()


def _plain(shown: str) -> str:
    """A name as a line of a telephone's display."""
    return "".join(char for char in shown if char.isprintable() and char not in '"<>\\;').strip()[:60]


def period_of(now: datetime) -> int:
    """The number of the period at a time."""
    return int(now.astimezone(UTC).timestamp() // PERIOD.total_seconds())


def password_of(box: SecretBox, name: str, period: int) -> str:
    """The password of a browser phone in a period; every process of the installation finds the same."""
    return box.derive(f"web-phone:{name}:{period}")


def expires_at(period: int) -> datetime:
    """When the password of a period may be refused."""
    return datetime.fromtimestamp((period + 2) * PERIOD.total_seconds(), UTC)


def ice_servers(setting: str) -> list[dict[str, str]]:
    """STUN and TURN servers from ``[user:password@]stun:host:port, ...``."""
    found = []
    for part in (one.strip() for one in setting.split(",")):
        if not part:
            continue
        credentials, at, url = part.rpartition("@")
        name, _, password = credentials.partition(":") if at else ("", "", "")
        found.append({"urls": url, "username": name, "credential": password})
    return found


# --------------------------------------------------------------------------- test calls


async def prepare_trial(
    db: Database, actor: Actor, key: str, *, on: str, number: str = "", caller: str = "", language: str = ""
) -> tuple[TrialCall, str]:
    """Compile what stands on ``draft``, an alias or a version number, and keep the plan for one call.

    Without a number it is a browser that dials: the second value is what it has to dial. Raises InvalidFlowError with
    every problem of a draft.
    """
    if len(number) > 64 or len(caller) > 64:
        raise InvalidError(
            text("号码太长", "this number is too long"),
            field="number" if len(number) > 64 else "caller",
            remedy=text("请检查号码。", "Check the number."),
        )
    flow = await get_flow(db, actor.business_id, key)
    compiled = await compiled_on(db, actor.business_id, key, on)
    version = 0 if on == "draft" else (await version_behind(db, actor.business_id, key, on)).number
    dial = "" if number else TRIAL + secrets.token_hex(12)
    async with write(db) as session:
        row = TrialCall(
            business_id=actor.business_id,
            user_id=actor.user_id,
            flow_key=flow.key,
            kind=compiled.kind,
            standing=on[:32],
            version=version,
            plan=compiled.plan.to_bytes(),
            plan_hash=compiled.plan.hash,
            token_digest=token_digest(dial) if dial else "",
            number=number,
            caller=caller,
            language=language,
        )
        session.add(row)
        await session.exec(delete(TrialCall).where(col(TrialCall.created_at) < utcnow() - timedelta(days=KEPT_DAYS)))
        await note(session, actor, "flow.test_call", flow.key, on=on, number=number)
    return row, dial


async def get_trial(db: Database, business_id: str, id: str) -> TrialCall:
    """A test call. Raises NotFoundError."""
    async with read(db) as session:
        row = await session.get(TrialCall, id)
    if row is None or row.business_id != business_id:
        raise not_found("测试通话", "test call", id)
    return row


async def begin_trial(db: Database, id: str, call_id: str) -> None:
    """A test call has become this call."""
    async with write(db) as session:
        row = await session.get(TrialCall, id)
        if row is not None:
            row.call_id = call_id


async def dialled_trial(db: Database, dialled: str, call_id: str) -> TrialCall | None:
    """The test call behind what a browser dialled, once and within ten minutes; it becomes the call `call_id`."""
    since = utcnow() - timedelta(minutes=TRIAL_MINUTES)
    async with write(db) as session:
        found = select(TrialCall).where(
            TrialCall.token_digest == token_digest(dialled), col(TrialCall.created_at) > since
        )
        row = (await session.exec(found.with_for_update())).first()
        if row is None or row.call_id not in ("", call_id):
            return None
        row.call_id = call_id
        return row


def phone_failed(code: str, zh: str, en: str) -> DomainError:
    """A browser phone that cannot be had now."""
    return DomainError(text(zh, en), code=code, remedy=text("请稍后再试。", "Try again in a moment."))
