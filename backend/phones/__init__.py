"""Phones in browsers and calls that try a flow out."""
