"""``callweave flow test`` on files: what it prints and how it ends."""

import json
from pathlib import Path

from typer.testing import CliRunner

from backend.cli import cases  # noqa: F401  its command joins the others
from backend.cli.app import app

EXAMPLES = Path(__file__).parents[2] / "examples"
FLOW, CASES = EXAMPLES / "flows" / "service_hotline.json", EXAMPLES / "cases" / "service_hotline.json"


def test_green_cases_end_with_nought() -> None:
    done = CliRunner().invoke(app, ["flow", "test", str(FLOW), "--cases", str(CASES), "--case", "news"])
    assert done.exit_code == 0 and "1 cases, all green" in done.output


def test_a_red_case_ends_with_one_and_says_why(tmp_path: Path) -> None:
    file = tmp_path / "flow.json"
    document = json.loads(FLOW.read_text(encoding="utf-8"))
    mocks = json.loads(CASES.read_text(encoding="utf-8"))[0]["scene"]["mocks"]
    document["cases"] = [{"name": "red", "scene": {"mocks": mocks}, "steps": [{"hear": "nothing like it"}]}]
    file.write_text(json.dumps(document), encoding="utf-8")
    done = CliRunner().invoke(app, ["flow", "test", str(file)])
    assert done.exit_code == 1
    assert "step 1: “nothing like it” was not heard" in done.output and "path: answer.next" in done.output
    told = json.loads(CliRunner().invoke(app, ["flow", "test", str(file), "--json"]).output)
    assert told[0]["passed"] is False and told[0]["failures"][0]["step"] == 1
