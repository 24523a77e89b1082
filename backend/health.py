"""What runs and what does not: each component says so itself (``/healthz``)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

HealthState = Literal["ok", "degraded", "down", "off"]

COMPONENTS = ("api", "database", "temporal", "worker", "gateway", "asterisk", "tts", "asr")
TIMEOUT = 3.0


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """One component. ``off`` means that this process is not meant to have it; ``details`` are short facts."""

    state: HealthState
    message: str = ""
    details: dict[str, str | int | float | bool] = field(default_factory=dict)
    milliseconds: float = 0.0


Check = Callable[[], Awaitable[ComponentHealth]]


class HealthRegistry:
    """The checks of this process. A component without a check is ``off``; one that hangs or fails is ``down``."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def register(self, component: str, check: Check) -> None:
        """Set the check of a component; a later one replaces it."""
        self._checks[component] = check

    async def report(self) -> dict[str, ComponentHealth]:
        """Ask every component at once."""
        names = [*COMPONENTS, *(name for name in self._checks if name not in COMPONENTS)]
        found = await asyncio.gather(*(self._ask(name) for name in names))
        return dict(zip(names, found, strict=True))

    async def _ask(self, name: str) -> ComponentHealth:
        check = self._checks.get(name)
        if check is None:
            return ComponentHealth("off")
        began = time.perf_counter()
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await check()
        except TimeoutError:
            answer = ComponentHealth("down", f"no answer within {TIMEOUT:g} s")
        except Exception as error:
            answer = ComponentHealth("down", f"{type(error).__name__}: {error}"[:300])
        taken = round((time.perf_counter() - began) * 1000, 1)
        return ComponentHealth(answer.state, answer.message, answer.details, taken)


def healthy(report: dict[str, ComponentHealth]) -> bool:
    """Whether nothing that should run is down."""
    return all(component.state != "down" for component in report.values())
