"""Nodes for a carrier's hotline."""

from parcel_nodes.check import CheckParcelNumber
from parcel_nodes.state import ParcelState

NODES = [CheckParcelNumber(), ParcelState()]
