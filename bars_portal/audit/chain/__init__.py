"""The trail made fast: sealed, signed, verified, and pruned when its time is over (docs/adr/0035)."""
