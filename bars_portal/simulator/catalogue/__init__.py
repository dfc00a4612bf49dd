"""The endpoint catalogue: the resources that its API keeps, and where a target leads."""
