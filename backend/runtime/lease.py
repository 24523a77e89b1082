"""One owner of a telephony engine: a database lease with a fencing number that only grows.

The owner renews every second; the lease ends three seconds after the last renewal. An owner that cannot renew in
time stops by its own clock, before another one may begin. A process that died on this very machine is seen to be
dead, so its successor need not wait the three seconds.
"""

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from backend.database import Database
from backend.leases import service as leases
from backend.runtime.children import Identity

log = logging.getLogger(__name__)

TTL = timedelta(seconds=3)
RENEWAL = 1.0


def own_name() -> str:
    """This process in a way that others on the machine can check: host, pid namespace, pid and start time."""
    identity = Identity.of(os.getpid())
    assert identity is not None
    return f"{_machine()}/{identity.pid}/{identity.started:.2f}"


def _machine() -> str:
    namespace = ""
    with contextlib.suppress(OSError):
        namespace = Path("/proc/self/ns/pid").readlink().name
    return f"{socket.gethostname()[:60]}/{namespace}"


def known_dead(holder: str) -> bool:
    """Whether a holder is a process of this machine that has ended."""
    machine, _, rest = holder.rpartition("/")
    machine, _, pid = machine.rpartition("/")
    if machine != _machine():
        return False
    try:
        return not Identity(int(pid), float(rest)).alive
    except ValueError:
        return False


class OwnershipLease:
    """The lease of one name for one holder.

    `fencing` is the number of this ownership, 0 while it is not held.
    """

    def __init__(
        self,
        db: Database,
        name: str,
        *,
        holder: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.holder = holder or own_name()
        self._db = db
        self._monotonic = monotonic
        self._held: leases.Held | None = None
        self._good_until = 0.0

    @property
    def held(self) -> bool:
        """Whether this process may act. Judged by the own clock: no database is asked."""
        return self._held is not None and self._monotonic() < self._good_until

    @property
    def fencing(self) -> int:
        return self._held.fencing if self._held is not None else 0

    async def acquire(self) -> bool:
        """Take the lease; False while another holder has it."""
        # Counted from before the database is asked, so that our own end is never later than the row's.
        before = self._monotonic()
        held = await leases.acquire(self._db, self.name, self.holder, TTL)
        if held is None:
            other = await leases.current(self._db, self.name)
            if other is not None and known_dead(other.holder):
                dead = leases.Held(other.name, other.holder, other.fencing, other.expires_at)
                await leases.release(self._db, dead)
                held = await leases.acquire(self._db, self.name, self.holder, TTL)
        self._held = held
        self._good_until = before + TTL.total_seconds()
        return held is not None

    async def renew(self) -> bool:
        """Renew what is held; False when it is lost. A database that fails is no loss until the time is over."""
        if self._held is None or not self.held:
            self._held = None
            return False
        before = self._monotonic()
        try:
            self._held = await leases.renew(self._db, self._held, TTL)
        except (SQLAlchemyError, OSError) as problem:
            log.warning("the lease %s is not renewed: %s", self.name, problem)
            return self.held
        self._good_until = before + TTL.total_seconds()
        return self._held is not None

    async def keep(self, lost: Callable[[], None]) -> None:
        """Renew every second until the lease is lost; then call `lost` at once and return."""
        kept = True
        while kept:
            await asyncio.sleep(RENEWAL)
            try:
                async with asyncio.timeout(max(0.0, self._good_until - self._monotonic())):
                    kept = await self.renew()
            except TimeoutError:
                kept = False
        self._held = None
        log.error("the lease %s is lost", self.name)
        lost()

    async def wait(self) -> int:
        """Wait until the lease is ours; returns the fencing number."""
        while not await self.acquire():
            await asyncio.sleep(0.25)
        return self.fencing

    async def release(self) -> None:
        """Give it up, so that a successor begins at once."""
        held, self._held = self._held, None
        if held is not None:
            await leases.release(self._db, held)
