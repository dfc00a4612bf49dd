"""Slots and bookings in the REST API."""
