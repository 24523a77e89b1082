"""Words for people, in every language of the app."""

from pydantic import BaseModel, ConfigDict


class Text(BaseModel):
    """One short text in the two languages of the app. Both are required: no screen mixes them."""

    model_config = ConfigDict(frozen=True)

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The text for a language tag such as ``zh``, ``zh-CN`` or ``en``; English for every other one."""
        return self.zh if language.lower().startswith("zh") else self.en


def text(zh: str, en: str) -> Text:
    """Shorthand, so that a field's title stays on one line."""
    return Text(zh=zh, en=en)
