"""``callweave node new``: what it makes works as it is."""

import os
import subprocess
import sys
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
