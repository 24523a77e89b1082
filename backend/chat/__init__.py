"""Messages between agents, announcements, the running line."""
