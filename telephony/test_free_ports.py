"""Ports that are said to be free are."""

import socket

import pytest

from telephony.free_ports import free_ports, free_range


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
