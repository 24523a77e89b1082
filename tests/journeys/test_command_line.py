"""The commands of ``callweave`` beside a running product: each does its work, and open pages hear of it."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.runtime.testing import Product
from tests.journeys import scenes
from tests.journeys.scenes import document, node, until, words
from tests.journeys.test_calls import live

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


def flow_file(folder: Path, says: str = "Hello.", **more: Any) -> Path:
    file = folder / "errand.json"
    made = document(
        "errand", {"say": node("voice.say", prompt=words(says)), "bye": node("voice.hangup")}, ["say.next>bye"], **more
    )
    file.write_text(json.dumps(made))
    return file


@pytest.mark.soak
async def test_flows_travel_by_command_and_open_pages_hear_of_it(product: Product, tmp_path: Path) -> None:
    assert "is valid" in await product.cli("flow", "validate", str(flow_file(tmp_path)))
    wrong = flow_file(tmp_path, entry="nowhere")
    problems = json.loads(await product.cli("flow", "validate", str(wrong), "--json", check=False))
    assert any((one["field"], one["severity"]) == ("entry", "error") for one in problems)

    assert json.loads(await product.cli("flow", "import", str(flow_file(tmp_path)), "--json"))["key"] == "errand"
    async with live(product, draft='subscription { flowDraft(key: "errand") { key revision by } }') as page:
        await product.cli("flow", "import", str(flow_file(tmp_path, "Good evening.")), "--replace")

        async def told() -> Any:
            return page.data.get("draft")

        (change,) = await until(told, "the open page hears of the command line", 15)
        assert change["flowDraft"]["key"] == "errand" and change["flowDraft"]["by"]

    published = json.loads(await product.cli("flow", "publish", "errand", "--message", "first", "--json"))
    assert (published["version"], published["alias"]) == (1, "live")
    exported = tmp_path / "exported.json"
    await product.cli("flow", "export", "errand", "--version", "1", "--to", str(exported))
    assert "Good evening." in exported.read_text()
    listed = {one["key"]: one for one in json.loads(await product.cli("flow", "list", "--json"))}
    assert listed["errand"]["aliases"] == {"live": 1}
    assert "errand" in await product.cli("flow", "list")
    refused = await product.cli("flow", "publish", "no-such-flow", check=False)
    assert "no-such-flow" in refused and "Traceback" not in refused


@pytest.mark.soak
async def test_people_settings_and_the_database(product: Product) -> None:
    made = json.loads(await product.cli("user", "create", "iris", "--role", "supervisor", "--json"))
    await sign_in(product, "iris", made["password"])
    await product.cli("user", "passwd", "iris", "--password", "quiet-harbour-2290")
    await sign_in(product, "iris", "quiet-harbour-2290")
    with pytest.raises(AssertionError):
        await sign_in(product, "iris", made["password"])
    assert "iris" in await product.cli("user", "create", "iris", check=False), "a name that is taken is told"

    listed = {one["name"]: one for one in json.loads(await product.cli("settings", "--json"))}
    assert listed["CALLWEAVE_HTTP_PORT"]["value"] == str(product.http_port)
    assert all(one["meaning"] for one in listed.values())
    for name in ("HOME", "HTTP_PORT", "SIP_PORT", "TEMPORAL_PORT", "DATABASE_URL", "ADMIN_PASSWORD"):
        assert f"CALLWEAVE_{name}" in listed
    assert "up to date" in await product.cli("db", "upgrade")
    status = json.loads(await product.cli("status", "--json"))
    assert all(status["processes"].values()) and status["parts"]["asterisk"] == "ok"
    types = {one["type"] for one in json.loads(await product.cli("node", "list", "--json"))}
    assert {"voice.menu", "logic.branch", "customer.verify_pin", "messaging.sms", "web.http"} <= types


async def sign_in(product: Product, name: str, password: str) -> None:
    """As in the browser. Raises AssertionError when it is refused."""
    async with httpx.AsyncClient(base_url=product.http_url, headers={"x-callweave": "1"}, trust_env=False) as browser:
        query = (
            "mutation($n: String!, $p: String!) { login(name: $n, password: $p) { value { name } errors { code } } }"
        )
        reply = await browser.post("/graphql", json={"query": query, "variables": {"n": name, "p": password}})
        assert reply.json()["data"]["login"]["errors"] == []


async def test_the_doctor_finds_all_well_and_walks_a_call(product: Product) -> None:
    told = json.loads(await product.cli("doctor", "--call", "--json", check=False))
    found = {one["name"]: one for one in told}
    wrong = [one for one in told if not one["ok"] and one["name"] not in ("web app", "numbers")]
    assert wrong == []
    assert {"home", "temporal", "asterisk", "speech", "recognition", "nodes", "sip port", "ari port"} <= set(found)
    assert {"http port", "temporal port", "temporal ui port", "database", "fallback", "mail", "sms"} <= set(found)
    assert "answered after" in found["call"]["text"] and found["sound"]["ok"]
    path = [one["text"] for name, one in found.items() if name.startswith("step ")]
    assert len(path) >= 4 and any("->" in step and '"' in step for step in path), "the path tells what was said"
    assert "service-hotline" in found["record"]["text"]


async def test_the_doctor_names_a_number_without_a_flow(product: Product) -> None:
    save = 'mutation { savePhoneNumber(number: "749") { value { id } errors { code } } }'
    made = (await product.graphql(save))["savePhoneNumber"]["value"]["id"]
    try:
        told = {one["name"]: one for one in json.loads(await product.cli("doctor", "--json", check=False))}
    finally:
        await product.graphql("mutation($i: String!) { deletePhoneNumber(id: $i) { errors { code } } }", i=made)
    assert not told["numbers"]["ok"] and "749 (no_flow)" in told["numbers"]["text"] and told["numbers"]["remedy"]
    await scenes.no_channels(product)
