"""What is wrong in a config is said at its place, by its title, in both languages."""

from typing import Any

import pytest

from flows.configs import check_config
from nodes.sdk.registry import registry

SAY = {"prompt": {"parts": [{"kind": "text", "text": {"zh": "您好"}}]}}
MENU = {**SAY, "choices": [{"key": "1", "label": "余额"}]}


@pytest.mark.parametrize(
    ("type", "config", "field", "zh", "en"),
    [
        ("voice.menu", {**MENU, "tries": 99}, "tries", "“尝试次数”不能大于 9", "Tries must be at most 9"),
        ("voice.menu", {**MENU, "timeout": 60}, "timeout", "应小于 60", "must be less than 60"),
        ("voice.menu", {**SAY, "choices": []}, "choices", "至少需要 1 项", "needs at least 1"),
        ("voice.menu", SAY, "choices", "“选项”请填写此项", "Choices fill it in"),
        (
            "voice.menu",
            {**SAY, "choices": [{"key": "1"}, {"key": "x"}]},
            "choices.1.key",
            "“选项 2 · 按键”格式不对",
            "Choices 2 · Key is not in the right form",
        ),
        (
            "voice.menu",
            {**SAY, "choices": [{"key": "1"}, {"key": "1"}]},
            "choices",
            "“选项”每个按键只能用一次",
            "Choices each key may be used once",
        ),
        (
            "voice.say",
            {"prompt": {"parts": [{"kind": "text", "text": {"zh": ["x"]}}]}},
            "prompt.parts.0.text.zh",
            "请填写文本",
            "must be a text",
        ),
        (
            "voice.say",
            {"prompt": {"parts": [{"kind": "value", "value": "1", "read_as": "song"}]}},
            "prompt.parts.0.read_as",
            "应为其中之一",
            "must be one of",
        ),
        (
            "voice.say",
            {"prompt": {"parts": [{"kind": "value", "value": "1", "song": 1}]}},
            "prompt.parts.0.song",
            "没有这一项",
            "is not a field",
        ),
        ("voice.say", {"prompt": {"parts": [{"kind": "song"}]}}, "prompt.parts.0", "种类不对", "is of no known kind"),
        ("voice.say", {"prompt": {"parts": [{"kind": "recording"}]}}, "prompt.parts.0.prompt", "请填写", "fill it in"),
        ("logic.subflow", {"flow": "x", "version": "two"}, "version", "请填写整数", "must be a whole number"),
        ("logic.wait", {"timezone": "Mars"}, "timezone", "没有时区", "there is no time zone"),
        ("logic.wait", {"until": "signal"}, "signal", "请填写要等待的事件名称", "name the event"),
    ],
)
def test_faults_are_said_at_their_place(type: str, config: dict[str, Any], field: str, zh: str, en: str) -> None:
    checked, problems = check_config(registry().get(type), config, "node")
    assert checked is None
    assert [one.field for one in problems] == [field]
    assert zh in problems[0].message.zh, problems[0].message.zh
    assert en in problems[0].message.en, problems[0].message.en
