"""Messages that leave the house: the ports for SMS and mail, and senders over SMTP and HTTP."""
