"""Help for authors of expressions: every filter and test with an example and what that gives."""

from dataclasses import dataclass

from nodes.sdk.text import Text, text


@dataclass(frozen=True, slots=True)
class Help:
    """A filter or a test with an example and what that gives."""

    name: str
    title: Text
    example: str
    gives: str


FILTER_HELP: tuple[Help, ...] = (
    Help(
        "number",
        text("数字，按语言书写；可给小数位数", "A number as the language writes it; decimals may be given"),
        "1234.5 | number(2)",
        "1,234.50",
    ),
    Help(
        "money",
        text("金额；可给货币代码", "An amount of money; a currency may be given"),
        "12.5 | money('USD')",
        "12.50 US dollars",
    ),
    Help("date", text("日期的读法", "A date as it is said"), "'2026-01-05' | date", "January 5, 2026"),
    Help("time", text("时刻的读法", "A time of day as it is said"), "'2026-01-05T09:30:00Z' | time", "9:30 AM"),
    Help(
        "datetime",
        text("日期和时刻的读法", "Date and time as they are said"),
        "'2026-01-05T09:30:00Z' | datetime",
        "January 5, 2026 9:30 AM",
    ),
    Help("digits", text("逐位读出", "Read digit by digit"), "'6222' | digits", "6 2 2 2"),
    Help("upper", text("转为大写", "In capital letters"), "'abc' | upper", "ABC"),
    Help("lower", text("转为小写", "In small letters"), "'ABC' | lower", "abc"),
    Help("trim", text("去掉首尾空格", "Without spaces at both ends"), "' a ' | trim", "a"),
    Help("round", text("四舍五入；可给小数位数", "Rounded; decimals may be given"), "3.14159 | round(2)", "3.14"),
    Help("abs", text("绝对值", "Without its sign"), "-5 | abs", "5"),
    Help("int", text("取整数部分", "As a whole number"), "'42' | int", "42"),
    Help("float", text("转为小数", "As a number with decimals"), "'1.5' | float", "1.5"),
    Help("number_of", text("把文本变为数字", "The number that a text writes"), "'1,200' | number_of", "1200"),
    Help("string", text("转为文本", "As text"), "42 | string", "42"),
    Help("length", text("长度：文本的字数或列表的项数", "How many characters or items"), "'hello' | length", "5"),
    Help(
        "join",
        text("把列表连成文本；可给分隔符", "The items as one text; a separator may be given"),
        "['a', 'b'] | join('-')",
        "a-b",
    ),
    Help("first", text("第一项", "The first item"), "['a', 'b'] | first", "a"),
    Help("last", text("最后一项", "The last item"), "['a', 'b'] | last", "b"),
    Help("slice", text("截取一段：起点，终点", "A part: from, up to"), "'62220001' | slice(0, 4)", "6222"),
    Help(
        "replace",
        text("替换：旧文本，新文本", "Replaced: the old text, the new text"),
        "'a-b' | replace('-', ' ')",
        "a b",
    ),
    Help("min", text("最小的数", "The smallest number"), "[3, 1, 2] | min", "1"),
    Help("max", text("最大的数", "The largest number"), "[3, 1, 2] | max", "3"),
    Help("sum", text("总和", "All numbers together"), "[3, 1, 2] | sum", "6"),
    Help(
        "shift",
        text("推移时间：days、hours、minutes", "A time moved by days, hours, minutes"),
        "'2026-01-05T09:30:00Z' | shift(days=1)",
        "2026-01-06T09:30:00+00:00",
    ),
    Help("default", text("没有值时的替代", "What stands in for no value"), "none | default('-')", "-"),
)
TEST_HELP: tuple[Help, ...] = (
    Help("defined", text("有这个名称", "The name exists"), "call.caller is defined", "true"),
    Help("undefined", text("没有这个名称", "The name does not exist"), "call.caller is undefined", "false"),
    Help("none", text("没有值", "There is no value"), "none is none", "true"),
    Help("number", text("是数字", "It is a number"), "5 is number", "true"),
    Help("string", text("是文本", "It is a text"), "'a' is string", "true"),
    Help("even", text("是偶数", "It is even"), "4 is even", "true"),
    Help("odd", text("是奇数", "It is odd"), "4 is odd", "false"),
    Help("empty", text("为空", "It is empty"), "'' is empty", "true"),
)
