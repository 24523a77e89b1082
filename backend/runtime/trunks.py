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
    """The trunks of one gateway. Only the process that looks after its Asterisk knows who has registered."""

    def __init__(self, db: Database, gateway: Gateway, engine: AsteriskProcess | None) -> None:
        self._db = db
        self._gateway = gateway
        self._engine = engine

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
        signed_in: dict[str, Registration] = {}
        if self._engine is not None and any(row.registers for row in trunks):
            signed_in = await self._engine.registrations()
        found: dict[str, State] = {}
        for row in trunks:
            answers = None if row.registers else await self._gateway.trunk_answers(row.name)
            found[row.id] = state_of(row.registers, signed_in.get(row.name), answers)
        await write_states(self._db, self._gateway.name, trunks, found)
