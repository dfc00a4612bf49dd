"""The searches that a receiver answers, one module each (standard section 7)."""
