"""Expressions and templates: Jinja2's syntax, a small language of our own behind it.

Jinja2 only parses. Its syntax tree is checked against a whitelist and turned into closures; no Python code is
generated, no Python attribute is reached and every operation is bounded, so that what an author writes can neither
reach into the process nor hold it up. There are no loops, no calls but our filters, no ``**``, no text formatting
by ``%`` and no repetition of texts or lists.

Values are plain data (text, numbers, true/false, none, lists, mappings) and times. The scope is ``call``,
``customer``, ``vars``, ``nodes.<id>.<output>``, ``now`` and, for some nodes, ``item``.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes as ast

from flows import formats
from flows.expression_words import said
from flows.problems import Problem, problem

MAX_EXPRESSION = 4_000
MAX_TEMPLATE = 20_000
MAX_NODES = 1_000
MAX_DEPTH = 40
MAX_TEXT = 100_000
MAX_ITEMS = 10_000
MAX_NUMBER = 10**15
MAX_RESULT = 200_000


class ExpressionError(Exception):
    """An expression cannot be compiled or computed. ``reason`` is a stable code, the message is for people.

    ``syntax``, ``forbidden``, ``too_large`` are found when compiling; ``undefined``, ``type``, ``too_large``,
    ``zero_division`` when computing.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class UndefinedValueError(ExpressionError):
    """A name without a value was used."""

    def __init__(self, name: str) -> None:
        super().__init__("undefined", f"{name} has no value")


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression sees. ``language`` rules the formats, ``zone`` the times."""

    values: Mapping[str, Any]
    language: str = "en"
    zone: tzinfo = UTC

    @classmethod
    def of(cls, *, now: datetime, language: str = "en", zone: tzinfo = UTC, **values: Any) -> "Scope":
        """A scope whose ``now`` is in the zone."""
        return cls({**values, "now": now.astimezone(zone)}, language, zone)


Compute = Callable[[Scope], Any]


# --- values -----------------------------------------------------------------------------------------------------------


def _bounded(value: Any) -> Any:
    """Refuse numbers, texts and lists beyond the limits."""
    match value:
        case bool() | None:
            return value
        case int():
            if -MAX_NUMBER <= value <= MAX_NUMBER:
                return value
            raise ExpressionError("too_large", f"a whole number may have at most {len(str(MAX_NUMBER)) - 1} digits")
        case float():
            if math.isfinite(value):
                return value
            raise ExpressionError("too_large", "the number is too large")
        case str():
            if len(value) <= MAX_TEXT:
                return value
            raise ExpressionError("too_large", f"a text may have at most {MAX_TEXT} characters")
        case list():
            if len(value) <= MAX_ITEMS:
                return value
            raise ExpressionError("too_large", f"a list may have at most {MAX_ITEMS} items")
        case _:
            return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "true/false"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list() | tuple():
            return "list"
        case Mapping():
            return "mapping"
        case datetime() | date():
            return "time"
        case _:
            return type(value).__name__


def _numbers(symbol: str, left: Any, right: Any) -> None:
    if not (_is_number(left) and _is_number(right)):
        raise ExpressionError(
            "type",
            f"{symbol} needs two numbers, not {_kind(left)} and {_kind(right)}: use the filter `number_of` for a text",
        )


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > MAX_TEXT:
            raise ExpressionError("too_large", f"a text may have at most {MAX_TEXT} characters")
        return left + right
    if isinstance(left, list) and isinstance(right, list):
        if len(left) + len(right) > MAX_ITEMS:
            raise ExpressionError("too_large", f"a list may have at most {MAX_ITEMS} items")
        return left + right
    _numbers("+", left, right)
    return left + right


def _subtract(left: Any, right: Any) -> Any:
    if isinstance(left, datetime) and isinstance(right, datetime):
        return (left - right).total_seconds()
    _numbers("-", left, right)
    return left - right


def _multiply(left: Any, right: Any) -> Any:
    _numbers("*", left, right)
    return left * right


def _divide(left: Any, right: Any) -> Any:
    _numbers("/", left, right)
    return left / right


def _floor_divide(left: Any, right: Any) -> Any:
    _numbers("//", left, right)
    return left // right


def _modulo(left: Any, right: Any) -> Any:
    _numbers("%", left, right)
    return left % right


_BINARY: dict[type[ast.Node], Callable[[Any, Any], Any]] = {
    ast.Add: _add,
    ast.Sub: _subtract,
    ast.Mul: _multiply,
    ast.Div: _divide,
    ast.FloorDiv: _floor_divide,
    ast.Mod: _modulo,
}


class _Budget:
    """How much one operation may still produce. Values share parts, so their size alone says too little."""

    __slots__ = ("left",)

    def __init__(self, left: int = MAX_RESULT) -> None:
        self.left = left

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise ExpressionError("too_large", f"a value may hold at most {MAX_RESULT} characters and items")


def written(value: Any, budget: _Budget | None = None) -> str:
    """A value as text in a template: nothing for none, ``true``/``false``, whole floats without ``.0``."""
    budget = budget or _Budget()
    budget.spend(1)
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < MAX_NUMBER else str(value)
        case datetime() | date():
            return value.isoformat()
        case list() | tuple():
            return ", ".join([written(one, budget) for one in value])
        case Mapping():
            return ", ".join([f"{key}: {written(part, budget)}" for key, part in value.items()])
        case str():
            budget.spend(len(value))
            return value
        case _:
            return str(_bounded(value))


def _limited(value: Any) -> Any:
    if len(value) > MAX_ITEMS:
        raise ExpressionError("too_large", f"a list may have at most {MAX_ITEMS} items")
    return value


def _short(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise ExpressionError("too_large", f"a text may have at most {MAX_TEXT} characters")
    return text


_TIME_PARTS: dict[str, Callable[[datetime], Any]] = {
    "year": lambda t: t.year,
    "month": lambda t: t.month,
    "day": lambda t: t.day,
    "hour": lambda t: t.hour,
    "minute": lambda t: t.minute,
    "second": lambda t: t.second,
    "weekday": lambda t: t.isoweekday(),
    "date": lambda t: t.date().isoformat(),
}


def _attribute(value: Any, name: str, path: str) -> Any:
    if isinstance(value, Mapping):
        if name in value:
            return value[name]
    elif isinstance(value, datetime) and name in _TIME_PARTS:
        return _TIME_PARTS[name](value)
    raise UndefinedValueError(path)


def _item(value: Any, key: Any, path: str) -> Any:
    if isinstance(value, Mapping) and isinstance(key, str):
        return _attribute(value, key, path)
    if isinstance(value, list | tuple | str) and isinstance(key, int) and not isinstance(key, bool):
        if -len(value) <= key < len(value):
            return value[key]
        raise UndefinedValueError(path)
    if isinstance(value, datetime) and isinstance(key, str):
        return _attribute(value, key, path)
    raise UndefinedValueError(path)


# --- filters ----------------------------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    return _short(written(value))


def _join(value: Any, separator: Any = ", ") -> str:
    if not isinstance(value, list | tuple):
        raise ExpressionError("type", f"join needs a list, not {_kind(value)}")
    budget = _Budget()
    parts = [written(one, budget) for one in _limited(value)]
    between = _text(separator)
    if sum(len(part) for part in parts) + len(between) * len(parts) > MAX_TEXT:
        raise ExpressionError("too_large", f"a text may have at most {MAX_TEXT} characters")
    return between.join(parts)


def _replace(value: Any, old: Any, new: Any) -> str:
    text, before, after = _text(value), _text(old), _text(new)
    if not before:
        raise ExpressionError("type", "replace needs the text that is to be replaced")
    if len(text) + text.count(before) * max(0, len(after) - len(before)) > MAX_TEXT:
        raise ExpressionError("too_large", f"a text may have at most {MAX_TEXT} characters")
    return text.replace(before, after)


def _sequence(value: Any, name: str) -> Any:
    if not isinstance(value, list | tuple | str):
        raise ExpressionError("type", f"{name} needs a list or a text, not {_kind(value)}")
    return value


def _first(value: Any) -> Any:
    found = _sequence(value, "first")
    if not found:
        raise UndefinedValueError("the first item of an empty list")
    return found[0]


def _last(value: Any) -> Any:
    found = _sequence(value, "last")
    if not found:
        raise UndefinedValueError("the last item of an empty list")
    return found[-1]


def _slice(value: Any, start: Any = 0, stop: Any = None) -> Any:
    for bound in (start, stop):
        if bound is not None and (not isinstance(bound, int) or isinstance(bound, bool)):
            raise ExpressionError("type", "slice needs whole numbers")
    return _sequence(value, "slice")[start:stop]


def _length(value: Any) -> int:
    if not isinstance(value, list | tuple | str | Mapping):
        raise ExpressionError("type", f"length needs a list, a mapping or a text, not {_kind(value)}")
    return len(value)


def _int(value: Any) -> int:
    return int(formats.as_number(value)) if not isinstance(value, bool) else int(value)


def _float(value: Any) -> float:
    return float(formats.as_number(value))


def _round(value: Any, digits: Any = 0) -> int | float:
    return formats.rounded(value, _small(digits))


def _small(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 12:
        raise ExpressionError("type", "decimals are a whole number from 0 to 6")
    return value


def _number_list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list | tuple) or not value or not all(_is_number(one) for one in _limited(value)):
        raise ExpressionError("type", f"{name} needs a list of numbers that is not empty")
    return list(value)


def _currency(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 3 or not value.isascii() or not value.isupper():
        raise ExpressionError("type", "a currency is a code of three letters, such as CNY")
    return value


def _shift(scope: Scope, value: Any, days: Any = 0, hours: Any = 0, minutes: Any = 0) -> datetime:
    if not all(_is_number(part) and abs(part) <= 1_000_000 for part in (days, hours, minutes)):
        raise ExpressionError("type", "shift needs numbers of days, hours and minutes")
    return formats.as_datetime(value, scope.zone) + timedelta(days=days, hours=hours, minutes=minutes)


Filter = Callable[..., Any]

_FILTERS: dict[str, tuple[Filter, int, tuple[str, ...]]] = {
    # name: (function of scope and value, arguments allowed, their names)
    "number": (
        lambda s, v, decimals=None: formats.number(v, s.language, None if decimals is None else _small(decimals)),
        1,
        ("decimals",),
    ),
    "money": (lambda s, v, currency="CNY": formats.money(v, s.language, _currency(currency)), 1, ("currency",)),
    "date": (lambda s, v: formats.date_text(v, s.language, s.zone), 0, ()),
    "time": (lambda s, v: formats.time_text(v, s.language, s.zone), 0, ()),
    "datetime": (lambda s, v: formats.datetime_text(v, s.language, s.zone), 0, ()),
    "digits": (lambda s, v: formats.digits(_text(v)[: MAX_TEXT // 2]), 0, ()),
    "upper": (lambda s, v: _text(v).upper(), 0, ()),
    "lower": (lambda s, v: _text(v).lower(), 0, ()),
    "trim": (lambda s, v: _text(v).strip(), 0, ()),
    "round": (lambda s, v, digits=0: _round(v, digits), 1, ("digits",)),
    "abs": (lambda s, v: abs(formats.as_number(v)), 0, ()),
    "int": (lambda s, v: _int(v), 0, ()),
    "float": (lambda s, v: _float(v), 0, ()),
    "number_of": (lambda s, v: formats.as_number(v), 0, ()),
    "string": (lambda s, v: _text(v), 0, ()),
    "length": (lambda s, v: _length(v), 0, ()),
    "join": (lambda s, v, separator=", ": _join(v, separator), 1, ("separator",)),
    "first": (lambda s, v: _first(v), 0, ()),
    "last": (lambda s, v: _last(v), 0, ()),
    "slice": (lambda s, v, start=0, stop=None: _slice(v, start, stop), 2, ("start", "stop")),
    "replace": (lambda s, v, old, new: _replace(v, old, new), 2, ("old", "new")),
    "min": (lambda s, v: min(_number_list(v, "min")), 0, ()),
    "max": (lambda s, v: max(_number_list(v, "max")), 0, ()),
    "sum": (lambda s, v: sum(_number_list(v, "sum")) if v != [] else 0, 0, ()),
    "shift": (_shift, 3, ("days", "hours", "minutes")),
}

FILTERS = frozenset(_FILTERS) | {"default"}
TESTS = frozenset({"defined", "undefined", "none", "number", "string", "even", "odd", "empty"})

_TESTS: dict[str, Callable[[Any], bool]] = {
    "none": lambda v: v is None,
    "number": _is_number,
    "string": lambda v: isinstance(v, str),
    "even": lambda v: isinstance(v, int) and v % 2 == 0,
    "odd": lambda v: isinstance(v, int) and v % 2 == 1,
    "empty": lambda v: v is None or (isinstance(v, str | list | tuple | Mapping) and len(v) == 0),
}


# --- compiling --------------------------------------------------------------------------------------------------------

_environment = jinja2.Environment(autoescape=False)  # noqa: S701  (it only parses; nothing is rendered by Jinja2)
_FORBIDDEN = "is not allowed here: only values, operators and the filters of the reference may be used"


def _parse(source: str, limit: int) -> ast.Template:
    if len(source) > limit:
        raise ExpressionError("too_large", f"the text may have at most {limit} characters")
    depth = 0
    for character in source:
        if character in "([{":
            depth += 1
            if depth > 4 * MAX_DEPTH:
                raise ExpressionError("too_large", f"brackets may be nested at most {MAX_DEPTH} deep")
        elif character in ")]}":
            depth = max(0, depth - 1)
    try:
        return _environment.parse(source)
    except jinja2.TemplateSyntaxError as error:
        raise ExpressionError("syntax", error.message or "the syntax is wrong") from None
    except (RecursionError, MemoryError):
        raise ExpressionError("too_large", "the expression is nested too deep") from None
    except (ValueError, OverflowError):
        raise ExpressionError("too_large", "a number is too large") from None


class _Compiler:
    """Turns the syntax tree into closures, refusing everything that is not on the list."""

    def __init__(self) -> None:
        self._count = 0

    def expression(self, node: ast.Node, depth: int = 0) -> Compute:
        self._count += 1
        if self._count > MAX_NODES or depth > MAX_DEPTH:
            raise ExpressionError("too_large", "the expression is too long or nested too deep: split it over variables")
        below = depth + 1
        match node:
            case ast.Const():
                return self._constant(node.value)
            case ast.Name():
                return self._name(node.name)
            case ast.List() | ast.Tuple():
                parts = [self.expression(one, below) for one in node.items]
                return lambda scope: [part(scope) for part in parts]
            case ast.Dict():
                pairs = [(self.expression(one.key, below), self.expression(one.value, below)) for one in node.items]

                def mapping(scope: Scope) -> dict[str, Any]:
                    return {_text(key(scope)): value(scope) for key, value in pairs}

                return mapping
            case ast.Getattr():
                return self._getattr(node, below)
            case ast.Getitem():
                return self._getitem(node, below)
            case ast.Not():
                negated = self.expression(node.node, below)
                return lambda scope: not negated(scope)
            case ast.Neg() | ast.Pos():
                sign = -1 if isinstance(node, ast.Neg) else 1
                signed = self.expression(node.node, below)
                return lambda scope: _multiply(sign, signed(scope))
            case ast.And():
                left, right = self.expression(node.left, below), self.expression(node.right, below)
                return lambda scope: left(scope) and right(scope)
            case ast.Or():
                left, right = self.expression(node.left, below), self.expression(node.right, below)
                return lambda scope: left(scope) or right(scope)
            case ast.Concat():
                pieces = [self.expression(one, below) for one in node.nodes]
                return lambda scope: _joined([_text(piece(scope)) for piece in pieces])
            case ast.CondExpr():
                return self._condition(node, below)
            case ast.Compare():
                return self._compare(node, below)
            case ast.Filter():
                return self._filter(node, below)
            case ast.Test():
                return self._test(node, below)
            case ast.BinExpr() if type(node) in _BINARY:
                operate = _BINARY[type(node)]
                left, right = self.expression(node.left, below), self.expression(node.right, below)

                def binary(scope: Scope) -> Any:
                    try:
                        return _bounded(operate(left(scope), right(scope)))
                    except ZeroDivisionError:
                        raise ExpressionError("zero_division", "a division by zero") from None
                    except OverflowError:
                        raise ExpressionError("too_large", "the number is too large") from None

                return binary
            case _:
                raise ExpressionError("forbidden", f"{_name_of(node)} {_FORBIDDEN}")

    def _constant(self, value: Any) -> Compute:
        if not (value is None or isinstance(value, bool | int | float | str)):
            raise ExpressionError("forbidden", f"this constant {_FORBIDDEN}")
        checked = _bounded(value)
        return lambda scope: checked

    def _name(self, name: str) -> Compute:
        if name.startswith("_"):
            raise ExpressionError("forbidden", f"the name {name} {_FORBIDDEN}")

        def look_up(scope: Scope) -> Any:
            try:
                return scope.values[name]
            except KeyError:
                raise UndefinedValueError(name) from None

        return look_up

    def _getattr(self, node: ast.Getattr, below: int) -> Compute:
        name, path = node.attr, _path(node)
        if name.startswith("_"):
            raise ExpressionError("forbidden", f"the name {name} {_FORBIDDEN}")
        owner = self.expression(node.node, below)
        return lambda scope: _attribute(owner(scope), name, path)

    def _getitem(self, node: ast.Getitem, below: int) -> Compute:
        owner, path = self.expression(node.node, below), _path(node)
        if isinstance(node.arg, ast.Slice):
            if node.arg.step is not None:
                raise ExpressionError("forbidden", f"a slice with a step {_FORBIDDEN}")
            nothing: Compute = lambda scope: None  # noqa: E731
            start = self.expression(node.arg.start, below) if node.arg.start is not None else nothing
            stop = self.expression(node.arg.stop, below) if node.arg.stop is not None else nothing
            return lambda scope: _slice(owner(scope), start(scope), stop(scope))
        if isinstance(node.arg, ast.Const) and isinstance(node.arg.value, str) and node.arg.value.startswith("_"):
            raise ExpressionError("forbidden", f"the name {node.arg.value} {_FORBIDDEN}")
        key = self.expression(node.arg, below)
        return lambda scope: _item(owner(scope), key(scope), path)

    def _condition(self, node: ast.CondExpr, below: int) -> Compute:
        test, yes = self.expression(node.test, below), self.expression(node.expr1, below)
        no = self.expression(node.expr2, below) if node.expr2 is not None else None

        def choose(scope: Scope) -> Any:
            if test(scope):
                return yes(scope)
            return no(scope) if no is not None else None

        return choose

    def _compare(self, node: ast.Compare, below: int) -> Compute:
        first = self.expression(node.expr, below)
        rest = [(operand.op, self.expression(operand.expr, below)) for operand in node.ops]

        def compare(scope: Scope) -> bool:
            left = first(scope)
            for operator, compute in rest:
                right = compute(scope)
                if not _compared(operator, left, right):
                    return False
                left = right
            return True

        return compare

    def _filter(self, node: ast.Filter, below: int) -> Compute:
        if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
            raise ExpressionError("forbidden", f"this form of a filter {_FORBIDDEN}")
        value = self.expression(node.node, below)
        arguments = [self.expression(one, below) for one in node.args]
        named = {str(one.key): self.expression(one.value, below) for one in node.kwargs}
        if node.name == "default":
            return self._default(value, arguments, named)
        if node.name not in _FILTERS:
            raise ExpressionError(
                "forbidden", f"there is no filter {node.name}; there are: {', '.join(sorted(FILTERS))}"
            )
        function, most, names = _FILTERS[node.name]
        if len(arguments) + len(named) > most or any(name not in names[len(arguments) :] for name in named):
            raise ExpressionError("syntax", f"the filter {node.name} takes {', '.join(names) or 'no arguments'}")
        if node.name == "replace" and len(arguments) + len(named) != 2:
            raise ExpressionError("syntax", "the filter replace takes old, new")

        def apply(scope: Scope) -> Any:
            given = value(scope)
            try:
                return _bounded(
                    function(
                        scope,
                        given,
                        *(one(scope) for one in arguments),
                        **{key: one(scope) for key, one in named.items()},
                    )
                )
            except ExpressionError:
                raise
            except (ValueError, TypeError, ArithmeticError, LookupError):
                raise ExpressionError("type", f"the filter {node.name} cannot be used on {_kind(given)}") from None

        return apply

    def _default(self, value: Compute, arguments: list[Compute], named: dict[str, Compute]) -> Compute:
        if len(arguments) != 1 or named:
            raise ExpressionError("syntax", "the filter default takes the value that stands in")
        stand_in = arguments[0]

        def default(scope: Scope) -> Any:
            try:
                found = value(scope)
            except UndefinedValueError:
                return stand_in(scope)
            return stand_in(scope) if found is None or found == "" else found

        return default

    def _test(self, node: ast.Test, below: int) -> Compute:
        if node.args or node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
            raise ExpressionError("forbidden", f"a test with arguments {_FORBIDDEN}")
        if node.name not in TESTS:
            raise ExpressionError("forbidden", f"there is no test {node.name}; there are: {', '.join(sorted(TESTS))}")
        value = self.expression(node.node, below)
        if node.name in ("defined", "undefined"):
            wanted = node.name == "defined"

            def defined(scope: Scope) -> bool:
                try:
                    value(scope)
                except UndefinedValueError:
                    return not wanted
                return wanted

            return defined
        check = _TESTS[node.name]
        return lambda scope: check(value(scope))

    def template(self, parts: list[ast.Node], depth: int = 0) -> Compute:
        """The body of a template: text, ``{{ }}`` and ``{% if %}``."""
        if depth > MAX_DEPTH:
            raise ExpressionError("too_large", "the template is nested too deep")
        pieces: list[Compute] = []
        for part in parts:
            self._count += 1
            match part:
                case ast.Output():
                    for one in part.nodes:
                        if isinstance(one, ast.TemplateData):
                            pieces.append(_words(one.data))
                        else:
                            pieces.append(_lenient(self.expression(one)))
                case ast.If():
                    branches = [(part.test, part.body), *((one.test, one.body) for one in part.elif_)]
                    tests = [(self.expression(test), self.template(body, depth + 1)) for test, body in branches]
                    pieces.append(_branches(tests, self.template(part.else_, depth + 1)))
                case _:
                    raise ExpressionError("forbidden", f"{_name_of(part)} {_FORBIDDEN}")
        return lambda scope: _joined([piece(scope) for piece in pieces])


def _words(text: str) -> Compute:
    return lambda scope: text


def _lenient(compute: Compute) -> Compute:
    """In a template a value that is missing leaves a gap, not an error."""

    def value(scope: Scope) -> str:
        try:
            return _text(compute(scope))
        except UndefinedValueError:
            return ""

    return value


def _branches(tests: list[tuple[Compute, Compute]], otherwise: Compute) -> Compute:
    def choose(scope: Scope) -> Any:
        for test, body in tests:
            try:
                chosen = bool(test(scope))
            except UndefinedValueError:
                chosen = False
            if chosen:
                return body(scope)
        return otherwise(scope)

    return choose


def _joined(pieces: list[str]) -> str:
    if sum(len(piece) for piece in pieces) > MAX_TEXT:
        raise ExpressionError("too_large", f"a text may have at most {MAX_TEXT} characters")
    return "".join(pieces)


def _compared(operator: str, left: Any, right: Any) -> bool:
    try:
        match operator:
            case "eq":
                return bool(left == right)
            case "ne":
                return bool(left != right)
            case "gt":
                return bool(left > right)
            case "gteq":
                return bool(left >= right)
            case "lt":
                return bool(left < right)
            case "lteq":
                return bool(left <= right)
            case "in":
                return left in right
            case "notin":
                return left not in right
    except TypeError:
        pass
    except RecursionError:
        raise ExpressionError("too_large", "the values are nested too deep to compare") from None
    raise ExpressionError("type", f"{_kind(left)} cannot be compared with {_kind(right)}")


def _path(node: ast.Node) -> str:
    """A chain of names as the author wrote it, for messages."""
    match node:
        case ast.Name():
            return node.name
        case ast.Getattr():
            return f"{_path(node.node)}.{node.attr}"
        case ast.Getitem():
            key = node.arg.value if isinstance(node.arg, ast.Const) else "…"
            return f"{_path(node.node)}[{key!r}]" if key != "…" else f"{_path(node.node)}[…]"
        case _:
            return "the value"


def _name_of(node: ast.Node) -> str:
    names = {"Pow": "**", "Call": "a call", "For": "a loop", "Macro": "a macro", "Assign": "an assignment"}
    return names.get(type(node).__name__, f"`{type(node).__name__.lower()}`")


@lru_cache(maxsize=8192)
def _parsed_expression(source: str) -> tuple[ast.Node, Compute]:
    text = source.strip()
    if text.startswith("{{") and text.endswith("}}"):
        text = text[2:-2].strip()
    if not text:
        raise ExpressionError("syntax", "the expression is empty")
    if "{{" in text or "}}" in text or "{%" in text or "%}" in text or "{#" in text:
        # A mapping such as {"a": {}} closes with }}, which the template syntax would take for its own end.
        raise ExpressionError("syntax", "write one expression without {{ }}; put a space between two braces")
    tree = _parse("{{ " + text + " }}", MAX_EXPRESSION + 6)
    body = tree.body
    if len(body) != 1 or not isinstance(body[0], ast.Output) or len(body[0].nodes) != 1:
        raise ExpressionError("syntax", "write one expression")
    node = body[0].nodes[0]
    if isinstance(node, ast.TemplateData):
        raise ExpressionError("syntax", "write one expression")
    try:
        return node, _Compiler().expression(node)
    except RecursionError:
        raise ExpressionError("too_large", "the expression is nested too deep") from None


@lru_cache(maxsize=8192)
def _parsed_template(source: str) -> tuple[ast.Template, Compute]:
    tree = _parse(source, MAX_TEMPLATE)
    try:
        return tree, _Compiler().template(tree.body)
    except RecursionError:
        raise ExpressionError("too_large", "the template is nested too deep") from None


def evaluate(source: str, scope: Scope) -> Any:
    """The value of an expression, with its own type. Raises `ExpressionError`."""
    return _whole(_parsed_expression(source)[1](scope))


def render(source: str, scope: Scope, language: str | None = None) -> str:
    """The text of a template; values that are missing leave a gap. Raises `ExpressionError`."""
    if "{" not in source:
        return source
    if language is not None and language != scope.language:
        scope = Scope(scope.values, language, scope.zone)
    return str(_parsed_template(source)[1](scope))


def _whole(value: Any, budget: _Budget | None = None) -> Any:
    """A result as plain data: times become ISO text, since results are stored as JSON."""
    budget = budget or _Budget()
    budget.spend(1)
    match value:
        case datetime() | date():
            return value.isoformat()
        case list() | tuple():
            return [_whole(one, budget) for one in value]
        case Mapping():
            return {str(key): _whole(part, budget) for key, part in value.items()}
        case str():
            budget.spend(len(value))
            return _bounded(value)
        case _:
            return _bounded(value)


# --- checking ---------------------------------------------------------------------------------------------------------

ANY: Any = object()
"""Stands for "whatever name" in `Names`."""


@dataclass(frozen=True, slots=True)
class Names:
    """What an author may name. A mapping lists the names below a name, `ANY` allows every one."""

    tree: Mapping[str, Any] = field(default_factory=dict)


def check(source: str, names: Names | None = None, *, template: bool = False) -> list[Problem]:
    """What is wrong with an expression or template: its syntax, and names that do not exist."""
    return list(dict.fromkeys(found for found, _ in check_paths(source, names, template=template)))


def check_paths(source: str, names: Names | None = None, *, template: bool = False) -> list[tuple[Problem, str]]:
    """As `check`, each finding with the dotted path that it is about; empty for the whole text."""
    try:
        tree = _parsed_template(source)[0] if template else _parsed_expression(source)[0]
    except ExpressionError as error:
        words = said(error.reason, str(error))
        wrong = problem(
            f"expression_{error.reason}",
            f"表达式有误，请改正：{words.zh}",
            f"the expression is wrong, correct it: {words.en}",
        )
        return [(wrong, "")]
    if names is None:
        return []
    found: list[tuple[Problem, str]] = []
    _check_names(tree, names.tree, found, guarded=template)
    return list(dict.fromkeys(found))


def paths_of(source: str, *, template: bool = False) -> list[tuple[str, ...]]:
    """The chains of names that an expression or template uses, such as ``("vars", "card")``; none when it is wrong.

    A chain ends before a name that is computed.
    """
    try:
        tree = _parsed_template(source)[0] if template else _parsed_expression(source)[0]
    except ExpressionError:
        return []
    found: list[tuple[str, ...]] = []
    _gather_paths(tree, found)
    return list(dict.fromkeys(found))


def _gather_paths(node: ast.Node, found: list[tuple[str, ...]]) -> None:
    chain = _chain(node)
    if chain is None:
        for child in node.iter_child_nodes():
            _gather_paths(child, found)
        return
    known = chain[: chain.index(None)] if None in chain else chain
    found.append(tuple(str(name) for name in known))
    below: ast.Node = node
    while isinstance(below, ast.Getattr | ast.Getitem):
        if isinstance(below, ast.Getitem) and not isinstance(below.arg, ast.Const):
            _gather_paths(below.arg, found)
        below = below.node


def _check_names(node: ast.Node, names: Mapping[str, Any], found: list[tuple[Problem, str]], *, guarded: bool) -> None:
    chain = _chain(node)
    if chain is not None:
        _check_chain(chain, names, found)
        # The parts of a dynamic subscript are expressions of their own.
        for owner in node.find_all(ast.Getitem):
            if not isinstance(owner.arg, ast.Const):
                _check_names(owner.arg, names, found, guarded=guarded)
        if isinstance(node, ast.Getitem) and not isinstance(node.arg, ast.Const):
            _check_names(node.arg, names, found, guarded=guarded)
        return
    for child in node.iter_child_nodes():
        _check_names(child, names, found, guarded=guarded)


def _chain(node: ast.Node) -> list[str | None] | None:
    """``vars.a['b']`` as names; None in place of a name that is computed."""
    match node:
        case ast.Name():
            return [node.name]
        case ast.Getattr():
            owner = _chain(node.node)
            return None if owner is None else [*owner, node.attr]
        case ast.Getitem():
            owner = _chain(node.node)
            if owner is None:
                return None
            key = node.arg.value if isinstance(node.arg, ast.Const) else None
            return [*owner, key if isinstance(key, str) else None]
        case _:
            return None


def _check_chain(chain: list[str | None], names: Mapping[str, Any], found: list[tuple[Problem, str]]) -> None:
    known: Any = names
    for depth, name in enumerate(chain):
        if known is ANY or name is None or not isinstance(known, Mapping):
            return
        if name in known:
            known = known[name]
            continue
        written_path = ".".join(str(part) for part in chain[: depth + 1])
        options = sorted(str(one) for one in known)[:20] or ["-"]
        code = {"vars": "unknown_variable", "nodes": "unknown_output"}.get(
            str(chain[0]) if depth else "", "unknown_name"
        )
        wrong = problem(
            code,
            f"没有 {written_path}；可以用：{'、'.join(options)}",
            f"there is no {written_path}; there are: {', '.join(options)}",
        )
        found.append((wrong, written_path))
        return
