import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nodes.logic.split import Split, SplitConfig
from nodes.sdk.testing import Example, flow_scope

SHARES = {"shares": [{"name": "a", "percent": 10}, {"name": "b", "percent": 0}, {"name": "c", "percent": 90}]}
EXAMPLES = [
    Example("a", {"shares": [{"name": "a", "percent": 10}, {"name": "c", "percent": 90}]}, scope=flow_scope(draw=0.05)),
    Example("c", {"shares": [{"name": "a", "percent": 10}, {"name": "c", "percent": 90}]}, scope=flow_scope(draw=0.1)),
]


@given(st.floats(0, 1, exclude_max=True))
def test_the_draw_decides(draw: float) -> None:
    port = Split().decide(flow_scope(draw=draw), SplitConfig.model_validate(SHARES)).port
    assert port == ("a" if draw < 0.1 else "c")


def test_shares_follow_the_percentages() -> None:
    config = SplitConfig.model_validate(SHARES)
    ports = [Split().decide(flow_scope(draw=n / 1000), config).port for n in range(1000)]
    assert ports.count("a") == 100 and ports.count("b") == 0 and ports.count("c") == 900


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=20), st.floats(0, 1, exclude_max=True))
def test_uneven_shares_always_lead_somewhere(weights: list[int], draw: float) -> None:
    shares = [{"name": f"p{n}", "percent": 100 * weight / sum(weights)} for n, weight in enumerate(weights)]
    config = SplitConfig.model_validate({"shares": shares})
    assert Split().decide(flow_scope(draw=draw), config).port in {share.name for share in config.shares}


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ([{"name": "a", "percent": 50}, {"name": "b", "percent": 40}], "add up to 100, not 90"),
        ([{"name": "a", "percent": 50}, {"name": "a", "percent": 50}], "used once"),
        ([{"name": "error", "percent": 50}, {"name": "a", "percent": 50}], "error is taken"),
    ],
)
def test_shares_are_checked(shares: list[dict[str, object]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SplitConfig.model_validate({"shares": shares})
