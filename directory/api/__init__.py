"""The directory in the REST API."""
