import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from nodes.sdk import registry as module
from nodes.sdk.config import NodeConfig
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.registry import (
    BadNodeError,
    DuplicateNodeError,
    Registry,
    build,
    describe,
    load_folder,
    load_packages,
    registry,
)
from nodes.sdk.text import text
from nodes.voice.menu import Menu

GREET = '''
from nodes.sdk.config import NodeConfig
from nodes.sdk.node import Node, NodeMeta, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text


class Greet(Node[NodeConfig]):
    """Greet."""

    meta = NodeMeta(
        type="{type}", version={version}, family="logic", icon="hand", runs=Runs.QUICK,
        title=text("问候", "Greet"), help=text("问候", "Greets"),
    )

    async def run(self, ctx, config):
        return Outcome(port="next")
'''


class Plain(Node[NodeConfig]):
    """A node for these tests."""

    def __init__(self, type: str = "logic.plain", version: int = 1) -> None:
        self.meta = NodeMeta(  # type: ignore[misc]
            type=type,
            version=version,
            family="logic",
            icon="x",
            runs=Runs.QUICK,
            title=text("普通", "Plain"),
            help=text("普通", "Plain"),
        )

    async def run(self, ctx: Context, config: NodeConfig) -> Outcome:
        return Outcome(port="next")


def write(folder: Path, name: str, type: str = "acme.greet", version: int = 1) -> Path:
    file = folder / name
    file.write_text(GREET.replace("{type}", type).replace("{version}", str(version)))
    return file


def test_get_by_version_and_latest() -> None:
    known = Registry([Plain(version=1), Plain(version=3), Plain("logic.other")])
    assert known.get("logic.plain").meta.version == 3
    assert known.get("logic.plain", 1).meta.version == 1
    assert [node.meta.type for node in known.families()["logic"]] == ["logic.other", "logic.plain"]
    assert len(known.all()) == 3 and "logic.plain" in known and "logic.none" not in known


def test_what_is_missing_is_told() -> None:
    known = Registry([Plain(version=1), Plain(version=3)])
    with pytest.raises(KeyError, match=r"no node type 'acme\.x'"):
        known.get("acme.x")
    with pytest.raises(KeyError, match="no version 2; installed: 1, 3"):
        known.get("logic.plain", 2)


def test_a_duplicate_names_both_places(tmp_path: Path) -> None:
    file = write(tmp_path, "mine.py", "voice.menu")
    [mine] = load_folder(tmp_path).nodes
    with pytest.raises(DuplicateNodeError) as error:
        Registry([Menu(), mine])
    assert str(file) in str(error.value) and "voice/menu.py" in str(error.value)


def test_a_folder_is_loaded_and_broken_files_are_told(tmp_path: Path) -> None:
    write(tmp_path, "good.py")
    write(tmp_path, "test_good.py", "acme.never")
    write(tmp_path, "_private.py", "acme.never")
    (tmp_path / "syntax.py").write_text("def broken(:\n")
    (tmp_path / "crash.py").write_text("1 / 0\n")
    (tmp_path / "leaves.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "nothing.py").write_text("x = 1\n")
    (tmp_path / "wrong.py").write_text("NODES = [42]\n")
    loaded = load_folder(tmp_path)
    assert [node.meta.type for node in loaded.nodes] == ["acme.greet"]
    told = {Path(problem.place).name: problem.message for problem in loaded.problems}
    assert told.keys() == {"syntax.py", "crash.py", "leaves.py", "nothing.py", "wrong.py"}
    assert told["syntax.py"].startswith("line 1:") and "ZeroDivisionError" in told["crash.py"]
    assert "no node" in told["nothing.py"] and "42" in told["wrong.py"]


def test_files_of_one_name_in_two_folders_stay_apart(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "json.py", f"acme.{name}")
    nodes = [*load_folder(tmp_path / "one").nodes, *load_folder(tmp_path / "two").nodes]
    assert {node.meta.type for node in nodes} == {"acme.one", "acme.two"}


def test_a_missing_folder_is_empty(tmp_path: Path) -> None:
    assert load_folder(tmp_path / "none") == module.Loaded([], [])


def test_a_clash_in_the_folder_is_a_problem_and_the_first_stays(tmp_path: Path) -> None:
    write(tmp_path, "mine.py", "voice.menu")
    write(tmp_path, "newer.py", "voice.menu", version=2)
    known = build(tmp_path)
    assert isinstance(known.get("voice.menu", 1), Menu)
    assert known.get("voice.menu").meta.version == 2
    [problem] = known.problems
    assert "defined twice" in problem.message and "mine.py" in problem.place


def test_the_folder_of_the_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nodes").mkdir()
    write(tmp_path / "nodes", "greet.py")
    monkeypatch.setenv("CALLWEAVE_HOME", str(tmp_path))
    registry.cache_clear()
    try:
        assert "acme.greet" in registry() and registry() is registry()
    finally:
        monkeypatch.undo()
        registry.cache_clear()
    assert "acme.greet" not in registry()


def test_packages_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("voice", "nodes.voice", "callweave.nodes"),
        EntryPoint("mine", "nodes.sdk.test_registry:OFFERED", "callweave.nodes"),
        EntryPoint("gone", "no_such_package", "callweave.nodes"),
    ]
    monkeypatch.setattr(module, "entry_points", lambda group: points)
    loaded = load_packages()
    types = [node.meta.type for node in loaded.nodes]
    assert types.count("voice.menu") == 1 and "acme.offered" in types
    assert [problem.place for problem in loaded.problems] == ["entry point gone = no_such_package"]


OFFERED = [Plain("acme.offered")]


def test_contract_breakers_are_refused() -> None:
    class NoMeta(Node[NodeConfig]):
        """Nothing."""

    class NoRun(Node[NodeConfig]):
        """Nothing to run."""

        meta = Menu.meta

    class NoDecide(Node[NodeConfig]):
        """Nothing to decide."""

        meta = Menu.meta.model_copy(update={"runs": Runs.IN_WORKFLOW})

    class BadConfig(Plain):
        """A config of the wrong make."""

        Config = dict  # type: ignore[assignment]

    cases: list[tuple[Any, str]] = [
        (NoMeta(), "no `meta"),
        (NoRun(), r"must define run\(\)"),
        (NoDecide(), r"must define decide\(\)"),
        (BadConfig(), "subclass of NodeConfig"),
        (42, "not a node"),
    ]
    for node, message in cases:
        with pytest.raises(BadNodeError, match=message):
            Registry([node])


def test_a_description_is_what_the_designer_needs() -> None:
    found = json.loads(json.dumps(describe(Menu())))
    assert found["type"] == "voice.menu" and found["runs"] == "on_call" and found["effects"] is False
    assert found["title"] == {"zh": "按键菜单", "en": "Menu"} and found["icon"]
    assert [port["name"] for port in found["ports"]] == ["1", "2", "timeout", "invalid", "error", "hangup"]
    assert found["schema"]["properties"]["tries"]["x-title"]["en"] == "Tries"
    assert Menu.Config.model_validate(found["example"]).model_dump(mode="json") == found["example"]
    assert [output["name"] for output in found["outputs"]] == ["key", "tries"]
