"""A prompt sequence spoken by the product's own voice, so that its author hears what callers will hear."""

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from backend.database import utcnow
from backend.errors import DomainError, InvalidError
from backend.runtime.services import current_business
from flows.expressions import ExpressionError, Scope, evaluate, render
from nodes.sdk.prompt import Part, Prompt, RecordingPart, TextPart, ValuePart
from nodes.sdk.text import text
from telephony.errors import SpeechError
from telephony.prompts import Media, MediaRenderer
from telephony.speech.audio import read_audio, write_wav

KEEP_SECONDS = 24 * 3600.0
_SAMPLES: Mapping[str, Any] = {
    "text": "…",
    "number": 123,
    "money": 123.45,
    "date": "2026-01-05",
    "time": "2026-01-05T09:30:00Z",
    "datetime": "2026-01-05T09:30:00Z",
    "digits": "1234",
    "phone": "+8613800138000",
}
"""Spoken in place of values that are not given."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """``name`` is the file's, without its suffix, in `folder_for` the business."""

    name: str
    seconds: float
    text: str


def folder_for(home: Path, business_id: str) -> Path:
    """Where previews of a business lie for a day."""
    return home / "previews" / business_id


async def render_prompt(
    renderer: MediaRenderer | None, home: Path, business_id: str, prompt: Any, language: str, values: Any = None
) -> Rendered:
    """Speak a prompt sequence. ``values`` is the scope of its expressions; what it lacks is spoken as a sample."""
    if renderer is None:
        raise DomainError(
            text("此进程没有语音", "this process has no voice"),
            code="unavailable",
            remedy=text("请在带网关的进程上试听。", "Listen at a process that has a gateway."),
        )
    concrete = _concrete(prompt, language, values if isinstance(values, Mapping) else {})
    items = concrete.items(language)
    if not items:
        raise InvalidError(
            text("没有可播报的内容", "there is nothing to say"),
            field="prompt",
            remedy=text("请输入文本或选择录音。", "Type a text or choose a recording."),
        )
    # The library that the renderer asks is that of the business at hand.
    at_hand = current_business.set(business_id)
    try:
        media = await renderer.render(items, language)
    except SpeechError as error:
        raise InvalidError(
            text(f"无法播报：{error}", f"it cannot be spoken: {error}"),
            field="prompt",
            remedy=text("请检查语言，或先录制该语音。", "Check the language, or record the prompt first."),
        ) from error
    finally:
        current_business.reset(at_hand)
    return await asyncio.to_thread(_together, folder_for(home, business_id), media)


def _concrete(data: Any, language: str, values: Mapping[str, Any]) -> Prompt:
    try:
        prompt = Prompt.model_validate(data)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidError(
            text(f"播报内容的 {where} 不正确", f"{where} of the prompt is not right: {first['msg']}"),
            field=f"prompt.{where}",
            remedy=text("请改正播报内容。", "Correct the prompt."),
        ) from None
    scope = Scope.of(now=utcnow(), language=language, **{name: values[name] for name in values if name != "now"})
    parts: list[Part] = []
    for index, part in enumerate(prompt.parts):
        try:
            parts.append(_part(part, scope))
        except ExpressionError as error:
            raise InvalidError(
                text(f"第 {index + 1} 段无法计算：{error}", f"part {index + 1} cannot be computed: {error}"),
                field=f"prompt.parts.{index}",
                remedy=text("请改正表达式，或给出示例值。", "Correct the expression, or give sample values."),
            ) from None
    return Prompt(parts=parts)


def _part(part: Part, scope: Scope) -> Part:
    match part:
        case TextPart():
            return TextPart(text={tag: render(words, scope, tag) for tag, words in part.text.items()})
        case RecordingPart():
            return RecordingPart(prompt=render(part.prompt, scope))
        case ValuePart():
            try:
                value = evaluate(str(part.value), scope)
            except ExpressionError as error:
                if error.reason != "undefined":
                    raise
                value = None
            value = _SAMPLES[part.read_as] if value is None else value
            return part.model_copy(update={"value": value})


def _together(folder: Path, media: list[Media]) -> Rendered:
    """One file of all pieces; the same pieces give the same file."""
    digest = hashlib.sha256()
    for one in media:
        digest.update(f"{one.path}\0{one.path.stat().st_mtime_ns}\0".encode())
    name = digest.hexdigest()[:40]
    target = folder / f"{name}.wav"
    folder.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        samples = np.concatenate([read_audio(one.path) for one in media])
        draft = target.with_suffix(".part")
        write_wav(draft, samples)
        draft.replace(target)
    else:
        target.touch()
    old = time.time() - KEEP_SECONDS
    for file in folder.glob("*.wav"):
        if file.stat().st_mtime < old:
            file.unlink(missing_ok=True)
    seconds = sum(one.seconds for one in media)
    return Rendered(name, round(seconds, 2), " ".join(one.text for one in media if one.text))
