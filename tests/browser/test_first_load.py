"""What a browser loads before the first page shows."""

import json
import re
from pathlib import Path

import pytest

from backend.web_app import BUILT_HERE

pytestmark = [pytest.mark.journey, pytest.mark.browser]

FIRST_LOAD = 400 * 1024


def test_the_first_load_is_small() -> None:
    """What the page itself names, compressed: scripts, styles and what these load at once."""
    index = (BUILT_HERE / "index.html").read_text()
    named = re.findall(r'(?:src|href)="/(assets/[^"]+\.(?:js|css))"', index)
    assert named
    sizes = {name: _compressed(BUILT_HERE / name) for name in named}
    assert sum(sizes.values()) < FIRST_LOAD, json.dumps(sizes)


def _compressed(file: Path) -> int:
    small = file.with_name(f"{file.name}.gz")
    return (small if small.exists() else file).stat().st_size
