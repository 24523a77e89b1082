"""Rules that start flows when something happens."""
