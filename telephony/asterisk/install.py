"""Find an Asterisk that is new enough, or fetch a private copy into the cache folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Progress = Callable[[str], None]


class InstallError(RuntimeError):
    """No Asterisk can be had here. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An Asterisk that can be started (``system``, ``private``), or one run by others (``remote``)."""

    kind: Literal["remote", "system", "private"]
    version: str
    binary: Path = Path()
    loader: Path | None = None
    libraries: Path | None = None
    modules: Path = Path()
    data: Path = Path()
    module_names: frozenset[str] = frozenset()

    def argv(self, *arguments: str) -> list[str]:
        """The command line that runs this Asterisk."""
        raise NotImplementedError


def resolve(cache: Path, *, ari_url: str = "", progress: Progress = lambda line: None) -> Installation:
    """The Asterisk to use: a remote one, one on the PATH, or a private copy that is fetched when missing.

    Blocks while it downloads; call it in a thread. Raises `InstallError`.
    """
    raise NotImplementedError
