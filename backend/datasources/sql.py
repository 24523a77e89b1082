"""Judging the SQL of a named query: one SELECT that only reads, with bound parameters."""

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from backend.errors import InvalidError
from nodes.sdk.text import text

MAX_LENGTH = 20_000

_WRITES = (
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.Create,
    exp.Drop,
    exp.Alter,
    exp.Command,
    exp.Into,
    exp.Lock,
    exp.Pragma,
    exp.Attach,
    exp.Detach,
    exp.Set,
    exp.Copy,
    exp.TruncateTable,
    exp.Transaction,
    exp.Commit,
    exp.Rollback,
)

# Functions that a SELECT may call to write, wait, reach files or other machines, or change the session.
_ACTS = frozenset(
    [
        "load_extension",
        "readfile",
        "writefile",
        "edit",
        "fts3_tokenizer",
        "nextval",
        "setval",
        "set_config",
        "lo_import",
        "lo_export",
        "lo_unlink",
        "lo_create",
        "lo_from_bytea",
        "lo_put",
        "query_to_xml",
        "query_to_xml_and_xmlschema",
        "database_to_xml",
        "schema_to_xml",
        "table_to_xml",
        "cursor_to_xml",
        "current_setting",
        "txid_current",
        "randomblob",
        "zeroblob",
    ]
)
_ACTS_BY_START = ("pg_", "dblink", "lo_", "xp_", "sp_")
_INTERNAL_TABLES = ("sqlite_", "pg_", "information_schema")


def _refuse(zh: str, en: str) -> InvalidError:
    return InvalidError(
        text(zh, en),
        field="sql",
        code="bad_query",
        remedy=text(
            "请只写一条 SELECT，用 :名称 绑定参数。", "Write a single SELECT that only reads, and bind values as :name."
        ),
    )


def check_sql(sql: str, dialect: str) -> list[str]:
    """The names of the bound parameters, in order of appearance. Raises InvalidError ``bad_query``."""
    if len(sql) > MAX_LENGTH:
        raise _refuse("查询太长", f"a query has {MAX_LENGTH} characters at most")
    try:
        statements = [found for found in sqlglot.parse(sql, read=dialect) if found is not None]
    except SqlglotError as error:
        raise _refuse(f"SQL 无法解析：{str(error)[:200]}", f"the SQL cannot be read: {str(error)[:200]}") from None
    if len(statements) != 1:
        raise _refuse("只能有一条语句", "a query is one statement")
    statement = statements[0]
    if not isinstance(statement, exp.Query) or isinstance(statement, exp.Table):
        raise _refuse("只能是 SELECT", "a query is a SELECT")
    if isinstance(statement, exp.Select) and not statement.expressions:
        raise _refuse("SELECT 没有列", "the SELECT names no columns")
    names: dict[str, None] = {}
    for node in statement.walk():
        if isinstance(node, _WRITES):
            raise _refuse(f"不允许 {node.key.upper()}", f"{node.key.upper()} is not allowed in a query")
        if isinstance(node, exp.Func):
            name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
            if name in _ACTS or name.startswith(_ACTS_BY_START):
                raise _refuse(f"不允许函数 {name}", f"the function {name} is not allowed in a query")
        if isinstance(node, exp.Table):
            words = f"{node.db}.{node.name}".lower()
            if any(word.startswith(_INTERNAL_TABLES) for word in (node.name.lower(), node.db.lower())):
                raise _refuse(f"不允许系统表 {words}", f"the system table {words.strip('.')} may not be read")
        if isinstance(node, exp.Placeholder | exp.Parameter):
            name = node.name
            if not node.args.get("this") or isinstance(node, exp.Parameter):
                raise _refuse("参数必须写作 :名称", "parameters are written as :name")
            names[name] = None
    return list(names)
