"""How a customer's record travels in a run."""

from typing import Any

from nodes.sdk.node import Output
from nodes.sdk.services import Customer, Secrets
from nodes.sdk.text import text

CUSTOMER_OUTPUTS = (
    Output(name="id", type="string", title=text("客户编号", "Customer id")),
    Output(name="name", type="string", title=text("姓名", "Name")),
    Output(name="level", type="string", title=text("级别", "Level")),
    Output(name="language", type="string", title=text("语言", "Language")),
    Output(name="fields", type="object", title=text("自定义字段", "The business’s own fields")),
)
"""What a node leaves behind about a customer."""


def outputs_of(customer: Customer) -> dict[str, Any]:
    """The values of `CUSTOMER_OUTPUTS`."""
    return customer.model_dump(include={output.name for output in CUSTOMER_OUTPUTS})


def known(customer: Customer, secrets: Secrets) -> dict[str, Any]:
    """The run's ``customer``. The card number is confidential, so it travels sealed."""
    record = customer.model_dump(mode="json")
    if customer.card:
        record["card"] = secrets.seal(customer.card)
    return record
