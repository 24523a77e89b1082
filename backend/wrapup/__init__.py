"""What comes of calls: notes, disposition codes, the next contact."""
