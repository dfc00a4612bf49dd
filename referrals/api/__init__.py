"""Requests and cases in the REST API."""
