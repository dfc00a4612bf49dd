"""The simulated integration environment: int's rules, a chain of its own, and the NHS's desks at hand."""
