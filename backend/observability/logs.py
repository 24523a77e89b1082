"""Log lines: plain text for people or one JSON object a line, with the call and the run that each line belongs to.

`within(call=..., run=...)` marks what happens inside it, tasks that are started there included. Whatever logs inside
an activity or a workflow of a run without such a mark is given the run of that. Confidential values never reach a
line: those that the process knows (`Redactor.hide`), and whatever has the shape of one.
"""

import contextlib
import json
import logging
import re
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal, ParamSpec, TextIO, TypeVar

from pydantic import SecretStr
from temporalio import activity, workflow

from backend.settings import Settings

Format = Literal["text", "json"]
Levels = Literal["debug", "info", "warning", "error"]

P = ParamSpec("P")
R = TypeVar("R")

FIELDS = ("call", "run", "business", "flow", "node", "step")
"""What a line may belong to, in the order of the plain format."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_marks: ContextVar[Mapping[str, str]] = ContextVar("callweave_log", default=_NOTHING)

HIDDEN = "•••"
NOISY = ("httpx", "httpcore", "uvicorn.error", "sqlalchemy", "aiosqlite", "asyncpg", "websockets", "opentelemetry",
         "urllib3", "asyncio")  # fmt: skip
"""Libraries whose lines below a warning are of no use here; some of them would show addresses with passwords, or the
values that are written to the database."""


# --------------------------------------------------------------------------- what a line belongs to


def marks() -> Mapping[str, str]:
    """What the code that asks belongs to: its own marks, else the run of the activity or workflow around it."""
    found = _marks.get()
    if found:
        return found
    with contextlib.suppress(Exception):
        if activity.in_activity():
            return {"run": activity.info().workflow_id or ""}
        if workflow.in_workflow():
            return {"run": workflow.info().workflow_id}
    return found


def mark(**fields: str) -> None:
    """Mark the rest of this task. Empty values are left out."""
    _marks.set({**_marks.get(), **{name: value for name, value in fields.items() if value}})


@contextlib.contextmanager
def within(**fields: str) -> Iterator[None]:
    """Mark what happens inside the block, with `FIELDS`. Empty values are left out."""
    token = _marks.set({**_marks.get(), **{name: value for name, value in fields.items() if value}})
    try:
        yield
    finally:
        _marks.reset(token)


def in_call(work: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """`work`, whose first argument is a call, with its lines marked by that call and its run."""

    async def marked(*args: P.args, **kwargs: P.kwargs) -> R:
        name = str(getattr(args[0], "id", ""))
        with within(call=name, run=f"call-{name}" if name else ""):
            return await work(*args, **kwargs)

    return marked


# --------------------------------------------------------------------------- what never reaches a line


_SHAPES = (
    # user:password@ in an address
    (re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)", re.I), r"\g<keep>" + HIDDEN),
    # key=value, "key": "value", key: value
    (
        re.compile(
            r"(?P<keep>\b(?:api_key|apikey|access_token|token|password|passwd|secret|pin|authorization|cookie)\b"
            r"[\"']?\s*[=:]\s*(?:bearer\s+|basic\s+)?[\"']?)(?!•)[^\s\"'&,;)}\]]+",
            re.I,
        ),
        r"\g<keep>" + HIDDEN,
    ),
    (re.compile(r"(?P<keep>\bbearer\s+)(?!•)[A-Za-z0-9._~+/=-]{8,}", re.I), r"\g<keep>" + HIDDEN),
    # the key of a telephone: it may belong to a PIN or a card
    (re.compile(r"(?P<keep>\bdigits?=)(?:'[^']*'|\"[^\"]*\")"), r"\g<keep>" + HIDDEN),
)


class Redactor:
    """Takes confidential values out of text: those it was told, and what looks like one."""

    SHORTEST = 6
    """A shorter value would be found inside ordinary words and numbers."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: set[str] = set()
        self._known: re.Pattern[str] | None = None
        self.hide(*values)

    def hide(self, *values: str) -> None:
        """From now on these never pass."""
        fresh = {value for value in values if len(value) >= self.SHORTEST} - self._values
        if fresh:
            self._values |= fresh
            longest = sorted(self._values, key=len, reverse=True)
            self._known = re.compile("|".join(re.escape(value) for value in longest))

    def clean(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for shape, shown in _SHAPES:
            text = shape.sub(shown, text)
        return text


def secrets_of(config: Settings) -> list[str]:
    """The confidential values of the settings, and the passwords inside their addresses."""
    found = []
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, SecretStr):
            found.append(value.get_secret_value())
    return [value for value in found if value]


# --------------------------------------------------------------------------- formats


class _Formatter(logging.Formatter):
    """What both formats share: marks, and a text without confidential values or line breaks that forge lines."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self.redactor = redactor

    def message_of(self, record: logging.LogRecord) -> str:
        try:
            return record.getMessage()
        except Exception as problem:
            # A line whose arguments do not fit is still worth something.
            return f"{record.msg} {record.args!r} ({type(problem).__name__})"

    def trace_of(self, record: logging.LogRecord) -> str:
        if record.exc_info and record.exc_info[1] is not None:
            return "".join(traceback.format_exception(*record.exc_info)).rstrip()
        return ""


class TextFormatter(_Formatter):
    """``2026-11-24 09:30:00,123 INFO backend.runtime.gateway: words [call=... run=...]``"""

    def format(self, record: logging.LogRecord) -> str:
        at = self.formatTime(record)
        where = " ".join(f"{name}={value}" for name, value in _ordered(marks_of(record)).items())
        words = self.message_of(record).replace("\r", "\\r").replace("\n", "\n    ")
        line = f"{at} {record.levelname} {record.name}: {words}" + (f" [{where}]" if where else "")
        trace = self.trace_of(record)
        return self.redactor.clean(f"{line}\n{trace}" if trace else line)


class JsonFormatter(_Formatter):
    """One object a line: ``at`` (UTC), ``level``, ``logger``, ``message``, the marks, ``error`` with a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.redactor.clean(self.message_of(record)),
            **_ordered(marks_of(record)),
        }
        trace = self.trace_of(record)
        if trace:
            told["error"] = self.redactor.clean(trace)
        return json.dumps(told, ensure_ascii=False)


def marks_of(record: logging.LogRecord) -> Mapping[str, str]:
    """The marks that a record was made with."""
    found: Mapping[str, str] = getattr(record, "callweave", _NOTHING)
    return found


def _ordered(found: Mapping[str, str]) -> dict[str, str]:
    return {name: found[name] for name in FIELDS if found.get(name)}


class _Mark(logging.Filter):
    """Puts the marks on a record where it is made: a handler may run elsewhere, or later."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.callweave = marks()
        return True


# --------------------------------------------------------------------------- setting up

redactor = Redactor()
"""Of this process."""


def hide(*values: str) -> None:
    """From now on these values reach no line of this process."""
    redactor.hide(*values)


def handler(format: Format, redactor: Redactor, stream: TextIO | None = None) -> logging.Handler:
    """A handler that writes lines of that format."""
    made = logging.StreamHandler(stream if stream is not None else sys.stderr)
    made.setFormatter(JsonFormatter(redactor) if format == "json" else TextFormatter(redactor))
    made.addFilter(_Mark())
    return made


def levels_of(text: str) -> dict[str, int]:
    """``backend.runtime=debug, telephony=warning`` as levels by logger. Raises ValueError naming what is wrong."""
    found: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, level = (piece.strip() for piece in part.partition("="))
        if not name or level not in ("debug", "info", "warning", "error"):
            raise ValueError(f"{part!r} is no logger=level, where the level is debug, info, warning or error")
        found[name] = getattr(logging, level.upper())
    return found


def set_up(config: Settings, stream: TextIO | None = None) -> None:
    """Logging of this process as the settings say."""
    hide(*secrets_of(config))
    level = getattr(logging, config.log_level.upper())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler(config.log_format, redactor, stream))
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for name, own in levels_of(config.log_levels).items():
        logging.getLogger(name).setLevel(own)
