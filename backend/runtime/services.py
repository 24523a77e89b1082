"""What nodes may ask of the product (`nodes.sdk.services`), answered by the domain services for one business.

Errors for people (`DomainError`) become errors for flows (`NodeError`) with the same stable code.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from sqlalchemy import or_
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from backend.calendars.service import calendar_state
from backend.customers import service as customers
from backend.database import AsyncSession, Database, write
from backend.datasources.service import HostCredential, QueryRunner, resolve_credential
from backend.errors import DomainError, NotFoundError
from backend.events import EventBus
from backend.identity.models import User
from backend.identity.service import first_business
from backend.lists import service as lists
from backend.messages.models import OutboxMessage
from backend.messages.service import NotSentError, Send, deliver, queue_message
from backend.numbers import service as numbers
from backend.prompts.service import find_prompt, prompt_folder
from backend.queues.desk import BusinessQueues, Watch
from backend.runtime.web import GuardedWeb
from backend.security import SecretBox
from backend.settings import Settings
from backend.tasks.service import NewTask, add_task
from backend.voicemails.service import find_voicemail, save_voicemail
from nodes.sdk.outcome import NodeError
from nodes.sdk.services import (
    Customer,
    HoursState,
    PinCheck,
    PlacedCall,
    SavedVoicemail,
    Services,
    TaskToDo,
)
from telephony.messaging.http_sms import HttpSmsSender
from telephony.messaging.ports import Mail, MessagingError, Sms
from telephony.messaging.smtp import SmtpSender

anonymous_caller: ContextVar[bool] = ContextVar("anonymous_caller", default=False)
"""Whether the node that runs in this task works for a caller whom nobody vouches for."""

current_business: ContextVar[str] = ContextVar("current_business", default="")
"""The business that the node in this task works for: whose recorded prompts a call hears."""


@asynccontextmanager
async def node_errors(**codes: str) -> AsyncIterator[None]:
    """Domain errors as node errors; ``codes`` maps a domain code to the one that the contract names."""
    try:
        yield
    except DomainError as problem:
        raise NodeError(codes.get(problem.code, problem.code), f"{problem}. {problem.remedy.en}".strip()) from problem
    except SQLAlchemyError as problem:
        # Its text may quote statements with values.
        raise NodeError("database_failed", type(problem).__name__, retryable=True) from problem


class BusinessCustomers:
    """`nodes.sdk.services.Customers`."""

    def __init__(self, db: Database, business_id: str) -> None:
        self._db = db
        self._business = business_id

    async def find(self, *, by: Literal["phone", "card", "id"], value: str) -> Customer | None:
        async with node_errors():
            return await customers.find(self._db, self._business, by=by, value=value)

    async def update(self, customer_id: str, changes: Mapping[str, Any]) -> Customer:
        async with node_errors(invalid="bad_field"):
            return await customers.update(self._db, self._business, customer_id, changes)

    async def check_pin(self, *, card: str, pin: str, tries: int, key: str) -> PinCheck:
        async with node_errors():
            return await customers.check_pin(self._db, self._business, card=card, pin=pin, tries=tries, key=key)


class BusinessQueries:
    """`nodes.sdk.services.Queries`."""

    def __init__(self, runner: QueryRunner, business_id: str) -> None:
        self._runner = runner
        self._business = business_id

    async def run(self, name: str, parameters: Mapping[str, Any], *, limit: int) -> list[dict[str, Any]]:
        async with node_errors():
            return await self._runner.run(self._business, name, parameters, limit=limit)


class BusinessCalendars:
    """`nodes.sdk.services.Calendars`."""

    def __init__(self, db: Database, business_id: str) -> None:
        self._db = db
        self._business = business_id

    async def state(self, calendar: str, at: datetime) -> HoursState:
        async with node_errors(not_found="unknown_calendar"):
            return await calendar_state(self._db, self._business, calendar, at)


class BusinessLists:
    """`nodes.sdk.services.NumberLists`."""

    def __init__(self, db: Database, business_id: str) -> None:
        self._db = db
        self._business = business_id

    async def match(self, list_name: str, number: str) -> bool:
        async with node_errors(not_found="unknown_list"):
            return await lists.match(self._db, self._business, list_name, number)


class BusinessTelephones:
    """`nodes.sdk.services.Telephones`: the number plan, its caps, and the rule for anonymous callers."""

    def __init__(self, settings: Settings, db: Database, business_id: str) -> None:
        self._settings = settings
        self._db = db
        self._business = business_id

    async def destination(self, number: str) -> str:
        async with node_errors():
            found = await numbers.destination(self._db, self._business, number, anonymous=anonymous_caller.get())
            return found.address

    async def caller_id(self, destination: str = "") -> str:
        async with node_errors():
            return await numbers.caller_id(self._db, self._business, destination)

    def fallback_number(self) -> str:
        return self._settings.fallback_number


class Senders:
    """How messages leave the house by the settings; without a sender they stay in the outbox."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        smtp, sms = settings.smtp_url.get_secret_value(), settings.sms_url.get_secret_value()
        self._mail = SmtpSender.from_url(smtp) if smtp else None
        self._sms = HttpSmsSender(sms) if sms else None

    def for_channel(self, channel: str) -> Send | None:
        match channel:
            case "mail" if self._mail is not None:
                return self._send_mail
            case "sms" if self._sms is not None:
                return self._send_sms
            case _:
                return None

    async def _send_mail(self, row: OutboxMessage) -> str:
        assert self._mail is not None
        mail = Mail(
            to=row.recipients,
            subject=row.subject,
            text=row.text,
            key=f"{row.business_id}-{row.key}",
            sender=self._settings.mail_from,
            html=row.html,
            attachments=[Path(name) for name in row.attachments],
        )
        async with surely_not_sent():
            return await self._mail.send(mail)

    async def _send_sms(self, row: OutboxMessage) -> str:
        assert self._sms is not None
        async with surely_not_sent():
            return await self._sms.send(Sms(to=row.recipients[0], text=row.text, key=f"{row.business_id}-{row.key}"))

    async def close(self) -> None:
        for sender in (self._mail, self._sms):
            if sender is not None:
                await sender.close()


@asynccontextmanager
async def surely_not_sent() -> AsyncIterator[None]:
    """Tells the outbox apart what was refused and what may have gone out."""
    try:
        yield
    except MessagingError as problem:
        if problem.outcome == "not_sent":
            raise NotSentError(f"{problem.reason}: {problem}") from problem
        raise


class BusinessMessages:
    """`nodes.sdk.services.Messages`: written to the outbox first, sent once at most."""

    def __init__(self, db: Database, business_id: str, senders: Senders) -> None:
        self._db = db
        self._business = business_id
        self._senders = senders

    async def send_sms(self, *, to: str, text: str, key: str, run_id: str = "") -> str:
        async with node_errors(invalid="bad_recipient"):
            row = await queue_message(
                self._db, self._business, key=key, channel="sms", recipients=[to], text_body=text, run_id=run_id
            )
            return await self._deliver(row)

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
    ) -> str:
        async with node_errors(invalid="bad_recipient"):
            row = await queue_message(
                self._db,
                self._business,
                key=key,
                channel="mail",
                recipients=to,
                subject=subject,
                text_body=text,
                html=html,
                attachments=[str(path) for path in attachments],
                run_id=run_id,
            )
            return await self._deliver(row)

    async def _deliver(self, row: OutboxMessage) -> str:
        try:
            done = await deliver(self._db, row.id, self._senders.for_channel(row.channel))
        except MessagingError as problem:
            raise NodeError("unknown", f"nobody knows whether the message was sent: {problem}") from problem
        match done.state:
            case "failed":
                raise NodeError("not_sent", done.error, retryable=True)
            case "unknown":
                raise NodeError("unknown", done.error)
            case _:
                return done.id


class BusinessVoicemails:
    """`nodes.sdk.services.Voicemails`."""

    def __init__(self, settings: Settings, db: Database, business_id: str) -> None:
        self._settings = settings
        self._db = db
        self._business = business_id

    async def saved(self, key: str) -> SavedVoicemail | None:
        async with node_errors():
            row = await find_voicemail(self._db, self._business, key)
        if row is None:
            return None
        return SavedVoicemail(
            id=row.id, seconds=row.seconds, callback_number=row.callback_number, complete=row.complete
        )

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
        try:
            async with node_errors():
                saved = await save_voicemail(
                    self._db,
                    self._settings.recordings,
                    business_id=self._business,
                    key=key,
                    box=box,
                    call_id=call_id,
                    caller=caller,
                    source=recording,
                    seconds=seconds,
                    callback_number=callback_number,
                    complete=complete,
                )
                return saved.id
        except OSError as problem:
            raise NodeError(
                "not_kept", f"the message cannot be stored: {problem.strerror}", retryable=True
            ) from problem


class BusinessTasks:
    """`nodes.sdk.services.Tasks`."""

    def __init__(self, db: Database, business_id: str) -> None:
        self._db = db
        self._business = business_id

    async def create(self, task: TaskToDo, *, key: str, run_id: str) -> str:
        async with node_errors(invalid="bad_task"), write(self._db) as session:
            assignee = await self._agent(session, task.assignee) if task.assignee else None
            row = await add_task(
                session,
                self._business,
                NewTask(
                    key=f"flow-{key}",
                    kind=task.kind,
                    title=task.title,
                    note=task.note,
                    priority=task.priority,
                    due_at=task.due_at,
                    remind_minutes=task.remind_minutes,
                    expires_at=task.expires_at,
                    assignee=assignee,
                    team=task.team,
                    queue=task.queue,
                    number=task.number,
                    customer_id=task.customer_id or None,
                    call_id=task.call_id or None,
                    voicemail_id=task.voicemail_id or None,
                    origin="flow",
                    run_id=run_id or None,
                ),
            )
            return row.id

    async def _agent(self, session: AsyncSession, name: str) -> str:
        found = await session.exec(
            select(User.id).where(
                User.business_id == self._business, or_(col(User.id) == name, col(User.name) == name), col(User.active)
            )
        )
        id = found.first()
        if id is None:
            raise NodeError("unknown_agent", f"there is no agent {name!r}; give a sign-in name or an id")
        return id


class PlaceCall(Protocol):
    """Places a call under an id, once (`backend.runtime.operations.LiveOperations.call_once`)."""

    async def __call__(self, business_id: str, call_id: str, *, number: str, flow: str, caller: str) -> None: ...


class BusinessDialler:
    """`nodes.sdk.services.Dialler`. The end of the call is told by `backend.runtime.keeper`."""

    def __init__(self, business_id: str, place: Callable[[], PlaceCall | None]) -> None:
        self._business = business_id
        self._place = place

    async def call(self, *, number: str, connect: str, flow: str, caller_id: str, key: str, run_id: str) -> PlacedCall:
        place = self._place()
        if place is None:
            raise NodeError("unavailable", "this process places no calls", retryable=True)
        call_id = f"{CALLED_BY}{key}"
        try:
            async with node_errors():
                await place(
                    self._business, call_id, number=number, flow=f"number:{connect}" if connect else flow,
                    caller=caller_id,
                )  # fmt: skip
        except NodeError as problem:
            if problem.failure.reason == "unavailable":
                raise NodeError("unavailable", problem.failure.message, retryable=True) from problem
            raise
        return PlacedCall(call_id=call_id)


CALLED_BY = "flow-"
"""How the ids of calls begin that a flow without a call has placed; the execution's key follows."""


class Prompts:
    """`telephony.speech.renderer.PromptLibrary` over the prompt library of the business at hand."""

    def __init__(self, home: Path, db: Database) -> None:
        self._folder = prompt_folder(home)
        self._db = db

    async def find(self, name: str, language: str) -> Path | str | None:
        business = current_business.get()
        if not business:
            business = (await first_business(self._db)).id
        row = await find_prompt(self._db, business, name, language)
        if row is None:
            return None
        return self._folder / row.file if row.file else row.text


class ServiceBook:
    """`flows.task.ServicesFor`: the services of each business, made once."""

    def __init__(self, settings: Settings, db: Database, box: SecretBox, bus: EventBus | None = None) -> None:
        self._settings = settings
        self._db = db
        self._box = box
        self.watch = Watch(bus or EventBus(db))
        self._queries = QueryRunner(db, box)
        self._senders = Senders(settings)
        self.place_call: PlaceCall | None = None
        """How flows without a call place one; the process sets it."""
        self._made: dict[str, Services] = {}
        self._webs: list[GuardedWeb] = []

    def prompt_library(self) -> Prompts:
        """Recorded prompts for the renderer."""
        return Prompts(self._settings.home, self._db)

    def __call__(self, business_id: str) -> Services:
        current_business.set(business_id)
        found = self._made.get(business_id)
        if found is None:
            found = self._made[business_id] = self._make(business_id)
        return found

    def _make(self, business_id: str) -> Services:
        async def credential(name: str) -> HostCredential | None:
            try:
                return await resolve_credential(self._db, self._box, business_id, name)
            except NotFoundError:
                return None

        web = GuardedWeb(self._settings.http_allow, credential)
        self._webs.append(web)
        return Services(
            customers=BusinessCustomers(self._db, business_id),
            queries=BusinessQueries(self._queries, business_id),
            web=web,
            messages=BusinessMessages(self._db, business_id, self._senders),
            calendars=BusinessCalendars(self._db, business_id),
            lists=BusinessLists(self._db, business_id),
            voicemails=BusinessVoicemails(self._settings, self._db, business_id),
            tasks=BusinessTasks(self._db, business_id),
            dialler=BusinessDialler(business_id, lambda: self.place_call),
            telephones=BusinessTelephones(self._settings, self._db, business_id),
            queues=BusinessQueues(self._db, business_id, self.watch),
            secrets=self._box,
        )

    async def close(self) -> None:
        """Close connections to the outside."""
        await self._queries.close()
        await self._senders.close()
        for web in self._webs:
            await web.aclose()
