"""Mistakes in expressions are told without the parser's own words, in both languages."""

import re

import pytest

from flows.expressions import check


@pytest.mark.parametrize(
    ("source", "zh", "en"),
    [
        ("vars.x and", "末尾不完整", "something is missing at the end"),
        ("1 + ", "末尾不完整", "something is missing at the end"),
        ("(1 + 2", "缺少 )", "a ) is missing"),
        ("vars.x | money(", "缺少 )", "a ) is missing"),
        ("1 2", "数字 之前缺少运算符", "missing before a number"),
        ("vars.a vars.b", "vars 之前缺少运算符", "missing before vars"),
        ("a ? b", "不能使用字符 ?", "the sign ? cannot be used"),
        ("'abc", "引号没有成对", "a quotation mark has no partner"),
        ("a && b", "and 表示“并且”", "write and, or"),
        ("!a", "not 表示", "write not"),
        ("vars.x = 3", "比较请用 ==", "compare with =="),
        ("= 3", "比较请用 ==", "compare with =="),
        ("[x for x in y]", "此处不应出现 for", "for cannot stand here"),
        ("vars.x | nope", "没有过滤器 nope；可以用：abs", "there is no filter nope"),
        ("vars.x is nope", "没有判断 nope", "there is no test nope"),
        ("{{ x", "此处是表达式，不要写 {{ }}", "write it without {{ }}"),
        ("f(1)", "不能使用 函数调用", "a call is not allowed here"),
        ("2 ** 3", "不能使用 **", "** is not allowed here"),
        ("x.__class__", "不能使用 __class__", "__class__ is not allowed"),
        ("vars.x | round(1, 2, 3)", "过滤器 round 的参数应为", "the filter round takes"),
    ],
)
def test_mistakes_in_expressions(source: str, zh: str, en: str) -> None:
    [found] = check(source)
    assert zh in found.message.zh, found.message.zh
    assert en in found.message.en, found.message.en
    assert not re.search(r"print statement|token|template", found.message.en)


@pytest.mark.parametrize(
    ("source", "zh", "en"),
    [
        ("hello {{ x", "缺少 }}", "the closing }} is missing"),
        ("hello {{ }}", "末尾不完整", "something is missing"),
        ("{% if x %}a", "{% if %} 没有结束标记", "{% if %} is not closed"),
        ("{{ x | }}", "缺少名称", "a name is missing"),
    ],
)
def test_mistakes_in_templates(source: str, zh: str, en: str) -> None:
    [found] = check(source, template=True)
    assert zh in found.message.zh, found.message.zh
    assert en in found.message.en, found.message.en
