"""What the API works with, built once at start and handed to `backend.app.create_app`."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from backend.database import Database
from backend.datasources.service import QueryRunner
from backend.events import EventBus
from backend.health import HealthRegistry
from backend.identity.permissions import Actor
from backend.phones.service import BrowserPhone
from backend.security import SecretBox, api_token
from backend.settings import Settings
from backend.simulation.sessions import Sessions
from telephony.prompts import MediaRenderer


class Operations(Protocol):
    """What only a running gateway or worker can do; the runtime provides it."""

    async def place_call(self, actor: Actor, *, number: str, flow: str, alias: str, caller: str) -> str:
        """Dial `number` and run `flow` with whoever answers; returns the call's id. Raises DomainError."""
        ...

    async def dial_for(self, actor: Actor, call_id: str, phone: str, number: str, caller_id: str) -> str:
        """Ring an agent's phone, then call `number` for them; returns the call's id. Raises DomainError."""
        ...

    async def control(
        self, actor: Actor, gateway: str, call_id: str, action: str, arguments: Mapping[str, Any]
    ) -> None:
        """Have a gateway steer one of its calls. Raises DomainError."""
        ...

    async def open_phone(self, actor: Actor, phone: BrowserPhone, period: int) -> None:
        """Let a browser register as that phone with its password of a period. Raises DomainError."""
        ...

    async def hang_up(self, actor: Actor, call_id: str) -> None:
        """End a live call of the actor's business. Raises DomainError."""
        ...

    async def stop_run(self, actor: Actor, run_id: str) -> None:
        """Stop a run of the actor's business. Raises DomainError."""
        ...

    async def run_state(self, actor: Actor, run_id: str) -> Mapping[str, Any]:
        """The live state of a run (position, variables without confidential values). Raises DomainError."""
        ...


class Throttle:
    """At most `limit` acts in `seconds` for one key."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._acts: dict[str, deque[float]] = {}

    def allow(self, key: str) -> bool:
        """Count an act; False when it is one too many."""
        now = time.monotonic()
        if len(self._acts) > 10_000:
            self._acts = {k: acts for k, acts in self._acts.items() if acts and acts[-1] > now - self._seconds}
        acts = self._acts.setdefault(key, deque())
        while acts and acts[0] <= now - self._seconds:
            acts.popleft()
        if len(acts) >= self._limit:
            return False
        acts.append(now)
        return True


@dataclass(slots=True)
class AppState:
    """Everything the API needs. `dev` shows GraphiQL to people who are not signed in.

    ``renderer`` speaks the prompts of simulated calls; without one they are words only.
    """

    settings: Settings
    db: Database
    bus: EventBus
    secrets: SecretBox
    queries: QueryRunner
    health: HealthRegistry
    token: str = field(repr=False)
    operations: Operations | None = None
    dev: bool = False
    sign_ins: Throttle = field(default_factory=lambda: Throttle(30, 60.0))
    renderer: MediaRenderer | None = None
    simulations: Sessions = field(init=False)
    shared: dict[str, Any] = field(default_factory=dict, repr=False)
    """What subscriptions of many people have in common, by the room that keeps it."""

    def __post_init__(self) -> None:
        self.simulations = Sessions(self.db, self.queries)

    @classmethod
    def of(cls, settings: Settings, db: Database | None = None, *, dev: bool = False) -> "AppState":
        """The state of an installation, over its database, key file and token file."""
        db = db or Database(settings.database)
        secrets = SecretBox.at(settings.home)
        return cls(
            settings=settings,
            db=db,
            bus=EventBus(db),
            secrets=secrets,
            queries=QueryRunner(db, secrets),
            health=HealthRegistry(),
            token=api_token(settings.home),
            dev=dev,
        )

    async def close(self) -> None:
        """End subscriptions and close connections."""
        await self.simulations.close()
        self.bus.close()
        await self.queries.close()
        await self.db.close()
