"""Free ports of loopback, for tests and measurements that start real servers.

They are drawn below the range that the system gives to clients by itself, so that none is taken meanwhile. Workers of
one round of tests draw from their own share each, and nobody is given the same port twice in a row: between the look
whether a port is free and the server that takes it, seconds can pass on a busy machine.
"""

import contextlib
import os
import random
import socket
from collections import deque

LOW, HIGH = 5200, 20_000
_RANGES = range(20_000, 32_000, 600)
_given: deque[int] = deque(maxlen=100)


def share(ports: range, worker: str, workers: int) -> range:
    """The ports of one worker of several (xdist names them gw0, gw1 ...); all of them for who works alone."""
    number = worker.removeprefix("gw")
    if workers < 2 or not number.isdecimal():
        return ports
    size = len(ports) // workers
    begin = size * (int(number) % workers)
    return ports[begin : begin + size]


def _mine(ports: range) -> range:
    environ = os.environ
    return share(ports, environ.get("PYTEST_XDIST_WORKER", ""), int(environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


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
    mine = _mine(range(LOW, HIGH))
    while len(found) < count:
        port = random.choice(mine)
        # Phones take the next one too, for RTCP.
        if not {port - 1, port, port + 1} & set(_given) and _free(port):
            found.append(port)
            _given.append(port)
    return found


def free_port() -> int:
    """One port that is free for TCP and UDP."""
    return free_ports(1)[0]


def free_range(size: int = 200) -> tuple[int, int]:
    """The first and last of a range of UDP ports that nobody uses; it begins at an even one."""
    if size > _RANGES.step:
        raise ValueError(f"a range has {_RANGES.step} ports at most")
    mine = _mine(_RANGES)
    others = [low for low in _RANGES if low not in mine]
    for low in [*random.sample(mine, len(mine)), *random.sample(others, len(others))]:
        with contextlib.ExitStack() as stack:
            try:
                for port in range(low, low + size, 7):
                    probe = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return low, low + size - 1
    raise RuntimeError("no free range of UDP ports")
