"""Sending in the name of an organisation: as whom, with which token, by which client."""
