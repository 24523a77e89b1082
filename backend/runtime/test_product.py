"""The whole product: a real SIP call walks a tiny flow and is in the records; a killed process loses no call."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from backend.runtime.probe_phone import ProbePhone
from backend.runtime.testing import Product, running_product

pytestmark = [pytest.mark.asterisk, pytest.mark.temporal, pytest.mark.slow, pytest.mark.timeout(240)]


def say(text: str) -> dict[str, Any]:
    return {"parts": [{"kind": "text", "text": {"zh": text, "en": text}}]}


TINY = {
    "id": "tiny",
    "kind": "ivr",
    "name": "Tiny",
    "languages": ["en"],
    "entry": "answer",
    "nodes": {
        "answer": {"type": "voice.answer", "name": "Answer"},
        "menu": {
            "type": "voice.menu",
            "name": "Menu",
            "config": {"prompt": say("Please press one."), "choices": [{"key": "1"}], "timeout": 8},
        },
        "one": {"type": "voice.say", "name": "One", "config": {"prompt": say("You have pressed one.")}},
        "bye": {"type": "voice.hangup", "name": "Bye"},
    },
    "edges": [
        {"from": "answer", "port": "next", "to": "menu"},
        {"from": "menu", "port": "1", "to": "one"},
        {"from": "menu", "port": "timeout", "to": "bye"},
        {"from": "menu", "port": "invalid", "to": "bye"},
        {"from": "one", "port": "next", "to": "bye"},
    ],
}


async def plant(product: Product, folder: Path) -> None:
    """Publish the tiny flow through the command line and give it the number 700."""
    file = folder / "tiny.json"
    file.write_text(json.dumps(TINY))
    await product.cli("flow", "import", str(file))
    await product.cli("flow", "publish", "tiny")
    saved = await product.graphql(
        'mutation { savePhoneNumber(number: "700", flow: "tiny", language: "en") { errors { field message { en } } } }'
    )
    assert saved["savePhoneNumber"]["errors"] == []


async def ended_run(product: Product) -> dict[str, Any]:
    """The newest run of the tiny flow, when it is over."""
    for _ in range(200):
        found = await product.graphql('{ runs(flowKey: "tiny", first: 1) { nodes { id state } } }')
        rows = found["runs"]["nodes"]
        if rows and rows[0]["state"] != "running":
            return json.loads(await product.cli("run", "show", rows[0]["id"], "--json"))  # type: ignore[no-any-return]
        await asyncio.sleep(0.1)
    raise AssertionError("the run does not end")


@pytest.mark.skipif(
    os.environ.get("CALLWEAVE_TEST_DATABASE") != "postgresql", reason="on SQLite the journeys of tests/ do this"
)
async def test_a_call_walks_a_flow_and_survives_a_kill(tmp_path: Path) -> None:
    async with running_product(tmp_path) as product:
        try:
            await plant(product, tmp_path)
            async with ProbePhone("127.0.0.1", product.sip_port) as phone:
                await phone.call("700")
                assert await phone.hears_sound(0.5, 10)
                await phone.press("1")
                assert await phone.wait_ended(15)
            told = await ended_run(product)
            assert told["run"]["state"] == "completed"
            assert [(step["node_id"], step["port"]) for step in told["trail"]] == [
                ("answer", "next"),
                ("menu", "1"),
                ("one", "next"),
                ("bye", "next"),
            ]
            assert told["trail"][2]["said"] == ["You have pressed one."]

            async with ProbePhone("127.0.0.1", product.sip_port) as phone:
                await phone.call("700")
                assert await phone.hears_sound(0.5, 10)
                product.kill_python()
                # Half of the prompt was heard before the kill, so a second of sound is more than its rest.
                assert await phone.hears_sound(1.0, 6), "the caller hears a prompt again within seconds"
                await product.healthy()
                await phone.press("1")
                assert await phone.wait_ended(15)
            told = await ended_run(product)
            assert told["run"]["state"] == "completed"
            assert [step["port"] for step in told["trail"]] == ["next", "1", "next", "next"]
        except BaseException:
            print(product.log())  # noqa: T201  the only trace of a failure in other processes
            raise
