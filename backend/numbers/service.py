"""The number plan: where a called number leads, what may be dialled and through which trunk."""

import contextlib
import ipaddress
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cryptography import x509
from sqlalchemy import and_, bindparam, func, not_, or_
from sqlalchemy import select as select_columns
from sqlmodel import col, delete, select

from backend.audit.service import changed, note
from backend.calls.models import Call, Leg
from backend.database import AsyncSession, Database, locked, read, taken, utcnow, write
from backend.errors import ConflictError, DomainError, Faults, InvalidError, exists, not_found
from backend.flows.models import Flow, FlowAlias, FlowVersion
from backend.identity.models import Business, User
from backend.identity.permissions import Actor
from backend.numbers.models import EmergencyRoute, Extension, OutboundRule, OutboundUse, PhoneNumber, Trunk
from backend.numbers.phone import NumberClass, classify, normalise
from nodes.sdk.services import Secrets
from nodes.sdk.text import Text, text

# --------------------------------------------------------------------------- calls that come in


@dataclass(frozen=True, slots=True)
class Route:
    """Where a called number leads: a business and the published version its flow runs at, pinned now."""

    business_id: str
    number: str
    language: str
    flow_key: str
    kind: str
    alias: str
    version: int
    plan_hash: str


@dataclass(frozen=True, slots=True)
class NoRoute:
    """A called number leads to no flow. ``business_id`` is set when the number itself is known."""

    business_id: str | None
    reason: str


_FIXED = col(PhoneNumber.version).is_not(None)
_ROUTE = (
    select_columns(
        col(PhoneNumber.business_id),
        col(PhoneNumber.number),
        col(PhoneNumber.enabled),
        col(PhoneNumber.language),
        col(PhoneNumber.version),
        col(PhoneNumber.alias),
        col(Flow.key),
        col(Flow.kind),
        col(Flow.archived),
        col(FlowVersion.number),
        col(FlowVersion.plan_hash),
    )
    .select_from(PhoneNumber)
    .outerjoin(Flow, col(Flow.id) == col(PhoneNumber.flow_id))
    .outerjoin(FlowAlias, and_(col(FlowAlias.flow_id) == col(Flow.id), col(FlowAlias.name) == col(PhoneNumber.alias)))
    .outerjoin(
        FlowVersion,
        or_(
            and_(_FIXED, col(FlowVersion.flow_id) == col(Flow.id), col(FlowVersion.number) == col(PhoneNumber.version)),
            and_(not_(_FIXED), col(FlowVersion.id) == col(FlowAlias.version_id)),
        ),
    )
    .where(col(PhoneNumber.number).in_(bindparam("forms", expanding=True)))
)
"""One statement of plain columns, made once: every call waits for it, and drafts and documents are large."""


async def route_call(db: Database, called: str, *, country: str) -> Route | NoRoute:
    """What to run for a call to `called`. Never raises for a number that is unknown or not ready."""
    forms = {called.strip()}
    with contextlib.suppress(InvalidError):
        forms.add(normalise(called, country))
    async with read(db) as session:
        row = (await session.execute(_ROUTE, {"forms": sorted(forms)})).first()
    if row is None:
        return NoRoute(None, "unknown_number")
    business_id, number, enabled, language, fixed_version, alias, key, kind, archived, version, plan_hash = row
    if not enabled:
        return NoRoute(business_id, "disabled")
    if key is None:
        return NoRoute(business_id, "no_flow")
    if archived:
        return NoRoute(business_id, "archived")
    if version is None:
        return NoRoute(business_id, "not_published")
    return Route(
        business_id=business_id,
        number=number,
        language=language,
        flow_key=key,
        kind=kind,
        alias="" if fixed_version is not None else alias,
        version=version,
        plan_hash=plan_hash,
    )


async def _country(session: AsyncSession, business_id: str) -> str:
    business = await session.get(Business, business_id)
    if business is None:
        raise not_found("企业", "business", business_id)
    return business.country


async def save_number(
    db: Database,
    actor: Actor,
    *,
    id: str | None = None,
    number: str,
    name: str = "",
    flow: str | None = None,
    alias: str = "live",
    version: int | None = None,
    language: str = "",
    enabled: bool = True,
) -> PhoneNumber:
    """Create or change a number. `flow` is the flow's key."""
    async with write(db) as session:
        faults = Faults()
        plain = number
        with faults.gathered():
            plain = normalise(number, await _country(session, actor.business_id))
        row: PhoneNumber | None = await _mine(session, actor, PhoneNumber, id, "号码", "number")
        if await taken(session, PhoneNumber.id, id, PhoneNumber.number == plain) or await taken(
            session, Extension.id, None, Extension.number == plain
        ):
            faults.add(
                ConflictError(
                    text(f"号码 {plain} 已被使用", f"the number {plain} is in use"),
                    field="number",
                    remedy=text("请换一个号码。", "Choose another number."),
                )
            )
        flow_id = None
        if flow is not None:
            target = (
                await session.exec(select(Flow).where(Flow.business_id == actor.business_id, Flow.key == flow))
            ).first()
            if target is None:
                faults.add(not_found("流程", "flow", flow, "flow"))
            else:
                flow_id = target.id
            if target is not None and version is not None:
                published = await session.exec(
                    select(FlowVersion.id).where(FlowVersion.flow_id == flow_id, FlowVersion.number == version)
                )
                if published.first() is None:
                    faults.add(not_found("版本", "version", str(version), "version"))
        faults.tell()
        led = await session.get(Flow, row.flow_id) if row is not None and row.flow_id else None
        if row is None:
            row = PhoneNumber(business_id=actor.business_id, number=plain)
            session.add(row)
        row.number, row.name, row.flow_id, row.alias = plain, name, flow_id, alias
        row.version, row.language, row.enabled = version, language, enabled
        said = changed(row, "number", "name", "alias", "version", "language", "enabled")
        if (led.key if led is not None else None) != flow:
            said["flow"] = flow or ""
            if id is not None:
                said.setdefault("was", {})["flow"] = led.key if led is not None else ""
        await session.flush()
        await note(session, actor, "number.saved", plain, **said)
        return row


async def delete_number(db: Database, actor: Actor, id: str) -> None:
    """Remove a number. Calls keep what they were."""
    async with write(db) as session:
        row = await _mine(session, actor, PhoneNumber, id, "号码", "number")
        await session.delete(row)
        assert row is not None
        await note(session, actor, "number.deleted", row.number)


async def list_numbers(db: Database, business_id: str) -> list[PhoneNumber]:
    """Numbers of a business."""
    async with read(db) as session:
        found = select(PhoneNumber).where(PhoneNumber.business_id == business_id).order_by(col(PhoneNumber.number))
        return list(await session.exec(found))


async def _mine(session: AsyncSession, actor: Actor, entity: type[Any], id: str | None, zh: str, en: str) -> Any:
    """The row of the actor's business, locked; None for a new one. Raises NotFoundError."""
    if id is None:
        return None
    row = await locked(session, entity, id)
    if row is None or row.business_id != actor.business_id:
        raise not_found(zh, en, id)
    return row


# --------------------------------------------------------------------------- trunks and extensions

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_HOST = re.compile(r"[A-Za-z0-9.\-:\[\]]{1,255}")
_SIP_WORD = re.compile(r"[A-Za-z0-9_.!~*'()&=+$,;?/%@:\-]{0,128}")
_CODECS = frozenset({"alaw", "ulaw", "g722", "opus", "g729", "gsm"})


def _refuse(field: str, zh: str, en: str, zh_remedy: str, en_remedy: str) -> InvalidError:
    return InvalidError(text(zh, en), field=field, remedy=text(zh_remedy, en_remedy))


def check_sip_password(password: str, field: str = "password") -> None:
    """Raise InvalidError for a password that is weak or could break out of a configuration line."""
    if not 8 <= len(password) <= 128 or not re.fullmatch(r"[\x21-\x7e]+", password) or ";" in password:
        raise _refuse(
            field,
            "SIP 密码不可用",
            "this SIP password cannot be used",
            "请使用 8 到 128 个可见 ASCII 字符，不含空格和分号。",
            "Use 8 to 128 visible ASCII characters without spaces and semicolons.",
        )


def _trunk_faults(
    *,
    name: str,
    host: str,
    port: int,
    transport: str,
    encryption: str,
    authority: str,
    username: str,
    addresses: Sequence[str],
    caller_id: str,
    codecs: Sequence[str],
    max_calls: int,
) -> Iterator[InvalidError]:
    """What is wrong with a trunk as it was given."""
    if not _NAME.fullmatch(name):
        yield _refuse(
            "name", f"中继名“{name}”不可用", f"'{name}' cannot name a trunk", "小写字母、数字和 -，以字母开头。",
            "Small letters, digits and -, beginning with a letter.",
        )  # fmt: skip
    if not _HOST.fullmatch(host):
        yield _refuse(
            "host", "地址不可用", "this is no host", "请填写域名或 IP。", "Give a host name or an IP address."
        )
    if not 1 <= port <= 65535:
        yield _refuse("port", "端口不可用", "this is no port", "1 到 65535。", "A port is from 1 to 65535.")
    if transport not in ("udp", "tcp", "tls"):
        yield _refuse(
            "transport", "传输方式不可用", "no such transport", "可选 udp、tcp、tls。", "Choose udp, tcp or tls."
        )
    if encryption not in ("off", "srtp") or (encryption == "srtp" and transport != "tls"):
        yield _refuse(
            "encryption", "语音加密不可用", "the sound cannot be encrypted like this",
            "SRTP 的密钥由信令传送，请将传输协议设为 tls。",
            "SRTP keys travel in the signalling: choose the transport tls.",
        )  # fmt: skip
    if authority:
        try:
            x509.load_pem_x509_certificates(authority.encode())
        except ValueError:
            yield _refuse(
                "authority", "证书不可用", "this is no certificate", "请粘贴 PEM 格式的 CA 证书。",
                "Paste the authority's certificate in PEM form.",
            )  # fmt: skip
    if not _SIP_WORD.fullmatch(username) or (username and ";" in username):
        yield _refuse(
            "username", "用户名不可用", "this user name cannot be used", "请去掉特殊字符。", "Leave out unusual signs."
        )
    for address in addresses:
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError:
            yield _refuse(
                "addresses", f"“{address}”不是 IP 地址或网段", f"'{address}' is no address or network",
                "例如 203.0.113.0/24。", "Write it as in 203.0.113.0/24.",
            )  # fmt: skip
    unknown = [codec for codec in codecs if codec not in _CODECS]
    if unknown or not codecs:
        yield _refuse(
            "codecs", "编码不可用", "no such codec", f"可选：{', '.join(sorted(_CODECS))}",
            f"Choose of {', '.join(sorted(_CODECS))}.",
        )  # fmt: skip
    if not 1 <= max_calls <= 10_000:
        yield _refuse(
            "max_calls", "并发数应为 1 到 10000", "1 to 10000 calls", "请修改。", "Choose a number in this range."
        )
    if caller_id and not re.fullmatch(r"\+?\d{2,20}", caller_id):
        yield _refuse(
            "caller_id",
            "主叫号码只能是数字",
            "a number has digits alone",
            "例如 +862161234567。",
            "Write it as in +862161234567.",
        )


async def save_trunk(
    db: Database,
    secrets_box: Secrets,
    actor: Actor,
    *,
    id: str | None = None,
    name: str,
    host: str,
    port: int = 5060,
    transport: str = "udp",
    encryption: str = "off",
    verify: bool = True,
    authority: str = "",
    username: str = "",
    password: str | None = None,
    registers: bool = False,
    addresses: Sequence[str] = (),
    caller_id: str = "",
    codecs: Sequence[str] = ("alaw", "ulaw"),
    max_calls: int = 100,
    priority: int = 10,
    enabled: bool = True,
) -> Trunk:
    """Create or change a trunk. `password` None leaves it as it is; it is sealed before it is stored."""
    authority = authority.strip()
    faults = Faults()
    for fault in _trunk_faults(
        name=name,
        host=host,
        port=port,
        transport=transport,
        encryption=encryption,
        authority=authority,
        username=username,
        addresses=addresses,
        caller_id=caller_id,
        codecs=codecs,
        max_calls=max_calls,
    ):
        faults.add(fault)
    if password:
        with faults.gathered():
            check_sip_password(password)
    async with write(db) as session:
        row: Trunk | None = await _mine(session, actor, Trunk, id, "中继", "trunk")
        if await taken(session, Trunk.id, id, Trunk.name == name):
            faults.add(exists("中继", "trunk", name))
        faults.tell()
        if row is None:
            row = Trunk(business_id=actor.business_id, name=name, host=host)
            session.add(row)
        row.name, row.host, row.port, row.transport = name, host, port, transport
        row.encryption, row.verify, row.authority = encryption, verify, authority
        row.username, row.registers, row.caller_id = username, registers, caller_id
        row.addresses, row.codecs = list(addresses), list(codecs)
        row.max_calls, row.priority, row.enabled = max_calls, priority, enabled
        if password is not None:
            row.password = secrets_box.seal(password) if password else ""
        said = changed(
            row, "name", "host", "port", "transport", "encryption", "verify", "username", "registers", "addresses",
            "caller_id", "codecs", "max_calls", "priority", "enabled",
        )  # fmt: skip
        await session.flush()
        await note(session, actor, "trunk.saved", name, **said, password_set=password is not None or None)
        return row


async def delete_trunk(db: Database, actor: Actor, id: str) -> None:
    """Remove a trunk that no rule names."""
    async with write(db) as session:
        row = await _mine(session, actor, Trunk, id, "中继", "trunk")
        used = (await session.exec(select(OutboundRule.number_class).where(OutboundRule.trunk_id == id))).all()
        if used:
            raise ConflictError(
                text(
                    f"呼出规则仍在使用该中继：{'、'.join(CLASS_NAMES[NumberClass(kind)].zh for kind in used)}",
                    f"outbound rules use this trunk: {', '.join(CLASS_NAMES[NumberClass(kind)].en for kind in used)}",
                ),
                field="id",
                remedy=text("请先修改这些规则。", "Change these rules first."),
            )
        await session.delete(row)
        await note(session, actor, "trunk.deleted", row.name)


async def list_trunks(db: Database, business_id: str | None = None) -> list[Trunk]:
    """Trunks of a business, or of all. Passwords stay sealed."""
    statement = select(Trunk).order_by(col(Trunk.priority), col(Trunk.name))
    if business_id is not None:
        statement = statement.where(Trunk.business_id == business_id)
    async with read(db) as session:
        return list(await session.exec(statement))


async def save_extension(
    db: Database,
    secrets_box: Secrets,
    actor: Actor,
    *,
    id: str | None = None,
    number: str,
    name: str = "",
    password: str | None = None,
    user_id: str | None = None,
    enabled: bool = True,
) -> tuple[Extension, str | None]:
    """Create or change an extension; returns the password when one was made for it, to be shown once."""
    faults = Faults()
    fits = re.fullmatch(r"\d{3,6}", number) is not None
    if not fits:
        faults.add(
            _refuse(
                "number", "分机号应为 3 到 6 位数字", "an extension has 3 to 6 digits", "例如 8001。", "Such as 8001."
            )
        )
    made = None
    if password is not None:
        with faults.gathered():
            check_sip_password(password)
    async with write(db) as session:
        if fits and classify(number, await _country(session, actor.business_id)) is NumberClass.EMERGENCY:
            faults.add(
                _refuse(
                    "number", "不能使用紧急号码", "this is an emergency number", "请换一个。", "Choose another one."
                )
            )
        row: Extension | None = await _mine(session, actor, Extension, id, "分机", "extension")
        if await taken(session, Extension.id, id, Extension.number == number) or await taken(
            session, PhoneNumber.id, None, PhoneNumber.number == number
        ):
            faults.add(
                ConflictError(
                    text(f"号码 {number} 已被使用", f"the number {number} is in use"),
                    field="number",
                    remedy=text("请换一个号码。", "Choose another number."),
                )
            )
        if user_id is not None:
            user = await session.get(User, user_id)
            if user is None or user.business_id != actor.business_id:
                faults.add(not_found("用户", "user", user_id, "user_id"))
        faults.tell()
        if row is None:
            made = password is None
            password = password or secrets.token_urlsafe(12)
            row = Extension(business_id=actor.business_id, number=number, password="")
            session.add(row)
        row.number, row.name, row.user_id, row.enabled = number, name, user_id, enabled
        if password is not None:
            row.password = secrets_box.seal(password)
        said = changed(row, "number", "name", "user_id", "enabled")
        await session.flush()
        await note(session, actor, "extension.saved", number, **said, password_set=password is not None or None)
        return row, password if made else None


async def ensure_extensions(
    db: Database, secrets_box: Secrets, actor: Actor, numbers: Sequence[str]
) -> list[tuple[str, str]]:
    """The extensions of the first start: made when the business has none; returns every number with its password."""
    if not await list_extensions(db, actor.business_id):
        for number in numbers:
            await save_extension(db, secrets_box, actor, number=number, name=f"Phone {number}")
    return [(row.number, secrets_box.reveal(row.password)) for row in await list_extensions(db, actor.business_id)]


async def delete_extension(db: Database, actor: Actor, id: str) -> None:
    """Remove an extension."""
    async with write(db) as session:
        row = await _mine(session, actor, Extension, id, "分机", "extension")
        await session.delete(row)
        await note(session, actor, "extension.deleted", row.number)


async def list_extensions(db: Database, business_id: str | None = None) -> list[Extension]:
    """Extensions of a business, or of all. Passwords stay sealed."""
    statement = select(Extension).order_by(col(Extension.number))
    if business_id is not None:
        statement = statement.where(Extension.business_id == business_id)
    async with read(db) as session:
        return list(await session.exec(statement))


# --------------------------------------------------------------------------- calls that go out

DEFAULT_CAPS: dict[NumberClass, int] = {
    NumberClass.NATIONAL: 500,
    NumberClass.MOBILE: 500,
    NumberClass.TOLL_FREE: 500,
    NumberClass.SERVICE: 20,
    NumberClass.PREMIUM: 0,
    NumberClass.INTERNATIONAL: 0,
}
"""Calls an hour where a business has no rule of its own: toll fraud goes abroad and to premium numbers."""
CLASS_NAMES: dict[NumberClass, Text] = {
    NumberClass.NATIONAL: text("国内固话", "national landline"),
    NumberClass.MOBILE: text("手机", "mobile"),
    NumberClass.TOLL_FREE: text("免费电话", "toll-free"),
    NumberClass.SERVICE: text("服务号码", "service"),
    NumberClass.PREMIUM: text("信息费号码", "premium rate"),
    NumberClass.INTERNATIONAL: text("国际长途", "international"),
}


class DialError(DomainError):
    """A number may not or cannot be dialled: ``bad_number``, ``not_allowed``, ``no_trunk``, ``trunk_full``."""


def _not_allowed(zh: str, en: str) -> DialError:
    return DialError(
        text(zh, en),
        field="number",
        code="not_allowed",
        remedy=text("请管理员修改呼出规则。", "An administrator can change the outbound rules."),
    )


@dataclass(frozen=True, slots=True)
class Destination:
    """What to give the driver: ``extension:8001`` or ``trunk:<name>:<number>``."""

    address: str
    number: str
    number_class: NumberClass
    caller_id: str = ""


async def destination(db: Database, business_id: str, number: str, *, anonymous: bool = False) -> Destination:
    """Where to dial `number`, counted against the caps. Raises DialError.

    An anonymous caller never reaches a trunk. Emergency numbers pass every cap.
    """
    async with write(db) as session:
        business = await session.get(Business, business_id)
        if business is None:
            raise not_found("企业", "business", business_id)
        try:
            plain = normalise(number, business.country)
        except InvalidError as error:
            raise DialError(error.message, field="number", code="bad_number", remedy=error.remedy) from None
        emergency = (
            await session.exec(
                select(EmergencyRoute).where(EmergencyRoute.business_id == business_id, EmergencyRoute.number == plain)
            )
        ).first()
        if emergency is not None:
            target = emergency.destination
            is_extension = target.isdigit()
            address = f"extension:{target}" if is_extension else f"trunk:{target}:{plain}"
            return Destination(address, plain, NumberClass.EMERGENCY)
        kind = classify(plain, business.country)
        if kind is NumberClass.EMERGENCY:
            trunk = await _trunk(session, business_id, None)
            if trunk is None:
                raise _no_trunk()
            return Destination(f"trunk:{trunk.name}:{plain}", plain, kind, trunk.caller_id)
        phone = (
            await session.exec(
                select(Extension).where(
                    Extension.business_id == business_id, Extension.number == plain, col(Extension.enabled).is_(True)
                )
            )
        ).first()
        if phone is not None:
            return Destination(f"extension:{plain}", plain, NumberClass.INTERNAL)
        if kind is NumberClass.INTERNAL:
            raise DialError(
                text(f"没有分机 {plain}", f"there is no extension {plain}"),
                field="number",
                code="bad_number",
                remedy=text("请检查号码，或先建分机。", "Check the number, or create the extension."),
            )
        if anonymous:
            raise _not_allowed("匿名来电不能转到外线", "an anonymous caller may not reach an outside line")
        return await _outside(session, business, plain, kind)


def _no_trunk() -> DialError:
    return DialError(
        text("没有可用的中继", "there is no trunk to dial through"),
        field="number",
        code="no_trunk",
        remedy=text("请先添加并启用一条中继。", "Add a trunk and switch it on."),
    )


async def _trunks(session: AsyncSession, business_id: str, trunk_id: str | None) -> Sequence[Trunk]:
    """The trunks to dial through, the best first."""
    wanted = select(Trunk).where(Trunk.business_id == business_id, col(Trunk.enabled).is_(True))
    if trunk_id is not None:
        wanted = wanted.where(Trunk.id == trunk_id)
    return (await session.exec(wanted.order_by(col(Trunk.priority), col(Trunk.name)))).all()


async def _trunk(session: AsyncSession, business_id: str, trunk_id: str | None) -> Trunk | None:
    return next(iter(await _trunks(session, business_id, trunk_id)), None)


async def _free_trunk(session: AsyncSession, business_id: str, trunk_id: str | None) -> Trunk:
    """The best trunk that has a line left. Raises DialError."""
    trunks = await _trunks(session, business_id, trunk_id)
    for trunk in trunks:
        if await lines_in_use(session, trunk.name) < trunk.max_calls:
            return trunk
    if not trunks:
        raise _no_trunk()
    names = ", ".join(trunk.name for trunk in trunks)
    raise DialError(
        text(f"中继线路全忙：{names}", f"every line is in use: {names}"),
        field="number",
        code="trunk_full",
        remedy=text("请稍后再拨，或提高中继的并发数。", "Try again later, or allow the trunk more calls at once."),
    )


async def lines_in_use(session: AsyncSession, trunk: str) -> int:
    """Calls on a trunk now: those that came or were placed through it, and legs that calls have dialled."""
    open_calls = col(Call.state).in_(("ringing", "up"))
    own = select(func.count()).select_from(Call).where(open_calls, col(Call.trunk) == trunk)
    dialled = (
        select(func.count())
        .select_from(Leg)
        .join(Call, col(Call.id) == col(Leg.call_id))
        .where(
            open_calls, col(Leg.state) != "ended", col(Leg.destination).startswith(f"trunk:{trunk}:", autoescape=True)
        )
    )
    return (await session.exec(own)).one() + (await session.exec(dialled)).one()


async def _outside(session: AsyncSession, business: Business, number: str, kind: NumberClass) -> Destination:
    rule = (
        await session.exec(
            select(OutboundRule).where(OutboundRule.business_id == business.id, OutboundRule.number_class == kind)
        )
    ).first()
    cap, name = rule.max_per_hour if rule is not None else DEFAULT_CAPS[kind], CLASS_NAMES[kind]
    now = utcnow()
    if cap <= 0:
        raise _not_allowed(f"不允许拨打{name.zh}", f"{name.en} numbers may not be dialled")
    if rule is not None and not rule.from_hour <= now.astimezone(ZoneInfo(business.timezone)).hour < rule.to_hour:
        raise _not_allowed(f"此时段不允许拨打{name.zh}", f"{name.en} numbers may not be dialled at this hour")
    trunk = await _free_trunk(session, business.id, rule.trunk_id if rule is not None else None)
    hour = now.replace(minute=0, second=0, microsecond=0)
    use = await locked(session, OutboundUse, (business.id, kind.value, hour))
    if use is None:
        use = OutboundUse(business_id=business.id, number_class=kind, hour=hour)
        session.add(use)
        # Old hours decide nothing any more.
        old = now - timedelta(days=40)
        await session.exec(
            delete(OutboundUse).where(col(OutboundUse.business_id) == business.id, col(OutboundUse.hour) < old)
        )
    if use.calls >= cap:
        raise _not_allowed(
            f"本小时拨打{name.zh}已达上限 {cap} 次",
            f"the cap of {cap} calls an hour to {name.en} numbers is reached",
        )
    use.calls += 1
    return Destination(f"trunk:{trunk.name}:{number}", number, kind, trunk.caller_id)


async def caller_id(db: Database, business_id: str, destination: str = "") -> str:
    """The number shown on outgoing calls: that of the trunk which `destination` leaves through, without one the first
    trunk's, else the business's first number."""
    async with read(db) as session:
        trunk = await _trunk(session, business_id, None)
        if destination.startswith("trunk:"):
            own = select(Trunk).where(Trunk.business_id == business_id, Trunk.name == destination.split(":")[1])
            trunk = (await session.exec(own)).first()
        if trunk is not None and trunk.caller_id:
            return trunk.caller_id
        first = await session.exec(
            select(PhoneNumber.number)
            .where(PhoneNumber.business_id == business_id, col(PhoneNumber.enabled).is_(True))
            .order_by(col(PhoneNumber.created_at))
            .limit(1)
        )
        return first.first() or ""


async def save_rule(
    db: Database,
    actor: Actor,
    *,
    number_class: str,
    max_per_hour: int,
    from_hour: int = 0,
    to_hour: int = 24,
    trunk_id: str | None = None,
) -> OutboundRule:
    """Set the rule of a number class."""
    faults = Faults()
    if number_class not in DEFAULT_CAPS:
        names = ", ".join(kind.value for kind in DEFAULT_CAPS)
        faults.add(
            _refuse("number_class", "没有该号码类别", "no such number class", f"可选：{names}", f"Choose of {names}.")
        )
    if not 0 <= max_per_hour <= 1_000_000:
        faults.add(_refuse("max_per_hour", "上限不可用", "this cap cannot be used", "0 到 1000000。", "0 to 1000000."))
    if not 0 <= from_hour < to_hour <= 24:
        faults.add(
            _refuse(
                "from_hour",
                "时段不可用",
                "these hours cannot be used",
                "结束应晚于开始，最迟为 24 时。",
                "The end comes after the begin, at 24 at the latest.",
            )
        )
    faults.tell()
    async with write(db) as session:
        trunk: Trunk | None = await _mine(session, actor, Trunk, trunk_id, "中继", "trunk")
        row = (
            await session.exec(
                select(OutboundRule)
                .where(OutboundRule.business_id == actor.business_id, OutboundRule.number_class == number_class)
                .with_for_update()
            )
        ).first()
        if row is None:
            row = OutboundRule(business_id=actor.business_id, number_class=number_class, max_per_hour=0)
            session.add(row)
        led = row.trunk_id
        row.max_per_hour, row.from_hour, row.to_hour, row.trunk_id = max_per_hour, from_hour, to_hour, trunk_id
        said = changed(row, "max_per_hour", "from_hour", "to_hour")
        if row.trunk_id != led:
            before = await session.get(Trunk, led) if led is not None else None
            said["trunk"] = trunk.name if trunk is not None else ""
            said.setdefault("was", {})["trunk"] = before.name if before is not None else ""
        await session.flush()
        await note(session, actor, "outbound_rule.saved", number_class, **said)
        return row


async def list_rules(db: Database, business_id: str) -> list[OutboundRule]:
    """Rules of a business; classes without a rule follow `DEFAULT_CAPS`."""
    async with read(db) as session:
        found = select(OutboundRule).where(OutboundRule.business_id == business_id)
        return list(await session.exec(found.order_by(col(OutboundRule.number_class))))


async def save_emergency_route(db: Database, actor: Actor, *, number: str, destination: str) -> EmergencyRoute:
    """Where an emergency number goes: an extension's number or a trunk's name."""
    faults = Faults()
    if not re.fullmatch(r"\d{2,6}", number):
        faults.add(
            _refuse(
                "number",
                "紧急号码应为 2 到 6 位数字",
                "an emergency number has 2 to 6 digits",
                "例如 110。",
                "Such as 110.",
            )
        )
    async with write(db) as session:
        known = select(Extension.id).where(Extension.business_id == actor.business_id, Extension.number == destination)
        trunk = select(Trunk.id).where(Trunk.business_id == actor.business_id, Trunk.name == destination)
        if (await session.exec(known)).first() is None and (await session.exec(trunk)).first() is None:
            faults.add(not_found("分机或中继", "extension or trunk", destination, "destination"))
        faults.tell()
        row = (
            await session.exec(
                select(EmergencyRoute)
                .where(EmergencyRoute.business_id == actor.business_id, EmergencyRoute.number == number)
                .with_for_update()
            )
        ).first()
        if row is None:
            row = EmergencyRoute(business_id=actor.business_id, number=number, destination=destination)
            session.add(row)
        row.destination = destination
        said = changed(row, "destination")
        await session.flush()
        await note(session, actor, "emergency_route.saved", number, **said)
        return row


async def delete_emergency_route(db: Database, actor: Actor, number: str) -> None:
    """Emergency calls to that number go by the trunks again. Raises NotFoundError."""
    async with write(db) as session:
        found = select(EmergencyRoute).where(
            EmergencyRoute.business_id == actor.business_id, EmergencyRoute.number == number
        )
        row = (await session.exec(found.with_for_update())).first()
        if row is None:
            raise not_found("紧急路由", "emergency route", number, "number")
        await session.delete(row)
        await note(session, actor, "emergency_route.deleted", number)


async def list_emergency_routes(db: Database, business_id: str) -> list[EmergencyRoute]:
    """Emergency routes of a business."""
    async with read(db) as session:
        return list(await session.exec(select(EmergencyRoute).where(EmergencyRoute.business_id == business_id)))
