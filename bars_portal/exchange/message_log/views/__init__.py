"""The pages of the message log: what was sent and received, and what keeps it going."""
