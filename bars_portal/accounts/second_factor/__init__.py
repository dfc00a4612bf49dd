"""The second factor of people who sign in with a password."""
