"""Queues: who waits, who serves them, and which of them next."""
