"""Both nodes do what they say, and keep the contract."""

import pytest

from nodes.sdk.conformance import check_definition, check_examples
from nodes.sdk.services import HttpReply
from nodes.sdk.testing import Example, MemoryServices, run_node
from parcel_nodes.check import CheckParcelNumber, is_parcel_number
from parcel_nodes.state import ParcelState

SERVICE = "https://tracking.example.com/parcels/"


@pytest.mark.parametrize(("digits", "right"), [("473124829", True), ("473124828", False), ("47312482", False)])
def test_the_check_digit_decides(digits: str, right: bool) -> None:
    assert is_parcel_number(digits) is right


async def test_spaces_and_dashes_do_not_count() -> None:
    outcome = await run_node(CheckParcelNumber(), {"digits": "4731-2482 9"})
    assert outcome.port == "valid" and outcome.outputs == {"number": "473124829"}


async def test_the_check_keeps_the_contract() -> None:
    check_definition(CheckParcelNumber())
    await check_examples(
        CheckParcelNumber(), [Example("valid", {"digits": "473124829"}), Example("invalid", {"digits": "1"})]
    )


class Tracking:
    """The service, as the guarded HTTP client would bring its answers."""

    def __init__(self, status: int, body: object = None) -> None:
        self.status, self.body = status, body
        self.asked: list[str] = []

    async def request(self, method: str, url: str, **_: object) -> HttpReply:
        self.asked.append(f"{method} {url}")
        return HttpReply(self.status, {}, self.body)


@pytest.mark.parametrize(
    ("status", "body", "port"),
    [(200, {"state": "on its way", "place": "Wuhan"}, "found"), (404, None, "unknown"), (503, None, "error")],
)
async def test_the_answer_of_the_service_is_the_way_out(status: int, body: object, port: str) -> None:
    tracking = Tracking(status, body)
    services = MemoryServices(web=tracking)  # type: ignore[arg-type]
    config = {"number": "473124829", "service": SERVICE}
    outcome = await run_node(ParcelState(), config, services=services)
    assert outcome.port == port
    if port == "error":
        assert outcome.failure is not None and outcome.failure.reason == "service_failed" and outcome.failure.retryable
    else:
        assert outcome.outputs == (body or {})
    assert tracking.asked == [f"GET {SERVICE}473124829"]
    check_definition(ParcelState())
