"""Settings and health."""

import strawberry
from pydantic import SecretStr
from strawberry.scalars import JSON

from backend.graphql.base import Info, query
from backend.health import healthy
from backend.identity.permissions import Permission


@strawberry.type(name="Setting", description="One setting; confidential values are not shown.")
class SettingType:
    name: str
    value: str
    description: str
    is_default: bool


@strawberry.type(name="ComponentHealth")
class ComponentHealthType:
    name: str
    state: str
    message: str
    milliseconds: float
    details: JSON


@strawberry.type(name="Health")
class HealthType:
    ok: bool
    components: list[ComponentHealthType]


@strawberry.type
class SystemQuery:
    @query(Permission.SYSTEM, "Every setting with its meaning.")
    async def settings(self, info: Info) -> list[SettingType]:
        settings = info.context.state.settings
        found = []
        for name, field in type(settings).model_fields.items():
            value = getattr(settings, name)
            if isinstance(value, SecretStr):
                value = "••••••" if value.get_secret_value() else ""
            elif "url" in name and "@" in str(value):
                value = f"…@{str(value).rpartition('@')[2]}"
            found.append(
                SettingType(
                    name=f"CALLWEAVE_{name.upper()}",
                    value="" if value is None else str(value),
                    description=field.description or "",
                    is_default=name not in settings.model_fields_set,
                )
            )
        return found

    @query(Permission.SIGNED_IN, "What runs and what does not.")
    async def health(self, info: Info) -> HealthType:
        report = await info.context.state.health.report()
        return HealthType(
            ok=healthy(report),
            components=[
                ComponentHealthType(
                    name=name,
                    state=component.state,
                    message=component.message,
                    milliseconds=component.milliseconds,
                    details=JSON(component.details),
                )
                for name, component in report.items()
            ],
        )
