"""Call a web service."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from nodes.sdk.config import FieldError, NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import NEXT, Node, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import NodeError, Outcome
from nodes.sdk.text import text

RESERVED = frozenset({"status", "body", "error"})
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(-?\d+)\]")


class Mapped(NodeConfig):
    name: str = field(
        title=text("输出名", "Output"),
        help=text("流程中用 nodes.<id>.<输出名> 读取", "Read in the flow as nodes.<id>.<output>"),
        widget="text",
        example="balance",
        pattern=r"^[a-z_][a-z0-9_]{0,63}$",
    )
    path: str = field(
        title=text("路径", "Path"),
        help=text("在返回的 JSON 中的位置", "Where it is in the JSON that comes back"),
        widget="text",
        example="data.accounts[0].balance",
        pattern=r"^(\.?[^.\[\]]+|\[-?\d+\])+$",
        max_length=300,
    )


class HttpConfig(NodeConfig):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = field(
        "GET",
        title=text("方法", "Method"),
        help=text("HTTP 方法", "The HTTP method"),
        widget="select",
    )
    url: str = field(
        title=text("地址", "URL"),
        help=text("以 http:// 或 https:// 开头，可用模板", "Begins with http:// or https://; may be a template"),
        widget="template",
        template=True,
        example="https://crm.example.com/customers/{{ customer.id }}",
        min_length=1,
        max_length=2000,
    )
    query: dict[str, Any] = field(
        default_factory=dict,
        title=text("查询参数", "Query"),
        help=text("加在地址后的参数，值可用模板", "Parameters added to the URL; values may be templates"),
        widget="keyvalue",
        template=True,
        secret=True,
    )
    headers: dict[str, Any] = field(
        default_factory=dict,
        title=text("请求头", "Headers"),
        help=text(
            "附加的请求头，值可用模板；密钥请用凭据", "More headers; values may be templates. Keep keys in a credential"
        ),
        widget="keyvalue",
        template=True,
        secret=True,
    )
    body: Any = field(
        None,
        title=text("请求体", "Body"),
        help=text(
            "JSON 或文本，其中的文字可用模板；空为无", "JSON or text whose strings may be templates; empty for none"
        ),
        widget="json",
        template=True,
        secret=True,
    )
    credential: str = field(
        "",
        title=text("凭据", "Credential"),
        help=text("已保存的凭据名称；空为无", "Name of a stored credential; empty for none"),
        widget="credential",
        max_length=100,
    )
    timeout: float = field(
        10,
        title=text("超时（秒）", "Timeout (seconds)"),
        help=text("整个请求的最长时间", "Longest time for the whole request"),
        widget="duration",
        ge=0.5,
        le=50,
    )
    expected: list[Annotated[str, Field(pattern=r"^[1-5](xx|\d\d)$")]] = field(
        default_factory=lambda: ["2xx"],
        title=text("成功状态", "Expected statuses"),
        help=text("视为成功的状态码，如 200 或 2xx", "Status codes that count as success, such as 200 or 2xx"),
        widget="choices",
        min_length=1,
        max_length=20,
    )
    results: list[Mapped] = field(
        default_factory=list,
        title=text("结果", "Results"),
        help=text("从返回的 JSON 中取出的值", "Values taken from the JSON that comes back"),
        widget="keyvalue",
        unique=["name"],
        max_length=50,
    )
    keep_body: bool = field(
        False,
        title=text("保留返回内容", "Keep the answer"),
        help=text("把整个返回内容作为输出 body", "Leaves the whole answer as the output body"),
        widget="switch",
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [result.name for result in self.results]
        if len(set(names)) < len(names):
            raise FieldError("results", "每个输出名只能用一次，请改名", "each output may be used once: rename one")
        if taken := RESERVED & set(names):
            raise FieldError(
                "results", f"输出名 {min(taken)} 已被占用，请改名", f"the output {min(taken)} is taken, choose another"
            )
        return self


def pick(data: Any, path: str) -> Any:
    """The value at ``a.b[0].c``; None where the path leads nowhere."""
    for name, index in _STEP.findall(path):
        if index:
            place = int(index)
            if not isinstance(data, list) or not -len(data) <= place < len(data):
                return None
            data = data[place]
        elif isinstance(data, dict):
            data = data.get(name)
        else:
            return None
    return data


class Http(Node[HttpConfig]):
    """Send an HTTP request and take values from the answer.

    - a status that is not expected fires ``http_error``; no answer at all is an error
    - only GET is tried again after a crash, since every other method may have acted
    """

    Config = HttpConfig
    meta = NodeMeta(
        type="web.http",
        family="web",
        icon="globe",
        runs=Runs.ACTIVITY,
        title=text("HTTP 请求", "HTTP request"),
        help=text("调用网络接口并取出结果", "Calls a web service and takes values from its answer"),
        effects=True,
    )
    example: ClassVar[Mapping[str, Any]] = {"url": "https://example.com/api"}

    def ports(self, config: HttpConfig) -> Sequence[Port]:
        return [NEXT, Port(name="http_error", title=text("状态异常", "Unexpected status"), required=False)]

    def outputs(self, config: HttpConfig) -> Sequence[Output]:
        outputs = [Output(name="status", type="number", title=text("状态码", "Status code"))]
        if config.keep_body:
            outputs.append(Output(name="body", type="any", title=text("返回内容", "Answer")))
        outputs += [
            Output(name=result.name, type="any", title=text(result.name, result.name)) for result in config.results
        ]
        return outputs

    async def run(self, ctx: Context, config: HttpConfig) -> Outcome:
        url = config.url.strip()
        if not url.startswith(("http://", "https://")):
            raise NodeError("bad_url", "url: it must begin with http:// or https://")
        reply = await ctx.services.web.request(
            config.method,
            url,
            headers=_texts(config.headers),
            query=_texts(config.query),
            body=None if config.body == "" else config.body,
            timeout=config.timeout,
            credential=config.credential or None,
            max_bytes=1_000_000,
        )
        outputs: dict[str, Any] = {"status": reply.status}
        if config.keep_body:
            outputs["body"] = reply.body
        status = str(reply.status)
        good = any(status == wanted or (wanted.endswith("xx") and status[0] == wanted[0]) for wanted in config.expected)
        for result in config.results:
            outputs[result.name] = pick(reply.body, result.path)
        return Outcome(port="next" if good else "http_error", outputs=outputs)

    async def reconcile(self, ctx: Context, config: HttpConfig) -> Outcome | None:
        """Asking again does no harm; whether another request arrived cannot be known."""
        return await self.run(ctx, config) if config.method == "GET" else None


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Names to texts; a value that is none is left out."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
        if value is not None
    }
