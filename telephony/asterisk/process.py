"""Start, watch, adopt and stop one private Asterisk."""

from collections.abc import Callable

from telephony.asterisk.config import AsteriskConfig
from telephony.asterisk.install import Installation


class ProcessError(RuntimeError):
    """Asterisk cannot be started. The message names the cause and the remedy."""


class PortTaken(ProcessError):
    """A port is used by another program. ``setting`` names the setting to change."""

    def __init__(self, port: int, setting: str, protocol: str) -> None:
        super().__init__(f"{protocol} port {port} is taken by another program: change the setting {setting}")
        self.port = port
        self.setting = setting


class AsteriskProcess:
    """One private Asterisk that outlives this Python process.

    `start` adopts a running one or starts it, then keeps it alive until `detach` (leave it running) or `stop`.
    """

    def __init__(
        self,
        config: AsteriskConfig,
        installation: Installation,
        *,
        on_death: Callable[[], None] | None = None,
        keep_alive: bool = True,
    ) -> None:
        raise NotImplementedError

    @property
    def pid(self) -> int | None:
        """Process id of the running Asterisk, or None."""
        raise NotImplementedError

    async def start(self) -> bool:
        """Make it run and wait until it has booted; True when a running one was adopted."""
        raise NotImplementedError

    async def apply(self, config: AsteriskConfig) -> None:
        """Take over changed trunks, extensions and music without dropping calls."""
        raise NotImplementedError

    async def detach(self) -> None:
        """Stop watching and leave Asterisk running."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Stop Asterisk and all its calls."""
        raise NotImplementedError
