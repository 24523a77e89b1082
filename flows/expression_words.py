"""What is wrong with an expression, in words for people who never saw a parser, in both languages."""

import re
from collections.abc import Callable

from nodes.sdk.text import Text, text

_END = "end of print statement"
_KINDS = {
    "integer": text("数字", "a number"),
    "float": text("数字", "a number"),
    "string": text("文本", "a text"),
    "name": text("名称", "a name"),
}


def _missing_end(_: re.Match[str]) -> Text:
    return text("末尾不完整，还缺少内容", "something is missing at the end")


def _unexpected(found: re.Match[str]) -> Text:
    return text(f"此处不应出现 {found[1]}", f"{found[1]} cannot stand here")


def _bracket(found: re.Match[str]) -> Text:
    return text(f"缺少 {found[1]}", f"a {found[1]} is missing")


def _no_operator(found: re.Match[str]) -> Text:
    kind = _KINDS.get(found[1], text(found[1], found[1]))
    return text(
        f"{kind.zh} 之前缺少运算符（如 +、==、and）", f"an operator such as +, == or and is missing before {kind.en}"
    )


def _expected_name(_: re.Match[str]) -> Text:
    return text("缺少名称，例如 | 之后的过滤器", "a name is missing, such as the filter behind |")


_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Text]], ...] = (
    (re.compile(rf"unexpected '{_END}'$|Expected an expression, got '{_END}'$"), _missing_end),
    (re.compile(r"unexpected '[)\]}]', expected '([)\]}])'"), _bracket),
    (re.compile(rf"expected token 'name', got '{_END}'"), _expected_name),
    (re.compile(r"expected token '([)\]}])', got"), _bracket),
    (re.compile(rf"expected token '{_END}', got '='"), lambda _: text("比较请用 ==", "compare with ==")),
    (re.compile(rf"expected token '{_END}', got '(.+)'"), _no_operator),
    (re.compile(r"expected token '.+', got '(.+)'"), _unexpected),
    (
        re.compile(r"unexpected char [\"']\\?[\"']"),
        lambda _: text("引号没有成对", "a quotation mark has no partner"),
    ),
    (
        re.compile(r"unexpected char [\"'](?:&|\|)[\"']"),
        lambda _: text("请用 and 表示“并且”，or 表示“或者”", "write and, or"),
    ),
    (re.compile(r"unexpected char [\"']!"), lambda _: text("请用 not 表示“不”，!= 表示“不等于”", "write not, or !=")),
    (
        re.compile(r"unexpected char [\"'](.+?)[\"'] at"),
        lambda found: text(f"不能使用字符 {found[1]}", f"the sign {found[1]} cannot be used"),
    ),
    (re.compile(r"unexpected '='$"), lambda _: text("比较请用 ==", "compare with ==")),
    (re.compile(r"unexpected '(.+?)'"), _unexpected),
    (
        re.compile(rf"unexpected end of template, expected '{_END}'"),
        lambda _: text("缺少 }}", "the closing }} is missing"),
    ),
    (
        re.compile(r"[Uu]nexpected end of template.*closed is '(\w+)'", re.DOTALL),
        lambda found: text(f"{{% {found[1]} %}} 没有结束标记", f"{{% {found[1]} %}} is not closed"),
    ),
    (
        re.compile(r"there is no (filter|test) (\w+); there are: (.*)", re.DOTALL),
        lambda found: text(
            f"没有{'过滤器' if found[1] == 'filter' else '判断'} {found[2]}；可以用：{found[3].replace(', ', '、')}",
            found[0],
        ),
    ),
    (re.compile(r"the expression is empty"), lambda found: text("还没有填写", found[0])),
    (
        re.compile(r"write one expression without"),
        lambda _: text(
            "此处是表达式，不要写 {{ }}；两个花括号之间请加空格",
            "this is an expression, write it without {{ }}; put a space between two braces",
        ),
    ),
    (
        re.compile(r"(.+) is not allowed here: only values"),
        lambda found: text(
            f"不能使用 {_plain(found[1])}，只能用变量、运算、比较和提供的过滤器",
            f"{found[1]} is not allowed here: only values, operators and the filters of the reference may be used",
        ),
    ),
    (
        re.compile(r"the filter (\w+) takes (.+)"),
        lambda found: text(f"过滤器 {found[1]} 的参数应为：{found[2].replace('no arguments', '无')}", found[0]),
    ),
)
_BY_REASON = {
    "syntax": text("写法不对", ""),
    "forbidden": text("使用了不允许的写法", ""),
    "too_large": text("过长或嵌套过深，请拆成几个变量", ""),
}


def _plain(words: str) -> str:
    known = {"a call": "函数调用", "this constant": "此常量", "a slice with a step": "带步长的切片"}
    return known.get(words, words.removeprefix("the name "))


def said(reason: str, message: str) -> Text:
    """The words for an error of compiling: its reason and its message."""
    for pattern, words in _PATTERNS:
        found = pattern.search(message)
        if found:
            return words(found)
    return text(_BY_REASON.get(reason, _BY_REASON["syntax"]).zh, message)
