"""Taking, keeping and giving up leases. Time is the database server's reader's: holders renew well before the end."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from backend.database import Database, locked, read, utcnow, write
from backend.leases.models import Lease


@dataclass(frozen=True, slots=True)
class Held:
    """A lease in hand. ``fencing`` goes with every act, so that a late act of an earlier holder is known."""

    name: str
    holder: str
    fencing: int
    expires_at: datetime


async def acquire(db: Database, name: str, holder: str, ttl: timedelta) -> Held | None:
    """Take the lease, or renew it when `holder` has it; None when somebody else holds it."""
    try:
        async with write(db) as session:
            now = utcnow()
            lease = await locked(session, Lease, name)
            if lease is None:
                lease = Lease(name=name, holder=holder, fencing=1, expires_at=now + ttl)
                session.add(lease)
            elif lease.holder != holder:
                if lease.expires_at > now:
                    return None
                lease.holder, lease.fencing = holder, lease.fencing + 1
            elif lease.expires_at <= now:
                # Nobody knows what happened while it was open, so its own return counts as a change of owner.
                lease.fencing += 1
            lease.expires_at = now + ttl
    except IntegrityError:
        # Another process made the row first.
        return None
    return Held(name, lease.holder, lease.fencing, lease.expires_at)


async def renew(db: Database, held: Held, ttl: timedelta) -> Held | None:
    """Keep a lease; None when it was lost meanwhile, and its holder must stop."""
    async with write(db) as session:
        now = utcnow()
        lease = await locked(session, Lease, held.name)
        if lease is None or (lease.holder, lease.fencing) != (held.holder, held.fencing) or lease.expires_at <= now:
            return None
        lease.expires_at = now + ttl
        return Held(lease.name, lease.holder, lease.fencing, lease.expires_at)


async def release(db: Database, held: Held) -> None:
    """Give a lease up at once."""
    async with write(db) as session:
        lease = await locked(session, Lease, held.name)
        if lease is not None and (lease.holder, lease.fencing) == (held.holder, held.fencing):
            lease.expires_at = utcnow()


async def current(db: Database, name: str) -> Lease | None:
    """The lease in force, or None."""
    async with read(db) as session:
        lease = await session.get(Lease, name)
        return lease if lease is not None and lease.expires_at > utcnow() else None
