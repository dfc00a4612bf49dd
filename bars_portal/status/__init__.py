"""What is wrong with the portal now, in words for staff and as figures for Prometheus."""
