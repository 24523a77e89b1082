"""`callweave doctor`: checks everything that a phone call needs, and names the remedy."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from sqlmodel import col, select

from backend.calls.models import Call
from backend.calls.service import trail_of_call
from backend.cli.common import house
from backend.database import read, utcnow
from backend.errors import DomainError
from backend.migrations import current_revision, head_revision
from backend.numbers.service import NoRoute, list_extensions, list_numbers, route_call
from backend.runtime.children import port_taken
from backend.runtime.errors import ProductError
from backend.runtime.probe_phone import ProbeError, ProbePhone
from backend.runtime.supervisor import ANY, WELL, asterisk_pid_file, health
from backend.runtime.temporal_server import TemporalServer, find_binary, reachable
from backend.settings import Settings
from backend.tls import TlsError, uvicorn_options
from backend.web_app import web_folder
from nodes.sdk.registry import build
from telephony.asterisk.install import InstallError, resolve
from telephony.errors import SpeechError
from telephony.speech.asr import find_packs
from telephony.speech.tts import EspeakEngine

MIN_FREE = 1 << 30
MIN_CERTIFICATE_DAYS = 14


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    text: str
    remedy: str = ""

    @property
    def mark(self) -> str:
        return "ok   " if self.ok else "WRONG"

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "ok": self.ok, "text": self.text, "remedy": self.remedy}


Check = Callable[[Settings], Awaitable[list[Finding]]]


async def check_all(settings: Settings) -> list[Finding]:
    """Every check, one after the other."""
    found: list[Finding] = []
    for check in (home, programs, speech, nodes, ports, web, data, numbers, senders, parts):
        try:
            found += await check(settings)
        except Exception as problem:
            found.append(Finding(check.__name__, False, f"{type(problem).__name__}: {problem}"))
    return found


async def home(settings: Settings) -> list[Finding]:
    """The home folder: writable, with room."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        probe = settings.home / ".doctor"
        probe.write_text("")
        probe.unlink()
    except OSError as problem:
        return [Finding("home", False, str(problem), f"Make {settings.home} writable, or set CALLWEAVE_HOME")]
    free = shutil.disk_usage(settings.home).free
    enough = free > MIN_FREE
    remedy = "" if enough else "Make room: recordings need about 1 MB a minute"
    return [Finding("home", enough, f"{settings.home}, {free / 2**30:.1f} GB free", remedy)]


async def programs(settings: Settings) -> list[Finding]:
    """Temporal's and Asterisk's programs."""
    found = []
    if settings.temporal_address:
        answers = await reachable(settings)
        words = f"cluster at {settings.temporal_address}"
        found.append(Finding("temporal", answers, words, "" if answers else "Check CALLWEAVE_TEMPORAL_ADDRESS"))
    else:
        try:
            found.append(Finding("temporal", True, str(find_binary())))
        except ProductError as problem:
            found.append(Finding("temporal", False, problem.message, problem.remedy))
    try:
        engine = await asyncio.to_thread(resolve, settings.cache, ari_url=settings.ari_url)
        found.append(Finding("asterisk", True, f"{engine.version} ({engine.kind})"))
    except InstallError as problem:
        found.append(Finding("asterisk", False, "no Asterisk can be had", str(problem)))
    return found


async def speech(settings: Settings) -> list[Finding]:
    """The voices of the languages that ship, and what can be understood."""
    engine = EspeakEngine(workers=1)
    try:
        languages = await engine.languages()
    except SpeechError as problem:
        return [Finding("speech", False, str(problem), "Install espeak-ng (apt-get install espeak-ng)")]
    finally:
        await engine.close()
    missing = [one for one in ("zh", "en") if one not in languages]
    if missing:
        return [Finding("speech", False, f"no voice for {', '.join(missing)}", "Install espeak-ng-data")]
    spoken = Finding("speech", True, f"voices: {', '.join(sorted(languages))}")
    try:
        packs = await asyncio.to_thread(find_packs, settings.asr_models, settings.home / "asr")
    except SpeechError as problem:
        return [spoken, Finding("recognition", False, str(problem), "Set CALLWEAVE_ASR_MODELS to folders of models")]
    understood = (
        ", ".join(sorted(packs)) or f"none; for words beside keys put a vosk model into {settings.home / 'asr'}"
    )
    return [spoken, Finding("recognition", True, f"language packs: {understood}")]


async def nodes(settings: Settings) -> list[Finding]:
    """Node types, and what offers some and could not be loaded."""
    found = build(settings.home / "nodes")
    wrong = [Finding("nodes", False, f"{one.place}: {one.message}", "callweave node check") for one in found.problems]
    return [Finding("nodes", True, f"{len(found.all())} types"), *wrong]


async def ports(settings: Settings) -> list[Finding]:
    """Ports are free, or held by ourselves."""
    found = []
    running = asterisk_pid_file(settings).read() is not None
    wanted: list[tuple[str, str, int, bool, bool]] = []
    if not settings.ari_url:
        wanted.append(("SIP_PORT", settings.sip_host, settings.sip_port, True, running))
        wanted.append(("ARI_PORT", "127.0.0.1", settings.ari_port, False, running))
        if not running:
            found += await asyncio.to_thread(sound_ports, settings)
    if not settings.temporal_address:
        mine = TemporalServer(settings).running() is not None
        wanted.append(("TEMPORAL_PORT", "127.0.0.1", settings.temporal_port, False, mine))
        wanted.append(("TEMPORAL_UI_PORT", "127.0.0.1", settings.temporal_ui_port, False, mine))
    answers = await health(settings) is not None
    wanted.append(("HTTP_PORT", settings.http_host, settings.http_port, False, answers))
    for name, host, port, udp, mine in wanted:
        taken = port_taken(host, port, udp=udp)
        words = f"{port} " + ("is ours" if mine else "is taken by another program" if taken else "is free")
        remedy = "" if mine or not taken else f"Stop that program, or set CALLWEAVE_{name}"
        found.append(Finding(name.lower().replace("_", " "), mine or not taken, words, remedy))
    return found


def sound_ports(settings: Settings) -> list[Finding]:
    """Ports of sound are free: a few of the range are tried."""
    low, high = (int(part) for part in settings.rtp_ports.split("-"))
    if not 1024 <= low < high <= 65535:
        return [Finding("rtp ports", False, f"{low}-{high} is no range", "Set CALLWEAVE_RTP_PORTS such as 20000-22000")]
    host = "127.0.0.1" if settings.sip_host == ANY else settings.sip_host
    tried = range(low, high, max(2, (high - low) // 50))
    taken = [port for port in tried if port_taken(host, port, udp=True)]
    if taken:
        words = f"{len(taken)} of {len(tried)} tried are taken, such as {taken[0]}"
        return [Finding("rtp ports", False, words, "Stop that program, or set CALLWEAVE_RTP_PORTS")]
    return [Finding("rtp ports", True, f"{low}-{high}, {(high - low) // 2} streams at once")]


async def web(settings: Settings) -> list[Finding]:
    """The certificate of HTTPS, and the built web app."""
    found = []
    if settings.https == "files":
        found.append(await asyncio.to_thread(certificate, settings))
    built = await asyncio.to_thread((web_folder(settings) / "index.html").is_file)
    words = str(web_folder(settings)) if built else "the web app is not built; the API works without it"
    found.append(Finding("web app", built, words, "" if built else "Run make setup, or set CALLWEAVE_WEB_FOLDER"))
    return found


def certificate(settings: Settings) -> Finding:
    """The user's own certificate can be read and is valid."""
    try:
        files = uvicorn_options(settings)
        held = x509.load_pem_x509_certificate(Path(files["ssl_certfile"]).read_bytes())
    except (TlsError, OSError, ValueError) as problem:
        return Finding("certificate", False, str(problem), "Check CALLWEAVE_TLS_CERTIFICATE and CALLWEAVE_TLS_KEY")
    ends = held.not_valid_after_utc
    left = (ends - utcnow()).days
    fine = left >= MIN_CERTIFICATE_DAYS
    return Finding("certificate", fine, f"valid until {ends:%Y-%m-%d}", "" if fine else "Renew it, then start again")


async def data(settings: Settings) -> list[Finding]:
    """The database can be read and has the form of this version."""
    del settings
    try:
        async with house() as place:
            async with read(place.db) as session:
                await session.exec(select(Call.id).limit(1))
            url = str(place.db.url.render_as_string(hide_password=True))
            stands, wanted = await current_revision(place.db), await asyncio.to_thread(head_revision)
    except ProductError as problem:
        return [Finding("database", True, f"not made yet ({problem.message})")]
    if stands != wanted:
        return [Finding("database", False, f"{url} is of another version: {stands}", "callweave db upgrade")]
    return [Finding("database", True, url)]


async def numbers(settings: Settings) -> list[Finding]:
    """Every number in use leads to a published flow, and there is somebody to fall back on."""
    try:
        async with house() as place:
            known = [one for one in await list_numbers(place.db, place.business.id) if one.enabled]
            lost = []
            for one in known:
                route = await route_call(place.db, one.number, country=settings.country)
                if isinstance(route, NoRoute):
                    lost.append(f"{one.number} ({route.reason})")
            phones = {one.number for one in await list_extensions(place.db, place.business.id) if one.enabled}
    except ProductError:
        return []
    found = []
    if lost:
        words = f"callers hear that nobody answers: {', '.join(lost)}"
        found.append(
            Finding("numbers", False, words, "Publish the flow ('callweave flow publish'), or give it another")
        )
    else:
        found.append(Finding("numbers", True, f"{len(known)} in use, each with a published flow"))
    back = settings.fallback_number
    inside = back.isdigit() and len(back) <= 6
    if not back:
        found.append(Finding("fallback", True, "no number: callers of a failing flow hear an apology only"))
    elif inside and back not in phones:
        remedy = "Make the extension, or set CALLWEAVE_FALLBACK_NUMBER"
        found.append(Finding("fallback", False, f"there is no extension {back}", remedy))
    else:
        found.append(Finding("fallback", True, back))
    return found


async def senders(settings: Settings) -> list[Finding]:
    """Mail and SMS: where they go, and whether somebody listens there."""
    found = []
    for name, secret, port in (("mail", settings.smtp_url, 25), ("sms", settings.sms_url, 443)):
        url = urlsplit(secret.get_secret_value())
        if not url.hostname:
            found.append(Finding(name, True, "kept in the outbox; no server is set"))
            continue
        standing = {"smtps": 465, "http": 80}.get(url.scheme, port)
        try:
            where = (url.hostname, url.port or standing)
            async with asyncio.timeout(5):
                _, writer = await asyncio.open_connection(*where)
            writer.close()
        except (OSError, ValueError) as problem:
            setting = "CALLWEAVE_SMTP_URL" if name == "mail" else "CALLWEAVE_SMS_URL"
            words = f"{url.hostname} does not answer: {problem or 'too late'}"
            found.append(Finding(name, False, words, f"Check {setting} and the way there"))
        else:
            found.append(Finding(name, True, f"{url.hostname} answers"))
    return found


async def parts(settings: Settings) -> list[Finding]:
    """What a running product says of itself."""
    states = await health(settings)
    if states is None:
        return [Finding("product", True, "not running; start it with 'callweave up'")]
    return [
        Finding(name, state in WELL, state, "" if state in WELL else f"See {settings.home / 'logs'}")
        for name, state in states.items()
    ]


async def place_call(settings: Settings, number: str, keys: list[str]) -> list[Finding]:
    """Call as a caller would: press a key after each prompt, hang up, and read the path that was walked."""
    began = time.monotonic()
    host = "127.0.0.1" if settings.sip_host == ANY else settings.sip_host
    try:
        async with ProbePhone(host, settings.sip_port, user="doctor", local=host) as phone:
            await phone.call(number, ring_seconds=10)
            answered = time.monotonic() - began
            found = [Finding("call", True, f"{number} answered after {answered * 1000:.0f} ms")]
            for key in keys:
                if not await phone.hears_sound(0.5, 10):
                    break
                await phone.press(key)
            await phone.hears_sound(0.5, 10)
            heard = phone.loud_seconds()
            await phone.hang_up()
    except (ProbeError, OSError) as problem:
        return [Finding("call", False, str(problem), "Is it running? See 'callweave status' and the log folder")]
    remedy = "" if heard > 0.5 else "Look for 'speech' in the log; check that RTP ports are open"
    found.append(Finding("sound", heard > 0.5, f"{heard:.1f} s of sound heard", remedy))
    try:
        found += await path_walked(number)
    except (ProductError, DomainError) as problem:
        found.append(Finding("path", False, str(problem)))
    return found


async def path_walked(number: str, timeout: float = 8.0) -> list[Finding]:
    """The path of the newest ended call of the probe, step by step."""
    end = time.monotonic() + timeout
    async with house() as place:
        while True:
            async with read(place.db) as session:
                newest = select(Call).where(Call.called == number, Call.caller == "doctor")
                call = (await session.exec(newest.order_by(col(Call.started_at).desc()).limit(1))).first()
            if call is not None and call.state == "ended" and call.outcome:
                break
            if time.monotonic() > end:
                return [Finding("path", False, "the call is not in the records", "See the log of the gateway")]
            await asyncio.sleep(0.2)
        steps = await trail_of_call(place.db, place.business.id, call.id)
    found = [Finding("record", True, f"call {call.id}: {call.cause}, flow {call.flow_key} {call.outcome}")]
    for step in steps:
        said = f' "{" ".join(step.said)}"' if step.said else ""
        failed = f" ({step.error}: {step.error_message})" if step.error else ""
        words = f"{step.node_name or step.node_id} -> {step.port or 'still there'}{said}{failed}"
        found.append(Finding(f"step {step.seq}", not step.error, words))
    return found
