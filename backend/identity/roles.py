"""Roles of one's own beside the four ready ones (AD1): named sets of permissions, with how much data they reach."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import col, delete, func, select

from backend.audit.service import changed, note
from backend.database import AsyncSession, Database, locked, read, write
from backend.errors import ConflictError, ForbiddenError, InvalidError, not_found
from backend.identity.models import OwnRole, User, UserSession
from backend.identity.permissions import MAINTENANCE, NEUTRAL, ROLE_NAMES, ROLES, Actor, Permission, Role
from backend.identity.rights import rights_changed
from backend.identity.scope import Scope
from nodes.sdk.text import Text, text

MOST_ROLES = 100


@dataclass(frozen=True, slots=True)
class RoleInfo:
    """A role as it is shown. ``name`` is what users hold: the ready role, or the id of one's own."""

    name: str
    title: Text
    permissions: frozenset[Permission]
    own: bool
    users: int
    scope: Scope = Scope.ALL


def _granted(permissions: Iterable[str]) -> frozenset[Permission]:
    """What a stored role grants; a permission that this release does not know grants nothing."""
    known = {permission.value: permission for permission in Permission}
    return frozenset(known[name] for name in permissions if name in known) | {Permission.SIGNED_IN}


async def permissions_of(session: AsyncSession, business_id: str, role: str) -> frozenset[Permission] | None:
    """What a role of a business may do; None when there is no such role."""
    if role in ROLES:
        return ROLES[Role(role)]
    own = await session.get(OwnRole, role)
    return _granted(own.permissions) if own is not None and own.business_id == business_id else None


async def scope_of(session: AsyncSession, business_id: str, role: str) -> Scope:
    """How far a role reaches: the ready ones reach everybody's data."""
    own = await session.get(OwnRole, role) if role not in ROLES else None
    return Scope(own.scope) if own is not None and own.business_id == business_id else Scope.ALL


async def list_roles(db: Database, business_id: str) -> list[RoleInfo]:
    """The ready roles, then those of the business by their titles."""
    async with read(db) as session:
        counted = select(User.role, func.count()).where(User.business_id == business_id).group_by(User.role)
        users = dict((await session.exec(counted)).all())
        own = await session.exec(select(OwnRole).where(OwnRole.business_id == business_id).order_by(col(OwnRole.title)))
        ready = [RoleInfo(role, ROLE_NAMES[role], ROLES[role], False, users.get(role, 0)) for role in Role]
        return ready + [_own_role(one, users.get(one.id, 0)) for one in own]


async def save_role(
    db: Database,
    actor: Actor,
    *,
    title: str,
    permissions: Iterable[str],
    scope: str | None = None,
    id: str | None = None,
) -> RoleInfo:
    """Make a role, or change one of one's own. Whoever holds it signs in again.

    Nobody gives rights away that they do not have, nor further than their own reach; a role for maintenance holds no
    rights of the business. Without a `scope` an old role keeps its own, and a new one reaches all.
    """
    title = title.strip()
    if not 0 < len(title) <= 60:
        raise InvalidError(
            text("请填写角色名称（最多 60 字）", "a role needs a title of 60 signs at most"),
            field="title",
            remedy=text("请填写名称。", "Give it a title."),
        )
    wanted = _wanted(permissions)
    _not_above(actor, wanted, "permissions")
    async with write(db) as session:
        mine = list(
            await session.exec(select(OwnRole).where(OwnRole.business_id == actor.business_id).with_for_update())
        )
        row = next((one for one in mine if one.id == id), None)
        if id is not None and row is None:
            raise not_found("角色", "role", id)
        reach = _scope(scope or (row.scope if row is not None else Scope.ALL))
        _not_further(actor, reach, "scope")
        taken = {one.title for one in mine if one.id != id}
        taken |= {word for names in ROLE_NAMES.values() for word in (names.zh, names.en)}
        if title in taken:
            raise ConflictError(
                text(f"角色“{title}”已存在", f"there is a role '{title}' already"),
                field="title",
                remedy=text("请换一个名称。", "Choose another title."),
            )
        if row is None:
            if len(mine) >= MOST_ROLES:
                raise ConflictError(
                    text(f"最多 {MOST_ROLES} 个自定义角色", f"{MOST_ROLES} roles of one's own at most"),
                    field="title",
                    remedy=text("请先删除不用的角色。", "Delete roles that nobody needs first."),
                )
            row = OwnRole(business_id=actor.business_id, title=title)
            session.add(row)
        else:
            _not_above(actor, _granted(row.permissions), "permissions")
            _not_further(actor, Scope(row.scope), "scope")
        names = sorted(permission.value for permission in wanted)
        held = set(row.permissions or ())
        row.title, row.permissions, row.scope = title, names, reach.value
        said = changed(row, "title", "scope")
        granted, withdrawn = sorted(set(names) - held), sorted(held - set(names))
        await session.flush()
        holders = select(User.id).where(User.business_id == actor.business_id, User.role == row.id)
        users = list(await session.exec(holders))
        await session.exec(delete(UserSession).where(col(UserSession.user_id).in_(users)))
        for user_id in users:
            rights_changed(session, actor.business_id, user_id)
        await note(session, actor, "role.saved", title, **said, granted=granted or None, withdrawn=withdrawn or None)
        return _own_role(row, len(users))


async def role_title(session: AsyncSession, role: str) -> str:
    """A role as the audit trail names it: one of the product's by its key, one of the business by its title."""
    own = await session.get(OwnRole, role) if role not in set(Role) else None
    return own.title if own is not None else role


async def delete_role(db: Database, actor: Actor, id: str) -> None:
    """Remove a role of one's own that nobody holds."""
    async with write(db) as session:
        row = await locked(session, OwnRole, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("角色", "role", id)
        held = select(func.count()).select_from(User)
        users = (await session.exec(held.where(User.business_id == actor.business_id, User.role == id))).one()
        if users:
            raise ConflictError(
                text(f"有 {users} 名用户属于角色“{row.title}”", f"{users} user(s) hold the role '{row.title}'"),
                field="id",
                remedy=text("请先给他们另一个角色。", "Give them another role first."),
            )
        await session.delete(row)
        await note(session, actor, "role.deleted", row.title)


async def role_to_give(session: AsyncSession, actor: Actor, role: str) -> str:
    """The role, when it exists and gives nothing that the actor does not have.

    Its row stays locked, so that it cannot be deleted or widened meanwhile.
    """
    if role not in ROLES:
        await locked(session, OwnRole, role)
    granted = await permissions_of(session, actor.business_id, role)
    if granted is None:
        raise InvalidError(
            text(f"没有角色“{role}”", f"there is no role '{role}'"),
            field="role",
            remedy=text("请从角色列表中选择。", f"Choose one of {', '.join(Role)} or a role of your own."),
        )
    _not_above(actor, granted, "role")
    _not_further(actor, await scope_of(session, actor.business_id, role), "role")
    return role


async def not_above(session: AsyncSession, actor: Actor, user: User) -> None:
    """Raises ForbiddenError when a user may do what the actor may not: such a user is not the actor's to change."""
    _not_above(actor, await permissions_of(session, actor.business_id, user.role) or frozenset(), "id")
    _not_further(actor, await scope_of(session, actor.business_id, user.role), "id")


def _own_role(row: OwnRole, users: int) -> RoleInfo:
    return RoleInfo(row.id, text(row.title, row.title), _granted(row.permissions), True, users, Scope(row.scope))


def _scope(name: str) -> Scope:
    try:
        return Scope(name)
    except ValueError:
        raise InvalidError(
            text(f"没有数据范围“{name}”", f"there is no data scope '{name}'"),
            field="scope",
            remedy=text("可选 own、group、all。", "Choose own, group or all."),
        ) from None


def _wanted(permissions: Iterable[str]) -> frozenset[Permission]:
    names = set(permissions)
    unknown = sorted(names - {permission.value for permission in Permission})
    if unknown:
        raise InvalidError(
            text(f"没有权限“{unknown[0]}”", f"there is no permission '{unknown[0]}'"),
            field="permissions",
            remedy=text("请去掉它。", "Leave it out."),
        )
    wanted = _granted(names)
    business = wanted - MAINTENANCE - NEUTRAL
    if wanted & MAINTENANCE and business:
        raise InvalidError(
            text(
                f"维护权限（{min(wanted & MAINTENANCE)}）不能与业务权限（{min(business)}）在同一角色中",
                f"maintenance ({min(wanted & MAINTENANCE)}) and business rights ({min(business)}) are in one role",
            ),
            field="permissions",
            remedy=text("请分成两个角色。", "Make two roles of them."),
        )
    return wanted


def _not_above(actor: Actor, granted: Iterable[Permission], field: str) -> None:
    above = sorted(set(granted) - actor.permissions)
    if above:
        raise ForbiddenError(
            text(f"您自己没有权限“{above[0]}”，不能授予", f"you do not have the right '{above[0]}' yourself"),
            field=field,
            remedy=text("请由拥有该权限的管理员操作。", "Ask an administrator who has it."),
        )


def _not_further(actor: Actor, scope: Scope, field: str) -> None:
    if not scope.within(actor.scope):
        raise ForbiddenError(
            text("不能授予比您自己更大的数据范围", "this reaches more data than you may see yourself"),
            field=field,
            remedy=text("请选择较小的范围，或由管理员操作。", "Choose a narrower scope, or ask an administrator."),
        )
