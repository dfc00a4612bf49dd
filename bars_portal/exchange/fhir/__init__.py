"""The Booking and Referral Standard in plain Python: no framework, no clock, no input or output."""
