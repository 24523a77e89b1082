"""Every problem that checking a document may find, with what it means and what helps.

``problem()`` refuses a code that is not here; a test has a document for each. The pages ``docs/problems.*.md`` are
written from this table (``python -m flows.catalogue``).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nodes.sdk.text import Text, text

When = Literal["error", "publish", "warning", "draft"]
"""``error`` always; ``publish``: an error when publishing, a warning while drawing; ``warning`` never prevents
publishing; ``draft``: a part of the JSON was left out on reading."""

DOCS = Path(__file__).resolve().parent.parent / "docs"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem."""

    when: When
    title: Text
    remedy: Text


def _kind(when: When, zh: str, en: str, zh_remedy: str, en_remedy: str) -> Kind:
    return Kind(when, text(zh, en), text(zh_remedy, en_remedy))


CATALOGUE: dict[str, Kind] = {
    # reading
    "not_an_object": _kind(
        "draft", "不是 JSON 对象", "Not a JSON object",
        "流程文件的最外层应是 { … }。", "A flow's file is one object: { … }.",
    ),
    "spec_version": _kind(
        "draft", "格式版本不对", "Unknown format version",
        "升级 Callweave，或改正 spec_version。", "Upgrade Callweave, or correct spec_version.",
    ),
    "bad_field": _kind(
        "draft", "字段的值不对", "A field has a wrong value",
        "按提示改正该字段；错误的部分已略去。", "Correct the field as told; the wrong part was left out.",
    ),
    "unknown_field": _kind(
        "draft", "没有这个字段", "There is no such field",
        "删除该字段，或改正拼写。", "Remove the field, or correct its spelling.",
    ),
    "bad_node": _kind(
        "draft", "节点没有类型", "A node has no type",
        "写上节点的 type。", "Give the node a type.",
    ),
    # the flow itself
    "no_id": _kind("error", "流程没有标识", "The flow has no id", "填写标识。", "Give it one."),
    "no_name": _kind("error", "流程没有名称", "The flow has no name", "填写名称。", "Give it one."),
    "no_language": _kind(
        "error", "流程没有语言", "The flow has no language", "至少选择一种语言。", "Choose one language at least.",
    ),
    "duplicate_variable": _kind(
        "error", "变量重名", "Two variables have one name", "改名或删除其中一个。", "Rename or remove one of them.",
    ),
    "bad_default": _kind(
        "error", "默认值与类型不符", "A default does not fit its type",
        "改正默认值或类型。", "Correct the default or the type.",
    ),
    "no_entry": _kind(
        "publish", "没有起始节点", "The flow has no entry",
        "选择来电从哪个节点开始。", "Choose the node where a call begins.",
    ),
    "unknown_target": _kind(
        "error", "起始节点、快捷键或处理器指向不存在的节点", "The entry, a shortcut or a handler leads to no node",
        "重新选择一个存在的节点。", "Choose a node that exists.",
    ),
    "duplicate_shortcut": _kind(
        "error", "同一个快捷键用了两次", "A key is a shortcut twice", "删除其中一个。", "Remove one of them.",
    ),
    # nodes
    "bad_node_id": _kind(
        "error", "节点标识不合规", "A node's id is not allowed",
        "只用字母、数字、下划线和连字符，以字母开头。", "Use letters, digits, _ and -, beginning with a letter.",
    ),
    "unknown_node": _kind(
        "error", "没有该节点类型或版本", "There is no such node type or version",
        "安装提供该节点的软件包，或删除节点；callweave node list 列出现有类型。",
        "Install the package that brings it, or remove the node; callweave node list shows what there is.",
    ),
    "bad_config": _kind(
        "error", "节点配置不对", "A node's config is wrong",
        "按提示改正该字段；节点手册列出每个字段。",
        "Correct the field as told; the node's reference lists every field.",
    ),
    "wrong_kind": _kind(
        "error", "节点不能用于此类流程", "The node cannot be used in this kind of flow",
        "删除节点，或改变流程类型。", "Remove the node, or change the kind of the flow.",
    ),
    "call_in_parallel": _kind(
        "error", "并行分支中有通话节点", "A node on the call stands in a parallel branch",
        "把它移到汇合之后。", "Move it behind the join.",
    ),
    # edges
    "edge_source": _kind(
        "error", "连线的起点不存在", "An edge begins at no node", "删除连线。", "Remove the edge.",
    ),
    "edge_target": _kind(
        "error", "连线指向不存在的节点", "An edge leads to no node",
        "改接到存在的节点。", "Connect it to a node that exists.",
    ),
    "edge_port": _kind(
        "error", "节点没有该端口", "The node has no such port", "改用提示中的端口。", "Use one of the ports told.",
    ),
    "two_edges": _kind(
        "error", "一个端口有两条连线", "Two edges leave one port", "删除其中一条。", "Remove one of them.",
    ),
    "port_unwired": _kind(
        "publish", "必接的端口未连接", "A port that must be wired is open",
        "连接下一步，或接到“结束”节点。", "Connect a next step, or an end node.",
    ),
    "dead_end": _kind(
        "publish", "节点之后没有步骤", "Nothing follows a node",
        "连接下一步，或使用“结束”节点。", "Connect a next step, or end the flow with an end node.",
    ),
    "unreachable": _kind(
        "publish", "节点无法到达", "Nothing leads to a node",
        "把它接入流程，或删除。", "Connect it, or remove it.",
    ),
    "endless_loop": _kind(
        "warning", "循环没有出路", "A loop has no way out", "为循环添加出口。", "Add a way out of the loop.",
    ),
    "busy_loop": _kind(
        "warning", "循环中没有等待", "Nothing waits in a loop",
        "添加等待的步骤或出口，否则可能运行到步数上限。",
        "Add a waiting step or a way out; else it may run to the step limit.",
    ),
    # expressions
    "expression_syntax": _kind(
        "error", "表达式或模板有语法错误", "An expression or template has an error of syntax",
        "按提示改正；{{ 与 }} 要成对。", "Correct it as told; {{ and }} come in pairs.",
    ),
    "expression_forbidden": _kind(
        "error", "表达式用了不允许的写法", "An expression uses what is not allowed",
        "只用变量、运算、比较和提供的过滤器。",
        "Use variables, arithmetic, comparisons and the filters that there are.",
    ),
    "expression_too_large": _kind(
        "error", "表达式过大", "An expression is too large", "拆成几个变量。", "Split it into several variables.",
    ),
    "unknown_variable": _kind(
        "error", "没有该变量", "There is no such variable",
        "先定义变量，或改正拼写。", "Define the variable, or correct its spelling.",
    ),
    "unknown_output": _kind(
        "error", "没有该节点或其输出", "There is no such node or output",
        "改用提示中的名称。", "Use one of the names told.",
    ),
    "unknown_name": _kind(
        "error", "表达式中没有该名称", "There is no such name in expressions",
        "可用：call、customer、vars、nodes、now。", "There are call, customer, vars, nodes and now.",
    ),
    # other flows
    "unknown_subflow": _kind(
        "error", "没有已发布的子流程", "There is no such published subflow",
        "先发布该流程，或重新选择。", "Publish it, or choose another.",
    ),
    "missing_alias": _kind(
        "error", "子流程没有该别名或版本", "The subflow has no such alias or version",
        "改用存在的别名（如 live）或版本号。", "Use an alias that exists, such as live, or a version number.",
    ),
    "subflow_cycle": _kind(
        "error", "子流程循环调用", "Subflows call each other in a circle",
        "改用别的流程或循环。", "Use another flow, or a loop.",
    ),
    "subflow_kind": _kind(
        "error", "该流程不能作为子流程", "That flow cannot run as a subflow here",
        "选择“子流程”类型的流程。", "Choose a flow of the kind subflow.",
    ),
    "subflow_input": _kind(
        "error", "子流程的输入不对", "An input of a subflow is missing, unknown or of the wrong type",
        "按提示填写或改正。", "Fill in or correct it as told.",
    ),
    # what is said, and what is used
    "missing_language": _kind(
        "warning", "播报缺少一种语言", "A prompt lacks a language of the flow",
        "补上该语言的文本或录音；否则来电者听到第一种语言。",
        "Add the text or recording; else callers hear the first language it has.",
    ),
    "unknown_prompt": _kind(
        "warning", "语音库中没有该语音", "The prompt library has no such prompt",
        "录制或填写该语音，或重新选择。", "Record or write it, or choose another.",
    ),
    "unknown_reference": _kind(
        "warning", "所用的日历、名单、查询或凭据不存在", "A calendar, list, query or credential does not exist",
        "先创建它，或重新选择；否则节点走“出错”端口。", "Create it, or choose another; else the node leaves by error.",
    ),
}  # fmt: skip

_WHEN = {
    "error": text("错误", "error"),
    "publish": text("发布时为错误，绘制时为警告", "error when publishing, warning while drawing"),
    "warning": text("警告", "warning"),
    "draft": text("错误（读取时）", "error on reading"),
}
_PAGE = {
    "zh": (
        "# 流程检查出的问题",
        "`callweave flow validate`、发布和设计器报告这些问题，每个都带节点、字段和说明。错误阻止发布，警告不阻止。",
        "| 代码 | 程度 | 含义 | 办法 |",
    ),
    "en": (
        "# Problems found in flows",
        "`callweave flow validate`, publishing and the designer tell these problems, each with its node, field and "
        "words. Errors prevent publishing, warnings do not.",
        "| code | severity | what it means | what helps |",
    ),
}


def page(language: Literal["zh", "en"]) -> str:
    """The page of all problems in one language."""

    def said(words: Text) -> str:
        return words.zh if language == "zh" else words.en

    title, intro, head = _PAGE[language]
    rows = [
        f"| `{code}` | {said(_WHEN[kind.when])} | {said(kind.title)} | {said(kind.remedy)} |"
        for code, kind in CATALOGUE.items()
    ]
    return "\n".join([title, "", intro, "", head, "|---|---|---|---|", *rows, ""])


def write() -> None:
    """Write both pages."""
    (DOCS / "problems.zh.md").write_text(page("zh"), encoding="utf-8")
    (DOCS / "problems.en.md").write_text(page("en"), encoding="utf-8")


if __name__ == "__main__":
    write()
