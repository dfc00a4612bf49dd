"""Reading more of one's own organisation than one's roles allow: for a reason, for a while, and reviewed."""
