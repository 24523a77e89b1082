"""The prompt library: previews by the real voice, many files at once, other names, where things are used."""

import io
import wave
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from docx import Document

from backend.errors import ConflictError
from backend.flows import service as flows
from backend.flows.uses import where_used
from backend.identity.permissions import Actor
from backend.prompts import library
from backend.prompts import service as prompts
from backend.runtime.services import Prompts
from backend.state import AppState
from backend.testing import ApiClient
from telephony.speech.cache import PromptCache
from telephony.speech.renderer import SpeechRenderer
from telephony.speech.tts import EspeakEngine


def tone(kind: str, seconds: float = 0.5) -> bytes:
    """A sound file of a kind."""
    out = io.BytesIO()
    samples = 0.3 * np.sin(np.arange(int(16000 * seconds)) / 6)
    soundfile.write(out, samples, 16000, format=kind)
    return out.getvalue()


def talking(name: str) -> dict[str, Any]:
    """A flow that plays a prompt of the library."""
    parts = [{"kind": "recording", "prompt": name}]
    return {
        "id": "talking", "kind": "ivr", "name": "说话", "entry": "say",
        "nodes": {"say": {"type": "voice.say", "name": "问候", "config": {"prompt": {"parts": parts}}},
                  "bye": {"type": "voice.hangup"}},
        "edges": [{"from": "say", "port": "next", "to": "bye"}],
    }  # fmt: skip


async def send(client: ApiClient, *files: tuple[str, bytes], **fields: str) -> list[dict[str, Any]]:
    answer = await client.post(
        "/files/prompts/import",
        data={"language": "zh", **fields},
        files=[("files", (name, data, "application/octet-stream")) for name, data in files],
    )
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


async def test_many_files_come_with_a_report(state: AppState, client: ApiClient) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("en/welcome.ogg", tone("OGG"))
        archive.writestr("notes/readme.md", "x")
        archive.writestr("__MACOSX/._welcome", "x")
        archive.writestr("bye.zh.txt", "再见。")
    rows = await send(
        client,
        ("welcome.wav", tone("WAV")),
        ("菜单.en.mp3", tone("MP3")),
        ("broken.wav", b"RIFF nothing"),
        ("all.zip", packed.getvalue()),
        ("bad.zip", b"PK nothing"),
    )
    told = {row["file"]: (row["ok"], row["name"], row["language"]) for row in rows}
    assert told == {
        "welcome.wav": (True, "welcome", "zh"),
        "菜单.en.mp3": (True, "菜单", "en"),
        "broken.wav": (False, "broken", "zh"),
        "en/welcome.ogg": (True, "welcome", "en"),
        "notes/readme.md": (False, "readme", "zh"),
        "bye.zh.txt": (True, "bye", "zh"),
        "bad.zip": (False, "", ""),
    }
    for row in rows:
        if not row["ok"]:
            assert row["error"]["field"] and row["error"]["remedy"]["zh"] and row["error"]["remedy"]["en"]
    stored = {(row.name, row.language): row for row in await prompts.list_prompts(state.db, "main")}
    assert len(stored) == 4 and stored["welcome", "zh"].seconds == pytest.approx(0.5, abs=0.05)
    assert stored["bye", "zh"].text == "再见。"


def _pdf(words: str) -> bytes:
    """The smallest PDF with a line of text."""
    stream = f"BT /F1 12 Tf 20 100 Td ({words}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % start


async def test_documents_become_speech(state: AppState, client: ApiClient) -> None:
    page = io.BytesIO()
    document = Document()
    document.add_paragraph("第一段。")
    document.add_paragraph("")
    document.add_paragraph("第二段。")
    document.save(page)
    rows = await send(
        client,
        ("terms.docx", page.getvalue()),
        ("notice.en.pdf", _pdf("The office is closed.")),
        ("old.txt", "旧编码".encode("gb18030")),
        ("long.txt", ("这是一句话。" * 2000).encode()),
        ("empty.txt", b" \n"),
        ("broken.pdf", b"%PDF-1.4 nothing"),
        ("broken.docx", b"PK nothing"),
    )
    assert [row["file"] for row in rows if not row["ok"]] == ["empty.txt", "broken.pdf", "broken.docx"]
    stored = {(row.name, row.language): row.text for row in await prompts.list_prompts(state.db, "main")}
    assert stored["terms", "zh"] == "第一段。\n第二段。"
    assert stored["notice", "en"] == "The office is closed." and stored["old", "zh"] == "旧编码"
    parts = [stored[f"long {number}", "zh"] for number in (1, 2, 3)]
    assert "".join(parts) == "这是一句话。" * 2000 and all(part.endswith("。") for part in parts)
    rows = await send(client, ("terms.docx", page.getvalue()), split="true")
    assert [row["name"] for row in rows] == ["terms 1", "terms 2"]


async def test_where_used_and_other_names(state: AppState, actor: Actor, client: ApiClient) -> None:
    await prompts.save_text(state.db, actor, name="greet", language="zh", content="您好")
    await prompts.save_text(state.db, actor, name="greet", language="en", content="Hello")
    await flows.create_flow(state.db, actor, talking("greet"))
    told = await client.ask('{ whereUsed(kind: "prompt", name: "greet") { flowKey version node nodeName field } }')
    assert told["whereUsed"] == [
        {"flowKey": "talking", "version": None, "node": "say", "nodeName": "问候", "field": "prompt.parts.0.prompt"}
    ]
    rename = """mutation($a: String!, $b: String!) { renamePrompt(name: $a, newName: $b) {
      value { name language } errors { code field details } } }"""
    done = await client.change(rename, a="greet", b="hello")
    assert {(one["name"], one["language"]) for one in done} == {("hello", "zh"), ("hello", "en")}
    flow = await flows.get_flow(state.db, "main", "talking")
    assert flow.draft["nodes"]["say"]["config"]["prompt"]["parts"][0]["prompt"] == "hello"
    await prompts.save_text(state.db, actor, name="other", language="zh", content="x")
    assert (await client.refusal(rename, a="hello", b="other"))["field"] == "newName"
    assert (await client.refusal(rename, a="nothing", b="x"))["code"] == "not_found"
    await flows.publish(state.db, actor, "talking")
    with pytest.raises(ConflictError) as refused:
        await library.rename(state.db, actor, "hello", "again")
    assert refused.value.details == {"flows": ["talking@1"]}
    assert {use.version for use in await where_used(state.db, "main", "prompt")} == {None, 1}
    assert (await client.refusal('{ whereUsed(kind: "x") { name } }'))["field"] == "kind"


@pytest.fixture
async def voice(state: AppState, tmp_path: Path) -> AsyncIterator[None]:
    """The product's own voice."""
    library = Prompts(state.settings.home, state.db)
    renderer = SpeechRenderer(EspeakEngine(workers=1), PromptCache(tmp_path / "cache"), library)
    state.renderer = renderer
    yield
    await renderer.close()


SPEAK = """mutation($p: JSON!, $l: String!, $v: JSON) { renderPrompt(prompt: $p, language: $l, values: $v) {
  value { url seconds text } errors { code field message { zh en } remedy { zh en } } } }"""


@pytest.mark.usefixtures("voice")
async def test_a_sequence_is_heard_in_each_language(state: AppState, actor: Actor, client: ApiClient) -> None:
    await prompts.save_text(state.db, actor, name="greet", language="zh", content="您好")
    sequence = {
        "parts": [
            {"kind": "recording", "prompt": "greet"},
            {"kind": "text", "text": {"zh": "{{ vars.name }}，余额是", "en": "{{ vars.name }}, your balance is"}},
            {"kind": "value", "value": "vars.amount", "read_as": "money"},
        ]
    }
    heard = await client.change(SPEAK, p=sequence, l="zh", v={"vars": {"name": "李", "amount": 12.5}})
    assert "李，余额是" in heard["text"] and heard["seconds"] > 1
    sound = await client.get(heard["url"])
    assert sound.status_code == 200
    with wave.open(io.BytesIO(sound.content)) as file:
        assert file.getframerate() == 8000
        assert file.getnframes() / 8000 == pytest.approx(heard["seconds"], abs=0.2)
    assert (await client.change(SPEAK, p=sequence, l="zh"))["seconds"] > 1, "samples stand in for what is not given"
    refused = await client.refusal(SPEAK, p=sequence, l="en")
    assert refused["field"] == "prompt" and refused["remedy"]["en"], "the library has no English greeting"
    assert (await client.refusal(SPEAK, p={"parts": []}, l="zh"))["field"] == "prompt"
    assert (await client.refusal(SPEAK, p={"parts": [{"kind": "?"}]}, l="zh"))["field"].startswith("prompt.parts")
    wrong = {"parts": [{"kind": "value", "value": "1 +"}]}
    assert (await client.refusal(SPEAK, p=wrong, l="zh"))["field"] == "prompt.parts.0"
    assert (await client.get("/files/previews/..%2F..%2Fapi")).status_code == 404


async def test_without_a_voice_it_is_said(client: ApiClient) -> None:
    refused = await client.refusal(SPEAK, p={"parts": []}, l="zh")
    assert refused["code"] == "unavailable" and refused["remedy"]["zh"]
