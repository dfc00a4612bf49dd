"""Reads of diaries and bookings, scoped to what the person, or the caller, may see."""
