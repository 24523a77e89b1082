"""What nodes may ask of the product around them: small Protocols that `backend` implements.

Every method is async and scoped to one business by the object that implements it. Test doubles for all of
them live in `nodes.sdk.testing`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict


class Customer(BaseModel):
    """A customer as flows see it; ``fields`` holds what the business added."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str = ""
    card: str = ""
    phones: list[str] = []
    level: str = ""
    language: str = ""
    fields: dict[str, Any] = {}


class PinCheck(BaseModel):
    """Result of a PIN check. ``left`` counts the tries that remain before the lock."""

    model_config = ConfigDict(frozen=True)

    result: Literal["ok", "wrong", "locked", "unknown"]
    left: int = 0
    customer: Customer | None = None


class Customers(Protocol):
    """Customer records."""

    async def find(self, *, by: Literal["phone", "card", "id"], value: str) -> Customer | None: ...

    async def update(self, customer_id: str, changes: Mapping[str, Any]) -> Customer:
        """Set fields; idempotent. Raises NodeError ``not_found`` or ``bad_field``."""
        ...

    async def check_pin(self, *, card: str, pin: str, tries: int, key: str) -> PinCheck:
        """Compare a PIN with the stored argon2id hash; `tries` wrong ones in a row lock the card.

        `key` names the execution: the same key never counts twice.
        """
        ...


class Queries(Protocol):
    """Named read-only SQL queries of the business, over its data sources."""

    async def run(self, name: str, parameters: Mapping[str, Any], *, limit: int) -> list[dict[str, Any]]:
        """Rows as dictionaries. Raises NodeError ``unknown_query``, ``bad_parameters``, ``query_failed``."""
        ...


@dataclass(frozen=True, slots=True)
class Credential:
    """A named credential resolved to HTTP terms. Never logged: its repr hides the values."""

    headers: Mapping[str, str]
    query: Mapping[str, str]

    def __repr__(self) -> str:
        return "Credential(…)"


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What an outgoing HTTP request brought: the decoded JSON, or text when it is none."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Web(Protocol):
    """Outgoing HTTP behind the SSRF guard."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        body: Any,
        timeout: float,
        credential: str | None,
        max_bytes: int,
    ) -> HttpReply:
        """Send one request. Raises NodeError ``blocked_address``, ``timeout``, ``connect_failed``,
        ``unknown_credential``, ``too_large``."""
        ...


class Messages(Protocol):
    """SMS and mail through the sender port. `key` makes a send idempotent: a second call returns the first id.

    By `run_id` the message is found with the customer of the flow or its call.
    """

    async def send_sms(self, *, to: str, text: str, key: str, run_id: str = "") -> str: ...

    async def send_mail(
        self,
        *,
        to: Sequence[str],
        subject: str,
        text: str,
        html: str | None,
        attachments: Sequence[Path],
        key: str,
        run_id: str = "",
    ) -> str: ...


class HoursState(BaseModel):
    """Where a calendar stands: ``open``, ``closed`` by the week plan, ``holiday`` or a ``special`` closed day."""

    model_config = ConfigDict(frozen=True)

    state: Literal["open", "closed", "holiday", "special"]
    name: str = ""
    next_change: datetime | None = None


class Calendars(Protocol):
    """Opening hours."""

    async def state(self, calendar: str, at: datetime) -> HoursState:
        """Raises NodeError ``unknown_calendar``."""
        ...


class NumberLists(Protocol):
    """Black, white and VIP lists."""

    async def match(self, list_name: str, number: str) -> bool:
        """Raises NodeError ``unknown_list``."""
        ...


class SavedVoicemail(BaseModel):
    """A message that an execution has stored."""

    model_config = ConfigDict(frozen=True)

    id: str
    seconds: float
    callback_number: str | None = None
    complete: bool = True


class Voicemails(Protocol):
    """Messages that callers leave."""

    async def saved(self, key: str) -> SavedVoicemail | None:
        """What `save` has stored under that key: after a crash nobody is asked to speak twice."""
        ...

    async def save(
        self,
        *,
        key: str,
        box: str,
        call_id: str,
        caller: str,
        recording: Path,
        seconds: float,
        callback_number: str | None,
        complete: bool,
    ) -> str:
        """Store or update the message of this execution and take the file over; returns its id. Idempotent by `key`."""
        ...


class TaskToDo(BaseModel):
    """Work for a person, as a flow asks for it. ``kind``: callback, voicemail, missed, planned or work."""

    model_config = ConfigDict(frozen=True)

    kind: str = "work"
    title: str = ""
    note: str = ""
    priority: int = 5
    due_at: datetime | None = None
    expires_at: datetime | None = None
    remind_minutes: int = 0
    assignee: str = ""
    team: str = ""
    queue: str = ""
    number: str = ""
    customer_id: str = ""
    call_id: str = ""
    voicemail_id: str = ""


class Tasks(Protocol):
    """The list of what people have to do."""

    async def create(self, task: TaskToDo, *, key: str, run_id: str) -> str:
        """Write a task; returns its id. Idempotent by `key`.

        With a `run_id` that run gets the signal ``task.<id>`` when the task is over, with ``state`` (``done``,
        ``given_up``, ``expired``, ``cancelled``), ``result``, ``note``, ``by`` and ``attempts``.
        Raises NodeError ``unknown_agent`` or ``bad_task``.
        """
        ...


class PlacedCall(BaseModel):
    """A call that a flow without one has placed. ``result`` is empty while nobody knows it: it comes by a signal."""

    model_config = ConfigDict(frozen=True)

    call_id: str
    result: Literal["", "answered", "busy", "no_answer", "failed"] = ""
    seconds: float = 0.0
    outcome: str = ""


class Dialler(Protocol):
    """Calls that flows without a call of their own place."""

    async def call(self, *, number: str, connect: str, flow: str, caller_id: str, key: str, run_id: str) -> PlacedCall:
        """Dial; who answers is connected with the number `connect`, or walks the call flow `flow`.

        Idempotent by `key`. When the call is over the run `run_id` gets the signal ``call.<call id>`` with ``result``,
        ``seconds`` and ``outcome``. Raises NodeError ``bad_number``, ``not_allowed``, ``no_trunk``, ``not_found`` or
        ``unavailable`` (retryable).
        """
        ...


class Telephones(Protocol):
    """The number plan as flows use it."""

    async def destination(self, number: str) -> str:
        """The driver destination (``extension:8001``, ``trunk:<name>:<number>``) for what an author wrote.

        Raises NodeError ``bad_number``, ``not_allowed`` (caps, anonymous caller), ``no_trunk``,
        ``trunk_full``.
        """
        ...

    async def caller_id(self, destination: str = "") -> str:
        """The number shown on outgoing calls: that of the trunk which a driver destination leaves through."""
        ...

    def fallback_number(self) -> str:
        """Where callers go when everything else fails; empty for none."""
        ...


class QueueAsk(BaseModel):
    """Who enters a queue, and how.

    ``queue``     its name; empty to wait for one agent only
    ``agent``     the sign-in name or extension of the one agent wanted; ``last`` is who served this call last
    ``skills``    the least level of each skill that this caller needs beside the queue's own
    ``patient``   wait although nobody is signed in
    ``callback``  the caller has left and is to be called back here when their turn comes; empty for one on the line
    ``attempts``  how often who is called back is tried, with ``pause`` seconds between
    """

    model_config = ConfigDict(frozen=True)

    queue: str = ""
    call_id: str = ""
    caller: str = ""
    called: str = ""
    language: str = ""
    agent: str = ""
    priority: int = 0
    vip: bool = False
    skills: dict[str, int] = {}
    transferred: bool = False
    patient: bool = False
    callback: str = ""
    attempts: int = 3
    pause: float = 900.0


class QueueTicket(BaseModel):
    """A place in line; ``refused`` tells why there is none: ``full``, ``closed`` or ``unavailable`` (the agent)."""

    model_config = ConfigDict(frozen=True)

    id: str = ""
    queue: str = ""
    refused: Literal["", "full", "closed", "unavailable"] = ""
    music: str = "default"


class QueueTurn(BaseModel):
    """Where a caller stands.

    ``state``     ``waiting``, ``offer`` (ring `number`), ``talking`` (that offer was answered), or ``over``
    ``place``     1 is the next; ``expected`` seconds of waiting, None when nobody can tell
    ``waited``    seconds in this queue
    ``offer``     counts the offers of this place; it names the leg that rings
    ``back``      the phone was lost in the talk a moment ago and may not be there again yet
    ``agent``     the sign-in name of who is offered, ``agent_id`` their user; both empty for an outside line
    """

    model_config = ConfigDict(frozen=True)

    state: Literal["waiting", "offer", "talking", "over"]
    place: int = 1
    expected: float | None = None
    waited: float = 0.0
    offer: int = 0
    number: str = ""
    agent: str = ""
    agent_id: str = ""
    agent_name: str = ""
    ring_seconds: float = 20.0
    back: bool = False


class QueueState(BaseModel):
    """A queue as it stands. ``expected`` is for a caller who would come now; seconds."""

    model_config = ConfigDict(frozen=True)

    waiting: int = 0
    longest: float = 0.0
    expected: float | None = None
    ready: int = 0
    signed_in: int = 0


Missed = Literal["busy", "no_answer", "rejected", "failed", "lost"]


class Queues(Protocol):
    """Places in line, offers of agents, and what becomes of them. `key` names a place: entering twice is once."""

    async def enter(self, ask: QueueAsk, *, key: str) -> QueueTicket:
        """Take a place, or find it again. Raises NodeError ``unknown_queue``, ``unknown_agent``."""
        ...

    async def turn(self, key: str, *, seconds: float) -> QueueTurn:
        """Where the caller stands: at once when it is their turn, else when it is, at the latest after `seconds`."""
        ...

    async def answered(self, key: str, offer: int) -> bool:
        """The offer was answered. False when it is somebody else's turn by now: then the leg must be hung up."""
        ...

    async def withdrawn(self, key: str, offer: int) -> None:
        """Returns when the caller is not offered so any more: given to somebody else while it rings."""
        ...

    async def missed(self, key: str, offer: int, result: Missed) -> None:
        """The offer came to nothing; the caller keeps the place."""
        ...

    async def ended(self, key: str, offer: int, ended_by: str) -> None:
        """The talk is over; with ``other_lost`` the caller is offered back, then in line in the old place."""
        ...

    async def leave(self, key: str, outcome: str) -> None:
        """The caller leaves the line (``abandoned``, ``timeout``, ``key`` ...); no harm when they have left."""
        ...

    async def state(self, queue: str) -> QueueState:
        """Raises NodeError ``unknown_queue``."""
        ...


class Secrets(Protocol):
    """Confidential values travel as opaque references that hold only ciphertext."""

    def seal(self, value: str) -> str:
        """A reference ``enc:v1:...`` that may stand in histories and trails."""
        ...

    def reveal(self, value: str) -> str:
        """Replace every reference inside `value` by its plain text."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """All of them, for one business."""

    customers: Customers
    queries: Queries
    web: Web
    messages: Messages
    calendars: Calendars
    lists: NumberLists
    voicemails: Voicemails
    tasks: Tasks
    dialler: Dialler
    telephones: Telephones
    queues: Queues
    secrets: Secrets
