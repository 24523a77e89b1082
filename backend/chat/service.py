"""Messages between people, announcements and the running line (AG7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select

from backend.audit.service import changed, note
from backend.chat.models import Announcement, AnnouncementSeen, ChatMember, ChatMessage
from backend.database import AsyncSession, Database, locked, read, utcnow, write
from backend.errors import Faults, ForbiddenError, InvalidError, not_found
from backend.events import record
from backend.identity.models import User
from backend.identity.permissions import Actor
from backend.paging import Page, page
from backend.tasks import service as tasks
from nodes.sdk.text import text

ALL = "all"
KINDS = ("announcement", "line")
LONGEST = timedelta(days=366)


def channel_with(actor_id: str, other: str) -> str:
    """The channel of two people, the same for both."""
    first, second = sorted((actor_id, other))
    return f"person:{first}:{second}"


def others_in(channel: str, user_id: str) -> str | None:
    """Who else is in a channel of two."""
    kind, _, rest = channel.partition(":")
    if kind != "person":
        return None
    first, _, second = rest.partition(":")
    return second if first == user_id else first


def may_read(channel: str, user_id: str, teams: frozenset[str] | None) -> bool:
    """Whether somebody is in a channel. ``teams`` None is every team."""
    kind, _, rest = channel.partition(":")
    match kind:
        case "all":
            return rest == ""
        case "person":
            return user_id in rest.split(":")
        case "team":
            return bool(rest) and (teams is None or rest in teams)
        case _:
            return False


async def send(db: Database, actor: Actor, *, channel: str = "", to: str | None = None, words: str,
               urgent: bool = False) -> ChatMessage:  # fmt: skip
    """Send to a person (`to`), or into a channel (``team:<name>``, ``all``)."""
    me = _person(actor)
    words = words.strip()
    if not 1 <= len(words) <= 4000:
        raise InvalidError(
            text("消息应有 1 到 4000 字", "a message has 1 to 4000 signs"),
            field="text",
            remedy=text("请填写或缩短。", "Write something, or make it shorter."),
        )
    async with write(db) as session:
        if to is not None:
            other = await session.get(User, to)
            if other is None or other.business_id != actor.business_id or not other.active or to == me:
                raise not_found("收信人", "person to write to", to, "to")
            channel = channel_with(me, to)
        await _allowed(session, actor, channel)
        now = utcnow()
        row = ChatMessage(
            business_id=actor.business_id, channel=channel, sender_id=me, text=words, urgent=urgent, sent_at=now
        )
        session.add(row)
        for member in {me, others_in(channel, me) or me}:
            await _member(session, actor.business_id, channel, member)
        (await _member(session, actor.business_id, channel, me)).read_at = now
        await session.flush()
        record(session, actor.business_id, "chat.sent", row.id, channel=channel)
        return row


async def _member(session: AsyncSession, business_id: str, channel: str, user_id: str) -> ChatMember:
    found = await session.get(ChatMember, (business_id, channel, user_id))
    if found is None:
        found = ChatMember(business_id=business_id, channel=channel, user_id=user_id)
        session.add(found)
        await session.flush()
    return found


def _person(actor: Actor) -> str:
    if actor.user_id is None:
        raise ForbiddenError(text("只有人可以收发消息", "only people write messages"))
    return actor.user_id


async def _allowed(session: AsyncSession, actor: Actor, channel: str) -> None:
    mine = await tasks.memberships_of(session, actor.business_id, _person(actor))
    if not may_read(channel, _person(actor), mine.teams):
        raise not_found("会话", "channel", channel, "channel")


@dataclass(frozen=True, slots=True)
class Channel:
    """One conversation of somebody: its newest message and how many are unread."""

    name: str
    other: str | None
    last: ChatMessage | None
    unread: int


async def channels(db: Database, actor: Actor) -> list[Channel]:
    """The conversations of the actor, the newest first; the one of all is always there."""
    me = _person(actor)
    async with read(db) as session:
        mine = await tasks.memberships_of(session, actor.business_id, me)
        states = {
            row.channel: row.read_at
            for row in await session.exec(
                select(ChatMember).where(ChatMember.user_id == me, ChatMember.business_id == actor.business_id)
            )
        }
        names = {ALL, *states, *(f"team:{team}" for team in mine.teams or ())}
        found: list[Channel] = []
        for name in names:
            last = await session.exec(
                select(ChatMessage)
                .where(ChatMessage.business_id == actor.business_id, ChatMessage.channel == name)
                .order_by(col(ChatMessage.sent_at).desc(), col(ChatMessage.id).desc())
                .limit(1)
            )
            unread = await _unread(session, actor, name, states.get(name))
            found.append(Channel(name, others_in(name, me), last.first(), unread))
        long_ago = datetime.min.replace(tzinfo=utcnow().tzinfo)
        return sorted(found, key=lambda one: one.last.sent_at if one.last else long_ago, reverse=True)


async def _unread(session: AsyncSession, actor: Actor, channel: str, read_at: datetime | None) -> int:
    me = _person(actor)
    if read_at is None:
        # Whoever comes new is not greeted with the whole past.
        user = await session.get(User, me)
        read_at = user.created_at if user is not None else utcnow()
    found = select(ChatMessage.id).where(
        ChatMessage.business_id == actor.business_id,
        ChatMessage.channel == channel,
        ChatMessage.sender_id != me,
        ChatMessage.sent_at > read_at,
    )
    return (await session.exec(select(func.count()).select_from(found.limit(1000).subquery()))).one()


async def history(
    db: Database, actor: Actor, channel: str, *, first: int = 50, after: str | None = None
) -> Page[ChatMessage]:
    """Messages of a channel, newest first."""
    async with read(db) as session:
        await _allowed(session, actor, channel)
        return await page(
            session,
            select(ChatMessage).where(ChatMessage.business_id == actor.business_id, ChatMessage.channel == channel),
            by=(col(ChatMessage.sent_at), col(ChatMessage.id)),
            keys=lambda row: (row.sent_at, row.id),
            first=first,
            after=after,
        )


async def mark_read(db: Database, actor: Actor, channel: str) -> None:
    """The actor has read all there is in a channel."""
    async with write(db) as session:
        await _allowed(session, actor, channel)
        (await _member(session, actor.business_id, channel, _person(actor))).read_at = utcnow()
        record(session, actor.business_id, "chat.read", channel[:128], kept=False, user_id=actor.user_id)


async def get_message(db: Database, actor: Actor, id: str) -> ChatMessage | None:
    """A message of one of the actor's channels, or None."""
    async with read(db) as session:
        row = await session.get(ChatMessage, id)
        if row is None or row.business_id != actor.business_id:
            return None
        mine = await tasks.memberships_of(session, actor.business_id, _person(actor))
        return row if may_read(row.channel, _person(actor), mine.teams) else None


async def people(db: Database, actor: Actor) -> list[User]:
    """Whom one can write to."""
    async with read(db) as session:
        found = await session.exec(
            select(User)
            .where(User.business_id == actor.business_id, col(User.active), User.id != actor.user_id)
            .order_by(col(User.display_name), col(User.name))
        )
        return list(found)


# --------------------------------------------------------------------------- announcements


async def save_announcement(
    db: Database,
    actor: Actor,
    *,
    id: str | None = None,
    kind: str = "announcement",
    title: str = "",
    words: str,
    team: str = "",
    urgent: bool = False,
    from_at: datetime | None = None,
    until_at: datetime,
) -> Announcement:
    """Announce something, or set a running line, for a while."""
    now = utcnow()
    from_at = from_at or now
    faults = Faults()
    for wrong, name, zh, en in (
        (kind not in KINDS, "kind", f"可选：{'、'.join(KINDS)}", f"Choose one of {', '.join(KINDS)}."),
        (not words.strip() or len(words) > 4000, "text", "请填写 1 到 4000 字", "Write 1 to 4000 signs."),
        (len(title) > 200, "title", "最多 200 字", "200 signs at most."),
        (kind == "line" and len(words) > 300, "text", "滚动字幕最多 300 字", "A running line has 300 signs at most."),
        (not from_at < until_at <= from_at + LONGEST, "untilAt", "结束须在开始之后、一年之内",
         "The end comes after the begin, within a year."),
    ):  # fmt: skip
        if wrong:
            faults.add(
                InvalidError(
                    text("公告不正确", "the announcement cannot be like this"), field=name, remedy=text(f"{zh}。", en)
                )
            )
    faults.tell()
    async with write(db) as session:
        row = await locked(session, Announcement, id) if id is not None else None
        if id is not None and (row is None or row.business_id != actor.business_id):
            raise not_found("公告", "announcement", id)
        if row is None:
            row = Announcement(business_id=actor.business_id, until_at=until_at, created_by=actor.user_id)
            session.add(row)
        row.kind, row.title, row.text, row.team, row.urgent = kind, title.strip(), words.strip(), team, urgent
        row.from_at, row.until_at = from_at, until_at
        said = changed(row, "kind", "title", "text", "team", "urgent")
        await session.flush()
        await note(session, actor, "announcement.saved", row.title or row.id, **said)
        record(session, actor.business_id, "announcement.changed", row.id)
        return row


async def delete_announcement(db: Database, actor: Actor, id: str) -> None:
    """Take an announcement back."""
    async with write(db) as session:
        row = await locked(session, Announcement, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("公告", "announcement", id)
        for seen in await session.exec(select(AnnouncementSeen).where(AnnouncementSeen.announcement_id == id)):
            await session.delete(seen)
        await session.flush()
        await session.delete(row)
        await note(session, actor, "announcement.deleted", row.title or id)
        record(session, actor.business_id, "announcement.changed", id)


async def current(db: Database, actor: Actor, kind: str) -> list[tuple[Announcement, bool]]:
    """What is announced to the actor now, with whether they have confirmed it; the newest first."""
    now = utcnow()
    async with read(db) as session:
        statement = select(Announcement).where(
            Announcement.business_id == actor.business_id,
            Announcement.kind == kind,
            Announcement.until_at > now,
            Announcement.from_at <= now,
        )
        if actor.user_id is not None:
            mine = await tasks.memberships_of(session, actor.business_id, actor.user_id)
            if mine.teams is not None:
                statement = statement.where(col(Announcement.team).in_(["", *sorted(mine.teams)]))
        rows = list(await session.exec(statement.order_by(col(Announcement.from_at).desc()).limit(100)))
        seen = await session.exec(
            select(AnnouncementSeen.announcement_id).where(
                col(AnnouncementSeen.announcement_id).in_([row.id for row in rows]),
                AnnouncementSeen.user_id == actor.user_id,
            )
        )
        known = set(seen)
        return [(row, row.id in known) for row in rows]


async def confirm(db: Database, actor: Actor, id: str) -> Announcement:
    """The actor has seen an announcement."""
    me = _person(actor)
    async with write(db) as session:
        row = await session.get(Announcement, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("公告", "announcement", id)
        if await session.get(AnnouncementSeen, (id, me)) is None:
            session.add(AnnouncementSeen(announcement_id=id, user_id=me, business_id=actor.business_id))
        return row


async def list_announcements(
    db: Database, business_id: str, *, first: int = 50, after: str | None = None
) -> Page[Announcement]:
    """All announcements and lines, past and coming, newest first."""
    async with read(db) as session:
        return await page(
            session,
            select(Announcement).where(Announcement.business_id == business_id),
            by=(col(Announcement.created_at), col(Announcement.id)),
            keys=lambda row: (row.created_at, row.id),
            first=first,
            after=after,
        )


async def seen_by(db: Database, business_id: str, ids: Sequence[str]) -> dict[str, int]:
    """How many people have confirmed each."""
    async with read(db) as session:
        found = await session.exec(
            select(AnnouncementSeen.announcement_id, func.count())
            .where(col(AnnouncementSeen.announcement_id).in_(ids), AnnouncementSeen.business_id == business_id)
            .group_by(AnnouncementSeen.announcement_id)
        )
        return dict(found.all())
