"""What agents and supervisors do with live calls."""
