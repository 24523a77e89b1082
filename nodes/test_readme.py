"""The examples of README.md run as they stand there."""

import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

from nodes.sdk.registry import Registry, load_folder, registry

README = Path(__file__).with_name("README.md").read_text()
NODE, TEST = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_node_is_found_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "greet.py").write_text(NODE)
    loaded = load_folder(tmp_path)
    assert not loaded.problems
    known = Registry([*registry().all(), *loaded.nodes])
    assert known.get("acme.greet").meta.title.en == "Greet"
    assert len(NODE.splitlines()) <= 40


async def test_its_tests_pass() -> None:
    space: dict[str, Any] = {"__name__": "greet"}
    exec(compile(NODE + TEST, "README.md", "exec"), space)
    tests = [found for name, found in space.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        assert inspect.iscoroutinefunction(test)
        await asyncio.wait_for(test(), timeout=10)


def test_every_family_is_named() -> None:
    for family in registry().families():
        assert f"`{family}/`" in README
