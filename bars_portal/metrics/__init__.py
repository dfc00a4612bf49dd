"""What the portal counts for Prometheus, and how each process shows it on a port of its own."""
