"""The built web app (``designer/dist``), served beside the API: one page for every address, assets for ever."""

import mimetypes
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

from backend.settings import Settings

BUILT_HERE = Path(__file__).parents[1] / "designer" / "dist"
NOT_PAGES = ("graphql", "files", "healthz", "metrics", "sip", "assets")
"""First parts of addresses that belong to the API: an unknown one below them is an error, not a page."""

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        # Ant Design writes its styles into the page, React Flow places nodes by style attributes.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' ws: wss:",
        "worker-src 'self' blob:",
        # A company's own page beside a call.
        "frame-src 'self' http: https:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_MISSING = (
    '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>Callweave</title>'
    "<h1>Callweave</h1><p>网页应用尚未构建：请运行 make setup。</p>"
    "<p>The web app is not built yet: run <code>make setup</code>.</p></html>"
)


def web_folder(settings: Settings) -> Path:
    """Where the built web app is."""
    return settings.web_folder or BUILT_HERE


def add_web_app(app: FastAPI, settings: Settings) -> None:
    """Add the app's pages. Call it last: what no other route knows is a page of the app."""
    root = web_folder(settings).resolve()

    @app.get("/{path:path}", include_in_schema=False, response_model=None)
    async def page(path: str, request: Request) -> Response:
        file = (root / path).resolve()
        if path and file.is_relative_to(root) and file.is_file() and file.suffix != ".html":
            return _file(file, request, forever=path.startswith("assets/"))
        if path.split("/", 1)[0] in NOT_PAGES:
            return JSONResponse({"error": {"code": "not_found"}}, status_code=404)
        index = root / "index.html"
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
        if not index.is_file():
            return HTMLResponse(_MISSING, status_code=503, headers=headers)
        return FileResponse(index, media_type="text/html", headers=headers)


def _file(file: Path, request: Request, *, forever: bool) -> FileResponse:
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if forever else "no-cache",
        "Vary": "Accept-Encoding",
    }
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    small = file.with_name(f"{file.name}.gz")
    if "gzip" in request.headers.get("accept-encoding", "") and small.is_file():
        return FileResponse(small, media_type=kind, headers={**headers, "Content-Encoding": "gzip"})
    return FileResponse(file, media_type=kind, headers=headers)
