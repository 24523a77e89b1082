"""The web server: GraphQL over HTTP and WebSocket, files over REST, ``/healthz`` and the web app."""

import asyncio
import logging
import mimetypes
import tempfile
from collections.abc import Awaitable, Callable
from importlib.metadata import PackageNotFoundError, version
from json import JSONDecodeError
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit

import soundfile
from fastapi import Depends, FastAPI, File, Form, HTTPException, Request, Response, UploadFile
from fastapi.exceptions import WebSocketException
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection
from strawberry.fastapi import GraphQLRouter
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler

from backend.audit.service import note
from backend.database import read, write
from backend.errors import DomainError, ForbiddenError, NotFoundError, UnauthenticatedError
from backend.graphql.base import Context, errors_from
from backend.graphql.schema import schema
from backend.health import ComponentHealth, healthy
from backend.identity.graphql import cookie_name
from backend.identity.permissions import Actor, Permission, system_actor
from backend.identity.rights import other_rights
from backend.identity.service import actor_of_token, first_business
from backend.observability.web import add_metrics
from backend.phones.proxy import add_sip
from backend.prompts import library
from backend.prompts import preview as previews
from backend.prompts import service as prompts
from backend.queues.members import memberships_of
from backend.recordings import service as recordings
from backend.recordings.files import inside
from backend.recordings.peaks import peaks
from backend.security import same
from backend.state import AppState
from backend.tasks.service import use_memberships
from backend.voicemails import service as voicemails
from backend.web_app import add_web_app
from nodes.sdk.text import text

log = logging.getLogger(__name__)
MAX_BODY = 6 * 1024 * 1024
CSRF_HEADER = "x-callweave"
AGAIN = 1012
"""How a WebSocket is closed that its page is to open again."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_AUDIO = frozenset({"audio", "application/octet-stream", "video/ogg", "application/ogg"})


def create_app(state: AppState) -> FastAPI:
    """The application over a ready state (database upgraded, first administrator made)."""
    app = FastAPI(title="Callweave", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.callweave = state
    use_memberships(memberships_of)
    state.health.register("api", _api_health)
    state.health.register("database", lambda: _database_health(state))

    async def context(connection: HTTPConnection) -> Context:
        _check_origin(state, connection)
        return Context(state, await actor_of(state, connection), _address(connection))

    class Socket(_Socket):
        def who(self) -> Awaitable[Actor | None]:
            assert self.context.request is not None
            return actor_of(state, self.context.request)

    class Router(_Router):
        graphql_transport_ws_handler_class = Socket

    app.include_router(
        Router(
            schema,
            context_getter=context,
            graphql_ide="graphiql",
            allow_queries_via_get=False,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
        ),
        prefix="/graphql",
    )

    async def phone_user(connection: HTTPConnection) -> Actor | None:
        _check_origin(state, connection)
        return await actor_of(state, connection)

    add_sip(app, state, phone_user)
    _add_guards(app, state)
    add_metrics(app, state.settings, lambda request: _manages_system(state, request))
    _add_pages(app, state)
    _add_files(app, state)
    add_web_app(app, state.settings)
    return app


class _Router(GraphQLRouter[Context, None]):
    """Refuses whatever is no JSON object with 400."""

    def decode_json(self, data: str | bytes) -> object:
        try:
            found = super().decode_json(data)
        except (UnicodeDecodeError, RecursionError) as error:
            raise JSONDecodeError(type(error).__name__, "", 0) from error
        if not isinstance(found, dict | list):
            raise JSONDecodeError("an object is expected", "", 0)
        return found


class _Socket(BaseGraphQLTransportWSHandler[Context, None]):
    """Ends when the rights of who opened it have changed: the page connects again by itself, with those of now."""

    def who(self) -> Awaitable[Actor | None]:
        """To whom it belongs now."""
        raise NotImplementedError

    async def handle(self) -> None:
        watch = asyncio.create_task(self._watch())
        try:
            await super().handle()
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _watch(self) -> None:
        if self.context.maybe_actor is None:
            return
        try:
            await other_rights(self.context.state.bus, self.context.maybe_actor, self.who)
        except SQLAlchemyError as problem:
            # Whether they still hold cannot be told: the page asks again.
            log.warning("the rights of an open line are not known: %s", type(problem).__name__)
        for operation in list(self.operations):
            await self.cleanup_operation(operation)
        await self.websocket.close(AGAIN, "the rights have changed: connect again")


# --------------------------------------------------------------------------- who asks


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client is not None else ""


async def actor_of(state: AppState, connection: HTTPConnection) -> Actor | None:
    """Who sends a request: the command line by its token, a person by the session cookie, or nobody."""
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        if not same(token.strip(), state.token):
            return None
        business = await first_business(state.db)
        return system_actor(business.id, "cli")
    cookie = connection.cookies.get(cookie_name(state.settings.http_port))
    if not cookie:
        return None
    return await actor_of_token(
        state.db, cookie, hours=state.settings.session_hours, address=_address(connection) or None
    )


async def _manages_system(state: AppState, request: Request) -> bool:
    actor = await actor_of(state, request)
    return actor is not None and actor.may(Permission.SYSTEM)


def _check_origin(state: AppState, connection: HTTPConnection) -> None:
    """A browser sends cookies with a WebSocket from any page: only our own pages may open one."""
    if connection.scope["type"] != "websocket":
        return
    origin = connection.headers.get("origin")
    if origin is None:
        return
    allowed = {connection.headers.get("host", "").lower(), urlsplit(state.settings.base_url).netloc.lower()}
    if urlsplit(origin).netloc.lower() not in allowed:
        raise WebSocketException(code=4403, reason="this page may not connect here")


def _add_guards(app: FastAPI, state: AppState) -> None:
    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        refused = await _refusal(state, request)
        response = refused if refused is not None else await call_next(request)
        if request.method == "GET" and request.url.path.rstrip("/") == "/graphql":
            # GraphiQL copies this cookie into a header, which is all the guard below asks for.
            response.set_cookie("csrftoken", "graphiql", samesite="strict")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response

    @app.exception_handler(DomainError)
    async def told(_request: Request, error: DomainError) -> JSONResponse:
        status = {"unauthenticated": 401, "forbidden": 403, "not_found": 404, "conflict": 409, "unsupported": 415}.get(
            error.code, 400
        )
        return _problem(status, error)


async def _refusal(state: AppState, request: Request) -> Response | None:
    path = request.url.path
    if request.method in _SAFE:
        if path.rstrip("/") == "/graphql" and not state.dev and await actor_of(state, request) is None:
            return RedirectResponse("/", 303)
        return None
    bearer = request.headers.get("authorization", "").lower().startswith("bearer ")
    if not bearer and not (request.headers.get(CSRF_HEADER) or request.headers.get("x-csrftoken")):
        # No other site can set a header of its own on a request with our cookie.
        return _problem(
            403,
            ForbiddenError(
                text(f"缺少请求头 {CSRF_HEADER}", f"the header {CSRF_HEADER} is missing"),
                code="csrf",
                remedy=text(f"请发送 {CSRF_HEADER}: 1。", f"Send {CSRF_HEADER}: 1."),
            ),
        )
    length = request.headers.get("content-length", "")
    limit = prompts.MAX_UPLOAD + 64 * 1024 if path.startswith("/files/") else MAX_BODY
    if path == "/files/prompts/import":
        limit = library.MAX_IMPORT
    if not length.isdecimal() and request.headers.get("transfer-encoding"):
        return _problem(411, DomainError(text("缺少长度", "a Content-Length is needed"), code="length_required"))
    if length.isdecimal() and int(length) > limit:
        return _problem(
            413,
            DomainError(
                text(f"请求超过 {limit} 字节", f"the request is larger than {limit} bytes"),
                code="too_large",
                remedy=text("请缩小文件。", "Make the file smaller."),
            ),
        )
    return None


def _problem(status: int, error: DomainError) -> JSONResponse:
    found = errors_from(error)[0]
    return JSONResponse(
        {
            "error": {
                "code": found.code,
                "field": found.field,
                "message": {"zh": found.message.zh, "en": found.message.en},
                "remedy": {"zh": found.remedy.zh, "en": found.remedy.en},
            }
        },
        status_code=status,
    )


# --------------------------------------------------------------------------- health


async def _api_health() -> ComponentHealth:
    return ComponentHealth("ok", details={"version": product_version()})


async def _database_health(state: AppState) -> ComponentHealth:
    from sqlalchemy import text as sql

    async with read(state.db) as session:
        connection = await session.connection()
        await connection.execute(sql("SELECT 1"))
    return ComponentHealth("ok", details={"kind": state.db.url.get_backend_name()})


def product_version() -> str:
    """The version of the installed package."""
    try:
        return version("callweave")
    except PackageNotFoundError:
        return "0"


def _add_pages(app: FastAPI, state: AppState) -> None:
    @app.get("/healthz")
    async def healthz(request: Request) -> JSONResponse:
        report = await state.health.report()
        trusted = _address(request) in ("127.0.0.1", "::1") or await actor_of(state, request) is not None
        components: dict[str, Any] = {
            name: {"state": found.state, "message": found.message, "ms": found.milliseconds, "details": found.details}
            if trusted
            else {"state": found.state}
            for name, found in report.items()
        }
        ok = healthy(report)
        return JSONResponse(
            {"status": "ok" if ok else "down", "version": product_version(), "components": components},
            status_code=200 if ok else 503,
            headers={"Cache-Control": "no-store"},
        )


# --------------------------------------------------------------------------- files


def _refuse(error: DomainError) -> NoReturn:
    raise error


def _add_files(app: FastAPI, state: AppState) -> None:
    def needs(permission: Permission) -> Callable[[Request], Awaitable[Actor]]:
        async def asker(request: Request) -> Actor:
            actor = await actor_of(state, request)
            if actor is None:
                _refuse(
                    UnauthenticatedError(
                        text("请先登录", "nobody is signed in"),
                        remedy=text("请登录后重试。", "Sign in, then try again."),
                    )
                )
            if not actor.may(permission):
                _refuse(
                    ForbiddenError(
                        text(f"没有权限：{permission.value}", f"this needs the permission {permission.value}"),
                        remedy=text("请联系管理员。", "Ask an administrator."),
                    )
                )
            return actor

        return asker

    def send(root: Path, path: str, name: str, *, download: bool) -> FileResponse:
        file = inside(root, path)
        if not file.is_file():
            raise NotFoundError(
                text("文件已不在磁盘上", "the file is not on the disk any more"),
                remedy=text("请检查录音目录和备份。", "Check the recording folder and the backups."),
            )
        return FileResponse(
            file,
            media_type=mimetypes.guess_type(file.name)[0] or "audio/wav",
            filename=f"{name}{file.suffix}",
            content_disposition_type="attachment" if download else "inline",
            headers={"Cache-Control": "private, no-store"},
        )

    async def heard(actor: Actor, action: str, subject: str) -> None:
        async with write(state.db) as session:
            await note(session, actor, action, subject)

    @app.get("/files/recordings/{id}")
    async def recording(
        id: str,
        request: Request,
        actor: Annotated[Actor, Depends(needs(Permission.RECORDINGS_OWN))],
        download: bool = False,
    ) -> FileResponse:
        row = await recordings.hear(state.db, actor, id, download=download)
        response = send(state.settings.recordings, row.path, f"recording-{row.id}", download=download)
        if _begins(request):
            await heard(actor, "recording.downloaded" if download else "recording.played", id)
        return response

    async def shape(path: str, seconds: float, count: int) -> JSONResponse:
        try:
            found = await peaks(inside(state.settings.recordings, path), count)
        except (FileNotFoundError, soundfile.LibsndfileError):
            raise NotFoundError(
                text("文件已不在磁盘上，或已损坏", "the file is not on the disk any more, or damaged"),
                remedy=text("请检查录音目录和备份。", "Check the recording folder and the backups."),
            ) from None
        return JSONResponse({"seconds": seconds, "peaks": found}, headers={"Cache-Control": "private, max-age=3600"})

    @app.get("/files/recordings/{id}/peaks")
    async def recording_peaks(
        id: str, actor: Annotated[Actor, Depends(needs(Permission.RECORDINGS_OWN))], count: int = 800
    ) -> JSONResponse:
        row = await recordings.hear(state.db, actor, id)
        return await shape(row.path, row.seconds, count)

    @app.get("/files/voicemails/{id}/peaks")
    async def voicemail_peaks(
        id: str, actor: Annotated[Actor, Depends(needs(Permission.VOICEMAILS))], count: int = 800
    ) -> JSONResponse:
        row = await voicemails.hear(state.db, actor, id)
        return await shape(row.path, row.seconds, count)

    @app.get("/files/voicemails/{id}")
    async def voicemail(
        id: str,
        request: Request,
        actor: Annotated[Actor, Depends(needs(Permission.VOICEMAILS))],
        download: bool = False,
    ) -> FileResponse:
        row = await voicemails.hear(state.db, actor, id)
        response = send(state.settings.recordings, row.path, f"voicemail-{row.id}", download=download)
        if _begins(request):
            await heard(actor, "voicemail.downloaded" if download else "voicemail.played", id)
        return response

    @app.get("/files/simulations/{id}/{number}")
    async def simulated(
        id: str, number: int, actor: Annotated[Actor, Depends(needs(Permission.FLOWS_EDIT))]
    ) -> FileResponse:
        """What a simulated caller heard, in the product's own voice."""
        if state.renderer is None:
            raise NotFoundError(
                text("此进程没有语音", "this process has no voice"),
                remedy=text("请在带网关的进程上试听。", "Listen at a process that has a gateway."),
            )
        session = state.simulations.find(actor, id)
        return FileResponse(
            await state.simulations.sound(session, number, state.renderer),
            media_type="audio/wav",
            headers={"Cache-Control": "private, max-age=300"},
        )

    @app.get("/files/prompts/{id}")
    async def prompt(
        id: str, actor: Annotated[Actor, Depends(needs(Permission.PROMPTS_READ))], download: bool = False
    ) -> FileResponse:
        row = await prompts.get_prompt(state.db, actor.business_id, id)
        if not row.file:
            raise NotFoundError(text("该语音只有文本", "this prompt is a text"), field="id")
        return send(prompts.prompt_folder(state.settings.home), row.file, row.name, download=download)

    @app.get("/files/previews/{name}")
    async def preview(name: str, actor: Annotated[Actor, Depends(needs(Permission.PROMPTS_READ))]) -> FileResponse:
        """A prompt sequence that `renderPrompt` spoke."""
        return send(
            previews.folder_for(state.settings.home, actor.business_id), f"{name}.wav", "prompt", download=False
        )

    @app.post("/files/prompts/import")
    async def import_prompts(
        actor: Annotated[Actor, Depends(needs(Permission.PROMPTS))],
        language: Annotated[str, Form()],
        files: Annotated[list[UploadFile], File()],
        split: Annotated[bool, Form()] = False,
    ) -> JSONResponse:
        """Many sounds, texts (txt, docx, pdf) or archives (zip) of them at once; the report has a row for each."""
        given = [(file.filename or "file", await file.read()) for file in files]
        rows = await library.import_files(state.db, state.settings.home, actor, given, language=language, split=split)
        return JSONResponse({"rows": [row.told() for row in rows]})

    @app.post("/files/prompts", status_code=201)
    async def upload_prompt(
        actor: Annotated[Actor, Depends(needs(Permission.PROMPTS))],
        name: Annotated[str, Form()],
        language: Annotated[str, Form()],
        file: Annotated[UploadFile, File()],
        transcript: Annotated[str, Form()] = "",
    ) -> JSONResponse:
        kind = (file.content_type or "").split(";")[0].strip().lower()
        if kind not in _AUDIO and kind.split("/")[0] not in _AUDIO:
            raise DomainError(
                text("这不是声音文件", "this is no sound file"),
                field="file",
                code="unsupported",
                remedy=text("请上传 WAV、FLAC、OGG 或 MP3。", "Upload WAV, FLAC, OGG or MP3."),
            )
        with tempfile.NamedTemporaryFile(suffix=Path(file.filename or "").suffix[:8]) as draft:
            size = 0
            while chunk := await file.read(1 << 16):
                size += len(chunk)
                if size > prompts.MAX_UPLOAD:
                    raise HTTPException(413, f"the file is larger than {prompts.MAX_UPLOAD} bytes")
                draft.write(chunk)
            draft.flush()
            row = await prompts.save_audio(
                state.db,
                state.settings.home,
                actor,
                name=name,
                language=language,
                upload=Path(draft.name),
                transcript=transcript,
            )
        return JSONResponse(
            {"id": row.id, "name": row.name, "language": row.language, "seconds": row.seconds}, status_code=201
        )


def _begins(request: Request) -> bool:
    """Whether a request asks for the beginning of a file: a player fetches one hearing in many ranges."""
    asked = request.headers.get("range", "")
    return not asked or asked.replace(" ", "").startswith("bytes=0-")
