"""Diaries and bookings between FHIR and the portal: pure, both directions, one module a theme."""
