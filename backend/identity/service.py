"""Businesses, users, sign-in."""

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import available_timezones

from sqlalchemy import func
from sqlmodel import col, delete, select

from backend.audit.service import changed, note
from backend.database import AsyncSession, Database, locked, read, utcnow, write
from backend.errors import ConflictError, DomainError, Faults, InvalidError, UnauthenticatedError, not_found
from backend.identity.models import Business, User, UserSession
from backend.identity.passwords import check_password, make_password
from backend.identity.permissions import Actor, Permission, Role, system_actor
from backend.identity.rights import rights_changed
from backend.identity.roles import not_above, permissions_of, role_title, role_to_give, scope_of
from backend.identity.scope import Scope, mates_of, people_of
from backend.security import hash_secret, needs_rehash, new_token, token_digest, verify_secret
from backend.settings import Settings
from nodes.sdk.text import text

FIRST_BUSINESS = "main"
MAX_TRIES = 5
LOCK = timedelta(minutes=15)
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """What the first start made. ``password`` is None when nothing was made or the operator chose it."""

    business_id: str
    user_name: str
    password: str | None
    created: bool


async def ensure_first_admin(db: Database, settings: Settings) -> FirstAdmin:
    """The first business and its administrator, made when the installation has none. Run at every start."""
    async with read(db) as session:
        business = (await session.exec(select(Business).order_by(col(Business.created_at)).limit(1))).first()
        someone = (await session.exec(select(User).limit(1))).first()
    if business is not None and someone is not None:
        return FirstAdmin(business.id, someone.name, None, False)
    chosen = settings.admin_password.get_secret_value()
    if chosen:
        check_password(chosen, settings.admin_user, "admin_password")
    check_timezone(settings.timezone)
    password = chosen or make_password()
    hashed = await asyncio.to_thread(hash_secret, password)
    async with write(db) as session:
        business = await session.get(Business, FIRST_BUSINESS)
        if business is None:
            business = Business(
                id=FIRST_BUSINESS,
                name="Callweave",
                timezone=settings.timezone,
                country=settings.country,
                language=settings.default_language,
            )
            session.add(business)
            await session.flush()
        if (await session.exec(select(User).limit(1))).first() is not None:
            return FirstAdmin(business.id, settings.admin_user, None, False)
        user = User(
            business_id=business.id,
            name=_user_name(settings.admin_user),
            display_name="Administrator",
            role=Role.ADMIN,
            password_hash=hashed,
        )
        session.add(user)
        await session.flush()
        await note(session, system_actor(business.id), "user.created", user.name, role=user.role)
    return FirstAdmin(business.id, user.name, None if chosen else password, True)


# --------------------------------------------------------------------------- businesses


async def first_business(db: Database) -> Business:
    """The business that a single-business installation works for. Raises NotFoundError before the first start."""
    async with read(db) as session:
        found = (await session.exec(select(Business).order_by(col(Business.created_at)).limit(1))).first()
    if found is None:
        raise not_found("企业", "business", FIRST_BUSINESS)
    return found


async def get_business(db: Database, business_id: str) -> Business:
    """Raises NotFoundError."""
    async with read(db) as session:
        found = await session.get(Business, business_id)
    if found is None:
        raise not_found("企业", "business", business_id)
    return found


def check_timezone(name: str) -> None:
    """Raise InvalidError unless it is an IANA time zone."""
    if name not in available_timezones():
        raise InvalidError(
            text(f"没有时区“{name}”", f"there is no time zone '{name}'"),
            field="timezone",
            remedy=text("请使用 IANA 名称，例如 Asia/Shanghai。", "Use an IANA name such as Asia/Shanghai."),
        )


async def update_business(
    db: Database, actor: Actor, *, name: str | None = None, timezone: str | None = None, language: str | None = None
) -> Business:
    """Change the actor's own business."""
    if timezone is not None:
        check_timezone(timezone)
    async with write(db) as session:
        business = await locked(session, Business, actor.business_id)
        assert business is not None
        business.name = (name or "").strip() or business.name
        business.timezone = timezone or business.timezone
        business.language = language or business.language
        said = changed(business, "name", "timezone", "language")
        await note(session, actor, "business.changed", business.name, **said)
        return business


# --------------------------------------------------------------------------- users


def _user_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._@-]{1,62}", name):
        raise InvalidError(
            text(f"账号“{name}”不可用", f"'{name}' cannot be a sign-in name"),
            field="name",
            remedy=text(
                "请使用 2 到 63 个小写字母、数字、点、下划线、@ 或连字符。",
                "Use 2 to 63 small letters, digits, dots, _, @ or hyphens.",
            ),
        )
    return name


async def create_user(
    db: Database,
    actor: Actor,
    *,
    name: str,
    password: str,
    role: str,
    display_name: str = "",
    must_change_password: bool = True,
) -> User:
    """A new user of the actor's business."""
    faults = Faults()
    with faults.gathered():
        _user_name(name)
    with faults.gathered():
        check_password(password, name)
    hashed = "" if faults else await asyncio.to_thread(hash_secret, password)
    async with write(db) as session:
        if (await session.exec(select(User).where(User.name == name))).first() is not None:
            faults.add(
                ConflictError(
                    text(f"账号“{name}”已存在", f"the sign-in name '{name}' is taken"),
                    field="name",
                    remedy=text("请换一个账号。", "Choose another name."),
                )
            )
        given = ""
        with faults.gathered():
            given = await role_to_give(session, actor, role)
        faults.tell()
        user = User(
            business_id=actor.business_id,
            name=name,
            display_name=display_name or name,
            role=given,
            password_hash=hashed,
            must_change_password=must_change_password,
        )
        session.add(user)
        await session.flush()
        said = {"display_name": display_name or None, "role": await role_title(session, given)}
        await note(session, actor, "user.created", name, **said)
        return user


async def update_user(
    db: Database,
    actor: Actor,
    user_id: str,
    *,
    display_name: str | None = None,
    role: str | None = None,
    active: bool | None = None,
    unlock: bool = False,
) -> User:
    """Change a user. The last active administrator stays one."""
    async with write(db) as session:
        user = await _own_user(session, actor, user_id)
        await not_above(session, actor, user)
        wanted = await role_to_give(session, actor, role) if role is not None else None
        if display_name is not None:
            user.display_name = display_name
        if user.role == Role.ADMIN and user.active and (active is False or wanted not in (None, Role.ADMIN)):
            admins = select(User.id).where(
                User.business_id == actor.business_id, User.role == Role.ADMIN, col(User.active).is_(True)
            )
            # Every row that the decision reads is locked, so that two administrators cannot demote each other.
            if len(list(await session.exec(admins.with_for_update()))) <= 1:
                raise ConflictError(
                    text("至少要保留一名管理员", "one administrator must stay"),
                    field="role",
                    remedy=text("请先指定另一名管理员。", "Make somebody else an administrator first."),
                )
        if wanted is not None:
            user.role = wanted
        if active is not None:
            user.active = active
        if unlock:
            user.failed_tries, user.locked_until = 0, None
        said = changed(user, "display_name", "role", "active")
        for told in (said, said.get("was", {})):
            if "role" in told:
                told["role"] = await role_title(session, told["role"])
        if active is False or wanted is not None:
            await _end_sessions(session, user)
        await note(session, actor, "user.changed", user.name, **said, unlocked=unlock or None)
        return user


async def _own_user(session: AsyncSession, actor: Actor, user_id: str) -> User:
    user = await locked(session, User, user_id)
    if user is None or user.business_id != actor.business_id:
        raise not_found("用户", "user", user_id)
    return user


async def set_password(db: Database, actor: Actor, user_id: str, password: str, *, must_change: bool = True) -> User:
    """Give a user a new password and end the user's sign-ins."""
    async with read(db) as session:
        user = await session.get(User, user_id)
    if user is None or user.business_id != actor.business_id:
        raise not_found("用户", "user", user_id)
    check_password(password, user.name)
    hashed = await asyncio.to_thread(hash_secret, password)
    async with write(db) as session:
        user = await _own_user(session, actor, user_id)
        await not_above(session, actor, user)
        _new_password(user, hashed, must_change)
        await _end_sessions(session, user)
        await note(session, actor, "user.password_set", user.name)
        return user


async def change_password(db: Database, actor: Actor, *, old: str, new: str) -> None:
    """A person's own change. Other sign-ins of the same person end."""
    async with read(db) as session:
        user = await session.get(User, actor.user_id) if actor.user_id else None
    if user is None:
        raise UnauthenticatedError(
            text("命令行没有自己的密码", "the command line has no password of its own"),
            remedy=text("请使用 callweave user passwd。", "Use 'callweave user passwd'."),
        )
    await _count_try(db, user.name)
    if not await asyncio.to_thread(verify_secret, user.password_hash, old):
        raise InvalidError(
            text("原密码不正确", "the old password is not right"),
            field="old",
            remedy=text("请重新输入原密码。", "Type the old password again."),
        )
    check_password(new, user.name, "new")
    if old == new:
        raise InvalidError(
            text("新密码与原密码相同", "the new password is the old one"),
            field="new",
            code="weak_password",
            remedy=text("请换一个密码。", "Choose another one."),
        )
    hashed = await asyncio.to_thread(hash_secret, new)
    async with write(db) as session:
        user = await _own_user(session, actor, user.id)
        _new_password(user, hashed, False)
        await _end_sessions(session, user, but=actor.session_id)
        await note(session, actor, "user.password_changed", user.name)


async def _end_sessions(session: AsyncSession, user: User, *, but: str | None = None) -> None:
    """Sign somebody out everywhere, but for one session."""
    await session.exec(
        delete(UserSession).where(col(UserSession.user_id) == user.id, col(UserSession.id) != (but or ""))
    )
    rights_changed(session, user.business_id, user.id)


def _new_password(user: User, hashed: str, must_change: bool) -> None:
    user.password_hash = hashed
    user.must_change_password = must_change
    user.password_changed_at = utcnow()
    user.failed_tries, user.locked_until = 0, None


async def list_users(db: Database, business_id: str) -> list[User]:
    """Users of a business, by name."""
    async with read(db) as session:
        return list(await session.exec(select(User).where(User.business_id == business_id).order_by(col(User.name))))


async def find_user(db: Database, name: str) -> User | None:
    """A user by sign-in name."""
    async with read(db) as session:
        return (await session.exec(select(User).where(User.name == name))).first()


# --------------------------------------------------------------------------- sign-in


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new sign-in: the token goes into the cookie and is stored nowhere."""

    token: str
    actor: Actor
    user: User


class LockedError(DomainError):
    """Too many wrong passwords."""

    code = "locked"


def _locked() -> LockedError:
    minutes = int(LOCK.total_seconds() // 60)
    return LockedError(
        text("密码错误次数过多，账号已锁定", "the account is locked after too many wrong passwords"),
        field="name",
        remedy=text(
            f"请 {minutes} 分钟后再试，或请管理员解锁。", f"Try again in {minutes} minutes, or ask an administrator."
        ),
    )


async def _count_try(db: Database, name: str) -> User | None:
    """Count a try before it is judged, so that guesses made at once cannot outrun the lock."""
    async with write(db) as session:
        user = (await session.exec(select(User).where(User.name == name).with_for_update())).first()
        if user is None:
            return None
        now = utcnow()
        if user.locked_until is not None:
            if user.locked_until > now:
                raise _locked()
            user.failed_tries, user.locked_until = 0, None
        user.failed_tries += 1
        if user.failed_tries >= MAX_TRIES:
            user.locked_until = now + LOCK
            await note(session, system_actor(user.business_id), "user.locked", user.name)
        return user


async def sign_in(
    db: Database, *, name: str, password: str, hours: float, address: str = "", agent: str = ""
) -> SignedIn:
    """Check a password and begin a session. Raises UnauthenticatedError or LockedError."""
    user = await _count_try(db, name)
    right = await asyncio.to_thread(verify_secret, user.password_hash if user else None, password)
    if user is None or not right or not user.active:
        if user is not None:
            async with write(db) as session:
                await note(session, system_actor(user.business_id), "user.sign_in_failed", name, address=address)
        raise UnauthenticatedError(
            text("账号或密码不正确", "the name or the password is not right"),
            field="password",
            remedy=text("请检查大小写后重试。", "Check capital letters and try again."),
        )
    rehashed = await asyncio.to_thread(hash_secret, password) if needs_rehash(user.password_hash) else None
    token = new_token()
    async with write(db) as session:
        now = utcnow()
        current = await locked(session, User, user.id)
        assert current is not None
        current.failed_tries, current.locked_until, current.signed_in_at = 0, None, now
        if rehashed and current.password_hash == user.password_hash:
            current.password_hash = rehashed
        begun = UserSession(
            id=token_digest(token),
            business_id=current.business_id,
            user_id=current.id,
            expires_at=now + timedelta(hours=hours),
            address=address[:64],
            agent=agent[:300],
        )
        session.add(begun)
        await session.exec(delete(UserSession).where(col(UserSession.expires_at) < now))
        actor = await _actor(session, current, begun)
        await note(session, actor, "user.signed_in", current.name)
        return SignedIn(token, actor, current)


async def _actor(session: AsyncSession, user: User, begun: UserSession, address: str | None = None) -> Actor:
    scope = await scope_of(session, user.business_id, user.role)
    mates = await mates_of(session, user.business_id, user.id) if scope is Scope.GROUP else ()
    return Actor(
        business_id=user.business_id,
        user_id=user.id,
        name=user.name,
        permissions=await permissions_of(session, user.business_id, user.role) or frozenset({Permission.SIGNED_IN}),
        address=begun.address if address is None else address,
        session_id=begun.id,
        must_change_password=user.must_change_password,
        scope=scope,
        people=people_of(scope, user.id, mates),
    )


async def actor_of_token(db: Database, token: str, *, hours: float, address: str | None = None) -> Actor | None:
    """Who a session token belongs to; None when it is unknown or has ended. Use keeps a session alive."""
    now = utcnow()
    async with read(db) as session:
        begun = await session.get(UserSession, token_digest(token))
        if begun is None or begun.expires_at <= now:
            return None
        user = await session.get(User, begun.user_id)
        if user is None or not user.active:
            return None
        actor = await _actor(session, user, begun, address)
    if now - begun.seen_at > SEEN_EVERY:
        async with write(db) as session:
            current = await locked(session, UserSession, begun.id)
            if current is not None:
                current.seen_at, current.expires_at = now, now + timedelta(hours=hours)
    return actor


async def sign_out(db: Database, actor: Actor) -> None:
    """End this session."""
    if actor.session_id is None:
        return
    async with write(db) as session:
        await session.exec(delete(UserSession).where(col(UserSession.id) == actor.session_id))
        rights_changed(session, actor.business_id, actor.user_id or "")
        await note(session, actor, "user.signed_out", actor.name)


async def count_users(db: Database) -> int:
    """How many users the installation has."""
    async with read(db) as session:
        return (await session.exec(select(func.count()).select_from(User))).one()
