"""The types of variables, inputs and outputs."""

from collections.abc import Mapping, Sequence
from typing import Any

from flows.document import ValueType, Variable


class ValueTypeError(ValueError):
    """A value does not fit the type of its variable."""


def coerce(value: Any, type: ValueType) -> Any:
    """The value in that type, or None. Texts that plainly are a number or a truth value are taken as such.

    Raises `ValueTypeError`.
    """
    if value is None or type == "any":
        return value
    match type, value:
        case "string", str():
            return value
        case "string", bool():
            return "true" if value else "false"
        case "string", int():
            return str(value)
        case "string", float():
            return str(int(value)) if value.is_integer() else str(value)
        case "number", bool():
            pass
        case "number", int() | float():
            return value
        case "number", str():
            return _number(value)
        case "boolean", bool():
            return value
        case "boolean", str() if value.lower() in ("true", "false"):
            return value.lower() == "true"
        case "object", Mapping():
            return value
        case "list", list() | tuple():
            return list(value)
    raise ValueTypeError(f"a {type} is needed, not {_shown(value)}")


def _number(text: str) -> int | float:
    if len(text) <= 40:
        for read in (int, float):
            try:
                number = read(text.strip())
            except ValueError:
                continue
            if number == number and abs(number) != float("inf"):
                return number
    raise ValueTypeError(f"a number is needed, not {_shown(text)}")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return "a text" if value.startswith("enc:v1:") else f"the text {value[:40]!r}"
    return f"a value of type {value.__class__.__name__}"


def initial(variables: Sequence[Variable], given: Mapping[str, Any]) -> dict[str, Any]:
    """Values of typed variables from what is given and the defaults. Raises `ValueTypeError` naming the variable."""
    values: dict[str, Any] = {}
    for variable in variables:
        value = given.get(variable.name, variable.default)
        if value is None and variable.required:
            raise ValueTypeError(f"the input {variable.name} is missing")
        try:
            values[variable.name] = coerce(value, variable.type)
        except ValueTypeError as error:
            raise ValueTypeError(f"{variable.name}: {error}") from None
    return values
