"""What the server names and the web app explains in both languages: each setting, each deed of the audit trail, each
detail of a deed."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from backend.agents.service import PROFILE
from backend.queues.service import TOLD_FIELDS as QUEUE
from backend.settings import Settings

ROOT = Path(__file__).parents[1]
FEATURES = ROOT / "designer" / "src" / "features"


@cache
def every_call() -> list[tuple[str, ast.Call]]:
    """Calls of plain functions in those files of the server that write the audit trail, by the function's name."""
    sources = [file.read_text() for file in (ROOT / "backend").rglob("*.py") if "test" not in file.name]
    return [
        (node.func.id, node)
        for source in sources
        if "audit.service import" in source
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]


def calls(*names: str) -> Iterator[ast.Call]:
    """Every call of these functions."""
    return (node for name, node in every_call() if name in names)


def texts(node: ast.AST) -> set[str]:
    """The texts written in an expression."""
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def test_each_setting_is_explained_in_chinese() -> None:
    told = set(re.findall(r"CALLWEAVE_([A-Z_]+):", (FEATURES / "system" / "settings.ts").read_text()))
    assert told == {name.upper() for name in Settings.model_fields}


def test_each_deed_of_the_audit_trail_has_words() -> None:
    told = set(re.findall(r"\"?'?([a-z_]+\.[a-z_]+)'?\"?: \{ zh", (FEATURES / "audit" / "actions.ts").read_text()))
    written = {one for call in calls("note", "heard") for given in call.args[1:3] for one in texts(given)}
    done = {one for one in written if re.fullmatch(r"[a-z_]+\.[a-z_]+", one)}
    assert len(done) > 80
    assert done - told == set()


def test_each_detail_of_the_audit_trail_has_a_name() -> None:
    told = set(re.findall(r"^  ([a-z_]+): \{ zh", (FEATURES / "audit" / "details.ts").read_text(), re.MULTILINE))
    said = {given.arg for call in calls("note") for given in call.keywords if given.arg} - {"was"}
    said |= {one for call in calls("changed") for given in call.args[1:] for one in texts(given)}
    said |= {*PROFILE, *QUEUE, "trunk", "source"}
    assert len(said) > 80
    assert said - told == set()


FAILING = re.compile(
    r"\b(?:Outcome\.error|(?:Node|Speech|Driver|Messaging|Telephony|Control)Error|self\._fail)\(\s*\"([a-z_]+)\""
)


def test_each_reason_of_a_failed_step_has_words() -> None:
    told = set(re.findall(r"^  ([a-z_]+): \{ zh", (ROOT / "designer/src/ui/reasons.ts").read_text(), re.MULTILINE))
    files = [
        file
        for room in ("nodes", "flows", "backend", "telephony")
        for file in (ROOT / room).rglob("*.py")
        if "test" not in file.name and "fixtures" not in file.parts
    ]
    given = {reason for file in files for reason in FAILING.findall(file.read_text())}
    broken = re.findall(r"ExpressionError\(\s*\"([a-z_]+)\"", (ROOT / "flows" / "expressions.py").read_text())
    given |= {f"expression_{reason}" for reason in broken}
    assert len(given) > 50
    assert given - told == set()
