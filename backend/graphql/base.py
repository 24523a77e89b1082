"""What every GraphQL module uses: context, guards, typed errors, pages."""

import dataclasses
import functools
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Generic, Self, TypeVar

import strawberry
from graphql import GraphQLError
from sqlmodel import col, select
from strawberry.dataloader import DataLoader
from strawberry.fastapi import BaseContext
from strawberry.scalars import JSON

from backend.calls.models import Call, Leg
from backend.customers.models import Customer
from backend.customers.service import phones_of
from backend.database import AsyncSession, read
from backend.errors import DomainError, ForbiddenError, ManyFaultsError, UnauthenticatedError
from backend.flows.service import InvalidFlowError, aliases_of
from backend.identity.models import User
from backend.identity.permissions import Actor, Permission
from backend.identity.service import get_business
from backend.paging import Page
from backend.recordings.models import Recording
from backend.state import AppState
from backend.voicemails.models import Voicemail
from nodes.sdk.text import Text, text

log = logging.getLogger(__name__)
T = TypeVar("T")
R = TypeVar("R")


class Context(BaseContext):
    """One request or one WebSocket: who asks, and loaders that fetch many rows at once."""

    def __init__(self, state: AppState, actor: Actor | None, address: str = "") -> None:
        super().__init__()
        self.state = state
        self.maybe_actor = actor
        self.address = address
        self._loaders: dict[str, DataLoader[str, Any]] = {}
        self._country = ""

    @property
    def actor(self) -> Actor:
        """Who asks. Guarded fields only."""
        if self.maybe_actor is None:
            raise UnauthenticatedError(
                text("请先登录", "nobody is signed in"), remedy=text("请登录后重试。", "Sign in, then try again.")
            )
        return self.maybe_actor

    async def country(self) -> str:
        """The country of the asker's business, read once."""
        if not self._country:
            self._country = (await get_business(self.state.db, self.actor.business_id)).country
        return self._country

    def _loader(
        self, load: Callable[[AsyncSession, list[str], str], Awaitable[dict[str, R]]], default: Callable[[], R]
    ) -> DataLoader[str, R]:
        async def fetch(keys: list[str]) -> list[R]:
            async with read(self.state.db) as session:
                found = await load(session, keys, self.actor.business_id)
            return [found[key] if key in found else default() for key in keys]

        return DataLoader(load_fn=fetch, cache=False)

    def loader(
        self,
        name: str,
        load: Callable[[AsyncSession, list[str], str], Awaitable[dict[str, R]]],
        default: Callable[[], R],
    ) -> DataLoader[str, R]:
        """A domain's own loader: `load` takes session, keys and business; `default` is for keys that it lacks."""
        if name not in self._loaders:
            self._loaders[name] = self._loader(load, default)
        return self._loaders[name]

    @functools.cached_property
    def customers(self) -> DataLoader[str, Customer | None]:
        """Customers by id."""

        async def load(session: AsyncSession, ids: list[str], business: str) -> dict[str, Customer | None]:
            found = select(Customer).where(col(Customer.id).in_(ids), Customer.business_id == business)
            return {row.id: row for row in await session.exec(found)}

        return self._loader(load, lambda: None)

    @functools.cached_property
    def phones(self) -> DataLoader[str, list[str]]:
        """Numbers of customers by customer id."""

        async def load(session: AsyncSession, ids: list[str], _business: str) -> dict[str, list[str]]:
            return await phones_of(session, ids)

        return self._loader(load, list)

    @functools.cached_property
    def legs(self) -> DataLoader[str, list[Leg]]:
        """Legs by call id."""

        async def load(session: AsyncSession, ids: list[str], business: str) -> dict[str, list[Leg]]:
            legs: dict[str, list[Leg]] = {}
            found = select(Leg).where(col(Leg.call_id).in_(ids), Leg.business_id == business)
            for leg in await session.exec(found.order_by(col(Leg.started_at))):
                legs.setdefault(leg.call_id, []).append(leg)
            return legs

        return self._loader(load, list)

    @functools.cached_property
    def recordings(self) -> DataLoader[str, Recording | None]:
        """Recordings by id."""

        async def load(session: AsyncSession, ids: list[str], business: str) -> dict[str, Recording | None]:
            found = select(Recording).where(col(Recording.id).in_(ids), Recording.business_id == business)
            return {row.id: row for row in await session.exec(found)}

        return self._loader(load, lambda: None)

    @functools.cached_property
    def users(self) -> DataLoader[str, User | None]:
        """People by id."""

        async def load(session: AsyncSession, ids: list[str], business: str) -> dict[str, User | None]:
            found = select(User).where(col(User.id).in_(ids), User.business_id == business)
            return {row.id: row for row in await session.exec(found)}

        return self._loader(load, lambda: None)

    @functools.cached_property
    def calls(self) -> DataLoader[str, Call | None]:
        """Calls by id."""

        async def load(session: AsyncSession, ids: list[str], business: str) -> dict[str, Call | None]:
            found = select(Call).where(col(Call.id).in_(ids), Call.business_id == business)
            return {row.id: row for row in await session.exec(found)}

        return self._loader(load, lambda: None)

    @functools.cached_property
    def voicemails(self) -> DataLoader[str, Voicemail | None]:
        """Messages that callers left, by id."""

        async def load(session: AsyncSession, ids: list[str], business: str) -> dict[str, Voicemail | None]:
            found = select(Voicemail).where(col(Voicemail.id).in_(ids), Voicemail.business_id == business)
            return {row.id: row for row in await session.exec(found)}

        return self._loader(load, lambda: None)

    @functools.cached_property
    def aliases(self) -> DataLoader[str, dict[str, int]]:
        """Version numbers by alias, by flow id."""

        async def load(session: AsyncSession, ids: list[str], _business: str) -> dict[str, dict[str, int]]:
            return await aliases_of(session, ids)

        return self._loader(load, dict)


Info = strawberry.Info[Context, None]


# --------------------------------------------------------------------------- words and errors


@strawberry.type(description="One text in both languages of the app.")
class Words:
    zh: str
    en: str

    @classmethod
    def of(cls, said: Text) -> "Words":
        return cls(zh=said.zh, en=said.en)


@strawberry.type(description="Why a change was refused: a stable code, the input field, words and a remedy.")
class UserError:
    code: str
    field: str
    message: Words
    remedy: Words
    node: str | None = strawberry.field(default=None, description="The flow node it is about.")
    severity: str = strawberry.field(default="error", description="error or warning.")
    details: JSON | None = strawberry.field(default=None, description="Facts for programs, by the code.")


@strawberry.type(description="The changed thing, or the errors that kept it as it was.")
class Result(Generic[T]):
    value: T | None
    errors: list[UserError]


@strawberry.type(description="Nothing but success.")
class Done:
    ok: bool = True


def errors_from(error: DomainError) -> list[UserError]:
    """A domain error as GraphQL tells it; a flow's problems, or the faults of an input, one by one."""
    if isinstance(error, ManyFaultsError):
        return [told for one in error.errors for told in errors_from(one)]
    if isinstance(error, InvalidFlowError):
        return [
            UserError(
                code=found.code,
                field=found.field or "",
                message=Words.of(found.message),
                remedy=Words.of(error.remedy),
                node=found.node,
                severity=found.severity,
            )
            for found in error.problems
        ]
    return [
        UserError(
            code=error.code,
            field=error.field,
            message=Words.of(error.message),
            remedy=Words.of(error.remedy),
            details=JSON(error.details) if error.details is not None else None,
        )
    ]


def graphql_error(error: DomainError) -> GraphQLError:
    """A domain error where no result type can hold it."""
    return GraphQLError(
        str(error),
        extensions={
            "code": error.code,
            "field": error.field,
            "message": error.message.model_dump(),
            "remedy": error.remedy.model_dump(),
            "details": error.details,
        },
    )


# --------------------------------------------------------------------------- guards

PUBLIC = "public"
_KEY = "permission"


def check(info: Info, permission: Permission) -> None:
    """Raise GraphQLError unless the asker has the permission."""
    actor = info.context.maybe_actor
    if actor is None:
        raise graphql_error(
            UnauthenticatedError(
                text("请先登录", "nobody is signed in"), remedy=text("请登录后重试。", "Sign in, then try again.")
            )
        )
    if not actor.may(permission):
        if actor.must_change_password:
            raise graphql_error(
                ForbiddenError(
                    text("请先修改密码", "the password must be changed first"),
                    code="password_change_required",
                    remedy=text("请调用 changePassword。", "Use changePassword."),
                )
            )
        raise graphql_error(
            ForbiddenError(
                text(f"没有权限：{permission.value}", f"this needs the permission {permission.value}"),
                remedy=text("请联系管理员。", "Ask an administrator."),
            )
        )


def _info(kwargs: dict[str, Any]) -> Info:
    info: Info = kwargs["info"]
    return info


def query(permission: Permission | str, description: str = "") -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """A guarded field that reads. `PUBLIC` needs no sign-in and must be chosen on purpose."""

    def decorate(resolver: Callable[..., Awaitable[Any]]) -> Any:
        @functools.wraps(resolver)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            if isinstance(permission, Permission):
                check(_info(kwargs), permission)
            try:
                return await resolver(*args, **kwargs)
            except DomainError as error:
                raise graphql_error(error) from error

        return strawberry.field(guarded, description=description or resolver.__doc__, metadata={_KEY: permission})

    return decorate


def mutation(permission: Permission | str, description: str = "") -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """A guarded change. It returns `Result`, so that a refusal is typed data."""

    def decorate(resolver: Callable[..., Awaitable[Any]]) -> Any:
        @functools.wraps(resolver)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            if isinstance(permission, Permission):
                check(_info(kwargs), permission)
            try:
                return Result(value=await resolver(*args, **kwargs), errors=[])
            except DomainError as error:
                return Result(value=None, errors=errors_from(error))

        # Strawberry reads the signature: it is the resolver's own, with the result type around what it returns.
        signature = inspect.signature(resolver)
        result_of: Any = Result
        returned = result_of[signature.return_annotation]
        guarded.__annotations__ = {**resolver.__annotations__, "return": returned}
        del guarded.__wrapped__
        guarded.__signature__ = signature.replace(return_annotation=returned)  # type: ignore[attr-defined]
        return strawberry.mutation(guarded, description=description or resolver.__doc__, metadata={_KEY: permission})

    return decorate


def subscription(permission: Permission) -> Callable[[Callable[..., AsyncIterator[Any]]], Any]:
    """A guarded stream."""

    def decorate(resolver: Callable[..., AsyncIterator[Any]]) -> Any:
        @functools.wraps(resolver)
        async def guarded(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            check(_info(kwargs), permission)
            try:
                async for item in resolver(*args, **kwargs):
                    yield item
            except DomainError as error:
                raise graphql_error(error) from error

        return strawberry.subscription(guarded, description=resolver.__doc__, metadata={_KEY: permission})

    return decorate


def permission_of(field: Any) -> Permission | str | None:
    """The permission that a field declares."""
    found: Permission | str | None = field.metadata.get(_KEY)
    return found


# --------------------------------------------------------------------------- rows and pages


class FromRow:
    """Copies the attributes that a GraphQL type shares with its row."""

    @classmethod
    def of(cls, row: Any) -> Self:
        """The type's instance for a row."""
        names = [f.name for f in dataclasses.fields(cls) if f.init]  # type: ignore[arg-type]
        return cls(**{name: getattr(row, name) for name in names})

    @classmethod
    def maybe(cls, row: Any) -> Self | None:
        """As `of`, or None for none."""
        return None if row is None else cls.of(row)


F = TypeVar("F", bound=FromRow)


@strawberry.type(description="A page: ask the next one with after = endCursor while hasNext.")
class Connection(Generic[T]):
    nodes: list[T]
    cursors: list[str]
    end_cursor: str | None
    has_next: bool


def connection(found: Page[Any], kind: type[F]) -> Connection[F]:
    """A page of rows as GraphQL tells it."""
    nodes = [kind.of(row) for row in found.items]
    return Connection(nodes=nodes, cursors=list(found.cursors), end_cursor=found.end, has_next=found.has_next)
