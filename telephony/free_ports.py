"""Free ports of loopback, for tests and measurements that start real servers.

They are drawn below the range that the system gives to clients by itself, so that none is taken meanwhile.
"""

import contextlib
import random
import socket

LOW, HIGH = 5200, 20_000
_RANGES = range(20_000, 32_000, 600)


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            udp.bind(("127.0.0.1", port))
            tcp.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Different ports that are free for TCP and UDP."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(LOW, HIGH)
        if port not in found and _free(port):
            found.append(port)
    return found


def free_port() -> int:
    """One port that is free for TCP and UDP."""
    return free_ports(1)[0]


def free_range(size: int = 200) -> tuple[int, int]:
    """The first and last of a range of UDP ports that nobody uses; it begins at an even one."""
    if size > _RANGES.step:
        raise ValueError(f"a range has {_RANGES.step} ports at most")
    for low in random.sample(_RANGES, len(_RANGES)):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(low, low + size, 7):
                    probe = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return low, low + size - 1
    raise RuntimeError("no free range of UDP ports")
