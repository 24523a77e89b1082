"""What the server names and the web app explains in both languages: each setting, each deed of the audit trail."""

import re
from pathlib import Path

from backend.settings import Settings

ROOT = Path(__file__).parents[1]
FEATURES = ROOT / "designer" / "src" / "features"
DEED = re.compile(r"note\(\s*[\w.]+,\s*[\w.()]+,\s*\"([a-z_]+\.[a-z_]+)\"")


def test_each_setting_is_explained_in_chinese() -> None:
    told = set(re.findall(r"CALLWEAVE_([A-Z_]+):", (FEATURES / "system" / "settings.ts").read_text()))
    assert told == {name.upper() for name in Settings.model_fields}


def test_each_deed_of_the_audit_trail_has_words() -> None:
    told = set(re.findall(r"\"?'?([a-z_]+\.[a-z_]+)'?\"?: \{ zh", (FEATURES / "audit" / "actions.ts").read_text()))
    files = [file for file in (ROOT / "backend").rglob("*.py") if "test" not in file.name]
    done = {deed for file in files for deed in DEED.findall(file.read_text())}
    assert len(done) > 50
    assert done - told == set()
