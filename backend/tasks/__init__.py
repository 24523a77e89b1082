"""Work for people: callbacks, voicemails, missed calls, planned contacts, and what flows ask for."""
