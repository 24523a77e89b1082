"""Test phones of another make than the engine under test, and what it takes to listen to them."""

from tests.phones.phone import Phone, PhoneCall, PhoneError

__all__ = ["Phone", "PhoneCall", "PhoneError"]
