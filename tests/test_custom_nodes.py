"""A package of nodes by strangers: installed into a fresh environment, it is found and runs in a flow."""

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "examples" / "parcel_nodes"

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment that sees the product and its libraries, and the package installed into it."""
    folder = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "env", cwd=folder)
    python = folder / "env" / "bin" / "python"
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    # The product and its libraries as they are here; only the package itself is installed.
    (Path(site) / "product.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    source = shutil.copytree(PACKAGE, folder / "source")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder / "wheels", source, cwd=folder)
    (wheel,) = (folder / "wheels").iterdir()
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    return python


def test_its_nodes_are_found_beside_the_ones_that_ship(fresh: Path) -> None:
    told = run(fresh, "-c", "from backend.cli import main; main()", "node", "list", "--json", cwd=fresh.parent)
    types = {one["type"] for one in json.loads(told)}
    assert {"parcel.check", "parcel.state", "voice.menu"} <= types


def test_its_own_tests_pass(fresh: Path) -> None:
    told = run(
        fresh, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--asyncio-mode=auto",
        "--rootdir", PACKAGE, PACKAGE / "parcel_nodes", cwd=fresh.parent,
    )  # fmt: skip
    assert "passed" in told


def test_it_runs_in_a_flow(fresh: Path) -> None:
    told = run(
        fresh, "-c", "from backend.cli import main; main()", "flow", "test", PACKAGE / "flow.json", cwd=fresh.parent
    )
    assert "2 cases, all green" in told


def test_without_it_the_flow_is_refused_with_words() -> None:
    from typer.testing import CliRunner

    from backend.cli import cases  # noqa: F401  its commands join the others
    from backend.cli.app import app

    done = CliRunner().invoke(app, ["flow", "validate", str(PACKAGE / "flow.json"), "--json"])
    assert done.exit_code == 1
    problems = json.loads(done.output)
    assert {(one["code"], one["node"]) for one in problems if one["code"] == "unknown_node"} == {
        ("unknown_node", "check"), ("unknown_node", "state"),
    }  # fmt: skip
