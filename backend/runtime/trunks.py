"""Looks every few seconds whether the trunks are there, and writes down what changes."""

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from backend.database import Database
from backend.numbers.lines import State, state_of, write_states
from backend.numbers.service import list_trunks
from backend.runtime.gateway import Gateway
from telephony.asterisk.process import AsteriskProcess, ProcessError, Registration
from telephony.errors import DriverError

log = logging.getLogger(__name__)

SECONDS = 5.0


class TrunkWatch:
    """The trunks of one gateway. Only its own Asterisk tells who has registered; of a remote one that is not known."""

    def __init__(self, db: Database, gateway: Gateway, engine: AsteriskProcess | None) -> None:
        self._db = db
        self._gateway = gateway
        self._engine = engine
        self._told: dict[str, Registration] = {}
        self._refused: set[str] = set()

    async def run(self) -> None:
        """Look while this process owns the engine, until cancelled."""
        last = ""
        while True:
            await asyncio.sleep(SECONDS)
            if not self._gateway.connected:
                continue
            try:
                await self.look()
                last = ""
            except (SQLAlchemyError, DriverError, ProcessError, OSError) as problem:
                if str(problem) != last:
                    log.warning("the state of the trunks is not known: %s", problem)
                last = str(problem)

    async def look(self) -> None:
        """Look once."""
        trunks = [row for row in await list_trunks(self._db) if row.enabled]
        if self._engine is not None and any(row.registers for row in trunks):
            self._take(await self._engine.registrations())
        found: dict[str, State] = {}
        for row in trunks:
            if row.registers:
                found[row.id] = state_of(self._registration(row.name), None)
            else:
                found[row.id] = state_of(None, await self._gateway.trunk_answers(row.name))
        await write_states(self._db, self._gateway.name, trunks, found)

    def _take(self, told: dict[str, Registration]) -> None:
        self._refused = {
            name
            for name, one in told.items()
            if one.status == "failed" and one.refused(self._told.get(name), name in self._refused)
        }
        self._told = told

    def _registration(self, name: str) -> str:
        one = self._told.get(name)
        if one is None:
            return "unknown"
        if one.status == "registered":
            return "registered"
        return "refused" if name in self._refused else "silent"
