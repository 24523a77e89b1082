"""The number plan. Passwords can be set and are never shown, but for a new extension's own, once."""

from datetime import datetime

import strawberry

from backend.graphql.base import Done, FromRow, Info, mutation, query
from backend.identity.permissions import Permission
from backend.numbers import service


@strawberry.type(name="PhoneNumber")
class PhoneNumberType(FromRow):
    id: str
    number: str
    name: str
    flow_id: str | None
    alias: str
    version: int | None
    language: str
    enabled: bool
    created_at: datetime


@strawberry.type(name="Trunk")
class TrunkType(FromRow):
    id: str
    name: str
    host: str
    port: int
    transport: str
    encryption: str = strawberry.field(description="Of the sound: off or srtp.")
    verify: bool = strawberry.field(description="Over tls its certificate is checked.")
    authority: str = strawberry.field(description="Whose certificates are trusted, in PEM; empty for the machine's.")
    username: str
    registers: bool
    addresses: list[str]
    caller_id: str
    codecs: list[str]
    max_calls: int
    priority: int
    enabled: bool
    created_at: datetime


@strawberry.type(name="Extension")
class ExtensionType(FromRow):
    id: str
    number: str
    name: str
    user_id: str | None
    enabled: bool
    created_at: datetime


@strawberry.type(description="An extension, with the password when one was made for it: it is shown only now.")
class SavedExtension:
    extension: ExtensionType
    password: str | None


@strawberry.type(name="OutboundRule", description="What may be dialled in a number class, and how often an hour.")
class OutboundRuleType(FromRow):
    number_class: str
    max_per_hour: int
    from_hour: int
    to_hour: int
    trunk_id: str | None


@strawberry.type(name="EmergencyRoute")
class EmergencyRouteType(FromRow):
    number: str
    destination: str


@strawberry.input
class TrunkInput:
    """A trunk. Leave the password out to keep it as it is."""

    name: str
    host: str
    port: int = 5060
    transport: str = "udp"
    encryption: str = "off"
    verify: bool = True
    authority: str = ""
    username: str = ""
    password: str | None = None
    registers: bool = False
    addresses: list[str] = strawberry.field(default_factory=list)
    caller_id: str = ""
    codecs: list[str] = strawberry.field(default_factory=lambda: ["alaw", "ulaw"])
    max_calls: int = 100
    priority: int = 10
    enabled: bool = True


@strawberry.type
class NumbersQuery:
    @query(Permission.NUMBERS_READ, "Numbers that callers dial.")
    async def phone_numbers(self, info: Info) -> list[PhoneNumberType]:
        found = await service.list_numbers(info.context.state.db, info.context.actor.business_id)
        return [PhoneNumberType.of(row) for row in found]

    @query(Permission.NUMBERS_READ, "SIP trunks, in the order they are tried.")
    async def trunks(self, info: Info) -> list[TrunkType]:
        found = await service.list_trunks(info.context.state.db, info.context.actor.business_id)
        return [TrunkType.of(row) for row in found]

    @query(Permission.NUMBERS_READ, "Extensions by number.")
    async def extensions(self, info: Info) -> list[ExtensionType]:
        found = await service.list_extensions(info.context.state.db, info.context.actor.business_id)
        return [ExtensionType.of(row) for row in found]

    @query(Permission.NUMBERS_READ, "Rules for calls that go out, the defaults among them.")
    async def outbound_rules(self, info: Info) -> list[OutboundRuleType]:
        found = await service.list_rules(info.context.state.db, info.context.actor.business_id)
        own = {row.number_class: OutboundRuleType.of(row) for row in found}
        return [
            own.get(kind.value)
            or OutboundRuleType(number_class=kind, max_per_hour=cap, from_hour=0, to_hour=24, trunk_id=None)
            for kind, cap in service.DEFAULT_CAPS.items()
        ]

    @query(Permission.NUMBERS_READ, "Where emergency numbers go.")
    async def emergency_routes(self, info: Info) -> list[EmergencyRouteType]:
        found = await service.list_emergency_routes(info.context.state.db, info.context.actor.business_id)
        return [EmergencyRouteType.of(row) for row in found]


@strawberry.type
class NumbersMutation:
    @mutation(Permission.NUMBERS, "Create or change a number; flow is a flow's key.")
    async def save_phone_number(
        self,
        info: Info,
        number: str,
        id: str | None = None,
        name: str = "",
        flow: str | None = None,
        alias: str = "live",
        version: int | None = None,
        language: str = "",
        enabled: bool = True,
    ) -> PhoneNumberType:
        saved = await service.save_number(
            info.context.state.db,
            info.context.actor,
            id=id,
            number=number,
            name=name,
            flow=flow,
            alias=alias,
            version=version,
            language=language,
            enabled=enabled,
        )
        return PhoneNumberType.of(saved)

    @mutation(Permission.NUMBERS, "Remove a number.")
    async def delete_phone_number(self, info: Info, id: str) -> Done:
        await service.delete_number(info.context.state.db, info.context.actor, id)
        return Done()

    @mutation(Permission.NUMBERS, "Create or change a trunk.")
    async def save_trunk(self, info: Info, input: TrunkInput, id: str | None = None) -> TrunkType:
        state = info.context.state
        return TrunkType.of(await service.save_trunk(state.db, state.secrets, info.context.actor, id=id, **vars(input)))

    @mutation(Permission.NUMBERS, "Remove a trunk that no rule names.")
    async def delete_trunk(self, info: Info, id: str) -> Done:
        await service.delete_trunk(info.context.state.db, info.context.actor, id)
        return Done()

    @mutation(Permission.NUMBERS, "Create or change an extension; without a password a new one gets its own.")
    async def save_extension(
        self,
        info: Info,
        number: str,
        id: str | None = None,
        name: str = "",
        password: str | None = None,
        user_id: str | None = None,
        enabled: bool = True,
    ) -> SavedExtension:
        state = info.context.state
        saved, made = await service.save_extension(
            state.db,
            state.secrets,
            info.context.actor,
            id=id,
            number=number,
            name=name,
            password=password,
            user_id=user_id,
            enabled=enabled,
        )
        return SavedExtension(extension=ExtensionType.of(saved), password=made)

    @mutation(Permission.NUMBERS, "Remove an extension.")
    async def delete_extension(self, info: Info, id: str) -> Done:
        await service.delete_extension(info.context.state.db, info.context.actor, id)
        return Done()

    @mutation(Permission.NUMBERS, "Set the rule of a number class; a cap of 0 refuses it.")
    async def save_outbound_rule(
        self,
        info: Info,
        number_class: str,
        max_per_hour: int,
        from_hour: int = 0,
        to_hour: int = 24,
        trunk_id: str | None = None,
    ) -> OutboundRuleType:
        saved = await service.save_rule(
            info.context.state.db,
            info.context.actor,
            number_class=number_class,
            max_per_hour=max_per_hour,
            from_hour=from_hour,
            to_hour=to_hour,
            trunk_id=trunk_id,
        )
        return OutboundRuleType.of(saved)

    @mutation(Permission.NUMBERS, "Where an emergency number goes: an extension's number or a trunk's name.")
    async def save_emergency_route(self, info: Info, number: str, destination: str) -> EmergencyRouteType:
        saved = await service.save_emergency_route(
            info.context.state.db, info.context.actor, number=number, destination=destination
        )
        return EmergencyRouteType.of(saved)

    @mutation(Permission.NUMBERS, "Forget where an emergency number goes: its calls go by the trunks again.")
    async def delete_emergency_route(self, info: Info, number: str) -> Done:
        await service.delete_emergency_route(info.context.state.db, info.context.actor, number)
        return Done()
