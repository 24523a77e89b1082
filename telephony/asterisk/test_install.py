"""Finding an Asterisk, and the small ELF reader."""

import shutil
import sys
from pathlib import Path

import pytest

from telephony.asterisk import install
from telephony.asterisk.elf import needed
from telephony.asterisk.install import Installation, InstallError
from telephony.asterisk.modules import LOADED, REQUIRED
from telephony.asterisk.testing import CACHE, installation


def fake(folder: Path, version: str, modules: tuple[str, ...] = REQUIRED) -> Path:
    """A machine's own Asterisk, as far as looking at it goes."""
    (folder / "sbin").mkdir(parents=True)
    program = folder / "sbin/asterisk"
    program.write_text(f"#!/bin/sh\necho 'Asterisk {version}'\n")
    program.chmod(0o755)
    (folder / "lib/asterisk/modules").mkdir(parents=True)
    for name in modules:
        (folder / f"lib/asterisk/modules/{name}.so").touch()
    return program


def test_a_remote_one_needs_nothing(tmp_path: Path) -> None:
    remote = install.resolve(tmp_path, ari_url="http://pbx:8088")
    assert remote.kind == "remote"
    with pytest.raises(InstallError):
        remote.argv("-V")


def test_an_old_one_on_the_path_is_skipped_with_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tuple(name for name in REQUIRED if name != "chan_websocket")
    monkeypatch.setenv("PATH", str(fake(tmp_path, "16.28.0~dfsg-0+deb11u3", old).parent))
    said: list[str] = []
    assert install.on_path(said.append) is None
    assert "16.28.0" in said[0] and "chan_websocket" in said[0] and "skipped" in said[0]


def test_a_new_one_on_the_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = fake(tmp_path, "22.10.1")
    monkeypatch.setenv("PATH", str(program.parent))
    data = tmp_path / "data"
    (data / "documentation").mkdir(parents=True)
    monkeypatch.setattr(install, "DATA_FOLDERS", (data,))
    found = install.on_path()
    assert found is not None and (found.kind, found.version, found.binary) == ("system", "22.10.1", program)
    assert found.argv("-V") == [str(program), "-V"]


def test_other_systems_are_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "_debian", lambda: False)
    with pytest.raises(InstallError, match=r"22\.10.*ari_url"):
        install.fetch(tmp_path)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(InstallError, match="apt-get"):
        install.fetch(tmp_path)


def test_a_broken_or_foreign_copy_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "asterisk-1").mkdir()
    (tmp_path / "asterisk-1/installation.json").write_text("{")
    (tmp_path / "asterisk-2").mkdir()
    (tmp_path / "asterisk-2/installation.json").write_text(
        '{"version": "22.10.1", "triplet": "x", "loader": "l", "machine": "riscv64"}'
    )
    assert install.in_cache(tmp_path) is None


def test_elf_reader(tmp_path: Path) -> None:
    libraries = needed(Path(sys.executable).resolve())
    assert any(name.startswith("libc.so") for name in libraries)
    text = tmp_path / "text"
    text.write_text("no program")
    assert needed(text) == []


@pytest.mark.asterisk
async def test_the_private_copy_is_whole() -> None:
    found: Installation = await installation()
    assert not set(LOADED) - found.module_names or found.kind == "system"
    assert install.resolve(CACHE).version == found.version
