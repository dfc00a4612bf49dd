"""The only writers of diaries and bookings; one module a theme."""
