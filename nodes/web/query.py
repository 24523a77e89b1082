"""Run a named SQL query."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar, Self

from pydantic import model_validator

from nodes.sdk.config import FieldError, NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import NodeError, Outcome
from nodes.sdk.text import text

RESERVED = frozenset({"rows", "count", "error"})


class Column(NodeConfig):
    name: str = field(
        title=text("输出名", "Output"),
        help=text("流程中用 nodes.<id>.<输出名> 读取", "Read in the flow as nodes.<id>.<output>"),
        widget="text",
        example="balance",
        pattern=r"^[a-z_][a-z0-9_]{0,63}$",
    )
    column: str = field(
        title=text("列", "Column"),
        help=text("第一行中的列名", "The column in the first row"),
        widget="text",
        example="balance",
        min_length=1,
        max_length=100,
    )


class QueryConfig(NodeConfig):
    query: str = field(
        title=text("查询", "Query"),
        help=text("已登记的只读查询的名称", "Name of a registered read-only query"),
        widget="query",
        example="balance_by_card",
        min_length=1,
        max_length=100,
    )
    parameters: dict[str, Any] = field(
        default_factory=dict,
        title=text("参数", "Parameters"),
        help=text("查询的参数，每个是一个表达式", "The query’s parameters, each an expression"),
        widget="keyvalue",
        expression=True,
        secret=True,
        example={"card": "nodes.card.digits"},
    )
    columns: list[Column] = field(
        default_factory=list,
        title=text("取出的列", "Columns"),
        help=text("把第一行的列作为输出", "Columns of the first row that become outputs"),
        widget="keyvalue",
        unique=["name"],
        max_length=50,
    )
    limit: int = field(
        100,
        title=text("最多行数", "Most rows"),
        help=text("最多返回多少行", "How many rows may come back"),
        widget="number",
        ge=1,
        le=1000,
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise FieldError("columns", "每个输出名只能用一次，请改名", "each output may be used once: rename one")
        if taken := RESERVED & set(names):
            raise FieldError(
                "columns", f"输出名 {min(taken)} 已被占用，请改名", f"the output {min(taken)} is taken, choose another"
            )
        return self


def plain(value: Any) -> Any:
    """A database value as plain data: exact numbers become numbers, times become ISO 8601 texts."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {str(name): plain(item) for name, item in value.items()}
        case _:
            return str(value)


class Query(Node[QueryConfig]):
    """Read business data by a query that an administrator registered."""

    Config = QueryConfig
    meta = NodeMeta(
        type="web.query",
        family="web",
        icon="database",
        runs=Runs.QUICK,
        title=text("查询数据", "Query data"),
        help=text("用已登记的只读 SQL 查询读取业务数据", "Reads business data by a registered read-only SQL query"),
    )
    example: ClassVar[Mapping[str, Any]] = {
        "query": "balance_by_card",
        "parameters": {"card": "nodes.card.digits"},
        "columns": [{"name": "balance", "column": "balance"}],
    }

    def ports(self, config: QueryConfig) -> Sequence[Port]:
        return [
            Port(name="found", title=text("有结果", "Found")),
            Port(name="empty", title=text("无结果", "Nothing found")),
        ]

    def outputs(self, config: QueryConfig) -> Sequence[Output]:
        return [
            Output(name="rows", type="list", title=text("所有行", "All rows")),
            Output(name="count", type="number", title=text("行数", "Number of rows")),
            *(Output(name=column.name, type="any", title=text(column.name, column.name)) for column in config.columns),
        ]

    async def run(self, ctx: Context, config: QueryConfig) -> Outcome:
        found = await ctx.services.queries.run(config.query, config.parameters, limit=config.limit)
        rows = [{name: plain(value) for name, value in row.items()} for row in found[: config.limit]]
        outputs: dict[str, Any] = {"rows": rows, "count": len(rows)}
        for column in config.columns:
            if rows and column.column not in rows[0]:
                have = ", ".join(rows[0])
                raise NodeError(
                    "unknown_column", f"columns: {config.query} has no column {column.column!r}; it has {have}"
                )
            outputs[column.name] = rows[0][column.column] if rows else None
        return Outcome(port="found" if rows else "empty", outputs=outputs)
