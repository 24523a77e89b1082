"""What pydantic finds wrong in a config, in words for people and by the fields' own titles."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nodes.sdk.config import FieldError
from nodes.sdk.text import Text, text

Place = tuple[str | int, ...]

_NEEDED = text("请填写此项", "fill it in")
_WORDS: dict[str, Callable[[Mapping[str, Any]], Text]] = {
    "missing": lambda c: _NEEDED,
    "extra_forbidden": lambda c: text(
        "没有这一项，请删除或改正拼写", "is not a field of this node: remove it or correct its spelling"
    ),
    "greater_than": lambda c: text(f"应大于 {c['gt']}", f"must be more than {c['gt']}"),
    "greater_than_equal": lambda c: text(f"不能小于 {c['ge']}", f"must be at least {c['ge']}"),
    "less_than": lambda c: text(f"应小于 {c['lt']}", f"must be less than {c['lt']}"),
    "less_than_equal": lambda c: text(f"不能大于 {c['le']}", f"must be at most {c['le']}"),
    "string_too_short": lambda c: (
        _NEEDED
        if c["min_length"] == 1
        else text(f"至少 {c['min_length']} 个字符", f"needs at least {c['min_length']} characters")
    ),
    "string_too_long": lambda c: text(
        f"最多 {c['max_length']} 个字符，请缩短", f"may have at most {c['max_length']} characters: shorten it"
    ),
    "too_short": lambda c: text(
        f"至少需要 {c['min_length']} 项，请添加", f"needs at least {c['min_length']}: add more"
    ),
    "too_long": lambda c: text(
        f"最多 {c['max_length']} 项，请删除一些", f"may have at most {c['max_length']}: remove some"
    ),
    "literal_error": lambda c: text(f"应为其中之一：{c['expected']}", f"must be one of: {c['expected']}"),
}
_KINDS: tuple[tuple[str, Text], ...] = (
    ("string_pattern_mismatch", text("格式不对，请改正", "is not in the right form: correct it")),
    ("int_", text("请填写整数", "must be a whole number")),
    ("float_", text("请填写数字", "must be a number")),
    ("bool_", text("应为是或否", "must be yes or no")),
    ("string_", text("请填写文本", "must be a text")),
    ("list_", text("应为列表", "must be a list")),
    ("dict_", text("应为名称与值的对照", "must hold names and values")),
    ("model_", text("应为一组设置", "must be a group of settings")),
    ("union_tag", text("种类不对，请重新选择", "is of no known kind: choose one")),
)


def place_of(schema: Mapping[str, Any], raw: Any, error: Mapping[str, Any]) -> Place:
    """Where an error is in the config itself. Pydantic's own locations also name branches of unions."""
    path: list[str | int] = []
    value = raw
    options: list[Mapping[str, Any]] = [schema]
    for part in error["loc"]:
        if isinstance(value, Mapping):
            tags = {
                value.get(one["discriminator"]["propertyName"])
                for option in options
                for one in _concrete(schema, option, 0)
                if "discriminator" in one
            }
            if part in tags:
                # The branch comes once, then the fields of it.
                options = [
                    one for option in options for one in _concrete(schema, option, 0) if "discriminator" not in one
                ]
                continue
            if part not in value and error["type"] != "missing":
                continue
        elif not (isinstance(value, list) and isinstance(part, int)):
            continue
        path.append(part)
        options = list(_below(schema, options, part))
        value = value[part] if isinstance(part, int) and part < len(value) else _get(value, part)
    cause = (error.get("ctx") or {}).get("error")
    if isinstance(cause, FieldError) and cause.field:
        path += cause.field.split(".")
    return tuple(path)


def _get(value: Any, part: str | int) -> Any:
    return value.get(part) if isinstance(value, Mapping) else None


def words_of(error: Mapping[str, Any]) -> Text:
    """What is wrong and what to do, without the name of the field."""
    kind, context = str(error["type"]), error.get("ctx") or {}
    cause = context.get("error")
    if isinstance(cause, FieldError):
        return cause.text
    if kind in _WORDS:
        return _WORDS[kind](context)
    for beginning, words in _KINDS:
        if kind.startswith(beginning):
            return words
    said = str(error["msg"]).removeprefix("Value error, ")
    return text(f"的值不对，请改正（{said}）", f"has a wrong value, correct it: {said}")


def title_of(schema: Mapping[str, Any], place: Place) -> Text:
    """The field's title, with the numbers of the items that it lies in: “选项 2 · 按键”. Without titles its path."""
    names: list[tuple[str, str]] = []
    options = [schema]
    for part in place:
        options = list(_below(schema, options, part))
        if isinstance(part, int):
            if names:
                zh, en = names[-1]
                names[-1] = (f"{zh} {part + 1}", f"{en} {part + 1}")
            continue
        titles = next((one["x-title"] for one in options if "x-title" in one), None)
        names.append((titles["zh"], titles["en"]) if titles else (str(part), str(part)))
    # The list of parts inside a prompt has a title of its own that says nothing more.
    if len(names) > 2:
        names = [names[0], names[-1]]
    return text(" · ".join(zh for zh, _ in names), " · ".join(en for _, en in names))


def _below(root: Mapping[str, Any], options: list[Mapping[str, Any]], part: str | int) -> Iterator[Mapping[str, Any]]:
    for option in options:
        for one in _concrete(root, option, 0):
            if isinstance(part, int):
                found = one.get("items")
            else:
                found = one.get("properties", {}).get(part, one.get("additionalProperties"))
            if isinstance(found, Mapping):
                yield found


def _concrete(root: Mapping[str, Any], option: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > 10:
        return
    yield option
    if "$ref" in option:
        name = str(option["$ref"]).rpartition("/")[2]
        yield from _concrete(root, root.get("$defs", {}).get(name, {}), depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        for side in option.get(key, ()):
            yield from _concrete(root, side, depth + 1)
