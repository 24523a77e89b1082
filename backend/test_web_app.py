"""The web app beside the API."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from backend.settings import Settings
from backend.web_app import add_web_app

SCRIPT = "console.log('callweave')" * 99


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<title>Callweave</title>")
    (dist / "favicon.svg").write_text("<svg/>")
    (dist / "assets" / "app-1.js").write_text(SCRIPT)
    (dist / "assets" / "app-1.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (tmp_path / "secret.txt").write_text("secret")
    app = FastAPI()
    add_web_app(app, Settings(home=tmp_path, web_folder=dist))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def test_every_address_of_the_app_is_its_one_page(browser: httpx.AsyncClient) -> None:
    for address in ("/", "/flows", "/flows/service-hotline?node=menu"):
        answer = await browser.get(address)
        assert answer.status_code == 200 and "Callweave" in answer.text
        assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_assets_are_compressed_and_kept_for_ever(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/assets/app-1.js", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip" and answer.text == SCRIPT
    assert "immutable" in answer.headers["cache-control"]
    plain = await browser.get("/assets/app-1.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.text == SCRIPT


async def test_what_is_missing_below_the_api_is_no_page(browser: httpx.AsyncClient) -> None:
    for address in ("/assets/app-0.js", "/files/nothing", "/graphql/more"):
        assert (await browser.get(address)).status_code == 404


async def test_nothing_outside_of_the_folder_is_sent(browser: httpx.AsyncClient) -> None:
    for address in ("/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt"):
        assert "secret" not in (await browser.get(address)).text


async def test_an_app_that_is_not_built_says_how(tmp_path: Path) -> None:
    app = FastAPI()
    add_web_app(app, Settings(home=tmp_path, web_folder=tmp_path / "none"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/")
    assert answer.status_code == 503 and "make setup" in answer.text
