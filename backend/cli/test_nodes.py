"""``callweave node new``: what it makes works as it is."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.cli import nodes  # noqa: F401  its commands join the others
from backend.cli.app import app
from backend.errors import InvalidError

ROOT = Path(__file__).parents[2]


def made(folder: Path, *options: str) -> Path:
    done = CliRunner().invoke(app, ["node", "new", "acme.greet_twice", "--dir", str(folder), *options])
    assert done.exit_code == 0, done.output
    return folder


@pytest.mark.parametrize("runs", ["quick", "activity", "on_call", "in_workflow"])
def test_a_new_package_passes_its_own_tests_and_every_check(tmp_path: Path, runs: str) -> None:
    folder = made(tmp_path / "made", "--runs", runs)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}
    for command in (
        ["pytest", "-q", "-p", "no:cacheprovider", "--asyncio-mode=auto", "--rootdir", str(folder), str(folder)],
        ["ruff", "check", "--isolated", str(folder)],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    folder = made(tmp_path / "made")
    (folder / "README.md").write_text("mine")
    again = CliRunner().invoke(app, ["node", "new", "acme.greet_twice", "--dir", str(folder)])
    assert isinstance(again.exception, InvalidError) and again.exception.field == "dir"
    assert (folder / "README.md").read_text() == "mine"
    made(folder, "--force")
    assert (folder / "README.md").read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["Greet"], "type"),
        (["acme.greet!"], "type"),
        (["acme.greet", "--runs", "fast"], "runs"),
        (["acme.greet", "--family", "x"], "family"),
    ],
)
def test_a_wrong_name_is_told_with_its_field(tmp_path: Path, arguments: list[str], field: str) -> None:
    done = CliRunner().invoke(app, ["node", "new", *arguments, "--dir", str(tmp_path / "x")])
    assert isinstance(done.exception, InvalidError) and done.exception.field == field
    assert not (tmp_path / "x").exists()


def test_a_node_is_shown() -> None:
    done = CliRunner().invoke(app, ["node", "show", "voice.menu"])
    assert done.exit_code == 0 and "Plays a menu" in done.output and "`choices`" in done.output
    missing = CliRunner().invoke(app, ["node", "show", "voice.nothing"])
    assert isinstance(missing.exception, InvalidError)


# --------------------------------------------------------------------------- node check


def test_a_node_that_keeps_the_contract_is_good(tmp_path: Path) -> None:
    file = made(tmp_path / "made") / "acme_greet_twice" / "__init__.py"
    done = CliRunner().invoke(app, ["node", "check", str(file)])
    assert done.exit_code == 0 and "good   acme.greet_twice version 1" in done.output
    assert CliRunner().invoke(app, ["node", "check", "voice.menu"]).output.strip() == "good   voice.menu version 1"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda code: code.replace('"""', "#", 2), "docstring"),
        (lambda code: code + "\nraise RuntimeError('broken at import')\n", "broken at import"),
        (lambda code: code + "\n)(\n", "line"),
        (lambda code: code.replace("acme.greet_twice", "voice.menu"), "defined twice"),
        (lambda code: "x = 1\n", "defines no node"),
    ],
)
def test_what_is_wrong_with_a_node_is_told(tmp_path: Path, change: Callable[[str], str], told: str) -> None:
    file = made(tmp_path / "made") / "acme_greet_twice" / "__init__.py"
    code = file.read_text()
    start = code.index("class ", code.index("(NodeConfig)") + 1) if "docstring" in told else 0
    file.write_text(code[:start] + change(code[start:]))
    done = CliRunner().invoke(app, ["node", "check", str(file)])
    assert done.exit_code == 1 and "wrong" in done.output and told in done.output.replace("\n", " ")


def test_the_folder_of_the_installation_is_listed_and_checked(tmp_path: Path) -> None:
    """A broken file stops nothing: the others are there, and it is told."""
    folder = tmp_path / "home" / "nodes"
    folder.mkdir(parents=True)
    code = (made(tmp_path / "made") / "acme_greet_twice" / "__init__.py").read_text()
    (folder / "greet.py").write_text(code)
    (folder / "broken.py").write_text("import nothing_of_that_name\n")
    environment = {**os.environ, "CALLWEAVE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT), "COLUMNS": "300"}

    def callweave(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", "from backend.cli import main; main()", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    listed = callweave("node", "list")
    assert listed.returncode == 0 and "acme.greet_twice" in listed.stdout and str(folder / "greet.py") in listed.stdout
    assert "broken.py" in listed.stderr and "nothing_of_that_name" in listed.stderr
    checked = callweave("node", "check")
    assert checked.returncode == 1
    assert "good   acme.greet_twice" in checked.stdout and "broken.py" in checked.stdout
