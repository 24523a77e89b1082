"""Sign-in, the own account, users, the business."""

from datetime import datetime

import strawberry

from backend.errors import DomainError
from backend.graphql.base import PUBLIC, Done, FromRow, Info, Words, mutation, query
from backend.identity import roles, service
from backend.identity.permissions import Permission
from nodes.sdk.text import text


@strawberry.type(name="Business")
class BusinessType(FromRow):
    id: str
    name: str
    timezone: str
    country: str
    language: str
    created_at: datetime


@strawberry.type(name="User")
class UserType(FromRow):
    id: str
    name: str
    display_name: str
    role: str
    active: bool
    must_change_password: bool
    locked_until: datetime | None
    created_at: datetime
    signed_in_at: datetime | None


@strawberry.type(name="PersonName", description="What a person is called, by their id and the name they sign in with.")
class PersonNameType:
    id: str
    name: str
    display_name: str


@strawberry.type(name="Role", description="A ready role, or one that the business made (`own`).")
class RoleType:
    name: str
    title: Words
    permissions: list[str]
    own: bool
    users: int
    scope: str = strawberry.field(description="Whose data it reaches: own, group (the team) or all.")

    @staticmethod
    def of(role: roles.RoleInfo) -> "RoleType":
        return RoleType(
            name=role.name,
            title=Words.of(role.title),
            permissions=sorted(role.permissions),
            own=role.own,
            users=role.users,
            scope=role.scope.value,
        )


@strawberry.type(name="Me", description="Who is asking, and what that person may do.")
class Me:
    id: str | None
    name: str
    permissions: list[str]
    must_change_password: bool
    business: BusinessType


async def _me(info: Info) -> Me:
    actor = info.context.actor
    business = await service.get_business(info.context.state.db, actor.business_id)
    return Me(
        id=actor.user_id,
        name=actor.name,
        permissions=sorted(permission.value for permission in Permission if actor.may(permission)),
        must_change_password=actor.must_change_password,
        business=BusinessType.of(business),
    )


def cookie_name(port: int) -> str:
    """Cookies are shared by all ports of a host: the port in the name keeps two installations apart."""
    return f"callweave_{port}"


@strawberry.type
class IdentityQuery:
    @query(PUBLIC, "Who is asking; null when nobody is signed in.")
    async def me(self, info: Info) -> Me | None:
        return await _me(info) if info.context.maybe_actor is not None else None

    @query(Permission.SIGNED_IN, "What people are called, by the name they sign in with.")
    async def people_names(self, info: Info) -> list[PersonNameType]:
        found = await service.list_users(info.context.state.db, info.context.actor.business_id)
        return [
            PersonNameType(id=user.id, name=user.name, display_name=user.display_name or user.name) for user in found
        ]

    @query(Permission.USERS, "Users of the business.")
    async def users(self, info: Info) -> list[UserType]:
        found = await service.list_users(info.context.state.db, info.context.actor.business_id)
        return [UserType.of(user) for user in found]

    @query(Permission.USERS, "The roles and what they may do.")
    async def roles(self, info: Info) -> list[RoleType]:
        found = await roles.list_roles(info.context.state.db, info.context.actor.business_id)
        return [RoleType.of(role) for role in found]


@strawberry.type
class IdentityMutation:
    @mutation(PUBLIC, "Sign in; the session is a cookie that scripts cannot read.")
    async def login(self, info: Info, name: str, password: str) -> Me:
        state = info.context.state
        if not state.sign_ins.allow(info.context.address):
            raise DomainError(
                text("登录尝试过于频繁", "too many sign-ins from this address"),
                code="rate_limited",
                remedy=text("请一分钟后再试。", "Try again in a minute."),
            )
        request = info.context.request
        done = await service.sign_in(
            state.db,
            name=name,
            password=password,
            hours=state.settings.session_hours,
            address=info.context.address,
            agent=request.headers.get("user-agent", "") if request is not None else "",
        )
        if info.context.response is not None:
            info.context.response.set_cookie(
                cookie_name(state.settings.http_port),
                done.token,
                httponly=True,
                samesite="strict",
                secure=state.settings.https != "off" or state.settings.public_url.startswith("https:"),
                path="/",
            )
        info.context.maybe_actor = done.actor
        return await _me(info)

    @mutation(Permission.SIGNED_IN, "End this session.")
    async def logout(self, info: Info) -> Done:
        await service.sign_out(info.context.state.db, info.context.actor)
        if info.context.response is not None:
            info.context.response.delete_cookie(cookie_name(info.context.state.settings.http_port), path="/")
        return Done()

    @mutation(Permission.SIGNED_IN, "Change the own password; other sessions of the person end.")
    async def change_password(self, info: Info, old: str, new: str) -> Done:
        await service.change_password(info.context.state.db, info.context.actor, old=old, new=new)
        return Done()

    @mutation(Permission.USERS, "A new user.")
    async def create_user(
        self, info: Info, name: str, password: str, role: str, display_name: str = "", must_change_password: bool = True
    ) -> UserType:
        user = await service.create_user(
            info.context.state.db,
            info.context.actor,
            name=name,
            password=password,
            role=role,
            display_name=display_name,
            must_change_password=must_change_password,
        )
        return UserType.of(user)

    @mutation(Permission.USERS, "Change, switch off or unlock a user.")
    async def update_user(
        self,
        info: Info,
        id: str,
        display_name: str | None = None,
        role: str | None = None,
        active: bool | None = None,
        unlock: bool = False,
    ) -> UserType:
        user = await service.update_user(
            info.context.state.db,
            info.context.actor,
            id,
            display_name=display_name,
            role=role,
            active=active,
            unlock=unlock,
        )
        return UserType.of(user)

    @mutation(Permission.USERS, "Give a user a new password; the user's sessions end.")
    async def set_password(self, info: Info, id: str, password: str, must_change: bool = True) -> UserType:
        user = await service.set_password(
            info.context.state.db, info.context.actor, id, password, must_change=must_change
        )
        return UserType.of(user)

    @mutation(Permission.USERS, "Make a role, or change one of one's own; whoever holds it signs in again.")
    async def save_role(
        self, info: Info, title: str, permissions: list[str], name: str | None = None, scope: str | None = None
    ) -> RoleType:
        saved = await roles.save_role(
            info.context.state.db, info.context.actor, title=title, permissions=permissions, scope=scope, id=name
        )
        return RoleType.of(saved)

    @mutation(Permission.USERS, "Remove a role of one's own that nobody holds.")
    async def delete_role(self, info: Info, name: str) -> Done:
        await roles.delete_role(info.context.state.db, info.context.actor, name)
        return Done()

    @mutation(Permission.SYSTEM, "Change the business.")
    async def update_business(
        self, info: Info, name: str | None = None, timezone: str | None = None, language: str | None = None
    ) -> BusinessType:
        business = await service.update_business(
            info.context.state.db, info.context.actor, name=name, timezone=timezone, language=language
        )
        return BusinessType.of(business)
