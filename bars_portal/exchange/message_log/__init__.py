"""The message log for the people who keep the exchange going: conversations, dead letters, partners."""
