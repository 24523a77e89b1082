"""Customers."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from backend.customers import fields, service, timeline
from backend.customers.masking import masks, shown
from backend.customers.models import CustomerField, CustomerLevel
from backend.errors import NotFoundError
from backend.graphql.base import Connection, Done, FromRow, Info, Words, connection, mutation, query
from backend.identity.permissions import Permission
from backend.numbers.region import Region, in_short, region_of


@strawberry.type(name="Region", description="Where a number belongs to; what is not known is empty.")
class RegionType:
    country: Words
    province: Words
    city: Words
    carrier: Words
    words: Words = strawberry.field(description="All of it in one line.")
    place: Words | None = strawberry.field(description="In a few words; the country only of one abroad.")

    @classmethod
    def of(cls, found: Region, country: str) -> "RegionType":
        place = in_short(found, country)
        return cls(
            country=Words.of(found.country),
            province=Words.of(found.province),
            city=Words.of(found.city),
            carrier=Words.of(found.carrier),
            words=Words.of(found.words),
            place=Words.of(place) if place is not None else None,
        )


@masks("number")
@strawberry.type(name="CustomerPhone", description="A number, masked for people who may not see it whole.")
class CustomerPhoneType:
    number: str
    region: RegionType | None


@strawberry.type(name="Choice", description="A value with its words in both languages.")
class ChoiceType:
    value: str
    label: Words


@strawberry.input(name="ChoiceInput")
class ChoiceInput:
    value: str
    zh: str = ""
    en: str = ""


@strawberry.type(name="CustomerField", description="A field that the business adds to its customers.")
class CustomerFieldType:
    id: str
    key: str
    label: Words
    kind: str = strawberry.field(description="text, long, number, date, yes_no, choice, choices, phone, mail or url.")
    required: bool
    choices: list[ChoiceType]
    position: int
    enabled: bool

    @classmethod
    def of(cls, row: CustomerField) -> "CustomerFieldType":
        return cls(
            id=row.id,
            key=row.key,
            label=Words(zh=row.label_zh, en=row.label_en),
            kind=row.kind,
            required=row.required,
            choices=[ChoiceType(value=one["value"], label=Words(zh=one["zh"], en=one["en"])) for one in row.choices],
            position=row.position,
            enabled=row.enabled,
        )


@strawberry.type(name="CustomerLevel")
class CustomerLevelType:
    id: str
    key: str
    label: Words
    vip: bool
    priority: int = strawberry.field(description="0 to 100: what a queue adds to the caller's own.")
    colour: str
    position: int

    @classmethod
    def of(cls, row: CustomerLevel) -> "CustomerLevelType":
        return cls(
            id=row.id,
            key=row.key,
            label=Words(zh=row.label_zh, en=row.label_en),
            vip=row.vip,
            priority=row.priority,
            colour=row.colour,
            position=row.position,
        )


@strawberry.type(name="CustomerNote")
class CustomerNoteType(FromRow):
    id: str
    customer_id: str
    user_id: str | None
    author: str
    text: str
    created_at: datetime
    updated_at: datetime


@masks("number")
@strawberry.type(name="Contact", description="One line of a customer's timeline; what does not apply is null.")
class ContactType:
    id: str
    kind: str = strawberry.field(description="call, voicemail, recording, message, task, result or note.")
    at: datetime
    text: str = strawberry.field(description="Its words: a note, a subject, a title.")
    direction: str | None = None
    number: str | None = None
    state: str | None = strawberry.field(default=None, description="Of a call its cause or outcome.")
    seconds: float | None = None
    call_id: str | None = None
    recording_id: str | None = None
    voicemail_id: str | None = None
    task_id: str | None = None
    code: str | None = strawberry.field(
        default=None, description="The disposition code, the kind of a task, a channel."
    )
    author: str | None = None

    @classmethod
    def of(cls, info: Info, one: timeline.Contact) -> "ContactType":
        row = one.row
        made = cls(id=one.id, kind=one.kind, at=one.at, text=one.text)
        match one.kind:
            case "call":
                inbound = row.direction == "inbound"
                made.direction, made.state = row.direction, row.outcome or row.cause or row.state
                made.number = shown(info, row.caller if inbound else row.called)
                made.call_id, made.recording_id = row.id, row.recording_id
                if row.answered_at is not None and row.ended_at is not None:
                    made.seconds = (row.ended_at - row.answered_at).total_seconds()
            case "voicemail":
                made.direction, made.number, made.state = "inbound", shown(info, row.caller), row.state
                made.seconds, made.call_id, made.voicemail_id = row.seconds, row.call_id, row.id
                made.code = row.box
            case "recording":
                made.direction, made.state, made.seconds = row.direction, row.result, row.seconds
                made.number = shown(info, row.called if row.direction == "outbound" else row.caller)
                made.call_id, made.recording_id = row.call_id, row.id
            case "message":
                made.direction, made.state, made.code = "outbound", row.state, row.channel
                made.number = shown(info, ", ".join(row.recipients)) if row.channel == "sms" else None
            case "task":
                made.state, made.code, made.task_id, made.call_id = row.state, row.kind, row.id, row.call_id
            case "result":
                made.code, made.call_id, made.task_id = row.code, row.call_id, row.task_id
            case "note":
                made.author = row.author
        return made


@strawberry.type(name="Customer", description="A customer. A PIN can be set and is never shown.")
class CustomerType(FromRow):
    id: str
    name: str
    card: str | None
    gender: str
    address: str
    level: str
    language: str
    note: str
    background: str
    channels: list[str] = strawberry.field(description="Where they heard of us; see customerChannels.")
    gift_consent: bool | None
    fields: JSON
    wrong_pins: int
    pin_locked_until: datetime | None
    created_at: datetime
    updated_at: datetime

    @query(Permission.CUSTOMERS_READ, "Numbers, the main one first; masked for people who may not see them.")
    async def phones(self, info: Info) -> list[str]:
        return [shown(info, number) for number in await info.context.phones.load(self.id)]

    @query(Permission.CUSTOMERS_READ, "Numbers with their regions.")
    async def numbers(self, info: Info) -> list[CustomerPhoneType]:
        country = await info.context.country()
        found = []
        for number in await info.context.phones.load(self.id):
            region = region_of(number, country)
            found.append(
                CustomerPhoneType(number=shown(info, number), region=RegionType.of(region, country) if region else None)
            )
        return found

    @query(Permission.CUSTOMERS_READ, "Contacts, newest first; search is any part of their words.")
    async def timeline(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        kinds: list[str] | None = None,
        search: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Connection[ContactType]:
        found = await timeline.timeline(
            info.context.state.db,
            info.context.actor.business_id,
            self.id,
            kinds=kinds or (),
            search=search,
            since=since,
            until=until,
            first=first,
            after=after,
        )
        return Connection(
            nodes=[ContactType.of(info, one) for one in found.items],
            cursors=list(found.cursors),
            end_cursor=found.end,
            has_next=found.has_next,
        )


@strawberry.input
class CustomerInput:
    """What to set; what is left out stays. fields replaces all own fields."""

    name: str | None = None
    card: str | None = None
    gender: str | None = None
    address: str | None = None
    level: str | None = None
    language: str | None = None
    note: str | None = None
    background: str | None = None
    channels: list[str] | None = None
    gift_consent: bool | None = None
    phones: list[str] | None = None
    fields: JSON | None = None


@strawberry.input
class CustomerFieldInput:
    key: str
    label_zh: str
    label_en: str
    kind: str = "text"
    required: bool = False
    choices: list[ChoiceInput] = strawberry.field(default_factory=list)
    position: int = 0
    enabled: bool = True


@strawberry.input
class CustomerLevelInput:
    key: str
    label_zh: str
    label_en: str
    vip: bool = False
    priority: int = 0
    colour: str = ""
    position: int = 0


@strawberry.type
class CustomersQuery:
    @query(
        Permission.CUSTOMERS_READ,
        "Customers, newest first; search is the start of a name, card or number.",
    )
    async def customers(
        self, info: Info, first: int = 50, after: str | None = None, search: str = "", level: str | None = None
    ) -> Connection[CustomerType]:
        actor = info.context.actor
        found = await service.list_customers(
            info.context.state.db,
            actor.business_id,
            search=search,
            level=level,
            people=actor.people,
            first=first,
            after=after,
        )
        return connection(found, CustomerType)

    @query(Permission.CUSTOMERS_READ, "One customer.")
    async def customer(self, info: Info, id: str) -> CustomerType:
        actor = info.context.actor
        return CustomerType.of(
            await service.get_customer(info.context.state.db, actor.business_id, id, people=actor.people)
        )

    @query(Permission.CUSTOMERS_READ, "Who has a number: what pops up while it rings.")
    async def customer_by_number(self, info: Info, number: str) -> CustomerType | None:
        db, actor = info.context.state.db, info.context.actor
        found = await service.find(db, actor.business_id, by="phone", value=number)
        if found is None:
            return None
        try:
            return CustomerType.of(await service.get_customer(db, actor.business_id, found.id, people=actor.people))
        except NotFoundError:
            return None

    @query(Permission.CUSTOMERS_READ, "Where a number belongs to; null for short numbers and what is none.")
    async def number_region(self, info: Info, number: str) -> RegionType | None:
        country = await info.context.country()
        found = region_of(number, country)
        return RegionType.of(found, country) if found else None

    @query(Permission.CUSTOMERS_READ, "Own fields of the business, in their order.")
    async def customer_fields(self, info: Info) -> list[CustomerFieldType]:
        found = await fields.list_fields(info.context.state.db, info.context.actor.business_id)
        return [CustomerFieldType.of(row) for row in found]

    @query(Permission.CUSTOMERS_READ, "Levels of customers, in their order.")
    async def customer_levels(self, info: Info) -> list[CustomerLevelType]:
        found = await fields.list_levels(info.context.state.db, info.context.actor.business_id)
        return [CustomerLevelType.of(row) for row in found]

    @query(Permission.CUSTOMERS_READ, "Channels by which customers hear of a business.")
    async def customer_channels(self, info: Info) -> list[ChoiceType]:
        return [ChoiceType(value=key, label=Words.of(label)) for key, label in fields.CHANNELS.items()]


@strawberry.type
class CustomersMutation:
    @mutation(
        Permission.CUSTOMERS_EDIT,
        "Create or change a customer; with complete every required own field must be filled.",
    )
    async def save_customer(
        self, info: Info, input: CustomerInput, id: str | None = None, complete: bool = False
    ) -> CustomerType:
        changes = {name: value for name, value in vars(input).items() if value is not None}
        saved = await service.save_customer(
            info.context.state.db, info.context.actor, id=id, changes=changes, complete=complete
        )
        return CustomerType.of(saved)

    @mutation(Permission.CUSTOMERS_PIN, "Set a customer's PIN; without one the present PIN is unlocked.")
    async def set_customer_pin(self, info: Info, id: str, pin: str | None = None) -> CustomerType:
        return CustomerType.of(await service.set_pin(info.context.state.db, info.context.actor, id, pin))

    @mutation(Permission.CUSTOMERS_DELETE, "Remove a customer; calls keep what they were.")
    async def delete_customer(self, info: Info, id: str) -> Done:
        await service.delete_customer(info.context.state.db, info.context.actor, id)
        return Done()

    @mutation(Permission.CUSTOMERS_EDIT, "Write something down about a customer.")
    async def add_customer_note(self, info: Info, customer_id: str, text: str) -> CustomerNoteType:
        return CustomerNoteType.of(
            await timeline.add_note(info.context.state.db, info.context.actor, customer_id, text)
        )

    @mutation(Permission.CUSTOMERS_EDIT, "Change a note: one's own, or as a supervisor any.")
    async def change_customer_note(self, info: Info, id: str, text: str) -> CustomerNoteType:
        return CustomerNoteType.of(await timeline.change_note(info.context.state.db, info.context.actor, id, text))

    @mutation(Permission.CUSTOMERS_EDIT, "Remove a note: one's own, or as a supervisor any.")
    async def delete_customer_note(self, info: Info, id: str) -> Done:
        await timeline.change_note(info.context.state.db, info.context.actor, id, None)
        return Done()

    @mutation(Permission.CUSTOMER_FIELDS, "Create or change an own field; its key stays.")
    async def save_customer_field(
        self, info: Info, input: CustomerFieldInput, id: str | None = None
    ) -> CustomerFieldType:
        given = vars(input) | {"choices": [vars(one) for one in input.choices]}
        return CustomerFieldType.of(await fields.save_field(info.context.state.db, info.context.actor, id=id, **given))

    @mutation(Permission.CUSTOMER_FIELDS, "Remove an own field; customers keep the values.")
    async def delete_customer_field(self, info: Info, id: str) -> Done:
        await fields.delete_field(info.context.state.db, info.context.actor, id)
        return Done()

    @mutation(Permission.CUSTOMER_FIELDS, "Create or change a level; its key stays.")
    async def save_customer_level(
        self, info: Info, input: CustomerLevelInput, id: str | None = None
    ) -> CustomerLevelType:
        saved = await fields.save_level(info.context.state.db, info.context.actor, id=id, **vars(input))
        return CustomerLevelType.of(saved)

    @mutation(Permission.CUSTOMER_FIELDS, "Remove a level; customers keep its key.")
    async def delete_customer_level(self, info: Info, id: str) -> Done:
        await fields.delete_level(info.context.state.db, info.context.actor, id)
        return Done()
