"""Numbers of customers as whoever asks may see them: whole with the right to, else with their middle hidden."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from strawberry.extensions import FieldExtension

from backend.graphql.base import Info, Words
from backend.identity.permissions import Permission
from backend.numbers.region import masked, place_of

T = TypeVar("T")

_IN_TEXT = re.compile(r"(?<![\w.-])\+?\d{7,15}(?![\w-])")
_LEAST = 10**9
"""A whole number from here on may be a telephone's; smaller ones are amounts and counts."""


def shown(info: Info, number: str | None) -> str:
    """A number as the asker may see it."""
    return (number or "") if _may(info) else masked(number or "")


async def home_of(info: Info, number: str | None) -> Words | None:
    """Where a number belongs to, in a few words; everybody may know that."""
    place = place_of(number, await info.context.country()) if number else None
    return Words.of(place) if place is not None else None


def shown_in(info: Info, value: Any) -> Any:
    """Words or data, with the numbers in them as the asker may see them."""
    return value if _may(info) else hidden(value)


def _may(info: Info) -> bool:
    return info.context.actor.may(Permission.CUSTOMERS_NUMBERS)


def hidden(value: Any) -> Any:
    """Words or data without whole telephone numbers."""
    match value:
        case str():
            return _IN_TEXT.sub(lambda found: masked(found[0]), value)
        case dict():
            return {key: hidden(one) for key, one in value.items()}
        case list() | tuple():
            return [hidden(one) for one in value]
        case bool():
            return value
        case int() if value >= _LEAST:
            return masked(str(value))
        case _:
            return value


class Masked(FieldExtension):
    """Of a field that holds a number, or words or data in which there may be some."""

    def resolve(self, next_: Callable[..., Any], source: Any, info: Any, **kwargs: Any) -> Any:
        found = next_(source, info, **kwargs)
        return found if found is None else shown_in(info, found)


def masks(*names: str) -> Callable[[type[T]], type[T]]:
    """A GraphQL type whose fields of these names are `Masked`. Stands before ``strawberry.type``."""

    def decorate(kind: type[T]) -> type[T]:
        fields = {field.python_name: field for field in kind.__strawberry_definition__.fields}  # type: ignore[attr-defined]
        for name in names:
            fields[name].extensions.append(Masked())
        return kind

    return decorate
