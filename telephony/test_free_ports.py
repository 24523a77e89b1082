"""Ports that are said to be free are."""

import socket

import pytest

from telephony.free_ports import free_ports, free_range, share


def test_ports_are_different_and_can_be_taken() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))


def test_a_range_has_its_size_and_begins_even() -> None:
    low, high = free_range(600)
    assert high - low == 599 and low % 2 == 0
    with pytest.raises(ValueError, match="ports at most"):
        free_range(601)


def test_workers_share_the_ports_and_none_is_of_two() -> None:
    shares = [share(range(100, 200), f"gw{number}", 3) for number in range(3)]
    assert [len(one) for one in shares] == [33, 33, 33]
    assert len(set().union(*shares)) == 99
    assert share(range(100, 200), "", 1) == share(range(100, 200), "master", 3) == range(100, 200)
