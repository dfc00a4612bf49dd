"""Taking and closing what follows from an answer or a booking of ours."""
