"""Agents: who they are, what they do now, and what they did."""
