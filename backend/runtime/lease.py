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
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from backend.database import AsyncSession, Database, locked, utcnow, write
from backend.leases.models import Lease
from backend.observability import metrics
from backend.runtime.children import Identity

log = logging.getLogger(__name__)

TTL = 3.0
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
        clock: Callable[[], datetime] = utcnow,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.holder = holder or own_name()
        self.fencing = 0
        self._db = db
        self._clock = clock
        self._monotonic = monotonic
        self._good_until = 0.0

    @property
    def held(self) -> bool:
        """Whether this process may act. Judged by the own clock: no database is asked."""
        return self.fencing > 0 and self._monotonic() < self._good_until

    async def acquire(self) -> bool:
        """Take or renew the lease; False while another holder has it."""
        before = self._monotonic()
        try:
            async with write(self._db) as session:
                now = await self._now(session)
                until = now + timedelta(seconds=TTL)
                row = await locked(session, Lease, self.name)
                if row is None:
                    row = Lease(name=self.name, holder=self.holder, fencing=1, expires_at=until)
                elif row.holder == self.holder:
                    if row.expires_at <= now:
                        # Somebody else may have held it and let go since; a new number fences the old orders.
                        row.fencing += 1
                    row.expires_at = until
                elif row.expires_at <= now or known_dead(row.holder):
                    row.holder, row.fencing, row.expires_at = self.holder, row.fencing + 1, until
                else:
                    self.fencing = 0
                    metrics.lease_state(self.name, 0)
                    return False
                session.add(row)
                fencing = row.fencing
        except IntegrityError:
            return False  # Another holder made the row in the same moment.
        self.fencing = fencing
        metrics.lease_state(self.name, fencing)
        # Counted from before the database was asked, so that our own end is never later than the row's.
        self._good_until = before + TTL
        return True

    async def renew(self) -> bool:
        """Renew what is held; False when it is lost. A database that fails is no loss until the time is over."""
        fencing = self.fencing
        if not self.held:
            self.fencing = 0
            return False
        try:
            kept = await self.acquire()
        except (SQLAlchemyError, OSError) as problem:
            log.warning("the lease %s is not renewed: %s", self.name, problem)
            return self.held
        if kept and self.fencing != fencing:
            self.fencing = 0
            return False
        return kept

    async def keep(self, lost: Callable[[], None]) -> None:
        """Renew every second until the lease is lost; then call `lost` at once and return."""
        while True:
            await asyncio.sleep(RENEWAL)
            fencing = self.fencing
            try:
                left = max(0.0, self._good_until - self._monotonic())
                async with asyncio.timeout(None if self._db.sqlite else left):
                    kept = await self.renew()
            except TimeoutError:
                kept = False
            if not kept and self._db.sqlite and await self._still_mine(fencing):
                kept = True
            if not kept:
                self.fencing = 0
                log.error("the lease %s is lost", self.name)
                metrics.lease_lost(self.name)
                lost()
                return

    async def _still_mine(self, fencing: int) -> bool:
        """On SQLite, which serves one process, being late is no loss as long as nobody came between.

        A slow disk or a machine under load must not end calls; a second process on this home would also be seen at
        the engine's socket, which has one owner.
        """
        try:
            return await self.acquire() and self.fencing <= fencing + 1
        except (SQLAlchemyError, OSError):
            return False

    async def wait(self) -> int:
        """Wait until the lease is ours; returns the fencing number."""
        while not await self.acquire():  # noqa: ASYNC110  another process frees it
            await asyncio.sleep(0.25)
        return self.fencing

    async def release(self) -> None:
        """Give it up, so that a successor begins at once."""
        if not self.fencing:
            return
        fencing, self.fencing = self.fencing, 0
        async with write(self._db) as session:
            row = await locked(session, Lease, self.name)
            if row is not None and row.holder == self.holder and row.fencing == fencing:
                row.expires_at = await self._now(session)
                session.add(row)

    async def _now(self, session: AsyncSession) -> datetime:
        """The database's clock where machines share one, so that theirs need not agree."""
        if self._db.sqlite:
            return self._clock()
        found: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
        return found
