"""Prompts that the engine itself speaks, in the languages that ship.

They are constants so that they are rendered before the first call: when something is broken, the apology is on disk.
"""

from collections.abc import Iterator

BUILTIN: dict[str, dict[str, str]] = {
    "apology": {
        "zh": "很抱歉，系统暂时出现问题，我们正在为您处理。",
        "en": "We are sorry, something went wrong on our side.",
        "ko": "죄송합니다. 시스템에 문제가 발생했습니다.",
    },
    "apology_transfer": {
        "zh": "很抱歉，系统暂时出现问题，正在为您转接其他线路，请稍候。",
        "en": "We are sorry, something went wrong on our side. Please hold while we connect you to someone else.",
        "ko": "죄송합니다. 시스템에 문제가 발생했습니다. 다른 번호로 연결해 드리겠습니다. 잠시만 기다려 주세요.",
    },
    "please_hold": {
        "zh": "请稍候，正在为您处理。",
        "en": "One moment please.",
        "ko": "잠시만 기다려 주세요.",
    },
    "no_flow": {
        "zh": "您拨打的号码暂未开通服务，请核对后再拨。",
        "en": "The number you have dialled is not in service. Please check the number and try again.",
        "ko": "지금 거신 번호는 서비스되지 않는 번호입니다. 확인 후 다시 걸어 주세요.",
    },
    "all_busy": {
        "zh": "线路繁忙，请稍后再拨。",
        "en": "All our lines are busy. Please call again later.",
        "ko": "모든 회선이 통화 중입니다. 잠시 후 다시 걸어 주세요.",
    },
    "goodbye": {
        "zh": "感谢您的来电，再见。",
        "en": "Thank you for calling. Goodbye.",
        "ko": "전화해 주셔서 감사합니다. 안녕히 계세요.",
    },
}

APOLOGY = BUILTIN["apology"]
APOLOGY_TRANSFER = BUILTIN["apology_transfer"]
PLEASE_HOLD = BUILTIN["please_hold"]
NO_FLOW = BUILTIN["no_flow"]
ALL_BUSY = BUILTIN["all_busy"]
GOODBYE = BUILTIN["goodbye"]


def builtin(name: str, language: str) -> str:
    """The text of a built-in prompt; English for a language that it lacks. Raises KeyError for an unknown name."""
    texts = BUILTIN[name]
    return texts.get(language.replace("_", "-").split("-")[0].lower(), texts["en"])


def shipped_prompts() -> Iterator[tuple[str, str]]:
    """Every built-in text with its language, for warming the cache at start."""
    for texts in BUILTIN.values():
        for language, text in texts.items():
            yield text, language
