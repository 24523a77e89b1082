"""The telephony port over Asterisk's ARI."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from telephony.driver import EventHandler, HangupCause, Incoming, Snapshot


class AsteriskDriver:
    """`telephony.driver.Driver` over one ARI socket.

    Subscribe first, then `connect`. `close` ends the socket and never touches calls. When another driver takes the
    socket over, this one stops for good and `on_replaced` is called.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        *,
        app: str = "callweave",
        recordings: Path,
        sip_address: str = "",
        on_replaced: Callable[[], None] | None = None,
    ) -> None:
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        raise NotImplementedError

    @property
    def replaced(self) -> bool:
        raise NotImplementedError

    async def connect(self, timeout: float = 10) -> None:
        """Open the socket; raises `DriverError` (``lost``) when Asterisk does not answer in time."""
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    def subscribe(self, handler: EventHandler) -> Callable[[], None]:
        raise NotImplementedError

    async def transfer_result(self, channel: str, accepted: bool) -> None:
        """Tell a phone that asked for a transfer (`TransferRequested`) what came of it."""
        raise NotImplementedError
