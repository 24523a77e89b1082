"""Trying flows without a phone: test cases, and sessions that a person leads (FL5)."""
